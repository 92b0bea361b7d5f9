//! The backward pass of the kernels' operations, registered with Burn's autodiff.

use burn::backend::Autodiff;
use burn::backend::AutodiffBackend;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;

use super::block::{Saved, backward, forward};
use super::kernel_backend::KernelBackend;
use super::native_floats::NativeFloats;
use super::{activation, batch_norm, cross_entropy, layer_norm, pooling, scale};
use crate::cpu::{Activation, Parameters, Wanted};
use crate::operation::{Block, Classes, Norm, Pooling};

/// A convolution block's step in the graph; parents: input, weight.
#[derive(Debug)]
struct BlockStep;

/// As [`BlockStep`]; parents: input, weight, bias.
#[derive(Debug)]
struct BlockWithBiasStep;

impl<B: NativeFloats> Backward<B, 2> for BlockStep {
    type State = Saved<B>;

    fn backward(self, ops: Ops<Saved<B>, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        block_backward(ops, gradients);
    }
}

impl<B: NativeFloats> Backward<B, 3> for BlockWithBiasStep {
    type State = Saved<B>;

    fn backward(self, ops: Ops<Saved<B>, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        block_backward(ops, gradients);
    }
}

/// Registers the gradients of a block's parents, in their order, where they are wanted.
fn block_backward<B: NativeFloats, const N: usize>(ops: Ops<Saved<B>, N>, gradients: &mut Gradients) {
    let gradient = gradients.consume::<B>(&ops.node);
    let is_wanted = |parent: usize| ops.parents.get(parent).is_some_and(Option::is_some);
    let parameters = match (is_wanted(1), is_wanted(2)) {
        (_, true) => Some(Parameters::WeightAndBias),
        (true, false) => Some(Parameters::Weight),
        (false, false) => None,
    };
    let found = backward::<B>(&ops.state, gradient, Wanted { input: is_wanted(0), parameters });
    for (node, gradient) in ops.parents.into_iter().zip([found.input, found.weight, found.bias]) {
        if let (Some(node), Some(gradient)) = (node, gradient) {
            gradients.register::<B>(node.id, gradient);
        }
    }
}

/// A step in the graph that changes the order of values in memory alone.
#[derive(Debug)]
struct ReorderStep;

impl<B: NativeFloats> Backward<B, 1> for ReorderStep {
    type State = ();

    fn backward(self, ops: Ops<(), 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let [input] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        if let Some(node) = input {
            gradients.register::<B>(node.id, gradient);
        }
    }
}

/// A pooling's step in the graph.
#[derive(Debug)]
struct PoolingStep;

impl<B: NativeFloats> Backward<B, 1> for PoolingStep {
    type State = pooling::Saved;

    fn backward(self, ops: Ops<pooling::Saved, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let [input] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        if let Some(node) = input {
            gradients.register::<B>(node.id, pooling::backward::<B>(&ops.state, gradient));
        }
    }
}

/// The loss's step in the graph.
#[derive(Debug)]
struct CrossEntropyStep;

impl<B: NativeFloats> Backward<B, 1> for CrossEntropyStep {
    type State = cross_entropy::Saved;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let [logits] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        if let Some(node) = logits {
            gradients.register::<B>(node.id, cross_entropy::backward::<B>(&ops.state, gradient));
        }
    }
}

/// A normalisation's step in the graph; parents: input, weight, bias.
#[derive(Debug)]
struct NormStep;

/// As [`NormStep`]; parents: input, weight, bias, what is added.
#[derive(Debug)]
struct NormAddStep;

impl<B: NativeFloats> Backward<B, 3> for NormStep {
    type State = batch_norm::Saved<B>;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        norm_backward(ops, gradients);
    }
}

impl<B: NativeFloats> Backward<B, 4> for NormAddStep {
    type State = batch_norm::Saved<B>;

    fn backward(self, ops: Ops<Self::State, 4>, gradients: &mut Gradients, _: &mut Checkpointer) {
        norm_backward(ops, gradients);
    }
}

/// Registers the gradients of a normalisation's parents, in their order, where they are wanted.
fn norm_backward<B: NativeFloats, const N: usize>(
    ops: Ops<batch_norm::Saved<B>, N>,
    gradients: &mut Gradients,
) {
    let gradient = gradients.consume::<B>(&ops.node);
    let with_residual = ops.parents.get(3).is_some_and(Option::is_some);
    let found = batch_norm::backward::<B>(&ops.state, gradient, with_residual);
    let found = [Some(found.input), Some(found.weight), Some(found.bias), found.residual];
    for (node, gradient) in ops.parents.into_iter().zip(found) {
        if let (Some(node), Some(gradient)) = (node, gradient) {
            gradients.register::<B>(node.id, gradient);
        }
    }
}

impl<B: KernelBackend + NativeFloats, C: CheckpointStrategy> KernelBackend for Autodiff<B, C> {
    fn kernel_block(input: FloatTensor<Self>, weight: FloatTensor<Self>, block: Block) -> FloatTensor<Self> {
        let ((input, input_node), (weight, weight_node)) = (input.into_parts(), weight.into_parts());
        match BlockStep.prepare::<C>([input_node, weight_node]).compute_bound().stateful() {
            OpsKind::Tracked(step) => {
                let (output, saved) = forward::<B>(input, weight, None, block);
                step.finish(saved, output)
            }
            OpsKind::UnTracked(step) => step.finish(B::kernel_block(input, weight, block)),
        }
    }

    fn kernel_block_with_bias(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        block: Block,
    ) -> FloatTensor<Self> {
        let ((input, input_node), (weight, weight_node)) = (input.into_parts(), weight.into_parts());
        let (bias, bias_node) = bias.into_parts();
        match BlockWithBiasStep.prepare::<C>([input_node, weight_node, bias_node]).compute_bound().stateful()
        {
            OpsKind::Tracked(step) => {
                let (output, saved) = forward::<B>(input, weight, Some(bias), block);
                step.finish(saved, output)
            }
            OpsKind::UnTracked(step) => step.finish(B::kernel_block_with_bias(input, weight, bias, block)),
        }
    }

    fn kernel_to_nchw(input: FloatTensor<Self>) -> FloatTensor<Self> {
        let (input, node) = input.into_parts();
        let output = B::kernel_to_nchw(input);
        match Backward::<B, 1>::prepare::<C>(ReorderStep, [node]).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((), output),
            OpsKind::UnTracked(step) => step.finish(output),
        }
    }

    fn kernel_activation(input: FloatTensor<Self>, function: Activation) -> FloatTensor<Self> {
        activation::tracked::<B, C>(input, function)
    }

    fn kernel_layer_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
    ) -> FloatTensor<Self> {
        layer_norm::tracked::<B, C>(input, weight, bias, eps)
    }

    fn kernel_scale(input: FloatTensor<Self>, factors: FloatTensor<Self>) -> FloatTensor<Self> {
        scale::tracked::<B, C>(input, factors)
    }

    fn kernel_scale_add(
        input: FloatTensor<Self>,
        factors: FloatTensor<Self>,
        added: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        scale::tracked_add::<B, C>(input, factors, added)
    }

    fn kernel_pooling(input: FloatTensor<Self>, pooling: Pooling) -> FloatTensor<Self> {
        let (input, node) = input.into_parts();
        match Backward::<B, 1>::prepare::<C>(PoolingStep, [node]).compute_bound().stateful() {
            OpsKind::Tracked(step) => {
                let (output, saved) = pooling::forward::<B>(input, pooling);
                step.finish(saved, output)
            }
            OpsKind::UnTracked(step) => step.finish(B::kernel_pooling(input, pooling)),
        }
    }

    fn kernel_cross_entropy(logits: FloatTensor<Self>, classes: Classes) -> FloatTensor<Self> {
        let (logits, node) = logits.into_parts();
        match Backward::<B, 1>::prepare::<C>(CrossEntropyStep, [node]).compute_bound().stateful() {
            OpsKind::Tracked(step) => {
                let (loss, saved) = cross_entropy::forward::<B>(logits, classes);
                step.finish(saved, loss)
            }
            OpsKind::UnTracked(step) => step.finish(B::kernel_cross_entropy(logits, classes)),
        }
    }

    fn kernel_scaled_sum(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        [alpha, beta]: [f32; 2],
    ) -> FloatTensor<Self> {
        let scaled = |tensor, factor: f32| Self::float_mul_scalar(tensor, factor.into());
        Self::float_add(scaled(a, alpha), scaled(b, beta))
    }

    fn kernel_two_scaled_sums(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        [alpha, beta, gamma, delta]: [f32; 4],
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let b = Self::kernel_scaled_sum(b, c, [beta, gamma]);
        (b.clone(), Self::kernel_scaled_sum(a, b, [alpha, delta]))
    }

    fn kernel_l2_norm(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_sqrt(Self::float_sum(Self::float_powi_scalar(tensor, 2.into())))
    }

    fn kernel_statistics(input: FloatTensor<Self>) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (mean, variance) = B::kernel_statistics(input.into_parts().0);
        (Self::from_inner(mean), Self::from_inner(variance))
    }

    fn kernel_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        norm: Norm,
    ) -> FloatTensor<Self> {
        let ((input, input_node), (weight, weight_node)) = (input.into_parts(), weight.into_parts());
        let (bias, bias_node) = bias.into_parts();
        let parameters = [weight, bias, mean.into_parts().0, variance.into_parts().0];
        let nodes = [input_node, weight_node, bias_node];
        let (output, saved) = batch_norm::forward::<B>(input, parameters, None, norm);
        match Backward::<B, 3>::prepare::<C>(NormStep, nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish(saved, output),
            OpsKind::UnTracked(step) => step.finish(output),
        }
    }

    fn kernel_norm_add(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        norm: Norm,
    ) -> FloatTensor<Self> {
        let ((input, input_node), (weight, weight_node)) = (input.into_parts(), weight.into_parts());
        let ((bias, bias_node), (residual, residual_node)) = (bias.into_parts(), residual.into_parts());
        let parameters = [weight, bias, mean.into_parts().0, variance.into_parts().0];
        let nodes = [input_node, weight_node, bias_node, residual_node];
        let (output, saved) = batch_norm::forward::<B>(input, parameters, Some(residual), norm);
        match Backward::<B, 4>::prepare::<C>(NormAddStep, nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish(saved, output),
            OpsKind::UnTracked(step) => step.finish(output),
        }
    }
}
