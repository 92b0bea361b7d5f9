//! The config as TOML, every default spelled out.

use serde::Serialize;
use toml::{Table, Value};

use super::error::ConfigError;

/// The text of these tables, in this order.
pub(super) fn to_toml<const N: usize>(tables: [(&str, Table); N]) -> String {
    let mut text = String::new();
    for (name, mut table) in tables {
        text.push_str(&format!("[{name}]\n"));
        // `name` first, as a person would write it.
        if let Some(component) = table.remove("name") {
            text.push_str(&format!("name = {component}\n"));
        }
        for (key, value) in table {
            text.push_str(&format!("{key} = {}\n", written(&value)));
        }
        text.push('\n');
    }
    text
}

/// A list of components, such as layers, has a line for each.
fn written(value: &Value) -> String {
    match value {
        Value::Array(items) if items.iter().any(Value::is_table) => {
            let lines: String = items.iter().map(|item| format!("    {},\n", inline(item))).collect();
            format!("[\n{lines}]")
        }
        other => other.to_string(),
    }
}

/// A component in one line, its name first.
fn inline(value: &Value) -> String {
    let Value::Table(table) = value else { return value.to_string() };
    let (name, arguments): (Vec<_>, Vec<_>) = table.iter().partition(|(key, _)| *key == "name");
    let pairs: Vec<String> =
        name.into_iter().chain(arguments).map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// A part of a config as a TOML table.
pub(super) fn table(part: &impl Serialize) -> Result<Table, ConfigError> {
    Table::try_from(part).map_err(|error| ConfigError::Unwritable { message: error.to_string() })
}
