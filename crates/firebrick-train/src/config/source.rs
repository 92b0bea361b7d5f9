//! From text and `--set` overrides to one document in which every value knows its place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::ConfigError;

/// One `--set key.path=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    key: String,
    value: String,
}

impl std::str::FromStr for Override {
    type Err = ConfigError;

    fn from_str(argument: &str) -> Result<Self, ConfigError> {
        let invalid = || ConfigError::Override { argument: argument.to_owned() };
        let (key, value) = argument.split_once('=').ok_or_else(invalid)?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || key.split('.').any(|part| part.trim().is_empty()) {
            return Err(invalid());
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}

impl Override {
    /// An override from its two halves.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }

    /// How many keys lead to the value.
    fn depth(&self) -> usize {
        let mut depth = 0;
        let Ok(table) = format!("{} = true", self.key).parse::<toml::Table>() else {
            return 1; // the reader will say what is wrong with the key
        };
        let mut table = &table;
        loop {
            depth += 1;
            match table.values().next() {
                Some(toml::Value::Table(inner)) => table = inner,
                _ => return depth,
            }
        }
    }

    /// The value as TOML: as written when that is a TOML value, otherwise as a string, so that
    /// `--set data.root=/tmp/x` needs no quotes.
    fn toml_value(&self) -> String {
        if ValueDeserializer::parse(&self.value).is_ok() {
            self.value.clone()
        } else {
            toml::Value::String(self.value.clone()).to_string()
        }
    }
}

/// The text of the config followed by a line for each override. Spans count bytes in `text`.
pub(super) struct Document {
    name: String,
    text: String,
    file: String,
    /// Each override's line with blanks in place of what comes before it in `text`, so that the
    /// parser's spans are those of the whole; and how many keys deep its value is.
    overrides: Vec<(String, usize)>,
}

impl Document {
    pub fn new(name: &str, text: &str, overrides: &[Override]) -> Self {
        let mut combined = text.to_owned();
        if !combined.ends_with('\n') {
            combined.push('\n');
        }
        let file = combined.clone();
        let mut lines = Vec::new();
        for change in overrides {
            let line = format!("{} = {}\n", change.key, change.toml_value());
            lines.push((" ".repeat(combined.len()) + &line, change.depth()));
            combined.push_str(&line);
        }
        Self { name: name.to_owned(), text: combined, file, overrides: lines }
    }

    /// The tables of the file with the overrides put in, later ones winning.
    pub fn tables(&self) -> Result<DeTable<'_>, ConfigError> {
        let parse = |part| DeTable::parse(part).map_err(|error| self.error(&error));
        let mut root = parse(&self.file)?.into_inner();
        for (line, depth) in &self.overrides {
            put(&mut root, parse(line)?.into_inner(), *depth);
        }
        Ok(root)
    }

    /// A reader's error, with place, excerpt and a suggestion.
    pub fn error(&self, error: &toml::de::Error) -> ConfigError {
        self.invalid(
            error.span().unwrap_or(0..0),
            in_plain_words(error.message()),
            suggestion(error.message()),
        )
    }

    pub fn invalid(&self, span: Range<usize>, message: String, hint: Option<String>) -> ConfigError {
        let start = span.start.min(self.text.len());
        let (line, column) = position(&self.text, start);
        let place = if start < self.file.len() {
            format!("{}:{line}:{column}", self.name)
        } else {
            let line = self.text.lines().nth(line - 1).unwrap_or_default();
            format!("--set {}", line.replacen(" = ", "=", 1))
        };
        ConfigError::Invalid {
            place: place.into(),
            message: message.into(),
            hint: hint.map(String::into_boxed_str),
            text: self.text.clone().into(),
            name: self.name.clone().into(),
            span: start..span.end.clamp(start, self.text.len()),
        }
    }
}

/// serde names Rust's types; a config's reader need not know them.
fn in_plain_words(message: &str) -> String {
    let mut message = message.to_owned();
    for unsigned in ["usize", "u64", "u32"] {
        message = message.replace(&format!("expected {unsigned}"), "expected a whole number from 0");
    }
    message.replace("expected i64", "expected a whole number").replace("expected f64", "expected a number")
}

/// Line and column, both counted from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

/// Puts the one value of `change`, `depth` keys deep, in its place; what was there goes.
fn put<'a>(into: &mut DeTable<'a>, change: DeTable<'a>, depth: usize) {
    for (key, value) in change {
        match into.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut) {
            Some(DeValue::Table(old)) if depth > 1 => {
                if let DeValue::Table(new) = value.into_inner() {
                    put(old, new, depth - 1);
                }
            }
            _ => {
                into.insert(key, value);
            }
        }
    }
}

/// "did you mean ..." from serde's "unknown field `x`, expected one of `y`, `z`".
fn suggestion(message: &str) -> Option<String> {
    if !message.starts_with("unknown field") && !message.starts_with("unknown variant") {
        return None;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let got = quoted.next()?;
    closest(got, quoted).map(|best| format!("did you mean `{best}`?"))
}

/// The candidate most like `got`, if one is like it at all: at most a third of it mistyped.
pub(crate) fn closest<'a>(got: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(got, candidate), candidate))
        .filter(|(mistakes, candidate)| *mistakes <= candidate.len().div_ceil(3))
        .min_by_key(|(mistakes, _)| *mistakes)
        .map(|(_, candidate)| candidate)
}
