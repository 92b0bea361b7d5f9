//! The config for a folder of photos, choice by choice.

use firebrick_data::Progress;
use firebrick_data::source::FolderSurvey;

use super::asked::Asked;
use super::choice::{Choice, Choices};
use super::start::{RecipeOptions, Start};
use super::{fine_tune, scratch};
use crate::error::TrainError;

/// Every choice but those that the caller has made, and why there are no weights to begin with if there are none.
pub(super) fn choices(
    survey: &FolderSurvey,
    asked: &Asked,
    options: RecipeOptions,
    progress: &dyn Progress,
) -> Result<(Vec<Choice>, Option<String>), TrainError> {
    let start = Start::of(asked, options, progress)?;
    let mut choices = Choices::default();
    let notice = match start {
        Start::Weights(weights) => {
            fine_tune::choose(&mut choices, &weights, survey, asked);
            None
        }
        Start::Scratch { network, why } => {
            scratch::choose(&mut choices, network.as_deref(), survey, asked);
            Some(format!("the network begins with random weights: {why}"))
        }
    };
    let kept = choices.without(asked);
    Ok((in_order(kept), notice))
}

/// The tables in the order of a config, whichever order they were chosen in.
fn in_order(mut choices: Vec<Choice>) -> Vec<Choice> {
    const TABLES: [&str; 6] = ["model", "data", "loss", "optimizer", "schedule", "trainer"];
    let place =
        |choice: &Choice| TABLES.iter().position(|table| choice.key.starts_with(&format!("{table}.")));
    choices.sort_by_key(place);
    choices
}
