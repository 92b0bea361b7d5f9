//! Which network a file of weights belongs to, by the names and shapes of its tensors.

use std::collections::BTreeMap;
use std::path::Path;

use firebrick_component::{ArgumentError, Family, text};
use firebrick_models::ModelConfig;
use firebrick_models::weights;

use super::networks::network;
use crate::config::ConfigError;
use crate::error::TrainError;

/// The network of the zoo whose parameters have exactly the names of the file's tensors, and their shapes but for the last
/// layer.
///
/// # Errors
///
/// [`TrainError::Weights`] for a file that cannot be read, [`TrainError::Config`] for one that fits no network.
pub(super) fn network_of(path: &Path) -> Result<ModelConfig, TrainError> {
    let found: BTreeMap<String, Vec<usize>> =
        weights::tensors(path)?.into_iter().map(|tensor| (tensor.name, tensor.shape)).collect();
    let names = ModelConfig::names().into_iter();
    let fitting = names.filter_map(network).find(|network| fits(network, &found));
    fitting.ok_or_else(|| {
        let message = ArgumentError::new(
            "model.name",
            "the network that these weights are of, as in --set model.name=resnet18",
            format!("nothing, and {} has the names of no known network", text::path(path)),
        );
        ConfigError::Unplaced { message: message.to_string() }.into()
    })
}

fn fits(network: &ModelConfig, found: &BTreeMap<String, Vec<usize>>) -> bool {
    let Ok(plan) = network.build() else { return false };
    let last = plan.layers().iter().rposition(|layer| layer.num_parameters() > 0);
    let mut count = 0;
    for (place, layer) in plan.layers().iter().enumerate() {
        for parameter in &layer.parameters {
            let name = format!("{}.{}", layer.path, parameter.name);
            let Some(shape) = found.get(&name) else { return false };
            let is_same = *shape == parameter.shape;
            if Some(place) != last && !is_same {
                return false;
            }
            count += 1;
        }
    }
    let is_counter = |name: &&String| name.ends_with("num_batches_tracked");
    count == found.keys().filter(|name| !is_counter(name)).count()
}
