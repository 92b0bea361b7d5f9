//! Forward and backward pass of a convolution block on a CPU backend's tensors.

use std::sync::Arc;

use super::{NativeFloats, dims};
use crate::cpu::{Activation, ConvShape, Engine, OutputGradient, Pooled};
use crate::functional::{Block, Pool};

/// What a block keeps for its backward pass.
#[derive(Clone, Debug)]
pub(crate) struct Saved<B: NativeFloats> {
    shape: ConvShape,
    input: B::FloatTensorPrimitive,
    weight: B::FloatTensorPrimitive,
    behind: Behind<B>,
}

/// What lies between the convolution and the block's results.
#[derive(Clone, Debug)]
enum Behind<B: NativeFloats> {
    Nothing,
    /// ReLU's results.
    Relu(B::FloatTensorPrimitive),
    /// Which pixel of each window was the largest.
    Pool(Arc<Vec<f32>>),
}

/// Gradients of a block's tensors, those that were wanted.
pub(crate) struct Gradients<B: NativeFloats> {
    pub(crate) input: Option<B::FloatTensorPrimitive>,
    pub(crate) weight: Option<B::FloatTensorPrimitive>,
    pub(crate) bias: Option<B::FloatTensorPrimitive>,
}

/// Run a block and keep what its backward pass needs.
///
/// The callers have checked shapes and types, so that the kernels refuse nothing; if they did, the
/// result would be empty and its first use fail.
pub(crate) fn forward<B: NativeFloats>(
    input: B::FloatTensorPrimitive,
    weight: B::FloatTensorPrimitive,
    bias: Option<B::FloatTensorPrimitive>,
    block: Block,
) -> (B::FloatTensorPrimitive, Saved<B>) {
    let shape = block.shape(dims::<B>(&input), dims::<B>(&weight));
    let (input, weight) = (B::to_nhwc(input), B::to_contiguous(weight));
    let bias = bias.map(B::to_contiguous);
    let engine = Engine::current();
    let (x, w, b) = (B::values(&input), B::values(&weight), bias.as_ref().map(B::values));
    let [height, width] = shape.output();
    let (output, behind) = match block.pool {
        Pool::None => {
            let values = engine.forward(&shape, x, w, b, block.activation).unwrap_or_default();
            let output = B::from_nhwc(values, [shape.batch, shape.out_channels, height, width]);
            let behind = match block.activation {
                Activation::None => Behind::Nothing,
                Activation::Relu => Behind::Relu(output.clone()),
            };
            (output, behind)
        }
        Pool::Max2x2 => {
            let Pooled { values, codes } =
                engine.forward_pooled(&shape, x, w, b, block.activation).unwrap_or_default();
            let output = B::from_nhwc(values, [shape.batch, shape.out_channels, height / 2, width / 2]);
            (output, Behind::Pool(Arc::new(codes)))
        }
    };
    (output, Saved { shape, input, weight, behind })
}

/// The gradients of a block's tensors, given that of its result; `wanted` in the order input, weight or bias.
pub(crate) fn backward<B: NativeFloats>(
    saved: &Saved<B>,
    gradient: B::FloatTensorPrimitive,
    wanted: [bool; 2],
) -> Gradients<B> {
    let Saved { shape, input, weight, behind } = saved;
    let gradient = B::to_nhwc(gradient);
    let gradient = B::values(&gradient);
    let gradient = match behind {
        Behind::Nothing => OutputGradient::Plain(gradient),
        Behind::Relu(results) => OutputGradient::AfterRelu(gradient, B::values(results)),
        Behind::Pool(codes) => OutputGradient::Pooled(gradient, codes),
    };
    let engine = Engine::current();
    let [height, width] = shape.input;
    let (x, w) = (B::values(input), B::values(weight));
    let (of_input, parameters) = engine.gradients(shape, x, w, gradient, wanted).unwrap_or_default();
    let of_input =
        of_input.map(|values| B::from_nhwc(values, [shape.batch, shape.in_channels, height, width]));
    let [kernel_height, kernel_width] = shape.kernel;
    let weight_dims = [shape.out_channels, shape.group_in(), kernel_height, kernel_width];
    let (weight, bias) = match parameters {
        Some(parameters) => (
            Some(B::from_values(parameters.weight, &weight_dims)),
            Some(B::from_values(parameters.bias, &[shape.out_channels])),
        ),
        None => (None, None),
    };
    Gradients { input: of_input, weight, bias }
}
