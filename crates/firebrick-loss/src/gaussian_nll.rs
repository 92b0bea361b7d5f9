//! Gaussian negative log-likelihood: `torch.nn.GaussianNLLLoss`. Ours: Burn's cuts the gradient of
//! variances below `eps`, which torch lets through, takes no variance per row, and has no `none`.

use burn::tensor::Tensor;
use firebrick_component::check::that;
use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

use crate::check;
use crate::error::LossError;
use crate::loss::Loss;
use crate::reduction::Reduction;
use crate::session::ranks::{run, with_rank};
use crate::session::{Evaluation, InputKind, InputSlot, Session};

const NAME: &str = "gaussian_nll";

/// Arguments of [`GaussianNllLoss`], with torch's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GaussianNllLossConfig {
    /// Whether to add the constant `log(2 pi) / 2`. Default false.
    pub full: bool,
    /// Variances below this count as this. Default 1e-6.
    pub eps: f64,
    /// How the elements' losses become one number. Default `mean`.
    pub reduction: Reduction,
}

impl Default for GaussianNllLossConfig {
    fn default() -> Self {
        Self { full: false, eps: 1e-6, reduction: Reduction::Mean }
    }
}

impl Component for GaussianNllLossConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        that(self.eps.is_finite(), "eps", self.eps, "a number")?;
        self.reduction.validate()
    }
}

impl Loss for GaussianNllLossConfig {
    fn torch_name(&self) -> Option<&'static str> {
        Some("torch.nn.GaussianNLLLoss")
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn inputs(&self) -> &'static [InputSlot] {
        const {
            &[
                InputSlot::differentiable("input"),
                InputSlot::constant("target", InputKind::Float),
                InputSlot::differentiable("var"),
            ]
        }
    }

    fn evaluate(&self, mut session: Session<'_>) -> Result<Evaluation, LossError> {
        let loss = self.init()?;
        let shape = session.shape("input");
        let is_per_row = session.rank("var") + 1 == shape.len();
        with_rank!(session, "input", D => {
            let input: Tensor<D> = session.float("input", "input")?;
            let target: Tensor<D> = session.float("target", "input")?;
            let var: Tensor<D> = match is_per_row {
                true => session.float_with_last_dimension("var")?,
                false => session.float("var", "input")?,
            };
            run!(session, loss, self.reduction, shape, input, target, var)
        })
    }
}

impl GaussianNllLossConfig {
    /// The loss with these arguments.
    ///
    /// # Errors
    ///
    /// If `eps` is not a number, or `reduction` is `batchmean`.
    pub fn init(&self) -> Result<GaussianNllLoss, LossError> {
        self.validate().map_err(|source| LossError::Argument { loss: NAME, source })?;
        Ok(GaussianNllLoss { config: self.clone() })
    }
}

/// `loss = (log(v) + (input - target)^2 / v) / 2` with `v = max(var, eps)`; `full` adds
/// `log(2 pi) / 2`. The clamp of the variance is outside the gradient, as in torch.
///
/// # Shapes
///
/// `input` and `target` any shape, the same for both; unreduced the same again. `var` has that shape,
/// or that shape with exactly one dimension of 1 in place of the input's size, or that shape without
/// its last dimension (then `V = D - 1`).
///
/// # Source
///
/// `torch.nn.GaussianNLLLoss`; Nix and Weigend, "Estimating the mean and variance of the target
/// probability distribution" (1994), equation 6, page 56.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, Tensor};
/// use firebrick_loss::GaussianNllLossConfig;
///
/// let device = Device::flex();
/// let input = Tensor::<1>::from_floats([1.0, 3.0], &device);
/// let target = Tensor::<1>::from_floats([1.0, 1.0], &device);
/// let var = Tensor::<1>::from_floats([1.0, 1.0], &device);
/// let loss = GaussianNllLossConfig::default().init()?.forward(input, target, var)?;
/// // (0 + 2^2 / 2) / 2
/// assert_eq!(loss.into_scalar::<f32>(), 1.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct GaussianNllLoss {
    config: GaussianNllLossConfig,
}

impl GaussianNllLoss {
    /// The reduced loss, shape `[1]`. Reads `var` back to refuse negative variances, as torch does.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, a variance is negative, or `reduction` is `none`.
    pub fn forward<const D: usize, const V: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
        var: Tensor<V>,
    ) -> Result<Tensor<1>, LossError> {
        let losses = self.forward_unreduced(input, target, var)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The reduced loss for variances that cannot be negative (an exponential, a softplus): checks
    /// shapes, types and devices only and never waits for the device.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, or `reduction` is `none`.
    pub fn forward_trusted<const D: usize, const V: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
        var: Tensor<V>,
    ) -> Result<Tensor<1>, LossError> {
        let losses = self.losses(input, target, var)?;
        self.config.reduction.reduce(NAME, losses)
    }

    /// The loss of each element, whatever `reduction` says. Reads `var` back.
    ///
    /// # Errors
    ///
    /// If shapes, element types or devices differ, or a variance is negative.
    pub fn forward_unreduced<const D: usize, const V: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
        var: Tensor<V>,
    ) -> Result<Tensor<D>, LossError> {
        let losses = self.losses(input, target, var.clone())?;
        // A NaN variance is not negative: torch lets it through and so do we.
        let expected = "variances that are not negative";
        check::floats(NAME, "var", &var, expected, |value| value.is_nan() || value >= 0.0)?;
        Ok(losses)
    }

    fn losses<const D: usize, const V: usize>(
        &self,
        input: Tensor<D>,
        target: Tensor<D>,
        var: Tensor<V>,
    ) -> Result<Tensor<D>, LossError> {
        check::same(NAME, ("input", &input), ("target", &target))?;
        check::same_type(NAME, ("input", &input), ("var", &var))?;
        check::same_device(NAME, ("input", &input), ("var", &var))?;
        let var = at_least(fit_variance(&input, var)?, self.config.eps);
        let squared_error = (input - target).square();
        let losses = (var.clone().log() + squared_error / var).mul_scalar(0.5);
        if self.config.full {
            return Ok(losses.add_scalar(0.5 * (2.0 * PI).ln()));
        }
        Ok(losses)
    }
}

/// The variance in the input's rank, by torch's three rules.
fn fit_variance<const D: usize, const V: usize>(
    input: &Tensor<D>,
    var: Tensor<V>,
) -> Result<Tensor<D>, LossError> {
    let (dims, got) = (input.dims(), var.dims());
    let mut shape = [1; D];
    let fits = if V == D {
        shape.copy_from_slice(&got);
        let different = dims.iter().zip(&got).filter(|(d, v)| d != v);
        let sizes: Vec<usize> = different.map(|(_, &v)| v).collect();
        sizes.is_empty() || sizes == [1]
    } else if V + 1 == D {
        shape[..V].copy_from_slice(&got);
        dims[..V] == got[..]
    } else {
        false
    };
    if fits {
        return Ok(var.reshape(shape));
    }
    Err(check::shape(
        NAME,
        ("var", &got),
        format!("{dims:?}, that with one dimension of 1, or {:?}", &dims[..D - 1]),
        ("input", &dims),
    ))
}

/// `max(var, eps)` in value, but with the gradient of `var` itself: torch clamps without gradient.
fn at_least<const D: usize>(var: Tensor<D>, eps: f64) -> Tensor<D> {
    let constant = var.clone().inner();
    let small = constant.clone().lower_scalar(eps);
    let missing = constant.neg().add_scalar(eps).mask_fill(small.bool_not(), 0.0);
    var + missing
}
