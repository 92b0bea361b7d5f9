//! Margin ranking: `torch.nn.MarginRankingLoss`. Ours: Burn's refuses negative margins, which torch
//! takes, broadcasts silently and has no `none`.

use burn::tensor::Tensor;
use firebrick_component::check::that;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::check;
use crate::error::LossError;
use crate::loss::Loss;
use crate::numeric::positive_part;
use crate::reduction::Reduction;
use crate::session::ranks::{run, with_rank};
use crate::session::{Evaluation, InputSlot, Session};

const NAME: &str = "margin_ranking";

/// Arguments of [`MarginRankingLoss`], with torch's names and defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MarginRankingLossConfig {
    /// By how much the better one should win. Default 0.
    pub margin: f64,
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Component for MarginRankingLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        that(self.margin.is_finite(), "margin", self.margin, "a number")?;
        self.reduction.validate()
    }
}

impl Loss for MarginRankingLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.MarginRankingLoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::PAIR_AND_TARGET
    }

    fn evaluate(&self, mut session: Session<'_>) -> Result<Evaluation, LossError> {
        let loss = self.init()?;
        let shape = session.shape("input1");
        with_rank!(session, "input1", D => {
            let input1: Tensor<D> = session.float("input1", "input1")?;
            let input2: Tensor<D> = session.float("input2", "input1")?;
            let target: Tensor<D> = session.float("target", "input1")?;
            run!(session, loss, self.reduction, shape, input1, input2, target)
        })
    }
}

impl MarginRankingLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `margin` is not a number, or `reduction` is `batchmean`.
    pub fn init(&self) -> Result<MarginRankingLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(MarginRankingLoss { config: self.clone() })
    }
}

/// `loss = max(0, margin - target (input1 - input2))`; the target is 1 where `input1` should rank
/// higher, -1 where `input2` should.
///
/// # Shapes
///
/// `input1`, `input2` and `target` any shape, the same for all three; unreduced the same again.
///
/// # Source
///
/// `torch.nn.MarginRankingLoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::MarginRankingLossConfig;
///
/// let device = Device::flex();
/// let input1 = Tensor::<1>::from_floats([1.0, 3.0], &device);
/// let input2 = Tensor::<1>::from_floats([2.0, 0.0], &device);
/// let target = Tensor::<1>::from_floats([1.0, 1.0], &device);
/// let loss = MarginRankingLossConfig::default().init()?.forward(input1, input2, target)?;
/// // (1 + 0) / 2
/// assert_eq!(loss.into_scalar::<f32>(), 0.5);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MarginRankingLoss {
    config: MarginRankingLossConfig,
}

impl MarginRankingLoss {
    /// The reduced loss, shape `[1]`. Reads nothing back from the device.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, or `reduction` is `none`.
    pub fn forward<const D: usize>(
        &self,
        input1: Tensor<D>,
        input2: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<1>, LossError> {
        let losses = self.forward_unreduced(input1, input2, target)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The loss of each element, whatever `reduction` says.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ.
    pub fn forward_unreduced<const D: usize>(
        &self,
        input1: Tensor<D>,
        input2: Tensor<D>,
        target: Tensor<D>,
    ) -> Result<Tensor<D>, LossError> {
        check::same(NAME, ("input1", &input1), ("input2", &input2))?;
        check::same(NAME, ("input1", &input1), ("target", &target))?;
        let signed = target.neg() * (input1 - input2);
        Ok(positive_part(signed.add_scalar(self.config.margin)))
    }
}
