//! Stochastic gradient descent with momentum.
//!
//! # Source
//! `torch.optim.SGD`; its momentum begins as the first gradient, undampened.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component, NoEffect, check};
use firebrick_kernels::{scaled_sum, two_scaled_sums};
use serde::{Deserialize, Serialize};

use super::formula::{directed, with_l2};
use super::group_config::{GroupConfig, Tunables};
use super::rule::{Layouts, Memory, Rule, StepContext};

/// Arguments of [sgd](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SgdConfig {
    /// Learning rate.
    pub lr: f64,
    /// Momentum factor.
    pub momentum: f64,
    /// How much of each gradient is kept out of the momentum.
    pub dampening: f64,
    /// Weight decay: an L2 penalty added to the gradient.
    pub weight_decay: f64,
    /// Nesterov momentum; needs `momentum > 0` and `dampening = 0`.
    pub nesterov: bool,
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

impl Default for SgdConfig {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            momentum: 0.0,
            dampening: 0.0,
            weight_decay: 0.0,
            nesterov: false,
            maximize: false,
            groups: Vec::new(),
            no_decay_on_bias_and_norm: false,
            lr_decay_by_depth: None,
        }
    }
}

impl Component for SgdConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::non_negative("lr", self.lr)?;
        check::non_negative("momentum", self.momentum)?;
        check::finite("dampening", self.dampening)?;
        check::non_negative("weight_decay", self.weight_decay)?;
        let may_be_nesterov = self.momentum > 0.0 && self.dampening == 0.0;
        check::that(
            !self.nesterov || may_be_nesterov,
            "nesterov",
            self.nesterov,
            "false, or momentum > 0 with dampening = 0",
        )
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        let has_momentum = self.momentum > 0.0 || self.groups.iter().any(|group| group.momentum.is_some());
        let has_effect = self.dampening == 0.0 || has_momentum;
        NoEffect::unless(has_effect, "dampening", "there is no momentum to dampen (momentum = 0)")
    }
}

impl Rule for SgdConfig {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn tunables(&mut self) -> Tunables<'_> {
        Tunables {
            lr: &mut self.lr,
            weight_decay: Some(&mut self.weight_decay),
            momentum: Some(&mut self.momentum),
            betas: None,
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
        // A schedule that cycles the momentum switches it on even where it is zero, as in torch.
        if self.momentum == 0.0 { &[&[], &["momentum_buffer"]] } else { &[&["momentum_buffer"]] }
    }

    fn update(
        &self,
        context: &StepContext<'_>,
        memory: &mut Memory,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
    ) -> Tensor<1> {
        let gradient = directed(gradient, self.maximize);
        let gradient = with_l2(gradient, &parameter, self.weight_decay);
        let momentum = context.momentum_or(self.momentum);
        if momentum == 0.0 {
            return scaled_sum(parameter, 1.0, gradient, -context.lr);
        }
        let share = 1.0 - self.dampening;
        let (buffer, updated) = match memory.tensors.pop() {
            Some(buffer) if !self.nesterov => {
                two_scaled_sums(parameter, buffer, gradient, [1.0, momentum, share, -context.lr])
            }
            buffer => {
                let buffer = match buffer {
                    None => gradient.clone(),
                    Some(buffer) => scaled_sum(buffer, momentum, gradient.clone(), share),
                };
                let direction = if self.nesterov {
                    scaled_sum(gradient, 1.0, buffer.clone(), momentum)
                } else {
                    buffer.clone()
                };
                (buffer, scaled_sum(parameter, 1.0, direction, -context.lr))
            }
        };
        memory.put([buffer]);
        updated
    }
}
