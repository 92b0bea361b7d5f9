//! The part of the pipeline that training, evaluation and prediction share: no chance in it.

use serde::{Deserialize, Serialize};

use super::channels;
use super::fit::Resize;
use super::normalize::Normalization;
use super::pixel_table::PixelTable;
use super::working_image::{WorkingImage, check_image};
use crate::error::DataError;
use crate::image::Image;
use crate::shape::InputShape;
use crate::transform_error::TransformError;

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
    /// How an image gets the model's size. Absent in checkpoints of earlier versions, which squashed.
    #[serde(default, skip_serializing_if = "Resize::is_default")]
    pub resize: Resize,
    /// After pixels / 255; `None` leaves it at that. One value a channel of `input`.
    pub normalization: Option<Normalization>,
}

impl Preprocess {
    /// For a model that wants `input`, checked; images are squashed to its size.
    ///
    /// # Errors
    ///
    /// An input that is empty or past 2^26 values; see [`Normalization::validate`].
    pub fn new(input: InputShape, normalization: Option<Normalization>) -> Result<Self, DataError> {
        Self::with_resize(input, Resize::default(), normalization)
    }

    /// [`Preprocess::new`] with another way to the model's size.
    ///
    /// # Errors
    ///
    /// As there; a `resize` that does not fit the model, with the path `resize.crop` or `resize.shorter`.
    pub fn with_resize(
        input: InputShape,
        resize: Resize,
        normalization: Option<Normalization>,
    ) -> Result<Self, DataError> {
        let preprocess = Self { input, resize, normalization };
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
        match self.is_shaped(image)? {
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
    /// As [`Preprocess::with_resize`].
    pub fn table(&self) -> Result<PixelTable, DataError> {
        check_input(&self.input)?;
        self.resize.validate_for(self.input.size()).map_err(|error| error.within("resize"))?;
        Ok(PixelTable::new(self.input.channels, self.normalization.as_ref())?)
    }

    /// Whether the image, checked, stays as it is: it has the model's shape, and nothing is cut off.
    pub(crate) fn is_shaped(&self, image: &Image) -> Result<bool, TransformError> {
        check_image(image)?;
        Ok(image.shape() == self.input && !matches!(self.resize, Resize::Shorter(_)))
    }

    /// Loads the image into `working` and gives it the model's shape.
    ///
    /// Grey comes before resizing and RGB after it: the same pixels, for a third of the work.
    pub(crate) fn shape(&self, image: &Image, working: &mut WorkingImage) -> Result<(), TransformError> {
        working.load(image)?;
        if image.channels > self.input.channels {
            channels::convert(working, self.input.channels)?;
        }
        self.resize.apply(working, self.input.size());
        channels::convert(working, self.input.channels)
    }

    /// Loads the image into `working` and gives it the model's channels; its size stays.
    pub(super) fn colour(&self, image: &Image, working: &mut WorkingImage) -> Result<(), TransformError> {
        working.load(image)?;
        channels::convert(working, self.input.channels)
    }

    /// What is done, a line a step, in the order it is done, for people to read. `source` is the
    /// shape that all images of the source have, if they have one.
    pub fn steps(&self, source: Option<InputShape>) -> Vec<String> {
        let mut steps = self.shape_steps(source);
        steps.extend(self.number_steps());
        steps
    }

    /// The steps from the stored image to the model's shape.
    pub(super) fn shape_steps(&self, source: Option<InputShape>) -> Vec<String> {
        let [to_grey, to_rgb] = self.colour_steps(source);
        let model = self.input.size();
        let Some(source) = source else {
            let colour = to_grey.or(to_rgb);
            return [Some(self.resize.description(model)), colour].into_iter().flatten().collect();
        };
        let is_needed = source.size() != model || matches!(self.resize, Resize::Shorter(_));
        let resize = is_needed.then(|| match self.resize {
            Resize::Squash => format!("resize {} -> {model} (bilinear)", source.size()),
            other => other.description(model),
        });
        [to_grey, resize, to_rgb].into_iter().flatten().collect()
    }

    /// The conversion to grey and the one to RGB, of which at most one is needed.
    pub(super) fn colour_steps(&self, source: Option<InputShape>) -> [Option<String>; 2] {
        let is_grey = self.input.channels == 1;
        let Some(source) = source else {
            return [is_grey.then(|| "to grey".into()), (!is_grey).then(|| "to RGB".into())];
        };
        let to_grey = (source.channels == 3 && is_grey).then(|| "RGB -> grey (luma)".into());
        let to_rgb = (source.channels == 1 && self.input.channels == 3).then(|| "grey -> RGB".into());
        [to_grey, to_rgb]
    }

    /// The steps from pixels to the numbers that the network sees.
    pub(super) fn number_steps(&self) -> Vec<String> {
        let mut steps = vec!["pixels / 255".into()];
        if let Some(Normalization { mean, std }) = &self.normalization {
            steps.push(format!("normalize (x - {mean:?}) / {std:?}"));
        }
        steps
    }
}

fn check_input(input: &InputShape) -> Result<(), TransformError> {
    match input.len() {
        1..=MAX_VALUES => Ok(()),
        _ => Err(TransformError::InputShape { shape: *input, limit: MAX_VALUES }),
    }
}
