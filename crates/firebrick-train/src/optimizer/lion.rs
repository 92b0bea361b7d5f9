//! Lion: steps of one size, in the direction of the sign of the momentum.
//!
//! torch has no Lion; names, defaults and order of operations are the paper's, which Burn's
//! `LionConfig` shares.
//!
//! # Source
//! Chen et al., <https://arxiv.org/abs/2302.06675>, algorithm 2.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::arguments::check_betas;
use super::formula::{decayed, directed};
use super::group_config::{GroupConfig, Tunables};
use super::rule::{Layouts, Memory, Rule, StepContext};

/// Arguments of [lion](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LionConfig {
    /// Learning rate.
    pub lr: f64,
    /// Share of the momentum in each step, and decay rate of the momentum.
    pub betas: [f64; 2],
    /// Weight decay, decoupled: it shrinks the parameter and leaves the gradient alone.
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

impl Default for LionConfig {
    fn default() -> Self {
        Self {
            lr: 1e-4,
            betas: [0.9, 0.99],
            weight_decay: 0.0,
            maximize: false,
            groups: Vec::new(),
            no_decay_on_bias_and_norm: false,
            lr_decay_by_depth: None,
        }
    }
}

impl Component for LionConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::non_negative("lr", self.lr)?;
        check_betas(self.betas)?;
        check::non_negative("weight_decay", self.weight_decay)
    }
}

impl Rule for LionConfig {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn tunables(&mut self) -> Tunables<'_> {
        Tunables {
            lr: &mut self.lr,
            weight_decay: Some(&mut self.weight_decay),
            momentum: None,
            betas: Some(&mut self.betas),
            eps: None,
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
        &[&["exp_avg"]]
    }

    fn update(
        &self,
        context: &StepContext<'_>,
        memory: &mut Memory,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
    ) -> Tensor<1> {
        let gradient = directed(gradient, self.maximize);
        let [beta_1, beta_2] = [context.momentum_or(self.betas[0]), self.betas[1]];
        let [average] = memory.take(|| gradient.zeros_like());
        let direction =
            average.clone().mul_scalar(beta_1).add(gradient.clone().mul_scalar(1.0 - beta_1)).sign();
        memory.put([average.mul_scalar(beta_2).add(gradient.mul_scalar(1.0 - beta_2))]);
        decayed(parameter, context.lr, self.weight_decay).sub(direction.mul_scalar(context.lr))
    }
}
