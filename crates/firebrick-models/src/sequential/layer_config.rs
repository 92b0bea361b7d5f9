//! The layers of a config, by torch's names with torch's arguments and defaults.

use serde::{Deserialize, Deserializer, Serialize};

use super::pair::Pair;
use crate::batch_norm::BatchNorm2dConfig;

/// One layer: its name and its arguments. What comes in is known from the layer before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name")]
pub enum LayerConfig {
    /// `nn.Conv2d`.
    #[serde(rename = "conv2d")]
    Conv2d(Conv2dConfig),
    /// `nn.BatchNorm2d`.
    #[serde(rename = "batch_norm2d")]
    BatchNorm2d(BatchNorm2dConfig),
    /// `nn.ReLU`.
    #[serde(rename = "relu")]
    Relu(NoArguments),
    /// `nn.MaxPool2d`.
    #[serde(rename = "max_pool2d")]
    MaxPool2d(Pool2dConfig),
    /// `nn.AvgPool2d`.
    #[serde(rename = "avg_pool2d")]
    AvgPool2d(Pool2dConfig),
    /// `nn.AdaptiveAvgPool2d`.
    #[serde(rename = "adaptive_avg_pool2d")]
    AdaptiveAvgPool2d(AdaptiveAvgPool2dConfig),
    /// `nn.Dropout`.
    #[serde(rename = "dropout")]
    Dropout(DropoutConfig),
    /// `nn.Flatten`.
    #[serde(rename = "flatten")]
    Flatten(NoArguments),
    /// `nn.Linear`.
    #[serde(rename = "linear")]
    Linear(LinearConfig),
}

/// A layer that takes no arguments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoArguments {}

/// Arguments of `nn.Conv2d`; `in_channels` is inferred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2dConfig {
    /// Channels of the output.
    pub out_channels: usize,
    /// Height and width of the window.
    pub kernel_size: Pair,
    /// Steps between windows.
    #[serde(default = "one")]
    pub stride: Pair,
    /// Zeros added on both sides of height and width.
    #[serde(default = "zero")]
    pub padding: Pair,
    /// Steps between the elements of a window.
    #[serde(default = "one")]
    pub dilation: Pair,
    /// Blocks of channels that do not see each other.
    #[serde(default = "one_group")]
    pub groups: usize,
    /// Whether there is a bias.
    #[serde(default = "yes")]
    pub bias: bool,
}

impl Conv2dConfig {
    /// A convolution with torch's defaults.
    pub fn new(out_channels: usize, kernel_size: impl Into<Pair>) -> Self {
        Self {
            out_channels,
            kernel_size: kernel_size.into(),
            stride: one(),
            padding: zero(),
            dilation: one(),
            groups: one_group(),
            bias: yes(),
        }
    }
}

/// Arguments of `nn.MaxPool2d` and `nn.AvgPool2d`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool2dConfig {
    /// Height and width of the window.
    pub kernel_size: Pair,
    /// Steps between windows; the window's own size when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Pair>,
    /// Pixels added on both sides of height and width: zeros that count for the average, minus
    /// infinity for the maximum.
    #[serde(default = "zero")]
    pub padding: Pair,
}

/// Arguments of `nn.AdaptiveAvgPool2d`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveAvgPool2dConfig {
    /// Height and width of the output; only 1 is supported, the average of each channel.
    pub output_size: Pair,
}

/// Arguments of `nn.Dropout`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DropoutConfig {
    /// Probability that an element becomes zero in training, 0 to below 1; the others are divided by
    /// `1 - p`.
    pub p: f64,
}

impl Default for DropoutConfig {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

/// Arguments of `nn.Linear`; `in_features` is inferred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearConfig {
    /// Length of the output.
    pub out_features: usize,
    /// Whether there is a bias.
    #[serde(default = "yes")]
    pub bias: bool,
}

fn one() -> Pair {
    Pair::square(1)
}

fn zero() -> Pair {
    Pair::square(0)
}

fn one_group() -> usize {
    1
}

fn yes() -> bool {
    true
}

impl LayerConfig {
    /// Every name that [`deserialize_named`](Self::deserialize_named) knows.
    pub const NAMES: &'static [&'static str] = &[
        "conv2d",
        "batch_norm2d",
        "relu",
        "max_pool2d",
        "avg_pool2d",
        "adaptive_avg_pool2d",
        "dropout",
        "flatten",
        "linear",
    ];

    /// The layer's name in a config.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Conv2d(_) => "conv2d",
            Self::BatchNorm2d(_) => "batch_norm2d",
            Self::Relu(_) => "relu",
            Self::MaxPool2d(_) => "max_pool2d",
            Self::AvgPool2d(_) => "avg_pool2d",
            Self::AdaptiveAvgPool2d(_) => "adaptive_avg_pool2d",
            Self::Dropout(_) => "dropout",
            Self::Flatten(_) => "flatten",
            Self::Linear(_) => "linear",
        }
    }

    /// Reads the arguments of the layer called `name`, which are everything but the name itself;
    /// `None` if there is no such layer.
    ///
    /// # Errors
    ///
    /// The deserializer's error for an unknown key or a wrong type, with its place in the file.
    pub fn deserialize_named<'de, D: Deserializer<'de>>(
        name: &str,
        arguments: D,
    ) -> Option<Result<Self, D::Error>> {
        Some(match name {
            "conv2d" => Conv2dConfig::deserialize(arguments).map(Self::Conv2d),
            "batch_norm2d" => BatchNorm2dConfig::deserialize(arguments).map(Self::BatchNorm2d),
            "relu" => NoArguments::deserialize(arguments).map(Self::Relu),
            "max_pool2d" => Pool2dConfig::deserialize(arguments).map(Self::MaxPool2d),
            "avg_pool2d" => Pool2dConfig::deserialize(arguments).map(Self::AvgPool2d),
            "adaptive_avg_pool2d" => {
                AdaptiveAvgPool2dConfig::deserialize(arguments).map(Self::AdaptiveAvgPool2d)
            }
            "dropout" => DropoutConfig::deserialize(arguments).map(Self::Dropout),
            "flatten" => NoArguments::deserialize(arguments).map(Self::Flatten),
            "linear" => LinearConfig::deserialize(arguments).map(Self::Linear),
            _ => return None,
        })
    }
}
