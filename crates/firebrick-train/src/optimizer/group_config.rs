//! Arguments of a parameter group, and which of an optimiser's arguments it may set.

use serde::{Deserialize, Serialize};

/// Arguments for the parameters whose path matches [`pattern`](Self::pattern); what is left out
/// stays as the optimiser has it.
///
/// ```toml
/// [optimizer]
/// name = "sgd"
/// lr = 0.1
/// weight_decay = 5e-4
/// no_decay_on_bias_and_norm = true
/// groups = [{ match = "*.bias", weight_decay = 0.0 }, { match = "fc*", lr = 0.001 }]
/// ```
///
/// Unlike torch's, groups may overlap: a parameter takes each argument from the last group that
/// matches it and sets that argument, else from the optimiser. `fc1.bias` above has neither decay
/// nor the common lr. A group overrides `no_decay_on_bias_and_norm`.
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

/// The arguments of an optimiser that a group may set: those that it has.
#[derive(Debug)]
pub struct Tunables<'a> {
    /// Learning rate.
    pub lr: &'a mut f64,
    /// Weight decay.
    pub weight_decay: Option<&'a mut f64>,
    /// Momentum.
    pub momentum: Option<&'a mut f64>,
    /// Decay rates of the running averages. A schedule that cycles the momentum moves the first.
    pub betas: Option<&'a mut [f64; 2]>,
    /// Term that keeps a denominator away from zero.
    pub eps: Option<&'a mut f64>,
}

impl<'a> Tunables<'a> {
    /// A learning rate and nothing else.
    pub fn new(lr: &'a mut f64) -> Self {
        Self { lr, weight_decay: None, momentum: None, betas: None, eps: None }
    }

    /// Names of the arguments that are there.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let optional = [
            ("weight_decay", self.weight_decay.is_some()),
            ("momentum", self.momentum.is_some()),
            ("betas", self.betas.is_some()),
            ("eps", self.eps.is_some()),
        ];
        let there = optional.into_iter().filter(|(_, is_there)| *is_there);
        std::iter::once("lr").chain(there.map(|(name, _)| name)).collect()
    }
}

impl GroupConfig {
    /// Writes the group's arguments into an optimiser's; gives the name of an argument that the optimiser lacks.
    pub(super) fn apply_to(&self, tunables: Tunables<'_>) -> Option<&'static str> {
        let mut lacking = None;
        set(Some(tunables.lr), self.lr, "lr", &mut lacking);
        set(tunables.weight_decay, self.weight_decay, "weight_decay", &mut lacking);
        set(tunables.momentum, self.momentum, "momentum", &mut lacking);
        set(tunables.betas, self.betas, "betas", &mut lacking);
        set(tunables.eps, self.eps, "eps", &mut lacking);
        lacking
    }
}

fn set<T>(place: Option<&mut T>, value: Option<T>, name: &'static str, lacking: &mut Option<&'static str>) {
    match (place, value) {
        (Some(place), Some(value)) => *place = value,
        (None, Some(_)) => *lacking = Some(name),
        (_, None) => {}
    }
}
