//! The part of the images whose class is among the k most probable ones.
//!
//! # Source
//! torchmetrics' `MulticlassAccuracy(top_k = k, average = "micro")`.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::component::Metric;
use crate::image_record::{ImageRecord, MAX_TOP};

/// Arguments of [top_k](self).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TopKConfig {
    /// How many of the most probable classes count, 1 to 5.
    pub k: usize,
}

impl Default for TopKConfig {
    fn default() -> Self {
        Self { k: 5 }
    }
}

impl Component for TopKConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("k", self.k, 1, MAX_TOP)
    }
}

impl Metric for TopKConfig {
    fn label(&self) -> String {
        format!("top_{}", self.k)
    }

    fn check_classes(&self, num_classes: usize) -> Result<(), ArgumentError> {
        check::that(
            self.k <= num_classes,
            "k",
            self.k,
            format!("at most {num_classes}, the number of classes"),
        )
    }

    fn compute(&self, images: &[ImageRecord], _num_classes: usize) -> f64 {
        let is_found =
            |image: &&ImageRecord| image.top().iter().take(self.k).any(|top| top.class == image.label);
        images.iter().filter(is_found).count() as f64 / images.len().max(1) as f64
    }
}
