//! The layers, one file each, and the list of them.
//!
//! | file | its one job |
//! |---|---|
//! | `base.rs` | [`Layer`], the trait; what flows between layers; what may be fused behind one |
//! | `parameters.rs`, `running.rs` | what a layer asks for and is given |
//! | `module.rs` | a layer in its place: with shapes, then with parameters, a Burn module |
//! | `pair.rs`, `window.rs`, `border.rs`, `normalise.rs`, `python.rs` | what several layers share: sizes, windows, borders, rows of variance 1, how torch prints |
//! | the others | one layer each |

mod adaptive_avg_pool2d;
mod avg_pool2d;
mod base;
mod batch_norm2d;
mod border;
mod channel_shuffle;
mod conv2d;
mod drop_path;
mod dropout;
mod flatten;
mod gelu;
mod group_norm;
mod hardsigmoid;
mod hardswish;
mod layer_norm;
mod layer_scale;
mod linear;
mod local_response_norm;
mod log_softmax;
mod max_pool2d;
mod module;
mod normalise;
mod pair;
mod parameters;
mod python;
mod relu;
mod relu6;
mod running;
mod scale;
mod sigmoid;
mod silu;
mod window;
mod zero_pad2d;

use firebrick_component::components;

pub use adaptive_avg_pool2d::AdaptiveAvgPool2d;
pub use avg_pool2d::AvgPool2d;
pub use base::{Activations, Epilogue, EpilogueStep, Gives, Layer};
pub use batch_norm2d::BatchNorm2d;
pub use channel_shuffle::ChannelShuffle;
pub use conv2d::Conv2d;
pub use drop_path::DropPath;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use gelu::Gelu;
pub use group_norm::GroupNorm;
pub use hardsigmoid::Hardsigmoid;
pub use hardswish::Hardswish;
pub use layer_norm::LayerNorm;
pub use layer_scale::LayerScale;
pub use linear::Linear;
pub use local_response_norm::LocalResponseNorm;
pub use log_softmax::LogSoftmax;
pub use max_pool2d::MaxPool2d;
pub use module::{LayerModule, PlacedLayer};
pub use pair::Pair;
pub(crate) use parameters::Parameter;
pub use parameters::{Init, ParameterSpec, Parameters};
pub use relu::Relu;
pub use relu6::Relu6;
pub use running::RunningStatistic;
pub use scale::Scale;
pub use sigmoid::Sigmoid;
pub use silu::Silu;
pub use zero_pad2d::ZeroPad2d;

components! {
    /// A layer of a config's `layers`.
    pub enum LayerConfig: dyn Layer, "layer" {
        /// Convolution.
        Conv2d(Conv2d) = "conv2d",
        /// Batch normalisation.
        BatchNorm2d(BatchNorm2d) = "batch_norm2d",
        /// Rectified linear unit.
        Relu(Relu) = "relu",
        /// Maximum of windows.
        MaxPool2d(MaxPool2d) = "max_pool2d",
        /// Average of windows.
        AvgPool2d(AvgPool2d) = "avg_pool2d",
        /// Average of the parts of an image.
        AdaptiveAvgPool2d(AdaptiveAvgPool2d) = "adaptive_avg_pool2d",
        /// Dropout.
        Dropout(Dropout) = "dropout",
        /// From an image to features.
        Flatten(Flatten) = "flatten",
        /// Fully connected layer.
        Linear(Linear) = "linear",
        /// Logarithm of the softmax over the classes.
        LogSoftmax(LogSoftmax) = "log_softmax",
        /// Logistic function.
        Sigmoid(Sigmoid) = "sigmoid",
        /// Rectified linear unit that ends at 6.
        Relu6(Relu6) = "relu6",
        /// SiLU made of lines and a parabola.
        Hardswish(Hardswish) = "hardswish",
        /// Logistic function made of lines.
        Hardsigmoid(Hardsigmoid) = "hardsigmoid",
        /// Sigmoid linear unit.
        Silu(Silu) = "silu",
        /// Gaussian error linear unit.
        Gelu(Gelu) = "gelu",
        /// Normalisation of each pixel's channels, or of features.
        LayerNorm(LayerNorm) = "layer_norm",
        /// Normalisation of groups of channels.
        GroupNorm(GroupNorm) = "group_norm",
        /// Normalisation by neighbouring channels.
        LocalResponseNorm(LocalResponseNorm) = "local_response_norm",
        /// Channels of groups in turns.
        ChannelShuffle(ChannelShuffle) = "channel_shuffle",
        /// Stochastic depth.
        DropPath(DropPath) = "drop_path",
        /// A factor for each channel.
        LayerScale(LayerScale) = "layer_scale",
        /// A constant factor.
        Scale(Scale) = "scale",
        /// Zeros around an image.
        ZeroPad2d(ZeroPad2d) = "zero_pad2d",
    }
}
