//! Batch normalisation of images.
//!
//! Burn's own layer feeds the running variance with the biased variance of the batch, torch with the
//! unbiased one; and it names its parameters `gamma` and `beta`.
//!
//! # Source
//!
//! S. Ioffe, C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
//! Covariate Shift", 2015; `torch.nn.BatchNorm2d`.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component, check};
use firebrick_kernels::{AfterNorm, Pool, batch_norm, batch_norm_train};
use serde::{Deserialize, Serialize};

use super::base::{Activations, Epilogue, Gives, Layer};
use super::parameters::{Init, ParameterSpec, Parameters};
use super::python;
use crate::shape::Shape;
use crate::walk::Role;

/// `nn.BatchNorm2d`: every channel brought to mean 0 and variance 1, then scaled and shifted; `num_features` follows
/// from what comes in.
///
/// It trains when its input is on an autodiff device: it normalises with the batch's own mean and
/// biased variance, and moves the running mean and the running (unbiased) variance towards the
/// batch's. Otherwise it normalises with the running statistics and changes nothing. So does a frozen one, whose weight and
/// bias require no gradient, as torch's after `eval()`.
///
/// torch's `num_batches_tracked` is not kept: it matters only for `momentum=None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchNorm2d {
    /// Keeps the division by the standard deviation away from zero; above 0.
    pub eps: f64,
    /// Share of a batch in the running statistics, 0 to 1.
    pub momentum: f64,
    /// Whether there are a weight and a bias for each channel.
    pub affine: bool,
    /// With `false` there is a weight alone.
    pub bias: bool,
}

impl Default for BatchNorm2d {
    fn default() -> Self {
        Self { eps: 1e-5, momentum: 0.1, affine: true, bias: true }
    }
}

impl BatchNorm2d {
    fn has_bias(&self) -> bool {
        self.affine && self.bias
    }

    /// Position of the running mean among the parameters; the running variance is behind it.
    fn statistics(&self) -> usize {
        usize::from(self.affine) + usize::from(self.has_bias())
    }
}

impl Component for BatchNorm2d {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::positive("eps", self.eps)?;
        check::unit_interval("momentum", self.momentum)
    }
}

impl Layer for BatchNorm2d {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        input.image().map(Shape::Image)
    }

    fn parameters(&self, input: Shape) -> Vec<ParameterSpec> {
        let shape = [input.channels()];
        let (zeros, ones) = (Init::Constant(0.0), Init::Constant(1.0));
        let mut specs = Vec::new();
        if self.affine {
            specs.push(ParameterSpec::new("weight", Role::NormWeight, shape, ones));
        }
        if self.has_bias() {
            specs.push(ParameterSpec::new("bias", Role::NormBias, shape, zeros));
        }
        specs.push(ParameterSpec::new("running_mean", Role::Buffer, shape, zeros));
        specs.push(ParameterSpec::new("running_var", Role::Buffer, shape, ones));
        specs
    }

    fn forward(&self, parameters: &Parameters, x: Activations) -> Activations {
        self.forward_fused(parameters, x, Epilogue::default(), None)
    }

    fn repr(&self, input: Shape) -> String {
        format!(
            "BatchNorm2d({}, eps={}, momentum={}, affine={}, bias={}, track_running_stats=True)",
            input.channels(),
            python::float(self.eps),
            python::float(self.momentum),
            python::bool(self.affine),
            python::bool(self.has_bias()),
        )
    }

    fn gives(&self) -> Gives {
        Gives::Scores
    }

    fn fuses(&self, epilogue: Epilogue) -> bool {
        epilogue.pool == Pool::None
            && epilogue.zeros_before == [0; 4]
            && (!epilogue.residual || epilogue.activation.is_known_by_results())
    }

    /// With a single number a channel there is no unbiased variance, and torch refuses to train; here
    /// the running variance stays as it is.
    fn forward_fused(
        &self,
        parameters: &Parameters,
        x: Activations,
        epilogue: Epilogue,
        residual: Option<Activations>,
    ) -> Activations {
        let images_nchw = x.images();
        let after =
            AfterNorm { residual: residual.map(Activations::images), activation: epilogue.activation };
        let device = images_nchw.device();
        let [n, num_features, h, w] = images_nchw.dims();
        let weight = match self.affine {
            true => parameters.vector(0),
            false => Tensor::ones([num_features], &device),
        };
        let bias = match self.has_bias() {
            true => parameters.vector(1),
            false => Tensor::zeros([num_features], &device),
        };
        // Without a weight nobody can have frozen it.
        let is_frozen =
            self.affine && !weight.is_require_grad() && !(self.has_bias() && bias.is_require_grad());
        let running_mean = parameters.statistic(self.statistics());
        let running_var = parameters.statistic(self.statistics() + 1);
        if !device.is_autodiff() || is_frozen {
            let statistics = [weight, bias, running_mean.get(), running_var.get()];
            return batch_norm(images_nchw, statistics, self.eps, after).into();
        }
        let normalised = batch_norm_train(images_nchw, weight, bias, self.eps, after);
        let count = (n * h * w) as f64;
        running_mean.follow(normalised.mean, self.momentum);
        if count > 1.0 {
            let unbiased = normalised.variance * (count / (count - 1.0));
            running_var.follow(unbiased, self.momentum);
        }
        normalised.output.into()
    }
}
