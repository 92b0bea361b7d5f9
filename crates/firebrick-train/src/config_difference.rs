//! What two configs do not have in common, and whether that makes them two runs.

use std::collections::{BTreeMap, BTreeSet};

/// Keys that may differ from the run that is gone on with: none of them changes a number that the
/// steps behind the checkpoint have produced.
const SAFE_KEYS: [&str; 14] = [
    "trainer.epochs",
    "trainer.max_steps",
    "trainer.checkpoint_every",
    "trainer.checkpoint_every_minutes",
    "trainer.keep_last",
    "trainer.keep_best",
    "trainer.early_stopping",
    "trainer.metrics",
    "trainer.on_divergence",
    "trainer.max_recoveries",
    "data.workers",
    "data.root",
    "data.download",
    "output",
];

/// A key that two configs give different values.
pub(crate) struct Difference {
    key: String,
    before: String,
    now: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {} -> {}", self.key, self.before, self.now)
    }
}

impl Difference {
    /// Another backend changes bits, not the run.
    pub(crate) fn is_backend(&self) -> bool {
        self.key == "trainer.backend"
    }
}

/// Every key that is not a safe one and differs between two configs written as TOML.
pub(crate) fn differences(before: &str, now: &str) -> Vec<Difference> {
    let (before, now) = (leaves(before), leaves(now));
    let keys: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let absent = || "(absent)".to_owned();
    keys.into_iter()
        .filter(|key| before.get(*key) != now.get(*key))
        .filter(|key| !is_safe(key))
        .map(|key| Difference {
            key: key.clone(),
            before: before.get(key).cloned().unwrap_or_else(absent),
            now: now.get(key).cloned().unwrap_or_else(absent),
        })
        .collect()
}

fn is_safe(key: &str) -> bool {
    SAFE_KEYS
        .iter()
        .any(|safe| key == *safe || key.strip_prefix(safe).is_some_and(|rest| rest.starts_with('.')))
}

/// `table.key -> value`, every leaf.
pub(crate) fn leaves(text: &str) -> BTreeMap<String, String> {
    fn walk(prefix: &str, value: &toml::Value, into: &mut BTreeMap<String, String>) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    walk(&path, value, into);
                }
            }
            leaf => {
                into.insert(prefix.to_owned(), leaf.to_string());
            }
        }
    }
    let mut leaves = BTreeMap::new();
    if let Ok(table) = text.parse::<toml::Table>() {
        walk("", &toml::Value::Table(table), &mut leaves);
    }
    leaves
}
