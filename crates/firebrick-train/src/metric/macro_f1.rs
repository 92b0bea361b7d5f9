//! The F1 score of each class, averaged over the classes: every class counts alike, however rare it is.
//!
//! A class that neither occurs nor is predicted does not count.
//!
//! # Source
//! torchmetrics' `MulticlassF1Score(average = "macro")`.

use firebrick_component::Component;
use serde::{Deserialize, Serialize};

use super::component::Metric;
use crate::image_record::ImageRecord;

/// Arguments of [macro_f1](self): none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MacroF1Config {}

impl Component for MacroF1Config {}

impl Metric for MacroF1Config {
    fn label(&self) -> String {
        "macro_f1".to_owned()
    }

    fn compute(&self, images: &[ImageRecord], num_classes: usize) -> f64 {
        let (mut hits, mut occurrences) = (vec![0_u64; num_classes], vec![0_u64; num_classes]);
        for image in images {
            // A class's F1 is 2 hits / (images of the class + images taken for it).
            occurrences[image.label] += 1;
            occurrences[image.predicted()] += 1;
            hits[image.label] += u64::from(image.is_correct());
        }
        let scores: Vec<f64> = hits
            .iter()
            .zip(&occurrences)
            .filter(|(_, occurrences)| **occurrences > 0)
            .map(|(hits, occurrences)| 2.0 * *hits as f64 / *occurrences as f64)
            .collect();
        scores.iter().sum::<f64>() / scores.len().max(1) as f64
    }
}
