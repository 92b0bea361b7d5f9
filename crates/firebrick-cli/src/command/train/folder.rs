//! `train FOLDER`: what is no folder of photos, what was found in one, and the config that was made for it.

use std::path::Path;

use firebrick::component::text;
use firebrick::data::source::{FolderSurvey, is_archive, is_image};
use firebrick::train::config::Override;
use firebrick::train::recipe::{Found, Recipe};

use crate::message::{Failure, firebrick_command};
use crate::output::{self, Align};
use crate::shell;
use crate::style::{Style, counted, thousands};

/// More classes than this are told in one line.
const MOST_ROWS: usize = 12;
/// Endings of files of weights.
const WEIGHTS_ENDINGS: [&str; 5] = ["pt", "pth", "ckpt", "safetensors", "bpk"];

/// Refuses what stands where a folder of photos is expected and is something else.
pub fn refuse_others(path: &Path, resume_is_bare: bool) -> Result<(), Failure> {
    let word = shell::path(path);
    if is_run(path) {
        let what = format!("`{}` is a run, and no folder of photos", text::path(path));
        let hint = match resume_is_bare {
            true => format!("a run is named with an equals sign: --resume={word}"),
            false => format!("to go on with it: {} train --resume={word}", firebrick_command()),
        };
        return Err(Failure::usage(what).hint(hint));
    }
    if path.is_dir() {
        return Ok(());
    }
    let refused = Failure::usage(format!("unexpected argument `{}`", text::path(path)));
    let ends_with = |endings: &[&str]| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| endings.iter().any(|one| one.eq_ignore_ascii_case(ending)))
    };
    Err(refused.hint(match () {
        () if resume_is_bare => format!("a run is named with an equals sign: --resume={word}"),
        () if ends_with(&["toml"]) => format!("a config is named by its flag: --config {word}"),
        () if ends_with(&WEIGHTS_ENDINGS) => {
            format!("weights are named by a key: --set model.weights={word}, beside a folder of photos")
        }
        () if is_archive(path) => "unpack it first, then name the folder".to_owned(),
        () if is_image(path) => {
            format!("expected a folder; to ask a trained run: {} predict RUN {word}", firebrick_command())
        }
        () => "expected a folder of photos, such as photos/ with one folder for each class".to_owned(),
    }))
}

/// Whether a folder is a run's, or a checkpoint's.
fn is_run(path: &Path) -> bool {
    let has = |name: &str| path.join(name).exists();
    let is_run =
        has("config.toml") && (has("checkpoints") || has("metrics.jsonl") || has("environment.json"));
    is_run || (has("state.json") && has("manifest.json"))
}

/// What was found, and the config that was made of it.
pub fn told(recipe: &Recipe, overrides: &[Override], style: Style) -> String {
    let mut parts = Vec::new();
    match &recipe.found {
        Found::Photos(survey) => {
            parts.push(photos(survey));
            parts.extend(recipe.notice.as_deref().map(text::one_line));
            parts.push(commented(&recipe.text, style));
        }
        Found::Dataset { name, config } => {
            let root = text::path(&recipe.config.data.root);
            parts.push(format!("{root}: the data set {name}, trained on by {config}"));
        }
    }
    if !overrides.is_empty() {
        let set = overrides.iter().map(|one| {
            let argument = one.argument();
            let (key, value) = argument.split_once('=').unwrap_or((&argument, ""));
            format!("--set {key}={}", shell::quoted(value))
        });
        parts.push(format!("and {}", set.collect::<Vec<_>>().join(" ")));
    }
    parts.join("\n\n") + "\n"
}

fn photos(survey: &FolderSurvey) -> String {
    let sizes = &survey.sizes;
    let sides = match (sizes.smallest, sizes.largest) {
        (smallest, largest) if smallest == largest => format!("{smallest} pixels"),
        (smallest, largest) => format!("{smallest} to {largest} pixels, {} in the middle", sizes.median),
    };
    let num_classes = survey.class_names.len();
    let head = format!(
        "{}: {}, shorter side {sides}",
        text::path(&survey.root),
        counted(num_classes as u64, "class").replace("classs", "classes"),
    );
    format!("{head}\n\n{}", if num_classes > MOST_ROWS { splits(survey) } else { classes(survey) })
}

/// The folder of a split below the root; the root itself holds the classes where there is none.
fn split_name(survey: &FolderSurvey, place: usize) -> String {
    let folder = &survey.splits[place].folder;
    match folder.strip_prefix(&survey.root) {
        Ok(name) if name.as_os_str().is_empty() => "images".to_owned(),
        Ok(name) => text::path(name),
        Err(_) => text::path(folder),
    }
}

/// A row for each class.
fn classes(survey: &FolderSurvey) -> String {
    let names: Vec<String> = (0..survey.splits.len()).map(|place| split_name(survey, place)).collect();
    let columns: Vec<(&str, Align)> = std::iter::once(("class", Align::Left))
        .chain(names.iter().map(|name| (name.as_str(), Align::Right)))
        .collect();
    let rows = survey.class_names.iter().enumerate().map(|(class, name)| {
        let counts = survey.splits.iter().map(|split| thousands(split.counts[class] as u64));
        std::iter::once(text::one_line(name)).chain(counts).collect()
    });
    output::table(&columns, rows)
}

/// A row for each split.
fn splits(survey: &FolderSurvey) -> String {
    let columns =
        [("split", Align::Left), ("images", Align::Right), ("fewest", Align::Right), ("most", Align::Right)];
    let rows = survey.splits.iter().enumerate().map(|(place, split)| {
        let of_class = |count: Option<&usize>| thousands(count.copied().unwrap_or(0) as u64);
        vec![
            split_name(survey, place),
            thousands(split.num_images() as u64),
            of_class(split.counts.iter().min()),
            of_class(split.counts.iter().max()),
        ]
    });
    output::table(&columns, rows)
}

/// A config with its comments less bright.
fn commented(config: &str, style: Style) -> String {
    let line = |line: &str| match line.split_once("    # ") {
        Some((value, why)) => {
            format!("{}    {}", text::one_line(value), style.dim(&format!("# {}", text::one_line(why))))
        }
        None => text::one_line(line),
    };
    config.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
}
