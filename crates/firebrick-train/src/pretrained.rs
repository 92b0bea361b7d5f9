//! A network of the zoo with weights for ImageNet's classes, ready to classify, without a run.

use burn::module::Module;
use burn::tensor::Device;
use firebrick_component::text;
use firebrick_data::{Image, InputShape, Preprocess, Progress};
use firebrick_models::published::{NUM_IMAGENET_CLASSES, imagenet_classes};
use firebrick_models::weights::{self, LoadOptions, LoadReport};
use firebrick_models::{ModelConfig, Network};

use crate::classify::predict;
use crate::config::StartWeights;
use crate::error::TrainError;
use crate::left_out;
use crate::published;
use crate::trained::Prediction;

/// A network with published weights, or with a file of such.
pub struct Pretrained {
    /// The network, in validation mode.
    pub model: Network,
    /// How images are prepared, as is published for the network.
    pub preprocess: Preprocess,
    /// Names of ImageNet's classes.
    pub class_names: Vec<String>,
    /// What was done with the file.
    pub report: LoadReport,
}

impl Pretrained {
    /// Opens `network` with weights for ImageNet's 1000 classes, fetched if they are published ones that are not here.
    ///
    /// # Errors
    ///
    /// [`TrainError::Plan`] for weights that are not published for the network, or that are for other classes;
    /// [`TrainError::Data`] when they cannot be fetched; [`TrainError::Weights`] when they do not fit.
    pub fn open(
        network: &ModelConfig,
        weights: &StartWeights,
        device: &Device,
        progress: &dyn Progress,
    ) -> Result<Self, TrainError> {
        let network = network.clone().with_num_classes(NUM_IMAGENET_CLASSES);
        let found = weights.published(&network).map_err(|error| TrainError::Plan(error.to_string()))?;
        let (path, recipe) = match (found, weights) {
            (Some(found), _) => (published::fetch(found, progress)?, Some(found.recipe)),
            (None, StartWeights::File(path)) => (path.clone(), left_out::recipe_of_file(&network, path)),
            (None, StartWeights::Published(name)) => unreachable!("bug: no weights are called `{name}`"),
        };
        let (model, report) = weights::load(network.init(0, device), &path, LoadOptions::default())?;
        let Some(recipe) = recipe.filter(|_| report.fresh_head.is_empty()) else {
            return Err(TrainError::Plan(format!(
                "{}: expected weights for the {NUM_IMAGENET_CLASSES} classes of ImageNet, of a network that has published \
                 ones, for only of these it is known how images are prepared and what the classes are called; others are \
                 used by a run (model.weights)",
                text::path(&path)
            )));
        };
        let [channels, height, width] = network.input_shape();
        let preprocess = Preprocess::with_resize(
            InputShape { channels, height, width },
            left_out::resize(&recipe, height, width),
            Some(left_out::normalization(&recipe)),
        )?;
        let class_names = imagenet_classes().map(str::to_owned).collect();
        Ok(Self { model: model.valid(), preprocess, class_names, report })
    }

    /// Class probabilities of one image, the most probable first.
    ///
    /// # Errors
    ///
    /// [`TrainError::Data`] when the image cannot be brought to the network's input; [`TrainError::Device`].
    pub fn predict(&self, image: &Image, device: &Device) -> Result<Vec<Prediction>, TrainError> {
        predict(&self.model, &self.preprocess, &self.class_names, image, device)
    }
}
