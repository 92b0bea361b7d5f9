//! How many classes the network in a file tells apart, seen at its last layer.

use std::path::Path;

use super::error::WeightsError;
use super::open;
use crate::network::NetworkPlan;

/// How many classes the network in a file tells apart: the length of its last layer's bias, found under the name that it
/// has in `network`, behind any prefix. None where no tensor has that name, or several of different lengths have.
///
/// Only the list of tensors is read.
///
/// # Errors
///
/// [`WeightsError`]: the file cannot be read or is damaged.
pub fn classes_in_file(network: &NetworkPlan, path: &Path) -> Result<Option<usize>, WeightsError> {
    let head = network.layers().iter().rfind(|layer| !layer.parameters.is_empty());
    let Some(head) = head.filter(|layer| layer.parameters.iter().any(|spec| spec.name == "bias")) else {
        return Ok(None);
    };
    let name = format!("{}.bias", head.path);
    let is_head = |tensor: &str| {
        tensor.strip_suffix(&name).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    let file = open::open(path)?;
    let mut found = None;
    for tensor in file.tensors.iter().filter(|tensor| is_head(&tensor.name)) {
        match (tensor.shape.as_slice(), found) {
            (&[classes], None) => found = Some(classes),
            (&[classes], Some(known)) if classes == known => {}
            _ => return Ok(None),
        }
    }
    Ok(found)
}
