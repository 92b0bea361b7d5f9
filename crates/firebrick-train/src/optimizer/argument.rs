//! Refusing an argument: the one error that optimisers, schedules, clipping, accumulation and EMA
//! share, and the range checks that make it. Every check refuses NaN.

use thiserror::Error;

/// An argument outside the range that its component allows.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{component}: {argument} = {value} is not allowed: expected {expected}")]
pub struct ArgumentError {
    /// Whose argument: `sgd`, `one_cycle`, `ema`.
    pub component: &'static str,
    /// The argument's name as written in the config.
    pub argument: &'static str,
    /// What was given.
    pub value: String,
    /// What would have been allowed.
    pub expected: &'static str,
}

/// Checks the arguments of one component.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Check(pub &'static str);

impl Check {
    pub(crate) fn that(
        self,
        is_allowed: bool,
        argument: &'static str,
        value: impl ToString,
        expected: &'static str,
    ) -> Result<(), ArgumentError> {
        if is_allowed {
            return Ok(());
        }
        Err(ArgumentError { component: self.0, argument, value: value.to_string(), expected })
    }

    pub(crate) fn non_negative(self, argument: &'static str, value: f64) -> Result<(), ArgumentError> {
        let is_allowed = value >= 0.0 && value.is_finite();
        self.that(is_allowed, argument, value, "a finite number >= 0")
    }

    pub(crate) fn positive(self, argument: &'static str, value: f64) -> Result<(), ArgumentError> {
        let is_allowed = value > 0.0 && value.is_finite();
        self.that(is_allowed, argument, value, "a finite number > 0")
    }

    pub(crate) fn finite(self, argument: &'static str, value: f64) -> Result<(), ArgumentError> {
        self.that(value.is_finite(), argument, value, "a finite number")
    }

    pub(crate) fn unit_interval(self, argument: &'static str, value: f64) -> Result<(), ArgumentError> {
        self.that((0.0..=1.0).contains(&value), argument, value, "a number from 0 to 1")
    }

    pub(crate) fn below_one(self, argument: &'static str, value: f64) -> Result<(), ArgumentError> {
        self.that((0.0..1.0).contains(&value), argument, value, "0 <= value < 1")
    }

    pub(crate) fn betas(self, betas: [f64; 2]) -> Result<(), ArgumentError> {
        self.below_one("betas[0]", betas[0])?;
        self.below_one("betas[1]", betas[1])
    }

    pub(crate) fn at_least_one(self, argument: &'static str, value: u64) -> Result<(), ArgumentError> {
        self.that(value >= 1, argument, value, "a whole number >= 1")
    }

    /// A required argument that was left out.
    pub(crate) fn required<T>(
        self,
        argument: &'static str,
        value: Option<T>,
        expected: &'static str,
    ) -> Result<T, ArgumentError> {
        value.ok_or_else(|| ArgumentError {
            component: self.0,
            argument,
            value: "(left out)".to_owned(),
            expected,
        })
    }
}
