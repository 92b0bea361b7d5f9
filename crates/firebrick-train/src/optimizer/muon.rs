//! Muon: momentum whose matrix is made orthogonal before each step.
//!
//! Matrices are what Muon is for: a convolution's weight counts as the matrix
//! `[out, in * height * width]`, and what is not a matrix (biases, the scales of normalisation) is
//! given to AdamW, with arguments of its own in `adamw`.
//!
//! torch computes the Newton-Schulz iteration in bfloat16; here it stays in the parameters' own
//! type, as in Burn's `MuonConfig`, so the two agree only to bfloat16's two digits.
//!
//! # Source
//! `torch.optim.Muon`; Jordan et al., <https://kellerjordan.github.io/posts/muon/>.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::adamw::AdamWConfig;
use super::formula::{decayed, directed, lerp};
use super::group_config::{GroupConfig, Tunables};
use super::rule::{Layouts, Memory, Rule, StepContext};

/// torch refuses more iterations than this too.
const MAX_NS_STEPS: u64 = 99;

/// How the learning rate is fitted to a matrix of `A` rows (outputs) and `B` columns (inputs).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustLr {
    /// `lr * sqrt(max(1, A / B))`.
    #[default]
    Original,
    /// `lr * 0.2 * sqrt(max(A, B))`: lr and weight decay tuned for AdamW may be kept.
    MatchRmsAdamw,
    /// `lr * sqrt(A / B)`.
    SpectralUnclamped,
}

/// Arguments of [muon](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MuonConfig {
    /// Learning rate.
    pub lr: f64,
    /// Weight decay, decoupled: it shrinks the parameter and leaves the gradient alone.
    pub weight_decay: f64,
    /// Momentum factor.
    pub momentum: f64,
    /// Nesterov momentum.
    pub nesterov: bool,
    /// Coefficients of the Newton-Schulz polynomial.
    pub ns_coefficients: [f64; 3],
    /// Smallest norm that a matrix is divided by.
    pub eps: f64,
    /// Newton-Schulz iterations.
    pub ns_steps: u64,
    /// How the learning rate is fitted to a matrix.
    pub adjust_lr_fn: AdjustLr,
    /// Climb instead of descend.
    pub maximize: bool,
    /// Other arguments for some parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupConfig>,
    /// No weight decay on biases and on the parameters of normalisation layers.
    pub no_decay_on_bias_and_norm: bool,
    /// Each group of layers learns at this many times the rate of the one behind it, and the last at `lr` (that of `adamw` for
    /// what it moves); above 0, at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr_decay_by_depth: Option<f64>,
    /// The optimiser of everything that is not a matrix.
    pub adamw: AdamWConfig,
}

impl Default for MuonConfig {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            weight_decay: 0.1,
            momentum: 0.95,
            nesterov: true,
            ns_coefficients: [3.4445, -4.7750, 2.0315],
            eps: 1e-7,
            ns_steps: 5,
            adjust_lr_fn: AdjustLr::default(),
            maximize: false,
            groups: Vec::new(),
            no_decay_on_bias_and_norm: false,
            lr_decay_by_depth: None,
            adamw: AdamWConfig::default(),
        }
    }
}

impl Component for MuonConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::non_negative("lr", self.lr)?;
        check::non_negative("weight_decay", self.weight_decay)?;
        check::unit_interval("momentum", self.momentum)?;
        for (index, coefficient) in self.ns_coefficients.into_iter().enumerate() {
            check::finite(&format!("ns_coefficients[{index}]"), coefficient)?;
        }
        check::positive("eps", self.eps)?;
        let is_allowed = self.ns_steps <= MAX_NS_STEPS;
        check::that(is_allowed, "ns_steps", self.ns_steps, "a whole number from 0 to 99")?;
        let own = "those of muon itself, which hold for its adamw as well";
        check::that(
            self.adamw.groups.is_empty(),
            "adamw.groups",
            "a list",
            format!("no groups here, but {own}"),
        )?;
        let is_allowed = !self.adamw.no_decay_on_bias_and_norm;
        check::that(is_allowed, "adamw.no_decay_on_bias_and_norm", true, format!("nothing here, but {own}"))?;
        if let Some(decay) = self.adamw.lr_decay_by_depth {
            return Err(ArgumentError::new(
                "adamw.lr_decay_by_depth",
                format!("nothing here, but {own}"),
                decay,
            ));
        }
        self.adamw.validate().map_err(|error| error.within("adamw"))
    }
}

impl Rule for MuonConfig {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn tunables(&mut self) -> Tunables<'_> {
        Tunables {
            lr: &mut self.lr,
            weight_decay: Some(&mut self.weight_decay),
            momentum: Some(&mut self.momentum),
            betas: None,
            eps: Some(&mut self.eps),
        }
    }

    fn groups(&self) -> &[GroupConfig] {
        &self.groups
    }

    fn no_decay_on_bias_and_norm(&self) -> bool {
        self.no_decay_on_bias_and_norm
    }

    fn lr_decay_by_depth(&self) -> Option<f64> {
        self.lr_decay_by_depth
    }

    fn fallback(&self, shape: &[usize]) -> Option<Box<dyn Rule>> {
        (shape.len() < 2).then(|| -> Box<dyn Rule> { Box::new(self.adamw.clone()) })
    }

    fn tensor_layouts(&self) -> Layouts {
        &[&["momentum_buffer"]]
    }

    fn update(
        &self,
        context: &StepContext<'_>,
        memory: &mut Memory,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
    ) -> Tensor<1> {
        let gradient = directed(gradient, self.maximize);
        let momentum = context.momentum_or(self.momentum);
        let [buffer] = memory.take(|| gradient.zeros_like());
        let buffer = lerp(buffer, gradient.clone(), 1.0 - momentum);
        memory.put([buffer.clone()]);
        let direction = if self.nesterov { lerp(gradient, buffer, momentum) } else { buffer };

        let matrix = MatrixShape::of(context);
        let direction = self.orthogonal(direction.reshape([matrix.num_rows, matrix.num_columns]));
        let lr = context.lr * self.lr_factor(&matrix);
        decayed(parameter, context.lr, self.weight_decay).sub(direction.reshape([-1]).mul_scalar(lr))
    }
}

/// A parameter seen as a matrix, the way it is stored.
struct MatrixShape {
    num_rows: usize,
    num_columns: usize,
    /// Rows are inputs, not outputs.
    is_transposed: bool,
}

impl MatrixShape {
    fn of(context: &StepContext<'_>) -> Self {
        let [num_rows, columns @ ..] = context.shape else {
            unreachable!("bug: muon was given a parameter without dimensions");
        };
        let is_transposed = context.at.role.is_transposed();
        Self { num_rows: *num_rows, num_columns: columns.iter().product(), is_transposed }
    }
}

impl MuonConfig {
    fn lr_factor(&self, matrix: &MatrixShape) -> f64 {
        let [mut outputs, mut inputs] = [matrix.num_rows as f64, matrix.num_columns as f64];
        if matrix.is_transposed {
            std::mem::swap(&mut outputs, &mut inputs);
        }
        match self.adjust_lr_fn {
            AdjustLr::Original => (outputs / inputs).max(1.0).sqrt(),
            AdjustLr::MatchRmsAdamw => 0.2 * outputs.max(inputs).sqrt(),
            AdjustLr::SpectralUnclamped => (outputs / inputs).sqrt(),
        }
    }

    /// Brings every singular value near one, by a polynomial that is steep at zero.
    ///
    /// # Shapes
    /// `matrix` and the result: `[rows, columns]`.
    fn orthogonal(&self, matrix: Tensor<2>) -> Tensor<2> {
        let [num_rows, num_columns] = matrix.dims();
        let [a, b, c] = self.ns_coefficients;
        // The smaller Gram matrix is the cheaper one.
        let is_tall = num_rows > num_columns;
        let wide = if is_tall { matrix.transpose() } else { matrix };
        let norm = wide.clone().square().sum().sqrt().clamp_min(self.eps);
        let mut wide = wide.div(norm.reshape([1, 1]));
        for _ in 0..self.ns_steps {
            let gram = wide.clone().matmul(wide.clone().transpose());
            let quadratic = gram.clone().mul_scalar(b).add(gram.clone().matmul(gram).mul_scalar(c));
            wide = wide.clone().mul_scalar(a).add(quadratic.matmul(wide));
        }
        if is_tall { wide.transpose() } else { wide }
    }
}
