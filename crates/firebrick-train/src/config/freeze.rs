//! `model.freeze`.

use std::fmt;

use firebrick_component::{ArgumentError, check};
use firebrick_models::{LayerDepths, NetworkPlan};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Most MiB that may be asked for; more is a typing error.
const MAX_CACHE_MB: u64 = 1 << 24;

/// `model.freeze`: parameters that training leaves alone. A list of patterns alone stands for a table with `parameters`.
///
/// ```toml
/// [model]
/// freeze = ["*", "!fc.*"]
/// # or
/// freeze = { parameters = ["*", "!fc.*"], until_epoch = 3 }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct FreezeConfig {
    /// Patterns over the parameters' paths, such as `"layer1.*"`: `*` stands for any text (dots too), `?` for any one
    /// character, and a pattern behind `!` takes parameters out again. They are read from left to right; the last one that
    /// matches decides. A normalisation whose parameters are all frozen keeps its running statistics, too.
    pub parameters: Vec<String>,
    /// Frozen in this many epochs, and trained from the next one on; left out: frozen to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_epoch: Option<u64>,
    /// Most memory, in MiB, for the outputs of the frozen layers at the network's beginning: where training images are not
    /// changed at random, these are computed once for each image. Changes no number; 0: they are computed each time.
    #[serde(default = "default_cache_mb")]
    pub cache_mb: u64,
}

fn default_cache_mb() -> u64 {
    1024
}

impl FreezeConfig {
    /// Patterns, and the other arguments' defaults.
    pub fn new(parameters: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let parameters = parameters.into_iter().map(Into::into).collect();
        Self { parameters, until_epoch: None, cache_mb: default_cache_mb() }
    }

    /// Everything but the last layer of a network, and a normalisation in front of it that no other layer has.
    pub fn all_but_last(network: &NetworkPlan) -> Self {
        let depths = LayerDepths::of_plan(network);
        let is_last = |path: &String| depths.from_end(&format!("{path}.weight")) == 0;
        let layers = network.layers().iter().filter(|layer| layer.num_parameters() > 0);
        let last = layers.map(|layer| layer.path.clone()).filter(is_last);
        Self::new(std::iter::once("*".to_owned()).chain(last.map(|path| format!("!{path}.*"))))
    }

    /// Checks the arguments by themselves.
    ///
    /// # Errors
    ///
    /// The first wrong one; its key is its path in `model.freeze`.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        let expected = "patterns over the parameters' paths, such as [\"*\", \"!fc.*\"]";
        check::that(!self.parameters.is_empty(), "parameters", "none", expected)?;
        check::that(self.until_epoch != Some(0), "until_epoch", 0, "a number of epochs from 1 on")?;
        check::in_range("cache_mb", self.cache_mb as usize, 0, MAX_CACHE_MB as usize)
    }
}

/// As a table, always.
impl Serialize for FreezeConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FreezeConfig::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for FreezeConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListOrTable;
        impl<'de> Visitor<'de> for ListOrTable {
            type Value = FreezeConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a list of patterns such as [\"*\", \"!fc.*\"], or a table such as { parameters = [\"*\", \"!fc.*\"], \
                     until_epoch = 3 }",
                )
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<FreezeConfig, A::Error> {
                Vec::<String>::deserialize(SeqAccessDeserializer::new(items)).map(FreezeConfig::new)
            }

            fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<FreezeConfig, A::Error> {
                FreezeConfig::deserialize(MapAccessDeserializer::new(keys))
            }
        }
        deserializer.deserialize_any(ListOrTable)
    }
}
