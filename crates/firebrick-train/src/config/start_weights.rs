//! `model.weights`: which weights a run begins with.

use std::path::{Path, PathBuf};

use firebrick_component::ArgumentError;
use firebrick_models::{ModelConfig, PublishedWeights};

/// What a config calls the published weights that are to be taken where there are several.
pub const DEFAULT: &str = "imagenet";

/// Names that are never paths, whether a network has such weights or not.
const NAMES: [&str; 3] = [DEFAULT, "imagenet1k_v1", "imagenet1k_v2"];

/// Weights to start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartWeights {
    /// Published ones, by a name such as `imagenet`, `imagenet1k_v1` or `imagenet1k_v2`.
    Published(String),
    /// Those of a file.
    File(PathBuf),
}

impl StartWeights {
    /// What a config says: a name, in capitals or not, otherwise a path. `./imagenet` is a file of that name.
    pub fn from_text(text: &str, network: &ModelConfig) -> Self {
        let name = text.to_ascii_lowercase();
        let has_it = network.published().iter().any(|weights| weights.name == name);
        match has_it || NAMES.contains(&name.as_str()) {
            true => Self::Published(name),
            false => Self::File(PathBuf::from(text)),
        }
    }

    /// The text of a config that means these.
    pub fn text(&self, network: &ModelConfig) -> String {
        match self {
            Self::Published(name) => name.clone(),
            Self::File(path) => match Self::from_text(&path.display().to_string(), network) {
                Self::File(path) => path.display().to_string(),
                Self::Published(_) => Path::new(".").join(path).display().to_string(),
            },
        }
    }

    /// The published weights that are meant; none for a file.
    ///
    /// # Errors
    ///
    /// As [`named`].
    pub fn published(
        &self,
        network: &ModelConfig,
    ) -> Result<Option<&'static PublishedWeights>, ArgumentError> {
        match self {
            Self::Published(name) => named(network, name).map(Some),
            Self::File(_) => Ok(None),
        }
    }
}

/// The published weights of a network that are called `name`; `imagenet` are the default ones.
///
/// # Errors
///
/// [`ArgumentError`] for `weights`: none of that name are published for the network; it says which are.
pub fn named(network: &ModelConfig, name: &str) -> Result<&'static PublishedWeights, ArgumentError> {
    let published = network.published();
    let found = match name {
        DEFAULT => published.last(),
        name => published.iter().find(|weights| weights.name == name),
    };
    found.ok_or_else(|| {
        let names: Vec<String> = published.iter().map(|weights| format!("\"{}\"", weights.name)).collect();
        let expected = match names.is_empty() {
            true => format!("a path, for no weights are published for `{}`", network.name()),
            false => format!("\"{DEFAULT}\", {} or a path", names.join(", ")),
        };
        ArgumentError::new("weights", expected, format!("\"{name}\""))
    })
}
