//! The layers, one file each, and the list of them.
//!
//! | file | its one job |
//! |---|---|
//! | `base.rs` | [`Layer`], the trait; what flows between layers; what may be fused behind one |
//! | `parameters.rs`, `running.rs` | what a layer asks for and is given |
//! | `module.rs` | a layer in its place: with shapes, then with parameters, a Burn module |
//! | `pair.rs`, `window.rs`, `python.rs` | what several layers share: sizes, windows, how torch prints |
//! | the others | one layer each |

mod adaptive_avg_pool2d;
mod avg_pool2d;
mod base;
mod batch_norm2d;
mod conv2d;
mod dropout;
mod flatten;
mod linear;
mod log_softmax;
mod max_pool2d;
mod module;
mod pair;
mod parameters;
mod python;
mod relu;
mod running;
mod sigmoid;
mod window;

use firebrick_component::components;

pub use adaptive_avg_pool2d::AdaptiveAvgPool2d;
pub use avg_pool2d::AvgPool2d;
pub use base::{Activations, Epilogue, EpilogueStep, Gives, Layer};
pub use batch_norm2d::BatchNorm2d;
pub use conv2d::Conv2d;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use linear::Linear;
pub use log_softmax::LogSoftmax;
pub use max_pool2d::MaxPool2d;
pub use module::{LayerModule, PlacedLayer};
pub use pair::Pair;
pub(crate) use parameters::Parameter;
pub use parameters::{Init, ParameterSpec, Parameters};
pub use relu::Relu;
pub use running::RunningStatistic;
pub use sigmoid::Sigmoid;

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
        /// Average of whole channels.
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
    }
}
