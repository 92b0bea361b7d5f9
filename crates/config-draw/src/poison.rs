//! Batches that are not finite, for `trainer.on_divergence` to act on.

use firebrick::component::{ArgumentError, Component, check};
use firebrick::data::BatchTransformConfig;
use firebrick::data::batch_transform::{BatchTransform, MutableBatch};
use firebrick::data::random::unit;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The name of the batch transform in a config.
pub const POISON: &str = "not_a_number";

/// Makes a pixel of some batches NaN. Which batches those are follows from the run's seed, the epoch and the number of
/// the batch, so a run that was stopped meets the same ones as a run that was not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoisonConfig {
    /// Probability that it is this batch, 0 to 1.
    pub p: f64,
}

impl Component for PoisonConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::unit_interval("p", self.p)
    }
}

impl BatchTransform for PoisonConfig {
    fn apply(&self, batch: &mut MutableBatch, generator: &mut ChaCha8Rng) {
        let is_this_one = unit(generator) < self.p;
        if let (true, Some(pixel)) = (is_this_one, batch.images.first_mut()) {
            *pixel = f32::NAN;
        }
    }

    fn gives_probabilities(&self) -> bool {
        false
    }

    fn description(&self) -> String {
        format!("{POISON} (p {})", self.p)
    }
}

/// Makes [`POISON`] a name that configs of this process may use. A second call changes nothing.
pub fn register() {
    // The only error is that the name is taken: by an earlier call.
    let _ = BatchTransformConfig::register::<PoisonConfig>(POISON);
}
