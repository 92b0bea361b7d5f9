//! What a reader's error means to a person who writes configs: serde names Rust's types and says "field".

use firebrick_component::{ArgumentError, ReadError, text};

use super::places::join;
use crate::closest::closest;

/// How a component without a name is complained about.
const NO_NAME: &str = " has no `name`";

/// A mistake in a config, in words.
pub(super) struct Complaint {
    /// The path of the wrong key or value.
    pub path: String,
    /// Whether the key is wrong and not its value.
    pub is_about_key: bool,
    pub message: String,
    pub hint: Option<String>,
}

impl Complaint {
    pub fn about_value(path: &str, message: String) -> Self {
        Self { path: path.to_owned(), is_about_key: false, message, hint: None }
    }
}

/// What is wrong with a value that was read but is out of range.
pub(super) fn of_argument(error: &ArgumentError) -> Complaint {
    let got = error.got.trim_matches(['`', '"']);
    let mut complaint = Complaint::about_value(&error.key, error.to_string());
    complaint.hint = suggestion(got, quoted(&error.expected));
    complaint
}

/// What is wrong with something that could not be read; `shown` is what the value at the error's path is called.
/// `keys` are those of the table at the path, if it is one.
pub(super) fn of_reading(error: &ReadError, shown: Option<&str>, keys: &[&str]) -> Complaint {
    let (path, text) = (error.path.as_str(), error.message.as_str());
    if let Some(misspelt) = text.ends_with(NO_NAME).then(|| closest("name", keys.iter().copied())).flatten() {
        let message = format!("unknown key `{misspelt}`, and {text}");
        let hint = Some("did you mean `name`?".to_owned());
        return Complaint { path: join(path, misspelt), is_about_key: true, message, hint };
    }
    if let Some(rest) = text.strip_prefix("unknown field ") {
        return unknown_key(path, rest);
    }
    if let Some(key) = text.strip_prefix("missing field ").and_then(|rest| quoted(rest).next()) {
        return missing_key(path, key);
    }
    if let Some((expected, got)) = expected_and_got(text, shown) {
        let mut complaint =
            Complaint::about_value(path, of_key(path, format!("expected {expected}, got {got}")));
        complaint.hint = suggestion(got.trim_matches('`'), quoted(&expected));
        return complaint;
    }
    if text.starts_with("unknown ") {
        let mut names = quoted(text);
        let hint = names.next().and_then(|got| suggestion(got, names));
        return Complaint { hint, ..Complaint::about_value(path, text.to_owned()) };
    }
    Complaint::about_value(path, of_key(path, text.to_owned()))
}

/// What is wrong with something that could not be read, in one sentence: as a message about a config says it, without the
/// place.
pub fn in_words(error: &ReadError) -> String {
    let Complaint { message, hint, .. } = of_reading(error, None, &[]);
    // What stands in no table of a config is no table of it.
    let message = message.replacen("unknown table ", "unknown key ", 1);
    text::one_line(&[Some(message), hint].into_iter().flatten().collect::<Vec<_>>().join("; "))
}

fn of_key(path: &str, message: String) -> String {
    if path.is_empty() { message } else { format!("{path}: {message}") }
}

/// `rest` is serde's "`x`, expected one of `a`, `b`" or "`x`, there are no fields".
fn unknown_key(path: &str, rest: &str) -> Complaint {
    let mut names = quoted(rest);
    let Some(key) = names.next() else {
        return Complaint::about_value(path, of_key(path, format!("unknown key {rest}")));
    };
    let is_there = path == key || path.ends_with(&format!(".{key}"));
    let path = if is_there { path.to_owned() } else { join(path, key) };
    let what = if path == key { "table" } else { "key" };
    let rest = rest.replace("there are no fields", "but no key is expected here");
    let hint = suggestion(key, names);
    Complaint { path, is_about_key: true, message: format!("unknown {what} {rest}"), hint }
}

fn missing_key(path: &str, key: &str) -> Complaint {
    if path.is_empty() {
        let hint = Some(format!("add `[{key}]`"));
        return Complaint { hint, ..Complaint::about_value(key, format!("missing table `[{key}]`")) };
    }
    Complaint::about_value(&join(path, key), of_key(path, format!("missing key `{key}`")))
}

/// The two halves of serde's messages about values of the wrong type, in a person's words.
fn expected_and_got(text: &str, shown: Option<&str>) -> Option<(String, String)> {
    if let Some(rest) = text.strip_prefix("unknown variant ") {
        let (got, expected) = rest.split_once(", expected ")?;
        return Some((expected.to_owned(), got.to_owned()));
    }
    if let Some(rest) = text.strip_prefix("invalid length ") {
        let (got, expected) = rest.split_once(", expected ")?;
        return Some((expected_words(expected), format!("a list of {got}")));
    }
    let rest = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "))?;
    let (got, expected) = rest.rsplit_once(", expected ")?;
    Some((expected_words(expected), got_words(got, shown)))
}

/// A Rust type as people say it.
fn expected_words(expected: &str) -> String {
    let words = match expected {
        "usize" | "u64" => "a whole number from 0",
        "u32" => "a whole number from 0 to 4294967295",
        "u16" => "a whole number from 0 to 65535",
        "u8" => "a whole number from 0 to 255",
        "isize" | "i64" => "a whole number",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "i16" => "a whole number from -32768 to 32767",
        "i8" => "a whole number from -128 to 127",
        "f64" | "f32" => "a number",
        "a boolean" => "true or false",
        "a map" => "a table",
        "a sequence" => "a list",
        "string only" => "a name",
        "path string" => "a path",
        other if other.starts_with("struct ") => "a table",
        other => {
            let length = other
                .strip_prefix("an array of length ")
                .or_else(|| other.strip_suffix(" elements in sequence"));
            return length.map_or_else(|| other.to_owned(), |length| format!("a list of {length} values"));
        }
    };
    words.to_owned()
}

/// serde's name of a value: `integer `3``, `string "x"`, `map`.
fn got_words(got: &str, shown: Option<&str>) -> String {
    if got.starts_with("string ") {
        return format!("the {got}");
    }
    let number =
        ["integer `", "floating point `", "boolean `"].into_iter().find_map(|kind| got.strip_prefix(kind));
    match (number.and_then(|number| number.strip_suffix('`')), shown) {
        (Some(number), _) => text::shown(number),
        (None, Some(shown)) => shown.to_owned(),
        (None, None) => got.replace("map", "a table").replace("sequence", "a list"),
    }
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn suggestion<'a>(got: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    closest(got, candidates).map(|best| format!("did you mean `{best}`?"))
}
