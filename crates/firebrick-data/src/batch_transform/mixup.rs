//! Mixup: every image of a batch is mixed with the one before it, and so are their targets.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::interface::{BatchTransform, MutableBatch};
use crate::batch::HostTargets;
use crate::random::{symmetric_beta, unit};

/// Arguments of `mixup`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MixupConfig {
    /// An image's own share is drawn from Beta(alpha, alpha), once a batch. 1: all shares are as likely; below 1:
    /// shares near 0 and 1 are more likely. Finite, above 0.
    pub alpha: f64,
    /// Probability that a batch is mixed at all, 0 to 1.
    pub p: f64,
}

impl Default for MixupConfig {
    fn default() -> Self {
        Self { alpha: 1.0, p: 1.0 }
    }
}

impl MixupConfig {
    /// Mixes every image with the one before it, the first with the last: `share` of its own, the rest of
    /// the other.
    pub fn mix(&self, batch: &mut MutableBatch, share: f64) {
        let (values_per_image, num_classes) = (batch.values_per_image(), batch.num_classes);
        mix_rows(&mut batch.images, values_per_image, share);
        let targets = std::mem::replace(&mut batch.targets, HostTargets::Classes(Vec::new()));
        let mut values = targets.into_probabilities(num_classes);
        mix_rows(&mut values, num_classes, share);
        batch.targets = HostTargets::Probabilities { values, num_classes };
    }
}

impl Component for MixupConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::positive("alpha", self.alpha)?;
        check::unit_interval("p", self.p)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.p > 0.0, "", "p = 0 mixes nothing")
    }
}

impl BatchTransform for MixupConfig {
    /// Mixes the batch, or leaves it and its targets as they are.
    ///
    /// # Source
    ///
    /// torchvision `v2.MixUp`; Zhang and others, "mixup: Beyond Empirical Risk Minimization", 2017,
    /// <https://arxiv.org/abs/1710.09412>.
    fn apply(&self, batch: &mut MutableBatch, generator: &mut ChaCha8Rng) {
        if unit(generator) < self.p {
            let share = symmetric_beta(generator, self.alpha);
            self.mix(batch, share);
        }
    }

    fn gives_probabilities(&self) -> bool {
        self.p > 0.0
    }

    fn description(&self) -> String {
        format!("mixup (alpha {}, p {})", self.alpha, self.p)
    }
}

/// Each row becomes `share` of itself plus the rest of the row before it, which for the first is the last. As
/// torch's `x.roll(1, 0).mul(1 - share).add(x.mul(share))` does it: the two factors are rounded to f32, and
/// so are both products and the sum.
fn mix_rows(values: &mut [f32], row: usize, share: f64) {
    let (own, other) = (share as f32, (1.0 - share) as f32);
    let Some(last) = values.chunks_exact(row.max(1)).last().map(<[f32]>::to_vec) else { return };
    // From the end, so that the row before is still as it was.
    for number in (1..values.len() / row).rev() {
        let (before, rest) = values.split_at_mut(number * row);
        let previous = &before[(number - 1) * row..];
        for (value, previous) in rest[..row].iter_mut().zip(previous) {
            *value = previous * other + *value * own;
        }
    }
    for (value, previous) in values[..row].iter_mut().zip(&last) {
        *value = previous * other + *value * own;
    }
}
