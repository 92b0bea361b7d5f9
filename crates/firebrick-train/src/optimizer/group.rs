//! Parameter groups: other arguments for the parameters whose path matches a pattern.
//!
//! ```toml
//! [optimizer]
//! name = "sgd"
//! lr = 0.1
//! weight_decay = 5e-4
//! no_decay_on_bias_and_norm = true
//! groups = [{ match = "*.bias", weight_decay = 0.0 }, { match = "fc*", lr = 0.001 }]
//! ```
//!
//! Unlike torch's, groups may overlap: a parameter takes each argument from the last group that
//! matches it and sets that argument, else from the optimiser. `fc1.bias` above has neither decay
//! nor the common lr. A group speaks louder than `no_decay_on_bias_and_norm`.

use serde::{Deserialize, Serialize};

use super::argument::ArgumentError;
use super::error::OptimizerError;
use super::path::Location;
use super::rule::Rule;
use super::{OptimizerConfig, glob};

/// Arguments for the parameters whose path matches [`pattern`](Self::pattern); what is left out
/// stays as the optimiser has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupConfig {
    /// Pattern over the parameter's path, such as `conv1.weight`: `*` stands for any text (dots
    /// too), `?` for any one character. Written `match` in the config.
    #[serde(rename = "match")]
    pub pattern: String,
    /// Learning rate; a schedule moves it just as it moves the optimiser's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
    /// Weight decay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// Momentum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    /// Decay rates of the running averages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub betas: Option<[f64; 2]>,
    /// Term that keeps a denominator away from zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eps: Option<f64>,
}

/// The arguments of an optimiser that a group may set, and a schedule may move.
pub(crate) struct Tunables<'a> {
    pub lr: &'a mut f64,
    pub weight_decay: &'a mut f64,
    pub momentum: Option<&'a mut f64>,
    pub betas: Option<&'a mut [f64; 2]>,
    pub eps: Option<&'a mut f64>,
}

impl Tunables<'_> {
    fn names(&self) -> String {
        let mut names = vec!["lr", "weight_decay"];
        names.extend(self.momentum.as_ref().map(|_| "momentum"));
        names.extend(self.betas.as_ref().map(|_| "betas"));
        names.extend(self.eps.as_ref().map(|_| "eps"));
        names.join(", ")
    }
}

/// Writes `group`'s arguments into `config`; gives the name of an argument that `config` lacks.
fn apply(group: &GroupConfig, config: &mut OptimizerConfig) -> Option<&'static str> {
    let tunables = config.tunables();
    let mut lacking = None;
    set(Some(tunables.lr), group.lr, "lr", &mut lacking);
    set(Some(tunables.weight_decay), group.weight_decay, "weight_decay", &mut lacking);
    set(tunables.momentum, group.momentum, "momentum", &mut lacking);
    set(tunables.betas, group.betas, "betas", &mut lacking);
    set(tunables.eps, group.eps, "eps", &mut lacking);
    lacking
}

fn set<T>(place: Option<&mut T>, value: Option<T>, name: &'static str, lacking: &mut Option<&'static str>) {
    match (place, value) {
        (Some(place), Some(value)) => *place = value,
        (None, Some(_)) => *lacking = Some(name),
        (_, None) => {}
    }
}

/// Checks every group by itself: it sets only what the optimiser has, within range.
pub(crate) fn validate(config: &OptimizerConfig) -> Result<(), OptimizerError> {
    for (index, group) in config.groups().iter().enumerate() {
        let mut changed = config.clone();
        if let Some(argument) = apply(group, &mut changed) {
            return Err(OptimizerError::UnknownGroupArgument {
                optimizer: config.name(),
                index,
                argument,
                known: changed.tunables().names(),
            });
        }
        changed.check_arguments().map_err(|source: ArgumentError| OptimizerError::GroupArgument {
            index,
            pattern: group.pattern.clone(),
            source,
        })?;
    }
    Ok(())
}

/// Which of the optimiser's groups, and which of its special cases, hold for a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Membership {
    groups: Vec<usize>,
    is_free_of_decay: bool,
    uses_fallback: bool,
}

impl Membership {
    pub(crate) fn of(config: &OptimizerConfig, location: &Location) -> Self {
        let groups = config.groups().iter().enumerate();
        Self {
            groups: groups
                .filter(|(_, group)| glob::matches(&group.pattern, &location.path))
                .map(|(index, _)| index)
                .collect(),
            is_free_of_decay: config.no_decay_on_bias_and_norm() && location.is_bias_or_norm,
            uses_fallback: config.fallback(location).is_some(),
        }
    }

    pub(crate) fn groups(&self) -> &[usize] {
        &self.groups
    }
}

/// Parameters that share every argument: torch's `param_group`.
#[derive(Debug)]
pub(crate) struct Group {
    pub membership: Membership,
    pub base_lr: f64,
    pub rule: Box<dyn Rule>,
}

impl Group {
    /// The most tensors that its rule remembers of a parameter.
    pub(crate) fn max_tensors(&self) -> usize {
        self.rule.tensor_layouts().iter().map(|layout| layout.len()).max().unwrap_or(0)
    }

    pub(crate) fn new(config: &OptimizerConfig, location: &Location) -> Self {
        let membership = Membership::of(config, location);
        let mut own = config.fallback(location).unwrap_or_else(|| config.clone());
        if membership.is_free_of_decay {
            *own.tunables().weight_decay = 0.0;
        }
        for &index in &membership.groups {
            // What a fallback rule lacks does not concern it; `validate` saw the optimiser itself.
            let _ = apply(&config.groups()[index], &mut own);
        }
        Self { membership, base_lr: own.lr(), rule: own.rule() }
    }
}
