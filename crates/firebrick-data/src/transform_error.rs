//! An image and a model that do not fit together.
//!
//! Wrong arguments of a transform are `ArgumentError`s, as every other wrong argument of `[data]`.

use crate::shape::InputShape;

/// An image that cannot be given the shape the model wants.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError {
    /// No transform turns this number of channels into that.
    #[error(
        "image channels: expected {expected} as the model wants, got {got}, and only grey (1) to RGB (3) \
         and back is known; choose a model whose input has {got} channels, or convert the images"
    )]
    Channels {
        /// Channels the model wants.
        expected: usize,
        /// Channels of the image.
        got: usize,
    },

    /// The image says one size and holds another.
    #[error("image of {shape}: expected {expected} pixel values, got {got}")]
    PixelCount {
        /// The shape it says it has.
        shape: InputShape,
        /// The product of its sides, or "more than memory holds".
        expected: String,
        /// Values it holds.
        got: usize,
    },

    /// The image has no pixels at all.
    #[error("image of {shape}: expected at least one pixel, got none")]
    Empty {
        /// The image's shape.
        shape: InputShape,
    },

    /// A transform has not given the shape that it promises.
    #[error(
        "augmented image: expected {expected}, got {got}; one of the augmentations gives another size than it says"
    )]
    Output {
        /// What the model wants.
        expected: InputShape,
        /// What the transforms gave.
        got: InputShape,
    },

    /// The model's input is empty or absurdly large.
    #[error("model input of {shape}: expected sides of at least 1 and at most {limit} values in all")]
    InputShape {
        /// What the model wants.
        shape: InputShape,
        /// Most values an input may have.
        limit: usize,
    },
}

impl TransformError {
    /// True when the choice of model is at fault, false when the image is.
    pub fn is_config(&self) -> bool {
        matches!(self, Self::Channels { .. } | Self::InputShape { .. })
    }
}
