//! Gaussian blur, of a random width.

use firebrick_component::{ArgumentError, Component, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::functional::gaussian_blur;
use super::interface::Transform;
use super::numbers::Numbers;
use super::range::check_range;
use super::working_image::WorkingImage;
use crate::random::uniform;

/// The widest kernel, in pixels.
const MAX_KERNEL: usize = 1023;

/// Arguments of `gaussian_blur`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianBlurConfig {
    /// Pixels that each new one is made of, along both sides or `[along x, along y]`; odd.
    pub kernel_size: Numbers<usize>,
    /// The standard deviation in pixels, or the `[least, most]` that it is drawn from; above 0.
    #[serde(default = "default_sigma")]
    pub sigma: Numbers<f64>,
}

fn default_sigma() -> Numbers<f64> {
    [0.1, 2.0].into()
}

impl GaussianBlurConfig {
    /// All defaults for `kernel_size`.
    pub fn new(kernel_size: usize) -> Self {
        Self { kernel_size: kernel_size.into(), sigma: default_sigma() }
    }

    fn kernel(&self) -> [usize; 2] {
        match *self.kernel_size.as_slice() {
            [along_x, along_y] => [along_x, along_y],
            [size] => [size; 2],
            _ => [1; 2],
        }
    }

    /// Draws the standard deviation, in pixels.
    pub fn sigma(&self, generator: &mut ChaCha8Rng) -> f64 {
        uniform(generator, self.range())
    }

    fn range(&self) -> [f64; 2] {
        match *self.sigma.as_slice() {
            [least, most] => [least, most],
            [sigma] => [sigma; 2],
            _ => [1.0; 2],
        }
    }
}

impl Component for GaussianBlurConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        let sizes = self.kernel_size.as_slice();
        let is_odd = |size: &usize| size % 2 == 1 && *size <= MAX_KERNEL;
        let fits = matches!(sizes.len(), 1 | 2) && sizes.iter().all(is_odd);
        let expected = format!("an odd number up to {MAX_KERNEL}, or two of them");
        check::that(fits, "kernel_size", &self.kernel_size, expected)?;
        let is_known = matches!(self.sigma.as_slice().len(), 1 | 2);
        check::that(is_known, "sigma", &self.sigma, "a number, or [least, most]")?;
        check_range("sigma", self.range())?;
        check::positive("sigma", self.range()[0])
    }
}

impl Transform for GaussianBlurConfig {
    /// Blurs the image.
    ///
    /// # Source
    ///
    /// torchvision `GaussianBlur`.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        let sigma = self.sigma(generator);
        gaussian_blur(image, self.kernel(), [sigma; 2]);
    }

    fn description(&self) -> String {
        format!("gaussian_blur (kernel_size {}, sigma {})", self.kernel_size, self.sigma)
    }
}
