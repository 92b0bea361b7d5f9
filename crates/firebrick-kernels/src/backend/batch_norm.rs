//! Forward and backward pass of batch normalisation on a CPU backend's tensors.

use super::native_floats::{NativeFloats, checked, dims};
use crate::cpu::{Activation, Engine, NormSaved, Normalisation};
use crate::operation::Norm;

/// What a normalisation keeps for its backward pass.
#[derive(Clone, Debug)]
pub(crate) struct Saved<B: NativeFloats> {
    norm: Norm,
    input: B::FloatTensorPrimitive,
    weight: B::FloatTensorPrimitive,
    mean: B::FloatTensorPrimitive,
    variance: B::FloatTensorPrimitive,
    bias: B::FloatTensorPrimitive,
    /// The activation's results, where something was added before it.
    results: Option<B::FloatTensorPrimitive>,
}

/// Weight, bias, mean and variance, each `[channels]`.
pub(crate) type Parameters<B> = [<B as burn::backend::BackendTypes>::FloatTensorPrimitive; 4];

/// Gradients of a normalisation's tensors.
pub(crate) struct Gradients<B: NativeFloats> {
    pub(crate) input: B::FloatTensorPrimitive,
    pub(crate) weight: B::FloatTensorPrimitive,
    pub(crate) bias: B::FloatTensorPrimitive,
    pub(crate) residual: Option<B::FloatTensorPrimitive>,
}

/// Mean and biased variance of every channel.
pub(crate) fn statistics<B: NativeFloats>(
    input: B::FloatTensorPrimitive,
) -> (B::FloatTensorPrimitive, B::FloatTensorPrimitive) {
    let [_, channels, _, _] = dims::<B>(&input);
    let input = B::to_nhwc(input);
    let found = checked(Engine::current().channel_statistics(channels, B::values(&input)));
    (B::from_values(found.mean, &[channels]), B::from_values(found.variance, &[channels]))
}

/// Normalise and keep what the backward pass needs; the callers have checked shapes and types.
pub(crate) fn forward<B: NativeFloats>(
    input: B::FloatTensorPrimitive,
    parameters: Parameters<B>,
    residual: Option<B::FloatTensorPrimitive>,
    norm: Norm,
) -> (B::FloatTensorPrimitive, Saved<B>) {
    let shape = dims::<B>(&input);
    let (input, residual) = (B::to_nhwc(input), residual.map(B::to_nhwc));
    let [weight, bias, mean, variance] = parameters.map(B::to_contiguous);
    let by = normalisation::<B>(&weight, &mean, &variance, norm);
    let added = residual.as_ref().map(B::values);
    let values = Engine::current().normalise(B::values(&input), by, B::values(&bias), added, norm.activation);
    let output = B::from_nhwc(checked(values), shape);
    let results = (residual.is_some() && norm.activation != Activation::None).then(|| output.clone());
    (output, Saved { norm, input, weight, mean, variance, bias, results })
}

/// The gradients of a normalisation's tensors, given that of its result.
pub(crate) fn backward<B: NativeFloats>(
    saved: &Saved<B>,
    gradient: B::FloatTensorPrimitive,
    with_residual: bool,
) -> Gradients<B> {
    let Saved { norm, input, weight, mean, variance, bias, results } = saved;
    let shape = dims::<B>(input);
    let gradient = B::to_nhwc(gradient);
    let kept = NormSaved {
        input: B::values(input),
        activation: norm.activation,
        bias: B::values(bias),
        results: results.as_ref().map(B::values),
        own_statistics: norm.own_statistics,
        residual: with_residual,
    };
    let by = normalisation::<B>(weight, mean, variance, *norm);
    let found = checked(Engine::current().normalise_gradient(B::values(&gradient), kept, by));
    Gradients {
        input: B::from_nhwc(found.input, shape),
        weight: B::from_values(found.weight, &[shape[1]]),
        bias: B::from_values(found.bias, &[shape[1]]),
        residual: found.residual.map(|values| B::from_nhwc(values, shape)),
    }
}

fn normalisation<'a, B: NativeFloats>(
    weight: &'a B::FloatTensorPrimitive,
    mean: &'a B::FloatTensorPrimitive,
    variance: &'a B::FloatTensorPrimitive,
    norm: Norm,
) -> Normalisation<'a> {
    Normalisation {
        mean: B::values(mean),
        variance: B::values(variance),
        weight: B::values(weight),
        eps: norm.eps,
    }
}
