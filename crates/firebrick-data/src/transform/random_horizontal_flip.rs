//! Random horizontal flip: left becomes right, half of the time.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::DataError;
use crate::random::unit;
use crate::transform::WorkingImage;

/// Arguments of `random_horizontal_flip`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomHorizontalFlipConfig {
    /// Probability of a flip, 0 to 1.
    pub p: f64,
}

impl Default for RandomHorizontalFlipConfig {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl RandomHorizontalFlipConfig {
    /// Whether `p` is a probability.
    ///
    /// # Errors
    ///
    /// When it is below 0, above 1 or not a number.
    pub fn validate(&self) -> Result<(), DataError> {
        if (0.0..=1.0).contains(&self.p) {
            return Ok(());
        }
        let expected = "a probability, 0 to 1";
        Err(DataError::argument("augment.random_horizontal_flip.p", expected, self.p))
    }

    /// Flips the image, or leaves it.
    ///
    /// # Source
    ///
    /// torchvision `RandomHorizontalFlip`.
    pub fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        if unit(generator) < self.p {
            flip(image);
        }
    }
}

/// Mirrors every row: left becomes right. Twice is nothing.
pub fn flip(image: &mut WorkingImage) {
    let width = image.width();
    if width > 1 {
        image.pixels_mut().chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
}
