//! From text and `--set` overrides to plain tables in which every key has a place.

use std::ops::Range;

use firebrick_component::text;
use serde::Deserialize;
use toml::de::{DeTable, DeValue, ValueDeserializer};
use toml::{Spanned, Table};

use super::error::ConfigError;
use super::overrides::Override;
use super::places::Places;

/// The text of the config followed by a line for each override. Spans count bytes of all of them together.
#[derive(Debug)]
pub(super) struct Document {
    name: String,
    file: String,
    overrides: Vec<Line>,
}

/// An override's line.
#[derive(Debug)]
struct Line {
    /// Where it begins in the whole text.
    start: usize,
    /// With blanks in place of what comes before it in the whole text, so that the parser's spans are those of the
    /// whole.
    text: String,
    /// How many keys deep the value is.
    depth: Option<usize>,
    /// The override as it was given.
    argument: String,
}

impl Document {
    pub fn new(name: &str, text: &str, overrides: &[Override]) -> Self {
        // Windows' Notepad puts a byte-order mark in front, which is no part of the first line.
        let mut file = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        if !file.ends_with('\n') {
            file.push('\n');
        }
        let mut start = file.len();
        let mut lines = Vec::new();
        for change in overrides {
            let line = change.line();
            let text = " ".repeat(start) + &line;
            lines.push(Line { start, text, depth: change.depth(), argument: change.argument() });
            start += line.len();
        }
        Self { name: name.to_owned(), file, overrides: lines }
    }

    /// The tables of the file with the overrides put in, later ones winning, and where everything stands.
    pub fn tables(&self) -> Result<(Table, Places), ConfigError> {
        let parse = |part| DeTable::parse(part).map_err(|error| self.syntax_error(&error));
        let mut root = parse(&self.file)?.into_inner();
        for line in &self.overrides {
            let change = parse(&line.text)?.into_inner();
            let no_key = || ConfigError::Override { argument: line.argument.clone() };
            put(&mut root, change, line.depth.ok_or_else(no_key)?);
        }
        let places = Places::of(&root);
        let root = ValueDeserializer::from(Spanned::new(0..0, DeValue::Table(root)));
        let table = Table::deserialize(root).map_err(|error| self.syntax_error(&error))?;
        Ok((table, places))
    }

    /// Text that is no TOML.
    fn syntax_error(&self, error: &toml::de::Error) -> ConfigError {
        let message = error.message();
        let is_too_large = message.contains("too large") || message.contains("as i128");
        let message = match is_too_large {
            true => "expected a whole number below 9223372036854775808, where TOML's end".to_owned(),
            false => message.to_owned(),
        };
        self.invalid(error.span().unwrap_or(0..0), message, None)
    }

    /// An error at a place: in the file, or in the override that `span` begins in.
    pub fn invalid(&self, span: Range<usize>, message: String, hint: Option<String>) -> ConfigError {
        let (message, hint) =
            (text::one_line(&message).into(), hint.map(|hint| text::one_line(&hint).into()));
        let name = Box::from(self.name.as_str());
        if let Some(line) = self.override_at(span.start) {
            let place = format!("--set {}", text::one_line(&line.argument)).into();
            return ConfigError::Invalid { place, message, hint, text: "".into(), name, span: 0..0 };
        }
        let start = span.start.min(self.file.len());
        let (line, column) = position(&self.file, start);
        let place = format!("{}:{line}:{column}", text::one_line(&self.name)).into();
        let span = start..span.end.clamp(start, self.file.len());
        ConfigError::Invalid { place, message, hint, text: self.file.as_str().into(), name, span }
    }

    /// Whether the value that begins at `offset` was given by an override.
    pub fn is_override(&self, offset: usize) -> bool {
        self.override_at(offset).is_some()
    }

    fn override_at(&self, offset: usize) -> Option<&Line> {
        self.overrides.iter().rfind(|line| line.start <= offset)
    }
}

/// Line and column, both counted from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

/// Puts the one value of `change`, `depth` keys deep, in its place, instead of what was there.
fn put<'a>(into: &mut DeTable<'a>, change: DeTable<'a>, depth: usize) {
    for (key, value) in change {
        let name = key.get_ref().clone();
        match (into.get_mut(name.as_ref()).map(Spanned::get_mut), value.get_ref()) {
            (Some(DeValue::Table(old)), DeValue::Table(_)) if depth > 1 => {
                if let DeValue::Table(new) = value.into_inner() {
                    put(old, new, depth - 1);
                }
            }
            _ => {
                // Removed first: a table keeps the key that it has, with its place.
                into.remove(name.as_ref());
                into.insert(key, value);
            }
        }
    }
}
