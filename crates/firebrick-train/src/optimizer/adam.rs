//! Adam, and its AMSGrad variant.
//!
//! # Source
//! `torch.optim.Adam`; Kingma and Ba, <https://arxiv.org/abs/1412.6980>; Reddi et al.,
//! <https://openreview.net/forum?id=ryQu7f-RZ>.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::arguments::check_betas;
use super::formula::{bias_correction, decayed, directed, lerp, mean_square, minus_quotient, with_l2};
use super::group_config::{GroupConfig, Tunables};
use super::rule::{Layouts, Memory, Rule, StepContext};

/// Arguments of [adam](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamConfig {
    /// Learning rate.
    pub lr: f64,
    /// Decay rates of the running averages of the gradient and of its square.
    pub betas: [f64; 2],
    /// Term that keeps the denominator away from zero.
    pub eps: f64,
    /// Weight decay: an L2 penalty added to the gradient.
    pub weight_decay: f64,
    /// Divide by the largest mean square seen so far.
    pub amsgrad: bool,
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

impl Default for AdamConfig {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.0,
            amsgrad: false,
            decoupled_weight_decay: false,
            maximize: false,
            groups: Vec::new(),
            no_decay_on_bias_and_norm: false,
            lr_decay_by_depth: None,
        }
    }
}

impl Component for AdamConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::non_negative("lr", self.lr)?;
        check_betas(self.betas)?;
        check::non_negative("eps", self.eps)?;
        check::non_negative("weight_decay", self.weight_decay)
    }
}

impl Rule for AdamConfig {
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
        let (parameter, gradient) = if self.decoupled_weight_decay {
            (decayed(parameter, context.lr, self.weight_decay), directed(gradient, self.maximize))
        } else {
            let gradient = with_l2(directed(gradient, self.maximize), &parameter, self.weight_decay);
            (parameter, gradient)
        };
        let [beta_1, beta_2] = [context.momentum_or(self.betas[0]), self.betas[1]];
        let step = Adaptive { lr: context.lr, beta_1, beta_2, eps: self.eps };
        if self.amsgrad {
            step.amsgrad(memory, parameter, gradient)
        } else {
            step.plain(memory, parameter, gradient)
        }
    }
}

/// Names of what Adam and AdamW remember.
pub(super) fn tensor_layouts(amsgrad: bool) -> Layouts {
    if amsgrad { &[&["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]] } else { &[&["exp_avg", "exp_avg_sq"]] }
}

/// The part that Adam and AdamW share: everything behind the weight decay.
pub(super) struct Adaptive {
    pub lr: f64,
    pub beta_1: f64,
    pub beta_2: f64,
    pub eps: f64,
}

impl Adaptive {
    pub(super) fn plain(&self, memory: &mut Memory, parameter: Tensor<1>, gradient: Tensor<1>) -> Tensor<1> {
        let [average, square] = memory.take(|| gradient.zeros_like());
        let square = mean_square(square, &gradient, self.beta_2);
        let average = lerp(average, gradient, 1.0 - self.beta_1);
        memory.put([average.clone(), square.clone()]);
        self.moved(memory.num_steps, parameter, average, square)
    }

    pub(super) fn amsgrad(
        &self,
        memory: &mut Memory,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
    ) -> Tensor<1> {
        let [average, square, largest] = memory.take(|| gradient.zeros_like());
        let square = mean_square(square, &gradient, self.beta_2);
        let average = lerp(average, gradient, 1.0 - self.beta_1);
        let largest = largest.max_pair(square.clone());
        memory.put([average.clone(), square, largest.clone()]);
        self.moved(memory.num_steps, parameter, average, largest)
    }

    fn moved(
        &self,
        num_steps: u64,
        parameter: Tensor<1>,
        average: Tensor<1>,
        square: Tensor<1>,
    ) -> Tensor<1> {
        let step_size = self.lr / bias_correction(self.beta_1, num_steps);
        let correction = bias_correction(self.beta_2, num_steps).sqrt();
        let denominator = square.sqrt().div_scalar(correction).add_scalar(self.eps);
        minus_quotient(parameter, average, denominator, step_size)
    }
}
