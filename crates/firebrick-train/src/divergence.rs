//! `diverged.json`: everything known about a step whose loss, gradients or weights were not finite.

use serde::{Serialize, Serializer};

use crate::norms::{ParameterNorms, number_or_name};

/// A step that was refused, and what followed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Divergence {
    /// The step, from 1. Its update was not applied.
    pub step: u64,
    /// Its epoch, from 1.
    pub epoch: u64,
    /// Which number was not finite.
    pub what: String,
    /// Its value.
    #[serde(serialize_with = "number_or_name")]
    pub value: f64,
    /// Learning rate of the step.
    pub lr: f64,
    /// Loss of its batch; absent when the number was found outside a step.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number_or_name_if_any")]
    pub loss: Option<f64>,
    /// Global L2 norm of its gradients; absent when the number was found outside a step.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number_or_name_if_any")]
    pub grad_norm: Option<f64>,
    /// Positions of the batch's samples in the training split, in the batch's order.
    pub samples: Vec<usize>,
    /// Norms of each parameter before the step and of its gradient.
    pub parameters: Vec<ParameterNorms>,
    /// What followed.
    pub action: Action,
    /// Recoveries so far, this one included.
    pub recoveries: u64,
}

fn number_or_name_if_any<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => number_or_name(value, serializer),
        None => serializer.serialize_none(),
    }
}

impl std::fmt::Display for Divergence {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { step, what, value, action, recoveries, .. } = self;
        write!(formatter, "step {step}: {what} is {value}; ")?;
        match action {
            Action::Stopped => write!(formatter, "the run ends"),
            Action::SkippedBatch => write!(formatter, "its update was skipped (recovery {recoveries})"),
            Action::Restored { step } => {
                write!(formatter, "went back to the weights of step {step} (recovery {recoveries})")
            }
        }
    }
}

/// What followed a refused step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Action {
    /// The run ended.
    Stopped,
    /// The run went on with the next batch.
    SkippedBatch,
    /// The weights and the optimiser went back to this finished step, and the run on with the next
    /// batch.
    Restored {
        /// Finished steps of the checkpoint.
        step: u64,
    },
}
