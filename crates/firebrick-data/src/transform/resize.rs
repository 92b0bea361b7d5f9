//! Resize as a step of its own.

use firebrick_component::{ArgumentError, Component, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::interface::Transform;
use super::resample::resample;
use super::side::{MAX_SIDE, check_side};
use super::working_image::WorkingImage;
use crate::shape::ImageSize;

/// Arguments of `resize`: exactly one of the two.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResizeConfig {
    /// `[height, width]` in pixels; the image's proportions are not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// The shorter side in pixels; the image's proportions are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shorter: Option<usize>,
}

impl ResizeConfig {
    /// The size that an image of size `input` gets.
    fn target(&self, input: ImageSize) -> ImageSize {
        match (self.size, self.shorter) {
            (Some([height, width]), None) => ImageSize { height, width },
            (None, Some(shorter)) => with_shorter(input, shorter),
            _ => unreachable!("bug: a resize without exactly one of `size` and `shorter` was not refused"),
        }
    }
}

/// The size whose shorter side is `shorter`, with the proportions of `input`.
///
/// # Source
///
/// torchvision `Resize(shorter)`: the longer side is rounded down. It ends at 16,384 pixels here, so that an
/// image of one row cannot take all memory.
pub(super) fn with_shorter(input: ImageSize, shorter: usize) -> ImageSize {
    let ImageSize { height, width } = input;
    let longer =
        |long: usize, short: usize| (((shorter * long) as f64 / short as f64) as usize).min(MAX_SIDE);
    if width <= height {
        ImageSize { height: longer(height, width), width: shorter }
    } else {
        ImageSize { height: shorter, width: longer(width, height) }
    }
}

impl Component for ResizeConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        match (self.size, self.shorter) {
            (Some([height, width]), None) => check_side("size", ImageSize { height, width }),
            (None, Some(shorter)) => check::in_range("shorter", shorter, 1, MAX_SIDE),
            (Some(_), Some(shorter)) => {
                Err(ArgumentError::new("shorter", "`size` or `shorter`, not both", shorter))
            }
            (None, None) => {
                Err(ArgumentError::new("size", "`size = [height, width]` or `shorter`", "neither"))
            }
        }
    }
}

impl Transform for ResizeConfig {
    fn is_random(&self) -> bool {
        false
    }

    fn sets_size(&self) -> bool {
        true
    }

    fn output_size(&self, input: Option<ImageSize>) -> Result<Option<ImageSize>, ArgumentError> {
        self.validate()?;
        let fixed = self.size.map(|[height, width]| ImageSize { height, width });
        Ok(fixed.or_else(|| input.map(|input| self.target(input))))
    }

    /// Resizes as `data.resize` does: bilinear, every source pixel counts.
    ///
    /// # Source
    ///
    /// torchvision `Resize` on PIL images.
    fn apply(&self, image: &mut WorkingImage, _generator: &mut ChaCha8Rng) {
        let ImageSize { height, width } = self.target(image.size());
        resample(image, height, width);
    }

    fn description(&self) -> String {
        match (self.size, self.shorter) {
            (Some([height, width]), _) => format!("resize to {height}x{width} (bilinear)"),
            (None, Some(shorter)) => format!("resize the shorter side to {shorter} (bilinear)"),
            (None, None) => "resize (to no size)".to_owned(),
        }
    }
}
