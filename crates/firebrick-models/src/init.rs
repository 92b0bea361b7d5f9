//! torch's default initialisation, drawn on the host so that it is the same on every backend.
//!
//! `nn.Conv2d` and `nn.Linear` both draw weight and bias from `U(-b, b)` with `b = 1 / sqrt(fan_in)`:
//! `kaiming_uniform_(a = sqrt(5))` has gain `sqrt(2 / (1 + 5))` and bound `gain * sqrt(3 / fan_in)`,
//! which is the same number. Burn's defaults differ, and its generators are per backend.
//!
//! # Source
//!
//! `torch.nn.Linear.reset_parameters`, `torch.nn.modules.conv._ConvNd.reset_parameters`.

use std::sync::Arc;

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use firebrick_component::ArgumentError;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::layer::{Init, Layer, LayerModule, Parameter, ParameterSpec, PlacedLayer, RunningStatistic};
use crate::parameters::transpose;
use crate::shape::Shape;
use crate::walk::Role;

/// The purpose "initialisation" in the key (seed, purpose, a, b) of every random stream; the data of a
/// run draws from other purposes of the same seed, so that no two streams are alike.
pub const PURPOSE_INIT: u64 = 3;

/// Gives layers their first parameters, in the order in which a model names them; each parameter that is drawn has a
/// stream of its own.
///
/// The stream of the i-th drawn parameter is ChaCha8 with the 32-byte key (seed, [`PURPOSE_INIT`], i, 0),
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

    /// A layer for inputs of this shape, for a network that is written by hand.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] if an argument is out of range or does not fit `input`.
    pub fn layer(&mut self, layer: impl Layer, input: Shape) -> Result<LayerModule, ArgumentError> {
        Ok(self.placed(&Arc::new(PlacedLayer::new(Arc::new(layer), input)?)))
    }

    /// A layer that fits.
    pub(crate) fn placed(&mut self, placed: &Arc<PlacedLayer>) -> LayerModule {
        let parameters = placed.parameters.iter().map(|spec| self.parameter(spec)).collect();
        LayerModule::new(Arc::clone(placed), parameters)
    }

    fn parameter(&mut self, spec: &ParameterSpec) -> Parameter {
        let mut values = match spec.init {
            Init::KaimingUniform { fan_in } => self.uniform(spec.num_elements(), kaiming_bound(fan_in)),
            Init::Uniform { bound } => self.uniform(spec.num_elements(), bound as f32),
            Init::Normal { std } => self.normal(spec.num_elements(), std),
            Init::Dirac { fan_in } => {
                let mut values = self.uniform(spec.num_elements(), kaiming_bound(fan_in));
                dirac(&mut values, &spec.shape);
                values
            }
            Init::Constant(value) => vec![value; spec.num_elements()],
        };
        let mut shape = spec.shape.clone();
        if let (Role::LinearWeight, &[outputs, inputs]) = (spec.role, shape.as_slice()) {
            // Drawn as torch keeps it, [out, in], so that the stream does not follow Burn's layout.
            values = transpose(&values, outputs, inputs);
            shape.reverse();
        }
        let data = TensorData::new(values, shape);
        match (spec.role, spec.shape.len()) {
            (Role::Buffer, 1) => {
                Parameter::Statistic(RunningStatistic::new(Tensor::from_data(data, self.device)))
            }
            (_, 1) => Parameter::Vector(Param::from_data(data, self.device)),
            (_, 2) => Parameter::Matrix(Param::from_data(data, self.device)),
            (_, 3) => Parameter::Planes(Param::from_data(data, self.device)),
            (_, 4) => Parameter::Kernel(Param::from_data(data, self.device)),
            _ => unreachable!("bug: {spec:?} was placed with these dimensions"),
        }
    }

    fn uniform(&mut self, count: usize, bound: f32) -> Vec<f32> {
        let mut generator = self.next_stream();
        (0..count).map(|_| uniform(&mut generator, bound)).collect()
    }

    fn normal(&mut self, count: usize, std: f64) -> Vec<f32> {
        let mut generator = self.next_stream();
        let pairs = (0..count.div_ceil(2)).flat_map(|_| normal_pair(&mut generator));
        pairs.take(count).map(|unit| (unit * std) as f32).collect()
    }

    fn next_stream(&mut self) -> ChaCha8Rng {
        self.next_parameter += 1;
        generator(self.seed, self.next_parameter - 1)
    }
}

/// Makes filter `i` of the first `in` filters 1 at the middle of channel `i` and 0 everywhere else.
fn dirac(values: &mut [f32], shape: &[usize]) {
    let &[outputs, inputs, height, width] = shape else {
        unreachable!("bug: {shape:?} is no convolution's weight");
    };
    let window = height * width;
    for (index, filter) in values.chunks_exact_mut(inputs * window).take(inputs.min(outputs)).enumerate() {
        filter.fill(0.0);
        filter[index * window + height / 2 * width + width / 2] = 1.0;
    }
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

/// Two independent numbers of the standard normal distribution, by the method of Box and Muller, from 24 random bits
/// each.
fn normal_pair(generator: &mut ChaCha8Rng) -> [f64; 2] {
    let mut unit = || f64::from(generator.next_u32() >> 8) + 0.5;
    let (radius, angle) = (unit() / f64::from(1 << 24), unit() / f64::from(1 << 24));
    let radius = (-2.0 * radius.ln()).sqrt();
    let (sine, cosine) = (std::f64::consts::TAU * angle).sin_cos();
    [radius * cosine, radius * sine]
}
