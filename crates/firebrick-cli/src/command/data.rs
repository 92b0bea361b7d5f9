//! `data`: what a dataset holds, fetching it, and saving images of it.

mod bench;
mod dataset;
mod picture;
mod preview;
mod verify;

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Subcommand, ValueEnum};
use firebrick::component::text;
use firebrick::data::{
    DataConfig, DataLoader, DatasetInfo, InputShape, LoaderOptions, Normalize, PreparedDataset,
};
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use serde_json::{Value, json};

use self::bench::BenchArguments;
use self::dataset::{ANY_SHAPE, DatasetArguments, open};
use self::preview::PreviewArguments;
use self::verify::VerifyArguments;
use crate::attended::Attended;
use crate::console::Format;
use crate::exit::Exit;
use crate::message::{Failure, warning};
use crate::output::{self, Align, refuse_ending, refuse_existing};
use crate::style::{counted, thousands};

/// What to do with a dataset.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Read every image and show counts, shapes and classes
    #[command(after_help = "Examples:
  firebrick data info digits
  firebrick data info image_folder --root pets")]
    Info {
        #[command(flatten)]
        dataset: DatasetArguments,

        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Read and decode every image, and say which cannot be
    #[command(after_help = "Examples:
  firebrick data verify image_folder --root pets
  firebrick data verify configs/tudui-cifar10.toml")]
    Verify(VerifyArguments),
    /// Measure how fast images are prepared, and whether training waits for them
    #[command(after_help = "Example:\n  firebrick data bench configs/tudui-cifar10.toml")]
    Bench(BenchArguments),
    /// Fetch a dataset from its official place, and verify it
    #[command(after_help = "Example:\n  firebrick data download cifar10 --root data")]
    Download {
        #[command(flatten)]
        dataset: DatasetArguments,
    },
    /// Save one image as PNG, for example to try `predict` on
    #[command(after_help = "Example:\n  firebrick data export digits --index 7 --out seven.png")]
    Export {
        #[command(flatten)]
        dataset: DatasetArguments,

        /// Which split: train or test
        #[arg(long, value_enum, default_value_t = Split::Test, hide_possible_values = true)]
        split: Split,

        /// Which image of the split, from 0
        #[arg(long, value_name = "N", default_value_t = 0)]
        index: usize,

        /// File to write; it must not exist [default: DATASET-SPLIT-N.png]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Save the images of a training batch beside their originals, with their targets
    #[command(after_help = "Example:
  firebrick data preview configs/quickstart.toml --out grid.png")]
    Preview(PreviewArguments),
}

/// A half of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Split {
    /// What is trained on
    Train,
    /// What is tested on
    Test,
}

impl Split {
    /// As the config spells it.
    fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

/// Does what `data` was told.
pub fn run(command: &DataCommand) -> Result<Exit, Failure> {
    match command {
        DataCommand::Info { dataset, json } => info(dataset, *json),
        DataCommand::Verify(arguments) => verify::run(arguments),
        DataCommand::Bench(arguments) => bench::run(arguments),
        DataCommand::Download { dataset } => download(dataset),
        DataCommand::Export { dataset, split, index, out } => export(dataset, *split, *index, out.clone()),
        DataCommand::Preview(arguments) => preview::run(arguments),
    }
}

fn info(dataset: &DatasetArguments, json: bool) -> Result<Exit, Failure> {
    let config = dataset.resolve()?;
    let attended = Attended::new(Format::for_people())?.on(dataset.network);
    let datasets = open(&config, ANY_SHAPE, &attended)?;
    let num_classes = datasets.info.class_names.len();
    let train = class_counts(&datasets.train, num_classes, &config, &attended)?;
    let test = class_counts(&datasets.test, num_classes, &config, &attended)?;
    if let Some(notice) = datasets.info.skipped_notice() {
        attended.console.line(&warning(&notice, attended.console.style()));
    }
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
            counts[class_index(label, num_classes)] += 1;
        }
        attended.go_on()?;
    }
    attended.console.clear();
    Ok(counts)
}

/// A label as a position among the classes; it was checked when it was read.
fn class_index(label: i64, num_classes: usize) -> usize {
    let index = usize::try_from(label).ok().filter(|index| *index < num_classes);
    index.unwrap_or_else(|| unreachable!("bug: label {label} of a dataset with {num_classes} classes"))
}

fn info_json(info: &DatasetInfo, train: &[u64], test: &[u64]) -> Value {
    let classes: Vec<Value> = info
        .class_names
        .iter()
        .zip(train.iter().zip(test))
        .map(|(name, (train, test))| json!({ "name": name, "train": train, "test": test }))
        .collect();
    let mut shown = json!({
        "dataset": info.name,
        "train": info.train_count,
        "test": info.test_count,
        "shape": info.source_shape,
        "normalization": info.normalization,
        "fingerprint": info.fingerprint,
        "classes": classes,
    });
    if !info.skipped.is_empty() {
        shown["skipped"] = json!(info.skipped);
    }
    shown
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
        vec![class.to_string(), text::one_line(name), thousands(*train), thousands(*test)]
    });
    format!("{head}\n\n{}", output::table(&columns, rows))
}

fn download(dataset: &DatasetArguments) -> Result<Exit, Failure> {
    let config = dataset.resolve()?;
    let Some(files) = config.dataset.remote_files() else {
        let text = format!("dataset `{}` has no official place to fetch it from", config.dataset.name());
        return Err(Failure::usage(text));
    };
    let attended = Attended::new(Format::for_people())?.on(dataset.network);
    let fetched = firebrick::data::download::ensure(&files, &config.root, &attended.progress());
    attended.finish(fetched)?;
    output::line(format!("{}: {} is there", text::path(&config.root), config.dataset.name()))?;
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
    config.normalize = Some(Normalize::None);
    let out = out.unwrap_or_else(|| format!("{}-{}-{index}.png", config.dataset.name(), split.name()).into());
    refuse_ending(&out, "png")?;
    refuse_existing(&out, "--out")?;
    let attended = Attended::new(Format::for_people())?.on(dataset.network);
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
    let class = &datasets.info.class_names[class_index(i64::from(label), datasets.info.class_names.len())];
    output::line(format!("{}: {input}, class {label} ({})", text::path(&out), text::one_line(class)))?;
    Ok(Exit::Done)
}

/// Channel planes of 0 to 1 as an 8-bit PNG.
fn write_png(path: &Path, shape: InputShape, values: &[f32]) -> Result<(), Failure> {
    let plane = shape.height * shape.width;
    assert_eq!(values.len(), shape.channels * plane, "bug: an image of {shape} with other values");
    let interleaved: Vec<u8> = (0..plane)
        .flat_map(|pixel| (0..shape.channels).map(move |channel| channel * plane + pixel))
        .map(|position| (values[position] * 255.0).round() as u8)
        .collect();
    let (width, height) = (shape.width as u32, shape.height as u32);
    let picture = match shape.channels {
        1 => GrayImage::from_raw(width, height, interleaved).map(DynamicImage::from),
        3 => RgbImage::from_raw(width, height, interleaved).map(DynamicImage::from),
        other => unreachable!("bug: an image of {other} channels, where datasets have 1 or 3"),
    };
    let failure = |what: String| Failure::storage(format!("{}: cannot write: {what}", text::path(path)));
    let picture = picture.unwrap_or_else(|| unreachable!("bug: {shape} is no shape of a picture"));
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(|error| failure(error.to_string()))?;
    std::fs::write(path, png.into_inner()).map_err(|error| failure(error.to_string()))
}
