//! Text of TOML tables.

use std::fmt;

/// A table with its keys in the order in which they were set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table(Vec<(String, String)>);

impl Table {
    /// The table of a component: `name` and arguments to come.
    pub fn named(name: &str) -> Self {
        Self::default().text("name", name)
    }

    /// Whether it is the table of this component.
    pub fn is_named(&self, name: &str) -> bool {
        self.0.iter().any(|(key, value)| key == "name" && *value == format!("{name:?}"))
    }

    /// Sets a key to a value that is written as TOML has it: a number, a list, a table.
    pub fn set(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.0.push((key.to_owned(), value.to_string()));
        self
    }

    /// Sets a key to a text.
    pub fn text(self, key: &str, value: &str) -> Self {
        self.set(key, format!("{value:?}"))
    }

    /// Sets a key to a number with a fraction, which keeps its point: `1.0`, `1e-8`.
    pub fn float(self, key: &str, value: f64) -> Self {
        self.set(key, format!("{value:?}"))
    }

    /// Sets a key if there is a value.
    pub fn set_if_any(self, key: &str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.set(key, value),
            None => self,
        }
    }

    /// As a section of a config: a heading and a line for each key.
    pub fn section(&self, heading: &str) -> String {
        let lines: String = self.0.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        format!("[{heading}]\n{lines}")
    }
}

/// In one line: `{ name = "relu" }`.
impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.0.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        write!(formatter, "{{ {} }}", keys.join(", "))
    }
}

/// A list of values: `[1, 2]`.
pub(crate) fn list<T: fmt::Display>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    format!("[{}]", values.join(", "))
}

/// A list of numbers with a fraction: `[1.0, 0.5]`.
pub(crate) fn floats(values: impl IntoIterator<Item = f64>) -> String {
    list(values.into_iter().map(|value| format!("{value:?}")))
}
