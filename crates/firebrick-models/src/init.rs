//! torch's default initialisation, drawn on the host so that it is the same on every backend.
//!
//! `nn.Conv2d` and `nn.Linear` both draw weight and bias from `U(-b, b)` with `b = 1 / sqrt(fan_in)`:
//! `kaiming_uniform_(a = sqrt(5))` has gain `sqrt(2 / (1 + 5))` and bound `gain * sqrt(3 / fan_in)`,
//! which is the same number. Burn's defaults differ, and its generators are per backend.
//!
//! # Source
//!
//! `torch.nn.Linear.reset_parameters`, `torch.nn.modules.conv._ConvNd.reset_parameters`.

use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::parameters::transpose;
use crate::sequential::Conv2dConfig;

/// The purpose "initialisation" in the key (seed, purpose, a, b) of every random stream; the data of a
/// run draws from other purposes of the same seed, so that no two streams are alike.
pub const PURPOSE_INIT: u64 = 3;

/// Builds layers in the order in which a model names them; each parameter has a stream of its own.
///
/// The stream of the i-th parameter is ChaCha8 with the 32-byte key (seed, [`PURPOSE_INIT`], i, 0),
/// four little-endian `u64`, so it does not depend on how much another parameter drew.
pub struct TorchInit<'a> {
    seed: u64,
    next_parameter: u64,
    device: &'a Device,
}

impl<'a> TorchInit<'a> {
    /// Starts at parameter 0.
    pub fn new(seed: u64, device: &'a Device) -> Self {
        Self { seed, next_parameter: 0, device }
    }

    /// Where the parameters go.
    pub fn device(&self) -> &'a Device {
        self.device
    }

    /// `nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding)`.
    pub fn conv2d(
        &mut self,
        in_channels: usize,
        out_channels: usize,
        kernel_size: usize,
        padding: usize,
    ) -> Conv2d {
        let padding = padding.into();
        self.conv2d_of(in_channels, &Conv2dConfig { padding, ..Conv2dConfig::new(out_channels, kernel_size) })
    }

    /// `nn.Conv2d(in_channels, ...)` with any arguments; `groups` must divide both channel counts.
    pub fn conv2d_of(&mut self, in_channels: usize, config: &Conv2dConfig) -> Conv2d {
        let Conv2dConfig { out_channels, groups, bias, .. } = *config;
        let kernel_size = config.kernel_size.0;
        let [vertical, horizontal] = config.padding.0;
        let shape = [out_channels, in_channels / groups, kernel_size[0], kernel_size[1]];
        let fan_in = shape[1..].iter().product();
        let weight = TensorData::new(self.draw(shape.iter().product(), fan_in), shape);
        Conv2d {
            weight: Param::from_data(weight, self.device),
            bias: bias.then(|| self.bias(out_channels, fan_in)),
            stride: config.stride.0,
            kernel_size,
            dilation: config.dilation.0,
            groups,
            padding: PaddingConfig2d::Explicit(vertical, horizontal, vertical, horizontal),
        }
    }

    /// `nn.Linear(in_features, out_features)`.
    pub fn linear(&mut self, in_features: usize, out_features: usize) -> Linear {
        self.linear_of(in_features, out_features, true)
    }

    /// `nn.Linear(in_features, out_features, bias=bias)`.
    pub fn linear_of(&mut self, in_features: usize, out_features: usize, bias: bool) -> Linear {
        // Drawn as torch keeps it, [out, in], so that the stream does not follow Burn's layout.
        let weight_torch = self.draw(out_features * in_features, in_features);
        let weight = transpose(&weight_torch, out_features, in_features);
        let weight = TensorData::new(weight, [in_features, out_features]);
        Linear {
            weight: Param::from_data(weight, self.device),
            bias: bias.then(|| self.bias(out_features, in_features)),
        }
    }

    fn bias(&mut self, count: usize, fan_in: usize) -> Param<Tensor<1>> {
        Param::from_data(TensorData::new(self.draw(count, fan_in), [count]), self.device)
    }

    fn draw(&mut self, count: usize, fan_in: usize) -> Vec<f32> {
        let mut generator = generator(self.seed, self.next_parameter);
        self.next_parameter += 1;
        let bound = kaiming_bound(fan_in);
        (0..count).map(|_| uniform(&mut generator, bound)).collect()
    }
}

/// `nn.MaxPool2d(kernel_size)`: the stride is the kernel size.
pub fn max_pool2d(kernel_size: usize) -> MaxPool2d {
    MaxPool2dConfig::new([kernel_size, kernel_size]).init()
}

/// `1 / sqrt(fan_in)`, rounded once to f32.
pub fn kaiming_bound(fan_in: usize) -> f32 {
    (1.0 / (fan_in.max(1) as f64).sqrt()) as f32
}

fn generator(seed: u64, parameter: u64) -> ChaCha8Rng {
    let mut key = [0_u8; 32];
    let words = [seed, PURPOSE_INIT, parameter, 0];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// A number of `[-bound, bound)` with 24 random bits, as many as an f32 in `[0, 1)` can hold evenly.
fn uniform(generator: &mut ChaCha8Rng, bound: f32) -> f32 {
    let unit = (generator.next_u32() >> 8) as f32 / (1_u32 << 24) as f32;
    unit * (2.0 * bound) - bound
}
