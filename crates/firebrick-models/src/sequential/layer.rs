//! One layer of a [`Sequential`](super::Sequential): what it holds and what it does.

use burn::module::{Devices, Module, ModuleMapper, ModuleVisitor};
use burn::nn::conv::Conv2d;
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use firebrick_kernels::{Activation, AfterNorm, global_avg_pool2d};

use super::layer_config::{LayerConfig, Pool2dConfig};
use super::shape::Shape;
use crate::batch_norm::BatchNorm2d;
use crate::init::TorchInit;
use crate::layers::{avg_pool, conv_block, linear, linear_relu, max_pool};
use crate::summary::LayerList;

/// A layer that fits behind the one before it.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // a network has some dozens of them at most
pub(super) enum Layer {
    Conv2d(Conv2d),
    BatchNorm2d(BatchNorm2d),
    Relu,
    MaxPool2d(MaxPool2d),
    AvgPool2d(AvgPool2d),
    /// `nn.AdaptiveAvgPool2d(1)`.
    GlobalAvgPool2d,
    Dropout(Dropout),
    Flatten,
    Linear(Linear),
}

/// What goes from layer to layer.
pub(super) enum Activations {
    /// `[n, channels, height, width]`.
    Images(Tensor<4>),
    /// `[n, features]`.
    Features(Tensor<2>),
}

impl Layer {
    /// A layer with torch's default initialisation, for an input of this shape.
    pub(super) fn init(config: &LayerConfig, input: Shape, torch: &mut TorchInit) -> Self {
        match config {
            LayerConfig::Conv2d(conv) => Self::Conv2d(torch.conv2d_of(input.channels(), conv)),
            LayerConfig::BatchNorm2d(norm) => Self::BatchNorm2d(norm.init(input.channels(), torch.device())),
            LayerConfig::Relu(_) => Self::Relu,
            LayerConfig::MaxPool2d(pool) => Self::MaxPool2d(max_pool2d(pool)),
            LayerConfig::AvgPool2d(pool) => Self::AvgPool2d(avg_pool2d(pool)),
            LayerConfig::AdaptiveAvgPool2d(_) => Self::GlobalAvgPool2d,
            LayerConfig::Dropout(dropout) => Self::Dropout(DropoutConfig::new(dropout.p).init()),
            LayerConfig::Flatten(_) => Self::Flatten,
            LayerConfig::Linear(linear) => {
                Self::Linear(torch.linear_of(input.channels(), linear.out_features, linear.bias))
            }
        }
    }

    /// The layer by itself. The config has made sure that images and features reach only layers that
    /// take them; anything else would go through unchanged.
    fn forward(&self, x: Activations) -> Activations {
        use Activations::{Features, Images};
        match (self, x) {
            (Self::BatchNorm2d(norm), Images(x)) => Images(norm.forward(x)),
            (Self::MaxPool2d(pool), Images(x)) => Images(max_pool(pool, x)),
            (Self::AvgPool2d(pool), Images(x)) => Images(avg_pool(pool, x)),
            (Self::GlobalAvgPool2d, Images(x)) => Images(global_avg_pool2d(x)),
            (Self::Relu, Images(x)) => Images(relu(x)),
            (Self::Relu, Features(x)) => Features(relu(x)),
            (Self::Dropout(dropout), Images(x)) => Images(dropout.forward(x)),
            (Self::Dropout(dropout), Features(x)) => Features(dropout.forward(x)),
            (Self::Flatten, Images(x)) => Features(x.flatten(1, 3)),
            (Self::Linear(fc), Features(x)) => Features(linear(fc, x)),
            (_, x) => x,
        }
    }

    /// Applies the first of `layers`, and with a convolution the ReLU and the pool behind it, with a
    /// normalisation or a linear layer the ReLU, which are one operation then. Gives the layers that are left.
    pub(super) fn apply_first(layers: &[Self], x: Activations) -> (Activations, &[Self]) {
        use Activations::{Features, Images};
        use Layer::{BatchNorm2d, Conv2d, Linear, MaxPool2d, Relu};
        match (layers, x) {
            ([Conv2d(conv), Relu, MaxPool2d(pool), rest @ ..], Images(x)) => {
                (Images(conv_block(conv, Activation::Relu, Some(pool), x)), rest)
            }
            ([Conv2d(conv), MaxPool2d(pool), rest @ ..], Images(x)) => {
                (Images(conv_block(conv, Activation::None, Some(pool), x)), rest)
            }
            ([Conv2d(conv), Relu, rest @ ..], Images(x)) => {
                (Images(conv_block(conv, Activation::Relu, None, x)), rest)
            }
            ([Conv2d(conv), rest @ ..], Images(x)) => {
                (Images(conv_block(conv, Activation::None, None, x)), rest)
            }
            ([BatchNorm2d(norm), Relu, rest @ ..], Images(x)) => {
                let after = AfterNorm { residual: None, activation: Activation::Relu };
                (Images(norm.forward_and(x, after)), rest)
            }
            ([Linear(fc), Relu, rest @ ..], Features(x)) => (Features(linear_relu(fc, x)), rest),
            ([layer, rest @ ..], x) => (layer.forward(x), rest),
            ([], x) => (x, layers),
        }
    }

    pub(super) fn describe(&self, list: LayerList, name: &str) -> LayerList {
        match self {
            Self::Conv2d(conv) => list.conv2d(name, conv),
            Self::BatchNorm2d(norm) => list.batch_norm2d(name, norm),
            Self::Relu => list.relu(name),
            Self::MaxPool2d(pool) => list.max_pool2d(name, pool),
            Self::AvgPool2d(pool) => list.avg_pool2d(name, pool),
            Self::GlobalAvgPool2d => list.global_avg_pool2d(name),
            Self::Dropout(dropout) => list.dropout(name, dropout),
            Self::Flatten => list.flatten(name),
            Self::Linear(linear) => list.linear(name, linear),
        }
    }
}

fn max_pool2d(pool: &Pool2dConfig) -> MaxPool2d {
    MaxPool2dConfig::new(pool.kernel_size.0)
        .with_strides(pool.stride.unwrap_or(pool.kernel_size).0)
        .with_padding(padding(pool))
        .init()
}

fn avg_pool2d(pool: &Pool2dConfig) -> AvgPool2d {
    AvgPool2dConfig::new(pool.kernel_size.0)
        .with_strides(pool.stride.unwrap_or(pool.kernel_size).0)
        .with_padding(padding(pool))
        .init()
}

fn padding(pool: &Pool2dConfig) -> PaddingConfig2d {
    let [vertical, horizontal] = pool.padding.0;
    PaddingConfig2d::Explicit(vertical, horizontal, vertical, horizontal)
}

/// Runs the same expression on whichever module is inside, and another where there is none.
macro_rules! inside {
    ($layer:expr, $module:ident => $body:expr, $otherwise:expr) => {
        match $layer {
            Layer::Conv2d($module) => $body,
            Layer::BatchNorm2d($module) => $body,
            Layer::Dropout($module) => $body,
            Layer::Linear($module) => $body,
            _ => $otherwise,
        }
    };
}

/// As `inside!`, and wraps the result in the same variant again.
macro_rules! rebuild {
    ($layer:expr, $module:ident => $body:expr, $otherwise:pat => $same:expr) => {
        match $layer {
            Layer::Conv2d($module) => Layer::Conv2d($body),
            Layer::BatchNorm2d($module) => Layer::BatchNorm2d($body),
            Layer::Dropout($module) => Layer::Dropout($body),
            Layer::Linear($module) => Layer::Linear($body),
            $otherwise => $same,
        }
    };
}

/// Written out because the derive would put the variant's name into every parameter's path.
impl Module for Layer {
    fn collect_devices(&self, devices: Devices) -> Devices {
        inside!(self, module => module.collect_devices(devices), devices)
    }

    fn fork(self, device: &Device) -> Self {
        rebuild!(self, module => module.fork(device), other => other)
    }

    fn to_device(self, device: &Device) -> Self {
        rebuild!(self, module => module.to_device(device), other => other)
    }

    fn train(self) -> Self {
        rebuild!(self, module => module.train(), other => other)
    }

    fn valid(&self) -> Self {
        rebuild!(self, module => module.valid(), other => other.clone())
    }

    fn materialize(self) -> Self {
        rebuild!(self, module => module.materialize(), other => other)
    }

    fn visit<Visitor: ModuleVisitor>(&self, visitor: &mut Visitor) {
        inside!(self, module => module.visit(visitor), ());
    }

    fn map<Mapper: ModuleMapper>(self, mapper: &mut Mapper) -> Self {
        rebuild!(self, module => module.map(mapper), other => other)
    }
}
