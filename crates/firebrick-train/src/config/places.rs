//! Where each key of a document stands.

use std::collections::HashMap;
use std::ops::Range;

use firebrick_component::text;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Spans by the path of the key: `optimizer.groups[0].lr`.
#[derive(Debug)]
pub(super) struct Places(HashMap<String, Place>);

#[derive(Debug)]
struct Place {
    key: Range<usize>,
    /// Of a table with a header: the header.
    value: Range<usize>,
    /// What messages call the value.
    shown: String,
}

impl Places {
    /// Finds every key of `root`.
    pub fn of(root: &DeTable<'_>) -> Self {
        let mut places = Self(HashMap::new());
        places.add_table("", root);
        places
    }

    fn add_table(&mut self, path: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            self.add(&join(path, key.get_ref()), key.span(), value);
        }
    }

    fn add(&mut self, path: &str, key: Range<usize>, value: &Spanned<DeValue<'_>>) {
        let place = Place { key, value: value.span(), shown: shown(value.get_ref()) };
        self.0.insert(path.to_owned(), place);
        match value.get_ref() {
            DeValue::Table(table) => self.add_table(path, table),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add(&format!("{path}[{index}]"), item.span(), item);
                }
            }
            _ => {}
        }
    }

    /// Where the value at `path` stands. If it does not: the longest part of the path that does, and of a component
    /// its name.
    pub fn value(&self, path: &str) -> Range<usize> {
        if let Some(place) = self.0.get(path) {
            return place.value.clone();
        }
        let mut path = path;
        while let Some(cut) = path.rfind(['.', '[']) {
            path = &path[..cut];
            if let Some(place) = self.0.get(path) {
                let name = self.0.get(&join(path, "name"));
                return name.unwrap_or(place).value.clone();
            }
        }
        0..0
    }

    /// Where the key at the end of `path` stands.
    pub fn key(&self, path: &str) -> Range<usize> {
        self.0.get(path).map_or_else(|| self.value(path), |place| place.key.clone())
    }

    /// The keys of the table at `path`.
    pub fn keys(&self, path: &str) -> Vec<&str> {
        let start = if path.is_empty() { String::new() } else { format!("{path}.") };
        let keys = self.0.keys().filter_map(|key| key.strip_prefix(&start));
        keys.filter(|key| !key.contains(['.', '['])).collect()
    }

    /// What messages call the value at `path`.
    pub fn shown(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(|place| place.shown.as_str())
    }
}

/// The path of `key` in the table at `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the string {text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => text::shown(&number.to_string()),
        DeValue::Boolean(yes) => yes.to_string(),
        DeValue::Datetime(date) => format!("the date {date}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
