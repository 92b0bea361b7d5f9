//! A layer with a weight, and the activation and pooling after it, forward and backward on a CPU backend's tensors.

use std::sync::Arc;

use super::native_floats::{NativeFloats, checked, dims};
use crate::cpu::{ConvShape, Engine, FusedActivation, OutputGradient, Pooled, Wanted};
use crate::operation::{Block, Layer, Pool};

impl Layer {
    /// The layer's input, or a gradient, with its values in the order of the kernels.
    fn arrange<B: NativeFloats>(self, tensor: B::FloatTensorPrimitive) -> B::FloatTensorPrimitive {
        match self {
            Self::Conv2d { .. } => B::to_nhwc(tensor),
            Self::Linear => B::to_contiguous(tensor),
        }
    }

    /// A tensor of values in the order of the kernels.
    fn tensor<B: NativeFloats>(self, values: Vec<f32>, nchw: [usize; 4]) -> B::FloatTensorPrimitive {
        match self {
            Self::Conv2d { .. } => B::from_nhwc(values, nchw),
            Self::Linear => B::from_values(values, &nchw[..2]),
        }
    }
}

/// What a block keeps for its backward pass.
#[derive(Clone, Debug)]
pub(crate) struct Saved<B: NativeFloats> {
    layer: Layer,
    shape: ConvShape,
    input: B::FloatTensorPrimitive,
    weight: B::FloatTensorPrimitive,
    post_op: PostOp<B>,
}

/// What is fused with the layer, as its gradient needs it.
#[derive(Clone, Debug)]
enum PostOp<B: NativeFloats> {
    None,
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

/// Run a block and keep what its backward pass needs; the callers have checked shapes and types.
pub(crate) fn forward<B: NativeFloats>(
    input: B::FloatTensorPrimitive,
    weight: B::FloatTensorPrimitive,
    bias: Option<B::FloatTensorPrimitive>,
    block: Block,
) -> (B::FloatTensorPrimitive, Saved<B>) {
    let shape = block.shape(dims::<B>(&input), dims::<B>(&weight));
    let Block { layer, activation } = block;
    let (input, weight) = (layer.arrange::<B>(input), B::to_contiguous(weight));
    let bias = bias.map(B::to_contiguous);
    let engine = Engine::current();
    let (x, w, b) = (B::values(&input), B::values(&weight), bias.as_ref().map(B::values));
    let [height, width] = shape.output();
    let (output, post_op) = if let Layer::Conv2d { pool: Pool::Max2x2, .. } = layer {
        let Pooled { values, codes } = checked(engine.forward_pooled(&shape, x, w, b, activation));
        let output = layer.tensor::<B>(values, [shape.batch, shape.out_channels, height / 2, width / 2]);
        (output, PostOp::Pool(Arc::new(codes)))
    } else {
        let values = checked(engine.forward(&shape, x, w, b, activation));
        let output = layer.tensor::<B>(values, [shape.batch, shape.out_channels, height, width]);
        let post_op = match activation {
            FusedActivation::None => PostOp::None,
            FusedActivation::Relu => PostOp::Relu(output.clone()),
        };
        (output, post_op)
    };
    (output, Saved { layer, shape, input, weight, post_op })
}

/// The wanted gradients of a block's tensors, given that of its result.
pub(crate) fn backward<B: NativeFloats>(
    saved: &Saved<B>,
    gradient: B::FloatTensorPrimitive,
    wanted: Wanted,
) -> Gradients<B> {
    let Saved { layer, shape, input, weight, post_op } = saved;
    let gradient = layer.arrange::<B>(gradient);
    let gradient = B::values(&gradient);
    let gradient = match post_op {
        PostOp::None => OutputGradient::Plain(gradient),
        PostOp::Relu(results) => OutputGradient::AfterRelu(gradient, B::values(results)),
        PostOp::Pool(codes) => OutputGradient::Pooled(gradient, codes),
    };
    let engine = Engine::current();
    let [height, width] = shape.input;
    let (x, w) = (B::values(input), B::values(weight));
    let (of_input, parameters) = checked(engine.gradients(shape, x, w, gradient, wanted));
    let of_input =
        of_input.map(|values| layer.tensor::<B>(values, [shape.batch, shape.in_channels, height, width]));
    let [kernel_height, kernel_width] = shape.kernel;
    let weight_dims: &[usize] = match layer {
        Layer::Conv2d { .. } => &[shape.out_channels, shape.group_in(), kernel_height, kernel_width],
        Layer::Linear => &[shape.in_channels, shape.out_channels],
    };
    let (weight, bias) = match parameters {
        Some(parameters) => (
            Some(B::from_values(parameters.weight, weight_dims)),
            parameters.bias.map(|bias| B::from_values(bias, &[shape.out_channels])),
        ),
        None => (None, None),
    };
    Gradients { input: of_input, weight, bias }
}
