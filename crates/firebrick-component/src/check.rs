//! Range checks that give an [`ArgumentError`]. Every one of them refuses NaN.

use std::fmt::Display;

use crate::ArgumentError;

/// Refuses unless `is_allowed`.
///
/// # Errors
///
/// [`ArgumentError`] with the other three arguments. So do all functions of this module.
pub fn that(
    is_allowed: bool,
    key: &str,
    got: impl Display,
    expected: impl Into<String>,
) -> Result<(), ArgumentError> {
    if is_allowed { Ok(()) } else { Err(ArgumentError::new(key, expected, got)) }
}

/// A finite number of at least 0.
pub fn non_negative(key: &str, value: f64) -> Result<(), ArgumentError> {
    that(value >= 0.0 && value.is_finite(), key, value, "a finite number >= 0")
}

/// A finite number above 0.
pub fn positive(key: &str, value: f64) -> Result<(), ArgumentError> {
    that(value > 0.0 && value.is_finite(), key, value, "a finite number > 0")
}

/// A finite number.
pub fn finite(key: &str, value: f64) -> Result<(), ArgumentError> {
    that(value.is_finite(), key, value, "a finite number")
}

/// A number from 0 to 1.
pub fn unit_interval(key: &str, value: f64) -> Result<(), ArgumentError> {
    that((0.0..=1.0).contains(&value), key, value, "a number from 0 to 1")
}

/// A number from 0 to below 1.
pub fn below_one(key: &str, value: f64) -> Result<(), ArgumentError> {
    that((0.0..1.0).contains(&value), key, value, "0 <= value < 1")
}

/// A whole number of at least 1.
pub fn at_least_one(key: &str, value: u64) -> Result<(), ArgumentError> {
    that(value >= 1, key, value, "a whole number >= 1")
}

/// A whole number from `least` to `most`.
pub fn in_range(key: &str, value: usize, least: usize, most: usize) -> Result<(), ArgumentError> {
    that((least..=most).contains(&value), key, value, format!("a whole number from {least} to {most}"))
}

/// A required argument: its value, or the error that it was left out.
pub fn required<T>(key: &str, value: Option<T>, expected: impl Into<String>) -> Result<T, ArgumentError> {
    value.ok_or_else(|| ArgumentError::new(key, expected, "nothing"))
}
