//! The colour of pixels that come from outside of an image.

use firebrick_component::{ArgumentError, check};

use super::channels::luma_weights;
use super::numbers::Numbers;

/// One value for all channels, or red, green and blue.
pub type Fill = Numbers<u8>;

/// Refuses other than one value or three.
pub(super) fn check_fill(key: &str, fill: &Fill) -> Result<(), ArgumentError> {
    let is_known = matches!(fill.as_slice().len(), 1 | 3);
    check::that(is_known, key, fill, "one value for all channels, or three: red, green, blue")
}

/// The value of each channel of an image of `channels` channels; three values on a grey image give their luma.
pub(super) fn fill_values(fill: &Fill, channels: usize) -> Vec<u8> {
    match (fill.as_slice(), channels) {
        ([], _) => vec![0; channels],
        ([value], _) => vec![*value; channels],
        ([red, green, blue], 1) => {
            let terms = [red, green, blue].into_iter().zip(luma_weights());
            vec![terms.map(|(&value, weight)| f64::from(value) * weight).sum::<f64>().round() as u8]
        }
        (values, _) => values.iter().copied().cycle().take(channels).collect(),
    }
}
