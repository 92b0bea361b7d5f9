//! The numbers of an evaluation that a schedule may watch.

use serde::{Deserialize, Serialize};

/// What is watched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlateauMetric {
    /// The evaluation's loss.
    #[default]
    Loss,
    /// The evaluation's accuracy.
    Accuracy,
}
