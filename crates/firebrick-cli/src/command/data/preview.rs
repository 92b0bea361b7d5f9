//! `data preview`: the images of a training batch as the network is given them, beside what they were made of.

use std::path::PathBuf;

use clap::Args;
use firebrick::component::text;
use firebrick::data::transform::Normalization;
use firebrick::data::{
    DataConfig, DataLoader, DatasetInfo, Datasets, HostBatch, HostTargets, InputShape, LoaderOptions,
    PreparedDataset,
};
use firebrick::train::fill_in_preparation;

use super::picture::{Cell, grid};
use crate::attended::Attended;
use crate::console::Format;
use crate::exit::Exit;
use crate::message::Failure;
use crate::output::{self, refuse_ending, refuse_existing};
use crate::resolve::{overrides, read_config};

/// Most images in one picture.
const MAX_IMAGES: usize = 1024;

/// What `data preview` takes.
#[derive(Debug, Args)]
pub struct PreviewArguments {
    /// Config file of a run [default: configs/quickstart.toml]
    #[arg(value_name = "CONFIG")]
    config: Option<PathBuf>,

    /// File to write; it must not exist
    #[arg(long, value_name = "FILE", default_value = "grid.png")]
    out: PathBuf,

    /// Images to show, from the epoch's first batch on
    #[arg(long, value_name = "N", default_value_t = 32)]
    count: usize,

    /// Epoch whose images are shown, from 1
    #[arg(long, value_name = "N", default_value_t = 1)]
    epoch: u64,

    /// Change a key of the config, as in --set data.batch_size=8; may be repeated
    #[arg(long, value_name = "KEY.PATH=VALUE")]
    set: Vec<String>,
}

/// Writes the picture.
pub fn run(arguments: &PreviewArguments) -> Result<Exit, Failure> {
    let PreviewArguments { out, count, epoch, .. } = arguments;
    refuse_ending(out, "png")?;
    refuse_existing(out, "--out")?;
    if !(1..=MAX_IMAGES).contains(count) {
        return Err(Failure::usage(format!("--count {count}: expected 1 to {MAX_IMAGES}")));
    }
    let Some(epoch) = epoch.checked_sub(1) else {
        return Err(Failure::usage("--epoch 0: epochs are counted from 1"));
    };
    let (mut config, _) = read_config(arguments.config.as_deref(), &overrides(&arguments.set)?)?;
    fill_in_preparation(&mut config)?;
    let [channels, height, width] = config.model.network.input_shape();
    let input = InputShape { channels, height, width };
    let seed = config.trainer.seed;
    let attended = Attended::new(Format::for_people())?;
    let open =
        |data: &DataConfig| attended.finish(firebrick::data::open(data, input, seed, &attended.progress()));
    let trained = open(&config.data)?;
    let plain = DataConfig { augment: Vec::new(), batch_augment: Vec::new(), ..config.data.clone() };
    let originals = open(&plain)?;
    let mut cells = Vec::new();
    for batch in loader(&config.data, &trained, seed).epoch(epoch, 0) {
        let batch = attended.finish(batch)?;
        let left = count - cells.len();
        cells.extend(cells_of(&batch, &originals, &trained.info, left, &attended)?);
        attended.go_on()?;
        if cells.len() == *count {
            break;
        }
    }
    let picture = grid(input, &cells);
    let written = picture.save(out);
    written.map_err(|error| Failure::storage(format!("{}: cannot write: {error}", text::path(out))))?;
    let (shown, epoch) = (cells.len(), epoch + 1);
    output::line(format!(
        "{}: {shown} images of epoch {epoch}, the original on the left and what is trained on on the right",
        text::path(out)
    ))?;
    Ok(Exit::Done)
}

fn loader(data: &DataConfig, datasets: &Datasets, seed: u64) -> DataLoader {
    let options = LoaderOptions {
        batch_size: data.batch_size,
        shuffle: data.shuffle,
        seed,
        workers: data.workers,
        drop_last: data.drop_last,
    };
    DataLoader::new(datasets.train.clone(), options)
}

/// The first `count` images of a batch with their originals and targets.
fn cells_of(
    batch: &HostBatch,
    originals: &Datasets,
    info: &DatasetInfo,
    count: usize,
    attended: &Attended,
) -> Result<Vec<Cell>, Failure> {
    let input = originals.train.preprocess().input;
    let values = batch.pixels.clone().into_floats(input.len());
    let images = values.chunks_exact(input.len()).enumerate().take(count);
    let cell = |(place, image): (usize, &[f32])| {
        let (original, _) = attended.finish(originals.train.get(0, batch.sample_indices[place]))?;
        Ok(Cell {
            original: pixels(&original, &originals.train),
            trained: pixels(image, &originals.train),
            lines: target_lines(&batch.targets, place, &info.class_names),
        })
    };
    images.map(cell).collect()
}

/// The pixels that normalised numbers came from.
fn pixels(values: &[f32], dataset: &PreparedDataset) -> Vec<u8> {
    let preprocess = dataset.preprocess();
    let plane = preprocess.input.height * preprocess.input.width;
    let scale = |channel: usize| match &preprocess.normalization {
        Some(Normalization { mean, std }) => (mean[channel], std[channel]),
        None => (0.0, 1.0),
    };
    let channels = values.chunks_exact(plane).enumerate();
    channels
        .flat_map(|(channel, values)| {
            let (mean, std) = scale(channel);
            values.iter().map(move |value| ((value * std + mean) * 255.0).round() as u8)
        })
        .collect()
}

/// The class of an image, or the classes of a mixed one with their probabilities, the likeliest first.
fn target_lines(targets: &HostTargets, place: usize, class_names: &[String]) -> Vec<String> {
    let name =
        |class: usize| class_names.get(class).map_or_else(|| class.to_string(), |name| text::one_line(name));
    match targets {
        HostTargets::Classes(classes) => usize::try_from(classes[place]).map(name).into_iter().collect(),
        HostTargets::Probabilities { values, num_classes } => {
            let row = &values[place * num_classes..][..*num_classes];
            let mut shares: Vec<(usize, f32)> = row.iter().copied().enumerate().collect();
            shares.retain(|(_, share)| *share > 0.0);
            shares.sort_by(|(_, left), (_, right)| right.total_cmp(left));
            shares.iter().take(3).map(|(class, share)| format!("{share:.2} {}", name(*class))).collect()
        }
    }
}
