//! Networks by their names.

use firebrick_models::ModelConfig;
use toml::{Table, Value};

/// A network with its arguments by default; none for a name that is unknown or needs arguments.
pub(super) fn network(name: &str) -> Option<ModelConfig> {
    let table = Table::from_iter([("name".to_owned(), Value::from(name))]);
    firebrick_component::read(Value::Table(table)).ok()
}

/// A network that is in the zoo.
pub(super) fn known(name: &str) -> ModelConfig {
    network(name).unwrap_or_else(|| unreachable!("bug: there is no network `{name}`"))
}
