//! Classes of different sizes: what `data.class_weights` and `data.sampler` do about them.

use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// How much the images of a class count in the loss: `data.class_weights`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeights {
    /// Images of rare classes count more, so that all classes count the same.
    Balanced,
}

impl ClassWeights {
    /// The weight of each class, of which the training split has `counts` images: the number of images, divided by the number of
    /// classes times the images of the class.
    ///
    /// # Errors
    ///
    /// [`DataError::Argument`] for a class without images.
    ///
    /// # Source
    ///
    /// `sklearn.utils.class_weight.compute_class_weight("balanced", ..)`
    pub fn resolve(self, counts: &[usize], class_names: &[String]) -> Result<Vec<f64>, DataError> {
        if let Some(class) = counts.iter().position(|count| *count == 0) {
            let name = class_names.get(class).map_or("", String::as_str);
            let expected =
                format!("a training image of every class (there is none of class {class}, {name})");
            return Err(DataError::argument("class_weights", expected, "\"balanced\""));
        }
        let total: usize = counts.iter().sum();
        let weight = |count: &usize| total as f64 / (counts.len() * count) as f64;
        Ok(counts.iter().map(weight).collect())
    }
}

/// Which training images an epoch has, and in which order: `data.sampler`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// Every image once.
    #[default]
    All,
    /// As many images as there are, each drawn anew: first a class, all alike, then one of its images. Some come several
    /// times, each time augmented in another way, and some not at all. That is torch's `WeightedRandomSampler` with
    /// the reciprocals of the classes' sizes for weights.
    Balanced,
}

impl Sampler {
    /// True for what a config need not say.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The samples of each class.
pub(crate) fn by_class(labels: &[u32], num_classes: usize) -> Vec<Vec<usize>> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); num_classes];
    for (index, label) in labels.iter().enumerate() {
        members[*label as usize].push(index);
    }
    members
}
