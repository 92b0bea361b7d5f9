//! The layers' functions on Burn's tensors: they choose between the kernels and Burn's own operations.

use burn::tensor::module::{conv2d as burn_conv2d, linear as burn_linear, max_pool2d as burn_max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{DType, Device, Tensor};

use crate::backend::Native;
use crate::cpu::Activation;
use crate::elementwise::{activate, activate_with_burn};
use crate::operation::{Block, Conv2dOptions, Layer, Pool, Pool2dOptions};
use crate::pooling;

/// Whether the kernels compute the layers of networks on this device. What they make of an image in a batch of so many depends
/// on no other image of it, nor on its place in it, to the bit.
pub fn has_kernels_for(device: &Device) -> bool {
    Native::of(device).is_some()
}

/// Two-dimensional convolution.
///
/// # Shapes
/// `input_nchw` `[n, in, h, w]`, `weight_oihw` `[out, in / groups, kernel_h, kernel_w]`, `bias` `[out]`; the result
/// `[n, out, h', w']`.
///
/// # Source
/// `torch.nn.functional.conv2d`.
pub fn conv2d(
    input_nchw: Tensor<4>,
    weight_oihw: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: Conv2dOptions,
) -> Tensor<4> {
    conv2d_block(input_nchw, weight_oihw, bias, options, Activation::None, Pool::None)
}

/// Convolution, activation and pooling as one operation, which saves passes over memory.
///
/// # Shapes
/// As [`conv2d`]; pooling halves the result's height and width, rounded down.
///
/// # Source
/// `max_pool2d(relu(conv2d(input)), 2)` in torch.
pub fn conv2d_block(
    input_nchw: Tensor<4>,
    weight_oihw: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: Conv2dOptions,
    activation: Activation,
    pool: Pool,
) -> Tensor<4> {
    let Some(fused) = activation.fused() else {
        let output = conv2d_block(input_nchw, weight_oihw, bias, options, Activation::None, Pool::None);
        let output = activate(output, activation);
        return match pool {
            Pool::None => output,
            Pool::Max2x2 => pooling::max_pool2d(output, Pool2dOptions::new(2)),
        };
    };
    let [_, in_channels, ..] = input_nchw.dims();
    let is_depthwise = options.groups > 1 && [in_channels, weight_oihw.dims()[0]] == [options.groups; 2];
    if is_depthwise && pool == Pool::Max2x2 {
        // Its kernels have no pooling; they are much faster all the same.
        let output = conv2d_block(input_nchw, weight_oihw, bias, options, activation, Pool::None);
        return pooling::max_pool2d(output, Pool2dOptions::new(2));
    }
    let block = Block { layer: Layer::Conv2d { options, pool }, activation: fused };
    if let Some(native) = native_for(&block, &input_nchw, &weight_oihw, bias.as_ref()) {
        return native.block(input_nchw, weight_oihw, bias, block);
    }
    let Conv2dOptions { stride, padding, extra_padding, dilation, groups } = options;
    let input_nchw = match extra_padding {
        [0, 0] => input_nchw,
        [bottom, right] => input_nchw.pad((0, right, 0, bottom), 0.0),
    };
    let options = ConvOptions::new(stride, padding, dilation, groups);
    let output = activate_with_burn(burn_conv2d(input_nchw, weight_oihw, bias, options), activation);
    match pool {
        Pool::None => output,
        Pool::Max2x2 => burn_max_pool2d(output, MaxPoolOptions::new([2, 2])),
    }
}

/// `activation(input weight + bias)` as one operation.
///
/// # Shapes
/// `input` `[n, in]`, `weight` `[in, out]` as Burn's `Linear` has it, `bias` `[out]`; the result `[n, out]`.
///
/// # Source
/// `torch.nn.functional.linear`, whose weight is the transpose.
pub fn linear(
    input: Tensor<2>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<2> {
    let Some(fused) = activation.fused() else {
        return activate(linear(input, weight, bias, Activation::None), activation);
    };
    let block = Block { layer: Layer::Linear, activation: fused };
    if let Some(native) = native_for(&block, &input, &weight, bias.as_ref()) {
        return native.block(input, weight, bias, block);
    }
    activate_with_burn(burn_linear(input, weight, bias), activation)
}

/// Images as rows of features.
///
/// # Shapes
/// `input_nchw` `[n, c, h, w]`, the result `[n, c * h * w]`.
///
/// # Source
/// `torch.flatten(input, 1)`.
pub fn flatten(input_nchw: Tensor<4>) -> Tensor<2> {
    let native = if input_nchw.dtype() == DType::F32 { Native::of(&input_nchw.device()) } else { None };
    let input_nchw = match native {
        Some(native) => native.to_nchw(input_nchw),
        None => input_nchw,
    };
    input_nchw.flatten(1, 3)
}

/// One value for two uses, as at a residual connection: on the kernels' devices the gradients that come back from both are
/// then added in the order in which they lie in memory, which is several times faster than across it.
///
/// # Shapes
/// All NCHW.
pub fn used_twice(x_nchw: Tensor<4>) -> [Tensor<4>; 2] {
    if Native::of(&x_nchw.device()).is_some() {
        // Views: nothing is copied. The gradients meet at the one that has the memory's order.
        let x_nhwc = x_nchw.permute([0, 2, 3, 1]);
        return [x_nhwc.clone(), x_nhwc].map(|x| x.permute([0, 3, 1, 2]));
    }
    [x_nchw.clone(), x_nchw]
}

/// The device, if the kernels compute this block for these tensors; if not, Burn does, or says what is wrong with them.
fn native_for<const D: usize>(
    block: &Block,
    input: &Tensor<D>,
    weight: &Tensor<D>,
    bias: Option<&Tensor<1>>,
) -> Option<Native> {
    let floats = [Some(input.dtype()), Some(weight.dtype()), bias.map(Tensor::dtype)];
    let [of_input, of_weight] = [input, weight].map(dims);
    let shape = block.shape(of_input, of_weight);
    let summed = match block.layer {
        Layer::Conv2d { .. } => of_weight[1],
        Layer::Linear => of_weight[0],
    };
    let pools = match block.layer {
        Layer::Conv2d { pool: Pool::Max2x2, .. } => {
            shape.validate().is_ok() && shape.output().iter().all(|size| *size >= 2)
        }
        _ => true,
    };
    let suits = floats.into_iter().flatten().all(|dtype| dtype == DType::F32)
        && shape.validate().is_ok()
        && of_input[1] == summed * shape.groups
        && bias.is_none_or(|bias| bias.dims() == [shape.out_channels])
        && pools;
    if suits { Native::of(&input.device()) } else { None }
}

/// The first four dimensions, 1 for those that are not there.
fn dims<const D: usize>(tensor: &Tensor<D>) -> [usize; 4] {
    let dims = tensor.dims();
    std::array::from_fn(|axis| dims.get(axis).copied().unwrap_or(1))
}
