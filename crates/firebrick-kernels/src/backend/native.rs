//! The kernels on Burn's tensors, for devices that have them.

#![allow(deprecated)] // `NdArray` is asked for by name; it is gone in Burn 0.23

use std::sync::OnceLock;

use burn::backend::{Dispatch, DispatchDevice};
use burn::tensor::{Device, Tensor};

use super::kernel_backend::KernelBackend;
use crate::cpu::Activation;
use crate::environment::KERNELS_VARIABLE;
use crate::operation::{Block, Classes, Norm, Pooling};

/// Whether this build has a backend whose tensors the kernels can compute.
pub(crate) const IS_COMPILED_IN: bool = true;

/// A device whose tensors the kernels compute: who has one may call them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Native(());

/// Whether tensors on this device are computed by the kernels.
fn is_native(device: &Device) -> bool {
    fn native(device: &DispatchDevice) -> bool {
        match device {
            #[cfg(feature = "flex")]
            DispatchDevice::Flex(_) => true,
            #[cfg(feature = "ndarray")]
            DispatchDevice::NdArray(_) => true,
            DispatchDevice::Autodiff(device) => native(device),
            #[allow(unreachable_patterns)] // in a build that has no other backend
            _ => false,
        }
    }
    static OFF: OnceLock<bool> = OnceLock::new();
    let is_off = *OFF.get_or_init(|| std::env::var(KERNELS_VARIABLE).is_ok_and(|value| value.trim() == "0"));
    !is_off && native(device.as_dispatch())
}

impl Native {
    /// The device, if its tensors are computed by the kernels.
    pub(crate) fn of(device: &Device) -> Option<Self> {
        is_native(device).then_some(Self(()))
    }

    /// Run a block.
    pub(crate) fn block<const D: usize>(
        self,
        input: Tensor<D>,
        weight: Tensor<D>,
        bias: Option<Tensor<1>>,
        block: Block,
    ) -> Tensor<D> {
        let (input, weight) = (input.into_dispatch(), weight.into_dispatch());
        Tensor::from_dispatch(match bias {
            Some(bias) => Dispatch::kernel_block_with_bias(input, weight, bias.into_dispatch(), block),
            None => Dispatch::kernel_block(input, weight, block),
        })
    }

    /// The same tensor with its values in NCHW order.
    pub(crate) fn to_nchw(self, input: Tensor<4>) -> Tensor<4> {
        Tensor::from_dispatch(Dispatch::kernel_to_nchw(input.into_dispatch()))
    }

    /// The function of every value.
    pub(crate) fn activation<const D: usize>(self, input: Tensor<D>, activation: Activation) -> Tensor<D> {
        Tensor::from_dispatch(Dispatch::kernel_activation(input.into_dispatch(), activation))
    }

    /// Normalise the channels of each pixel, or rows.
    pub(crate) fn layer_norm<const D: usize>(
        self,
        input: Tensor<D>,
        weight: Tensor<1>,
        bias: Tensor<1>,
        eps: f64,
    ) -> Tensor<D> {
        let (input, weight, bias) = (input.into_dispatch(), weight.into_dispatch(), bias.into_dispatch());
        Tensor::from_dispatch(Dispatch::kernel_layer_norm(input, weight, bias, eps))
    }

    /// Images times factors.
    pub(crate) fn scale(self, input: Tensor<4>, factors: Tensor<4>) -> Tensor<4> {
        Tensor::from_dispatch(Dispatch::kernel_scale(input.into_dispatch(), factors.into_dispatch()))
    }

    /// Images times factors, and something added.
    pub(crate) fn scale_add(self, input: Tensor<4>, factors: Tensor<4>, added: Tensor<4>) -> Tensor<4> {
        let [input, factors, added] = [input, factors, added].map(Tensor::into_dispatch);
        Tensor::from_dispatch(Dispatch::kernel_scale_add(input, factors, added))
    }

    /// Pool.
    pub(crate) fn pooling(self, input: Tensor<4>, pooling: Pooling) -> Tensor<4> {
        Tensor::from_dispatch(Dispatch::kernel_pooling(input.into_dispatch(), pooling))
    }

    /// Cross-entropy.
    pub(crate) fn cross_entropy(self, logits: Tensor<2>, classes: Classes) -> Tensor<1> {
        Tensor::from_dispatch(Dispatch::kernel_cross_entropy(logits.into_dispatch(), classes))
    }

    /// `a * factors[0] + b * factors[1]`.
    pub(crate) fn scaled_sum(self, a: Tensor<1>, b: Tensor<1>, factors: [f32; 2]) -> Tensor<1> {
        Tensor::from_dispatch(Dispatch::kernel_scaled_sum(a.into_dispatch(), b.into_dispatch(), factors))
    }

    /// `b * factors[1] + c * factors[2]`, and `a * factors[0] + factors[3] * that`,.
    pub(crate) fn two_scaled_sums(
        self,
        a: Tensor<1>,
        b: Tensor<1>,
        c: Tensor<1>,
        factors: [f32; 4],
    ) -> (Tensor<1>, Tensor<1>) {
        let [a, b, c] = [a, b, c].map(Tensor::into_dispatch);
        let (b, a) = Dispatch::kernel_two_scaled_sums(a, b, c, factors);
        (Tensor::from_dispatch(b), Tensor::from_dispatch(a))
    }

    /// The square root of the sum of squares.
    pub(crate) fn l2_norm<const D: usize>(self, values: Tensor<D>) -> Tensor<1> {
        Tensor::from_dispatch(Dispatch::kernel_l2_norm(values.into_dispatch()))
    }

    /// Statistics of the channels.
    pub(crate) fn statistics(self, input: Tensor<4>) -> (Tensor<1>, Tensor<1>) {
        let (mean, variance) = Dispatch::kernel_statistics(input.into_dispatch());
        (Tensor::from_dispatch(mean), Tensor::from_dispatch(variance))
    }

    /// Normalise; parameters are weight, bias, mean and variance.
    pub(crate) fn norm(
        self,
        input: Tensor<4>,
        parameters: [Tensor<1>; 4],
        residual: Option<Tensor<4>>,
        norm: Norm,
    ) -> Tensor<4> {
        let input = input.into_dispatch();
        let [weight, bias, mean, variance] = parameters.map(Tensor::into_dispatch);
        Tensor::from_dispatch(match residual {
            Some(residual) => {
                let residual = residual.into_dispatch();
                Dispatch::kernel_norm_add(input, residual, weight, bias, mean, variance, norm)
            }
            None => Dispatch::kernel_norm(input, weight, bias, mean, variance, norm),
        })
    }
}
