//! Blocks that a config defines, and the layers that they become with certain arguments.

use std::collections::BTreeMap;

use firebrick_component::ReadError;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// What stands in front of an argument's name in the layers of a block.
pub(super) const SIGN: char = '$';

/// `[model.blocks.NAME]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    /// Every argument with its default.
    #[serde(default)]
    pub(super) arguments: Table,
    /// In which `"$channels"` stands for the argument `channels`.
    pub(super) layers: Vec<Value>,
}

/// All of a config, by name.
pub(super) type Blocks = BTreeMap<String, Block>;

/// Where the layers of a block are written.
pub(super) fn place(name: &str) -> String {
    format!("blocks.{name}.layers")
}

/// The layers of a block with certain arguments.
pub(super) struct Filled {
    pub(super) layers: Vec<Value>,
    /// Where an argument stands in them, with its name.
    pub(super) stood: Vec<(String, String)>,
}

impl Block {
    /// The block's layers with these arguments; `at` is where they are given.
    pub(super) fn with(&self, name: &str, given: &Table, at: &str) -> Result<Filled, ReadError> {
        if let Some(key) = given.keys().find(|key| !self.arguments.contains_key(*key)) {
            let expected = listed(self.arguments.keys());
            let message = format!("unknown field `{key}`, expected {expected}");
            return Err(ReadError::new(format!("{at}.{key}"), message));
        }
        let mut arguments = self.arguments.clone();
        arguments.extend(given.clone());
        let mut filling = Filling { arguments: &arguments, stood: Vec::new(), num_values: 0 };
        let layers = filling.list(&self.layers, &place(name))?;
        Ok(Filled { layers, stood: filling.stood })
    }
}

/// Puts arguments in place of what stands for them.
struct Filling<'a> {
    arguments: &'a Table,
    stood: Vec<(String, String)>,
    /// Values put in so far, those inside of lists and tables included.
    num_values: usize,
}

/// Most values that arguments may put into one use of a block. Arguments that hold one another twice would otherwise
/// double with each block.
const MAX_VALUES: usize = 100_000;

/// A value and everything in it, counted.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Table(table) => table.values().map(count).sum(),
        _ => 0,
    }
}

impl Filling<'_> {
    fn list(&mut self, values: &[Value], at: &str) -> Result<Vec<Value>, ReadError> {
        let values = values.iter().enumerate();
        values.map(|(index, value)| self.value(value, &format!("{at}[{index}]"))).collect()
    }

    fn value(&mut self, value: &Value, at: &str) -> Result<Value, ReadError> {
        match value {
            Value::String(text) => match text.strip_prefix(SIGN) {
                Some(name) => self.argument(name, at),
                None => Ok(value.clone()),
            },
            Value::Array(items) => self.list(items, at).map(Value::Array),
            Value::Table(table) => {
                let filled = table
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), self.value(value, &format!("{at}.{key}"))?)));
                filled.collect::<Result<_, _>>().map(Value::Table)
            }
            other => Ok(other.clone()),
        }
    }

    fn argument(&mut self, name: &str, at: &str) -> Result<Value, ReadError> {
        let Some(value) = self.arguments.get(name) else {
            let expected = listed(self.arguments.keys().map(|key| format!("{SIGN}{key}")));
            return Err(ReadError::new(at, format!("unknown argument `{SIGN}{name}`, expected {expected}")));
        };
        self.num_values += count(value);
        if self.num_values > MAX_VALUES {
            let message = format!("expected arguments of {MAX_VALUES} values at most, got more");
            return Err(ReadError::new(at, message));
        }
        self.stood.push((at.to_owned(), name.to_owned()));
        Ok(value.clone())
    }
}

/// For a message.
pub(super) fn listed(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [name] => name.clone(),
        names => format!("one of {}", names.join(", ")),
    }
}
