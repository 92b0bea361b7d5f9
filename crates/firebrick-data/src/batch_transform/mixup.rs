//! Mixup: every image of a batch is mixed with the one before it, and so are their targets.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::interface::{BatchTransform, MutableBatch};
use super::mix::{mix_rows, mix_targets};
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
        let values_per_image = batch.values_per_image();
        mix_rows(&mut batch.images, values_per_image, share);
        mix_targets(batch, share);
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
