//! Which published weights can be had: those in the cache, and those that can be fetched.

use std::path::PathBuf;

use firebrick_data::Progress;
use firebrick_models::ModelConfig;

/// Whether `model.weights` means published weights, and no file.
pub(super) fn is_name(weights: &str) -> bool {
    weights.starts_with("imagenet") && !weights.contains(['/', '\\', '.'])
}

/// The file in the cache.
pub(super) fn cached(network: &ModelConfig) -> Option<PathBuf> {
    let _ = network;
    None
}

/// Where the published weights of a network come from, for people; they are in the cache then.
///
/// # Errors
///
/// Why they cannot be had.
pub(super) fn obtain(network: &ModelConfig, progress: &dyn Progress) -> Result<String, String> {
    let _ = progress;
    Err(format!("no weights of {} are published", network.name()))
}
