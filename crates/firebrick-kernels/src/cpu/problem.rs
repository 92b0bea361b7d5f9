//! What a convolution and its gradients are computed from, and what they give.

use super::activation::FusedActivation;
use super::scratch::SharedOut;
use super::shape::{ConvShape, Direction};
use super::source::SourceImages;

/// Results of a convolution after 2x2 max pooling with stride 2.
#[derive(Clone, Debug)]
pub struct Pooled {
    /// The largest of every four, NHWC, half the height and width (rounded down).
    pub values: Vec<f32>,
    /// Which of the four it was (row by row), as a float; 4.0 where ReLU made it zero.
    pub codes: Vec<f32>,
}

/// The gradient of a convolution's results, or of what was fused with it.
#[derive(Clone, Copy, Debug)]
pub enum OutputGradient<'a> {
    /// Of the convolution's own results.
    Plain(&'a [f32]),
    /// Of the results of ReLU after it; the second slice holds these results.
    AfterRelu(&'a [f32], &'a [f32]),
    /// Of the results of (ReLU and) 2x2 max pooling after it; the second slice holds the codes.
    Pooled(&'a [f32], &'a [f32]),
}

/// Parameters of a convolution whose gradients are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// The weight alone: there is no bias, or it is not trained.
    Weight,
    /// Both.
    WeightAndBias,
}

/// Gradients of a convolution's parameters.
#[derive(Clone, Debug)]
pub struct ConvGradients {
    /// In the shape's [`ConvShape::order`].
    pub weight: Vec<f32>,
    /// `[out]`, if it was wanted.
    pub bias: Option<Vec<f32>>,
}

/// Which gradients of a convolution are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Whether the input's is.
    pub input: bool,
    /// Which parameters' are.
    pub parameters: Option<Parameters>,
}

/// A convolution, or the gradient of its input, as the algorithms get it.
#[derive(Clone, Copy)]
pub(crate) struct Convolution<'a> {
    pub(crate) shape: &'a ConvShape,
    pub(crate) direction: Direction,
    pub(crate) source: SourceImages<'a>,
    pub(crate) weight: &'a [f32],
    /// One value for each produced channel.
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) activation: FusedActivation,
    pub(crate) target: Target,
}

/// Where results go; with `codes`, they go through 2x2 max pooling first.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// Results.
    pub(crate) values: SharedOut,
    /// Which of the four pixels was the largest.
    pub(crate) codes: Option<SharedOut>,
}
