//! The families of other crates whose readers and checks do not say at which key they fail.

use firebrick_component::{ArgumentError, Family, ReadError, read_family};
use firebrick_data::DataError;
use firebrick_loss::{LossConfig, LossError};
use firebrick_models::sequential::LayerConfig;
use firebrick_models::{ModelConfig, ModelError};
use serde::{Deserializer, de};
use toml::{Table, Value};

/// A family that reads itself by name.
macro_rules! family {
    ($family:ident, $config:ty, $kind:literal) => {
        struct $family($config);

        impl Family for $family {
            const KIND: &'static str = $kind;

            fn names() -> Vec<&'static str> {
                <$config>::NAMES.to_vec()
            }

            fn read_named(name: &str, arguments: Table) -> Option<Result<Self, ReadError>> {
                let mut track = serde_path_to_error::Track::new();
                let arguments = serde_path_to_error::Deserializer::new(Value::Table(arguments), &mut track);
                let config = <$config>::deserialize_named(name, arguments)?;
                Some(config.map(Self).map_err(|error| {
                    let path = track.path().to_string();
                    ReadError::new(if path == "." { "" } else { &path }, error.message())
                }))
            }
        }
    };
}

family!(AnyLoss, LossConfig, "loss");
family!(AnyModel, ModelConfig, "model");
family!(AnyLayer, LayerConfig, "layer");

/// Reads `[loss]`.
pub(super) fn loss<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LossConfig, D::Error> {
    let value = <Value as serde::Deserialize>::deserialize(deserializer)?;
    read_family::<AnyLoss>(value).map(|loss| loss.0).map_err(de::Error::custom)
}

/// Reads the network of `[model]`; of a list of layers, each with its place.
pub(super) fn read_model(value: Value) -> Result<ModelConfig, ReadError> {
    for (index, layer) in value.get("layers").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let within = |error: ReadError| error.within(&format!("layers[{index}]"));
        if !layer.is_table() {
            let message =
                format!("expected a layer such as {{ name = \"relu\" }}, got a {}", layer.type_str());
            return Err(within(ReadError::new("", message)));
        }
        read_family(layer.clone()).map(|layer: AnyLayer| drop(layer.0)).map_err(within)?;
    }
    read_family::<AnyModel>(value).map(|model| model.0).map_err(|error| {
        let path = layer_in(&error.message).unwrap_or(error.path);
        ReadError::new(path, error.message)
    })
}

/// `layers[3]` of "model 'sequential': layers[3], `linear`: ..", or `input_shape`.
fn layer_in(message: &str) -> Option<String> {
    if message.starts_with("model 'sequential': input_shape: ") {
        return Some("input_shape".to_owned());
    }
    let (index, _) = message.split_once(": layers[")?.1.split_once(']')?;
    Some(format!("layers[{index}]"))
}

pub(super) fn model_error(error: ModelError) -> ArgumentError {
    match error {
        ModelError::NumClasses { num_classes, .. } => ArgumentError::new(
            "num_classes",
            format!("1 to {}", firebrick_models::registry::MAX_CLASSES),
            num_classes,
        ),
        other => ArgumentError::new("name", "a network whose parts fit together", other),
    }
}

pub(super) fn loss_error(error: LossError) -> ArgumentError {
    match error {
        LossError::Argument { argument, expected, got, .. } => ArgumentError::new(argument, expected, got),
        other => ArgumentError::new("name", "a loss with arguments in range", other),
    }
}

pub(super) fn data_error(error: DataError) -> ArgumentError {
    match error {
        DataError::Argument { key, expected, got } => ArgumentError::new(key, expected, got),
        other => ArgumentError::new("dataset", "data with arguments in range", other),
    }
}
