//! What each step of an epoch takes: one batch, or several that count as one.

use firebrick_data::{DataError, HostBatch};

/// The batches of an epoch, those of one step at a time. A step has `trainer.accumulate_grad_batches` of them, the
/// last one of an epoch perhaps fewer.
pub struct StepBatches {
    batches: Box<dyn Iterator<Item = Result<HostBatch, DataError>>>,
    batches_per_step: usize,
}

impl StepBatches {
    pub(crate) fn new(
        batches: impl Iterator<Item = Result<HostBatch, DataError>> + 'static,
        batches_per_step: usize,
    ) -> Self {
        Self { batches: Box::new(batches), batches_per_step }
    }
}

impl Iterator for StepBatches {
    type Item = Result<Vec<HostBatch>, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batches: Result<Vec<HostBatch>, DataError> =
            self.batches.by_ref().take(self.batches_per_step).collect();
        match batches {
            Ok(batches) if batches.is_empty() => None,
            batches => Some(batches),
        }
    }
}
