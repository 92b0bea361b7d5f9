//! Batch normalisation of images.
//!
//! Burn's own layer feeds the running variance with the biased variance of the batch, torch with the
//! unbiased one; and it names its parameters `gamma` and `beta`.
//!
//! # Source
//!
//! S. Ioffe, C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
//! Covariate Shift", 2015; `torch.nn.BatchNorm2d`.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use firebrick_kernels::{AfterNorm, batch_norm, batch_norm_train};
use serde::{Deserialize, Serialize};

use crate::running::RunningStatistic;

/// Arguments of [`BatchNorm2d`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchNorm2dConfig {
    /// Keeps the division by the standard deviation away from zero; above 0.
    pub eps: f64,
    /// Share of a batch in the running statistics, 0 to 1.
    pub momentum: f64,
    /// Whether there are a weight and a bias for each channel.
    pub affine: bool,
    /// With `false` there is a weight alone.
    pub bias: bool,
}

impl Default for BatchNorm2dConfig {
    fn default() -> Self {
        Self { eps: 1e-5, momentum: 0.1, affine: true, bias: true }
    }
}

/// `nn.BatchNorm2d`: every channel brought to mean 0 and variance 1, then scaled and shifted.
///
/// It trains when its input is on an autodiff device: it normalises with the batch's own mean and
/// biased variance, and moves the running mean and the running (unbiased) variance towards the
/// batch's. Otherwise it normalises with the running statistics and changes nothing.
///
/// torch's `num_batches_tracked` is not kept: it matters only for `momentum=None`.
#[derive(Module, Debug)]
pub struct BatchNorm2d {
    weight: Option<Param<Tensor<1>>>,
    bias: Option<Param<Tensor<1>>>,
    running_mean: RunningStatistic,
    running_var: RunningStatistic,
    eps: f64,
    momentum: f64,
}

impl BatchNorm2dConfig {
    /// A layer for `num_features` channels: weights 1, biases 0, running mean 0 and variance 1.
    pub fn init(&self, num_features: usize, device: &Device) -> BatchNorm2d {
        let zeros = || Tensor::<1>::zeros([num_features], device);
        let ones = || Tensor::<1>::ones([num_features], device);
        BatchNorm2d {
            weight: self.affine.then(|| Param::from_tensor(ones())),
            bias: (self.affine && self.bias).then(|| Param::from_tensor(zeros())),
            running_mean: RunningStatistic::new(zeros()),
            running_var: RunningStatistic::new(ones()),
            eps: self.eps,
            momentum: self.momentum,
        }
    }
}

impl BatchNorm2d {
    /// Normalises, and learns the statistics when training.
    ///
    /// With a single number a channel there is no unbiased variance, and torch refuses to train; here
    /// the running variance stays as it is.
    ///
    /// # Shapes
    ///
    /// `[n, num_features, h, w]`, also the result.
    pub fn forward(&self, images_nchw: Tensor<4>) -> Tensor<4> {
        self.forward_and(images_nchw, AfterNorm::default())
    }

    /// As [`forward`](Self::forward), then what `after` says, in one pass over memory.
    ///
    /// # Shapes
    ///
    /// `[n, num_features, h, w]`, also what is added and the result.
    pub fn forward_and(&self, images_nchw: Tensor<4>, after: AfterNorm) -> Tensor<4> {
        let device = images_nchw.device();
        let [n, num_features, h, w] = images_nchw.dims();
        let weight = match &self.weight {
            Some(weight) => weight.val(),
            None => Tensor::ones([num_features], &device),
        };
        let bias = match &self.bias {
            Some(bias) => bias.val(),
            None => Tensor::zeros([num_features], &device),
        };
        if !device.is_autodiff() {
            let (mean, variance) = (self.running_mean.get(), self.running_var.get());
            return batch_norm(images_nchw, [weight, bias, mean, variance], self.eps, after);
        }
        let normalised = batch_norm_train(images_nchw, weight, bias, self.eps, after);
        let count = (n * h * w) as f64;
        self.running_mean.follow(normalised.mean, self.momentum);
        if count > 1.0 {
            let unbiased = normalised.variance * (count / (count - 1.0));
            self.running_var.follow(unbiased, self.momentum);
        }
        normalised.output
    }

    /// Number of channels.
    pub fn num_features(&self) -> usize {
        self.running_mean.get().dims()[0]
    }

    /// The arguments that the layer was made with.
    pub fn config(&self) -> BatchNorm2dConfig {
        BatchNorm2dConfig {
            eps: self.eps,
            momentum: self.momentum,
            affine: self.weight.is_some(),
            bias: self.bias.is_some(),
        }
    }
}
