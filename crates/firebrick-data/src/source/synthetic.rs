//! Made-up images of separable classes, for tests and trials without any files: class `k` has a bright
//! square in cell `k` of a grid, everything else is dim noise. Image `i` is a pure function of
//! (seed, split, `i`); nothing is stored.

use std::sync::Arc;

use burn_dataset::Dataset;
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::Source;
use crate::config::StoredSplit;
use crate::random::{Purpose, generator};
use crate::{DataError, Image, InputShape, Sample};

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

impl SyntheticConfig {
    /// Checks that the images can be made.
    ///
    /// # Errors
    /// [`DataError::Argument`] names the first wrong argument.
    pub fn validate(&self) -> Result<(), DataError> {
        let limits = [
            ("num_classes", self.num_classes, 1, 4096),
            ("train", self.train, 1, u32::MAX as usize),
            ("test", self.test, 1, u32::MAX as usize),
            ("height", self.height, self.grid(), 4096),
            ("width", self.width, self.grid(), 4096),
        ];
        for (key, value, least, most) in limits {
            if !(least..=most).contains(&value) {
                let expected = format!("a whole number from {least} to {most}");
                return Err(DataError::argument(format!("synthetic.{key}"), expected, value));
            }
        }
        if !matches!(self.channels, 1 | 3) {
            return Err(DataError::argument("synthetic.channels", "1 or 3", self.channels));
        }
        Ok(())
    }

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
pub struct Synthetic {
    config: SyntheticConfig,
    seed: u64,
    split: StoredSplit,
}

/// The made-up data set of `seed`.
///
/// # Errors
/// [`DataError::Argument`] when the images cannot be made.
pub fn open(config: &SyntheticConfig, seed: u64) -> Result<Source, DataError> {
    config.validate()?;
    let split = |split| Some(Arc::new(Synthetic { config: config.clone(), seed, split }) as _);
    let identity = format!("synthetic {config:?} seed {seed}");
    Ok(Source {
        origin: format!("made up from seed {seed}"),
        class_names: (0..config.num_classes).map(|class| format!("class_{class}")).collect(),
        train: split(StoredSplit::Train),
        test: split(StoredSplit::Test),
        shape: Some(config.shape()),
        fingerprint: firebrick_storage::sha256_hex(identity.as_bytes()),
    })
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
        Sample { image, label: u32::try_from(class).unwrap_or(u32::MAX) }
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
        }
    }
}
