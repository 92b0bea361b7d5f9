//! What a run says of frozen parameters and of learning rates that follow the depth.

use burn::module::Module;
use firebrick_component::text;
use firebrick_models::ImageClassifier;
use firebrick_models::parameters::num_trained;

use crate::config::{Config, FreezeConfig};
use crate::error::TrainError;
use crate::event::Split;
use crate::freeze::Freeze;
use crate::frozen_layers::{FrozenLayers, Images};
use crate::optimizer::Optimizer;

/// `model` in training as a run by `config` begins with it: with the parameters of `model.freeze` requiring no gradient.
///
/// # Errors
///
/// [`TrainError::Config`] with the place of a pattern that matches no parameter.
pub fn frozen<M: Module>(config: &Config, model: M) -> Result<M, TrainError> {
    Ok(Freeze::of(config, &model)?.apply(model.train(), 0))
}

/// Sentences for the beginning of a run.
pub(crate) fn notices<M: ImageClassifier>(
    config: &Config,
    model: &M,
    optimizer: &Optimizer,
    layers: Option<&FrozenLayers>,
) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(freeze) = &config.model.freeze {
        told.push(of_freeze(config, freeze, model, layers));
    }
    told.extend(frozen_groups(config, optimizer));
    if let Some(decay) = config.optimizer.lr_decay_by_depth() {
        let [lowest, highest] = optimizer.range_of_rates().map(text::number);
        told.push(format!(
            "learning rates by depth (optimizer.lr_decay_by_depth = {decay}): from {lowest} to {highest} in {} groups of layers",
            optimizer.num_depths()
        ));
    }
    told
}

/// Sentences on groups of `[optimizer]` whose parameters are all frozen.
pub(crate) fn frozen_groups(config: &Config, optimizer: &Optimizer) -> Vec<String> {
    let until = config.model.freeze.as_ref().and_then(|freeze| freeze.until_epoch);
    let until = until.map_or(String::new(), |until| format!(" up to epoch {until}"));
    let told = |(index, pattern)| {
        format!(
            "optimizer.groups[{index}] has no effect{until}: all parameters that match {pattern:?} are frozen"
        )
    };
    optimizer.frozen_groups().into_iter().map(told).collect()
}

fn of_freeze<M: ImageClassifier>(
    config: &Config,
    freeze: &FreezeConfig,
    model: &M,
    layers: Option<&FrozenLayers>,
) -> String {
    let all = model.num_params();
    let frozen = all - num_trained(model);
    let epochs = config.trainer.epochs;
    let until = match freeze.until_epoch {
        None => String::new(),
        Some(until) if until >= epochs => {
            format!(" to the end: model.freeze.until_epoch = {until} thaws nothing in a run of {epochs}")
        }
        Some(1) => " in epoch 1".to_owned(),
        Some(until) => format!(" in epochs 1 to {until}"),
    };
    let kept = layers.map_or(String::new(), |layers| format!("; {}", of_outputs(freeze, layers)));
    format!("{frozen} of {all} parameters are frozen{until}{kept}")
}

fn of_outputs(freeze: &FreezeConfig, layers: &FrozenLayers) -> String {
    let what = format!("what the first {} layers give", layers.prefix.num_layers());
    let mib = layers.bytes() as f64 / f64::from(1 << 20);
    let memory = format!("({mib:.1} of at most {} MiB: model.freeze.cache_mb)", freeze.cache_mb);
    let evaluated =
        [Split::Validation, Split::Test].into_iter().find(|split| layers.keeps(Images::Of(*split)));
    match (layers.keeps(Images::Training), evaluated) {
        (true, Some(_)) => format!("{what} is computed once for each image and kept in memory {memory}"),
        (true, None) => {
            format!("{what} is computed once for each training image and kept in memory {memory}")
        }
        (false, Some(split)) => format!(
            "{what} is computed once for each image of the {split} split {memory}, and anew for training images, which {}",
            if layers.training_is_random { "are changed at random" } else { "are too many" }
        ),
        (false, None) => format!("{what} is computed anew each time"),
    }
}
