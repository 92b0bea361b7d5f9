//! Shapes between layers, and how large anything may be.

use std::fmt;

use firebrick_component::ArgumentError;

/// Largest count or size in an argument; larger ones are typing errors.
pub const MAX_SIZE: usize = 1 << 16;

/// Most numbers that one image may become between two layers, 1 GiB as f32.
pub const MAX_ACTIVATIONS: usize = 1 << 28;

/// Most parameters that a network may have, 4 GiB as f32.
pub const MAX_PARAMETERS: usize = 1 << 30;

/// More classes than any labelled image set has; a larger number is a typing error.
pub const MAX_CLASSES: usize = 100_000;

/// The shape of one image between two layers, without the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `[channels, height, width]`, before `flatten`.
    Image([usize; 3]),
    /// The number of features, after it.
    Features(usize),
}

impl Shape {
    /// What torch calls `in_channels`, `num_features` or `in_features`.
    pub fn channels(self) -> usize {
        match self {
            Self::Image([channels, _, _]) => channels,
            Self::Features(count) => count,
        }
    }

    /// How many numbers it holds; `usize::MAX` where they are more than that.
    pub fn num_elements(self) -> usize {
        match self {
            Self::Image(sizes) => product(&sizes),
            Self::Features(count) => count,
        }
    }

    /// The sizes as a list, without the batch.
    pub fn to_vec(self) -> Vec<usize> {
        match self {
            Self::Image(sizes) => sizes.to_vec(),
            Self::Features(count) => vec![count],
        }
    }

    /// `[channels, height, width]`, for a layer that takes images.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] about the layer itself where features come in.
    pub fn image(self) -> Result<[usize; 3], ArgumentError> {
        match self {
            Self::Image(sizes) => Ok(sizes),
            Self::Features(_) => Err(ArgumentError::new("", "an image (put this before `flatten`)", self)),
        }
    }

    /// The number of features, for a layer that takes features.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] about the layer itself where an image comes in.
    pub fn features(self) -> Result<usize, ArgumentError> {
        match self {
            Self::Features(count) => Ok(count),
            Self::Image(_) => Err(ArgumentError::new("", "features (put a `flatten` before this)", self)),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image([channels, height, width]) => write!(f, "an image of {channels}x{height}x{width}"),
            Self::Features(count) => write!(f, "{count} features"),
        }
    }
}

/// The product, or `usize::MAX` where it is larger.
pub(crate) fn product(factors: &[usize]) -> usize {
    factors.iter().fold(1, |product: usize, factor| product.saturating_mul(*factor))
}
