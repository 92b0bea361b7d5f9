//! Image classifiers, their first weights, and weights from and for others.
//!
//! A model is one file: [`tudui`] and [`lenet`] can be read beside their PyTorch originals, every
//! line of `forward` with its shape. [`registry`] is the one place where a name becomes a model.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use firebrick_models::{ImageClassifier, ModelConfig, TuduiConfig};
//!
//! let device = Device::flex();
//! let model = ModelConfig::Tudui(TuduiConfig { num_classes: 10 }).init(0, &device);
//! let logits_nk = model.forward(Tensor::zeros([2, 3, 32, 32], &device));
//! assert_eq!(logits_nk.dims(), [2, 10]);
//! assert!(model.to_string().starts_with("Tudui(\n  (conv1): Conv2d(3, 32, kernel_size=(5, 5)"));
//! ```
//!
//! | file | its one job |
//! |---|---|
//! | `tudui.rs`, `lenet.rs` | one network each |
//! | `sequential/` | a network that a config describes, and whether its layers fit together |
//! | `batch_norm.rs`, `running.rs` | torch's BatchNorm2d and its running statistics |
//! | `registry.rs` | names, [`ModelConfig`], [`Model`] |
//! | `init.rs` | torch's default initialisation, the same bits on every backend |
//! | `layers.rs` | the layers' functions, several lines of PyTorch at once |
//! | `summary.rs`, `layer_kind.rs`, `display.rs` | what a model is made of, as data and as `print(net)` |
//! | `parameters.rs` | every parameter by name, in torch's layout |
//! | `buffers.rs` | what a training step changes besides, to undo it |
//! | `weights/` | `.safetensors`, `.pt`, `.bpk` in; `.safetensors` out |

pub mod batch_norm;
mod buffers;
pub mod display;
pub mod init;
mod layer_kind;
pub mod layers;
pub mod lenet;
pub mod parameters;
pub mod registry;
mod running;
pub mod sequential;
pub mod summary;
pub mod tudui;
pub mod walk;
pub mod weights;
mod window;

use burn::module::Module;
use burn::tensor::Tensor;

pub use batch_norm::{BatchNorm2d, BatchNorm2dConfig};
pub use buffers::Buffers;
pub use layer_kind::LayerKind;
pub use lenet::{LeNet, LeNetConfig};
pub use registry::{Model, ModelConfig, ModelError};
pub use sequential::{Sequential, SequentialConfig};
pub use summary::{LayerSummary, ModelSummary};
pub use tudui::{Tudui, TuduiConfig};

/// A network that gives each image of a batch one score per class.
///
/// # Shapes
///
/// Every implementation takes `images_nchw` of shape `[n, channels, height, width]` with
/// `[channels, height, width]` equal to [`input_shape`](Self::input_shape), and gives `logits_nk`
/// of shape `[n, num_classes]`. Burn panics on any other shape, so callers check the shape once,
/// before the first batch.
pub trait ImageClassifier: Module + Sync {
    /// The class name of the PyTorch original, as `print(net)` shows it.
    fn name(&self) -> &'static str;

    /// Scores before softmax.
    ///
    /// # Shapes
    ///
    /// - `images_nchw`: `[n, channels, height, width]`
    /// - result `logits_nk`: `[n, num_classes]`
    fn forward(&self, images_nchw: Tensor<4>) -> Tensor<2>;

    /// `[channels, height, width]` of one image.
    fn input_shape(&self) -> [usize; 3];

    /// How many classes the last layer tells apart.
    fn num_classes(&self) -> usize;

    /// Every step of [`forward`](Self::forward) in order, parameter-free ones included. The
    /// position of a layer is its index in the same network written as `nn.Sequential`.
    fn layers(&self) -> Vec<LayerSummary>;
}
