//! Activation functions of a CPU backend's tensors, and their step in the graph.

use burn::backend::Autodiff;
use burn::backend::TensorMetadata;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;

use super::kernel_backend::KernelBackend;
use super::native_floats::{NativeFloats, checked, dims};
use crate::cpu::{Activation, Engine};

/// What an activation keeps for its backward pass.
#[derive(Clone, Debug)]
pub(crate) struct Saved<B: NativeFloats> {
    activation: Activation,
    input: B::FloatTensorPrimitive,
}

/// The same tensor with its values in the order of the kernels: images NHWC.
pub(super) fn arrange<B: NativeFloats>(tensor: B::FloatTensorPrimitive) -> B::FloatTensorPrimitive {
    if tensor.shape().num_dims() == 4 { B::to_nhwc(tensor) } else { B::to_contiguous(tensor) }
}

/// A tensor of values in that order, in the shape of `like`.
pub(super) fn tensor<B: NativeFloats>(
    values: Vec<f32>,
    like: &B::FloatTensorPrimitive,
) -> B::FloatTensorPrimitive {
    let shape = like.shape();
    match shape.num_dims() {
        4 => B::from_nhwc(values, dims::<B>(like)),
        _ => B::from_values(values, &shape.iter().copied().collect::<Vec<_>>()),
    }
}

/// The function of every value, and what its backward pass needs.
pub(crate) fn forward<B: NativeFloats>(
    input: B::FloatTensorPrimitive,
    activation: Activation,
) -> (B::FloatTensorPrimitive, Saved<B>) {
    let input = arrange::<B>(input);
    let values = Engine::current().activate(B::values(&input), activation);
    (tensor::<B>(values, &input), Saved { activation, input })
}

/// The gradient of the input, given that of the result.
fn backward<B: NativeFloats>(saved: &Saved<B>, gradient: B::FloatTensorPrimitive) -> B::FloatTensorPrimitive {
    let Saved { activation, input } = saved;
    let gradient = arrange::<B>(gradient);
    let found = Engine::current().activate_gradient(B::values(&gradient), B::values(input), *activation);
    tensor::<B>(checked(found), input)
}

/// An activation's step in the graph.
#[derive(Debug)]
struct Step;

impl<B: NativeFloats> Backward<B, 1> for Step {
    type State = Saved<B>;

    fn backward(self, ops: Ops<Saved<B>, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let [input] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        if let Some(node) = input {
            gradients.register::<B>(node.id, backward::<B>(&ops.state, gradient));
        }
    }
}

/// The function of every value of a tensor that may need a gradient.
pub(super) fn tracked<B: KernelBackend + NativeFloats, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    activation: Activation,
) -> FloatTensor<Autodiff<B, C>> {
    let (input, node) = input.into_parts();
    match Backward::<B, 1>::prepare::<C>(Step, [node]).compute_bound().stateful() {
        OpsKind::Tracked(step) => {
            let (output, saved) = forward::<B>(input, activation);
            step.finish(saved, output)
        }
        OpsKind::UnTracked(step) => step.finish(B::kernel_activation(input, activation)),
    }
}
