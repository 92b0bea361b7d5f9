//! What two configs do not have in common, and whether that makes them two runs.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Config, ConfigError, ModelSection};

/// Keys that may differ from the run that is gone on with: none of them changes a number that the
/// steps behind the checkpoint have produced.
const SAFE_KEYS: [&str; 15] = [
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
    "model.freeze.cache_mb",
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

    /// What a run begins with has no effect on one that goes on.
    pub(crate) fn is_start(&self) -> bool {
        self.key.starts_with("model.weights") || self.key == "model.strict"
    }
}

/// The config that a run which goes on is to record: the present one, with what the run has begun with.
pub(crate) fn with_start_of(earlier: &Config, now: &Config) -> Config {
    let mut recorded = now.clone();
    let (network, freeze) = (now.model.network.clone(), now.model.freeze.clone());
    recorded.model = ModelSection { network, freeze, ..earlier.model.clone() };
    recorded
}

/// Every key that is not a safe one and differs between two configs written as TOML, by this version of Firebrick or
/// an earlier one. Both are read and written again, so that a key with a default which one of them does not know is
/// no difference.
///
/// # Errors
///
/// [`ConfigError`] for a text that is no config.
pub(crate) fn differences(before: &str, now: &str) -> Result<Vec<Difference>, ConfigError> {
    let mut differences = all_differences(before, now)?;
    differences.retain(|difference| !is_safe(&difference.key));
    Ok(differences)
}

/// Every key of `[trainer]` that may differ, and does: no step behind the checkpoint would have other numbers, but how
/// the run goes on is not what it was.
///
/// # Errors
///
/// [`ConfigError`] for a text that is no config.
pub(crate) fn changes_ahead(before: &str, now: &str) -> Result<Vec<Difference>, ConfigError> {
    let mut differences = all_differences(before, now)?;
    differences.retain(|difference| is_safe(&difference.key) && difference.key.starts_with("trainer."));
    Ok(differences)
}

fn all_differences(before: &str, now: &str) -> Result<Vec<Difference>, ConfigError> {
    let before = leaves(&Config::from_toml("the earlier config", before, &[])?)?;
    let now = leaves(&Config::from_toml("the present config", now, &[])?)?;
    let keys: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let absent = || "(absent)".to_owned();
    let differences = keys
        .into_iter()
        .filter(|key| before.get(*key) != now.get(*key))
        .map(|key| Difference {
            key: key.clone(),
            before: before.get(key).cloned().unwrap_or_else(absent),
            now: now.get(key).cloned().unwrap_or_else(absent),
        })
        .collect();
    Ok(differences)
}

fn is_safe(key: &str) -> bool {
    SAFE_KEYS
        .iter()
        .any(|safe| key == *safe || key.strip_prefix(safe).is_some_and(|rest| rest.starts_with('.')))
}

/// `table.key -> value`, every leaf.
fn leaves(config: &Config) -> Result<BTreeMap<String, String>, ConfigError> {
    let unwritable = |error: toml::de::Error| ConfigError::Unwritable { message: error.to_string() };
    let table = config.to_toml()?.parse::<toml::Table>().map_err(unwritable)?;
    let mut leaves = BTreeMap::new();
    walk("", &toml::Value::Table(table), &mut leaves);
    // What a resize that is left out means, in a record.
    if leaves.get("data.resize").is_some_and(|resize| resize == "\"squash\"") {
        leaves.remove("data.resize");
    }
    Ok(leaves)
}

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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::differences;

    const OLD: &str = "[model]\nname = 'lenet'\n[data]\ndataset = 'digits'\n[loss]\nname = 'cross_entropy'\n\
                       [optimizer]\nname = 'sgd'\nlr = 0.1\n[trainer]\nepochs = 2\nbackend = 'flex'\n";

    fn said(now: &str) -> Vec<String> {
        differences(OLD, now).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_key_that_only_one_of_them_spells_out_is_no_difference() {
        let spelt_out = format!("{OLD}seed = 0\n[schedule]\nname = 'none'\n");
        assert!(said(&spelt_out.replace("lr = 0.1", "lr = 1e-1\nmomentum = 0")).is_empty());
    }

    #[test]
    fn what_moves_numbers_is_a_difference_and_what_does_not_is_none() {
        assert_eq!(said(&OLD.replace("lr = 0.1", "lr = 0.2")), ["optimizer.lr: 0.1 -> 0.2"]);
        assert!(said(&OLD.replace("epochs = 2", "epochs = 3\nkeep_last = 9")).is_empty());
        let backend = differences(OLD, &OLD.replace("flex", "ndarray")).unwrap();
        assert!(backend[0].is_backend() && backend.len() == 1);
    }

    #[test]
    fn a_text_that_is_no_config_is_an_error_with_its_place() {
        let error = differences(OLD, &OLD.replace("lr = 0.1", "lr = 'x'")).err().unwrap();
        assert!(
            error.to_string().starts_with("the present config:9:6: optimizer.lr: expected a number"),
            "{error}"
        );
    }
}
