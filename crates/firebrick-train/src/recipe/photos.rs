//! What the choices share that know the folder: splits, sizes, counts.

use firebrick_data::StoredSplit;
use firebrick_data::source::FolderSurvey;
use firebrick_models::ModelConfig;
use toml::Value;

use super::asked::Asked;
use super::choice::Choices;

/// From so many training images on, a smaller part of them is enough to evaluate on.
const MANY_IMAGES: usize = 10_000;

/// A larger size is refused where the network is read.
const MAX_SIDE: usize = 1 << 16;

/// `[data]` as far as no network matters.
pub(super) fn data(choices: &mut Choices, survey: &FolderSurvey) {
    choices.add("data.dataset", "image_folder", "");
    choices.add("data.root", survey.root.display().to_string(), "");
    let Some(fraction) = held_out(survey) else { return };
    let why = match survey.split(StoredSplit::Test) {
        Some(_) => "this part of each class chooses the best checkpoint; the test split comes at the end",
        None => "nothing to test on: this part of each class is held out",
    };
    choices.add("data.validation", fraction, why);
}

/// The part of the training images that is held out, where the folder has no split for it.
fn held_out(survey: &FolderSurvey) -> Option<f64> {
    let has_one = survey.split(StoredSplit::Validation).is_some() || is_named_val(survey);
    let fraction = if survey.num_train() >= MANY_IMAGES { 0.1 } else { 0.2 };
    (!has_one).then_some(fraction)
}

/// Images that are trained on.
pub(super) fn num_trained_on(survey: &FolderSurvey, asked: &Asked) -> usize {
    let asked = asked.get("data.validation").and_then(Value::as_float);
    let part = asked.or_else(|| held_out(survey)).filter(|part| (0.0..1.0).contains(part));
    let num_train = survey.num_train();
    num_train - part.map_or(0, |part| (num_train as f64 * part).round() as usize)
}

/// A batch of at most `most` images, so that an epoch has some steps.
pub(super) fn batch_size(most: usize, num_train: usize) -> usize {
    let mut size = most;
    while size > 4 && size * 4 > num_train {
        size /= 2;
    }
    size
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
        given
            .and_then(|given| usize::try_from(given).ok())
            .filter(|given| *given <= MAX_SIDE)
            .unwrap_or(own[place])
    };
    [size(1), size(2)]
}
