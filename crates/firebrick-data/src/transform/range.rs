//! Ranges that parameters are drawn from.

use firebrick_component::{ArgumentError, check};

use super::numbers::Numbers;

/// Refuses bounds that are not finite, or in the wrong order.
pub(super) fn check_range(key: &str, range: [f64; 2]) -> Result<(), ArgumentError> {
    let [least, most] = range;
    let is_range = least.is_finite() && most.is_finite() && least <= most;
    check::that(is_range, key, format!("{range:?}"), "two finite numbers, the smaller one first")
}

/// The range that one number stands for, `-number` to `number`, or the range that is given.
pub(super) fn range_around(numbers: &Numbers<f64>) -> [f64; 2] {
    match *numbers.as_slice() {
        [most] => [-most, most],
        [least, most] => [least, most],
        _ => [0.0; 2],
    }
}

/// Refuses what [`range_around`] does not know: a number below 0, other than one or two numbers.
pub(super) fn check_around(key: &str, numbers: &Numbers<f64>) -> Result<(), ArgumentError> {
    match *numbers.as_slice() {
        [most] => check::non_negative(key, most),
        [least, most] => check_range(key, [least, most]),
        _ => Err(ArgumentError::new(key, "a number, or [least, most]", numbers)),
    }
}

/// Refuses a centre that is not finite.
pub(super) fn check_center(center: Option<[f64; 2]>) -> Result<(), ArgumentError> {
    center.iter().flatten().try_for_each(|place| check::finite("center", *place))
}
