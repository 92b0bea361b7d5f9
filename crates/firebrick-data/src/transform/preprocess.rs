//! The part of the pipeline that training, evaluation and prediction share: no chance in it.

use serde::{Deserialize, Serialize};

use crate::transform::working_image::check_image;
use crate::transform::{PixelTable, TransformError, WorkingImage, channels, resize};
use crate::{AugmentConfig, DataError, Image, InputShape, Normalization};

/// Most values one prepared image may have: 256 MiB of f32.
const MAX_VALUES: usize = 1 << 26;

/// What is done to every image: channels, size, then pixels to numbers.
///
/// It is written into checkpoints and exports, so that an image met later is prepared as those
/// the network learned from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocess {
    /// What the model wants.
    pub input: InputShape,
    /// After pixels / 255; `None` leaves it at that. One value a channel of `input`.
    pub normalization: Option<Normalization>,
}

impl Preprocess {
    /// For a model that wants `input`, checked.
    ///
    /// # Errors
    ///
    /// An input that is empty or past 2^26 values; see [`Normalization::validate`].
    pub fn new(input: InputShape, normalization: Option<Normalization>) -> Result<Self, DataError> {
        let preprocess = Self { input, normalization };
        preprocess.table()?;
        Ok(preprocess)
    }

    /// One image, prepared.
    ///
    /// # Shapes
    ///
    /// Any image of 1 or 3 channels to `input.channels * input.height * input.width` values,
    /// channel by channel, row by row.
    ///
    /// # Errors
    ///
    /// An image whose channels cannot be converted, or whose pixels do not fit its sides; a
    /// preprocessing that was read from a file and does not fit itself.
    pub fn apply(&self, image: &Image) -> Result<Vec<f32>, DataError> {
        let table = self.table()?;
        let mut working = WorkingImage::new();
        let mut values = Vec::with_capacity(self.input.len());
        match self.fits(image)? {
            true => table.append(&image.pixels, &mut values),
            false => {
                self.shape(image, &mut working)?;
                table.append(working.pixels(), &mut values);
            }
        }
        Ok(values)
    }

    /// What each pixel value becomes; made once, not once an image.
    ///
    /// # Errors
    ///
    /// As [`Preprocess::new`].
    pub fn table(&self) -> Result<PixelTable, DataError> {
        check_input(&self.input)?;
        PixelTable::new(self.input.channels, self.normalization.as_ref())
    }

    /// Whether the image, checked, already has the model's shape.
    pub(crate) fn fits(&self, image: &Image) -> Result<bool, TransformError> {
        check_image(image)?;
        Ok(image.shape() == self.input)
    }

    /// Loads the image into `working` and gives it the model's shape.
    ///
    /// Grey comes before resizing and RGB after it: the same pixels, for a third of the work.
    pub(crate) fn shape(&self, image: &Image, working: &mut WorkingImage) -> Result<(), TransformError> {
        working.load(image)?;
        if image.channels > self.input.channels {
            channels::convert(working, self.input.channels)?;
        }
        resize::resize(working, self.input.height, self.input.width);
        channels::convert(working, self.input.channels)
    }

    /// What is done, a line a step, in the order it is done, for people to read. `source` is the
    /// shape that all images of the source have, if they have one.
    pub fn steps(&self, source: Option<InputShape>) -> Vec<String> {
        self.steps_with(source, &[])
    }

    /// [`Preprocess::steps`] of training, with the augmentations at their place.
    pub fn steps_with(&self, source: Option<InputShape>, augment: &[AugmentConfig]) -> Vec<String> {
        let mut steps = self.shape_steps(source);
        steps.extend(augment.iter().map(AugmentConfig::description));
        steps.push("pixels / 255".into());
        if let Some(Normalization { mean, std }) = &self.normalization {
            steps.push(format!("normalize (x - {mean:?}) / {std:?}"));
        }
        steps
    }

    fn shape_steps(&self, source: Option<InputShape>) -> Vec<String> {
        let InputShape { channels, height, width } = self.input;
        let Some(source) = source else {
            let colour = if channels == 1 { "grey" } else { "RGB" };
            return vec![format!("resize to {height}x{width} (bilinear)"), format!("to {colour}")];
        };
        let size = (source.height, source.width);
        let resize = (size != (height, width))
            .then(|| format!("resize {}x{} -> {height}x{width} (bilinear)", size.0, size.1));
        let to_grey = (source.channels == 3 && channels == 1).then(|| "RGB -> grey (luma)".into());
        let to_rgb = (source.channels == 1 && channels == 3).then(|| "grey -> RGB".into());
        [to_grey, resize, to_rgb].into_iter().flatten().collect()
    }
}

fn check_input(input: &InputShape) -> Result<(), TransformError> {
    match input.len() {
        1..=MAX_VALUES => Ok(()),
        _ => Err(TransformError::InputShape { shape: *input, limit: MAX_VALUES }),
    }
}
