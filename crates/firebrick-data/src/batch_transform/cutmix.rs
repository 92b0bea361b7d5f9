//! CutMix: every image of a batch gets a rectangle of the one before it, and its targets a share by area.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::interface::{BatchTransform, MutableBatch};
use super::mix::mix_targets;
use crate::random::{below, symmetric_beta, unit};
use crate::shape::ImageSize;
use crate::transform::functional::Window;

/// Arguments of `cutmix`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CutmixConfig {
    /// The area that an image keeps is drawn from Beta(alpha, alpha), once a batch. 1: all areas are as likely; below 1:
    /// areas near none and all are more likely. Finite, above 0.
    pub alpha: f64,
    /// Probability that a batch is mixed at all, 0 to 1.
    pub p: f64,
}

impl Default for CutmixConfig {
    fn default() -> Self {
        Self { alpha: 1.0, p: 1.0 }
    }
}

impl CutmixConfig {
    /// Draws the rectangle that comes from the other image, and the share of the area that is left.
    ///
    /// # Source
    ///
    /// torchvision `v2.CutMix.make_params`: the middle lies anywhere, and what leaves the image is lost.
    pub fn draw(&self, image: ImageSize, generator: &mut ChaCha8Rng) -> (Window, f64) {
        let share = symmetric_beta(generator, self.alpha);
        let half = 0.5 * (1.0 - share).sqrt();
        let mut span = |side: usize| {
            let middle = below(generator, side as u64) as usize;
            let half = (half * side as f64) as usize;
            let (start, end) = (middle.saturating_sub(half), (middle + half).min(side));
            (start, end - start)
        };
        let (left, width) = span(image.width);
        let (top, height) = span(image.height);
        let area = (image.width * image.height) as f64;
        (Window { top, left, height, width }, 1.0 - (width * height) as f64 / area)
    }

    /// Puts `window` of the image before it into every image, that of the last into the first; `share` is the
    /// share of an image's own target.
    pub fn mix(&self, batch: &mut MutableBatch, window: Window, share: f64) {
        let [num, channels, height, width] = batch.shape;
        let values_per_image = batch.values_per_image();
        let inside = |start: usize, length: usize, side: usize| start.min(side)..(start + length).min(side);
        let (rows, columns) =
            (inside(window.top, window.height, height), inside(window.left, window.width, width));
        let places: Vec<std::ops::Range<usize>> = (0..channels)
            .flat_map(|channel| rows.clone().map(move |row| (channel * height + row) * width))
            .map(|row| row + columns.start..row + columns.end)
            .collect();
        let last: Vec<f32> = match num.checked_sub(1) {
            Some(last) => batch.images[last * values_per_image..].to_vec(),
            None => return,
        };
        // From the end, so that the image before is still as it was.
        for image in (0..num).rev() {
            let (before, rest) = batch.images.split_at_mut(image * values_per_image);
            let previous = if image == 0 { &last[..] } else { &before[(image - 1) * values_per_image..] };
            for place in &places {
                rest[place.clone()].copy_from_slice(&previous[place.clone()]);
            }
        }
        mix_targets(batch, share);
    }
}

impl Component for CutmixConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::positive("alpha", self.alpha)?;
        check::unit_interval("p", self.p)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.p > 0.0, "", "p = 0 mixes nothing")
    }
}

impl BatchTransform for CutmixConfig {
    /// Mixes the batch, or leaves it and its targets as they are.
    ///
    /// # Source
    ///
    /// torchvision `v2.CutMix`; Yun and others, "CutMix: Regularization Strategy to Train Strong Classifiers with
    /// Localizable Features", 2019, <https://arxiv.org/abs/1905.04899>.
    fn apply(&self, batch: &mut MutableBatch, generator: &mut ChaCha8Rng) {
        if unit(generator) < self.p {
            let [_, _, height, width] = batch.shape;
            let (window, share) = self.draw(ImageSize { height, width }, generator);
            self.mix(batch, window, share);
        }
    }

    fn gives_probabilities(&self) -> bool {
        self.p > 0.0
    }

    fn description(&self) -> String {
        format!("cutmix (alpha {}, p {})", self.alpha, self.p)
    }
}
