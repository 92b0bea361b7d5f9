//! The arguments of a network that a config describes.

use firebrick_component::{ArgumentError, Component, Family, ReadError, check};
use serde::{Deserialize, Deserializer, Serialize, de};
use toml::{Table, Value};

use super::block::Blocks;
use super::parse::{BLOCKS, Parser, spelled_out};
use crate::layer::{LayerConfig, Linear};
use crate::network::{NetworkConfig, NetworkPlan};
use crate::shape::MAX_CLASSES;

/// The key of the head's class count.
const OUT_FEATURES: &str = "out_features";

/// Layers and blocks that fit together.
///
/// The only way to make one is to read it, which checks it; so a network can always be built.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SequentialConfig {
    input_shape: [usize; 3],
    /// Layers with every default, blocks as they were given; the last is a `linear`.
    layers: Vec<Value>,
    #[serde(skip_serializing_if = "Blocks::is_empty")]
    blocks: Blocks,
}

/// The arguments as they are written. `num_classes` takes the place of the last layer's `out_features`, so that one list of layers
/// serves data with other classes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    input_shape: [usize; 3],
    layers: Vec<Value>,
    #[serde(default)]
    blocks: Blocks,
    #[serde(default)]
    num_classes: Option<usize>,
}

impl<'de> Deserialize<'de> for SequentialConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::checked(Given::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl SequentialConfig {
    fn checked(given: Given) -> Result<Self, ReadError> {
        let Given { input_shape, layers, blocks, num_classes } = given;
        check_blocks(&blocks)?;
        Parser::new(&blocks).list(&layers, "layers")?;
        let layers = layers.into_iter().map(spelled_out).collect();
        let mut config = Self { input_shape, layers, blocks };
        config.head()?;
        if let Some(num_classes) = num_classes {
            check::in_range("num_classes", num_classes, 1, MAX_CLASSES).map_err(unreadable)?;
            config.set_num_classes(num_classes);
        }
        config.validate().map_err(unreadable)?;
        Ok(config)
    }

    /// The last layer, which tells the classes apart.
    fn head(&self) -> Result<Linear, ReadError> {
        let refused = |path: &str, got: &str| {
            let expected = "expected a `linear` as the last layer, with one of out_features for each class";
            ReadError::new(path, format!("{expected}, got {got}"))
        };
        let Some(last) = self.layers.last() else { return Err(refused("layers", "no layers")) };
        let name = last.get("name").and_then(Value::as_str);
        let Some("linear") = name else {
            let name = name.map_or("nothing".to_owned(), |name| format!("`{name}`"));
            return Err(refused(&format!("layers[{}]", self.layers.len() - 1), &name));
        };
        let mut arguments =
            last.as_table().cloned().unwrap_or_else(|| unreachable!("bug: {last} has a name"));
        arguments.retain(|key, _| key != "name" && key != "as");
        firebrick_component::read(Value::Table(arguments))
    }
}

fn unreadable(error: ArgumentError) -> ReadError {
    let ArgumentError { key, expected, got } = error;
    ReadError::new(key, format!("expected {expected}, got {got}"))
}

/// Names that mean something else already, and blocks whose layers cannot be read even with their own defaults.
fn check_blocks(blocks: &Blocks) -> Result<(), ReadError> {
    for (name, block) in blocks {
        let key = format!("blocks.{name}");
        if BLOCKS.contains(&name.as_str()) || LayerConfig::names().contains(&name.as_str()) {
            let message = format!("expected a name that no layer and no block has, got `{name}`");
            return Err(ReadError::new(key, message));
        }
        let reserved = ["name", "as"].into_iter().find(|reserved| block.arguments.contains_key(*reserved));
        if let Some(reserved) = reserved {
            let message = format!("expected another name for an argument, got `{reserved}`");
            return Err(ReadError::new(format!("{key}.arguments.{reserved}"), message));
        }
        Parser::new(blocks).own_block(name, Table::new(), &key)?;
    }
    Ok(())
}

impl Component for SequentialConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        self.build().map(drop)
    }
}

impl NetworkConfig for SequentialConfig {
    fn input_shape(&self) -> [usize; 3] {
        self.input_shape
    }

    fn num_classes(&self) -> usize {
        match self.head() {
            Ok(head) => head.out_features,
            Err(error) => unreachable!("bug: the head that was read is none: {error}"),
        }
    }

    /// It becomes the last layer's `out_features`.
    fn set_num_classes(&mut self, num_classes: usize) {
        let Some(Value::Table(head)) = self.layers.last_mut() else {
            unreachable!("bug: the last layer that was read is none")
        };
        // TOML's whole numbers end at 2^63; `validate` refuses those and smaller ones.
        let num_classes = i64::try_from(num_classes).unwrap_or(i64::MAX);
        head.insert(OUT_FEATURES.to_owned(), Value::Integer(num_classes));
    }

    fn build(&self) -> Result<NetworkPlan, ArgumentError> {
        match Parser::new(&self.blocks).list(&self.layers, "layers") {
            Ok(nodes) => NetworkPlan::new("Sequential", self.input_shape, nodes),
            Err(error) => unreachable!("bug: layers that were read cannot be read again: {error}"),
        }
    }
}
