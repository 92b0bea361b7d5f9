//! The one place where a name becomes a model.

use burn::module::{
    Content, Devices, DisplaySettings, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper,
    ModuleVisitor,
};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::display::torch_print;
use crate::sequential::{MAX_ACTIVATIONS, MAX_SIZE};
use crate::{
    ImageClassifier, LayerSummary, LeNet, LeNetConfig, Sequential, SequentialConfig, Tudui, TuduiConfig,
};

/// More classes than any labelled image set has; a larger number is a typing error, and would
/// allocate accordingly.
pub const MAX_CLASSES: usize = 100_000;

/// The `[model]` table of a config: which network, with which arguments.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "name")]
pub enum ModelConfig {
    /// The PyTorch course's network for 3x32x32 images.
    #[serde(rename = "tudui")]
    Tudui(TuduiConfig),
    /// LeNet-5 for 1x32x32 images.
    #[serde(rename = "lenet")]
    LeNet(LeNetConfig),
    /// The layers that the config lists.
    #[serde(rename = "sequential")]
    Sequential(SequentialConfig),
}

/// Why a [`ModelConfig`] cannot become a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// `num_classes` is zero or beyond [`MAX_CLASSES`].
    #[error("model '{model}': num_classes: expected 1 to {MAX_CLASSES}, got {num_classes}")]
    NumClasses {
        /// Name of the model.
        model: &'static str,
        /// The number given.
        num_classes: usize,
    },
    /// A layer of a [`Sequential`] has an argument out of range, or does not fit what comes in.
    #[error("model 'sequential': layers[{index}], `{layer}`: {problem}")]
    Layer {
        /// Its position, counted from 0 as in `nn.Sequential`.
        index: usize,
        /// Its name in the config.
        layer: &'static str,
        /// What it expected and got.
        problem: String,
    },
    /// A [`Sequential`] without layers.
    #[error("model 'sequential': layers: expected a `linear` at least, got none")]
    NoLayers,
    /// The images of a [`Sequential`] are empty, or larger than any.
    #[error(
        "model 'sequential': input_shape: expected [channels, height, width], each 1 to {MAX_SIZE} and \
         {MAX_ACTIVATIONS} together at most, got {input_shape:?}"
    )]
    InputShape {
        /// The shape given.
        input_shape: [usize; 3],
    },
}

impl ModelConfig {
    /// Every name that [`deserialize_named`](Self::deserialize_named) knows.
    pub const NAMES: &'static [&'static str] = &["tudui", "lenet", "sequential"];

    /// The name that selects this model.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tudui(_) => "tudui",
            Self::LeNet(_) => "lenet",
            Self::Sequential(_) => "sequential",
        }
    }

    /// Reads the arguments of the model called `name`; `None` if there is no such model.
    ///
    /// # Errors
    ///
    /// The deserializer's error for an unknown key or a wrong type, with its place in the file.
    pub fn deserialize_named<'de, D: Deserializer<'de>>(
        name: &str,
        arguments: D,
    ) -> Option<Result<Self, D::Error>> {
        match name {
            "tudui" => Some(TuduiConfig::deserialize(arguments).map(Self::Tudui)),
            "lenet" => Some(LeNetConfig::deserialize(arguments).map(Self::LeNet)),
            "sequential" => Some(SequentialConfig::deserialize(arguments).map(Self::Sequential)),
            _ => None,
        }
    }

    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// [`ModelError::NumClasses`] for a class count that no network can have.
    pub fn validate(&self) -> Result<(), ModelError> {
        match self.num_classes() {
            1..=MAX_CLASSES => Ok(()),
            num_classes => Err(ModelError::NumClasses { model: self.name(), num_classes }),
        }
    }

    /// `[channels, height, width]` of the images that the model takes.
    pub fn input_shape(&self) -> [usize; 3] {
        match self {
            Self::Tudui(_) => TuduiConfig::INPUT_SHAPE,
            Self::LeNet(_) => LeNetConfig::INPUT_SHAPE,
            Self::Sequential(config) => config.input_shape(),
        }
    }

    /// Classes that the model tells apart.
    pub fn num_classes(&self) -> usize {
        match self {
            Self::Tudui(config) => config.num_classes,
            Self::LeNet(config) => config.num_classes,
            Self::Sequential(config) => config.num_classes(),
        }
    }

    /// The same model with another class count, for data whose classes are counted when read.
    pub fn with_num_classes(mut self, num_classes: usize) -> Self {
        match &mut self {
            Self::Tudui(config) => config.num_classes = num_classes,
            Self::LeNet(config) => config.num_classes = num_classes,
            Self::Sequential(config) => config.set_num_classes(num_classes),
        }
        self
    }

    /// Builds the model with torch's default initialisation; the same bits for the same `seed` on
    /// every device.
    pub fn init(&self, seed: u64, device: &Device) -> Model {
        match self {
            Self::Tudui(config) => Model::Tudui(config.init(seed, device)),
            Self::LeNet(config) => Model::LeNet(config.init(seed, device)),
            Self::Sequential(config) => Model::Sequential(config.init(seed, device)),
        }
    }
}

/// Any model of the registry.
///
/// `Module` is written out instead of derived: the derive puts the variant's name in front of every
/// parameter path (`Tudui.conv1.weight`), and paths are `conv1.weight` everywhere here.
#[derive(Debug, Clone)]
pub enum Model {
    /// See [`Tudui`].
    Tudui(Tudui),
    /// See [`LeNet`].
    LeNet(LeNet),
    /// See [`Sequential`].
    Sequential(Sequential),
}

/// Runs the same expression on whichever network is inside.
macro_rules! inside {
    ($model:expr, $network:ident => $body:expr) => {
        match $model {
            Model::Tudui($network) => $body,
            Model::LeNet($network) => $body,
            Model::Sequential($network) => $body,
        }
    };
}

/// As `inside!`, and wraps the result in the same variant again.
macro_rules! rebuild {
    ($model:expr, $network:ident => $body:expr) => {
        match $model {
            Model::Tudui($network) => Model::Tudui($body),
            Model::LeNet($network) => Model::LeNet($body),
            Model::Sequential($network) => Model::Sequential($body),
        }
    };
}

impl ImageClassifier for Model {
    fn name(&self) -> &'static str {
        inside!(self, network => network.name())
    }

    fn forward(&self, images_nchw: Tensor<4>) -> Tensor<2> {
        inside!(self, network => network.forward(images_nchw))
    }

    fn input_shape(&self) -> [usize; 3] {
        inside!(self, network => network.input_shape())
    }

    fn num_classes(&self) -> usize {
        inside!(self, network => network.num_classes())
    }

    fn layers(&self) -> Vec<LayerSummary> {
        inside!(self, network => network.layers())
    }
}

impl Module for Model {
    fn collect_devices(&self, devices: Devices) -> Devices {
        inside!(self, network => network.collect_devices(devices))
    }

    fn fork(self, device: &Device) -> Self {
        rebuild!(self, network => network.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        rebuild!(self, network => network.to_device(device))
    }

    fn train(self) -> Self {
        rebuild!(self, network => network.train())
    }

    fn valid(&self) -> Self {
        rebuild!(self, network => network.valid())
    }

    fn materialize(self) -> Self {
        rebuild!(self, network => network.materialize())
    }

    fn num_params(&self) -> usize {
        inside!(self, network => Module::num_params(network))
    }

    fn visit<Visitor: ModuleVisitor>(&self, visitor: &mut Visitor) {
        inside!(self, network => network.visit(visitor));
    }

    fn map<Mapper: ModuleMapper>(self, mapper: &mut Mapper) -> Self {
        rebuild!(self, network => network.map(mapper))
    }
}

impl ModuleDisplayDefault for Model {
    fn content(&self, content: Content) -> Option<Content> {
        inside!(self, network => network.content(content))
    }

    fn num_params(&self) -> usize {
        Module::num_params(self)
    }
}

impl ModuleDisplay for Model {
    fn format(&self, _settings: DisplaySettings) -> String {
        torch_print(self.name(), &self.layers())
    }
}

impl std::fmt::Display for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&torch_print(self.name(), &self.layers()))
    }
}
