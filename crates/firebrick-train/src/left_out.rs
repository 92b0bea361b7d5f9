//! What a config leaves out, filled in: how images are prepared, from the weights that the run begins with or from the record
//! of the run that goes on; how many classes there are, from the data.

use std::path::Path;

use firebrick_data::{Interpolation, Normalization, Normalize, Resize, ShorterConfig};
use firebrick_models::published::{self, NUM_IMAGENET_CLASSES, Recipe};
use firebrick_models::{ModelConfig, PublishedWeights, weights};
use firebrick_storage::sha256_file;

use crate::config::{Config, StartWeights};
use crate::error::TrainError;

/// Fills in `data.normalize` and `data.resize` where they are left out, and writes `imagenet` as the version that it
/// means. Gives a sentence for people where the weights have decided.
///
/// `recorded` is the config that the run was begun with, if it goes on: it has been filled in then.
///
/// # Errors
///
/// [`TrainError::Config`] for weights that are not published for the network.
pub(crate) fn fill_in(config: &mut Config, recorded: Option<&Config>) -> Result<Option<String>, TrainError> {
    let published = pin(config)?;
    let data = &mut config.data;
    if let Some(recorded) = recorded {
        // What a record leaves out was the default of every earlier version.
        data.normalize = data.normalize.take().or_else(|| recorded.data.normalize.clone());
        data.resize = data.resize.or(recorded.data.resize);
    } else if data.normalize.is_none() || data.resize.is_none() {
        let found = match (published, &config.model.weights) {
            (Some(weights), _) => Some((weights.recipe, format!("the published weights {}", weights.name))),
            (None, Some(StartWeights::File(path))) => recipe_of_file(&config.model.network, path)
                .map(|recipe| (recipe, "weights for ImageNet's classes".to_owned())),
            (None, _) => None,
        };
        if let Some((recipe, whose)) = found {
            return Ok(Some(take(config, &recipe, &whose)));
        }
    }
    config.data.normalize.get_or_insert_default();
    Ok(None)
}

/// Writes the version that `imagenet` means into the config, and gives it.
fn pin(config: &mut Config) -> Result<Option<&'static PublishedWeights>, TrainError> {
    let Some(weights) = &config.model.weights else { return Ok(None) };
    let published = weights.published(&config.model.network);
    let published = published.map_err(|error| config.refused(error.within("model")))?;
    if let Some(published) = published {
        config.model.weights = Some(StartWeights::Published(published.name.to_owned()));
    }
    Ok(published)
}

/// How images are prepared for a file of weights: as is published for the network, if the file is for ImageNet's classes.
/// Nothing is said of a file that cannot be read: reading it will.
pub(crate) fn recipe_of_file(network: &ModelConfig, path: &Path) -> Option<Recipe> {
    let published = network.published();
    let first = published.first()?;
    let plan = network.build().ok()?;
    let classes = weights::classes_in_file(&plan, path).ok().flatten()?;
    if classes != NUM_IMAGENET_CLASSES {
        return None;
    }
    if published.iter().all(|weights| weights.recipe == first.recipe) {
        return Some(first.recipe);
    }
    // Versions that are prepared in different ways: the file's hash says which one it is.
    let (_, sha256) = sha256_file(path).ok()?;
    let found = published.iter().find(|weights| sha256.starts_with(weights.sha256_prefix()));
    Some(found.unwrap_or(first).recipe)
}

/// Prepares images as `recipe` says, where the config does not say how.
fn take(config: &mut Config, recipe: &Recipe, whose: &str) -> String {
    let [channels, height, width] = config.model.network.input_shape();
    let mut taken = Vec::new();
    if config.data.resize.is_none() {
        config.data.resize = Some(resize(recipe, height, width));
        taken.push("resize");
    }
    if config.data.normalize.is_none() {
        // Grey images have no mean of three colours; the weights do not fit such a network either.
        let values = Normalize::Values(normalization(recipe));
        config.data.normalize = Some(if channels == 3 { values } else { Normalize::default() });
        taken.push("normalize");
    }
    format!("{} as {whose} ask, for the config leaves it open", taken.join(" and "))
}

/// The recipe's mean and deviation.
pub(crate) fn normalization(recipe: &Recipe) -> Normalization {
    Normalization::new(&recipe.mean, &recipe.std)
}

/// The recipe's resizing for images of this size.
pub(crate) fn resize(recipe: &Recipe, height: usize, width: usize) -> Resize {
    Resize::Shorter(ShorterConfig {
        shorter: recipe.shorter_for(height, width),
        crop: (height == width).then_some(height),
        interpolation: match recipe.interpolation {
            published::Interpolation::Bilinear => Interpolation::Bilinear,
            published::Interpolation::Bicubic => Interpolation::Bicubic,
        },
    })
}
