//! In place of `backend/` in a build without a CPU backend: no device has tensors that the kernels could compute.

use burn::tensor::{Device, Tensor};

use crate::cpu::Activation;
use crate::operation::{Block, Classes, Norm, Pooling};

/// Whether this build has a backend whose tensors the kernels can compute.
pub(crate) const IS_COMPILED_IN: bool = false;

/// A device whose tensors the kernels compute: there is none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Native {}

impl Native {
    pub(crate) fn of(_: &Device) -> Option<Self> {
        None
    }

    pub(crate) fn block<const D: usize>(
        self,
        _: Tensor<D>,
        _: Tensor<D>,
        _: Option<Tensor<1>>,
        _: Block,
    ) -> Tensor<D> {
        match self {}
    }

    pub(crate) fn to_nchw(self, _: Tensor<4>) -> Tensor<4> {
        match self {}
    }

    pub(crate) fn activation<const D: usize>(self, _: Tensor<D>, _: Activation) -> Tensor<D> {
        match self {}
    }

    pub(crate) fn layer_norm<const D: usize>(
        self,
        _: Tensor<D>,
        _: Tensor<1>,
        _: Tensor<1>,
        _: f64,
    ) -> Tensor<D> {
        match self {}
    }

    pub(crate) fn scale(self, _: Tensor<4>, _: Tensor<4>) -> Tensor<4> {
        match self {}
    }

    pub(crate) fn scale_add(self, _: Tensor<4>, _: Tensor<4>, _: Tensor<4>) -> Tensor<4> {
        match self {}
    }

    pub(crate) fn pooling(self, _: Tensor<4>, _: Pooling) -> Tensor<4> {
        match self {}
    }

    pub(crate) fn cross_entropy(self, _: Tensor<2>, _: Classes) -> Tensor<1> {
        match self {}
    }

    pub(crate) fn scaled_sum(self, _: Tensor<1>, _: Tensor<1>, _: [f32; 2]) -> Tensor<1> {
        match self {}
    }

    pub(crate) fn two_scaled_sums(
        self,
        _: Tensor<1>,
        _: Tensor<1>,
        _: Tensor<1>,
        _: [f32; 4],
    ) -> (Tensor<1>, Tensor<1>) {
        match self {}
    }

    pub(crate) fn l2_norm<const D: usize>(self, _: Tensor<D>) -> Tensor<1> {
        match self {}
    }

    pub(crate) fn statistics(self, _: Tensor<4>) -> (Tensor<1>, Tensor<1>) {
        match self {}
    }

    pub(crate) fn norm(self, _: Tensor<4>, _: [Tensor<1>; 4], _: Option<Tensor<4>>, _: Norm) -> Tensor<4> {
        match self {}
    }
}
