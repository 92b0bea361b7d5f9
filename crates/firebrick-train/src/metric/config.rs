//! The list of metrics.

use std::collections::BTreeMap;

use firebrick_component::{ArgumentError, components};

use super::accuracy::AccuracyConfig;
use super::component::Metric;
use super::macro_f1::MacroF1Config;
use super::top_k::TopKConfig;
use crate::image_record::ImageRecord;

components! {
    /// Whatever `[trainer] metrics` may list.
    pub enum MetricConfig: dyn Metric, "metric" {
        /// The part of the images that is classified right.
        Accuracy(AccuracyConfig) = "accuracy",
        /// The part of the images whose class is among the k most probable.
        TopK(TopKConfig) = "top_k",
        /// The mean over the classes of precision and recall's harmonic mean.
        MacroF1(MacroF1Config) = "macro_f1",
    }
}

impl MetricConfig {
    /// What `[trainer] metrics` is when it is left out.
    pub fn default_list() -> Vec<Self> {
        vec![AccuracyConfig {}.into()]
    }

    /// Whether the list is the default one.
    pub fn is_default_list(list: &[Self]) -> bool {
        *list == Self::default_list()
    }
}

/// Checks every metric of `list` against the number of classes.
///
/// # Errors
///
/// [`ArgumentError`] with the key from `[trainer]` on: `metrics[0].k`.
pub fn check_classes(list: &[MetricConfig], num_classes: usize) -> Result<(), ArgumentError> {
    list.iter().enumerate().try_for_each(|(index, metric)| {
        metric.check_classes(num_classes).map_err(|error| error.within(format!("metrics[{index}]")))
    })
}

/// The metrics of `list` by label. The accuracy, which every record of an evaluation has anyway, is left out; so
/// is a number that is not finite, which JSON cannot hold.
pub(crate) fn compute(
    list: &[MetricConfig],
    images: &[ImageRecord],
    num_classes: usize,
) -> BTreeMap<String, f64> {
    list.iter()
        .filter(|metric| !matches!(metric, MetricConfig::Accuracy(_)))
        .map(|metric| (metric.label(), metric.compute(images, num_classes)))
        .filter(|(_, value)| value.is_finite())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::confusion;
    use crate::softmax::Probabilities;

    /// Scores of three classes, and the label.
    fn record((label, scores): (usize, [f32; 3])) -> ImageRecord {
        ImageRecord::new(0, label, &scores, &Probabilities::of(&scores, false), [0.0, 1.0])
    }

    fn images() -> Vec<ImageRecord> {
        // Predicted 0, 1, 0, 1; right are the first two.
        let images =
            [(0, [3.0, 2.0, 1.0]), (1, [0.0, 3.0, 1.0]), (1, [2.0, 1.0, 0.0]), (2, [0.0, 2.0, -1.0])];
        images.into_iter().map(record).collect()
    }

    #[test]
    fn more_places_than_classes_are_refused() {
        let list = [MetricConfig::default_list(), vec![TopKConfig { k: 4 }.into()]].concat();
        assert_eq!(check_classes(&list, 4), Ok(()));
        let error = ArgumentError::new("metrics[1].k", "at most 3, the number of classes", 4);
        assert_eq!(check_classes(&list, 3), Err(error));
    }

    #[test]
    fn metrics_are_what_a_hand_computes() {
        let images = images();
        assert_eq!(AccuracyConfig {}.compute(&images, 3), 0.5);
        let top = |k| TopKConfig { k }.compute(&images, 3);
        assert_eq!([top(1), top(2), top(3)], [0.5, 0.75, 1.0]);
        // F1: 2/3 (one hit, two predictions), 2/4, 0.
        let f1 = MacroF1Config {}.compute(&images, 3);
        assert!((f1 - (2.0 / 3.0 + 0.5) / 3.0).abs() < 1e-12, "{f1}");
        assert_eq!(confusion(&images, 3), [[1, 0, 0], [1, 1, 0], [0, 1, 0]]);
    }

    #[test]
    fn no_images_and_classes_that_do_not_occur_are_no_trouble() {
        assert_eq!(compute(&MetricConfig::default_list(), &[], 3), BTreeMap::new());
        assert_eq!(MacroF1Config {}.compute(&[], 3), 0.0);
        let right = [record((0, [1.0, 0.0, 0.0]))];
        assert_eq!(MacroF1Config {}.compute(&right, 3), 1.0);
    }
}
