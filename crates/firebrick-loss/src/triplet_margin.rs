//! Triplet margin: `torch.nn.TripletMarginLoss`, and with a distance of one's own
//! `torch.nn.TripletMarginWithDistanceLoss`. Ours: Burn's has no `eps` and no `swap`, and its gradient
//! is NaN at a distance of 0.

use burn::tensor::Tensor;
use firebrick_component::check::that;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use crate::check;
use crate::error::LossError;
use crate::loss::Loss;
use crate::numeric::{self, positive_part};
use crate::reduction::Reduction;
use crate::session::ranks::run;
use crate::session::{Evaluation, InputSlot, Session};

const NAME: &str = "triplet_margin";

/// Arguments of [`TripletMarginLoss`], with torch's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TripletMarginLossConfig {
    /// By how much farther the negative should be, above 0. Default 1.
    pub margin: f64,
    /// The order of the norm that measures distances, 0 or above, also infinite. Default 2.
    pub p: f64,
    /// Added to each coordinate of a difference before the norm. Default 1e-6.
    pub eps: f64,
    /// Whether the negative's distance is the smaller of those to anchor and positive. Default false.
    pub swap: bool,
    /// How the triplets' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Default for TripletMarginLossConfig {
    fn default() -> Self {
        Self { margin: 1.0, p: 2.0, eps: 1e-6, swap: false, reduction: Reduction::Mean }
    }
}

impl Component for TripletMarginLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        that(self.margin > 0.0 && self.margin.is_finite(), "margin", self.margin, "a number above 0")?;
        that(self.p >= 0.0, "p", self.p, "0 or above")?;
        that(self.eps.is_finite(), "eps", self.eps, "a number")?;
        self.reduction.validate()
    }
}

impl Loss for TripletMarginLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.TripletMarginLoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn inputs(&self) -> &'static [InputSlot] {
        const {
            &[
                InputSlot::differentiable("anchor"),
                InputSlot::differentiable("positive"),
                InputSlot::differentiable("negative"),
            ]
        }
    }

    fn evaluate(&self, mut session: Session<'_>) -> Result<Evaluation, LossError> {
        let mut shape = session.shape("anchor");
        shape.pop();
        let anchor = session.rows("anchor", "anchor")?;
        let positive = session.rows("positive", "anchor")?;
        let negative = session.rows("negative", "anchor")?;
        run!(session, self.init()?, self.reduction, shape, anchor, positive, negative)
    }
}

impl TripletMarginLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `margin` is not a number above 0, `p` is below 0 or not a number, `eps` is not a number, or
    /// `reduction` is `batchmean`.
    pub fn init(&self) -> Result<TripletMarginLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(TripletMarginLoss { config: self.clone() })
    }
}

/// `loss = max(0, margin + d(anchor, positive) - d(anchor, negative))` with the distance
/// `d(x, y) = |x - y + eps|_p` along the last dimension.
///
/// # Shapes
///
/// `anchor`, `positive` and `negative` `[N, E]`, the same for all three; unreduced `[N]`. One triplet
/// is `[1, E]`.
///
/// # Source
///
/// `torch.nn.TripletMarginLoss`; Balntas et al., "Learning local feature descriptors with triplets and
/// shallow convolutional neural networks" (2016), section 2, pages 3 and 4 (there also the swap).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::TripletMarginLossConfig;
///
/// let device = Device::flex();
/// let anchor = Tensor::<2>::from_floats([[0.0, 0.0]], &device);
/// let positive = Tensor::<2>::from_floats([[3.0, 4.0]], &device);
/// let negative = Tensor::<2>::from_floats([[0.0, 2.0]], &device);
/// let config = TripletMarginLossConfig { eps: 0.0, ..Default::default() };
/// // 1 + 5 - 2
/// assert_eq!(config.init()?.forward(anchor, positive, negative)?.into_scalar::<f32>(), 4.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TripletMarginLoss {
    config: TripletMarginLossConfig,
}

impl TripletMarginLoss {
    /// The reduced loss, shape `[1]`. Reads nothing back from the device.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, or `reduction` is `none`.
    pub fn forward(
        &self,
        anchor: Tensor<2>,
        positive: Tensor<2>,
        negative: Tensor<2>,
    ) -> Result<Tensor<1>, LossError> {
        let losses = self.forward_unreduced(anchor, positive, negative)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The loss of each triplet, whatever `reduction` says.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ.
    pub fn forward_unreduced(
        &self,
        anchor: Tensor<2>,
        positive: Tensor<2>,
        negative: Tensor<2>,
    ) -> Result<Tensor<1>, LossError> {
        let TripletMarginLossConfig { p, eps, .. } = self.config;
        self.forward_unreduced_with_distance(anchor, positive, negative, |first, second| {
            pairwise_distance(first, second, p, eps)
        })
    }

    /// The reduced loss with a distance of one's own, which replaces `p` and `eps`; shape `[1]`.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, `distance` gives anything but one number a row, or
    /// `reduction` is `none`.
    ///
    /// # Source
    ///
    /// `torch.nn.TripletMarginWithDistanceLoss`.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use burn::tensor::{Device, Tensor};
    /// use firebrick_loss::TripletMarginLossConfig;
    ///
    /// let device = Device::flex();
    /// let anchor = Tensor::<2>::from_floats([[0.0, 0.0]], &device);
    /// let positive = Tensor::<2>::from_floats([[3.0, 4.0]], &device);
    /// let negative = Tensor::<2>::from_floats([[0.0, 2.0]], &device);
    /// let largest = |x: Tensor<2>, y: Tensor<2>| (x - y).abs().max_dim(1).squeeze_dim::<1>(1);
    /// let loss = TripletMarginLossConfig::default().init()?;
    /// let loss = loss.forward_with_distance(anchor, positive, negative, largest)?;
    /// // 1 + 4 - 2
    /// assert_eq!(loss.into_scalar::<f32>(), 3.0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn forward_with_distance(
        &self,
        anchor: Tensor<2>,
        positive: Tensor<2>,
        negative: Tensor<2>,
        distance: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<1>,
    ) -> Result<Tensor<1>, LossError> {
        let losses = self.forward_unreduced_with_distance(anchor, positive, negative, distance)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The loss of each triplet with a distance of one's own, whatever `reduction` says.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, or `distance` gives anything but one number a row.
    pub fn forward_unreduced_with_distance(
        &self,
        anchor: Tensor<2>,
        positive: Tensor<2>,
        negative: Tensor<2>,
        distance: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<1>,
    ) -> Result<Tensor<1>, LossError> {
        check::same(NAME, ("anchor", &anchor), ("positive", &positive))?;
        check::same(NAME, ("anchor", &anchor), ("negative", &negative))?;
        let shape = anchor.dims();
        let checked = |first: &Tensor<2>, second: &Tensor<2>| {
            let distances = distance(first.clone(), second.clone());
            check_distances(&distances, shape)?;
            Ok::<_, LossError>(distances)
        };
        let to_positive = checked(&anchor, &positive)?;
        let mut to_negative = checked(&anchor, &negative)?;
        if self.config.swap {
            to_negative = smaller(to_negative, checked(&positive, &negative)?);
        }
        let excess = (to_positive - to_negative).add_scalar(self.config.margin);
        Ok(positive_part(excess))
    }
}

fn check_distances(distances: &Tensor<1>, rows: [usize; 2]) -> Result<(), LossError> {
    if distances.dims() == rows[..1] {
        return Ok(());
    }
    Err(check::shape(NAME, ("distance", &distances.dims()), format!("{:?}", &rows[..1]), ("anchor", &rows)))
}

/// The smaller of two, which share the gradient where they are equal, as `torch.minimum` has it.
fn smaller(first: Tensor<1>, second: Tensor<1>) -> Tensor<1> {
    let (a, b) = (first.clone().inner(), second.clone().inner());
    let first_is_smaller = a.clone().lower(b.clone());
    let equal = a.equal(b);
    let half = (first.clone() + second.clone()).mul_scalar(0.5);
    second.mask_where(first_is_smaller, first).mask_where(equal, half)
}

/// `|x - y + eps|_p` of each row: `torch.nn.functional.pairwise_distance`.
fn pairwise_distance(first: Tensor<2>, second: Tensor<2>, p: f64, eps: f64) -> Tensor<1> {
    let [rows, _] = first.dims();
    let difference = (first - second).add_scalar(eps);
    norm(difference, p).reshape([rows])
}

/// The p-norm of each row, `[N, 1]`, with a gradient of 0 where it is 0.
fn norm(rows: Tensor<2>, p: f64) -> Tensor<2> {
    if p == 1.0 {
        return rows.abs().sum_dim(1);
    }
    if p == 2.0 {
        return root(rows.square().sum_dim(1));
    }
    if p == 0.0 {
        let zero = rows.clone().inner().equal_scalar(0.0);
        return rows.inner().ones_like().mask_fill(zero, 0.0).sum_dim(1);
    }
    let magnitudes = rows.abs();
    if p.is_infinite() {
        return largest(magnitudes);
    }
    numeric::power(numeric::power(magnitudes, p).sum_dim(1), 1.0 / p)
}

/// The square root, with a gradient of 0 at 0.
fn root(squares: Tensor<2>) -> Tensor<2> {
    let zero = squares.clone().inner().equal_scalar(0.0);
    squares.mask_fill(zero.clone(), 1.0).sqrt().mask_fill(zero, 0.0)
}

/// The largest of each row, `[N, 1]`; equal ones share the gradient.
fn largest(rows: Tensor<2>) -> Tensor<2> {
    let shape = rows.dims();
    let constant = rows.clone().inner();
    let largest = constant.clone().max_dim(1).expand(shape);
    let not_largest = constant.clone().not_equal(largest);
    let ones = constant.ones_like().mask_fill(not_largest.clone(), 0.0);
    rows.mask_fill(not_largest, 0.0).sum_dim(1) / ones.sum_dim(1)
}
