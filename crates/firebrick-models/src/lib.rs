//! Image classifiers, their first weights, and weights from and for others.
//!
//! A network is data: a tree of named layers. Shapes, parameters, multiply-adds, `print(net)`, names of weights and
//! which layers run as one operation are read off that tree. A layer is one file in [`layer`], a network one file in
//! [`zoo`], or written in a config.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use firebrick_models::layer::{Conv2d, Flatten, Linear, MaxPool2d, Relu};
//! use firebrick_models::{Named, NetworkPlan};
//!
//! # fn main() -> Result<(), firebrick_component::ArgumentError> {
//! let device = Device::flex();
//! let plan = NetworkPlan::new("Small", [3, 32, 32], vec![
//!     Conv2d::new(32, 5).padding(2).named("conv1"),
//!     Relu {}.named("relu1"),
//!     MaxPool2d::new(2).named("pool1"),
//!     Flatten {}.named("flatten"),
//!     Linear::new(10).named("fc"),
//! ])?;
//! let network = plan.init(0, &device);
//! let logits_nk = network.forward(Tensor::zeros([2, 3, 32, 32], &device));
//! assert_eq!(logits_nk.dims(), [2, 10]);
//! assert!(network.to_string().starts_with("Small(\n  (conv1): Conv2d(3, 32, kernel_size=(5, 5)"));
//! # Ok(())
//! # }
//! ```
//!
//! | file | its one job |
//! |---|---|
//! | `layer/` | one layer each |
//! | `network/` | a tree of them: names, shapes, fusing, the Burn module |
//! | `zoo/` | networks that a config can name, one file each |
//! | `zoo/sequential/` | a network that a config describes |
//! | `classifier.rs` | what every network is, also one written by hand |
//! | `init.rs` | torch's default initialisation, the same bits on every backend |
//! | `shape.rs` | shapes between layers, and limits |
//! | `summary.rs` | what a model is made of, as a table |
//! | `walk.rs` | the one walk over parameters, each with its path and role |
//! | `parameters.rs` | every parameter by name, in torch's layout |
//! | `freeze.rs` | which parameters training leaves alone |
//! | `buffers.rs` | what a training step changes besides, to undo it |
//! | `published.rs` | files of published weights, and how their images are prepared |
//! | `whitening.rs` | first filters that are made from the training images |
//! | `weights/` | `.safetensors`, `.pt`, `.bpk` in; `.safetensors` out |

mod buffers;
mod classifier;
mod freeze;
pub mod init;
pub mod layer;
pub mod network;
pub mod parameters;
pub mod published;
pub mod shape;
pub mod summary;
pub mod walk;
pub mod weights;
pub mod whitening;
pub mod zoo;

pub use buffers::Buffers;
pub use classifier::ImageClassifier;
pub use freeze::freeze;
pub use layer::{Activations, Layer, LayerConfig};
pub use network::{FrozenPrefix, LayerDepths, Named, Network, NetworkConfig, NetworkPlan, Node};
pub use published::PublishedWeights;
pub use shape::Shape;
pub use summary::{LayerSummary, ModelSummary};
pub use zoo::{LeNetConfig, ModelConfig, SequentialConfig, TuduiConfig};
