//! Random resized crop: a window of random area and proportions, resized.

use firebrick_component::{ArgumentError, Component, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::functional::resized_crop;
use super::interface::Transform;
use super::interpolation::Interpolation;
use super::range::check_range;
use super::side::{Sides, check_side};
use super::window::Window;
use super::working_image::WorkingImage;
use crate::random::{below, uniform};
use crate::shape::ImageSize;

/// Arguments of `random_resized_crop`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomResizedCropConfig {
    /// What the window is resized to: one side of a square, or `[height, width]`; pixels.
    pub size: Sides,
    /// Least and largest area of the window, as parts of the image's; above 0.
    #[serde(default = "default_scale")]
    pub scale: [f64; 2],
    /// Least and largest width / height of the window before it is resized; above 0.
    #[serde(default = "default_ratio")]
    pub ratio: [f64; 2],
    /// How the window is resized: `"nearest"`, `"bilinear"` or `"bicubic"`.
    #[serde(default = "default_interpolation")]
    pub interpolation: Interpolation,
}

fn default_scale() -> [f64; 2] {
    [0.08, 1.0]
}

fn default_ratio() -> [f64; 2] {
    [3.0 / 4.0, 4.0 / 3.0]
}

fn default_interpolation() -> Interpolation {
    Interpolation::Bilinear
}

impl RandomResizedCropConfig {
    /// All defaults for `size`.
    pub fn new(size: Sides) -> Self {
        Self { size, scale: default_scale(), ratio: default_ratio(), interpolation: default_interpolation() }
    }

    /// Draws the window of an image of size `image`.
    ///
    /// # Source
    ///
    /// torchvision `RandomResizedCrop.get_params`: ten attempts at an area and a ratio, the ratio even in its
    /// logarithm; then the largest window in the middle whose ratio is allowed.
    pub fn window(&self, image: ImageSize, generator: &mut ChaCha8Rng) -> Window {
        let ImageSize { height, width } = image;
        let area = (height * width) as f64;
        let log_ratio = self.ratio.map(f64::ln);
        for _ in 0..10 {
            let area = area * uniform(generator, self.scale);
            let ratio = uniform(generator, log_ratio).exp();
            let wanted_width = (area * ratio).sqrt().round_ties_even() as usize;
            let wanted_height = (area / ratio).sqrt().round_ties_even() as usize;
            if (1..=width).contains(&wanted_width) && (1..=height).contains(&wanted_height) {
                let top = below(generator, (height - wanted_height) as u64 + 1) as usize;
                let left = below(generator, (width - wanted_width) as u64 + 1) as usize;
                return Window { top, left, height: wanted_height, width: wanted_width };
            }
        }
        self.middle(image)
    }

    fn middle(&self, ImageSize { height, width }: ImageSize) -> Window {
        let ratio = width as f64 / height as f64;
        let rounded = |side: f64, most: usize| (side.round_ties_even() as usize).clamp(1, most);
        let [least, most] = self.ratio;
        let (window_height, window_width) = if ratio < least {
            (rounded(width as f64 / least, height), width)
        } else if ratio > most {
            (height, rounded(height as f64 * most, width))
        } else {
            (height, width)
        };
        let (top, left) = ((height - window_height) / 2, (width - window_width) / 2);
        Window { top, left, height: window_height, width: window_width }
    }
}

impl Component for RandomResizedCropConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check_side("size", self.size.size())?;
        check_range("scale", self.scale)?;
        check_range("ratio", self.ratio)?;
        check::positive("scale[1]", self.scale[1])?;
        check::non_negative("scale[0]", self.scale[0])?;
        check::positive("ratio[0]", self.ratio[0])
    }
}

impl Transform for RandomResizedCropConfig {
    fn sets_size(&self) -> bool {
        true
    }

    fn output_size(&self, _input: Option<ImageSize>) -> Result<Option<ImageSize>, ArgumentError> {
        Ok(Some(self.size.size()))
    }

    /// Cuts out a window and resizes it.
    ///
    /// # Source
    ///
    /// torchvision `RandomResizedCrop` on PIL images.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        let window = self.window(image.size(), generator);
        resized_crop(image, window, self.size.size(), self.interpolation);
    }

    fn description(&self) -> String {
        let ([least, most], size) = (self.scale, self.size.size());
        format!("random_resized_crop to {size} (scale {least} to {most}, {})", self.interpolation.name())
    }
}
