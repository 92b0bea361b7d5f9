//! One line of a config, and why it says what it says.

use toml::{Table, Value};

use super::asked::Asked;

/// A value of the config and the reason for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Its path in the config, such as `data.batch_size`.
    pub key: &'static str,
    /// What it is.
    pub value: Value,
    /// Why, in a few words; empty where there is nothing to explain.
    pub why: String,
}

/// The choices of a recipe in the order of the config.
#[derive(Clone, Debug, Default)]
pub(super) struct Choices(pub(super) Vec<Choice>);

impl Choices {
    pub(super) fn add(&mut self, key: &'static str, value: impl Into<Value>, why: impl Into<String>) {
        self.0.push(Choice { key, value: value.into(), why: why.into() });
    }

    /// Leaves out what was asked for otherwise.
    pub(super) fn without(mut self, asked: &Asked) -> Vec<Choice> {
        self.0.retain(|choice| !asked.has(choice.key));
        self.0
    }
}

/// A component: its name and arguments.
pub(super) fn component<const N: usize>(name: &str, arguments: [(&str, Value); N]) -> Value {
    let name = ("name".to_owned(), Value::from(name));
    let arguments = arguments.into_iter().map(|(key, value)| (key.to_owned(), value));
    Value::Table(std::iter::once(name).chain(arguments).collect::<Table>())
}

/// The choices as a config's text, with the reasons behind them as comments.
pub(super) fn to_toml(choices: &[Choice]) -> String {
    let mut text = String::new();
    let mut current = "";
    for choice in choices {
        let (table, key) = choice
            .key
            .split_once('.')
            .unwrap_or_else(|| unreachable!("bug: the key `{}` is in no table", choice.key));
        if table != current {
            let blank = if current.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{blank}[{table}]\n"));
            current = table;
        }
        text.push_str(&lines(key, choice));
    }
    text
}

/// A list of components has a line for each.
fn lines(key: &str, choice: &Choice) -> String {
    let why = if choice.why.is_empty() { String::new() } else { format!("    # {}", choice.why) };
    match &choice.value {
        Value::Array(items) if items.iter().any(Value::is_table) => {
            let items: String = items.iter().map(|item| format!("    {},\n", inline(item))).collect();
            format!("{key} = [{why}\n{items}]\n")
        }
        value => format!("{key} = {}{why}\n", inline(value)),
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
