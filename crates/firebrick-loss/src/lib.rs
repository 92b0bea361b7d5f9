//! The losses of `torch.nn`, exact in value and gradient, on every backend of Burn.
//!
//! One file a loss. Each has a `XLossConfig` with torch's argument names and defaults, which `init`
//! checks and turns into an `XLoss`:
//!
//! - `forward` checks everything and gives one number, shape `[1]`;
//! - `forward_unreduced` gives one number an element (or a sample), whatever `reduction` says;
//! - `forward_trusted`, where checking values means waiting for the device, checks shapes only. It is
//!   the one for training steps, whose labels were checked when they were read.
//!
//! Inputs are never broadcast. Wrong arguments, shapes, element types and values are a [`LossError`]
//! that names the argument and both values; nothing panics.
//!
//! [`LossConfig`] is any loss by name, for config files. [`LossConfig::for_classes`] makes of it a
//! [`ClassificationLoss`], which trains a classifier on [`Targets`]: classes or probabilities. A program adds a
//! loss of its own by implementing [`Loss`] for its arguments and [`ClassificationLoss`] for what they mean.
//!
//! [`evaluate`] runs a loss on plain arrays and gives output and gradients, for the command line and for tests.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use burn::tensor::{Device, Int, Tensor};
//! use firebrick_loss::CrossEntropyLossConfig;
//!
//! let device = Device::flex().autodiff();
//! let logits_nk = Tensor::<2>::from_floats([[0.0, 0.0]], &device).require_grad();
//! let labels_n = Tensor::<1, Int>::from_ints([1], &device);
//! let loss = CrossEntropyLossConfig::default().init()?;
//! let loss = loss.forward_trusted(logits_nk.clone(), labels_n)?;
//! let gradients = loss.backward();
//! let gradient = logits_nk.grad(&gradients).ok_or("no gradient")?;
//! assert_eq!(gradient.to_data().try_to_vec::<f32>()?, [0.5, -0.5]);
//! # Ok(())
//! # }
//! ```

// The parts, each built on those before it.
mod error;
mod reduction;

mod check;
mod classes;
mod numeric;
mod targets;
mod weight;

mod classification;
mod session;

mod elementwise;
mod loss;

// The losses.
mod bce;
mod bce_with_logits;
mod cosine_embedding;
mod cross_entropy;
mod ctc;
mod ctc_recursion;
mod focal;
mod gaussian_nll;
mod hinge_embedding;
mod huber;
mod kl_div;
mod l1;
mod margin_ranking;
mod mse;
mod multi_margin;
mod multilabel_margin;
mod multilabel_soft_margin;
mod nll;
mod poisson_nll;
mod sigmoid_focal;
mod smooth_l1;
mod soft_margin;
mod triplet_margin;

// Their list.
mod by_name;
mod config;

pub use bce::{BceLoss, BceLossConfig};
pub use bce_with_logits::{BceWithLogitsLoss, BceWithLogitsLossConfig};
pub use by_name::{evaluate, explain};
pub use classification::{ClassificationLoss, Counted};
pub use config::LossConfig;
pub use cosine_embedding::{CosineEmbeddingLoss, CosineEmbeddingLossConfig};
pub use cross_entropy::{CrossEntropyLoss, CrossEntropyLossConfig};
pub use ctc::{CtcLoss, CtcLossConfig};
pub use error::LossError;
pub use focal::{FocalLoss, FocalLossConfig};
pub use gaussian_nll::{GaussianNllLoss, GaussianNllLossConfig};
pub use hinge_embedding::{HingeEmbeddingLoss, HingeEmbeddingLossConfig};
pub use huber::{HuberLoss, HuberLossConfig};
pub use kl_div::{KlDivLoss, KlDivLossConfig};
pub use l1::{L1Loss, L1LossConfig};
pub use loss::{Loss, Takes};
pub use margin_ranking::{MarginRankingLoss, MarginRankingLossConfig};
pub use mse::{MseLoss, MseLossConfig};
pub use multi_margin::{MultiMarginLoss, MultiMarginLossConfig};
pub use multilabel_margin::{MultilabelMarginLoss, MultilabelMarginLossConfig};
pub use multilabel_soft_margin::{MultilabelSoftMarginLoss, MultilabelSoftMarginLossConfig};
pub use nll::{NllLoss, NllLossConfig};
pub use poisson_nll::{PoissonNllLoss, PoissonNllLossConfig};
pub use reduction::Reduction;
pub use session::{Evaluation, InputKind, InputSlot, Inputs, Session, Term};
pub use sigmoid_focal::{SigmoidFocalLoss, SigmoidFocalLossConfig};
pub use smooth_l1::{SmoothL1Loss, SmoothL1LossConfig};
pub use soft_margin::{SoftMarginLoss, SoftMarginLossConfig};
pub use targets::Targets;
pub use triplet_margin::{TripletMarginLoss, TripletMarginLossConfig};
pub use weight::BroadcastWeight;

/// What an own loss needs of the family of components, and the one error for a wrong argument.
pub use firebrick_component::{ArgumentError, Component};

/// Burn's array on the host, for programs that call [`evaluate`] and have no Burn of their own.
pub use burn::tensor::{DType, TensorData};
