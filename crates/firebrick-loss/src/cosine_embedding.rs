//! Cosine embedding: `torch.nn.CosineEmbeddingLoss`. Ours: Burn's divides by another epsilon, keeps
//! `margin` in f32 and takes integer targets only.

use burn::tensor::Tensor;
use firebrick_component::check::that;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::check;
use crate::error::LossError;
use crate::loss::Loss;
use crate::numeric::positive_part;
use crate::reduction::Reduction;
use crate::session::ranks::run;
use crate::session::{Evaluation, InputSlot, Session};

const NAME: &str = "cosine_embedding";

/// torch adds this to each squared length, so that a zero vector has a cosine of 0.
const EPSILON: f64 = 1e-12;

/// Arguments of [`CosineEmbeddingLoss`], with torch's names and defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CosineEmbeddingLossConfig {
    /// The cosine up to which a dissimilar pair costs nothing. Default 0; torch suggests 0 to 0.5.
    pub margin: f64,
    /// How the samples' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Component for CosineEmbeddingLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        that(self.margin.is_finite(), "margin", self.margin, "a number")?;
        self.reduction.validate()
    }
}

impl Loss for CosineEmbeddingLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.CosineEmbeddingLoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::PAIR_AND_TARGET
    }

    fn evaluate(&self, mut session: Session<'_>) -> Result<Evaluation, LossError> {
        let mut shape = session.shape("input1");
        shape.pop();
        let input1 = session.rows("input1", "input1")?;
        let input2 = session.rows("input2", "input1")?;
        let target = session.float_of_rows("target", "input1", &input1.dims())?;
        run!(session, self.init()?, self.reduction, shape, input1, input2, target)
    }
}

impl CosineEmbeddingLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `margin` is not a number, or `reduction` is `batchmean`.
    pub fn init(&self) -> Result<CosineEmbeddingLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(CosineEmbeddingLoss { config: self.clone() })
    }
}

/// `loss = 1 - cos` where `target = 1`, `max(0, cos - margin)` where `target = -1`, 0 elsewhere; `cos`
/// is the cosine of the angle between the rows of `input1` and `input2`.
///
/// # Shapes
///
/// `input1` and `input2` `[N, E]`, `target` `[N]`; unreduced `[N]`. One pair is `[1, E]`.
///
/// # Source
///
/// `torch.nn.CosineEmbeddingLoss`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::CosineEmbeddingLossConfig;
///
/// let device = Device::flex();
/// let input1 = Tensor::<2>::from_floats([[1.0, 0.0], [1.0, 0.0]], &device);
/// let input2 = Tensor::<2>::from_floats([[0.0, 1.0], [2.0, 0.0]], &device);
/// let target = Tensor::<1>::from_floats([1.0, -1.0], &device);
/// let loss = CosineEmbeddingLossConfig::default().init()?.forward(input1, input2, target)?;
/// assert_eq!(loss.into_scalar::<f32>(), 1.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CosineEmbeddingLoss {
    config: CosineEmbeddingLossConfig,
}

impl CosineEmbeddingLoss {
    /// The reduced loss, shape `[1]`. Reads nothing back from the device.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, or `reduction` is `none`.
    pub fn forward(
        &self,
        input1: Tensor<2>,
        input2: Tensor<2>,
        target: Tensor<1>,
    ) -> Result<Tensor<1>, LossError> {
        let losses = self.forward_unreduced(input1, input2, target)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The loss of each pair, whatever `reduction` says.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ.
    pub fn forward_unreduced(
        &self,
        input1: Tensor<2>,
        input2: Tensor<2>,
        target: Tensor<1>,
    ) -> Result<Tensor<1>, LossError> {
        check::same(NAME, ("input1", &input1), ("input2", &input2))?;
        check::same_type(NAME, ("input1", &input1), ("target", &target))?;
        check::same_device(NAME, ("input1", &input1), ("target", &target))?;
        let [pairs, _] = input1.dims();
        if target.dims() != [pairs] {
            return Err(check::shape(
                NAME,
                ("target", &target.dims()),
                format!("{:?}", [pairs]),
                ("input1", &input1.dims()),
            ));
        }
        let cosine = cosine(input1, input2);
        let not_similar = target.clone().not_equal_scalar(1.0);
        let not_dissimilar = target.not_equal_scalar(-1.0);
        let similar = cosine.clone().neg().add_scalar(1.0);
        let dissimilar = positive_part(cosine.sub_scalar(self.config.margin));
        Ok(similar.mask_fill(not_similar, 0.0) + dissimilar.mask_fill(not_dissimilar, 0.0))
    }
}

/// The cosine of the angle between each row of one tensor and the same row of the other.
fn cosine(first: Tensor<2>, second: Tensor<2>) -> Tensor<1> {
    let [rows, _] = first.dims();
    let product = (first.clone() * second.clone()).sum_dim(1);
    let first_squared = first.square().sum_dim(1).add_scalar(EPSILON);
    let second_squared = second.square().sum_dim(1).add_scalar(EPSILON);
    (product / (first_squared * second_squared).sqrt()).reshape([rows])
}
