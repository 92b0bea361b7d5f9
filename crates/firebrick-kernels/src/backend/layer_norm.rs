//! Layer normalisation of a CPU backend's tensors, and its step in the graph.

use std::sync::Arc;

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;

use super::activation::{arrange, tensor};
use super::kernel_backend::KernelBackend;
use super::native_floats::{NativeFloats, checked};
use crate::cpu::{Engine, LayerNormed};

/// What a normalisation keeps for its backward pass.
#[derive(Clone, Debug)]
pub(crate) struct Saved<B: NativeFloats> {
    input: B::FloatTensorPrimitive,
    weight: B::FloatTensorPrimitive,
    statistics: Arc<Vec<[f32; 2]>>,
}

/// Normalise the channels of each pixel of images, or the rows of a matrix.
pub(crate) fn forward<B: NativeFloats>(
    input: B::FloatTensorPrimitive,
    weight: B::FloatTensorPrimitive,
    bias: B::FloatTensorPrimitive,
    eps: f64,
) -> (B::FloatTensorPrimitive, Saved<B>) {
    let input = arrange::<B>(input);
    let [weight, bias] = [weight, bias].map(B::to_contiguous);
    let [x, w, b] = [&input, &weight, &bias].map(B::values);
    let LayerNormed { values, statistics } = checked(Engine::current().layer_norm(x, w, b, eps));
    let output = tensor::<B>(values, &input);
    (output, Saved { input, weight, statistics: Arc::new(statistics) })
}

/// A normalisation's step in the graph; parents: input, weight, bias.
#[derive(Debug)]
struct Step;

impl<B: NativeFloats> Backward<B, 3> for Step {
    type State = Saved<B>;

    fn backward(self, ops: Ops<Saved<B>, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = arrange::<B>(gradients.consume::<B>(&ops.node));
        let Saved { input, weight, statistics } = &ops.state;
        let [g, x, w] = [&gradient, input, weight].map(B::values);
        let found = checked(Engine::current().layer_norm_gradient(g, x, statistics, w));
        let channels = [w.len()];
        let parameter = |values| B::from_values(values, &channels);
        let found = [tensor::<B>(found.input, input), parameter(found.weight), parameter(found.bias)];
        for (node, gradient) in ops.parents.into_iter().zip(found) {
            if let Some(node) = node {
                gradients.register::<B>(node.id, gradient);
            }
        }
    }
}

/// As [`forward`] of tensors that may need a gradient.
pub(super) fn tracked<B: KernelBackend + NativeFloats, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    weight: FloatTensor<Autodiff<B, C>>,
    bias: FloatTensor<Autodiff<B, C>>,
    eps: f64,
) -> FloatTensor<Autodiff<B, C>> {
    let ((input, input_node), (weight, weight_node)) = (input.into_parts(), weight.into_parts());
    let (bias, bias_node) = bias.into_parts();
    let (output, saved) = forward::<B>(input, weight, bias, eps);
    let nodes = [input_node, weight_node, bias_node];
    match Backward::<B, 3>::prepare::<C>(Step, nodes).compute_bound().stateful() {
        OpsKind::Tracked(step) => step.finish(saved, output),
        OpsKind::UnTracked(step) => step.finish(output),
    }
}
