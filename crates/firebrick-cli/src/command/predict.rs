//! `predict`: the classes that a run's network gives to image files.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use firebrick::component::text;
use firebrick::data::{DataError, load_image_file};
use firebrick::models::published::NUM_IMAGENET_CLASSES;
use firebrick::train::backend::{Backend, BackendChoice};
use firebrick::train::config::StartWeights;
use firebrick::train::config::start_weights::DEFAULT;
use firebrick::train::pretrained::Pretrained;
use firebrick::train::trained::{Prediction, TrainedRun};
use image::ImageFormat;
use serde_json::{Value, json};

use crate::attended::{Attended, NetworkArgument};
use crate::command::summary::named;
use crate::console::Format;
use crate::exit::Exit;
use crate::message::Failure;
use crate::output;
use crate::resolve::RunArguments;

/// What `predict` takes.
#[derive(Debug, Args)]
pub struct PredictArguments {
    #[command(flatten)]
    run: RunArguments,

    /// Weights of a network that is named in place of a run: imagenet, imagenet1k_v1, imagenet1k_v2 or a file of
    /// such [default: imagenet]
    #[arg(long, value_name = "WEIGHTS")]
    weights: Option<String>,

    /// Image files (PNG, JPEG, BMP, GIF, PNM, TIFF or WebP), or folders of them at any depth
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,

    /// Where to compute [default: as in training]
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,

    /// How many classes to show, the most probable first
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,

    #[command(flatten)]
    network: NetworkArgument,

    /// Print one JSON object a line, for each image
    #[arg(long)]
    json: bool,
}

/// What classifies.
enum Classifier {
    /// A run's network.
    Run(Box<TrainedRun>),
    /// A network with published weights, and whoever waited for them.
    Pretrained(Box<Pretrained>, Attended),
}

/// Prints the most probable classes of each image, by a run's network or one with published weights. An image that cannot be read is told and passed
/// over; the exit code is then its.
pub fn run(arguments: &PredictArguments) -> Result<Exit, Failure> {
    let (classifier, backend) = open(arguments)?;
    let mut exit = Exit::Done;
    for image in images(&arguments.images)? {
        if let Classifier::Pretrained(_, attended) = &classifier {
            attended.go_on()?;
        }
        let predictions = match predict(&classifier, &backend, &image) {
            Ok(predictions) => predictions,
            Err(failure) => {
                exit = failure.report();
                continue;
            }
        };
        let top = &predictions[..predictions.len().min(arguments.top as usize)];
        match arguments.json {
            true => output::json(&as_json(&image, top))?,
            false => output::line(as_text(&image, top))?,
        }
    }
    Ok(exit)
}

/// What was named: files as they are, folders as the images in them, sorted by name.
fn images(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut images = Vec::new();
    for path in named {
        if !path.is_dir() {
            images.push(path.clone());
            continue;
        }
        let before = images.len();
        collect(path, &mut images)?;
        if images.len() == before {
            let text = format!("{}: expected images in this folder, got none", text::path(path));
            return Err(Failure::Refused { exit: Exit::Data, text, hint: None });
        }
    }
    Ok(images)
}

/// Adds the images in a folder and in those below it; hidden files and what has another ending are passed over.
fn collect(folder: &Path, images: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failure = |error| DataError::io(folder, "list the folder", error);
    let entries = fs::read_dir(folder).map_err(failure)?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(failure)?;
    paths.sort();
    for path in paths {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let is_image = || ImageFormat::from_path(&path).is_ok_and(|format| format.reading_enabled());
        if is_hidden {
            continue;
        } else if path.is_dir() {
            collect(&path, images)?;
        } else if is_image() {
            images.push(path);
        }
    }
    Ok(())
}

fn open(arguments: &PredictArguments) -> Result<(Classifier, Backend), Failure> {
    let Some(name) = arguments.run.network() else {
        if let Some(weights) = &arguments.weights {
            let text =
                format!("--weights {} goes with the name of a network, and a run has its own", weights);
            return Err(Failure::usage(text));
        }
        let (run, backend) = arguments.run.open(arguments.backend.as_deref())?;
        return Ok((Classifier::Run(Box::new(run)), backend));
    };
    arguments.run.refuse_parts_of_a_run()?;
    let backend = arguments.backend.as_deref().unwrap_or("auto").parse::<BackendChoice>()?.open()?;
    let network = named(name, NUM_IMAGENET_CLASSES)
        .unwrap_or_else(|| unreachable!("bug: `{name}` is no network, though the family lists it"))?;
    let weights = StartWeights::from_text(arguments.weights.as_deref().unwrap_or(DEFAULT), &network);
    let attended = Attended::new(Format::for_people())?.on(arguments.network);
    let opened = Pretrained::open(&network, &weights, &backend.device, &attended.progress());
    let opened = Box::new(attended.finish(opened)?);
    Ok((Classifier::Pretrained(opened, attended), backend))
}

fn predict(classifier: &Classifier, backend: &Backend, path: &Path) -> Result<Vec<Prediction>, Failure> {
    let image = load_image_file(path)?;
    Ok(match classifier {
        Classifier::Run(run) => run.predict(&image, &backend.device)?,
        Classifier::Pretrained(network, _) => network.predict(&image, &backend.device)?,
    })
}

fn as_json(image: &Path, predictions: &[Prediction]) -> Value {
    let predictions: Vec<Value> = predictions
        .iter()
        .map(|prediction| {
            json!({
                "class": prediction.class,
                "name": prediction.name,
                "probability": prediction.probability,
            })
        })
        .collect();
    json!({ "image": image.display().to_string(), "predictions": predictions })
}

/// The file's name before its first class, blanks before the others.
fn as_text(image: &Path, predictions: &[Prediction]) -> String {
    let image = text::path(image);
    let shown: Vec<String> = predictions.iter().map(|prediction| text::one_line(&prediction.name)).collect();
    let names = shown.iter().map(|name| name.chars().count());
    let (first, width) = (image.chars().count(), names.fold(0, usize::max));
    let lines: Vec<String> = predictions
        .iter()
        .enumerate()
        .map(|(rank, prediction)| {
            let image = if rank == 0 { image.as_str() } else { "" };
            format!("{image:first$}  {:width$}  {:>7.3}%", shown[rank], prediction.probability * 100.0)
        })
        .collect();
    lines.join("\n")
}
