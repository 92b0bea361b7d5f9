//! What a model is made of, as data: each layer with its output shape, its parameters and its multiply-adds.

use serde::Serialize;

use crate::classifier::ImageClassifier;
use crate::network::NetworkLayer;
use crate::parameters::{num_trainable, num_trained};

/// One layer of a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerSummary {
    /// The last part of its path: `conv1`.
    pub name: String,
    /// Names from the network down to it: `layer1.0.conv1`.
    pub path: String,
    /// PyTorch's `repr` of it.
    pub repr: String,
    /// Shape of the output without the batch dimension.
    pub output_shape: Vec<usize>,
    /// Numbers that training changes.
    pub num_parameters: usize,
    /// Products of a weight and an activation in a forward pass of one image.
    pub multiply_adds: u64,
    /// True for a call such as `F.relu` in `forward`, which `print(net)` does not list.
    pub functional: bool,
}

/// A whole model for a table: its layers and what they add up to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSummary {
    /// Class name, `Tudui`.
    pub name: String,
    /// `[channels, height, width]`.
    pub input_shape: [usize; 3],
    /// Every layer in order; none for a network whose `forward` is written by hand.
    pub layers: Option<Vec<LayerSummary>>,
    /// Numbers that training changes where nothing is frozen.
    pub num_parameters: usize,
    /// Those of them that are not frozen.
    pub num_trained: usize,
    /// The sum over the layers, where they are known.
    pub multiply_adds: Option<u64>,
}

impl ModelSummary {
    /// Describes `model` without running it.
    pub fn of<M: ImageClassifier>(model: &M) -> Self {
        let layers = model.network().map(|network| network.plan().layers());
        Self {
            name: model.name(),
            input_shape: model.input_shape(),
            num_parameters: num_trainable(model),
            num_trained: num_trained(model),
            multiply_adds: layers.map(|layers| layers.iter().map(|layer| layer.multiply_adds()).sum()),
            layers: layers.map(|layers| layers.iter().map(LayerSummary::of).collect()),
        }
    }
}

impl LayerSummary {
    fn of(layer: &NetworkLayer) -> Self {
        let name = layer.path.rsplit_once('.').map_or(layer.path.as_str(), |(_, name)| name);
        Self {
            name: name.to_owned(),
            path: layer.path.clone(),
            repr: layer.repr(),
            output_shape: layer.output.to_vec(),
            num_parameters: layer.num_parameters(),
            multiply_adds: layer.multiply_adds(),
            functional: layer.is_functional,
        }
    }
}
