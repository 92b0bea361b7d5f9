//! What the caller has decided already: the keys of `--set`.

use toml::{Table, Value};

use crate::config::Override;

/// The overrides as one table, later ones winning.
pub(super) struct Asked(Table);

impl Asked {
    pub(super) fn of(overrides: &[Override]) -> Self {
        let mut root = Table::new();
        for one in overrides {
            let keys = one.keys();
            let Some((last, parents)) = keys.split_last() else { continue };
            let mut table = &mut root;
            for key in parents {
                let entry = table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new()));
                if !entry.is_table() {
                    *entry = Value::Table(Table::new());
                }
                let Value::Table(inner) = entry else { unreachable!("bug: a table was put here") };
                table = inner;
            }
            table.insert(last.clone(), one.value());
        }
        Self(root)
    }

    /// The value that was given for a key such as `model.name`.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        let mut keys = key.split('.');
        let first = self.0.get(keys.next()?)?;
        keys.try_fold(first, |value, key| value.get(key))
    }

    /// The same, if it is a text.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// Whether the key, or the table that it is in, was given as a whole.
    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }
}
