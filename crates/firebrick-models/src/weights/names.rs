//! The names that people give to the same parameters.
//!
//! | style | first weight of Tudui | the PyTorch class that has it |
//! |---|---|---|
//! | [`NameStyle::Firebrick`] | `conv1.weight` | `self.conv1 = nn.Conv2d(...)` |
//! | [`NameStyle::TorchSequential`] | `model1.0.weight` | `self.model1 = nn.Sequential(nn.Conv2d(...), ...)` |
//! | [`NameStyle::TorchNamed`] | `model1.conv1.weight` | `self.model1 = nn.Sequential(OrderedDict([("conv1", nn.Conv2d(...)), ...]))` |
//!
//! `model1` is what the course's Tudui calls the attribute that holds its layers ([`NetworkPlan::held_in`]). Other networks
//! have no such attribute, and nothing in front of their names.
//!
//! [`NetworkPlan::held_in`]: crate::network::NetworkPlan::held_in

use std::collections::HashMap;
use std::str::FromStr;

use crate::classifier::ImageClassifier;
use crate::network::Network;
use crate::parameters::{ParameterInfo, parameter_infos};

/// Which names parameters get in a file for PyTorch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NameStyle {
    /// `conv1.weight`, the path of field names.
    #[default]
    Firebrick,
    /// `model1.0.weight` or `0.weight`, the index in an `nn.Sequential` that has every step of `forward` as a
    /// module, ReLU and flatten included.
    TorchSequential,
    /// `model1.conv1.weight` or `conv1.weight`.
    TorchNamed,
}

impl NameStyle {
    /// Every style as a command line names it.
    pub const NAMES: &'static [&'static str] = &["firebrick", "torch-sequential", "torch-named"];

    /// The style's name, as a command line has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Firebrick => "firebrick",
            Self::TorchSequential => "torch-sequential",
            Self::TorchNamed => "torch-named",
        }
    }

    /// The names of `parameters`, in their order.
    fn apply(self, parameters: &[ParameterInfo], network: Option<&Network>) -> Vec<String> {
        let own = || parameters.iter().map(|parameter| parameter.name.clone()).collect();
        let names: Vec<String> = match self {
            Self::Firebrick => return own(),
            Self::TorchSequential => indexed_names(parameters, network),
            Self::TorchNamed => own(),
        };
        match network.and_then(|network| network.plan().attribute()) {
            Some(attribute) => names.into_iter().map(|name| format!("{attribute}.{name}")).collect(),
            None => names,
        }
    }
}

/// What the parameters of `model` are called in a style, in the model's order.
pub fn parameter_names<M: ImageClassifier>(model: &M, style: NameStyle) -> Vec<String> {
    style.apply(&parameter_infos(model), model.network())
}

impl FromStr for NameStyle {
    type Err = UnknownNameStyle;

    fn from_str(text: &str) -> Result<Self, UnknownNameStyle> {
        [Self::Firebrick, Self::TorchSequential, Self::TorchNamed]
            .into_iter()
            .find(|style| style.name() == text)
            .ok_or_else(|| UnknownNameStyle { got: text.to_owned() })
    }
}

/// A name style that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("name style: expected one of {}, got '{got}'", NameStyle::NAMES.join(", "))]
pub struct UnknownNameStyle {
    /// The text given.
    pub got: String,
}

/// `0.weight`: the position of the parameter's layer among all layers of the network. The parameters' own names for a
/// network that is no series of layers, because `nn.Sequential` is, and for one that is written by hand.
pub(crate) fn indexed_names(parameters: &[ParameterInfo], network: Option<&Network>) -> Vec<String> {
    let plan = network.map(Network::plan).filter(|plan| plan.is_series());
    let layers = plan.map_or(&[][..], |plan| plan.layers());
    let positions: HashMap<&str, usize> =
        layers.iter().enumerate().map(|(position, layer)| (layer.path.as_str(), position)).collect();
    parameters
        .iter()
        .map(|parameter| {
            let (layer, leaf) = split_leaf(&parameter.name);
            match positions.get(layer) {
                Some(position) => format!("{position}.{leaf}"),
                None => parameter.name.clone(),
            }
        })
        .collect()
}

/// `conv1.weight` to (`conv1`, `weight`); a name without a dot belongs to the layer with no name.
pub(crate) fn split_leaf(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
}
