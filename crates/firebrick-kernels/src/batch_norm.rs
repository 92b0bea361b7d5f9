//! Batch normalisation on Burn's tensors: chooses between the kernels and Burn's own operations.

use burn::tensor::module::{batch_norm as burn_batch_norm, batch_norm_train as burn_batch_norm_train};
use burn::tensor::{DType, Tensor};

use crate::backend::Native;
use crate::cpu::Activation;
use crate::elementwise::activate_with_burn;
use crate::operation::Norm;

/// What follows a normalisation, in this order.
#[derive(Clone, Debug, Default)]
pub struct AfterNorm {
    /// Added to the normalised values, `[n, c, h, w]`; not before an activation whose gradient is not
    /// [known by its results](Activation::is_known_by_results).
    pub residual: Option<Tensor<4>>,
    /// Applied to the sum.
    pub activation: Activation,
}

/// What a normalisation with the batch's own statistics gives.
#[derive(Clone, Debug)]
pub struct BatchNormed {
    /// `[n, c, h, w]`.
    pub output: Tensor<4>,
    /// The batch's means, `[c]`, without a gradient.
    pub mean: Tensor<1>,
    /// The batch's biased variances, `[c]`, without a gradient.
    pub variance: Tensor<1>,
}

/// Batch normalisation with the batch's own mean and biased variance.
///
/// # Shapes
/// `input_nchw` `[n, c, h, w]`, `weight` and `bias` `[c]`.
///
/// # Source
/// `torch.nn.functional.batch_norm(training=True)`.
pub fn batch_norm_train(
    input_nchw: Tensor<4>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    eps: f64,
    after: AfterNorm,
) -> BatchNormed {
    if let Some(native) = native_for(&input_nchw, &[&weight, &bias], after.residual.as_ref()) {
        let (mean, variance) = native.statistics(input_nchw.clone());
        let norm = Norm { eps, own_statistics: true, activation: after.activation };
        let parameters = [weight, bias, mean.clone(), variance.clone()];
        let output = native.norm(input_nchw, parameters, after.residual, norm);
        return BatchNormed { output, mean, variance };
    }
    let normed = burn_batch_norm_train(input_nchw, weight, bias, eps);
    BatchNormed { output: after.with_burn(normed.output), mean: normed.mean, variance: normed.variance }
}

/// Batch normalisation with given statistics.
///
/// # Shapes
/// `input_nchw` `[n, c, h, w]`, the others `[c]`; the result as the input.
///
/// # Source
/// `torch.nn.functional.batch_norm(training=False)`.
pub fn batch_norm(
    input_nchw: Tensor<4>,
    [weight, bias, mean, variance]: [Tensor<1>; 4],
    eps: f64,
    after: AfterNorm,
) -> Tensor<4> {
    let parameters = [&weight, &bias, &mean, &variance];
    if let Some(native) = native_for(&input_nchw, &parameters, after.residual.as_ref()) {
        let norm = Norm { eps, own_statistics: false, activation: after.activation };
        return native.norm(input_nchw, [weight, bias, mean, variance], after.residual, norm);
    }
    after.with_burn(burn_batch_norm(input_nchw, weight, bias, mean, variance, eps))
}

/// The device, if the kernels compute a normalisation of these tensors; if not, Burn does, or says what is wrong with them.
fn native_for(input: &Tensor<4>, parameters: &[&Tensor<1>], residual: Option<&Tensor<4>>) -> Option<Native> {
    let [n, channels, h, w] = input.dims();
    let suits = n * channels * h * w > 0
        && input.dtype() == DType::F32
        && parameters.iter().all(|tensor| tensor.dtype() == DType::F32 && tensor.dims() == [channels])
        && residual.is_none_or(|tensor| tensor.dtype() == DType::F32 && tensor.dims() == input.dims());
    if suits { Native::of(&input.device()) } else { None }
}

impl AfterNorm {
    /// The same by Burn's own operations.
    fn with_burn(self, mut output: Tensor<4>) -> Tensor<4> {
        if let Some(residual) = self.residual {
            output = output + residual;
        }
        activate_with_burn(output, self.activation)
    }
}
