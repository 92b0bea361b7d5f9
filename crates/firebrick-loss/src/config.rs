//! `LossConfig`: what `[loss]` in a config file names.

use std::sync::Arc;

use firebrick_component::{Family, components};
use serde::de::value::{Error, MapDeserializer};

use crate::bce::BceLossConfig;
use crate::bce_with_logits::BceWithLogitsLossConfig;
use crate::classification::ClassificationLoss;
use crate::cosine_embedding::CosineEmbeddingLossConfig;
use crate::cross_entropy::CrossEntropyLossConfig;
use crate::ctc::CtcLossConfig;
use crate::error::LossError;
use crate::focal::FocalLossConfig;
use crate::gaussian_nll::GaussianNllLossConfig;
use crate::hinge_embedding::HingeEmbeddingLossConfig;
use crate::huber::HuberLossConfig;
use crate::kl_div::KlDivLossConfig;
use crate::l1::L1LossConfig;
use crate::loss::Loss;
use crate::margin_ranking::MarginRankingLossConfig;
use crate::mse::MseLossConfig;
use crate::multi_margin::MultiMarginLossConfig;
use crate::multilabel_margin::MultilabelMarginLossConfig;
use crate::multilabel_soft_margin::MultilabelSoftMarginLossConfig;
use crate::nll::NllLossConfig;
use crate::poisson_nll::PoissonNllLossConfig;
use crate::reduction::Reduction;
use crate::sigmoid_focal::SigmoidFocalLossConfig;
use crate::smooth_l1::SmoothL1LossConfig;
use crate::soft_margin::SoftMarginLossConfig;
use crate::triplet_margin::TripletMarginLossConfig;

components! {
    /// Any loss with its arguments, by the name that a config file gives it: the list of all losses.
    ///
    /// ```
    /// use firebrick_loss::LossConfig;
    ///
    /// let json = serde_json::json!({"label_smoothing": 0.1});
    /// let loss = LossConfig::deserialize_named("cross_entropy", json).unwrap().unwrap();
    /// assert_eq!(loss.name(), "cross_entropy");
    /// assert!(loss.validate().is_ok());
    /// ```
    pub enum LossConfig: dyn Loss, "loss" {
        /// Mean absolute error.
        L1(L1LossConfig) = "l1",
        /// Mean squared error.
        Mse(MseLossConfig) = "mse",
        /// Smooth L1.
        SmoothL1(SmoothL1LossConfig) = "smooth_l1",
        /// Huber.
        Huber(HuberLossConfig) = "huber",
        /// Binary cross-entropy of probabilities.
        Bce(BceLossConfig) = "bce",
        /// Binary cross-entropy of logits.
        BceWithLogits(BceWithLogitsLossConfig) = "bce_with_logits",
        /// Cross-entropy of logits with class indices or probabilities.
        CrossEntropy(CrossEntropyLossConfig) = "cross_entropy",
        /// Negative log-likelihood of class indices.
        Nll(NllLossConfig) = "nll",
        /// Kullback-Leibler divergence.
        KlDiv(KlDivLossConfig) = "kl_div",
        /// Poisson negative log-likelihood.
        PoissonNll(PoissonNllLossConfig) = "poisson_nll",
        /// Gaussian negative log-likelihood.
        GaussianNll(GaussianNllLossConfig) = "gaussian_nll",
        /// Hinge embedding.
        HingeEmbedding(HingeEmbeddingLossConfig) = "hinge_embedding",
        /// Cosine embedding.
        CosineEmbedding(CosineEmbeddingLossConfig) = "cosine_embedding",
        /// Margin ranking.
        MarginRanking(MarginRankingLossConfig) = "margin_ranking",
        /// Multi-class margin.
        MultiMargin(MultiMarginLossConfig) = "multi_margin",
        /// Multi-label margin.
        MultilabelMargin(MultilabelMarginLossConfig) = "multilabel_margin",
        /// Multi-label soft margin.
        MultilabelSoftMargin(MultilabelSoftMarginLossConfig) = "multilabel_soft_margin",
        /// Soft margin.
        SoftMargin(SoftMarginLossConfig) = "soft_margin",
        /// Triplet margin.
        TripletMargin(TripletMarginLossConfig) = "triplet_margin",
        /// Connectionist temporal classification.
        Ctc(CtcLossConfig) = "ctc",
        /// Focal loss of class indices.
        Focal(FocalLossConfig) = "focal",
        /// Focal loss of independent binary targets.
        SigmoidFocal(SigmoidFocalLossConfig) = "sigmoid_focal",
    }
}

impl LossConfig {
    /// The loss of that name with its default arguments; none if there is no such loss, or if it is one that a
    /// program has registered and has an argument without a default.
    pub fn default_named(name: &str) -> Option<Self> {
        let no_arguments = MapDeserializer::<_, Error>::new(std::iter::empty::<(&str, &str)>());
        Self::deserialize_named(name, no_arguments)?.ok()
    }

    /// Checks the arguments, as `validate` does, and says which loss they are of.
    ///
    /// # Errors
    ///
    /// [`LossError::Argument`] for the first wrong one.
    pub fn check(&self) -> Result<(), LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: self.name(), source })
    }

    /// The loss for training and evaluating a classifier of `num_classes` classes.
    ///
    /// # Errors
    ///
    /// [`LossError::Argument`] if an argument is wrong or does not fit the number of classes,
    /// [`LossError::NotForClassifier`] if the loss takes other inputs than a network's outputs and classes,
    /// [`LossError::Unreduced`] if `reduction` is `none`.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use burn::tensor::{Device, Int, Tensor};
    /// use firebrick_loss::{LossConfig, Targets};
    ///
    /// let device = Device::flex();
    /// let outputs_nk = Tensor::<2>::from_floats([[0.75, 0.25]], &device);
    /// let labels_n = Tensor::<1, Int>::from_ints([0], &device);
    /// let loss = LossConfig::default_named("mse").ok_or("no such loss")?.for_classes(2)?;
    /// // ((0.75 - 1)^2 + (0.25 - 0)^2) / 2
    /// let loss = loss.forward(outputs_nk, Targets::Classes(labels_n))?;
    /// assert_eq!(loss.into_scalar::<f32>(), 0.0625);
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_classes(&self, num_classes: usize) -> Result<Arc<dyn ClassificationLoss>, LossError> {
        let loss = self.name();
        self.check()?;
        let criterion =
            self.classification(num_classes).map_err(|source| LossError::Argument { loss, source })?;
        let Some(criterion) = criterion else {
            let takes: Vec<&str> = self.inputs().iter().map(|slot| slot.name).collect();
            let usable = Self::names_for_classes().join(", ");
            return Err(LossError::NotForClassifier { loss, takes: takes.join(", "), usable });
        };
        if self.reduction() == Reduction::None {
            return Err(LossError::Unreduced { loss });
        }
        Ok(criterion)
    }

    /// The names of the losses that a classifier can be trained with, registered ones last.
    pub fn names_for_classes() -> Vec<&'static str> {
        let can_train = |name: &&str| {
            // Any number of classes will do: the defaults hold no weights.
            let loss = Self::default_named(name).map(|loss| loss.classification(2));
            matches!(loss, Some(Ok(Some(_))))
        };
        Self::names().into_iter().filter(can_train).collect()
    }
}
