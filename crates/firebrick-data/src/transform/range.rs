//! Ranges that parameters are drawn from.

use firebrick_component::{ArgumentError, check};

/// Refuses bounds that are not finite, or in the wrong order.
pub(super) fn check_range(key: &str, range: [f64; 2]) -> Result<(), ArgumentError> {
    let [least, most] = range;
    let is_range = least.is_finite() && most.is_finite() && least <= most;
    check::that(is_range, key, format!("{range:?}"), "two finite numbers, the smaller one first")
}
