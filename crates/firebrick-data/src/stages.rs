//! How long each stage takes that makes batches of a data set's images: `firebrick data bench`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::config::DataConfig;
use crate::error::DataError;
use crate::open::prepare_training;
use crate::order::epoch_order;
use crate::progress::Progress;
use crate::shape::InputShape;
use crate::source::SharedDataset;
use crate::transform::WorkingImage;

/// What the images took in each stage, one after another on one core. Nothing is kept in memory between them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StageTimes {
    /// Images that were measured.
    pub num_images: usize,
    /// Reading the bytes of the files.
    pub read: Duration,
    /// From the bytes to pixels.
    pub decode: Duration,
    /// To the model's size and channels; zero where an augmentation decides the size.
    pub resize: Duration,
    /// The augmentations.
    pub augment: Duration,
    /// From pixels to the numbers of a batch.
    pub batch: Duration,
}

impl StageTimes {
    /// Each stage by its name.
    pub fn stages(&self) -> [(&'static str, Duration); 5] {
        let Self { read, decode, resize, augment, batch, .. } = *self;
        [("read", read), ("decode", decode), ("resize", resize), ("augment", augment), ("batch", batch)]
    }

    /// All of them.
    pub fn total(&self) -> Duration {
        self.stages().into_iter().map(|(_, time)| time).sum()
    }
}

/// Measures the training images of `config` until `enough` has passed: each is read, decoded, resized, augmented and turned
/// into numbers as in the first epoch, in its order.
///
/// # Errors
///
/// As [`open`](crate::open).
pub fn measure_stages(
    config: &DataConfig,
    input: InputShape,
    seed: u64,
    enough: Duration,
    progress: &dyn Progress,
) -> Result<StageTimes, DataError> {
    let (samples, full, plain) = prepare_training(config, input, seed, progress)?;
    let mut times = StageTimes::default();
    let mut working = WorkingImage::new();
    let begin = Instant::now();
    for index in epoch_order(samples.len(), config.shuffle, seed, 0) {
        if begin.elapsed() >= enough || progress.is_cancelled() {
            break;
        }
        let at = |source: DataError| DataError::Sample { index, source: Box::new(source) };
        let (read, decoded) = read_and_decode(&samples, index).map_err(at)?;
        let (mut plain_pixels, mut pixels, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let started = Instant::now();
        plain.append(0, [index, 0], &mut working, &mut plain_pixels).map_err(at)?;
        let resized = started.elapsed();
        let started = Instant::now();
        full.append(0, [index, 0], &mut working, &mut pixels).map_err(at)?;
        let augmented = started.elapsed();
        let started = Instant::now();
        full.append_values(&pixels, &mut values);
        black_box(&values);
        times.batch += started.elapsed();
        times.read += read;
        times.decode += decoded.saturating_sub(read);
        let sizes_itself = full.augment_sets_size();
        let resize = if sizes_itself { Duration::ZERO } else { resized.saturating_sub(decoded) };
        times.resize += resize;
        times.augment += augmented.saturating_sub(decoded + resize);
        times.num_images += 1;
    }
    Ok(times)
}

/// How long it takes to read a sample's bytes, and to read and decode them.
fn read_and_decode(samples: &SharedDataset, index: usize) -> Result<(Duration, Duration), DataError> {
    // The first look at a file fetches it from the disk.
    let started = Instant::now();
    let bytes = samples.read_only(index)?;
    let read = if bytes.is_some() { started.elapsed() } else { Duration::ZERO };
    let started = Instant::now();
    black_box(samples.get(index)?);
    Ok((read, started.elapsed().max(read)))
}
