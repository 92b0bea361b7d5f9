//! The config for a folder of photos.

use firebrick_data::source::FolderSurvey;
use firebrick_data::{Progress, StoredSplit};
use firebrick_models::ModelConfig;
use toml::Value;

use super::RecipeOptions;
use super::asked::Asked;
use super::choice::{Choice, Choices};
use super::start::Start;
use super::{fine_tune, scratch};
use crate::error::TrainError;

/// From so many training images on, a smaller part of them is enough to evaluate on.
const MANY_IMAGES: usize = 10_000;

/// Every choice but those that the caller has made.
pub(super) fn choices(
    survey: &FolderSurvey,
    asked: &Asked,
    options: RecipeOptions,
    progress: &dyn Progress,
) -> Result<Vec<Choice>, TrainError> {
    let start = Start::of(asked, options, progress)?;
    let mut choices = Choices::default();
    match start {
        Start::Weights(weights) => fine_tune::choose(&mut choices, &weights, survey, asked),
        Start::Scratch { network, why } => {
            scratch::choose(&mut choices, network.as_deref(), &why, survey, asked)
        }
    }
    let kept = choices.without(asked);
    Ok(in_order(kept))
}

/// `[data]` as far as no network matters.
pub(super) fn data(choices: &mut Choices, survey: &FolderSurvey) {
    choices.add("data.dataset", "image_folder", "");
    choices.add("data.root", survey.root.display().to_string(), "");
    let has_validation = survey.split(StoredSplit::Validation).is_some();
    let has_test = survey.split(StoredSplit::Test).is_some();
    let fraction = if survey.num_train() >= MANY_IMAGES { 0.1 } else { 0.2 };
    match (has_validation, has_test) {
        (true, _) => {}
        (false, true) if is_named_val(survey) => {}
        (false, true) => choices.add(
            "data.validation",
            fraction,
            "no validation split: a part of each class chooses the best checkpoint, the test split comes at the end",
        ),
        (false, false) => choices.add("data.validation", fraction, "no split to test on: a part of each class is held out"),
    }
}

/// A lone `val` is the test split, and nothing has to be held out beside it.
fn is_named_val(survey: &FolderSurvey) -> bool {
    let name = survey.split(StoredSplit::Test).and_then(|split| split.folder.file_name());
    name.is_some_and(|name| !name.eq_ignore_ascii_case("test"))
}

/// Height and width of the images that a network takes: those that were asked for, otherwise its own.
pub(super) fn image_size(network: &ModelConfig, asked: &Asked) -> [usize; 2] {
    let own = network.input_shape();
    let size = |place: usize| {
        let given =
            asked.get("model.input_shape").and_then(|shape| shape.get(place)).and_then(Value::as_integer);
        given.and_then(|given| usize::try_from(given).ok()).unwrap_or(own[place])
    };
    [size(1), size(2)]
}

/// The tables in the order of a config, whichever order they were chosen in.
fn in_order(mut choices: Vec<Choice>) -> Vec<Choice> {
    const TABLES: [&str; 6] = ["model", "data", "loss", "optimizer", "schedule", "trainer"];
    let place =
        |choice: &Choice| TABLES.iter().position(|table| choice.key.starts_with(&format!("{table}.")));
    choices.sort_by_key(place);
    choices
}
