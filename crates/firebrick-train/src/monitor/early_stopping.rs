//! Ending a run when its evaluations have stopped improving.
//!
//! # Source
//! Lightning's `EarlyStopping`: `patience` counts the evaluations in a row that were not better than
//! the best so far by more than `min_delta`.

use firebrick_component::{ArgumentError, check};
use serde::{Deserialize, Serialize};

use crate::event::Score;
use crate::schedule::PlateauMetric;

/// `trainer.early_stopping`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table such as early_stopping = { patience = 5 }")]
pub struct EarlyStoppingConfig {
    /// What must improve on the split that decides: `loss` falls, `accuracy` rises.
    pub metric: PlateauMetric,
    /// Evaluations in a row without improvement that end the run.
    pub patience: u64,
    /// The smallest change that counts as an improvement.
    pub min_delta: f64,
}

impl Default for EarlyStoppingConfig {
    fn default() -> Self {
        Self { metric: PlateauMetric::Loss, patience: 5, min_delta: 0.0 }
    }
}

impl EarlyStoppingConfig {
    /// Checks ranges.
    ///
    /// # Errors
    ///
    /// The first wrong argument.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        check::that(self.patience >= 1, "patience", self.patience, "at least 1")?;
        check::non_negative("min_delta", self.min_delta)
    }
}

/// What has been seen so far; part of a checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    best: Option<f64>,
    /// Evaluations since the best.
    waited: u64,
    /// What `best` is a value of; absent before the first evaluation, and in checkpoints of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metric: Option<PlateauMetric>,
}

impl EarlyStopping {
    /// Hears an evaluation. Where a run was resumed with another metric, it begins anew.
    pub fn observe(&mut self, config: &EarlyStoppingConfig, score: Score) {
        if self.metric.is_some_and(|metric| metric != config.metric) {
            *self = Self::default();
        }
        self.metric = Some(config.metric);
        // Larger is better for both from here on.
        let value = match config.metric {
            PlateauMetric::Loss => -score.loss,
            PlateauMetric::Accuracy => score.accuracy,
        };
        if self.best.is_none_or(|best| value > best + config.min_delta) {
            self.best = Some(value);
            self.waited = 0;
        } else {
            self.waited += 1;
        }
    }

    /// Whether the patience is at its end.
    pub fn is_over(&self, config: &EarlyStoppingConfig) -> bool {
        self.waited >= config.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waited_for(config: &EarlyStoppingConfig, scores: &[(f64, f64)]) -> Vec<bool> {
        let mut state = EarlyStopping::default();
        let mut over = |(loss, accuracy): &(f64, f64)| {
            state.observe(config, Score { loss: *loss, accuracy: *accuracy });
            state.is_over(config)
        };
        scores.iter().map(&mut over).collect()
    }

    #[test]
    fn patience_counts_evaluations_without_improvement_in_a_row() {
        let config = EarlyStoppingConfig { patience: 2, ..EarlyStoppingConfig::default() };
        let scores = [(1.0, 0.1), (1.1, 0.9), (0.9, 0.0), (0.9, 0.0), (0.95, 0.0)];
        assert_eq!(waited_for(&config, &scores), [false, false, false, false, true]);
    }

    #[test]
    fn another_metric_begins_anew() {
        let mut stopping = EarlyStopping::default();
        let accuracy = EarlyStoppingConfig {
            metric: PlateauMetric::Accuracy,
            patience: 2,
            ..EarlyStoppingConfig::default()
        };
        let loss = EarlyStoppingConfig { metric: PlateauMetric::Loss, ..accuracy };
        for (config, value) in [(&accuracy, 2.0), (&accuracy, 2.0), (&loss, 1.9), (&loss, 1.8), (&loss, 1.7)]
        {
            stopping.observe(config, Score { loss: value, accuracy: 0.5 });
            assert!(!stopping.is_over(config), "{stopping:?}");
        }
    }

    #[test]
    fn a_change_within_min_delta_is_no_improvement() {
        let config = EarlyStoppingConfig { metric: PlateauMetric::Accuracy, patience: 1, min_delta: 0.1 };
        assert_eq!(waited_for(&config, &[(0.0, 0.5), (0.0, 0.7), (0.0, 0.75)]), [false, false, true]);
    }
}
