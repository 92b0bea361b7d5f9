//! Kullback-Leibler divergence: `torch.nn.KLDivLoss`. Ours: Burn's clamps targets to 1, reduces by
//! `batchmean` unless told otherwise, and has no `none`.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{LossError, Reduction, check};

const NAME: &str = "kl_div";

/// Arguments of [`KlDivLoss`], with torch's names and defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KlDivLossConfig {
    /// Whether the target holds log-probabilities too. Default false.
    pub log_target: bool,
    /// How the elements' losses become one number; here also `batchmean`, which is the divergence
    /// of a batch as mathematics has it. Default `mean`, torch's.
    pub reduction: Reduction,
}

impl KlDivLossConfig {
    /// Checks the arguments: there is nothing to refuse.
    ///
    /// # Errors
    ///
    /// None today.
    pub fn validate(&self) -> Result<(), LossError> {
        Ok(())
    }

    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate).
    pub fn init(&self) -> Result<KlDivLoss, LossError> {
        self.validate()?;
        Ok(KlDivLoss { config: self.clone() })
    }
}

/// `loss = target (log(target) - input)`, or `exp(target) (target - input)` with `log_target`. The
/// input holds log-probabilities. A target of 0 costs 0.
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again. `batchmean` divides
/// the sum by the size of the first dimension.
///
/// # Source
///
/// `torch.nn.KLDivLoss`; Kullback and Leibler, "On Information and Sufficiency" (1951), page 80.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::{KlDivLossConfig, Reduction};
///
/// let device = Device::flex();
/// let input = Tensor::<2>::from_floats([[-1.0, -1.0]], &device);
/// let target = Tensor::<2>::from_floats([[1.0, 0.0]], &device);
/// let config = KlDivLossConfig { reduction: Reduction::BatchMean, ..Default::default() };
/// assert_eq!(config.init()?.forward(input, target)?.into_scalar::<f32>(), 1.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct KlDivLoss {
    config: KlDivLossConfig,
}

impl KlDivLoss {
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
        if self.config.log_target {
            return Ok(target.clone().exp() * (target - input));
        }
        Ok(self_information(target.clone()) - target * input)
    }
}

/// `t log(t)`, 0 at `t = 0`.
fn self_information<const D: usize>(target: Tensor<D>) -> Tensor<D> {
    let zero = target.clone().inner().equal_scalar(0.0);
    (target.clone() * target.log()).mask_fill(zero, 0.0)
}
