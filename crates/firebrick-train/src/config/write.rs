//! The config as TOML, every default spelled out.

use serde::Serialize;
use toml::{Table, Value};

use super::{Config, ConfigError};

pub(super) fn to_toml(config: &Config) -> Result<String, ConfigError> {
    let mut model = table(&config.model.network)?;
    if let Some(weights) = &config.model.weights {
        model.insert("weights".to_owned(), Value::String(weights.display().to_string()));
        model.insert("strict".to_owned(), Value::Boolean(config.model.strict));
    }
    let tables = [
        ("model", model),
        ("data", table(&config.data)?),
        ("loss", table(&config.loss)?),
        ("optimizer", table(&config.optimizer)?),
        ("schedule", table(&config.schedule)?),
        ("trainer", table(&config.trainer)?),
        ("output", table(&config.output)?),
    ];
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
    Ok(text)
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

fn table(component: &impl Serialize) -> Result<Table, ConfigError> {
    Table::try_from(component).map_err(unwritable)
}

fn unwritable(error: toml::ser::Error) -> ConfigError {
    ConfigError::Unwritable { message: error.to_string() }
}
