//! AdamW: Adam with decoupled weight decay.
//!
//! # Source
//! `torch.optim.AdamW`; Loshchilov and Hutter, <https://arxiv.org/abs/1711.05101>.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::adam::{Adaptive, tensor_layouts};
use super::arguments::check_betas;
use super::formula::{decayed, directed};
use super::group_config::{GroupConfig, Tunables};
use super::rule::{Layouts, Memory, Rule, StepContext};

/// Arguments of [adamw](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamWConfig {
    /// Learning rate.
    pub lr: f64,
    /// Decay rates of the running averages of the gradient and of its square.
    pub betas: [f64; 2],
    /// Term that keeps the denominator away from zero.
    pub eps: f64,
    /// Weight decay, decoupled: it shrinks the parameter and leaves the gradient alone.
    pub weight_decay: f64,
    /// Divide by the largest mean square seen so far.
    pub amsgrad: bool,
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

impl Default for AdamWConfig {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 1e-2,
            amsgrad: false,
            maximize: false,
            groups: Vec::new(),
            no_decay_on_bias_and_norm: false,
            lr_decay_by_depth: None,
        }
    }
}

impl Component for AdamWConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::non_negative("lr", self.lr)?;
        check_betas(self.betas)?;
        check::non_negative("eps", self.eps)?;
        check::non_negative("weight_decay", self.weight_decay)
    }
}

impl Rule for AdamWConfig {
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
        tensor_layouts(self.amsgrad)
    }

    fn update(
        &self,
        context: &StepContext<'_>,
        memory: &mut Memory,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
    ) -> Tensor<1> {
        let gradient = directed(gradient, self.maximize);
        let parameter = decayed(parameter, context.lr, self.weight_decay);
        let [beta_1, beta_2] = [context.momentum_or(self.betas[0]), self.betas[1]];
        let step = Adaptive { lr: context.lr, beta_1, beta_2, eps: self.eps };
        if self.amsgrad {
            step.amsgrad(memory, parameter, gradient)
        } else {
            step.plain(memory, parameter, gradient)
        }
    }
}
