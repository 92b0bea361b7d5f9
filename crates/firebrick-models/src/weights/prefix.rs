//! The name in front of every parameter: `module.`, `model1.`, or whatever a network's attribute is
//! called.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::error::WeightsError;
use super::file::FileTensor;

/// Names that frameworks and courses put in front of every parameter.
const KNOWN_PREFIXES: [&str; 6] = ["module", "_orig_mod", "model", "model1", "net", "network"];

/// The prefix under which most of `names` are in the file, and how many; `None` if none is.
pub(super) fn find_prefix(
    path: &Path,
    tensors: &[FileTensor],
    names: &[&str],
) -> Result<Option<(String, usize)>, WeightsError> {
    let wanted: HashSet<&str> = names.iter().copied().collect();
    let depth = names.iter().map(|name| name.split('.').count()).max().unwrap_or(0);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for tensor in tensors {
        let dots = tensor.name.rmatch_indices('.').map(|(dot, _)| dot + 1);
        let starts = dots.take(depth).chain(std::iter::once(0));
        let fits = starts.filter(|start| wanted.contains(&tensor.name[*start..]));
        for start in fits.collect::<HashSet<_>>() {
            *counts.entry(&tensor.name[..start]).or_default() += 1;
        }
    }
    let Some(most) = counts.values().copied().max() else {
        return Ok(None);
    };
    let best: Vec<&str> =
        counts.into_iter().filter(|(_, count)| *count == most).map(|(prefix, _)| prefix).collect();
    let known = best.iter().filter(|prefix| is_known(prefix));
    match (known.min_by_key(|prefix| prefix.len()), best.as_slice()) {
        (Some(prefix), _) | (None, [prefix]) => Ok(Some(((*prefix).to_owned(), most))),
        // Parts of somebody else's network, `features.0` and `classifier.0`: no names of ours.
        (None, _) if most < names.len() => Ok(None),
        (None, _) => Err(WeightsError::AmbiguousPrefix {
            path: path.to_owned(),
            prefixes: best.into_iter().map(str::to_owned).collect(),
        }),
    }
}

fn is_known(prefix: &str) -> bool {
    let mut segments = prefix.split_terminator('.');
    segments.all(|segment| KNOWN_PREFIXES.contains(&segment))
}
