//! The arguments of a network that a config describes.

use firebrick_component::{ArgumentError, Component, Family, NoEffect, ReadError, check};
use serde::{Deserialize, Deserializer, Serialize, de};
use toml::{Table, Value};

use super::block::Blocks;
use super::parse::{BLOCKS, Parser, spelled_out};
use super::unused::unused;
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
    /// Layers with every default, blocks as they were given; the last `linear` is the head.
    layers: Vec<Value>,
    #[serde(skip_serializing_if = "Blocks::is_empty")]
    blocks: Blocks,
}

/// The arguments as they are written. `num_classes` takes the place of the head's `out_features`, so that one list
/// of layers serves data with other classes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    /// `[channels, height, width]`, which images are brought to.
    input_shape: [usize; 3],
    /// Layers and blocks one after another; the last `linear` tells the classes apart.
    layers: Vec<Value>,
    /// Blocks of the config's own, by name.
    #[serde(default)]
    blocks: Blocks,
    /// Takes the place of the last `linear`'s `out_features`.
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

    /// Position and arguments of the last `linear`, which tells the classes apart. Behind it stand at most layers
    /// such as `log_softmax`.
    fn head(&self) -> Result<(usize, Linear), ReadError> {
        let name = |layer: &Value| layer.get("name").and_then(Value::as_str).map(str::to_owned);
        let is_head = |layer: &Value| name(layer).as_deref() == Some("linear");
        let Some(index) = self.layers.iter().rposition(is_head) else {
            let expected = "expected a `linear` as the last layer, with one of out_features for each class";
            let got = self.layers.last().map_or("no layers".to_owned(), |last| match name(last) {
                Some(name) => format!("`{name}`"),
                None => "nothing".to_owned(),
            });
            let path = match self.layers.len() {
                0 => "layers".to_owned(),
                count => format!("layers[{}]", count - 1),
            };
            return Err(ReadError::new(path, format!("{expected}, got {got}")));
        };
        let head = self.layers[index].as_table().cloned();
        let mut arguments = head.unwrap_or_else(|| unreachable!("bug: layers[{index}] has a name"));
        arguments.retain(|key, _| key != "name" && key != "as");
        Ok((index, firebrick_component::read(Value::Table(arguments))?))
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
    /// The layers fit together, and those behind the head leave it one number a class.
    fn validate(&self) -> Result<(), ArgumentError> {
        let (got, num_classes) = (self.build()?.num_classes(), self.num_classes());
        let key = format!("layers[{}]", self.layers.len() - 1);
        let expected = format!("{num_classes} features at the end, as the last `linear` gives");
        check::that(got == num_classes, &key, got, expected)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        unused(&self.layers, &self.blocks)
    }
}

impl NetworkConfig for SequentialConfig {
    fn input_shape(&self) -> [usize; 3] {
        self.input_shape
    }

    fn num_classes(&self) -> usize {
        match self.head() {
            Ok((_, head)) => head.out_features,
            Err(error) => unreachable!("bug: the head that was read is none: {error}"),
        }
    }

    fn num_classes_key(&self) -> String {
        match self.head() {
            Ok((index, _)) => format!("layers[{index}].{OUT_FEATURES}"),
            Err(error) => unreachable!("bug: the head that was read is none: {error}"),
        }
    }

    /// It becomes the head's `out_features`.
    fn set_num_classes(&mut self, num_classes: usize) {
        let head = self.head().ok().and_then(|(index, _)| self.layers[index].as_table_mut());
        let Some(head) = head else { unreachable!("bug: the head that was read is none") };
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
