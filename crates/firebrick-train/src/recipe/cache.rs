//! Which published weights can be had: those in the cache, and those that can be fetched.

use std::path::PathBuf;

use firebrick_component::text;
use firebrick_data::{DataError, Progress};
use firebrick_models::ModelConfig;

use crate::error::TrainError;
use crate::published;

/// What `model.weights` says for the published weights of the network.
pub(super) const PUBLISHED: &str = "imagenet";

/// Whether published weights are there to begin with.
pub(super) enum Had {
    /// They are in the cache now; where they came from, for people.
    Yes(String),
    /// Why not.
    No(String),
}

/// The file in the cache; it is not opened.
pub(super) fn cached(network: &ModelConfig) -> Option<PathBuf> {
    published::named(network, PUBLISHED).ok().and_then(published::cached)
}

/// The published weights of a network, fetched where they are not in the cache.
///
/// # Errors
///
/// [`DataError::Cancelled`]; whatever else keeps them away is an answer.
pub(super) fn obtain(network: &ModelConfig, progress: &dyn Progress) -> Result<Had, TrainError> {
    let Ok(weights) = published::named(network, PUBLISHED) else {
        return Ok(Had::No(format!("no weights of {} are published", network.name())));
    };
    let was_there = published::cached(weights).is_some();
    match published::fetch(weights, progress) {
        Ok(path) if was_there => Ok(Had::Yes(text::path(&path))),
        Ok(path) => Ok(Had::Yes(format!("fetched, now in {}", text::path(&path)))),
        Err(error @ DataError::Cancelled { .. }) => Err(error.into()),
        Err(error) => Ok(Had::No(text::one_line(&error.to_string()))),
    }
}
