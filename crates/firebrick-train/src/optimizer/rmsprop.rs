//! RMSprop, plain or centered, with or without momentum.
//!
//! # Source
//! `torch.optim.RMSprop`; Hinton's lecture 6e; Graves, <https://arxiv.org/abs/1308.0850>.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::formula::{directed, lerp, mean_square, minus_quotient, with_l2};
use super::group_config::{GroupConfig, Tunables};
use super::rule::{Layouts, Memory, Rule, StepContext};

/// Arguments of [rmsprop](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RmsPropConfig {
    /// Learning rate.
    pub lr: f64,
    /// Decay rate of the mean square.
    pub alpha: f64,
    /// Term that keeps the denominator away from zero.
    pub eps: f64,
    /// Weight decay: an L2 penalty added to the gradient.
    pub weight_decay: f64,
    /// Momentum factor.
    pub momentum: f64,
    /// Divide by the variance instead of the mean square.
    pub centered: bool,
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

impl Default for RmsPropConfig {
    fn default() -> Self {
        Self {
            lr: 1e-2,
            alpha: 0.99,
            eps: 1e-8,
            weight_decay: 0.0,
            momentum: 0.0,
            centered: false,
            maximize: false,
            groups: Vec::new(),
            no_decay_on_bias_and_norm: false,
            lr_decay_by_depth: None,
        }
    }
}

impl Component for RmsPropConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::non_negative("lr", self.lr)?;
        check::non_negative("alpha", self.alpha)?;
        check::non_negative("eps", self.eps)?;
        check::non_negative("weight_decay", self.weight_decay)?;
        check::non_negative("momentum", self.momentum)
    }
}

impl Rule for RmsPropConfig {
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

    fn tensor_layouts(&self) -> Layouts {
        // A schedule that cycles the momentum switches it on even where it is zero, as in torch.
        match (self.centered, self.momentum > 0.0) {
            (false, false) => &[&["square_avg"], &["square_avg", "momentum_buffer"]],
            (false, true) => &[&["square_avg", "momentum_buffer"]],
            (true, false) => &[&["square_avg", "grad_avg"], &["square_avg", "grad_avg", "momentum_buffer"]],
            (true, true) => &[&["square_avg", "grad_avg", "momentum_buffer"]],
        }
    }

    fn update(
        &self,
        context: &StepContext<'_>,
        memory: &mut Memory,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
    ) -> Tensor<1> {
        let gradient = with_l2(directed(gradient, self.maximize), &parameter, self.weight_decay);
        let mut stored = std::mem::take(&mut memory.tensors).into_iter();
        let zeros = gradient.zeros_like();
        let mut next = || stored.next().unwrap_or_else(|| zeros.clone());

        let square = mean_square(next(), &gradient, self.alpha);
        memory.tensors.push(square.clone());
        let variance = if self.centered {
            let average = lerp(next(), gradient.clone(), 1.0 - self.alpha);
            memory.tensors.push(average.clone());
            square.sub(average.clone().mul(average))
        } else {
            square
        };
        let denominator = variance.sqrt().add_scalar(self.eps);
        let momentum = context.momentum_or(self.momentum);
        if momentum == 0.0 {
            memory.tensors.extend(stored);
            return minus_quotient(parameter, gradient, denominator, context.lr);
        }
        let buffer = next().mul_scalar(momentum).add(gradient.div(denominator));
        memory.tensors.push(buffer.clone());
        parameter.sub(buffer.mul_scalar(context.lr))
    }
}
