//! The choices for a network that begins with published weights.

use firebrick_data::source::FolderSurvey;
use firebrick_models::ModelConfig;
use firebrick_models::published::Interpolation;
use toml::{Table, Value};

use super::asked::Asked;
use super::choice::{Choices, component};
use super::photos;
use super::start::Weights;

/// With fewer training images the last layer alone is trained: more would learn them by heart.
const FEW_IMAGES: usize = 1_000;
/// Least area of a window, as a part of the image's.
const SMALLEST_AREA: f64 = 0.25;
/// Steps that a new last layer needs to settle.
const HEAD_STEPS: usize = 240;

pub(super) fn choose(choices: &mut Choices, weights: &Weights, survey: &FolderSurvey, asked: &Asked) {
    let Weights { network, weights, why_network, why_weights } = weights;
    let num_train = photos::num_trained_on(survey, asked);
    let head = head_of(network).filter(|_| num_train < FEW_IMAGES);
    choices.add("model.name", network.name(), why_network.as_str());
    choices.add("model.weights", weights.as_str(), why_weights.as_str());
    let size = match head {
        Some(_) => whole_photos(choices, network, asked),
        None => photos::image_size(network, asked),
    };
    photos::data(choices, survey);
    augment(choices, size);
    choices.add("loss.name", "cross_entropy", "");
    choices.add("schedule.name", "cosine", "");
    if !asked.has("schedule.name") {
        choices.add("schedule.per", "step", "");
    }
    match head {
        Some(head) => last_layer(choices, &head, num_train, asked),
        None => all_layers(choices, head_of(network).as_deref(), num_train, asked),
    }
}

fn last_layer(choices: &mut Choices, head: &str, num_train: usize, asked: &Asked) {
    let freeze = vec!["*".to_owned(), format!("!{head}.*")];
    choices.add("model.freeze", freeze, format!("{num_train} images are few: the last layer alone learns"));
    let batch_size = photos::batch_size(16, num_train);
    choices.add("data.batch_size", batch_size as i64, "");
    optimizer(choices, 2e-3, "a new layer on finished features", asked);
    let steps_per_epoch = num_train.div_ceil(batch_size).max(1);
    let epochs = HEAD_STEPS.div_ceil(steps_per_epoch).clamp(5, 30);
    choices.add("trainer.epochs", epochs as i64, format!("about {} steps", epochs * steps_per_epoch));
}

fn all_layers(choices: &mut Choices, head: Option<&str>, num_train: usize, asked: &Asked) {
    if let Some(head) = head {
        let parameters: Value = vec!["*".to_owned(), format!("!{head}.*")].into();
        let until_epoch = Value::from(1);
        let freeze = [("parameters".to_owned(), parameters), ("until_epoch".to_owned(), until_epoch)];
        let why = "the new last layer first, then everything";
        choices.add("model.freeze", Value::Table(freeze.into_iter().collect()), why);
    }
    choices.add("data.batch_size", 32, "");
    optimizer(choices, 1e-3, "", asked);
    choices.add(
        "optimizer.lr_decay_by_depth",
        0.75,
        "early layers see edges and colours, which are right already",
    );
    let warmup = Value::Table([("epochs".to_owned(), Value::from(1))].into_iter().collect());
    choices.add("schedule.warmup", warmup, "");
    let epochs = if num_train < 10_000 { 10 } else { 5 };
    choices.add("trainer.epochs", epochs, format!("{num_train} images"));
}

/// Lets the network see whole photos where its weights cut a border off: their own preparation makes the shorter side 256
/// and takes the middle 224, and features of photos that are larger and whole are the better ones. The size that comes of
/// it, or that the caller has asked for.
///
/// # Source
///
/// H. Touvron, A. Vedaldi, M. Douze, H. Jegou, "Fixing the train-test resolution discrepancy", 2019.
fn whole_photos(choices: &mut Choices, network: &ModelConfig, asked: &Asked) -> [usize; 2] {
    let own = photos::image_size(network, asked);
    let recipe = network.published().first().map(|published| published.recipe);
    let is_asked = asked.has("model.input_shape") || asked.has("data.resize");
    let Some(recipe) = recipe.filter(|recipe| !is_asked && own == [recipe.crop; 2]) else { return own };
    let side = recipe.shorter as i64;
    let why = format!("whole photos: nothing is cut off as at {}", recipe.crop);
    choices.add("model.input_shape", vec![3, side, side], why);
    let mut resize: Table =
        [("shorter".to_owned(), side.into()), ("crop".to_owned(), side.into())].into_iter().collect();
    if recipe.interpolation == Interpolation::Bicubic {
        resize.insert("interpolation".to_owned(), "bicubic".into());
    }
    choices.add("data.resize", Value::Table(resize), "");
    [recipe.shorter; 2]
}

/// Random windows of the image at the size that the network takes.
fn augment(choices: &mut Choices, [height, width]: [usize; 2]) {
    let size: Value =
        if height == width { (height as i64).into() } else { vec![height as i64, width as i64].into() };
    let scale: Value = vec![SMALLEST_AREA, 1.0].into();
    let steps = vec![
        component("random_resized_crop", [("size", size), ("scale", scale)]),
        component("random_horizontal_flip", []),
    ];
    choices.add("data.augment", Value::Array(steps), "other sections of each photo in each epoch");
}

/// AdamW at `lr`, or the optimiser that was asked for at a rate that suits it.
pub(super) fn optimizer(choices: &mut Choices, lr: f64, why: &str, asked: &Asked) {
    match asked.text("optimizer.name") {
        None => {
            choices.add("optimizer.name", "adamw", "");
            choices.add("optimizer.lr", lr, why);
        }
        // Its gradients are not divided by their size: rates are about ten times those of AdamW.
        Some("sgd") => {
            choices.add("optimizer.lr", lr * 10.0, "ten times that of adamw");
            choices.add("optimizer.momentum", 0.9, "");
        }
        Some("adam" | "nadam" | "radam") => choices.add("optimizer.lr", lr, why),
        // At its own rate.
        Some(_) => {}
    }
}

/// The name of the last layer that has parameters.
fn head_of(network: &ModelConfig) -> Option<String> {
    let plan = network.build().ok()?;
    let last = plan.layers().iter().rev().find(|layer| layer.num_parameters() > 0)?;
    Some(last.path.clone()).filter(|path| !path.is_empty())
}
