//! Names, arguments and limits of the registry.

use burn::module::Module;
use burn::tensor::Tensor;
use firebrick_models::weights::parameter_infos;
use firebrick_models::{ImageClassifier, ModelConfig, TuduiConfig};
use serde_json::json;

use super::support::{SMALL, WRITTEN, all_bits, config, flex};

#[test]
fn every_name_gives_the_model_of_that_name() {
    for name in SMALL {
        let config = config(name);
        assert_eq!(config.name(), name);
        assert_eq!(config.num_classes(), 10);
    }
    for name in WRITTEN {
        let written = serde_json::to_value(config(name)).unwrap();
        assert_eq!(written, json!({ "name": name, "num_classes": 10 }));
    }
    assert!(ModelConfig::deserialize_named("resnet", json!({})).is_none());
}

#[test]
fn unknown_arguments_and_wrong_types_are_refused() {
    let error = |arguments: serde_json::Value| {
        let read: Option<Result<_, serde_json::Error>> = ModelConfig::deserialize_named("tudui", arguments);
        read.unwrap().unwrap_err().to_string()
    };
    assert!(error(json!({ "num_class": 3 })).contains("unknown field `num_class`"));
    assert!(error(json!({ "num_classes": -1 })).contains("invalid value"));
    assert!(error(json!({ "num_classes": "ten" })).contains("invalid type"));
}

#[test]
fn class_counts_that_no_network_has_are_refused() {
    let check = |num_classes| ModelConfig::Tudui(TuduiConfig { num_classes }).validate();
    assert!(check(1).is_ok());
    assert!(check(100_000).is_ok());
    insta::assert_snapshot!(check(0).unwrap_err(), @"num_classes: expected a whole number from 1 to 100000, got 0");
    assert!(check(1 << 40).is_err());
}

#[test]
fn parameter_paths_do_not_name_the_variant() {
    let names = |name| -> Vec<String> {
        let infos = parameter_infos(&config(name).init(0, &flex()));
        infos.into_iter().map(|info| info.name).collect()
    };
    let lenet = "conv1 conv2 fc1 fc2 fc3";
    let tudui = "conv1 conv2 conv3 fc1 fc2";
    for (name, layers) in [("lenet", lenet), ("tudui", tudui)] {
        let expected: Vec<String> = layers
            .split(' ')
            .flat_map(|layer| [format!("{layer}.weight"), format!("{layer}.bias")])
            .collect();
        assert_eq!(names(name), expected);
    }
}

#[test]
fn the_hand_written_module_does_what_the_derive_does() {
    for name in SMALL {
        let model = config(name).init(0, &flex().autodiff());
        let [c, h, w] = model.input_shape();
        assert!(!model.devices().is_empty());
        let bits = all_bits(&model);
        let valid = model.valid();
        assert_eq!(bits, all_bits(&valid));
        assert_eq!(bits, all_bits(&valid.clone().train()));
        assert_eq!(bits, all_bits(&model.clone().fork(&flex())));
        assert_eq!(bits, all_bits(&model.clone().to_device(&flex())));
        assert_eq!(bits, all_bits(&model.clone().materialize()));
        let record = model.clone().into_record();
        let other = config(name).init(1, &flex()).load_record(record);
        assert_eq!(bits, all_bits(&other));
        let images_nchw = Tensor::<4>::ones([1, c, h, w], &flex());
        assert!(!valid.forward(images_nchw).is_require_grad());
    }
}
