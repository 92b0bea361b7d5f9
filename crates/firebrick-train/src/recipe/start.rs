//! Which network, and from which weights it starts.

use firebrick_component::Family;
use firebrick_data::Progress;
use firebrick_models::ModelConfig;

use super::asked::Asked;
use super::cache::{self, Had, PUBLISHED};
use super::networks::{known, network};
use super::weights_file;
use crate::config::StartWeights;
use crate::error::TrainError;

/// Networks whose published weights are taken when they are on this machine, the first found. Those in front give more
/// for their arithmetic.
const PREFERRED: [&str; 4] = ["efficientnet_lite0", "resnet18", "mobilenet_v3_large", "resnet50"];
/// The network whose published weights are fetched when there are none on this machine.
const FETCHED: &str = "resnet18";

/// What a recipe may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecipeOptions {
    /// Begin with random weights, though published ones could be had.
    pub from_scratch: bool,
}

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
            (None, Some(name)) => match network(name) {
                Some(network) => Self::published(network, String::new(), Some(name), progress),
                // An unknown name is refused where the config is read, with its place.
                None => Ok(Self::scratch(Some(name), "asked for")),
            },
            (None, None) => Self::found(progress),
        }
    }

    fn scratch(network: Option<&str>, why: impl Into<String>) -> Self {
        Self::Scratch { network: network.map(str::to_owned), why: why.into() }
    }

    /// `model.weights` was given.
    fn given(weights: &str, name: Option<&str>) -> Result<Self, TrainError> {
        let fetched = known(FETCHED);
        let (network, why_network) = match (name, StartWeights::from_text(weights, &fetched)) {
            (Some(name), _) => match network(name) {
                Some(network) => (network, String::new()),
                None => return Ok(Self::scratch(Some(name), "asked for")),
            },
            (None, StartWeights::Published(_)) => match first_cached() {
                Some(network) => (network, ON_THIS_MACHINE.to_owned()),
                None => (fetched, GOOD_START.to_owned()),
            },
            (None, StartWeights::File(path)) => {
                (weights_file::network_of(&path)?, "the file has the names of this network".to_owned())
            }
        };
        let (weights, why_weights) = (weights.to_owned(), String::new());
        Ok(Self::Weights(Weights { network, weights, why_network, why_weights }))
    }

    /// The published weights of a network if they can be had.
    fn published(
        network: ModelConfig,
        why_network: String,
        name: Option<&str>,
        progress: &dyn Progress,
    ) -> Result<Self, TrainError> {
        Ok(match cache::obtain(&network, progress)? {
            Had::Yes(why_weights) => {
                Self::Weights(Weights { network, weights: PUBLISHED.to_owned(), why_network, why_weights })
            }
            Had::No(why) => Self::scratch(name, why),
        })
    }

    /// Nothing was given: what is on this machine, then what can be fetched.
    fn found(progress: &dyn Progress) -> Result<Self, TrainError> {
        match first_cached() {
            Some(network) => Self::published(network, ON_THIS_MACHINE.to_owned(), None, progress),
            None => Self::published(known(FETCHED), GOOD_START.to_owned(), None, progress),
        }
    }
}

const ON_THIS_MACHINE: &str = "its published weights are on this machine";
const GOOD_START: &str = "a good start for its size";

/// The first network whose published weights lie in the cache.
fn first_cached() -> Option<ModelConfig> {
    let preferred = PREFERRED.iter().copied();
    let others = ModelConfig::names().into_iter().filter(|name| !PREFERRED.contains(name));
    preferred.chain(others).filter_map(network).find(|network| cache::cached(network).is_some())
}
