//! Made-up images of separable classes, for tests and trials without any files: class `k` has a bright
//! square in cell `k` of a grid, everything else is dim noise. Image `i` is a pure function of
//! (seed, split, `i`); nothing is stored.

use std::sync::Arc;

use burn_dataset::Dataset;
use firebrick_component::{ArgumentError, Component, check};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::interface::{DatasetSource, OpenRequest, SampleSet, Source};
use crate::bad_image::SkippedImages;
use crate::error::DataError;
use crate::image::{Image, Sample};
use crate::random::{Purpose, generator};
use crate::shape::InputShape;
use crate::split::StoredSplit;

/// Noise is below this.
const NOISE_LEVELS: u8 = 64;
/// Pixels of a class's square are at least this.
const SQUARE_LEVEL: u8 = 128;

/// What the made-up images look like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SyntheticConfig {
    /// Classes; label of image `i` is `i % num_classes`.
    pub num_classes: usize,
    /// Images to train on.
    pub train: usize,
    /// Images to test on.
    pub test: usize,
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Default for SyntheticConfig {
    /// 1,000 and 200 images of CIFAR's shape in 10 classes.
    fn default() -> Self {
        Self { num_classes: 10, train: 1000, test: 200, channels: 3, height: 32, width: 32 }
    }
}

impl Component for SyntheticConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("num_classes", self.num_classes, 1, 4096)?;
        check::in_range("train", self.train, 1, u32::MAX as usize)?;
        check::in_range("test", self.test, 1, u32::MAX as usize)?;
        check::in_range("height", self.height, self.grid(), 4096)?;
        check::in_range("width", self.width, self.grid(), 4096)?;
        check::that(matches!(self.channels, 1 | 3), "channels", self.channels, "1 or 3")
    }
}

impl SyntheticConfig {
    /// Cells on a side of the smallest square grid with a cell for every class.
    fn grid(&self) -> usize {
        let root = self.num_classes.isqrt();
        if root * root < self.num_classes { root + 1 } else { root.max(1) }
    }

    fn shape(&self) -> InputShape {
        InputShape { channels: self.channels, height: self.height, width: self.width }
    }
}

/// One split of made-up images.
#[derive(Clone, Debug)]
struct Synthetic {
    config: SyntheticConfig,
    seed: u64,
    split: StoredSplit,
}

impl DatasetSource for SyntheticConfig {
    /// The made-up data set of the run's seed.
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        let seed = request.seed;
        self.validate().map_err(|error| error.within("synthetic"))?;
        let split = |split| Some(Arc::new(Synthetic { config: self.clone(), seed, split }) as _);
        let identity = format!("synthetic {self:?} seed {seed}");
        Ok(Source {
            origin: format!("made up from seed {seed}"),
            class_names: (0..self.num_classes).map(|class| format!("class_{class}")).collect(),
            train: split(StoredSplit::Train),
            validation: None,
            test: split(StoredSplit::Test),
            shape: Some(self.shape()),
            fingerprint: firebrick_storage::sha256_hex(identity.as_bytes()),
            skipped: SkippedImages::default(),
        })
    }

    fn reads_files(&self) -> bool {
        false
    }
}

impl Synthetic {
    fn draw(&self, index: usize) -> Sample {
        let InputShape { channels, height, width } = self.config.shape();
        let (grid, class) = (self.config.grid(), index % self.config.num_classes);
        let mut pixels = vec![0_u8; self.config.shape().len()];
        let mut generator = generator(self.seed, Purpose::Synthetic, self.split as u64, index as u64);
        generator.fill_bytes(&mut pixels);
        let (cell_row, cell_column) = (class / grid, class % grid);
        for (position, pixel) in pixels.iter_mut().enumerate() {
            let (row, column) = (position / width % height, position % width);
            let inside = row * grid / height == cell_row && column * grid / width == cell_column;
            *pixel = if inside { SQUARE_LEVEL | *pixel } else { *pixel % NOISE_LEVELS };
        }
        let image = Image { channels, height, width, pixels: pixels.into() };
        Sample { image, label: class as u32 }
    }
}

impl Dataset<Sample, DataError> for Synthetic {
    fn get(&self, index: usize) -> Result<Sample, DataError> {
        let count = self.len();
        if index < count { Ok(self.draw(index)) } else { Err(DataError::Index { index, count }) }
    }

    fn len(&self) -> usize {
        match self.split {
            StoredSplit::Train => self.config.train,
            StoredSplit::Test => self.config.test,
            StoredSplit::Validation => unreachable!("bug: the synthetic data set stores no validation split"),
        }
    }
}

impl SampleSet for Synthetic {
    fn label(&self, index: usize) -> Result<u32, DataError> {
        let count = self.len();
        if index < count {
            Ok((index % self.config.num_classes) as u32)
        } else {
            Err(DataError::Index { index, count })
        }
    }
}
