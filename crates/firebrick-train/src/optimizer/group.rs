//! Parameter groups at work: which parameters share every argument, and their rule.

use std::ops::{Deref, DerefMut};

use firebrick_models::LayerDepths;
use firebrick_models::walk::ParamRef;

use super::config::OptimizerConfig;
use super::rule::Rule;
use crate::glob;

/// Which of the optimiser's groups, and which of its special cases, hold for a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Membership {
    groups: Vec<usize>,
    is_free_of_decay: bool,
    uses_fallback: bool,
    /// Groups of layers behind its own, where that moves the learning rate.
    depth_from_end: usize,
}

impl Membership {
    pub(super) fn of(config: &OptimizerConfig, depths: &LayerDepths, at: &ParamRef, shape: &[usize]) -> Self {
        let groups = config.groups().iter().enumerate();
        Self {
            groups: groups
                .filter(|(_, group)| glob::matches(&group.pattern, &at.path))
                .map(|(index, _)| index)
                .collect(),
            is_free_of_decay: config.no_decay_on_bias_and_norm() && at.role.is_bias_or_norm(),
            uses_fallback: config.fallback(shape).is_some(),
            depth_from_end: config.lr_decay_by_depth().map_or(0, |_| depths.from_end(&at.path)),
        }
    }

    pub(super) fn groups(&self) -> &[usize] {
        &self.groups
    }
}

/// Parameters that share every argument: torch's `param_group`.
#[derive(Debug)]
pub(super) struct Group {
    pub membership: Membership,
    pub base_lr: f64,
    pub rule: GroupRule,
}

/// The rule of a group: the optimiser with the group's arguments, or the one it falls back to.
#[derive(Debug)]
pub(super) enum GroupRule {
    Own(OptimizerConfig),
    Fallback(Box<dyn Rule>),
}

impl Deref for GroupRule {
    type Target = dyn Rule;

    fn deref(&self) -> &(dyn Rule + 'static) {
        match self {
            Self::Own(config) => &**config,
            Self::Fallback(rule) => &**rule,
        }
    }
}

impl DerefMut for GroupRule {
    fn deref_mut(&mut self) -> &mut (dyn Rule + 'static) {
        match self {
            Self::Own(config) => &mut **config,
            Self::Fallback(rule) => &mut **rule,
        }
    }
}

impl Group {
    /// The most tensors that its rule remembers of a parameter.
    pub(super) fn max_tensors(&self) -> usize {
        self.rule.tensor_layouts().iter().map(|layout| layout.len()).max().unwrap_or(0)
    }

    pub(super) fn new(config: &OptimizerConfig, membership: Membership, shape: &[usize]) -> Self {
        let fallback = config.fallback(shape).map(GroupRule::Fallback);
        let mut rule = fallback.unwrap_or_else(|| GroupRule::Own(config.clone()));
        if membership.is_free_of_decay
            && let Some(weight_decay) = rule.tunables().weight_decay
        {
            *weight_decay = 0.0;
        }
        if let Some(decay) = config.lr_decay_by_depth() {
            *rule.tunables().lr *= decay.powf(membership.depth_from_end as f64);
        }
        for &index in &membership.groups {
            // What a fallback rule lacks does not concern it; `validate` saw the optimiser itself.
            let _ = config.groups()[index].apply_to(rule.tunables());
        }
        Self { membership, base_lr: rule.lr(), rule }
    }
}
