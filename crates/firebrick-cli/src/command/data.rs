//! `data`: what a dataset holds, fetching it, and saving images of it.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use firebrick::data::{
    DataConfig, DataLoader, DatasetInfo, Datasets, InputShape, LoaderOptions, Normalize, PreparedDataset,
};
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use serde_json::{Value, json};

use super::Attended;
use super::export::refuse_existing;
use crate::args::{DataCommand, DatasetArguments, Split};
use crate::exit::Exit;
use crate::log::Format;
use crate::message::Failure;
use crate::output::{self, Align};
use crate::style::{counted, thousands};

/// What images are brought to where their own shape does not matter.
const ANY_SHAPE: InputShape = InputShape { channels: 3, height: 32, width: 32 };

/// Does what `data` was told.
pub fn run(command: &DataCommand) -> Result<Exit, Failure> {
    match command {
        DataCommand::Info { dataset, json } => info(dataset, *json),
        DataCommand::Download { dataset } => download(dataset),
        DataCommand::Export { dataset, split, index, out } => export(dataset, *split, *index, out.clone()),
    }
}

fn open(config: &DataConfig, input: InputShape, attended: &Attended) -> Result<Datasets, Failure> {
    attended.finish(firebrick::data::open(config, input, 0, &attended.progress()))
}

fn info(dataset: &DatasetArguments, json: bool) -> Result<Exit, Failure> {
    let config = dataset.resolve()?;
    let attended = Attended::new(Format::for_people())?;
    let datasets = open(&config, ANY_SHAPE, &attended)?;
    let num_classes = datasets.info.class_names.len();
    let train = class_counts(&datasets.train, num_classes, &config, &attended)?;
    let test = class_counts(&datasets.test, num_classes, &config, &attended)?;
    match json {
        true => output::json(&info_json(&datasets.info, &train, &test))?,
        false => output::line(info_text(&datasets.info, &train, &test))?,
    }
    Ok(Exit::Done)
}

/// Reads every sample of a split.
fn class_counts(
    split: &Arc<PreparedDataset>,
    num_classes: usize,
    config: &DataConfig,
    attended: &Attended,
) -> Result<Vec<u64>, Failure> {
    let options =
        LoaderOptions { batch_size: 256, shuffle: false, seed: 0, workers: config.workers, drop_last: false };
    // Only labels are looked at.
    let loader = DataLoader::new(split.clone(), options).keep_bytes();
    attended.console.begin_epoch("reading", 0, loader.num_samples() as u64);
    let mut counts = vec![0; num_classes];
    let mut seen = 0;
    for batch in loader.epoch(0, 0) {
        let batch = attended.finish(batch)?;
        seen += batch.labels.len() as u64;
        attended.console.position(seen);
        for label in batch.labels {
            if let Some(count) = usize::try_from(label).ok().and_then(|label| counts.get_mut(label)) {
                *count += 1;
            }
        }
        if attended.signals.received().is_some() {
            attended.console.clear();
            return Err(attended.stopped());
        }
    }
    attended.console.clear();
    Ok(counts)
}

fn info_json(info: &DatasetInfo, train: &[u64], test: &[u64]) -> Value {
    let classes: Vec<Value> = info
        .class_names
        .iter()
        .zip(train.iter().zip(test))
        .map(|(name, (train, test))| json!({ "name": name, "train": train, "test": test }))
        .collect();
    json!({
        "dataset": info.name,
        "train": info.train_count,
        "test": info.test_count,
        "shape": info.source_shape,
        "normalization": info.normalization,
        "fingerprint": info.fingerprint,
        "classes": classes,
    })
}

fn info_text(info: &DatasetInfo, train: &[u64], test: &[u64]) -> String {
    let shape = info.source_shape.map_or_else(
        || "differs from image to image".to_owned(),
        |shape| format!("{shape} (channels x height x width)"),
    );
    let head = output::pairs([
        ("dataset", info.name.clone()),
        ("train", counted(info.train_count as u64, "image")),
        ("test", counted(info.test_count as u64, "image")),
        ("shape", shape),
        ("sha256", info.fingerprint.clone()),
    ]);
    let columns =
        [("class", Align::Right), ("name", Align::Left), ("train", Align::Right), ("test", Align::Right)];
    let rows = info.class_names.iter().zip(train.iter().zip(test)).enumerate();
    let rows = rows.map(|(class, (name, (train, test)))| {
        vec![class.to_string(), name.clone(), thousands(*train), thousands(*test)]
    });
    format!("{head}\n\n{}", output::table(&columns, rows))
}

fn download(dataset: &DatasetArguments) -> Result<Exit, Failure> {
    let config = dataset.resolve()?;
    let Some(files) = config.dataset.remote_files() else {
        let text = format!("dataset `{}` has no official place to fetch it from", config.dataset.name());
        return Err(Failure::usage(text));
    };
    let attended = Attended::new(Format::for_people())?;
    let fetched = firebrick::data::download::ensure(&files, &config.root, &attended.progress());
    attended.finish(fetched)?;
    output::line(format!("{}: {} is there", config.root.display(), config.dataset.name()))?;
    Ok(Exit::Done)
}

fn export(
    dataset: &DatasetArguments,
    split: Split,
    index: usize,
    out: Option<PathBuf>,
) -> Result<Exit, Failure> {
    let mut config = dataset.resolve()?;
    // Pixels / 255 and nothing else, so that the stored bytes can be had back exactly.
    config.normalize = Normalize::None;
    let out = out.unwrap_or_else(|| format!("{}-{}-{index}.png", config.dataset.name(), split.name()).into());
    refuse_existing(&out)?;
    let attended = Attended::new(Format::for_people())?;
    let input = match open(&config, ANY_SHAPE, &attended)?.info.source_shape {
        Some(shape) => shape,
        None => {
            let text = format!("dataset `{}` holds image files of different sizes", config.dataset.name());
            return Err(Failure::usage(text).hint("its images can be given to `predict` as they are"));
        }
    };
    let datasets = open(&config, input, &attended)?;
    let part = match split {
        Split::Train => &datasets.train,
        Split::Test => &datasets.test,
    };
    if index >= part.len() {
        let text = format!(
            "--index {index}: expected 0 to {}, the images of the {} split",
            part.len().saturating_sub(1),
            split.name()
        );
        return Err(Failure::usage(text));
    }
    let (values, label) = attended.finish(part.get(0, index))?;
    write_png(&out, input, &values)?;
    let class = datasets.info.class_names.get(label as usize).map_or("", String::as_str);
    output::line(format!("{}: {input}, class {label} ({class})", out.display()))?;
    Ok(Exit::Done)
}

/// Channel planes of 0 to 1 as an 8-bit PNG.
fn write_png(path: &Path, shape: InputShape, values: &[f32]) -> Result<(), Failure> {
    let plane = shape.height * shape.width;
    let interleaved: Vec<u8> = (0..plane)
        .flat_map(|pixel| (0..shape.channels).map(move |channel| channel * plane + pixel))
        .filter_map(|position| values.get(position))
        .map(|value| (value * 255.0).round() as u8)
        .collect();
    let (width, height) = (shape.width as u32, shape.height as u32);
    let picture = match shape.channels {
        1 => GrayImage::from_raw(width, height, interleaved).map(DynamicImage::from),
        _ => RgbImage::from_raw(width, height, interleaved).map(DynamicImage::from),
    };
    let failure = |what: String| Failure::storage(format!("{}: cannot write: {what}", path.display()));
    let picture = picture.ok_or_else(|| failure(format!("{shape} is no shape of a picture")))?;
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(|error| failure(error.to_string()))?;
    std::fs::write(path, png.into_inner()).map_err(|error| failure(error.to_string()))
}
