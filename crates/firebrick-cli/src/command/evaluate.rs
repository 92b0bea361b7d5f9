//! `evaluate`: a run's network on one of its splits, with the very numbers that training reported.

use std::path::Path;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use firebrick::component::text;
use firebrick::data::{Datasets, Normalize, PreparedDataset};
use firebrick::train::Config;
use firebrick::train::backend::Backend;
use firebrick::train::class_names;
use firebrick::train::config::Override;
use firebrick::train::evaluate::{Evaluation, EvaluationOptions, evaluate};
use firebrick::train::metric::check_classes;
use firebrick::train::trained::TrainedRun;
use serde_json::{Value, json};

use crate::attended::{Attended, NetworkArgument};
use crate::console::Format;
use crate::exit::Exit;
use crate::message::{Failure, warning};
use crate::output::{self, Align};
use crate::resolve::{RunArguments, find_data, overrides};
use crate::style::{percent, thousands};

/// What `evaluate` takes.
#[derive(Debug, Args)]
pub struct EvaluateArguments {
    #[command(flatten)]
    run: RunArguments,

    /// Which part of the data: test; validation, which chooses the best checkpoint; or train, without
    /// augmentation
    #[arg(long, value_enum, value_name = "SPLIT", default_value_t = Part::Test, hide_possible_values = true)]
    split: Part,

    /// Where to compute [default: as in training]
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,

    /// Change a key of the run's config, as in --set data.root=/mnt/data; may be repeated
    #[arg(long, value_name = "KEY.PATH=VALUE")]
    set: Vec<String>,

    #[command(flatten)]
    network: NetworkArgument,

    /// Print one JSON object, with the confusion matrix
    #[arg(long)]
    json: bool,
}

/// What can be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The images that training neither sees nor chooses by
    Test,
    /// The images that choose the best checkpoint
    Validation,
    /// The images that were trained on, as they are without augmentation
    Train,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Validation => "validation",
            Self::Train => "train",
        }
    }

    /// What stands beside the bar.
    fn verb(self) -> &'static str {
        match self {
            Self::Test => "testing",
            Self::Validation => "validating",
            Self::Train => "evaluating",
        }
    }

    fn of(self, datasets: Datasets) -> Result<Arc<PreparedDataset>, Failure> {
        match self {
            Self::Test => Ok(datasets.test),
            Self::Train => Ok(datasets.train),
            Self::Validation => datasets.validation.ok_or_else(|| {
                let name = datasets.info.name;
                Failure::usage(format!("--split validation: the run has no validation split of `{name}`"))
            }),
        }
    }
}

/// Refuses a `--set` of a key that an evaluation of `part` does not look at.
fn refuse_idle(overrides: &[Override], part: Part) -> Result<(), Failure> {
    for one in overrides {
        let keys = one.keys();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let reason = match (keys.as_slice(), part) {
            (["model", ..], _) => "evaluate uses the run's own network, with its own weights",
            (["optimizer" | "schedule", ..], _) => "nothing is trained",
            (["output", ..], _) => "nothing is written",
            (["data", "augment" | "batch_augment", ..], _) => "images are evaluated as they are",
            (["data", "shuffle" | "drop_last", ..], _) => "every image is evaluated, in its order",
            (["data", "limit", "train" | "validation", ..], Part::Test) => "the test split is evaluated",
            (["data" | "trainer"], _) => "name the keys one by one, so that it is known which are meant",
            (["trainer", "metrics" | "seed" | "backend", ..], _) | (["data" | "loss", ..], _) | ([], _) => {
                continue;
            }
            (["trainer", ..], _) => "nothing is trained",
            // What is no table of a config is complained about where it is read.
            _ => continue,
        };
        return Err(Failure::usage(format!("--set {} has no effect: {reason}", one.argument())));
    }
    Ok(())
}

/// The backend that was asked for: by its flag or as a key of the config, not by both.
fn backend<'a>(arguments: &'a EvaluateArguments, overrides: &[Override]) -> Result<Option<&'a str>, Failure> {
    let is_set = overrides.iter().rposition(|one| one.keys() == ["trainer", "backend"]);
    match (is_set, arguments.backend.as_deref()) {
        (Some(place), Some(_)) => {
            let text = format!("--set {} has no effect beside --backend", overrides[place].argument());
            Err(Failure::usage(text).hint("say it once"))
        }
        (Some(place), None) => {
            Ok(arguments.set[place].split_once('=').map(|(_, name)| name.trim().trim_matches('"')))
        }
        (None, flag) => Ok(flag),
    }
}

/// Refuses, for the splits that the run has seen, what `--set` says of which images they hold: some of them could be ones
/// that it was trained on.
fn refuse_other_images(own: &Config, asked: &Config, part: Part) -> Result<(), Failure> {
    let (data, other) = (&own.data, &asked.data);
    let is_same = data.dataset == other.dataset
        && data.validation == other.validation
        && data.validation_split == other.validation_split
        && data.train_split == other.train_split
        && data.limit == other.limit
        && own.trainer.seed == asked.trainer.seed;
    if is_same || part == Part::Test {
        return Ok(());
    }
    let text =
        format!("--split {}: with what --set says, these would be other images than the run's", part.name());
    Err(Failure::usage(text).hint("leave dataset, validation, splits, limit and seed as they are"))
}

impl EvaluateArguments {
    /// Those of `firebrick evaluate RUN`.
    pub fn of(run: &Path) -> Self {
        let run = RunArguments::of(run);
        let network = NetworkArgument { offline: false };
        Self { run, network, split: Part::Test, backend: None, set: Vec::new(), json: false }
    }
}

/// Evaluates and prints loss, accuracy and the accuracy of each class.
pub fn run(arguments: &EvaluateArguments) -> Result<Exit, Failure> {
    let attended = Attended::new(Format::for_people())?.on(arguments.network);
    run_attended(arguments, &attended)?;
    Ok(Exit::Done)
}

/// The same in a command that has something else to do, too.
pub fn run_attended(arguments: &EvaluateArguments, attended: &Attended) -> Result<(), Failure> {
    let overrides = overrides(&arguments.set)?;
    refuse_idle(&overrides, arguments.split)?;
    let (run, backend) = arguments.run.open(backend(arguments, &overrides)?)?;
    let state = run.checkpoint.join("state.json").display().to_string();
    let mut config = Config::from_toml(&state, &run.state.config, &overrides)?;
    let own = Config::from_toml(&state, &run.state.config, &[])?;
    refuse_other_images(&own, &config, arguments.split)?;
    if let Some(notice) = run.check_loss(&config)? {
        attended.console.line(&warning(&notice, attended.console.style()));
    }
    // Images of another data set, too, are prepared as the network has learnt them.
    if !overrides.iter().any(|one| one.keys().starts_with(&["data".to_owned(), "normalize".to_owned()])) {
        config.data.normalize = Some(match &run.state.preprocess.normalization {
            Some(normalization) => Normalize::Values(normalization.clone()),
            None => Normalize::None,
        });
    }
    find_data(&run.run_dir, &mut config);
    // Training images, too, are evaluated as they are.
    config.data.augment.clear();
    config.data.batch_augment.clear();
    let evaluation = measure(&run, &config, arguments.split, &backend, attended)?;
    match arguments.json {
        true => output::json(&as_json(&run, &config, arguments.split, &backend, &evaluation)),
        false => output::line(as_text(&run, &config, arguments.split, &backend, &evaluation)),
    }
}

/// As training does it: the same batches, the same loss, the same backend.
fn measure(
    run: &TrainedRun,
    config: &Config,
    part: Part,
    backend: &Backend,
    attended: &Attended,
) -> Result<Evaluation, Failure> {
    let input = run.state.preprocess.input;
    let opened = firebrick::data::open(&config.data, input, config.trainer.seed, &attended.progress());
    let datasets = attended.finish(opened)?;
    if let Some(notice) = datasets.info.skipped_notice() {
        attended.console.line(&warning(&notice, attended.console.style()));
    }
    let (trained_on, here) = (&run.state.dataset, &datasets.info);
    if let Some(difference) = class_names::difference(&trained_on.class_names, &here.class_names) {
        let text =
            format!("dataset `{}` has other classes than the run was trained on: {difference}", here.name);
        return Err(Failure::usage(text).hint("give it the run's classes, under the same names"));
    }
    if trained_on.fingerprint != here.fingerprint {
        if part != Part::Test {
            let text = format!(
                "--split {}: the data is not what the run was trained on (its fingerprint differs), so these could be other \
                 images than the run's",
                part.name()
            );
            return Err(Failure::usage(text).hint("put the data back as it was"));
        }
        let text = "the data is not what the run was trained on: its fingerprint differs";
        attended.console.line(&warning(text, attended.console.style()));
    }
    let loss = attended.finish(config.loss.for_classes(here.class_names.len()))?;
    check_classes(&config.trainer.metrics, here.class_names.len())
        .map_err(|error| Failure::usage(error.within("trainer").to_string()))?;
    let options = EvaluationOptions { batch_size: config.data.batch_size, workers: config.data.workers };
    let split = part.of(datasets)?;
    attended.console.begin_epoch(part.verb(), 0, split.len() as u64);
    let mut stop = |images: usize| {
        attended.console.position(images as u64);
        attended.signals.received().is_some()
    };
    let evaluation = evaluate(&run.model, split, &loss, backend, options, &mut stop);
    attended.finish(evaluation)?.ok_or_else(|| attended.stopped())
}

/// One class's part of the confusion matrix.
struct ClassRow<'a> {
    class: usize,
    name: &'a str,
    images: u64,
    correct: u64,
    /// The class that its images are most often taken for by mistake, and how often.
    mistaken: Option<(usize, u64)>,
}

fn class_rows<'a>(names: &'a [String], evaluation: &Evaluation) -> Vec<ClassRow<'a>> {
    let confusion = evaluation.confusion();
    assert_eq!(names.len(), confusion.len(), "bug: a confusion matrix of other classes");
    let rows = names.iter().zip(confusion).enumerate();
    rows.map(|(class, (name, predicted))| {
        let wrong =
            predicted.iter().copied().enumerate().filter(|(other, count)| *other != class && *count > 0);
        ClassRow {
            class,
            name,
            images: predicted.iter().sum(),
            correct: predicted[class],
            // The first among equals.
            mistaken: wrong.rev().max_by_key(|(_, count)| *count),
        }
    })
    .collect()
}

fn correct(evaluation: &Evaluation) -> u64 {
    evaluation.records.iter().filter(|record| record.is_correct()).count() as u64
}

fn checkpoint_name(run: &TrainedRun) -> String {
    let name = run.checkpoint.file_name();
    let name =
        name.unwrap_or_else(|| unreachable!("bug: checkpoint {} has no name", run.checkpoint.display()));
    name.to_string_lossy().into_owned()
}

fn as_json(
    run: &TrainedRun,
    config: &Config,
    part: Part,
    backend: &Backend,
    evaluation: &Evaluation,
) -> Value {
    let classes: Vec<Value> = class_rows(&run.state.dataset.class_names, evaluation)
        .iter()
        .map(|row| {
            json!({
                "class": row.class,
                "name": row.name,
                "images": row.images,
                "correct": row.correct,
                "accuracy": (row.images > 0).then(|| row.correct as f64 / row.images as f64),
            })
        })
        .collect();
    json!({
        "run": run.run_dir.display().to_string(),
        "checkpoint": checkpoint_name(run),
        "step": run.state.progress.position.step,
        "backend": backend.name.as_str(),
        "dataset": config.data.dataset.name(),
        "split": part.name(),
        "loss": evaluation.score.loss,
        "accuracy": evaluation.score.accuracy,
        "images": evaluation.images(),
        "correct": correct(evaluation),
        "classes": classes,
        "metrics": evaluation.metrics(&config.trainer.metrics),
        "confusion": evaluation.confusion(),
    })
}

fn as_text(
    run: &TrainedRun,
    config: &Config,
    part: Part,
    backend: &Backend,
    evaluation: &Evaluation,
) -> String {
    let names = &run.state.dataset.class_names;
    let images = evaluation.images() as u64;
    let mut head = vec![
        ("run", format!("{}, {}", text::path(&run.run_dir), checkpoint_name(run))),
        ("data", format!("{}, {} {} images", config.data.dataset.name(), thousands(images), part.name())),
        ("device", format!("{} ({})", backend.name, backend.device_name)),
        // All digits, as in metrics.jsonl, so that the two can be compared.
        ("loss", digits(evaluation.score.loss)),
        (
            "accuracy",
            format!(
                "{} ({} of {})",
                digits(evaluation.score.accuracy),
                thousands(correct(evaluation)),
                thousands(images)
            ),
        ),
    ];
    let metrics = evaluation.metrics(&config.trainer.metrics);
    head.extend(metrics.iter().map(|(label, value)| (label.as_str(), digits(*value))));
    let head = output::pairs(head);
    let columns = [
        ("class", Align::Right),
        ("name", Align::Left),
        ("images", Align::Right),
        ("correct", Align::Right),
        ("accuracy", Align::Right),
        ("most often mistaken for", Align::Left),
    ];
    let rows = class_rows(names, evaluation).into_iter().map(|row| {
        let accuracy = match row.images {
            0 => "-".to_owned(),
            images => percent(row.correct as f64 / images as f64),
        };
        let mistaken = row.mistaken.map_or_else(String::new, |(other, count)| {
            format!("{} ({count})", text::one_line(&names[other]))
        });
        vec![
            row.class.to_string(),
            text::one_line(row.name),
            thousands(row.images),
            thousands(row.correct),
            accuracy,
            mistaken,
        ]
    });
    format!("{head}\n\n{}", output::table(&columns, rows))
}

/// The digits that JSON has.
fn digits(value: f64) -> String {
    Value::from(value).to_string()
}
