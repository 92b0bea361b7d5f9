//! `[model]`: the network and the weights that it starts from.

use std::path::PathBuf;

use firebrick_component::{ArgumentError, NoEffect, ReadError, read, take};
use firebrick_models::ModelConfig;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use toml::{Table, Value};

use super::freeze::FreezeConfig;
use super::start_weights::StartWeights;

/// Keys of the table that are not the network's own.
const KEYS: [&str; 4] = ["weights", "weights_key", "strict", "freeze"];
/// The network's key that may be left out.
const NUM_CLASSES: &str = "num_classes";

/// `[model]`: the network's `name` and arguments, and beside them the keys below.
#[derive(Debug, Clone)]
pub struct ModelSection {
    /// Which network, with its arguments.
    pub network: ModelConfig,
    /// Weights to start from: `"imagenet"`, what torchvision publishes for the network (docs/networks.md says for which,
    /// and in which versions), fetched once and kept; or the path of a file: what `torch.save` writes under any name,
    /// `.safetensors` or `.bpk`. torch's initialisation when absent. A last layer for another number of classes stays
    /// fresh.
    pub weights: Option<StartWeights>,
    /// Where in `weights` the network lies, such as `"params_ema"` or `"checkpoint.ema"`; needed where several networks in
    /// the file fit equally well. Absent: wherever one fits; of several, the one under `state_dict`, `model_state_dict` or
    /// `model`, and the run says so.
    pub weights_key: Option<String>,
    /// With `false`, tensors of `weights` that are missing, extra or, in the last layer, of another shape are reported
    /// instead of refused.
    pub strict: bool,
    /// Parameters that training leaves alone: patterns over their paths, or a table of the keys below. Everything is trained
    /// when absent.
    pub freeze: Option<FreezeConfig>,
    /// Whether `num_classes` was left out, so that the data's classes are counted. The network has its default until then.
    pub counts_classes: bool,
}

impl ModelSection {
    /// Checks every value by itself.
    ///
    /// # Errors
    ///
    /// The first wrong one; its key is its path in the table `[model]`.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        if let (None, Some(key)) = (&self.weights, &self.weights_key) {
            return Err(ArgumentError::new(
                "weights_key",
                "`weights` beside it: the file that has this key",
                key,
            ));
        }
        if let Some(freeze) = &self.freeze {
            freeze.validate().map_err(|error| error.within("freeze"))?;
        }
        self.network.validate()?;
        match &self.weights {
            Some(weights) => weights.published(&self.network).map(drop),
            None => Ok(()),
        }
    }

    /// Gives the network the class count of the data, where the config leaves it open.
    pub fn count_classes(&mut self, num_classes: usize) {
        if std::mem::take(&mut self.counts_classes) {
            self.network.set_num_classes(num_classes);
        }
    }

    /// Keys that were given and change nothing.
    pub fn without_effect(&self) -> Vec<NoEffect> {
        let mut found = self.network.without_effect();
        if !self.strict && self.weights.is_none() {
            found.push(NoEffect::new("strict", "there are no weights to load (model.weights)"));
        }
        found
    }

    fn read(mut value: Value) -> Result<Self, ReadError> {
        let (mut weights, mut weights_key, mut strict, mut freeze) = (None::<PathBuf>, None, None, None);
        let mut gives_classes = false;
        if let Value::Table(table) = &mut value {
            weights = take(table, "weights")?;
            weights_key = take(table, "weights_key")?;
            strict = take(table, "strict")?;
            freeze = take(table, "freeze")?;
            gives_classes = table.contains_key(NUM_CLASSES);
        }
        let network: ModelConfig = read(value).map_err(with_own_keys)?;
        let counts_classes = !gives_classes && takes_num_classes(&network);
        let weights = weights.map(|path| StartWeights::from_text(&path.to_string_lossy(), &network));
        Ok(Self { network, weights, weights_key, strict: strict.unwrap_or(true), freeze, counts_classes })
    }
}

/// Whether the class count is an argument of its own.
fn takes_num_classes(network: &ModelConfig) -> bool {
    let is_written = || Table::try_from(network).is_ok_and(|table| table.contains_key(NUM_CLASSES));
    network.num_classes_key() == NUM_CLASSES && is_written()
}

/// The network's error for an unknown key lists the network's keys; this adds those of the section.
fn with_own_keys(mut error: ReadError) -> ReadError {
    let is_own = !error.path.contains(['.', '[']);
    if let (true, Some(rest)) = (is_own, error.message.strip_prefix("unknown field ")) {
        let mut names = rest.split('`').skip(1).step_by(2);
        if let Some(got) = names.next() {
            let known: Vec<String> = names.chain(KEYS).map(|key| format!("`{key}`")).collect();
            error.message = format!("unknown field `{got}`, expected one of {}", known.join(", "));
        }
    }
    error
}

impl<'de> Deserialize<'de> for ModelSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Serialize for ModelSection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut table = Table::try_from(&self.network).map_err(S::Error::custom)?;
        if self.counts_classes {
            table.remove(NUM_CLASSES);
        }
        if let Some(weights) = &self.weights {
            table.insert("weights".to_owned(), Value::String(weights.text(&self.network)));
            if let Some(key) = &self.weights_key {
                table.insert("weights_key".to_owned(), Value::String(key.clone()));
            }
            table.insert("strict".to_owned(), Value::Boolean(self.strict));
        }
        if let Some(freeze) = &self.freeze {
            table.insert("freeze".to_owned(), Value::try_from(freeze).map_err(S::Error::custom)?);
        }
        table.serialize(serializer)
    }
}
