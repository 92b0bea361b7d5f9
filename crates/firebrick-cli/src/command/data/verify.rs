//! `data verify`: every file is read and decoded, and compared with its published sum where there is one.

use std::path::PathBuf;

use clap::Args;
use firebrick::component::text;
use firebrick::data::download::{Fetched, verify as verify_sums};
use firebrick::data::{DataConfig, DataLoader, Datasets, LoaderOptions, OnBadImage, SkippedImages};
use serde_json::json;

use super::dataset::{ANY_SHAPE, DatasetArguments, open};
use crate::attended::Attended;
use crate::console::Format;
use crate::exit::Exit;
use crate::message::{Failure, warning};
use crate::output;
use crate::style::counted;

/// What `data verify` takes.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    #[command(flatten)]
    dataset: DatasetArguments,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Reads everything and tells what cannot be read.
pub fn run(arguments: &VerifyArguments) -> Result<Exit, Failure> {
    let mut config = arguments.dataset.resolve()?;
    config.download = false;
    if config.dataset.can_skip_images() {
        config.on_bad_image = OnBadImage::Skip; // decodes every file
    }
    let attended = Attended::new(Format::for_people())?;
    let sums = sums(&config, &attended)?;
    let datasets = open(&config, ANY_SHAPE, &attended)?;
    let num_images = read_all(&config, &datasets, &attended)?;
    let skipped = &datasets.info.skipped;
    for notice in &datasets.info.notices {
        attended.console.line(&warning(notice, attended.console.style()));
    }
    match arguments.json {
        true => output::json(&as_json(num_images, skipped, &sums, &datasets))?,
        false => output::line(as_text(num_images, skipped, &sums))?,
    }
    Ok(if skipped.is_empty() { Exit::Done } else { Exit::Data })
}

/// A file with a published sum, and whether it has it.
struct Sum {
    file: String,
    is_published: bool,
}

fn sums(config: &DataConfig, attended: &Attended) -> Result<Vec<Sum>, Failure> {
    let Some(files) = config.dataset.remote_files() else { return Ok(Vec::new()) };
    let found = attended.finish(verify_sums(&files, &config.root, &attended.progress()))?;
    let sum = |(path, fetched): (PathBuf, Fetched)| Sum {
        file: text::path(&path),
        is_published: fetched == Fetched::AlreadyVerified,
    };
    Ok(found.into_iter().map(sum).collect())
}

/// How many images there are, all of which can be read.
fn read_all(config: &DataConfig, datasets: &Datasets, attended: &Attended) -> Result<usize, Failure> {
    let splits = [Some(&datasets.train), datasets.validation.as_ref(), Some(&datasets.test)];
    let mut num_images = 0;
    for split in splits.into_iter().flatten() {
        num_images += split.len();
        if config.dataset.can_skip_images() {
            continue; // each was decoded when the data set was opened
        }
        let options = LoaderOptions {
            batch_size: 256,
            shuffle: false,
            seed: 0,
            workers: config.workers,
            drop_last: false,
        };
        let loader = DataLoader::new(split.clone(), options).keep_bytes();
        attended.console.begin_epoch("reading", 0, loader.num_samples() as u64);
        let mut seen = 0;
        for batch in loader.epoch(0, 0) {
            seen += attended.finish(batch)?.len() as u64;
            attended.console.position(seen);
            attended.go_on()?;
        }
        attended.console.clear();
    }
    Ok(num_images)
}

fn as_json(
    num_images: usize,
    skipped: &SkippedImages,
    sums: &[Sum],
    datasets: &Datasets,
) -> serde_json::Value {
    json!({
        "images": num_images,
        "bad": skipped.count,
        "first_bad": skipped.first,
        "sums": sums.iter().map(|sum| json!({ "file": sum.file, "published": sum.is_published })).collect::<Vec<_>>(),
        "notices": datasets.info.notices,
        "fingerprint": datasets.info.fingerprint,
    })
}

fn as_text(num_images: usize, skipped: &SkippedImages, sums: &[Sum]) -> String {
    let told = |sum: &Sum| match sum.is_published {
        true => format!("{}: has the published MD5 sum", sum.file),
        false => format!("{}: has another MD5 sum than the published one", sum.file),
    };
    let mut lines: Vec<String> = sums.iter().map(told).collect();
    lines.push(format!("{} can be read", counted(num_images as u64, "image")));
    if !skipped.is_empty() {
        lines.push(format!("{} cannot be read:", counted(skipped.count as u64, "image")));
        lines.extend(skipped.first.iter().map(|name| format!("  {name}")));
        let more = skipped.count - skipped.first.len();
        if more > 0 {
            lines.push(format!("  and {more} more"));
        }
    }
    lines.join("\n")
}
