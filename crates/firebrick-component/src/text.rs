//! What comes from outside, as a message shows it: on one line, without control characters, numbers in few digits.

use std::path::Path;

/// More digits than this are no longer read one by one; the largest whole number of 64 bits has 20.
const MOST_DIGITS: usize = 24;

/// A number with as few characters as say it exactly: `0.003`, `1e300`, `NaN`.
pub fn number(value: f64) -> String {
    let plain = value.to_string();
    if plain.len() <= MOST_DIGITS { plain } else { format!("{value:e}") }
}

/// The text with every control character spelled out, a line break as `\n`: nothing in it moves the cursor, changes
/// a terminal's colours or breaks the line of a message. Characters that turn the direction of the text around are
/// control characters here, too.
pub fn one_line(text: &str) -> String {
    escaped(text, is_control)
}

/// As [`one_line`], but line breaks stay, for a message that has lines of its own.
pub fn lines(text: &str) -> String {
    escaped(text, |character| character != '\n' && is_control(character))
}

/// What a message says was found: [`one_line`], with numbers of hundreds of digits written as [`number`] does.
pub fn shown(text: &str) -> String {
    one_line(&short_numbers(text))
}

/// A path, on one line.
pub fn path(path: &Path) -> String {
    one_line(&path.display().to_string())
}

fn is_control(character: char) -> bool {
    let turns_direction = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || turns_direction || matches!(character, '\u{2028}' | '\u{2029}')
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match is_escaped(character) {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}

/// Rewrites every number of the text that has more digits than anybody reads.
fn short_numbers(text: &str) -> String {
    let is_part = |character: char| character.is_ascii_digit() || character == '.';
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let (digits, behind) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
        shown.push_str(before);
        let is_word = before.ends_with(char::is_alphanumeric) || behind.starts_with(char::is_alphanumeric);
        match digits.parse::<f64>() {
            Ok(value) if digits.len() > MOST_DIGITS && !is_word => shown.push_str(&number(value)),
            _ => shown.push_str(digits),
        }
        rest = behind;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.003, "0.003"),
            (1.0, "1"),
            (1e300, "1e300"),
            (-2.5e-200, "-2.5e-200"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
            (18_446_744_073_709_551_615.0, "18446744073709552000"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn numbers_inside_of_a_text_are_short_and_nothing_else_changes() {
        let digits = format!("{}", 1e300);
        assert_eq!(shown(&format!("[0.5, -{digits}]")), "[0.5, -1e300]");
        let small = format!("{:.320}", 2.5e-300);
        assert_eq!(shown(&small), "2.5e-300");
        let hash = "04752d6dc0f26b2b0000000000000000000000000000000000000000000000001";
        for text in [hash, "18446744073709551615", "a.b.c", "1.2.3", "..", ""] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn control_characters_are_spelled_out() {
        assert_eq!(one_line("data\new\train\u{1b}[31m"), r"data\new\train\u{1b}[31m");
        assert_eq!(one_line("é \u{202e}gpj.exe"), r"é \u{202e}gpj.exe");
        assert_eq!(lines("a\nb\r"), "a\nb\\r");
    }
}
