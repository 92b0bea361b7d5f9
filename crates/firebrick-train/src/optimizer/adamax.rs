//! Adamax: Adam with the largest gradient in place of the mean square.
//!
//! # Source
//! `torch.optim.Adamax`; Kingma and Ba, <https://arxiv.org/abs/1412.6980>, section 7.1.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::arguments::check_betas;
use super::formula::{bias_correction, directed, lerp, minus_quotient, with_l2};
use super::group_config::{GroupConfig, Tunables};
use super::rule::{Layouts, Memory, Rule, StepContext};

/// Arguments of [adamax](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamaxConfig {
    /// Learning rate.
    pub lr: f64,
    /// Decay rates of the running averages of the gradient and of its square.
    pub betas: [f64; 2],
    /// Term that keeps the denominator away from zero.
    pub eps: f64,
    /// Weight decay: an L2 penalty added to the gradient.
    pub weight_decay: f64,
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

impl Default for AdamaxConfig {
    fn default() -> Self {
        Self {
            lr: 2e-3,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.0,
            maximize: false,
            groups: Vec::new(),
            no_decay_on_bias_and_norm: false,
            lr_decay_by_depth: None,
        }
    }
}

impl Component for AdamaxConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::non_negative("lr", self.lr)?;
        check_betas(self.betas)?;
        check::non_negative("eps", self.eps)?;
        check::non_negative("weight_decay", self.weight_decay)
    }
}

impl Rule for AdamaxConfig {
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
        &[&["exp_avg", "exp_inf"]]
    }

    fn update(
        &self,
        context: &StepContext<'_>,
        memory: &mut Memory,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
    ) -> Tensor<1> {
        let gradient = with_l2(directed(gradient, self.maximize), &parameter, self.weight_decay);
        let [beta_1, beta_2] = [context.momentum_or(self.betas[0]), self.betas[1]];
        let [average, largest] = memory.take(|| gradient.zeros_like());
        let magnitude = gradient.clone().abs().add_scalar(self.eps);
        let largest = largest.mul_scalar(beta_2).max_pair(magnitude);
        let average = lerp(average, gradient, 1.0 - beta_1);
        memory.put([average.clone(), largest.clone()]);
        let step_size = context.lr / bias_correction(beta_1, memory.num_steps);
        minus_quotient(parameter, average, largest, step_size)
    }
}
