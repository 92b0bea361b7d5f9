//! RAdam: Adam that trusts its mean square only once it rests on enough steps.
//!
//! # Source
//! `torch.optim.RAdam`; Liu et al., <https://arxiv.org/abs/1908.03265>.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::arguments::check_betas;
use super::formula::{bias_correction, decayed, directed, lerp, mean_square, with_l2};
use super::group_config::{GroupConfig, Tunables};
use super::rule::{Layouts, Memory, Rule, StepContext};

/// Arguments of [radam](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RAdamConfig {
    /// Learning rate.
    pub lr: f64,
    /// Decay rates of the running averages of the gradient and of its square.
    pub betas: [f64; 2],
    /// Term that keeps the denominator away from zero.
    pub eps: f64,
    /// Weight decay: an L2 penalty added to the gradient.
    pub weight_decay: f64,
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

impl Default for RAdamConfig {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.0,
            decoupled_weight_decay: false,
            maximize: false,
            groups: Vec::new(),
            no_decay_on_bias_and_norm: false,
            lr_decay_by_depth: None,
        }
    }
}

impl Component for RAdamConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::non_negative("lr", self.lr)?;
        check_betas(self.betas)?;
        check::non_negative("eps", self.eps)?;
        check::non_negative("weight_decay", self.weight_decay)
    }
}

impl Rule for RAdamConfig {
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
        let [average, square] = memory.take(|| gradient.zeros_like());
        let square = mean_square(square, &gradient, beta_2);
        let average = lerp(average, gradient, 1.0 - beta_1);
        memory.put([average.clone(), square.clone()]);

        let correction = bias_correction(beta_1, memory.num_steps);
        let change = average.div_scalar(correction).mul_scalar(context.lr);
        let Some(rectification) = rectification(beta_2, memory.num_steps) else {
            return parameter.sub(change);
        };
        let scale = bias_correction(beta_2, memory.num_steps).sqrt();
        let adaptive = square.sqrt().add_scalar(self.eps).recip().mul_scalar(scale);
        parameter.sub(change.mul(adaptive).mul_scalar(rectification))
    }
}

/// The factor of equation 12; `None` while the mean square rests on too few steps.
fn rectification(beta_2: f64, num_steps: u64) -> Option<f64> {
    let step = num_steps as f64;
    let rho_inf = 2.0 / (1.0 - beta_2) - 1.0;
    let rho = rho_inf - 2.0 * step * beta_2.powf(step) / bias_correction(beta_2, num_steps);
    if rho <= 5.0 {
        return None;
    }
    let ratio = (rho - 4.0) * (rho - 2.0) * rho_inf / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho);
    Some(ratio.sqrt())
}
