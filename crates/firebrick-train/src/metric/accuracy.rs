//! The part of the images that is classified right.

use firebrick_component::Component;
use serde::{Deserialize, Serialize};

use super::component::Metric;
use crate::image_record::ImageRecord;

/// Arguments of [accuracy](self): none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccuracyConfig {}

impl Component for AccuracyConfig {}

impl Metric for AccuracyConfig {
    fn label(&self) -> String {
        "accuracy".to_owned()
    }

    fn compute(&self, images: &[ImageRecord], _num_classes: usize) -> f64 {
        let correct = images.iter().filter(|image| image.is_correct()).count();
        correct as f64 / images.len().max(1) as f64
    }
}
