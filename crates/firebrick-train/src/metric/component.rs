//! What every metric can do.

use firebrick_component::{ArgumentError, Component};

use crate::image_record::ImageRecord;

/// A number that sums up an evaluation. Open: a program implements it for its own and makes it known with
/// [`MetricConfig::register`](super::MetricConfig::register).
pub trait Metric: Component {
    /// What the number is called in `metrics.jsonl`, `summary.json` and on the terminal: `top_5`.
    fn label(&self) -> String;

    /// Checks the arguments against the number of classes.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] for the argument that does not go with it.
    fn check_classes(&self, num_classes: usize) -> Result<(), ArgumentError> {
        let _ = num_classes;
        Ok(())
    }

    /// The number for these images, of a data set with `num_classes` classes.
    fn compute(&self, images: &[ImageRecord], num_classes: usize) -> f64;
}
