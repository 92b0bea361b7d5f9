//! What a layer is: a function of its arguments, its parameters and what comes in.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component};
use firebrick_kernels::{Activation, Pool};

use super::parameters::{ParameterSpec, Parameters};
use crate::shape::Shape;

/// A layer's arguments, and everything that follows from them.
///
/// A layer holds no tensors: the network keeps its parameters and hands them to [`forward`](Self::forward). A
/// program's own layer is a struct that implements this trait; [`LayerConfig::register`](super::LayerConfig::register)
/// makes it known to configs.
pub trait Layer: Component {
    /// The shape that leaves the layer, without the batch.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] if `input` is none that the layer takes; the key is the argument that does not fit it, or
    /// empty.
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError>;

    /// The parameters in torch's order, for an input of this shape. Only called for a shape that
    /// [`output_shape`](Self::output_shape) takes.
    fn parameters(&self, input: Shape) -> Vec<ParameterSpec> {
        let _ = input;
        Vec::new()
    }

    /// Applies the layer to a batch. It trains if `x` is on an autodiff device.
    ///
    /// # Shapes
    ///
    /// `[n, ..]` with the input shape to `[n, ..]` with the output shape.
    fn forward(&self, parameters: &Parameters, x: Activations) -> Activations;

    /// The line of PyTorch's `print(net)`.
    fn repr(&self, input: Shape) -> String;

    /// How many products of a weight and an activation one image takes in a forward pass.
    fn multiply_adds(&self, input: Shape, output: Shape) -> u64 {
        let _ = (input, output);
        0
    }

    /// What the numbers that leave the layer are. A network gives what its last layer does.
    fn gives(&self) -> Gives {
        Gives::Unknown
    }

    /// Whether the layer draws random numbers in training, as dropout does. One behind the last frozen layer still draws
    /// them; one between frozen layers does not.
    fn is_random(&self) -> bool {
        false
    }

    /// What the layer is as the end of another operation, if it can be that.
    fn as_epilogue(&self) -> Option<EpilogueStep> {
        None
    }

    /// The zeros that the layer puts around images, `[left, right, top, bottom]`, if it does nothing else.
    fn as_zeros(&self) -> Option<[usize; 4]> {
        None
    }

    /// Whether [`forward_fused`](Self::forward_fused) knows this epilogue.
    fn fuses(&self, epilogue: Epilogue) -> bool {
        let _ = epilogue;
        false
    }

    /// [`forward`](Self::forward) and what follows it as one operation. Only called for an epilogue that
    /// [`fuses`](Self::fuses) says yes to; `residual` is there if and only if the epilogue says so.
    ///
    /// # Shapes
    ///
    /// As `forward`; `residual` has the output's shape. A pool changes the output's.
    fn forward_fused(
        &self,
        parameters: &Parameters,
        x: Activations,
        epilogue: Epilogue,
        residual: Option<Activations>,
    ) -> Activations {
        let _ = (parameters, x, residual);
        unreachable!("bug: {self:?} was given {epilogue:?}, which it does not fuse")
    }
}

/// What numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// Nothing is known of them.
    Unknown,
    /// What came in, moved, thinned out or averaged.
    SameAsInput,
    /// Any number.
    Scores,
    /// Numbers from 0.
    NonNegative,
    /// Numbers from 0 to 1, each a probability by itself, as a sigmoid's.
    Probabilities,
    /// Logarithms of probabilities.
    LogProbabilities,
}

/// A batch between two layers.
#[derive(Debug, Clone)]
pub enum Activations {
    /// `[n, channels, height, width]`.
    Images(Tensor<4>),
    /// `[n, features]`.
    Features(Tensor<2>),
}

impl Activations {
    /// `[n, channels, height, width]`, in a layer whose input shape is an image.
    ///
    /// # Panics
    ///
    /// If these are features, which the layer's `output_shape` has let in.
    pub fn images(self) -> Tensor<4> {
        match self {
            Self::Images(images_nchw) => images_nchw,
            Self::Features(_) => unreachable!("bug: features reached a layer that takes images"),
        }
    }

    /// `[n, features]`, in a layer whose input shape is features.
    ///
    /// # Panics
    ///
    /// If these are images, which the layer's `output_shape` has let in.
    pub fn features(self) -> Tensor<2> {
        match self {
            Self::Features(features_nk) => features_nk,
            Self::Images(_) => unreachable!("bug: images reached a layer that takes features"),
        }
    }
}

impl From<Tensor<4>> for Activations {
    fn from(images_nchw: Tensor<4>) -> Self {
        Self::Images(images_nchw)
    }
}

impl From<Tensor<2>> for Activations {
    fn from(features_nk: Tensor<2>) -> Self {
        Self::Features(features_nk)
    }
}

/// What runs with a layer as one operation: what comes before it, and what follows it, in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Epilogue {
    /// Zeros around the images that come in, `[left, right, top, bottom]`.
    pub zeros_before: [usize; 4],
    /// Whether a tensor of the output's shape is added.
    pub residual: bool,
    /// Applied to the sum.
    pub activation: Activation,
    /// Applied last.
    pub pool: Pool,
}

/// One part of an [`Epilogue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpilogueStep {
    /// A residual is added.
    Add,
    /// An activation function.
    Activation(Activation),
    /// A pool.
    Pool(Pool),
}

impl Epilogue {
    /// The same with `step` behind it; none if the order does not allow it.
    #[must_use]
    pub fn then(self, step: EpilogueStep) -> Option<Self> {
        let has_pool = self.pool != Pool::None;
        let has_activation = self.activation != Activation::None;
        match step {
            EpilogueStep::Add if self == Self { zeros_before: self.zeros_before, ..Self::default() } => {
                Some(Self { residual: true, ..self })
            }
            EpilogueStep::Activation(activation) if !has_activation && !has_pool => {
                Some(Self { activation, ..self })
            }
            EpilogueStep::Pool(pool) if !has_pool => Some(Self { pool, ..self }),
            EpilogueStep::Add | EpilogueStep::Activation(_) | EpilogueStep::Pool(_) => None,
        }
    }
}
