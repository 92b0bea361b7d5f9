//! Center crop: the middle of the image.

use firebrick_component::{ArgumentError, Component};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::crop::crop_center;
use super::interface::Transform;
use super::side::{Sides, check_side};
use super::working_image::WorkingImage;
use crate::shape::ImageSize;

/// Arguments of `center_crop`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CenterCropConfig {
    /// What is cut out: one side of a square, or `[height, width]`; pixels.
    pub size: Sides,
}

impl Component for CenterCropConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check_side("size", self.size.size())
    }
}

impl Transform for CenterCropConfig {
    fn is_random(&self) -> bool {
        false
    }

    fn sets_size(&self) -> bool {
        true
    }

    fn output_size(&self, _input: Option<ImageSize>) -> Result<Option<ImageSize>, ArgumentError> {
        Ok(Some(self.size.size()))
    }

    /// Cuts out the middle; where the image is smaller, black is put round it.
    ///
    /// # Source
    ///
    /// torchvision `CenterCrop`.
    fn apply(&self, image: &mut WorkingImage, _generator: &mut ChaCha8Rng) {
        crop_center(image, self.size.size());
    }

    fn description(&self) -> String {
        format!("center_crop to {}", self.size.size())
    }
}
