//! Networks that the config describes: what the reader says about them, and what becomes of BatchNorm's
//! running statistics.

use std::str::FromStr;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use firebrick_models::Network;
use firebrick_models::parameters::named_parameters;
use firebrick_train::Config;
use firebrick_train::config::Override;
use firebrick_train::ema::{Ema, EmaConfig};
use firebrick_train::optimizer::Optimizer;
use firebrick_train::weights_hash::weights_sha256;

/// Lines 1 to 8 are the model's.
const GOOD: &str = r#"[model]
name = "sequential"
input_shape = [1, 8, 8]
layers = [
    { name = "conv2d", out_channels = 4, kernel_size = 3 },
    { name = "batch_norm2d" },
    { kernel_size = 2, name = "max_pool2d" },
    { name = "flatten" },
    { name = "linear", out_features = 10 },
]

[data]
dataset = "digits"

[loss]
name = "cross_entropy"

[optimizer]
name = "sgd"
lr = 0.1
weight_decay = 0.5
"#;

fn read(text: &str, sets: &[&str]) -> Result<Config, String> {
    let overrides: Vec<Override> = sets.iter().map(|set| Override::from_str(set).unwrap()).collect();
    Config::from_toml("x.toml", text, &overrides).map_err(|error| error.to_string())
}

#[test]
fn layers_are_written_one_a_line_and_read_back() {
    let config = read(GOOD, &["model.num_classes=7"]).unwrap();
    let text = config.to_toml().unwrap();
    let model = text.split("\n\n").next().unwrap();
    insta::assert_snapshot!(model, @r#"
    [model]
    name = "sequential"
    input_shape = [1, 8, 8]
    layers = [
        { name = "conv2d", bias = true, dilation = 1, groups = 1, kernel_size = 3, out_channels = 4, padding = 0, stride = 1 },
        { name = "batch_norm2d", affine = true, bias = true, eps = 0.00001, momentum = 0.1 },
        { name = "max_pool2d", kernel_size = 2, padding = 0 },
        { name = "flatten" },
        { name = "linear", bias = true, out_features = 7 },
    ]
    "#);
    let again = read(&text, &[]).unwrap();
    assert_eq!(again.model.network, config.model.network);
    assert_eq!(again.to_toml().unwrap(), text);
}

#[test]
fn whatever_is_wrong_with_a_layer_is_said_with_its_place() {
    let cases = [
        (
            "\"batch_norm2d\"",
            "\"batchnorm2d\"",
            "x.toml:6:14: unknown layer `batchnorm2d`",
            "did you mean `batch_norm2d`?",
        ),
        (
            "out_channels = 4",
            "out_chanels = 4",
            "x.toml:5:24: unknown key `out_chanels`",
            "did you mean `out_channels`?",
        ),
        ("out_channels = 4, ", "", "x.toml:5:14: ", "missing key `out_channels`"),
        (
            "kernel_size = 3",
            "kernel_size = \"3\"",
            "x.toml:5:56: ",
            "expected a whole number from 0, or [height, width]",
        ),
        (
            "kernel_size = 3",
            "kernel_size = 9",
            "x.toml:5:56: ",
            "model.layers[0].kernel_size: expected at most 8x8",
        ),
        (
            "kernel_size = 2",
            "kernel_size = 7",
            "x.toml:7:21: ",
            "model.layers[2].kernel_size: expected at most 6x6",
        ),
        ("name = \"max_pool2d\"", "stride = 1", "x.toml:7:", "a layer has no `name`"),
        (
            "    { name = \"flatten\" },\n",
            "",
            "x.toml:8:5: ",
            "model.layers[3]: expected features (put a `flatten` before this), got an image of 4x3x3",
        ),
        (
            "{ name = \"flatten\" }",
            "7",
            "x.toml:8:5: ",
            "model.layers[3]: expected a layer such as { name = \"relu\" }, got an integer",
        ),
        ("input_shape = [1, 8, 8]\n", "", "x.toml:", "missing key `input_shape`"),
        (
            "input_shape = [1, 8, 8]",
            "input_shape = [1, 0, 8]",
            "x.toml:3:15: ",
            "input_shape: expected [channels, height, width]",
        ),
        ("input_shape", "in_channels = 3\ninput_shape", "x.toml:3:1: ", "unknown key `in_channels`"),
        (
            "layers = [",
            "layer = [",
            "x.toml:4:1: ",
            "unknown key `layer`, expected one of `input_shape`, `layers`",
        ),
    ];
    for (was, became, place, says) in cases {
        assert_eq!(GOOD.matches(was).count(), 1, "{was}");
        let message = read(&GOOD.replace(was, became), &[]).unwrap_err();
        assert!(message.starts_with(place), "{became}: expected {place:?} in {message:?}");
        assert!(message.contains(says), "{became}: expected {says:?} in {message:?}");
    }
    let message = read(GOOD, &["model.num_classes=0"]).unwrap_err();
    assert!(
        message.contains("model.num_classes: expected a whole number from 1 to 100000, got 0"),
        "{message}"
    );
}

fn network() -> Network {
    read(GOOD, &[]).unwrap().model.network.init(0, &device())
}

fn device() -> Device {
    Device::flex().autodiff()
}

fn images(factor: f64) -> Tensor<4> {
    Tensor::<1, burn::tensor::Int>::arange(0..128, &device()).float().reshape([2, 1, 8, 8]) * factor
}

/// The bits of every parameter that `wanted` says yes to, by name.
fn bits(model: &Network, wanted: impl Fn(&str) -> bool) -> Vec<(String, Vec<u8>)> {
    let parameters = named_parameters(model).into_iter().filter(|p| wanted(&p.name));
    parameters.map(|p| (p.name, p.data.as_bytes().to_vec())).collect()
}

fn is_statistic(name: &str) -> bool {
    name.contains("running")
}

#[test]
fn running_statistics_are_hashed_but_neither_stepped_nor_decayed() {
    let config = read(GOOD, &[]).unwrap();
    let model = network();
    let mut optimizer = Optimizer::new(&config.optimizer).unwrap();
    optimizer.bind(&model).unwrap();
    let before = weights_sha256(&model);
    let loss = model.forward(images(1.0)).square().mean();
    assert_ne!(weights_sha256(&model), before, "the hash covers the statistics");
    let (statistics, weights) = (bits(&model, is_statistic), bits(&model, |name| !is_statistic(name)));
    assert_eq!(statistics.len(), 2);
    let gradients = GradientsParams::from_grads(loss.backward(), &model);
    let model = optimizer.step(0.1, model, gradients);
    assert_eq!(bits(&model, is_statistic), statistics);
    for (old, new) in weights.iter().zip(bits(&model, |name| !is_statistic(name))) {
        assert_ne!(old, &new, "{} has moved", new.0);
    }
    let slots = optimizer.state().unwrap().parameters;
    assert!(slots.keys().all(|path| !is_statistic(path)), "{:?}", slots.keys());
}

#[test]
fn the_average_has_the_live_statistics_and_shares_none() {
    let live = network();
    let mut ema = Ema::new(&EmaConfig { decay: 0.5 }).unwrap();
    ema.update(&live);
    live.forward(images(1.0));
    let average = ema.averaged(&live);
    assert_eq!(bits(&average, is_statistic), bits(&live, is_statistic));
    live.forward(images(3.0));
    let kept = bits(&average, is_statistic);
    assert_ne!(kept, bits(&live, is_statistic));
    average.clone().train().forward(images(5.0));
    assert_eq!(bits(&average, is_statistic), kept);
}
