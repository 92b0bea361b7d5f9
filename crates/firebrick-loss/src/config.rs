//! `LossConfig`: what `[loss]` in a config file names.

use burn::tensor::{Int, Tensor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    BceLossConfig, BceWithLogitsLossConfig, CosineEmbeddingLossConfig, CrossEntropyLoss,
    CrossEntropyLossConfig, CtcLossConfig, FocalLoss, FocalLossConfig, GaussianNllLossConfig,
    HingeEmbeddingLossConfig, HuberLossConfig, KlDivLossConfig, L1LossConfig, LossError,
    MarginRankingLossConfig, MseLossConfig, MultiMarginLoss, MultiMarginLossConfig,
    MultilabelMarginLossConfig, MultilabelSoftMarginLossConfig, NllLoss, NllLossConfig, PoissonNllLossConfig,
    Reduction, SigmoidFocalLossConfig, SmoothL1LossConfig, SoftMarginLossConfig, TripletMarginLossConfig,
};

/// Writes the enum and everything that lists the losses, so that no list can miss one.
macro_rules! losses {
    ($($(#[$doc:meta])* $variant:ident($config:ident) = $name:literal, $torch:literal;)*) => {
        /// Any loss with its arguments, by the name that a config file gives it.
        ///
        /// ```
        /// use firebrick_loss::LossConfig;
        ///
        /// let json = serde_json::json!({"label_smoothing": 0.1});
        /// let loss = LossConfig::deserialize_named("cross_entropy", json).unwrap().unwrap();
        /// assert_eq!(loss.name(), "cross_entropy");
        /// assert!(loss.validate().is_ok());
        /// ```
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "name")]
        pub enum LossConfig {
            $($(#[$doc])* #[serde(rename = $name)] $variant($config),)*
        }

        impl LossConfig {
            /// The names of all losses.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The name in a config file.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            /// The class or function of PyTorch that gives the same numbers; for `focal`, which has
            /// none, the paper.
            pub fn torch_name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $torch,)* }
            }

            /// The loss of that name with its default arguments; none if there is no such loss.
            pub fn default_named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant($config::default())),)*
                    _ => None,
                }
            }

            /// The loss of that name with the given arguments; none if there is no such loss. The
            /// arguments' own errors keep the place in the file that `arguments` knows.
            pub fn deserialize_named<'de, D: Deserializer<'de>>(
                name: &str,
                arguments: D,
            ) -> Option<Result<Self, D::Error>> {
                match name {
                    $($name => Some($config::deserialize(arguments).map(Self::$variant)),)*
                    _ => None,
                }
            }

            /// Checks the arguments.
            ///
            /// # Errors
            ///
            /// As the loss's own `validate`.
            pub fn validate(&self) -> Result<(), LossError> {
                match self { $(Self::$variant(config) => config.validate(),)* }
            }

            /// How the losses become one number.
            pub fn reduction(&self) -> Reduction {
                match self { $(Self::$variant(config) => config.reduction,)* }
            }
        }
    };
}

losses! {
    /// Mean absolute error.
    L1(L1LossConfig) = "l1", "torch.nn.L1Loss";
    /// Mean squared error.
    Mse(MseLossConfig) = "mse", "torch.nn.MSELoss";
    /// Smooth L1.
    SmoothL1(SmoothL1LossConfig) = "smooth_l1", "torch.nn.SmoothL1Loss";
    /// Huber.
    Huber(HuberLossConfig) = "huber", "torch.nn.HuberLoss";
    /// Binary cross-entropy of probabilities.
    Bce(BceLossConfig) = "bce", "torch.nn.BCELoss";
    /// Binary cross-entropy of logits.
    BceWithLogits(BceWithLogitsLossConfig) = "bce_with_logits", "torch.nn.BCEWithLogitsLoss";
    /// Cross-entropy of logits with class indices or probabilities.
    CrossEntropy(CrossEntropyLossConfig) = "cross_entropy", "torch.nn.CrossEntropyLoss";
    /// Negative log-likelihood of class indices.
    Nll(NllLossConfig) = "nll", "torch.nn.NLLLoss";
    /// Kullback-Leibler divergence.
    KlDiv(KlDivLossConfig) = "kl_div", "torch.nn.KLDivLoss";
    /// Poisson negative log-likelihood.
    PoissonNll(PoissonNllLossConfig) = "poisson_nll", "torch.nn.PoissonNLLLoss";
    /// Gaussian negative log-likelihood.
    GaussianNll(GaussianNllLossConfig) = "gaussian_nll", "torch.nn.GaussianNLLLoss";
    /// Hinge embedding.
    HingeEmbedding(HingeEmbeddingLossConfig) = "hinge_embedding", "torch.nn.HingeEmbeddingLoss";
    /// Cosine embedding.
    CosineEmbedding(CosineEmbeddingLossConfig) = "cosine_embedding", "torch.nn.CosineEmbeddingLoss";
    /// Margin ranking.
    MarginRanking(MarginRankingLossConfig) = "margin_ranking", "torch.nn.MarginRankingLoss";
    /// Multi-class margin.
    MultiMargin(MultiMarginLossConfig) = "multi_margin", "torch.nn.MultiMarginLoss";
    /// Multi-label margin.
    MultilabelMargin(MultilabelMarginLossConfig) = "multilabel_margin", "torch.nn.MultiLabelMarginLoss";
    /// Multi-label soft margin.
    MultilabelSoftMargin(MultilabelSoftMarginLossConfig) =
        "multilabel_soft_margin", "torch.nn.MultiLabelSoftMarginLoss";
    /// Soft margin.
    SoftMargin(SoftMarginLossConfig) = "soft_margin", "torch.nn.SoftMarginLoss";
    /// Triplet margin.
    TripletMargin(TripletMarginLossConfig) = "triplet_margin", "torch.nn.TripletMarginLoss";
    /// Connectionist temporal classification.
    Ctc(CtcLossConfig) = "ctc", "torch.nn.CTCLoss";
    /// Focal loss of class indices.
    Focal(FocalLossConfig) = "focal", "Lin et al. (2017)";
    /// Focal loss of independent binary targets.
    SigmoidFocal(SigmoidFocalLossConfig) = "sigmoid_focal", "torchvision.ops.sigmoid_focal_loss";
}

impl LossConfig {
    /// The losses that a classifier can be trained with.
    pub const CLASSIFIER_NAMES: &'static [&'static str] = &["cross_entropy", "nll", "multi_margin", "focal"];

    /// The loss for training a classifier, which gives logits `[N, K]` and is told class indices
    /// `[N]`.
    ///
    /// # Errors
    ///
    /// If the arguments are wrong, the loss takes something else than class indices, or `reduction`
    /// is `none`.
    pub fn classifier(&self) -> Result<ClassifierLoss, LossError> {
        let loss = match self {
            Self::CrossEntropy(config) => ClassifierLoss::CrossEntropy(config.init()?),
            Self::Nll(config) => ClassifierLoss::Nll(config.init()?),
            Self::MultiMargin(config) => ClassifierLoss::MultiMargin(config.init()?),
            Self::Focal(config) => ClassifierLoss::Focal(config.init()?),
            other => {
                return Err(LossError::NotForClassifier {
                    loss: other.name(),
                    expected: "targets of another kind",
                    usable: Self::CLASSIFIER_NAMES.join(", "),
                });
            }
        };
        if self.reduction() == Reduction::None {
            return Err(LossError::Unreduced { loss: self.name() });
        }
        Ok(loss)
    }
}

/// A loss that takes logits `[N, K]` and class indices `[N]`, from [`LossConfig::classifier`].
#[derive(Clone, Debug)]
pub enum ClassifierLoss {
    /// Cross-entropy of logits.
    CrossEntropy(CrossEntropyLoss),
    /// Negative log-likelihood: the model has to end in a log-softmax.
    Nll(NllLoss),
    /// Multi-class margin.
    MultiMargin(MultiMarginLoss),
    /// Focal loss of class indices.
    Focal(FocalLoss),
}

impl ClassifierLoss {
    /// The reduced loss, shape `[1]`. Reads the labels back to refuse classes that do not exist.
    ///
    /// # Errors
    ///
    /// As the loss's own `forward`.
    pub fn forward(&self, logits_nk: Tensor<2>, labels_n: Tensor<1, Int>) -> Result<Tensor<1>, LossError> {
        match self {
            Self::CrossEntropy(loss) => loss.forward(logits_nk, labels_n),
            Self::Nll(loss) => loss.forward(logits_nk, labels_n),
            Self::MultiMargin(loss) => loss.forward(logits_nk, labels_n),
            Self::Focal(loss) => loss.forward(logits_nk, labels_n),
        }
    }

    /// The reduced loss for labels that were checked when they were read: the one for training
    /// steps, which never waits for the device.
    ///
    /// # Errors
    ///
    /// As the loss's own `forward_trusted`.
    pub fn forward_trusted(
        &self,
        logits_nk: Tensor<2>,
        labels_n: Tensor<1, Int>,
    ) -> Result<Tensor<1>, LossError> {
        match self {
            Self::CrossEntropy(loss) => loss.forward_trusted(logits_nk, labels_n),
            Self::Nll(loss) => loss.forward_trusted(logits_nk, labels_n),
            Self::MultiMargin(loss) => loss.forward_trusted(logits_nk, labels_n),
            Self::Focal(loss) => loss.forward_trusted(logits_nk, labels_n),
        }
    }

    /// The loss of each sample, `[N]`, whatever `reduction` says. Reads the labels back.
    ///
    /// # Errors
    ///
    /// As the loss's own `forward_unreduced`.
    pub fn forward_unreduced(
        &self,
        logits_nk: Tensor<2>,
        labels_n: Tensor<1, Int>,
    ) -> Result<Tensor<1>, LossError> {
        match self {
            Self::CrossEntropy(loss) => loss.forward_unreduced(logits_nk, labels_n),
            Self::Nll(loss) => loss.forward_unreduced(logits_nk, labels_n),
            Self::MultiMargin(loss) => loss.forward_unreduced(logits_nk, labels_n),
            Self::Focal(loss) => loss.forward_unreduced(logits_nk, labels_n),
        }
    }
}
