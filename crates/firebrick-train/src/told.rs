//! What a config has that is accepted and will hardly be what somebody wanted. Nothing here stops a run.

use firebrick_component::text;
use firebrick_models::Shape;
use firebrick_models::network::NetworkLayer;

use crate::config::Config;
use crate::schedule::{Schedule, ScheduleConfig};

/// Nothing is trained with a higher learning rate; Adadelta's usual one is 1.
const HIGHEST_LR: f64 = 10.0;
/// A first loss this many times that of a network that has learnt nothing is far off.
const FAR_OFF: f64 = 4.0;
/// As many points of a schedule are looked at.
const MOST_POINTS: u64 = 10_000;

/// Sentences about the config by itself.
pub(crate) fn of_config(config: &Config) -> Vec<String> {
    let mut told: Vec<String> = config.without_effect().iter().map(ToString::to_string).collect();
    told.extend(two_class_counts(config));
    told
}

/// What the data makes of a config.
pub(crate) struct Lengths {
    /// Images that are trained on.
    pub num_train: usize,
    pub batches_per_epoch: u64,
    /// Steps of all epochs.
    pub schedule_steps: u64,
}

/// Sentences about the config and the data that it names.
pub(crate) fn of_run(config: &Config, lengths: &Lengths, schedule: &Schedule) -> Vec<String> {
    let (data, trainer, num_train) = (&config.data, &config.trainer, lengths.num_train);
    let mut told = of_schedule(config, lengths.schedule_steps, schedule);
    if data.batch_size > num_train {
        told.push(format!(
            "data.batch_size = {}, and the training split holds {num_train} images: each batch is all of them",
            data.batch_size
        ));
    }
    told.extend(of_single_values(config, num_train));
    let batches = trainer.accumulate_grad_batches as u64;
    if batches > lengths.batches_per_epoch {
        told.push(format!(
            "trainer.accumulate_grad_batches = {batches}, and an epoch has {}: each step takes a whole epoch",
            lengths.batches_per_epoch
        ));
    }
    told
}

/// Batch normalisation of one value a channel takes its mean for the value and gives 0; PyTorch refuses that.
fn of_single_values(config: &Config, num_train: usize) -> Option<String> {
    let data = &config.data;
    let has_single = data.batch_size == 1 || (num_train % data.batch_size == 1 && !data.drop_last);
    let plan = config.model.network.build().ok().filter(|_| has_single)?;
    let is_single = |layer: &&NetworkLayer| {
        let is_norm = layer.layer.repr(layer.input).starts_with("BatchNorm");
        is_norm && matches!(layer.input, Shape::Image([_, 1, 1]))
    };
    let path = &plan.layers().iter().find(is_single)?.path;
    Some(format!(
        "a batch of one image gives batch normalisation {path} one value a channel, of which nothing can be learnt (PyTorch \
         refuses it); set data.drop_last = true, or another data.batch_size"
    ))
}

fn of_schedule(config: &Config, num_steps: u64, schedule: &Schedule) -> Vec<String> {
    let stride = num_steps.div_ceil(MOST_POINTS).max(1) as usize;
    let rates = (0..num_steps).step_by(stride).map(|step| schedule.lr(step));
    let (lowest, highest) =
        rates.fold((f64::INFINITY, 0.0_f64), |(low, high), lr| (low.min(lr), high.max(lr)));
    let mut told = Vec::new();
    if highest > HIGHEST_LR {
        told.push(format!(
            "the learning rate is {}: one above {HIGHEST_LR} hardly ever trains anything (optimizer.lr)",
            text::number(highest)
        ));
    }
    let is_none = config.schedule.name() == ScheduleConfig::default().name();
    let may_stay = is_none || config.schedule.cycles_momentum() || schedule.watches().is_some();
    // Runs of an epoch or two are for a look; there a schedule has no time to begin.
    if lowest == highest && !may_stay && config.trainer.epochs > 2 {
        told.push(format!(
            "schedule has no effect: `{}` never changes the learning rate within the run's {} epochs",
            config.schedule.name(),
            config.trainer.epochs
        ));
    }
    told
}

/// `num_classes` takes the place of the last `linear`'s `out_features`; where one file says both, one of them is a mistake.
fn two_class_counts(config: &Config) -> Option<String> {
    let (_, false) = config.written("model.num_classes")? else { return None };
    let key = format!("model.{}", config.model.network.num_classes_key());
    let (written, _) = config.written(&key)?;
    let num_classes = config.model.network.num_classes();
    (written != num_classes.to_string()).then(|| {
        format!("{key} = {written} has no effect: model.num_classes = {num_classes} takes its place")
    })
}

/// What to say of the loss of the very first step; `untrained` is that of a network that has learnt nothing.
pub(crate) fn of_first_loss(untrained: Option<f64>, loss: f64) -> Option<String> {
    let expected = untrained.filter(|expected| loss > FAR_OFF * expected)?;
    Some(format!(
        "the first loss is {loss:.4}, where a network that has learnt nothing has about {expected:.4}: its outputs are far \
         too large; are the images normalised (data.normalize), and is the last layer one without an activation?"
    ))
}
