//! The arrays that go into a loss, and those that come out.

use std::collections::BTreeMap;

use burn::tensor::TensorData;

/// Inputs by name, as the loss's `inputs` lists them.
pub type Inputs = BTreeMap<String, TensorData>;

/// What a loss gave.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The loss: shape `[]` when reduced, otherwise the shape that torch gives.
    pub output: TensorData,
    /// The gradient of the sum of `output` with respect to each differentiable input; empty unless
    /// asked for.
    pub gradients: BTreeMap<String, TensorData>,
}

/// What an input holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// Numbers: f64, f32, f16 or bf16.
    Float,
    /// Integers: class indices or lengths.
    Index,
    /// Either: class indices, or probabilities in the shape of the input.
    FloatOrIndex,
}

/// One input of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputSlot {
    /// torch's name of the argument.
    pub name: &'static str,
    /// What it holds.
    pub kind: InputKind,
    /// Whether its gradient can be asked for.
    pub has_gradient: bool,
}

impl InputSlot {
    /// An input and a target of floating-point numbers.
    pub const FLOAT_TARGET: &'static [Self] =
        &[Self::differentiable("input"), Self::constant("target", InputKind::Float)];

    /// An input and a target of integers.
    pub const INDEX_TARGET: &'static [Self] =
        &[Self::differentiable("input"), Self::constant("target", InputKind::Index)];

    /// An input and a target of class indices or of probabilities.
    pub const CLASS_TARGET: &'static [Self] =
        &[Self::differentiable("input"), Self::constant("target", InputKind::FloatOrIndex)];

    /// Two inputs and a target of floating-point numbers.
    pub const PAIR_AND_TARGET: &'static [Self] = &[
        Self::differentiable("input1"),
        Self::differentiable("input2"),
        Self::constant("target", InputKind::Float),
    ];

    /// An input of floating-point numbers that has a gradient.
    pub const fn differentiable(name: &'static str) -> Self {
        Self { name, kind: InputKind::Float, has_gradient: true }
    }

    /// An input without a gradient.
    pub const fn constant(name: &'static str, kind: InputKind) -> Self {
        Self { name, kind, has_gradient: false }
    }
}
