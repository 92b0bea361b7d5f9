//! Batch normalisation on Burn's tensors: chooses between the kernels and Burn's own operations.

use burn::tensor::activation::relu;
use burn::tensor::module::{batch_norm as burn_batch_norm, batch_norm_train as burn_batch_norm_train};
use burn::tensor::{DType, Tensor};

use crate::cpu::Activation;

/// What follows a normalisation, in this order.
#[derive(Clone, Debug, Default)]
pub struct AfterNorm {
    /// Added to the normalised values, `[n, c, h, w]`.
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

/// A normalisation: everything but its tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Norm {
    pub(crate) eps: f64,
    /// Whether the statistics are the input's own, so that gradients go through them too.
    pub(crate) own_statistics: bool,
    pub(crate) activation: Activation,
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
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if suits(&input_nchw, &[&weight, &bias], after.residual.as_ref()) {
        let (mean, variance) = crate::backend::run_statistics(input_nchw.clone());
        let norm = Norm { eps, own_statistics: true, activation: after.activation };
        let parameters = [weight, bias, mean.clone(), variance.clone()];
        let output = crate::backend::run_norm(input_nchw, parameters, after.residual, norm);
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
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if suits(&input_nchw, &[&weight, &bias, &mean, &variance], after.residual.as_ref()) {
        let norm = Norm { eps, own_statistics: false, activation: after.activation };
        return crate::backend::run_norm(input_nchw, [weight, bias, mean, variance], after.residual, norm);
    }
    after.with_burn(burn_batch_norm(input_nchw, weight, bias, mean, variance, eps))
}

/// Whether the kernels compute a normalisation of these tensors; if not, Burn does, or says what is wrong with them.
#[cfg(any(feature = "flex", feature = "ndarray"))]
fn suits(input: &Tensor<4>, parameters: &[&Tensor<1>], residual: Option<&Tensor<4>>) -> bool {
    let [n, channels, h, w] = input.dims();
    n * channels * h * w > 0
        && input.dtype() == DType::F32
        && parameters.iter().all(|tensor| tensor.dtype() == DType::F32 && tensor.dims() == [channels])
        && residual.is_none_or(|tensor| tensor.dtype() == DType::F32 && tensor.dims() == input.dims())
        && crate::backend::is_native(&input.device())
}

impl AfterNorm {
    /// The same by Burn's own operations.
    fn with_burn(self, mut output: Tensor<4>) -> Tensor<4> {
        if let Some(residual) = self.residual {
            output = output + residual;
        }
        match self.activation {
            Activation::None => output,
            Activation::Relu => relu(output),
        }
    }
}
