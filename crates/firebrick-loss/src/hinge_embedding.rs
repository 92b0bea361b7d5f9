//! Hinge embedding: `torch.nn.HingeEmbeddingLoss`. Ours: Burn's has a gradient at the hinge itself,
//! treats every target but 1 as -1, and has no `none`.

use std::sync::Arc;

use burn::tensor::Tensor;
use firebrick_component::check::that;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::classification::ClassificationLoss;
use crate::elementwise::Elementwise;
use crate::error::LossError;
use crate::loss::Loss;
use crate::numeric::positive_part;
use crate::reduction::Reduction;
use crate::session::{Evaluation, InputSlot, Session};
use crate::targets::Targets;
use crate::{check, elementwise};

const NAME: &str = "hinge_embedding";

/// Arguments of [`HingeEmbeddingLoss`], with torch's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HingeEmbeddingLossConfig {
    /// How far apart a dissimilar pair should be. Default 1.
    pub margin: f64,
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Default for HingeEmbeddingLossConfig {
    fn default() -> Self {
        Self { margin: 1.0, reduction: Reduction::Mean }
    }
}

impl Component for HingeEmbeddingLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        that(self.margin.is_finite(), "margin", self.margin, "a number")?;
        self.reduction.validate()
    }
}

impl Loss for HingeEmbeddingLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.HingeEmbeddingLoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn classification(
        &self,
        _num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        Ok(Some(elementwise::of_classes(HingeEmbeddingLoss { config: self.clone() })))
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::FLOAT_TARGET
    }

    fn evaluate(&self, session: Session<'_>) -> Result<Evaluation, LossError> {
        elementwise::evaluate(&self.init()?, session)
    }
}

impl HingeEmbeddingLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `margin` is not a number, or `reduction` is `batchmean`.
    pub fn init(&self) -> Result<HingeEmbeddingLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(HingeEmbeddingLoss { config: self.clone() })
    }
}

/// `loss = input` where `target = 1`, `max(0, margin - input)` where `target = -1`; where the target
/// is neither, the sum of both (as torch does).
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again.
///
/// # Training a classifier
///
/// The network gives a distance to each class, 0 for "it is this one"; nothing keeps it from falling below 0, so
/// it should end in something that cannot. Targets are 1 for the class of an image and -1 for the others;
/// probabilities are refused, because the loss has no meaning between.
///
/// # Source
///
/// `torch.nn.HingeEmbeddingLoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::HingeEmbeddingLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<1>::from_floats([0.5, 0.25], &device);
/// let target = Tensor::<1>::from_floats([1.0, -1.0], &device);
/// let loss = HingeEmbeddingLossConfig::default().init()?.forward(input, target)?;
/// // (0.5 + (1 - 0.25)) / 2
/// assert_eq!(loss.into_scalar::<f32>(), 0.625);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HingeEmbeddingLoss {
    config: HingeEmbeddingLossConfig,
}

impl HingeEmbeddingLoss {
    /// The reduced loss, shape `[1]`. Reads nothing back from the device.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, or `reduction` is `none`.
    pub fn forward<const D: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<1>, LossError> {
        let losses = self.forward_unreduced(input, target)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The loss of each element, whatever `reduction` says.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ.
    pub fn forward_unreduced<const D: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<D>, LossError> {
        check::same(NAME, ("input", &input), ("target", &target))?;
        let similar = target.clone().equal_scalar(1.0);
        let dissimilar = target.equal_scalar(-1.0);
        let hinge = positive_part(input.clone().neg().add_scalar(self.config.margin));
        Ok(hinge.mask_fill(similar, 0.0) + input.mask_fill(dissimilar, 0.0))
    }
}

impl Elementwise for HingeEmbeddingLoss {
    const NAME: &'static str = NAME;

    fn reduction(&self) -> Reduction {
        self.config.reduction
    }

    fn losses<const D: usize>(&self, input: Tensor<D>, target: Tensor<D>) -> Result<Tensor<D>, LossError> {
        self.forward_unreduced(input, target)
    }

    fn class_targets(&self, targets: Targets, outputs_nk: &Tensor<2>) -> Result<Tensor<2>, LossError> {
        let labels_n = targets.into_classes(NAME)?;
        Targets::Classes(labels_n).into_signs(NAME, outputs_nk)
    }
}
