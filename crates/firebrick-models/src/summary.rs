//! What a model is made of, as data: each step's layer, output shape and number of parameters.

use std::fmt;

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2d;
use burn::nn::{Linear, PaddingConfig2d};
use serde::Serialize;

use crate::ImageClassifier;

/// One step of a network's `forward`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

/// A layer and its arguments; `Display` is PyTorch's `repr` of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "layer")]
pub enum LayerKind {
    /// `nn.Conv2d`.
    Conv2d {
        /// Channels of the input.
        in_channels: usize,
        /// Channels of the output.
        out_channels: usize,
        /// Height and width of the window.
        kernel_size: [usize; 2],
        /// Steps between windows.
        stride: [usize; 2],
        /// Zeros added on both sides of height and width.
        padding: [usize; 2],
        /// Steps between the elements of a window.
        dilation: [usize; 2],
        /// Blocks of channels that do not see each other.
        groups: usize,
        /// Whether there is a bias.
        bias: bool,
    },
    /// `nn.MaxPool2d`.
    MaxPool2d {
        /// Height and width of the window.
        kernel_size: [usize; 2],
        /// Steps between windows.
        stride: [usize; 2],
        /// Minus infinities added on both sides of height and width.
        padding: [usize; 2],
        /// Steps between the elements of a window.
        dilation: [usize; 2],
        /// Whether a window that does not fit whole counts.
        ceil_mode: bool,
    },
    /// `nn.ReLU`.
    ReLU,
    /// `nn.Flatten` of everything but the batch.
    Flatten,
    /// `nn.Linear`.
    Linear {
        /// Length of the input.
        in_features: usize,
        /// Length of the output.
        out_features: usize,
        /// Whether there is a bias.
        bias: bool,
    },
}

/// A whole model for a table: its layers and what they add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
        let shape = window.output_shape(weight[0], &self.shape);
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
        let channels = self.shape.first().copied().unwrap_or(0);
        let shape = window.output_shape(channels, &self.shape);
        let kind = LayerKind::MaxPool2d {
            kernel_size: layer.kernel_size,
            stride: layer.stride,
            padding,
            dilation: layer.dilation,
            ceil_mode: layer.ceil_mode,
        };
        self.push(name, kind, shape, 0, false)
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

/// What a sliding window does to height and width.
struct Window {
    kernel_size: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    ceil_mode: bool,
}

impl Window {
    fn output_shape(&self, channels: usize, input_chw: &[usize]) -> Vec<usize> {
        let size = |axis: usize| {
            let input = input_chw.get(axis + 1).copied().unwrap_or(0);
            self.output_size(axis, input)
        };
        vec![channels, size(0), size(1)]
    }

    /// torch's formula; 0 where the window does not fit once.
    fn output_size(&self, axis: usize, input: usize) -> usize {
        let reach = self.dilation[axis] * (self.kernel_size[axis].saturating_sub(1)) + 1;
        let padded = input + 2 * self.padding[axis];
        let stride = self.stride[axis].max(1);
        if padded < reach {
            return 0;
        }
        let room = padded - reach;
        let steps = room / stride;
        let partial = self.ceil_mode && !room.is_multiple_of(stride);
        // A window that would start in the right padding does not count, also in ceil mode.
        let starts_inside = (steps + 1) * stride < input + self.padding[axis];
        steps + 1 + usize::from(partial && starts_inside)
    }
}

fn symmetric_padding(padding: &PaddingConfig2d, kernel_size: [usize; 2]) -> [usize; 2] {
    match padding {
        PaddingConfig2d::Valid => [0, 0],
        PaddingConfig2d::Same => kernel_size.map(|size| size.saturating_sub(1) / 2),
        PaddingConfig2d::Explicit(top, left, _bottom, _right) => [*top, *left],
    }
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conv2d { .. } => self.fmt_conv2d(f),
            Self::MaxPool2d { kernel_size, stride, padding, dilation, ceil_mode } => write!(
                f,
                "MaxPool2d(kernel_size={}, stride={}, padding={}, dilation={}, ceil_mode={})",
                int_or_pair(*kernel_size),
                int_or_pair(*stride),
                int_or_pair(*padding),
                int_or_pair(*dilation),
                python_bool(*ceil_mode),
            ),
            Self::ReLU => f.write_str("ReLU()"),
            Self::Flatten => f.write_str("Flatten(start_dim=1, end_dim=-1)"),
            Self::Linear { in_features, out_features, bias } => write!(
                f,
                "Linear(in_features={in_features}, out_features={out_features}, bias={})",
                python_bool(*bias)
            ),
        }
    }
}

impl LayerKind {
    /// torch leaves out padding, dilation, groups and bias where they have their default.
    fn fmt_conv2d(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Conv2d { in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias } =
            self
        else {
            return Ok(());
        };
        write!(f, "Conv2d({in_channels}, {out_channels}")?;
        write!(f, ", kernel_size={}", pair(*kernel_size))?;
        write!(f, ", stride={}", pair(*stride))?;
        if *padding != [0, 0] {
            write!(f, ", padding={}", pair(*padding))?;
        }
        if *dilation != [1, 1] {
            write!(f, ", dilation={}", pair(*dilation))?;
        }
        if *groups != 1 {
            write!(f, ", groups={groups}")?;
        }
        if !bias {
            write!(f, ", bias=False")?;
        }
        f.write_str(")")
    }
}

fn pair([height, width]: [usize; 2]) -> String {
    format!("({height}, {width})")
}

/// A pool is given one number for both sides, and torch prints it as it was given.
fn int_or_pair([height, width]: [usize; 2]) -> String {
    if height == width { height.to_string() } else { pair([height, width]) }
}

fn python_bool(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}
