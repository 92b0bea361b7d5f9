//! What a model is made of, as data: each step's layer, output shape and number of parameters.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{AvgPool2d, MaxPool2d};
use burn::nn::{Dropout, Linear};
use serde::Serialize;

use crate::batch_norm::BatchNorm2d;
use crate::layer_kind::LayerKind;
use crate::window::{Window, symmetric_padding};
use crate::{BatchNorm2dConfig, ImageClassifier};

/// One step of a network's `forward`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerSummary {
    /// Name of the field, `conv1`; functional steps have a name of their own, `relu1`.
    pub name: String,
    /// What the step does, with its arguments; displays as PyTorch's `repr`.
    pub kind: LayerKind,
    /// Shape of the output without the batch dimension.
    pub output_shape: Vec<usize>,
    /// Numbers that training changes.
    pub num_parameters: usize,
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
    /// Every step in order.
    pub layers: Vec<LayerSummary>,
    /// Parameters of all layers.
    pub num_parameters: usize,
}

impl ModelSummary {
    /// Describes `model` without running it.
    pub fn of<M: ImageClassifier>(model: &M) -> Self {
        let layers = model.layers();
        Self {
            name: model.name().to_owned(),
            input_shape: model.input_shape(),
            num_parameters: layers.iter().map(|layer| layer.num_parameters).sum(),
            layers,
        }
    }
}

/// Outputs of a linear layer, from its weight of shape `[in, out]`.
pub(crate) fn out_features(layer: &Linear) -> usize {
    layer.weight.lazy_shape()[1]
}

/// Builds the list of layers and follows the shape through them.
pub(crate) struct LayerList {
    shape: Vec<usize>,
    layers: Vec<LayerSummary>,
}

impl LayerList {
    pub(crate) fn new(input_shape: [usize; 3]) -> Self {
        Self { shape: input_shape.to_vec(), layers: Vec::new() }
    }

    pub(crate) fn conv2d(self, name: &str, layer: &Conv2d) -> Self {
        let weight = layer.weight.lazy_shape();
        let padding = symmetric_padding(&layer.padding, layer.kernel_size);
        let window = Window {
            kernel_size: layer.kernel_size,
            stride: layer.stride,
            padding,
            dilation: layer.dilation,
            ceil_mode: false,
        };
        let shape = self.after(&window, weight[0]);
        let kind = LayerKind::Conv2d {
            in_channels: weight[1] * layer.groups,
            out_channels: weight[0],
            kernel_size: layer.kernel_size,
            stride: layer.stride,
            padding,
            dilation: layer.dilation,
            groups: layer.groups,
            bias: layer.bias.is_some(),
        };
        self.push(name, kind, shape, layer.num_params(), false)
    }

    pub(crate) fn max_pool2d(self, name: &str, layer: &MaxPool2d) -> Self {
        let padding = symmetric_padding(&layer.padding, layer.kernel_size);
        let window = Window {
            kernel_size: layer.kernel_size,
            stride: layer.stride,
            padding,
            dilation: layer.dilation,
            ceil_mode: layer.ceil_mode,
        };
        let shape = self.after(&window, self.channels());
        let kind = LayerKind::MaxPool2d {
            kernel_size: layer.kernel_size,
            stride: layer.stride,
            padding,
            dilation: layer.dilation,
            ceil_mode: layer.ceil_mode,
        };
        self.push(name, kind, shape, 0, false)
    }

    pub(crate) fn avg_pool2d(self, name: &str, layer: &AvgPool2d) -> Self {
        let AvgPool2d { kernel_size, stride, .. } = *layer;
        let padding = symmetric_padding(&layer.padding, kernel_size);
        let window = Window { padding, ..Window::new(kernel_size, stride) };
        let shape = self.after(&window, self.channels());
        self.push(name, LayerKind::AvgPool2d { kernel_size, stride, padding }, shape, 0, false)
    }

    /// `nn.AdaptiveAvgPool2d(1)`.
    pub(crate) fn global_avg_pool2d(self, name: &str) -> Self {
        let shape = vec![self.channels(), 1, 1];
        self.push(name, LayerKind::AdaptiveAvgPool2d { output_size: [1, 1] }, shape, 0, false)
    }

    pub(crate) fn batch_norm2d(self, name: &str, layer: &BatchNorm2d) -> Self {
        let num_features = layer.num_features();
        let BatchNorm2dConfig { eps, momentum, affine, bias } = layer.config();
        let kind = LayerKind::BatchNorm2d { num_features, eps, momentum, affine, bias };
        let num_parameters = num_features * (usize::from(affine) + usize::from(bias));
        self.push_same(name, kind, num_parameters)
    }

    pub(crate) fn dropout(self, name: &str, layer: &Dropout) -> Self {
        self.push_same(name, LayerKind::Dropout { p: layer.prob }, 0)
    }

    pub(crate) fn relu(self, name: &str) -> Self {
        self.push_same(name, LayerKind::ReLU, 0)
    }

    pub(crate) fn linear(self, name: &str, layer: &Linear) -> Self {
        let [in_features, out_features] = layer.weight.lazy_shape().dims();
        let kind = LayerKind::Linear { in_features, out_features, bias: layer.bias.is_some() };
        self.push(name, kind, vec![out_features], layer.num_params(), false)
    }

    pub(crate) fn flatten(self, name: &str) -> Self {
        let length = self.shape.iter().product();
        self.push(name, LayerKind::Flatten, vec![length], 0, false)
    }

    pub(crate) fn functional_flatten(self, name: &str) -> Self {
        let length = self.shape.iter().product();
        self.push(name, LayerKind::Flatten, vec![length], 0, true)
    }

    pub(crate) fn functional_relu(self, name: &str) -> Self {
        let shape = self.shape.clone();
        self.push(name, LayerKind::ReLU, shape, 0, true)
    }

    pub(crate) fn finish(self) -> Vec<LayerSummary> {
        self.layers
    }

    fn channels(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    /// The shape of `channels` images that a window has slid over.
    fn after(&self, window: &Window, channels: usize) -> Vec<usize> {
        let size = |axis: usize| self.shape.get(axis).copied().unwrap_or(0);
        let [height, width] = window.output([size(1), size(2)]);
        vec![channels, height, width]
    }

    /// A layer that leaves the shape as it is.
    fn push_same(self, name: &str, kind: LayerKind, num_parameters: usize) -> Self {
        let shape = self.shape.clone();
        self.push(name, kind, shape, num_parameters, false)
    }

    fn push(
        mut self,
        name: &str,
        kind: LayerKind,
        shape: Vec<usize>,
        num_parameters: usize,
        functional: bool,
    ) -> Self {
        self.shape.clone_from(&shape);
        self.layers.push(LayerSummary {
            name: name.to_owned(),
            kind,
            output_shape: shape,
            num_parameters,
            functional,
        });
        self
    }
}
