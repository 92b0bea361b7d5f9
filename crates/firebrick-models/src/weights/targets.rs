//! The parameters of a model as a file would have them, and what each of them gets.

use super::file::Layout;
use super::names::{indexed_names, split_leaf};
use crate::classifier::ImageClassifier;
use crate::parameters::{ParameterInfo, parameter_infos};

/// A counter of BatchNorm in torch, which nothing here needs.
pub(super) const BATCH_NORM_COUNTER: &str = "num_batches_tracked";
/// The counter of torch's `AveragedModel`.
const AVERAGE_COUNTER: &str = "n_averaged";

/// The parameters of a model as a file would have them.
pub(crate) struct Targets {
    pub(crate) model: String,
    pub(crate) parameters: Vec<Target>,
    /// The last layer with parameters, the one that depends on the number of classes.
    head: Option<String>,
}

/// One parameter that wants a tensor.
pub(crate) struct Target {
    pub(crate) info: ParameterInfo,
    pub(super) indexed_name: String,
    /// Its shape in the file's layout.
    pub(super) file_shape: Vec<usize>,
}

impl Target {
    /// The number of classes that a tensor of the last layer is for, if its shape is this parameter's but for that number.
    pub(super) fn other_classes(&self, shape: &[usize], layout: Layout) -> Option<usize> {
        let axis = if self.info.is_linear_weight && layout == Layout::Burn { 1 } else { 0 };
        let mut same = shape.to_vec();
        let classes = std::mem::replace(same.get_mut(axis)?, *self.file_shape.get(axis)?);
        (same == self.file_shape && classes != self.file_shape[axis]).then_some(classes)
    }
}

impl Targets {
    pub(crate) fn of<M: ImageClassifier>(model: &M, layout: Layout) -> Self {
        let infos = parameter_infos(model);
        let indexed = indexed_names(&infos, model.network());
        let head = infos.last().map(|info| split_leaf(&info.name).0.to_owned());
        let parameters = infos
            .into_iter()
            .zip(indexed)
            .map(|(info, indexed_name)| Target { file_shape: file_shape(&info, layout), indexed_name, info })
            .collect();
        Self { model: model.name(), parameters, head }
    }

    pub(super) fn is_head(&self, target: &Target) -> bool {
        self.head.as_deref() == Some(split_leaf(&target.info.name).0)
    }
}

fn file_shape(info: &ParameterInfo, layout: Layout) -> Vec<usize> {
    let mut shape = info.shape.clone();
    if info.is_linear_weight && layout == Layout::Burn {
        shape.reverse();
    }
    shape
}

/// The tensor that a parameter gets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Match {
    /// Its position in the file.
    pub(crate) tensor: usize,
    /// True if something else in the file has the same shape, so that the order alone decided.
    pub(crate) by_order_alone: bool,
}

pub(super) fn is_counter(name: &str) -> bool {
    [BATCH_NORM_COUNTER, AVERAGE_COUNTER].contains(&split_leaf(name).1)
}
