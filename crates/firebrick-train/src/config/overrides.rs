//! `--set key.path=VALUE`.

use toml::de::ValueDeserializer;

use super::error::ConfigError;

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

    /// The value: as written when that is a TOML value, otherwise as a string.
    pub fn value(&self) -> toml::Value {
        let string = || toml::Value::String(self.value.clone());
        let parsed = format!("value = {}", self.value).parse::<toml::Table>().ok();
        let is_toml = ValueDeserializer::parse(&self.value).is_ok();
        parsed.filter(|_| is_toml).and_then(|mut table| table.remove("value")).unwrap_or_else(string)
    }

    /// As a line of a config. The value as written when that is a TOML value, otherwise as a string, so that
    /// `--set data.root=/tmp/x` needs no quotes.
    pub(super) fn line(&self) -> String {
        let is_toml = ValueDeserializer::parse(&self.value).is_ok();
        let value =
            if is_toml { self.value.clone() } else { toml::Value::String(self.value.clone()).to_string() };
        format!("{} = {value}\n", self.key)
    }

    /// How many keys lead to the value; none if the key is no key.
    pub(super) fn depth(&self) -> Option<usize> {
        Some(self.keys().len()).filter(|depth| *depth > 0)
    }

    /// The keys that lead to the value: `data` and `root` for `data.root`. Empty if the key is no key.
    pub fn keys(&self) -> Vec<String> {
        let Ok(mut table) = format!("{} = true", self.key).parse::<toml::Table>() else { return Vec::new() };
        let mut keys = Vec::new();
        while let Some((key, value)) = table.into_iter().next() {
            keys.push(key);
            table = match value {
                toml::Value::Table(inner) => inner,
                _ => toml::Table::new(),
            };
        }
        keys
    }

    /// As it was given.
    pub fn argument(&self) -> String {
        format!("{}={}", self.key, self.value)
    }
}
