//! From a stored image to one of the model's shape: the fixed part and the augmentations together.

use firebrick_component::ArgumentError;

use super::interface::SampleKey;
use super::list::TransformConfig;
use super::preprocess::Preprocess;
use super::working_image::WorkingImage;
use crate::error::DataError;
use crate::image::Image;
use crate::shape::InputShape;
use crate::transform_error::TransformError;

/// The steps of one split, checked against the model's input.
#[derive(Clone, Debug)]
pub struct Pipeline {
    preprocess: Preprocess,
    augment: Vec<TransformConfig>,
    /// An augmentation decides the size, so that nothing is resized before the first of them.
    augment_sets_size: bool,
}

impl Pipeline {
    /// `augment` is empty for validation, test and prediction.
    ///
    /// Where an augmentation sets the size of images, the list must end with the model's size.
    /// Otherwise images get the model's size first, as [`Preprocess`] has it, and keep it.
    ///
    /// # Errors
    ///
    /// [`DataError::Argument`] for an augmentation, with its path (`augment[0].padding`), and for a list
    /// that does not end with the model's size (`augment`).
    pub fn new(preprocess: Preprocess, augment: Vec<TransformConfig>) -> Result<Self, DataError> {
        let model = preprocess.input.size();
        let augment_sets_size = augment.iter().any(|step| step.sets_size());
        let mut size = (!augment_sets_size).then_some(model);
        for (index, step) in augment.iter().enumerate() {
            let within = |error: ArgumentError| error.within(format!("augment[{index}]"));
            step.validate().map_err(within)?;
            size = step.output_size(size).map_err(within)?;
        }
        if size != Some(model) {
            let got = size.map_or("different sizes".to_owned(), |size| size.to_string());
            let expected = format!("steps that end with the size of the model's input, {model}");
            return Err(DataError::argument("augment", expected, got));
        }
        Ok(Self { preprocess, augment, augment_sets_size })
    }

    /// The part of the steps that has no chance in it.
    pub fn preprocess(&self) -> &Preprocess {
        &self.preprocess
    }

    /// True when an augmentation decides the size of training images, so that they are not resized as those of
    /// validation and test are.
    pub fn augment_sets_size(&self) -> bool {
        self.augment_sets_size
    }

    /// Whether an image may become another one in each epoch.
    pub fn is_random(&self) -> bool {
        self.augment.iter().any(|step| step.is_random())
    }

    /// Whether the image, checked, goes to the network as it is stored.
    pub(crate) fn is_done(&self, image: &Image) -> Result<bool, TransformError> {
        Ok(self.augment.is_empty() && self.preprocess.is_shaped(image)?)
    }

    /// Loads the image into `working` and gives it the model's shape; `sample` says which image it is.
    pub(crate) fn apply(
        &self,
        image: &Image,
        working: &mut WorkingImage,
        sample: &SampleKey,
    ) -> Result<(), TransformError> {
        match self.augment_sets_size {
            true => self.preprocess.colour(image, working)?,
            false => self.preprocess.shape(image, working)?,
        }
        if !self.augment.is_empty() {
            let mut generator = sample.generator();
            for step in &self.augment {
                step.apply_to_sample(working, sample, &mut generator);
            }
        }
        let (expected, got) = (self.preprocess.input, working.shape());
        if got == expected { Ok(()) } else { Err(TransformError::Output { expected, got }) }
    }

    /// What is done, a line a step, in the order it is done, for people to read. `source` is the
    /// shape that all images of the source have, if they have one.
    pub fn steps(&self, source: Option<InputShape>) -> Vec<String> {
        let mut steps = match self.augment_sets_size {
            true => self.preprocess.colour_steps(source).into_iter().flatten().collect(),
            false => self.preprocess.shape_steps(source),
        };
        steps.extend(self.augment.iter().map(|step: &TransformConfig| step.description()));
        steps.extend(self.preprocess.number_steps());
        steps
    }
}
