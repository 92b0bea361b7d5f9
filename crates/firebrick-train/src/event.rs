//! What a run tells while it runs. Progress bars, logs and an embedding program all hear the same.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::divergence::{Action, Divergence};

/// Answer of an [`Observer`](crate::Observer).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// End after this step, with a checkpoint.
    Stop,
}

/// One thing that happened. `step` counts finished optimiser steps from 1, `epoch` from 1.
///
/// `Step`, `Refused` and `Eval` are the lines of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run folder exists and the first step is about to begin.
    Started(Started),
    /// An optimiser step is done.
    Step(StepRecord),
    /// A step was not taken because a number was not finite, and the run goes on.
    Refused(RefusedRecord),
    /// A batch of a split was evaluated.
    Evaluating {
        /// Which split.
        split: Split,
        /// Samples done.
        images: usize,
        /// Samples in the split.
        total: usize,
    },
    /// A split was evaluated.
    Eval(EvalRecord),
    /// A checkpoint is safely on disk.
    Checkpoint(CheckpointRecord),
    /// Something a person should know, though nothing is wrong enough to stop.
    Notice {
        /// In one sentence.
        message: String,
    },
    /// The run is over and `summary.json` is written.
    Finished(Summary),
}

/// What a run is, said before its first step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Started {
    /// The run's folder.
    #[serde(serialize_with = "as_text")]
    pub run_dir: PathBuf,
    /// Model name.
    pub model: String,
    /// The network's parameters; running statistics are none.
    pub num_parameters: usize,
    /// Those of them that are not frozen at this step.
    pub num_trained: usize,
    /// Dataset name.
    pub dataset: String,
    /// Training samples in an epoch.
    pub num_train: usize,
    /// Validation samples; 0 without a validation split, and then the test split decides.
    pub num_validation: usize,
    /// Test samples.
    pub num_test: usize,
    /// Samples in a batch.
    pub batch_size: usize,
    /// Batches in a step.
    pub batches_per_step: usize,
    /// What is done to an image before the network sees it.
    pub transforms: Vec<String>,
    /// Backend name.
    pub backend: String,
    /// What the device calls itself.
    pub device: String,
    /// Epochs of the whole run.
    pub epochs: u64,
    /// Steps in an epoch.
    pub steps_per_epoch: u64,
    /// Steps of the whole run.
    pub total_steps: u64,
    /// Finished steps of an earlier process that this one goes on from; 0 for a fresh run.
    pub resumed_from_step: u64,
}

/// A line of `metrics.jsonl`: one optimiser step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Finished steps, this one included.
    pub step: u64,
    /// Which epoch.
    pub epoch: u64,
    /// The loss of the step's images, before the update: of one batch that holds them all.
    pub loss: f64,
    /// What the sum of the images' losses was divided by: their weights, 1 for a sum. Not in the file.
    #[serde(skip)]
    pub divisor: f64,
    /// Part of the step's images that was classified right, before the update.
    pub accuracy: f64,
    /// Learning rate of the update.
    pub lr: f64,
    /// Global L2 norm of the gradients, before clipping.
    pub grad_norm: f64,
    /// Samples of the step.
    pub images: usize,
    /// Samples per second of this step, loading included.
    pub images_per_second: f64,
}

/// A line of `metrics.jsonl`: a step in whose place nothing was updated. `diverged.json` says more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RefusedRecord {
    /// Finished steps, this one included.
    pub step: u64,
    /// Which epoch.
    pub epoch: u64,
    /// Which number was not finite.
    pub what: String,
    /// Its value: `NaN`, `inf` or `-inf`.
    pub value: String,
    /// Learning rate of the step.
    pub lr: f64,
    /// Samples in the batch.
    pub images: usize,
    /// What followed.
    pub action: Action,
}

impl RefusedRecord {
    pub(crate) fn of(divergence: &Divergence) -> Self {
        Self {
            step: divergence.step,
            epoch: divergence.epoch,
            what: divergence.what.clone(),
            value: divergence.value.to_string(),
            lr: divergence.lr,
            images: divergence.samples.len(),
            action: divergence.action,
        }
    }
}

/// A part of a data set that is evaluated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Chooses the best checkpoint and when to stop.
    Validation,
    /// Says at the end how good the network is; it also chooses where there is no validation split.
    #[default]
    Test,
}

impl Split {
    fn is_test(&self) -> bool {
        *self == Self::Test
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}

/// Which weights an evaluation was made with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightsKind {
    /// Those that the optimiser moves.
    #[default]
    Raw,
    /// Their running average, `trainer.ema`.
    Ema,
}

impl WeightsKind {
    fn is_raw(&self) -> bool {
        *self == Self::Raw
    }
}

/// A line of `metrics.jsonl`: one evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvalRecord {
    /// Finished steps.
    pub step: u64,
    /// Finished or current epoch.
    pub epoch: u64,
    /// Which split.
    pub split: Split,
    /// Which weights; left out for the raw ones.
    #[serde(default, skip_serializing_if = "WeightsKind::is_raw")]
    pub weights: WeightsKind,
    /// The loss over the split.
    pub loss: f64,
    /// Part of the samples that was classified right.
    pub accuracy: f64,
    /// The metrics of `trainer.metrics` by their labels, beside the accuracy; left out when there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
    /// Samples evaluated.
    pub images: usize,
    /// Time the evaluation took, in seconds.
    pub seconds: f64,
}

/// A checkpoint that is on disk.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckpointRecord {
    /// Finished steps it holds.
    pub step: u64,
    /// Its folder.
    #[serde(serialize_with = "as_text")]
    pub path: PathBuf,
    /// Whether it is the best so far.
    pub is_best: bool,
}

/// How a run ended: `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// `completed` or `stopped`.
    pub status: String,
    /// Finished optimiser steps.
    pub steps: u64,
    /// Finished epochs.
    pub epochs: u64,
    /// The split of `best`, `final`, `ema` and `metrics`; left out when it is the test split.
    #[serde(default, skip_serializing_if = "Split::is_test")]
    pub split: Split,
    /// The best evaluation at the end of an epoch; absent when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
    /// The last evaluation; absent when there was none.
    #[serde(rename = "final", skip_serializing_if = "Option::is_none")]
    pub last: Option<Score>,
    /// The last evaluation of the averaged weights; absent without `trainer.ema`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ema: Option<Score>,
    /// The metrics of `trainer.metrics` beside the accuracy, of the last evaluation; left out when there are
    /// none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
    /// The test split at the end; absent when it is `split`, and as long as the run is not at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<SplitScores>,
    /// Steps that were refused because a number was not finite; left out when there were none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recoveries: u64,
    /// Training speed over the run, evaluation and saving not counted.
    pub images_per_second: f64,
    /// SHA-256 over the final weights' names, shapes and bytes.
    pub weights_sha256: String,
    /// The same over the averaged weights; absent without `trainer.ema`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ema_sha256: Option<String>,
    /// Time in this process from the plan to the end, in seconds.
    pub seconds: f64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Summary {
    /// Whether both tell of the same steps and bits; times may differ.
    pub(crate) fn is_same_end(&self, other: &Self) -> bool {
        let timeless = |summary: &Self| Self { seconds: 0.0, ..summary.clone() };
        timeless(self) == timeless(other)
    }
}

/// The evaluation with the highest accuracy at the end of an epoch, the earliest among equals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Its epoch.
    pub epoch: u64,
    /// Its finished steps.
    pub step: u64,
    /// Its accuracy.
    pub accuracy: f64,
}

/// Loss and accuracy on a split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The loss over the split.
    pub loss: f64,
    /// Part classified right.
    pub accuracy: f64,
}

/// Everything that an evaluation of a split says: of the weights, and of their average where the run keeps one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitScores {
    /// The loss over the split.
    pub loss: f64,
    /// Part classified right.
    pub accuracy: f64,
    /// The metrics of `trainer.metrics` by their labels, beside the accuracy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
    /// Of the averaged weights; absent without `trainer.ema`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ema: Option<Score>,
}

impl SplitScores {
    /// Loss and accuracy of the weights themselves.
    pub fn score(&self) -> Score {
        Score { loss: self.loss, accuracy: self.accuracy }
    }
}

/// A path as text; what of it is no Unicode is replaced, for JSON can hold nothing else.
fn as_text<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}
