//! Which parameters of a network `model.freeze` means, and until when.

use std::collections::BTreeSet;

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use firebrick_component::ArgumentError;
use firebrick_models::walk::{ParamRef, Role, Visit, visit};

use crate::closest::closest;
use crate::config::{Config, FreezeConfig};
use crate::error::TrainError;
use crate::glob;

/// As many paths are named in an error.
const MOST_PATHS: usize = 4;

/// The frozen parameters of a network.
#[derive(Debug, Clone, Default)]
pub(crate) struct Freeze {
    frozen: BTreeSet<String>,
    /// Epochs in which they are frozen; absent: all.
    until_epoch: Option<u64>,
}

impl Freeze {
    /// What `model.freeze` of a config means for `model`: nothing where it is left out.
    ///
    /// # Errors
    ///
    /// [`TrainError::Config`] with the place of a pattern that matches no parameter, or of the list where it freezes all of
    /// them or none.
    pub(crate) fn of<M: Module>(config: &Config, model: &M) -> Result<Self, TrainError> {
        let Some(freeze) = &config.model.freeze else { return Ok(Self::default()) };
        let frozen = frozen(freeze, &parameters(model)).map_err(|error| {
            // The list may stand for the table.
            let is_table = config.written("model.freeze.parameters").is_some();
            let parent = if is_table { "model.freeze.parameters" } else { "model.freeze" };
            config.refused(error.within(parent))
        })?;
        Ok(Self { frozen, until_epoch: freeze.until_epoch })
    }

    /// Whether any parameter is frozen in `epoch`, counted from 0.
    pub(crate) fn holds_in(&self, epoch: u64) -> bool {
        !self.frozen.is_empty() && self.until_epoch.is_none_or(|until| epoch < until)
    }

    /// Epochs of `num_epochs` in which it holds.
    pub(crate) fn num_epochs(&self, num_epochs: u64) -> u64 {
        if self.frozen.is_empty() {
            0
        } else {
            self.until_epoch.map_or(num_epochs, |until| until.min(num_epochs))
        }
    }

    /// `model` in training as it is in `epoch`, counted from 0. Untouched without frozen parameters: a program may have
    /// frozen some by itself.
    pub(crate) fn apply<M: Module>(&self, model: M, epoch: u64) -> M {
        if self.frozen.is_empty() {
            return model;
        }
        let holds = self.holds_in(epoch);
        firebrick_models::freeze(model, |path| holds && self.frozen.contains(path))
    }
}

/// The paths of the parameters that `freeze` freezes; all of `parameters` are a network's.
///
/// # Errors
///
/// [`ArgumentError`] whose key is the position of a pattern, `[1]`, or empty.
fn frozen(freeze: &FreezeConfig, parameters: &[String]) -> Result<BTreeSet<String>, ArgumentError> {
    let patterns: Vec<(&str, bool)> = freeze
        .parameters
        .iter()
        .map(|text| text.strip_prefix('!').map_or((text.as_str(), true), |rest| (rest, false)))
        .collect();
    for (index, (pattern, _)) in patterns.iter().enumerate() {
        if !parameters.iter().any(|path| glob::matches(pattern, path)) {
            let expected =
                format!("a pattern for a parameter of the network, such as {}", near(pattern, parameters));
            return Err(ArgumentError::new(
                format!("[{index}]"),
                expected,
                format!("`{}`", freeze.parameters[index]),
            ));
        }
    }
    let is_frozen = |path: &&String| {
        let last = patterns.iter().rev().find(|(pattern, _)| glob::matches(pattern, path));
        last.is_some_and(|(_, freezes)| *freezes)
    };
    let frozen: BTreeSet<String> = parameters.iter().filter(is_frozen).cloned().collect();
    let got = match frozen.len() {
        0 => "patterns that freeze none",
        all if all == parameters.len() => {
            "patterns that freeze all of them, so that nothing is left to train"
        }
        _ => return Ok(frozen),
    };
    let expected = format!("patterns that freeze some of the network's {} parameters", parameters.len());
    Err(ArgumentError::new("", expected, got))
}

/// Paths that somebody who wrote `pattern` may have meant.
fn near(pattern: &str, parameters: &[String]) -> String {
    let word = pattern.trim_matches(['*', '?', '.']);
    let contains = parameters.iter().filter(|path| !word.is_empty() && path.contains(word));
    let mut found: Vec<&str> = contains.map(String::as_str).take(MOST_PATHS).collect();
    if found.is_empty() {
        let layers: Vec<&str> = parameters
            .iter()
            .map(|path| path.rsplit_once('.').map_or(path.as_str(), |(layer, _)| layer))
            .collect();
        let layer = word.rsplit_once('.').map_or(word, |(layer, _)| layer);
        let close = closest(layer, layers.iter().copied())
            .or_else(|| closest(word, parameters.iter().map(String::as_str)));
        found.extend(
            close
                .iter()
                .flat_map(|close| parameters.iter().filter(move |path| path.starts_with(*close)))
                .map(String::as_str)
                .take(MOST_PATHS),
        );
    }
    if found.is_empty() {
        // Both ends of the network.
        let ends = parameters.first().into_iter().chain(parameters.last());
        found.extend(ends.map(String::as_str));
    }
    let found: Vec<String> = found.into_iter().map(|path| format!("`{path}`")).collect();
    found.join(", ")
}

fn parameters<M: Module>(model: &M) -> Vec<String> {
    let mut paths = Paths(Vec::new());
    visit(model, &mut paths);
    paths.0
}

struct Paths(Vec<String>);

impl Visit for Paths {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, _parameter: &Param<Tensor<D>>) {
        if at.role != Role::Buffer {
            self.0.push(at.path.clone());
        }
    }
}
