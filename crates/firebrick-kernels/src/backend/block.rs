//! A layer with a weight, and the activation and pooling behind it, forward and backward on a CPU backend's tensors.

use std::sync::Arc;

use burn::tensor::{DType, Tensor};

use super::{NativeFloats, dims};
use crate::cpu::{Activation, ConvShape, Engine, OutputGradient, Pooled, Wanted, WeightOrder};
use crate::functional::{Conv2dOptions, Pool};

/// Everything about a layer with a weight but its tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) layer: Layer,
    pub(crate) activation: Activation,
}

/// The layer before the activation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layer {
    Conv2d { options: Conv2dOptions, pool: Pool },
    Linear,
}

impl Block {
    /// The geometry for tensors of these dimensions; those of a linear layer have two, the others count as one.
    fn shape(&self, input: [usize; 4], weight: [usize; 4]) -> ConvShape {
        let Layer::Conv2d { options, .. } = self.layer else {
            return ConvShape::linear(input[0], weight[0], weight[1]);
        };
        let [batch, in_channels, height, width] = input;
        let [out_channels, _, kernel_height, kernel_width] = weight;
        ConvShape {
            batch,
            in_channels,
            out_channels,
            input: [height, width],
            kernel: [kernel_height, kernel_width],
            stride: options.stride,
            padding: options.padding,
            dilation: options.dilation,
            groups: options.groups,
            order: WeightOrder::OutIn,
        }
    }

    /// Whether the kernels compute this block for these tensors; if not, Burn does, or says what is wrong with them.
    pub(crate) fn suits<const D: usize>(
        &self,
        input: &Tensor<D>,
        weight: &Tensor<D>,
        bias: Option<&Tensor<1>>,
    ) -> bool {
        let floats = [Some(input.dtype()), Some(weight.dtype()), bias.map(Tensor::dtype)];
        let dims = |tensor: &Tensor<D>| tensor.dims().as_slice().to_vec();
        let [of_input, of_weight] = [dims(input), dims(weight)];
        let shape = self.shape(four(&of_input), four(&of_weight));
        let summed = match self.layer {
            Layer::Conv2d { .. } => of_weight[1],
            Layer::Linear => of_weight[0],
        };
        let pools = match self.layer {
            Layer::Conv2d { pool: Pool::Max2x2, .. } => {
                shape.validate().is_ok() && shape.output().iter().all(|size| *size >= 2)
            }
            _ => true,
        };
        floats.into_iter().flatten().all(|dtype| dtype == DType::F32)
            && shape.validate().is_ok()
            && of_input[1] == summed * shape.groups
            && bias.is_none_or(|bias| bias.dims() == [shape.out_channels])
            && pools
            && super::is_native(&input.device())
    }
}

/// The first four dimensions, 1 for those that are not there.
fn four(dims: &[usize]) -> [usize; 4] {
    std::array::from_fn(|axis| dims.get(axis).copied().unwrap_or(1))
}

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
    let Block { layer, activation } = block;
    let (input, weight) = (layer.arrange::<B>(input), B::to_contiguous(weight));
    let bias = bias.map(B::to_contiguous);
    let engine = Engine::current();
    let (x, w, b) = (B::values(&input), B::values(&weight), bias.as_ref().map(B::values));
    let [height, width] = shape.output();
    let (output, behind) = if let Layer::Conv2d { pool: Pool::Max2x2, .. } = layer {
        let Pooled { values, codes } = engine.forward_pooled(&shape, x, w, b, activation).unwrap_or_default();
        let output = layer.tensor::<B>(values, [shape.batch, shape.out_channels, height / 2, width / 2]);
        (output, Behind::Pool(Arc::new(codes)))
    } else {
        let values = engine.forward(&shape, x, w, b, activation).unwrap_or_default();
        let output = layer.tensor::<B>(values, [shape.batch, shape.out_channels, height, width]);
        let behind = match activation {
            Activation::None => Behind::Nothing,
            Activation::Relu => Behind::Relu(output.clone()),
        };
        (output, behind)
    };
    (output, Saved { layer, shape, input, weight, behind })
}

/// The wanted gradients of a block's tensors, given that of its result.
pub(crate) fn backward<B: NativeFloats>(
    saved: &Saved<B>,
    gradient: B::FloatTensorPrimitive,
    wanted: Wanted,
) -> Gradients<B> {
    let Saved { layer, shape, input, weight, behind } = saved;
    let gradient = layer.arrange::<B>(gradient);
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
