//! The backward pass of the kernels' operations, registered with Burn's autodiff.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;

use super::block::{Saved, backward, forward};
use super::{KernelBackend, NativeFloats, pooling};
use crate::functional::Block;
use crate::pooling::Pooling;

/// A convolution block's step in the graph; parents: input, weight.
#[derive(Debug)]
struct BlockStep;

/// As [`BlockStep`]; parents: input, weight, bias.
#[derive(Debug)]
struct BlockWithBiasStep;

impl<B: NativeFloats> Backward<B, 2> for BlockStep {
    type State = Saved<B>;

    fn backward(self, ops: Ops<Saved<B>, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let [input, weight] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let found = backward::<B>(&ops.state, gradient, [input.is_some(), weight.is_some()]);
        for (node, gradient) in [(input, found.input), (weight, found.weight)] {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                gradients.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: NativeFloats> Backward<B, 3> for BlockWithBiasStep {
    type State = Saved<B>;

    fn backward(self, ops: Ops<Saved<B>, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let [input, weight, bias] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let wanted = [input.is_some(), weight.is_some() || bias.is_some()];
        let found = backward::<B>(&ops.state, gradient, wanted);
        for (node, gradient) in [(input, found.input), (weight, found.weight), (bias, found.bias)] {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                gradients.register::<B>(node.id, gradient);
            }
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
}
