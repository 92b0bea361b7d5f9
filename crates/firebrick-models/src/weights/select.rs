//! Which part of a file is the network, where a checkpoint holds more than one thing.

use std::collections::BTreeSet;

use super::error::WeightsError;
use super::file::{Choice, WeightsFile};
use super::matching::{Fit, LoadOptions, Plan, fit, match_tensors};
use super::targets::Targets;

/// Keys of the network itself, where an average of it or another network fits as well; the likeliest first.
const NETWORK_KEYS: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// How the tensors that lie under no key are called.
const TOP: &str = "the file's top level";

/// What an error lists at most of a file's parts.
const PARTS_SHOWN: usize = 20;

/// The part of `file` that is the network, and what goes where.
///
/// The part is the one that `options.key` names; without it, the one that fits best. An optimiser's state is never
/// one.
///
/// # Errors
///
/// [`WeightsError::NoSuchKey`], [`WeightsError::NoNetwork`], [`WeightsError::AmbiguousPrefix`] where several
/// networks fit equally well, and whatever does not fit.
pub(crate) fn select(
    file: WeightsFile,
    targets: &Targets,
    options: LoadOptions,
) -> Result<(WeightsFile, Plan), WeightsError> {
    if file.tensors.is_empty() && !file.optimizers.is_empty() {
        return Err(WeightsError::NoNetwork {
            path: file.path,
            optimizers: file.optimizers,
            keys: file.keys,
        });
    }
    let chosen = match options.key {
        Some(key) => named_part(&file, key)?,
        None => best_part(file, targets)?,
    };
    let plan = match_tensors(&chosen, targets, options)?;
    Ok((chosen, plan))
}

fn named_part(file: &WeightsFile, key: &str) -> Result<WeightsFile, WeightsError> {
    let (part, _) = file.part(key.trim_end_matches('.'));
    if !part.tensors.is_empty() {
        return Ok(part);
    }
    let mut known = file.parts.clone();
    if known.is_empty() {
        let first = file.tensors.iter().filter_map(|tensor| Some(tensor.name.split_once('.')?.0.to_owned()));
        known = first.collect::<BTreeSet<_>>().into_iter().collect();
    }
    known.truncate(PARTS_SHOWN);
    let (path, key) = (file.path.clone(), key.to_owned());
    Err(WeightsError::NoSuchKey { path, key, known, optimizers: file.optimizers.clone() })
}

/// A part of a file that may be the network.
struct Candidate {
    key: String,
    file: WeightsFile,
    fit: Fit,
    /// Where its matched tensors lie in the whole file.
    tensors: BTreeSet<usize>,
}

impl Candidate {
    fn of_part(file: &WeightsFile, key: &str, targets: &Targets) -> Option<Self> {
        let (part, positions) = file.part(key);
        let fit = fit(&part, targets).ok()?;
        let tensors = fit.tensors.iter().map(|tensor| positions[*tensor]).collect();
        Some(Self { key: key.to_owned(), file: part, fit, tensors })
    }

    /// The tensors that lie in no part, where all of the network is among them: what a script saved together with its own
    /// state dict.
    fn of_top(file: &WeightsFile, targets: &Targets) -> Option<Self> {
        let (top, positions) = file.top();
        let fit = fit(&top, targets).ok().filter(|fit| fit.is_by_name && fit.num_problems == 0)?;
        let tensors = fit.tensors.iter().map(|tensor| positions[*tensor]).collect();
        Some(Self { key: TOP.to_owned(), file: top, fit, tensors })
    }

    /// The place of its key among those of a network itself.
    fn place(&self) -> usize {
        let key = self.key.as_str();
        if key == TOP {
            return 0;
        }
        NETWORK_KEYS.iter().position(|known| *known == key).unwrap_or(NETWORK_KEYS.len())
    }

    /// Fewer problems first; names count more than order and shape.
    fn rank(&self) -> (usize, bool) {
        (self.fit.num_problems, !self.fit.is_by_name)
    }
}

fn best_part(mut file: WeightsFile, targets: &Targets) -> Result<WeightsFile, WeightsError> {
    let mut candidates: Vec<Candidate> =
        file.parts.iter().filter_map(|key| Candidate::of_part(&file, key, targets)).collect();
    candidates.extend(Candidate::of_top(&file, targets));
    let Some(best) = candidates.iter().map(Candidate::rank).min() else {
        file.ignored.clone_from(&file.optimizers);
        return Ok(file);
    };
    let whole = fit(&file, targets);
    let whole_is_better = whole.as_ref().is_ok_and(|fit| (fit.num_problems, !fit.is_by_name) < best);
    if whole_is_better {
        file.ignored.clone_from(&file.optimizers);
        return Ok(file);
    }
    let by_name: Vec<(String, BTreeSet<usize>)> = candidates
        .iter()
        .filter(|candidate| candidate.fit.is_by_name)
        .map(|candidate| (candidate.key.clone(), candidate.tensors.clone()))
        .collect();
    candidates.retain(|candidate| candidate.rank() == best);
    // The same tensors under an outer and an inner key: the inner one is the state dict.
    let mut distinct: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        match distinct.iter_mut().find(|known| known.tensors == candidate.tensors) {
            Some(known) if candidate.place() <= known.place() => *known = candidate,
            Some(_) => {}
            None => distinct.push(candidate),
        }
    }
    let place = distinct.iter().map(Candidate::place).min().unwrap_or(NETWORK_KEYS.len());
    let is_choice = distinct.len() > 1 && place == NETWORK_KEYS.len();
    let is_network = |candidate: &Candidate| {
        !candidate.tensors.is_empty() && (candidate.fit.is_by_name || candidate.fit.num_problems == 0)
    };
    if is_choice && distinct.iter().all(is_network) {
        let prefixes = distinct.into_iter().map(|candidate| candidate.key).collect();
        return Err(WeightsError::AmbiguousPrefix { path: file.path, prefixes });
    }
    let chosen = distinct.into_iter().find(|candidate| candidate.place() == place);
    let Some(Candidate { key: taken, file: mut network, tensors, .. }) = chosen else { return Ok(file) };
    // Other tensors under names of the network: an average of it, an earlier one, one for other classes.
    let others = by_name.into_iter().filter(|(_, other)| other.is_disjoint(&tensors)).map(|(key, _)| key);
    let others: Vec<String> = others.collect();
    network.choice = (!others.is_empty()).then_some(Choice { taken, others });
    Ok(network)
}
