//! AugMix: several chains of operations, mixed with the image.

use firebrick_component::{ArgumentError, Component, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::fill::{Fill, check_fill, fill_values};
use super::functional::{Operation, apply_op};
use super::interface::Transform;
use super::interpolation::Interpolation;
use super::numbers::Numbers;
use super::policy::{MIX, signed};
use super::working_image::WorkingImage;
use crate::random::{below, dirichlet};
use crate::shape::ImageSize;

/// Strengths of an operation.
const NUM_BINS: usize = 10;

/// What is drawn from, in torchvision's order; the last four with `all_ops` only.
const OPERATIONS: [Operation; 13] = [
    Operation::ShearX,
    Operation::ShearY,
    Operation::TranslateX,
    Operation::TranslateY,
    Operation::Rotate,
    Operation::Posterize,
    Operation::Solarize,
    Operation::AutoContrast,
    Operation::Equalize,
    Operation::Brightness,
    Operation::Color,
    Operation::Contrast,
    Operation::Sharpness,
];

/// Arguments of `aug_mix`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugMixConfig {
    /// The strongest operations that are drawn, 1 to 10.
    pub severity: usize,
    /// Number of chains.
    pub mixture_width: usize,
    /// Operations in a chain; -1: drawn from 1 to 3.
    pub chain_depth: i64,
    /// The shares are drawn from Dirichlet distributions of this parameter; above 0.
    pub alpha: f64,
    /// Change brightness, color, contrast and sharpness, too.
    pub all_ops: bool,
    /// How values between pixels are found: `"nearest"`, `"bilinear"` or `"bicubic"`.
    pub interpolation: Interpolation,
    /// What comes from outside of the image: a value for all channels, or `[red, green, blue]`; 0 to 255.
    pub fill: Fill,
}

impl Default for AugMixConfig {
    fn default() -> Self {
        Self {
            severity: 3,
            mixture_width: 3,
            chain_depth: -1,
            alpha: 1.0,
            all_ops: true,
            interpolation: Interpolation::Bilinear,
            fill: Numbers::One(0),
        }
    }
}

/// What an image is mixed of.
#[derive(Clone, Debug, PartialEq)]
pub struct AugMixDraw {
    /// The share of the image itself.
    pub own_share: f64,
    /// The chains, each with its share; all shares sum to 1.
    pub chains: Vec<(f64, Vec<(Operation, f64)>)>,
}

impl AugMixConfig {
    /// Draws the chains and the shares, for an image of size `image`.
    pub fn draw(&self, image: ImageSize, generator: &mut ChaCha8Rng) -> AugMixDraw {
        let own_share = dirichlet(generator, self.alpha, 2)[0];
        let shares = dirichlet(generator, self.alpha, self.mixture_width);
        let mut chain = |share: f64| {
            let depth = usize::try_from(self.chain_depth).ok().filter(|depth| *depth > 0);
            let depth = depth.unwrap_or_else(|| 1 + below(generator, 3) as usize);
            let operations = (0..depth).map(|_| self.operation(image, generator)).collect();
            (share * (1.0 - own_share), operations)
        };
        AugMixDraw { own_share, chains: shares.into_iter().map(&mut chain).collect() }
    }

    fn operation(&self, image: ImageSize, generator: &mut ChaCha8Rng) -> (Operation, f64) {
        let num = if self.all_ops { OPERATIONS.len() } else { OPERATIONS.len() - 4 };
        let operation = OPERATIONS[below(generator, num as u64) as usize];
        let bin = below(generator, self.severity as u64) as usize;
        (operation, signed(MIX.magnitude(operation, bin, NUM_BINS, image), generator))
    }

    /// Mixes the image with its chains: f32, the fraction is dropped, as torchvision does it.
    pub fn mix(&self, image: &mut WorkingImage, draw: &AugMixDraw) {
        let fill = fill_values(&self.fill, image.channels());
        let own = image.pixels().to_vec();
        let mut sums: Vec<f32> = own.iter().map(|&value| draw.own_share as f32 * f32::from(value)).collect();
        for (share, chain) in &draw.chains {
            image.pixels_mut().copy_from_slice(&own);
            for &(operation, magnitude) in chain {
                apply_op(image, operation, magnitude, self.interpolation, &fill);
            }
            let share = *share as f32;
            sums.iter_mut().zip(image.pixels()).for_each(|(sum, &value)| *sum += share * f32::from(value));
        }
        image.pixels_mut().iter_mut().zip(sums).for_each(|(pixel, sum)| *pixel = sum as u8);
    }
}

impl Component for AugMixConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("severity", self.severity, 1, NUM_BINS)?;
        check::in_range("mixture_width", self.mixture_width, 1, 100)?;
        let is_depth = self.chain_depth == -1 || (1..=100).contains(&self.chain_depth);
        check::that(is_depth, "chain_depth", self.chain_depth, "1 to 100, or -1 for 1 to 3 at random")?;
        check::positive("alpha", self.alpha)?;
        check_fill("fill", &self.fill)
    }
}

impl Transform for AugMixConfig {
    /// Mixes the image.
    ///
    /// # Source
    ///
    /// torchvision `AugMix`, with PIL's operations, where torchvision turns PIL images to tensors first; Hendrycks and
    /// others, "AugMix: A Simple Data Processing Method to Improve Robustness and Uncertainty", 2019,
    /// <https://arxiv.org/abs/1912.02781>.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        let draw = self.draw(image.size(), generator);
        self.mix(image, &draw);
    }

    fn description(&self) -> String {
        format!("aug_mix (severity {}, mixture_width {})", self.severity, self.mixture_width)
    }
}
