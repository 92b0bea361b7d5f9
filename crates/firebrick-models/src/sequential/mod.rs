//! A network that a config file describes, as PyTorch's `nn.Sequential(...)`.
//!
//! ```toml
//! [model]
//! name = "sequential"
//! input_shape = [3, 32, 32]
//! layers = [
//!     { name = "conv2d", out_channels = 32, kernel_size = 5, padding = 2 },
//!     { name = "batch_norm2d" },
//!     { name = "relu" },
//!     { name = "max_pool2d", kernel_size = 2 },
//!     { name = "dropout", p = 0.5 },
//!     { name = "flatten" },
//!     { name = "linear", out_features = 10 },
//! ]
//! ```
//!
//! What torch is told as `in_channels`, `num_features` and `in_features` follows from the shapes.
//! Parameters are called as torch calls them, `0.weight`, `1.running_mean`.
//!
//! | file | its one job |
//! |---|---|
//! | `layer_config.rs`, `pair.rs` | a layer's arguments |
//! | `config.rs`, `shape.rs` | all layers, and whether they fit together |
//! | `layer.rs` | a layer that runs |
//!
//! # Source
//!
//! `torch.nn.Sequential`.

mod config;
mod layer;
mod layer_config;
mod pair;
mod shape;

use burn::module::{
    Content, Devices, DisplaySettings, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper,
    ModuleVisitor,
};
use burn::tensor::{Device, Tensor};

pub use config::SequentialConfig;
pub use layer_config::{
    AdaptiveAvgPool2dConfig, Conv2dConfig, DropoutConfig, LayerConfig, LinearConfig, NoArguments,
    Pool2dConfig,
};
pub use pair::Pair;
pub use shape::{MAX_ACTIVATIONS, MAX_PARAMETERS, MAX_SIZE};

use crate::display::torch_print;
use crate::init::TorchInit;
use crate::summary::LayerList;
use crate::{ImageClassifier, LayerSummary};
use layer::{Activations, Layer};

/// How a module that holds others by index calls itself to visitors.
const CONTAINER: &str = "Struct:Sequential";

/// Layers one after another.
#[derive(Debug, Clone)]
pub struct Sequential {
    input_shape: [usize; 3],
    num_classes: usize,
    layers: Vec<Layer>,
}

impl SequentialConfig {
    /// A network with torch's default initialisation, the same for the same `seed` on every device.
    pub fn init(&self, seed: u64, device: &Device) -> Sequential {
        let mut torch = TorchInit::new(seed, device);
        let layers = self.steps().map(|(layer, input)| Layer::init(layer, input, &mut torch)).collect();
        Sequential { input_shape: self.input_shape(), num_classes: self.num_classes(), layers }
    }
}

impl ImageClassifier for Sequential {
    fn name(&self) -> &'static str {
        "Sequential"
    }

    fn forward(&self, images_nchw: Tensor<4>) -> Tensor<2> {
        let mut x = Activations::Images(images_nchw);
        let mut rest = self.layers.as_slice();
        while !rest.is_empty() {
            (x, rest) = Layer::apply_first(rest, x);
        }
        match x {
            Activations::Features(logits_nk) => logits_nk,
            Activations::Images(x) => x.flatten(1, 3),
        }
    }

    fn input_shape(&self) -> [usize; 3] {
        self.input_shape
    }

    fn num_classes(&self) -> usize {
        self.num_classes
    }

    fn layers(&self) -> Vec<LayerSummary> {
        let list = LayerList::new(self.input_shape);
        let named = self.layers.iter().enumerate();
        named.fold(list, |list, (index, layer)| layer.describe(list, &index.to_string())).finish()
    }
}

impl Sequential {
    fn changed(self, change: impl FnMut(Layer) -> Layer) -> Self {
        Self { layers: self.layers.into_iter().map(change).collect(), ..self }
    }
}

/// Written out so that paths are `0.weight`, as torch's are, with no field's name in front.
impl Module for Sequential {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.layers.iter().fold(devices, |devices, layer| layer.collect_devices(devices))
    }

    fn fork(self, device: &Device) -> Self {
        self.changed(|layer| layer.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        self.changed(|layer| layer.to_device(device))
    }

    fn train(self) -> Self {
        self.changed(Layer::train)
    }

    fn valid(&self) -> Self {
        Self { layers: self.layers.iter().map(Layer::valid).collect(), ..*self }
    }

    fn materialize(self) -> Self {
        self.changed(Layer::materialize)
    }

    /// As torch counts them: running statistics are none.
    fn num_params(&self) -> usize {
        ImageClassifier::layers(self).iter().map(|layer| layer.num_parameters).sum()
    }

    fn visit<Visitor: ModuleVisitor>(&self, visitor: &mut Visitor) {
        for (index, layer) in self.layers.iter().enumerate() {
            let name = index.to_string();
            visitor.enter_module(&name, CONTAINER);
            layer.visit(visitor);
            visitor.exit_module(&name, CONTAINER);
        }
    }

    fn map<Mapper: ModuleMapper>(self, mapper: &mut Mapper) -> Self {
        let mut index = 0;
        self.changed(|layer| {
            let name = index.to_string();
            index += 1;
            mapper.enter_module(&name, CONTAINER);
            let layer = layer.map(mapper);
            mapper.exit_module(&name, CONTAINER);
            layer
        })
    }
}

impl ModuleDisplayDefault for Sequential {
    fn content(&self, content: Content) -> Option<Content> {
        Some(content)
    }

    fn num_params(&self) -> usize {
        Module::num_params(self)
    }
}

impl ModuleDisplay for Sequential {
    fn format(&self, _settings: DisplaySettings) -> String {
        torch_print(self.name(), &self.layers())
    }
}

impl std::fmt::Display for Sequential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&torch_print(self.name(), &self.layers()))
    }
}
