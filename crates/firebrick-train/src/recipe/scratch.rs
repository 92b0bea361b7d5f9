//! The choices for a network that begins with random weights.

use firebrick_data::source::FolderSurvey;
use toml::Value;

use super::asked::Asked;
use super::choice::{Choices, component};
use super::fine_tune::optimizer;
use super::networks::network;
use super::photos;

/// Passes over the images altogether, as long as their number allows it: a small network learns slowly from few.
const IMAGES_SHOWN: usize = 60_000;

pub(super) fn choose(choices: &mut Choices, name: Option<&str>, survey: &FolderSurvey, asked: &Asked) {
    let side = model(choices, name, survey, asked);
    photos::data(choices, survey);
    let num_train = photos::num_trained_on(survey, asked);
    let batch_size = photos::batch_size(if num_train < 10_000 { 32 } else { 64 }, num_train);
    choices.add("data.batch_size", batch_size as i64, "");
    choices.add("data.normalize", "dataset", "");
    if let Some(side) = side {
        // A little around the middle is cut off, as at 256 and 224 pixels.
        let shorter = (side * 8).div_ceil(7) as i64;
        let resize = [("shorter".to_owned(), shorter.into()), ("crop".to_owned(), (side as i64).into())];
        choices.add("data.resize", Value::Table(resize.into_iter().collect()), "");
        augment(choices, side);
    }
    choices.add("data.batch_augment", vec![component("mixup", [("alpha", 0.4.into())])], "");
    choices.add("loss.name", "cross_entropy", "");
    optimizer(choices, 2e-3, "", asked);
    choices.add("optimizer.weight_decay", 0.05, "");
    choices.add("schedule.name", "cosine", "");
    if !asked.has("schedule.name") {
        choices.add("schedule.per", "step", "");
    }
    let epochs = IMAGES_SHOWN.div_ceil(num_train.max(1)).clamp(10, 250);
    choices.add("trainer.epochs", epochs as i64, format!("about {} images shown", epochs * num_train));
}

/// The network and the side of its square images, if they are square.
fn model(choices: &mut Choices, name: Option<&str>, survey: &FolderSurvey, asked: &Asked) -> Option<usize> {
    if let Some(name) = name {
        let [height, width] = photos::image_size(&network(name)?, asked);
        return (height == width).then_some(height);
    }
    let side = match asked.get("model.input_shape") {
        None => side(survey.sizes.median),
        Some(_) => {
            let [height, width] = photos::image_size(&network("resnet18")?, asked);
            (height == width).then_some(height)?
        }
    };
    let sides = format!("the shorter sides are {} pixels in the middle", survey.sizes.median);
    choices.add("model.name", "resnet18", "");
    choices.add("model.width", 32, "half as wide as usual: few images");
    choices.add("model.input_shape", vec![3, side as i64, side as i64], sides);
    Some(side)
}

/// The side of the network's images for photos whose shorter side is `median` in the middle.
fn side(median: usize) -> usize {
    match median {
        0..48 => 32,
        48..96 => 64,
        _ => 128,
    }
}

fn augment(choices: &mut Choices, side: usize) {
    let scale: Value = vec![0.2, 1.0].into();
    let steps = vec![
        component("random_resized_crop", [("size", (side as i64).into()), ("scale", scale)]),
        component("random_horizontal_flip", []),
        component(
            "color_jitter",
            [("brightness", 0.4.into()), ("contrast", 0.4.into()), ("saturation", 0.4.into())],
        ),
    ];
    choices.add(
        "data.augment",
        Value::Array(steps),
        "other sections and colours of each photo in each epoch",
    );
}
