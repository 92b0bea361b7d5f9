//! A CPU backend's images times factors, and its steps in the graph.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;

use super::kernel_backend::KernelBackend;
use super::native_floats::{NativeFloats, checked, dims};
use crate::cpu::{Engine, ScaleShape};

/// What a scaling keeps for its backward pass.
#[derive(Clone, Debug)]
pub(crate) struct Saved<B: NativeFloats> {
    shape: ScaleShape,
    /// If the factors need a gradient.
    input: Option<B::FloatTensorPrimitive>,
    factors: B::FloatTensorPrimitive,
}

/// `input * factors + added`; factors are `[n or 1, c or 1, 1, 1]`.
pub(crate) fn forward<B: NativeFloats>(
    input: B::FloatTensorPrimitive,
    factors: B::FloatTensorPrimitive,
    added: Option<B::FloatTensorPrimitive>,
) -> (B::FloatTensorPrimitive, Saved<B>) {
    let nchw = dims::<B>(&input);
    let [batch, channels, height, width] = nchw;
    let [images, own_channels, ..] = dims::<B>(&factors);
    // A single image or channel may be taken either way.
    let (by_image, by_channel) = (images > 1, own_channels > 1);
    let shape = ScaleShape { batch, pixels: height * width, channels, by_image, by_channel };
    let (input, factors, added) = (B::to_nhwc(input), B::to_contiguous(factors), added.map(B::to_nhwc));
    let (x, f) = (B::values(&input), B::values(&factors));
    let values = checked(Engine::current().scale(&shape, x, f, added.as_ref().map(B::values)));
    (B::from_nhwc(values, nchw), Saved { shape, input: Some(input), factors })
}

/// Gradients of input and factors, those that are wanted.
fn backward<B: NativeFloats>(
    saved: &Saved<B>,
    gradient: B::FloatTensorPrimitive,
    wanted: [bool; 2],
) -> [Option<B::FloatTensorPrimitive>; 2] {
    let Saved { shape, input, factors } = saved;
    let nchw = dims::<B>(&gradient);
    let gradient = B::to_nhwc(gradient);
    let (engine, g) = (Engine::current(), B::values(&gradient));
    let of_input =
        wanted[0].then(|| B::from_nhwc(checked(engine.scale(shape, g, B::values(factors), None)), nchw));
    let of_factors = match (wanted[1], input) {
        (true, Some(input)) => {
            let values = checked(engine.scale_gradient(shape, g, B::values(input)));
            Some(B::from_values(values, &dims::<B>(factors)))
        }
        _ => None,
    };
    [of_input, of_factors]
}

/// A scaling's step in the graph; parents: input, factors.
#[derive(Debug)]
struct Step;

/// The same where something is added; parents: input, what is added. The factors get no gradient.
#[derive(Debug)]
struct AddStep;

impl<B: NativeFloats> Backward<B, 2> for Step {
    type State = Saved<B>;

    fn backward(self, ops: Ops<Saved<B>, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let wanted = [0, 1].map(|parent: usize| ops.parents[parent].is_some());
        let found = backward::<B>(&ops.state, gradient, wanted);
        for (node, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                gradients.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: NativeFloats> Backward<B, 2> for AddStep {
    type State = Saved<B>;

    fn backward(self, ops: Ops<Saved<B>, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let [input, added] = ops.parents;
        if let Some(node) = input
            && let [Some(of_input), _] = backward::<B>(&ops.state, gradient.clone(), [true, false])
        {
            gradients.register::<B>(node.id, of_input);
        }
        if let Some(node) = added {
            gradients.register::<B>(node.id, gradient);
        }
    }
}

/// `input * factors` of tensors that may need a gradient.
pub(super) fn tracked<B: KernelBackend + NativeFloats, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    factors: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let ((input, input_node), (factors, factors_node)) = (input.into_parts(), factors.into_parts());
    let (output, saved) = forward::<B>(input, factors, None);
    match Backward::<B, 2>::prepare::<C>(Step, [input_node, factors_node]).compute_bound().stateful() {
        OpsKind::Tracked(step) => step.finish(saved, output),
        OpsKind::UnTracked(step) => step.finish(output),
    }
}

/// `input * factors + added` of tensors that may need a gradient.
pub(super) fn tracked_add<B: KernelBackend + NativeFloats, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    factors: FloatTensor<Autodiff<B, C>>,
    added: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let ((input, input_node), (added, added_node)) = (input.into_parts(), added.into_parts());
    let (output, saved) = forward::<B>(input, factors.into_parts().0, Some(added));
    let saved = Saved { input: None, ..saved };
    match Backward::<B, 2>::prepare::<C>(AddStep, [input_node, added_node]).compute_bound().stateful() {
        OpsKind::Tracked(step) => step.finish(saved, output),
        OpsKind::UnTracked(step) => step.finish(output),
    }
}
