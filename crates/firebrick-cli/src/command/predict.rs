//! `predict`: the classes that a run's network gives to image files.

use std::path::Path;

use firebrick::data::load_image_file;
use firebrick::train::backend::Backend;
use firebrick::train::trained::{Prediction, TrainedRun};
use serde_json::{Value, json};

use crate::args::PredictArguments;
use crate::exit::Exit;
use crate::message::Failure;
use crate::output;
use crate::resolve::open_run;

/// Prints the most probable classes of each image. An image that cannot be read is told and passed
/// over; the exit code is then its.
pub fn run(arguments: &PredictArguments) -> Result<Exit, Failure> {
    let asked = &arguments.run;
    let (run, backend) = open_run(&asked.run, &asked.checkpoint, asked.ema, asked.backend.as_deref())?;
    let mut exit = Exit::Done;
    for image in &arguments.images {
        let predictions = match predict(&run, &backend, image) {
            Ok(predictions) => predictions,
            Err(failure) => {
                exit = failure.report();
                continue;
            }
        };
        let top = &predictions[..predictions.len().min(arguments.top as usize)];
        match arguments.json {
            true => output::json(&as_json(image, top))?,
            false => output::line(as_text(image, top))?,
        }
    }
    Ok(exit)
}

fn predict(run: &TrainedRun, backend: &Backend, path: &Path) -> Result<Vec<Prediction>, Failure> {
    let image = load_image_file(path)?;
    Ok(run.predict(&image, &backend.device)?)
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
    let image = image.display().to_string();
    let names = predictions.iter().map(|prediction| prediction.name.chars().count());
    let (first, width) = (image.chars().count(), names.max().unwrap_or(0));
    let lines: Vec<String> = predictions
        .iter()
        .enumerate()
        .map(|(rank, prediction)| {
            let image = if rank == 0 { image.as_str() } else { "" };
            format!("{image:first$}  {:width$}  {:>7.3}%", prediction.name, prediction.probability * 100.0)
        })
        .collect();
    lines.join("\n")
}
