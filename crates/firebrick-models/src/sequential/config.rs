//! The arguments of a [`Sequential`](super::Sequential), known to fit together.

use serde::{Deserialize, Serialize};

use super::layer_config::LayerConfig;
use super::shape::{Shape, infer};
use crate::registry::ModelError;

/// A list of layers in which each takes what the one before gives.
///
/// Nothing but [`new`](Self::new) and serde make one, and both check it, so that a network can be
/// built of any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct SequentialConfig {
    input_shape: [usize; 3],
    layers: Vec<LayerConfig>,
    /// The shape behind each layer.
    #[serde(skip)]
    shapes: Vec<Shape>,
}

/// As a file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    input_shape: [usize; 3],
    layers: Vec<LayerConfig>,
    #[serde(default)]
    num_classes: Option<usize>,
}

impl TryFrom<Unchecked> for SequentialConfig {
    type Error = ModelError;

    fn try_from(config: Unchecked) -> Result<Self, ModelError> {
        Self::new(config.input_shape, config.layers, config.num_classes)
    }
}

impl SequentialConfig {
    /// Checks that the layers fit together, for images of `input_shape` (`[channels, height, width]`).
    ///
    /// `num_classes`, when given, takes the place of the last layer's `out_features`, so that one list
    /// of layers serves data with other classes.
    ///
    /// # Errors
    ///
    /// [`ModelError::Layer`] names the first layer that does not fit, with what it expected and got;
    /// [`ModelError::InputShape`] and [`ModelError::NoLayers`].
    pub fn new(
        input_shape: [usize; 3],
        mut layers: Vec<LayerConfig>,
        num_classes: Option<usize>,
    ) -> Result<Self, ModelError> {
        if let (Some(num_classes), Some(LayerConfig::Linear(head))) = (num_classes, layers.last_mut()) {
            head.out_features = num_classes;
        }
        let shapes = infer(input_shape, &layers)?;
        Ok(Self { input_shape, layers, shapes })
    }

    /// `[channels, height, width]` of the images that the network takes.
    pub fn input_shape(&self) -> [usize; 3] {
        self.input_shape
    }

    /// Every layer in order.
    pub fn layers(&self) -> &[LayerConfig] {
        &self.layers
    }

    /// `out_features` of the last layer.
    pub fn num_classes(&self) -> usize {
        match self.layers.last() {
            Some(LayerConfig::Linear(head)) => head.out_features,
            _ => 0,
        }
    }

    pub(crate) fn set_num_classes(&mut self, num_classes: usize) {
        if let (Some(LayerConfig::Linear(head)), Some(shape)) =
            (self.layers.last_mut(), self.shapes.last_mut())
        {
            head.out_features = num_classes;
            *shape = Shape::Features(num_classes);
        }
    }

    /// Each layer with the shape that comes in.
    pub(super) fn steps(&self) -> impl Iterator<Item = (&LayerConfig, Shape)> {
        let first = std::iter::once(Shape::Image(self.input_shape));
        self.layers.iter().zip(first.chain(self.shapes.iter().copied()))
    }
}
