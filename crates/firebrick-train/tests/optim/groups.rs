//! Parameter groups: who gets which arguments, and what is refused.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::Device;
use firebrick_train::optimizer::{Optimizer, OptimizerConfig, OptimizerError};
use serde_json::json;

use crate::support::{bound, devices, gradients_for, optimizer_config, values_of, with_values};

#[derive(Module, Debug)]
struct Small {
    body: Linear,
    norm: BatchNorm,
    fc: Linear,
}

/// All parameters are 1, and so are their gradients: body.weight, body.bias, norm.gamma, norm.beta,
/// fc.weight, fc.bias. The norm's two running statistics stand behind its parameters.
fn small(device: &Device) -> Small {
    let model = Small {
        body: LinearConfig::new(1, 1).init(device),
        norm: BatchNormConfig::new(1).init(device),
        fc: LinearConfig::new(1, 1).init(device),
    };
    with_values(model, &vec![vec![1.0]; 6])
}

/// The trainable parameters after one step of `lr`.
fn after_step(config: &OptimizerConfig, lr: f64) -> Vec<f32> {
    let (_, device) = devices().remove(0);
    let model = small(&device);
    let mut optimizer = bound(config, &model);
    let gradients = gradients_for(&model, &vec![vec![1.0]; 6]);
    let values = values_of(&optimizer.step(lr, model, gradients));
    [0, 1, 2, 3, 6, 7].map(|index| values[index][0]).to_vec()
}

fn assert_all_near(actual: &[f32], expected: &[f32]) {
    let is_near = actual.iter().zip(expected).all(|(a, e)| (a - e).abs() < 1e-6);
    assert!(is_near && actual.len() == expected.len(), "got {actual:?}, expected {expected:?}");
}

#[test]
fn groups_may_overlap_and_the_last_to_set_an_argument_wins() {
    let config = optimizer_config(
        "sgd",
        json!({ "lr": 0.1, "weight_decay": 1.0, "groups": [
            { "match": "*.bias", "weight_decay": 0.0 },
            { "match": "fc*", "lr": 0.01 },
            { "match": "fc.weigh?", "weight_decay": 3.0 },
        ] }),
    );
    // p - lr * (1 + weight_decay * p)
    assert_all_near(&after_step(&config, 0.1), &[0.8, 0.9, 0.8, 0.8, 0.96, 0.99]);
}

#[test]
fn group_lr_keeps_its_ratio_to_the_schedule() {
    let config = optimizer_config("sgd", json!({ "lr": 0.1, "groups": [{ "match": "fc*", "lr": 0.01 }] }));
    assert_all_near(&after_step(&config, 0.05), &[0.95, 0.95, 0.95, 0.95, 0.995, 0.995]);
}

#[test]
fn no_decay_on_bias_and_norm_leaves_weights_decaying() {
    let config =
        optimizer_config("sgd", json!({ "lr": 0.1, "weight_decay": 1.0, "no_decay_on_bias_and_norm": true }));
    assert_all_near(&after_step(&config, 0.1), &[0.8, 0.9, 0.9, 0.9, 0.8, 0.9]);
}

#[test]
fn group_speaks_louder_than_no_decay() {
    let config = optimizer_config(
        "sgd",
        json!({ "lr": 0.1, "weight_decay": 1.0, "no_decay_on_bias_and_norm": true,
                "groups": [{ "match": "norm.gamma", "weight_decay": 2.0 }] }),
    );
    assert_all_near(&after_step(&config, 0.1), &[0.8, 0.9, 0.7, 0.9, 0.8, 0.9]);
}

#[test]
fn momentum_betas_and_eps_can_differ() {
    let config = optimizer_config(
        "adam",
        json!({ "lr": 0.1, "groups": [{ "match": "body*", "eps": 1.0 }, { "match": "fc*", "betas": [0.0, 0.0] }] }),
    );
    // The first step of Adam is lr * g / (|g| + eps) whatever the betas.
    assert_all_near(&after_step(&config, 0.1), &[0.95, 0.95, 0.9, 0.9, 0.9, 0.9]);
}

fn bind_error(arguments: serde_json::Value) -> String {
    let (_, device) = devices().remove(0);
    let mut optimizer = Optimizer::new(&optimizer_config("sgd", arguments)).unwrap();
    optimizer.bind(&small(&device)).unwrap_err().to_string()
}

#[test]
fn pattern_that_matches_nothing_lists_the_parameters() {
    assert_eq!(
        bind_error(json!({ "groups": [{ "match": "*.bias" }, { "match": "cf*", "lr": 0.1 }] })),
        "optimizer.groups[1]: match = \"cf*\" matches no trainable parameter: expected a pattern \
         (* is any text, ? any character) for at least one of \
         body.bias, body.weight, fc.bias, fc.weight, norm.beta, norm.gamma"
    );
}

#[test]
fn running_statistics_are_no_parameters() {
    assert!(bind_error(json!({ "groups": [{ "match": "norm.running*" }] })).contains("matches no trainable"));
}

#[test]
fn frozen_model_has_nothing_to_train() {
    let (_, device) = devices().remove(0);
    let mut optimizer = Optimizer::new(&OptimizerConfig::default()).unwrap();
    let error = optimizer.bind(&small(&device).freeze()).unwrap_err();
    assert!(matches!(error, OptimizerError::NoParameters), "{error}");
}

#[test]
fn group_cannot_set_what_the_optimizer_lacks() {
    let config = optimizer_config("sgd", json!({ "groups": [{ "match": "*", "betas": [0.9, 0.9] }] }));
    assert_eq!(
        config.validate().unwrap_err().to_string(),
        "groups[0].betas: expected an argument that a group of sgd may set (`lr`, `weight_decay`, `momentum`), \
         got `betas`"
    );
}

#[test]
fn group_arguments_are_checked_like_the_optimizers_own() {
    let config = optimizer_config("adam", json!({ "groups": [{ "match": "fc*", "lr": -1.0 }] }));
    assert_eq!(
        config.validate().unwrap_err().to_string(),
        "groups[0].lr: expected a finite number >= 0, got -1"
    );
}

#[test]
fn arguments_out_of_range_are_named() {
    let refused = [
        ("sgd", json!({ "lr": -0.1 }), "lr", "-0.1"),
        ("sgd", json!({ "momentum": -1.0 }), "momentum", "-1"),
        ("sgd", json!({ "nesterov": true }), "nesterov", "true"),
        ("sgd", json!({ "nesterov": true, "momentum": 0.9, "dampening": 0.1 }), "nesterov", "true"),
        ("adam", json!({ "betas": [0.9, 1.0] }), "betas[1]", "1"),
        ("adamw", json!({ "betas": [-0.1, 0.9] }), "betas[0]", "-0.1"),
        ("adamax", json!({ "eps": -1.0 }), "eps", "-1"),
        ("nadam", json!({ "momentum_decay": -1.0 }), "momentum_decay", "-1"),
        ("radam", json!({ "weight_decay": -1.0 }), "weight_decay", "-1"),
        ("rmsprop", json!({ "alpha": -1.0 }), "alpha", "-1"),
        ("adagrad", json!({ "lr_decay": -1.0 }), "lr_decay", "-1"),
        ("adadelta", json!({ "rho": 1.5 }), "rho", "1.5"),
        ("lion", json!({ "betas": [0.9, 2.0] }), "betas[1]", "2"),
        ("muon", json!({ "ns_steps": 100 }), "ns_steps", "100"),
        ("muon", json!({ "adamw": { "lr": -1.0 } }), "adamw.lr", "-1"),
    ];
    for (name, arguments, key, got) in refused {
        let message = optimizer_config(name, arguments).validate().unwrap_err().to_string();
        let is_right =
            message.starts_with(&format!("{key}: expected ")) && message.ends_with(&format!(", got {got}"));
        assert!(is_right, "{name}: {message}");
    }
}

#[test]
fn nan_is_refused_everywhere() {
    for name in OptimizerConfig::NAMES {
        let default = serde_json::to_value(optimizer_config(name, json!({}))).unwrap();
        for (argument, value) in default.as_object().unwrap() {
            if value.is_f64() {
                // JSON has no NaN; TOML does.
                let config = from_toml(name, &format!("{argument} = nan"));
                let message = config.validate().unwrap_err().to_string();
                assert!(
                    message.starts_with(&format!("{argument}: expected")) && message.ends_with("got NaN"),
                    "{message}"
                );
            }
        }
    }
}

fn from_toml(name: &str, text: &str) -> OptimizerConfig {
    let arguments: toml::Table = toml::from_str(text).unwrap();
    OptimizerConfig::deserialize_named(name, arguments).unwrap().unwrap()
}

#[test]
fn unknown_arguments_and_names_are_refused() {
    assert!(OptimizerConfig::deserialize_named("sdg", json!({})).is_none());
    for name in OptimizerConfig::NAMES {
        let error =
            OptimizerConfig::deserialize_named(name, json!({ "leraning_rate": 1 })).unwrap().unwrap_err();
        assert!(error.to_string().contains("unknown field `leraning_rate`"), "{error}");
    }
}

#[test]
fn config_survives_toml() {
    for name in OptimizerConfig::NAMES {
        let config =
            optimizer_config(name, json!({ "lr": 0.5, "groups": [{ "match": "*.bias", "lr": 0.1 }] }));
        let mut table: toml::Table = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
        let written_name = table.remove("name").unwrap();
        assert_eq!(written_name.as_str(), Some(*name));
        assert_eq!(OptimizerConfig::deserialize_named(name, table).unwrap().unwrap(), config);
        assert_eq!(config.name(), *name);
    }
}
