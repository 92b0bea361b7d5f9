//! Layers that do not fit: which one, what it expected, what it got.

use firebrick_models::{ModelConfig, ModelError, SequentialConfig};
use serde_json::{Value, json};

/// The error for these layers behind an image of 3x8x8.
fn refused(layers: Value) -> String {
    let arguments = json!({ "input_shape": [3, 8, 8], "layers": layers });
    ModelConfig::deserialize_named("sequential", arguments).unwrap().unwrap_err().to_string()
}

fn conv(changes: &[(&str, Value)]) -> Value {
    let mut layer = json!({ "name": "conv2d", "out_channels": 4, "kernel_size": 3 });
    for (key, value) in changes {
        layer[key] = value.clone();
    }
    layer
}

fn named(name: &str) -> Value {
    json!({ "name": name })
}

#[test]
fn every_misfit_says_where_what_was_expected_and_what_came() {
    let linear = json!({ "name": "linear", "out_features": 10 });
    let pool = |kernel_size: usize, padding: usize| json!({ "name": "max_pool2d", "kernel_size": kernel_size, "padding": padding });
    let cases: Vec<(Vec<Value>, &str)> = vec![
        (
            vec![linear.clone()],
            "layers[0], `linear`: expected features, got an image of 3x8x8; put a `flatten` before it",
        ),
        (
            vec![named("flatten"), conv(&[])],
            "layers[1], `conv2d`: expected an image, got 192 features; put it before `flatten`",
        ),
        (
            vec![named("flatten"), named("batch_norm2d")],
            "layers[1], `batch_norm2d`: expected an image, got 192 features; put it before `flatten`",
        ),
        (
            vec![named("flatten"), pool(2, 0)],
            "layers[1], `max_pool2d`: expected an image, got 192 features; put it before `flatten`",
        ),
        (
            vec![conv(&[("kernel_size", json!(9))])],
            "layers[0], `conv2d`: kernel_size: expected at most 8x8, which is an image of 3x8x8 with its padding, got 9x9",
        ),
        (
            vec![conv(&[("kernel_size", json!([3, 11])), ("padding", json!(1))])],
            "layers[0], `conv2d`: kernel_size: expected at most 10x10, which is an image of 3x8x8 with its padding, got 3x11",
        ),
        (
            vec![conv(&[("dilation", json!(4))])],
            "layers[0], `conv2d`: kernel_size: expected at most 8x8, which is an image of 3x8x8 with its padding, got 9x9 with its dilation",
        ),
        (
            vec![pool(4, 0), pool(4, 0)],
            "layers[1], `max_pool2d`: kernel_size: expected at most 2x2, which is an image of 3x2x2 with its padding, got 4x4",
        ),
        (
            vec![conv(&[("groups", json!(2))])],
            "layers[0], `conv2d`: groups: expected a divisor of the 3 channels that come in, got 2",
        ),
        (
            vec![conv(&[("groups", json!(3))])],
            "layers[0], `conv2d`: groups: expected a divisor of out_channels = 4, got 3",
        ),
        (
            vec![conv(&[("out_channels", json!(0))])],
            "layers[0], `conv2d`: out_channels: expected 1 to 65536, got 0",
        ),
        (
            vec![conv(&[("kernel_size", json!(0))])],
            "layers[0], `conv2d`: kernel_size: expected 1 to 65536, got 0",
        ),
        (vec![conv(&[("stride", json!([1, 0]))])], "layers[0], `conv2d`: stride: expected 1 to 65536, got 0"),
        (vec![conv(&[("dilation", json!(0))])], "layers[0], `conv2d`: dilation: expected 1 to 65536, got 0"),
        (vec![conv(&[("groups", json!(0))])], "layers[0], `conv2d`: groups: expected 1 to 65536, got 0"),
        (
            vec![conv(&[("padding", json!(1_u64 << 40))])],
            "layers[0], `conv2d`: padding: expected 0 to 65536, got 1099511627776",
        ),
        (
            vec![conv(&[("padding", json!(65536))])],
            "layers[0], `conv2d`: expected at most 268435456 numbers an image, got an image of 4x131078x131078",
        ),
        (
            vec![pool(2, 2)],
            "layers[0], `max_pool2d`: padding: expected at most 1x1, half of kernel_size, got 2x2",
        ),
        (
            vec![json!({ "name": "avg_pool2d", "kernel_size": 2, "stride": 0 })],
            "layers[0], `avg_pool2d`: stride: expected 1 to 65536, got 0",
        ),
        (
            vec![json!({ "name": "adaptive_avg_pool2d", "output_size": 7 })],
            "layers[0], `adaptive_avg_pool2d`: output_size: expected 1, the average of each channel, got 7x7",
        ),
        (
            vec![json!({ "name": "batch_norm2d", "eps": 0.0 })],
            "layers[0], `batch_norm2d`: eps: expected a number above 0, got 0",
        ),
        (
            vec![json!({ "name": "batch_norm2d", "momentum": 1.5 })],
            "layers[0], `batch_norm2d`: momentum: expected 0 to 1, got 1.5",
        ),
        (
            vec![json!({ "name": "dropout", "p": 1.0 })],
            "layers[0], `dropout`: p: expected 0 to below 1, got 1",
        ),
        (
            vec![json!({ "name": "dropout", "p": -0.1 })],
            "layers[0], `dropout`: p: expected 0 to below 1, got -0.1",
        ),
        (
            vec![named("flatten"), json!({ "name": "linear", "out_features": 0 })],
            "layers[1], `linear`: out_features: expected 1 to 100000, got 0",
        ),
        (
            vec![named("flatten"), linear.clone(), named("relu")],
            "layers[2], `relu`: expected a `linear` as the last layer, with one of out_features for each class",
        ),
        (
            vec![
                conv(&[("out_channels", json!(65536)), ("kernel_size", json!(8))]),
                conv(&[("out_channels", json!(65536)), ("kernel_size", json!(1))]),
            ],
            "layers[1], `conv2d`: expected at most 1073741824 parameters, got 4307681280 so far",
        ),
    ];
    for (layers, expected) in cases {
        assert_eq!(refused(json!(layers)), format!("model 'sequential': {expected}"));
    }
    assert_eq!(refused(json!([])), "model 'sequential': layers: expected a `linear` at least, got none");
}

#[test]
fn arguments_are_torchs_and_no_others() {
    let cases = [
        (json!([{ "name": "conv2d", "kernel_size": 3 }]), "missing field `out_channels`"),
        (json!([{ "name": "conv2d", "out_channels": 3 }]), "missing field `kernel_size`"),
        (json!([{ "name": "conv2d", "filters": 3, "kernel_size": 3 }]), "unknown field `filters`"),
        (json!([{ "name": "relu", "inplace": true }]), "unknown field `inplace`"),
        (json!([{ "name": "conv3d" }]), "unknown variant `conv3d`"),
        (json!([conv(&[("kernel_size", json!("3"))])]), "expected a whole number from 0, or [height, width]"),
        (json!([conv(&[("kernel_size", json!(-1))])]), "invalid value: integer `-1`"),
        (json!([conv(&[("kernel_size", json!([1, 2, 3]))])]), "invalid length 3"),
        (json!([conv(&[("kernel_size", json!([1]))])]), "invalid length 1"),
        (json!([{ "kernel_size": 2 }]), "missing field `name`"),
    ];
    for (layers, expected) in cases {
        let error = refused(layers);
        assert!(error.contains(expected), "expected {expected:?} in {error:?}");
    }
    let unknown = json!({ "input_shape": [1, 2, 2], "layers": [], "in_channels": 3 });
    let error = ModelConfig::deserialize_named("sequential", unknown).unwrap().unwrap_err();
    assert!(error.to_string().contains("unknown field `in_channels`"), "{error}");
}

#[test]
fn images_without_pixels_or_beyond_all_measure_are_refused() {
    for input_shape in [[0, 8, 8], [3, 8, 0], [3, 1 << 20, 8], [3, 1 << 15, 1 << 15]] {
        let error = SequentialConfig::new(input_shape, Vec::new(), None).unwrap_err();
        assert_eq!(error, ModelError::InputShape { input_shape });
        let message = error.to_string();
        assert!(
            message.contains("input_shape: expected [channels, height, width], each 1 to 65536"),
            "{message}"
        );
        assert!(message.contains(&format!("got {input_shape:?}")), "{message}");
    }
}
