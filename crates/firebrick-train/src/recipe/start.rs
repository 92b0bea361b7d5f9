//! Which network, and from which weights it starts.

use firebrick_component::{Family, text};
use firebrick_data::Progress;
use firebrick_models::ModelConfig;
use toml::{Table, Value};

use super::RecipeOptions;
use super::asked::Asked;
use super::cache;
use super::weights_file;
use crate::error::TrainError;

/// What `model.weights` says for the published weights of the network.
const PUBLISHED: &str = "imagenet";
/// Networks whose published weights are taken when they are on this machine, the first found. Those in front give more
/// for their arithmetic.
const PREFERRED: [&str; 4] = ["efficientnet_lite0", "resnet18", "mobilenet_v3_large", "resnet50"];
/// The network whose published weights are fetched when there are none on this machine.
const FETCHED: &str = "resnet18";

/// How the network begins.
pub(super) enum Start {
    /// With weights from ImageNet, or other ones that were given.
    Weights(Weights),
    /// With random weights: this network, or a small one.
    Scratch {
        /// The network that was asked for.
        network: Option<String>,
        /// Why there are no weights.
        why: String,
    },
}

/// Weights to begin with.
pub(super) struct Weights {
    /// The network with its arguments as they are by default.
    pub(super) network: ModelConfig,
    /// The value of `model.weights`.
    pub(super) weights: String,
    /// Why this network.
    pub(super) why_network: String,
    /// Where the weights come from.
    pub(super) why_weights: String,
}

impl Start {
    /// # Errors
    ///
    /// A file of weights that cannot be read, or that fits no network by its names.
    pub(super) fn of(
        asked: &Asked,
        options: RecipeOptions,
        progress: &dyn Progress,
    ) -> Result<Self, TrainError> {
        let name = asked.text("model.name");
        match (asked.text("model.weights"), name) {
            _ if options.from_scratch => Ok(Self::scratch(name, "asked for")),
            (Some(weights), name) => Self::given(weights, name),
            (None, Some(name)) => Ok(Self::of_network(name, progress)),
            (None, None) => Ok(Self::found(progress)),
        }
    }

    fn scratch(network: Option<&str>, why: impl Into<String>) -> Self {
        Self::Scratch { network: network.map(str::to_owned), why: why.into() }
    }

    /// `model.weights` was given.
    fn given(weights: &str, name: Option<&str>) -> Result<Self, TrainError> {
        let (network, why_network) = match name {
            Some(name) => (network(name), String::new()),
            None if cache::is_name(weights) => match first_cached() {
                Some((network, _)) => (Some(network), "its published weights are on this machine".to_owned()),
                None => (network(FETCHED), "a good start for its size".to_owned()),
            },
            None => {
                let network = weights_file::network_of(weights.as_ref())?;
                (Some(network), "the weights' names are those of this network".to_owned())
            }
        };
        let weights = weights.to_owned();
        // An unknown name is refused where the config is read, with its place.
        Ok(network.map_or_else(
            || Self::scratch(name, "asked for"),
            |network| {
                let why_weights = String::new();
                Self::Weights(Weights { network, weights, why_network, why_weights })
            },
        ))
    }

    /// `model.name` was given.
    fn of_network(name: &str, progress: &dyn Progress) -> Self {
        let Some(network) = network(name) else { return Self::scratch(Some(name), "asked for") };
        match cache::obtain(&network, progress) {
            Ok(why_weights) => Self::Weights(Weights {
                network,
                weights: PUBLISHED.to_owned(),
                why_network: String::new(),
                why_weights,
            }),
            Err(why) => Self::scratch(Some(name), why),
        }
    }

    /// Nothing was given: what is on this machine, then what can be fetched.
    fn found(progress: &dyn Progress) -> Self {
        if let Some((network, why_weights)) = first_cached() {
            let why_network = "its published weights are on this machine".to_owned();
            return Self::Weights(Weights {
                network,
                weights: PUBLISHED.to_owned(),
                why_network,
                why_weights,
            });
        }
        let Some(network) = network(FETCHED) else { unreachable!("bug: there is no network `{FETCHED}`") };
        match cache::obtain(&network, progress) {
            Ok(why_weights) => Self::Weights(Weights {
                network,
                weights: PUBLISHED.to_owned(),
                why_network: "a good start for its size".to_owned(),
                why_weights,
            }),
            Err(why) => Self::scratch(None, why),
        }
    }
}

/// A network with its arguments by default; none for a name that is unknown or needs arguments.
pub(super) fn network(name: &str) -> Option<ModelConfig> {
    let table = Table::from_iter([("name".to_owned(), Value::from(name))]);
    firebrick_component::read(Value::Table(table)).ok()
}

/// The first network whose published weights lie in the cache, and where.
fn first_cached() -> Option<(ModelConfig, String)> {
    let preferred = PREFERRED.iter().copied();
    let others = ModelConfig::names().into_iter().filter(|name| !PREFERRED.contains(name));
    preferred.chain(others).find_map(|name| {
        let network = network(name)?;
        let path = cache::cached(&network)?;
        Some((network, text::path(&path)))
    })
}
