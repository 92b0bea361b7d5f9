//! How numbers and words look to a person: colours, thousands, durations, percentages.

use std::io::IsTerminal;
use std::time::Duration;

/// Colours, or none.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    colour: bool,
}

impl Style {
    /// For standard error.
    pub fn stderr() -> Self {
        Self::when(std::io::stderr().is_terminal())
    }

    /// For standard output.
    pub fn stdout() -> Self {
        Self::when(std::io::stdout().is_terminal())
    }

    /// Colours only on a terminal that can, and not when `NO_COLOR` (<https://no-color.org>) is set.
    fn when(is_terminal: bool) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { colour: is_terminal && !refused && !dumb }
    }

    /// Whether there are colours.
    pub fn has_colour(self) -> bool {
        self.colour
    }

    /// Headings and errors.
    pub fn red(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// Warnings.
    pub fn yellow(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    /// Good news.
    pub fn green(self, text: &str) -> String {
        self.paint("1;32", text)
    }

    /// Hints and commands to copy.
    pub fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }

    /// What matters most.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// What matters least.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// `145578` as `145,578`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 image`, `2 images`.
pub fn counted(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", thousands(number))
}

/// A rate with as many digits as mean something.
pub fn rate(per_second: f64) -> String {
    if !per_second.is_finite() {
        "-".to_owned()
    } else if per_second >= 100.0 {
        thousands(per_second.round() as u64)
    } else {
        format!("{per_second:.1}")
    }
}

/// `4.2s`, `42s`, `3m 20s`, `1h 05m`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1}s"),
        10..60 => format!("{whole}s"),
        60..3600 => format!("{}m {:02}s", whole / 60, whole % 60),
        _ => format!("{}h {:02}m", whole / 3600, whole % 3600 / 60),
    }
}

/// Four decimals, or two digits and an exponent where these would all be zero.
pub fn loss(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.001 { format!("{value:.2e}") } else { format!("{value:.4}") }
}

/// `0.98653` as `98.65%`.
pub fn percent(part: f64) -> String {
    format!("{:.2}%", part * 100.0)
}

/// Names for a message: `` `a`, `b` ``.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        let cases =
            [(0, "0"), (999, "999"), (1_000, "1,000"), (145_578, "145,578"), (12_345_678, "12,345,678")];
        for (number, expected) in cases {
            assert_eq!(thousands(number), expected);
        }
    }

    #[test]
    fn durations_have_two_parts_at_most() {
        let cases = [
            (0.04, "0.0s"),
            (9.4, "9.4s"),
            (9.96, "10s"),
            (59.4, "59s"),
            (200.0, "3m 20s"),
            (3_900.0, "1h 05m"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(duration(Duration::from_secs_f64(seconds)), expected);
        }
    }

    #[test]
    fn small_losses_keep_their_digits() {
        assert_eq!(loss(1.23456), "1.2346");
        assert_eq!(loss(0.000_012_34), "1.23e-5");
        assert_eq!(loss(0.0), "0.0000");
    }
}
