//! How Python writes numbers, for `repr`.

/// `(3, 5)`.
pub(super) fn tuple([height, width]: [usize; 2]) -> String {
    format!("({height}, {width})")
}

/// A pool is given one number for both sides, and torch prints it as it was given.
pub(super) fn int_or_tuple([height, width]: [usize; 2]) -> String {
    if height == width { height.to_string() } else { tuple([height, width]) }
}

/// `True` or `False`.
pub(super) fn bool(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// As Rust's `{:?}`, but for the exponent's sign and second digit.
pub(super) fn float(value: f64) -> String {
    let text = format!("{value:?}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}
