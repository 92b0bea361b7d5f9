//! NAdam: Adam with Nesterov momentum.
//!
//! # Source
//! `torch.optim.NAdam`; Dozat, <https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ>.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::arguments::check_betas;
use super::formula::{bias_correction, decayed, directed, lerp, mean_square, minus_quotient, with_l2};
use super::group_config::{GroupConfig, Tunables};
use super::rule::{Layouts, Memory, Rule, StepContext};

/// Arguments of [nadam](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NAdamConfig {
    /// Learning rate.
    pub lr: f64,
    /// Decay rates of the running averages of the gradient and of its square.
    pub betas: [f64; 2],
    /// Term that keeps the denominator away from zero.
    pub eps: f64,
    /// Weight decay: an L2 penalty added to the gradient.
    pub weight_decay: f64,
    /// How fast the momentum warms up.
    pub momentum_decay: f64,
    /// Decay the parameter itself instead of adding to the gradient.
    pub decoupled_weight_decay: bool,
    /// Climb instead of descend.
    pub maximize: bool,
    /// Other arguments for some parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupConfig>,
    /// No weight decay on biases and on the parameters of normalisation layers.
    pub no_decay_on_bias_and_norm: bool,
    /// Each group of layers learns at this many times the rate of the one behind it, and the last at `lr`; above 0, at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr_decay_by_depth: Option<f64>,
}

impl Default for NAdamConfig {
    fn default() -> Self {
        Self {
            lr: 2e-3,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.0,
            momentum_decay: 4e-3,
            decoupled_weight_decay: false,
            maximize: false,
            groups: Vec::new(),
            no_decay_on_bias_and_norm: false,
            lr_decay_by_depth: None,
        }
    }
}

impl Component for NAdamConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::non_negative("lr", self.lr)?;
        check_betas(self.betas)?;
        check::non_negative("eps", self.eps)?;
        check::non_negative("weight_decay", self.weight_decay)?;
        check::non_negative("momentum_decay", self.momentum_decay)
    }
}

impl Rule for NAdamConfig {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn tunables(&mut self) -> Tunables<'_> {
        Tunables {
            lr: &mut self.lr,
            weight_decay: Some(&mut self.weight_decay),
            momentum: None,
            betas: Some(&mut self.betas),
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

    fn tensor_layouts(&self) -> Layouts {
        &[&["exp_avg", "exp_avg_sq"]]
    }

    fn scalar_names(&self) -> &'static [&'static str] {
        &["mu_product"]
    }

    fn update(
        &self,
        context: &StepContext<'_>,
        memory: &mut Memory,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
    ) -> Tensor<1> {
        let gradient = directed(gradient, self.maximize);
        let (parameter, gradient) = if self.decoupled_weight_decay {
            (decayed(parameter, context.lr, self.weight_decay), gradient)
        } else {
            let gradient = with_l2(gradient, &parameter, self.weight_decay);
            (parameter, gradient)
        };
        let [beta_1, beta_2] = [context.momentum_or(self.betas[0]), self.betas[1]];
        let step = memory.num_steps as f64;
        let mu = self.mu(beta_1, step);
        let mu_next = self.mu(beta_1, step + 1.0);
        let mu_product = next_product(memory, mu);

        let [average, square] = memory.take(|| gradient.zeros_like());
        let square = mean_square(square, &gradient, beta_2);
        let average = lerp(average, gradient.clone(), 1.0 - beta_1);
        memory.put([average.clone(), square.clone()]);

        let correction = bias_correction(beta_2, memory.num_steps);
        let denominator = square.div_scalar(correction).sqrt().add_scalar(self.eps);
        let gradient_scale = context.lr * (1.0 - mu) / (1.0 - mu_product);
        let average_scale = context.lr * mu_next / (1.0 - mu_product * mu_next);
        let parameter = minus_quotient(parameter, gradient, denominator.clone(), gradient_scale);
        minus_quotient(parameter, average, denominator, average_scale)
    }
}

impl NAdamConfig {
    /// The momentum of a step, which warms up towards `beta_1`.
    fn mu(&self, beta_1: f64, step: f64) -> f64 {
        beta_1 * (1.0 - 0.5 * 0.96_f64.powf(step * self.momentum_decay))
    }
}

/// The product of every step's `mu` so far; torch keeps it as an f32, so its digits are kept too.
fn next_product(memory: &mut Memory, mu: f64) -> f64 {
    let before = memory.scalars.first().copied().unwrap_or(1.0);
    let product = f64::from(before as f32 * mu as f32);
    memory.scalars = vec![product];
    product
}
