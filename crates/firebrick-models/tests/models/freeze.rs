//! Frozen parameters: no gradient, running statistics that stay, and the layers in front of the first trained one.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use firebrick_models::parameters::{named_gradients, num_trainable, num_trained};
use firebrick_models::{Activations, ModelConfig, Network, freeze};
use serde_json::{Value, json};

use super::support::{all_bits, flex, sequential};

/// Images of which no two are alike.
fn images(count: usize, [channels, height, width]: [usize; 3], device: &Device) -> Tensor<4> {
    let length = count * channels * height * width;
    let values: Vec<f32> = (0..length).map(|index| (index as f32 * 0.7311).sin()).collect();
    Tensor::from_data(TensorData::new(values, [count, channels, height, width]), device)
}

fn bits<const D: usize>(tensor: &Tensor<D>) -> Vec<u32> {
    tensor.to_data().iter::<f32>().map(f32::to_bits).collect()
}

fn bits_of(activations: &Activations) -> Vec<u32> {
    match activations {
        Activations::Images(images) => bits(images),
        Activations::Features(features) => bits(features),
    }
}

const CONV: &str = r#"{ "name": "conv2d", "out_channels": 4, "kernel_size": 3, "padding": 1 }"#;
const NORM: &str = r#"{ "name": "batch_norm2d" }"#;
const RELU: &str = r#"{ "name": "relu" }"#;

/// Two convolutions with norms, a dropout, and a linear layer: `0`, `1`, `3`, `4` and `8`.
fn small() -> Network {
    let text = format!(
        r#"[{CONV}, {NORM}, {RELU}, {CONV}, {NORM}, {RELU}, {{ "name": "flatten" }}, {{ "name": "dropout" }},
           {{ "name": "linear", "out_features": 2 }}]"#
    );
    let layers: Value = serde_json::from_str(&text).unwrap();
    sequential([1, 6, 6], layers).init(0, &flex()).train()
}

#[test]
fn frozen_parameters_have_no_gradient_and_their_norms_keep_their_statistics() {
    let device = flex().autodiff();
    let network = freeze(small(), |path| path.starts_with("3.") || path.starts_with("4."));
    let before = all_bits(&network);
    let loss = network.forward(images(4, [1, 6, 6], &device)).square().sum();
    let gradients = named_gradients(&network, &loss.backward());
    for (info, gradient) in gradients {
        let is_frozen = info.name.starts_with("3.") || info.name.starts_with("4.");
        assert_eq!(gradient.is_none(), is_frozen, "{}", info.name);
    }
    let changed: Vec<String> = before
        .into_iter()
        .zip(all_bits(&network))
        .filter(|(before, after)| before != after)
        .map(|(before, _)| before.0)
        .collect();
    assert_eq!(changed, ["1.running_mean", "1.running_var"]);
}

/// A norm of which anything is trained follows the batches.
#[test]
fn a_norm_whose_bias_is_trained_follows_the_batches() {
    let network = freeze(small(), |path| path == "4.weight");
    let before = all_bits(&network);
    network.forward(images(4, [1, 6, 6], &flex().autodiff()));
    let changed = all_bits(&network).iter().zip(&before).filter(|(now, before)| now != before).count();
    assert_eq!(changed, 4);
}

#[test]
fn thawed_parameters_are_trained_again() {
    let (network, all) = (small(), num_trainable(&small()));
    assert_eq!(num_trained(&network), all);
    let network = freeze(network, |path| !path.starts_with("8."));
    assert_eq!(num_trained(&network), 2 * (4 * 36 + 1));
    // Neither validation nor loading forgets what is frozen.
    let network = network.valid().train();
    assert_eq!(num_trained(&network), 2 * (4 * 36 + 1));
    assert_eq!(num_trained(&freeze(network, |_| false)), all);
}

fn num_layers(network: &Network) -> Option<usize> {
    network.frozen_prefix().map(|prefix| prefix.num_layers())
}

#[test]
fn the_prefix_ends_in_front_of_the_first_trained_layer() {
    assert_eq!(num_layers(&small()), None);
    assert_eq!(num_layers(&small().valid()), None, "nothing is trained here");
    // Dropout in front of the trained layer is not part of it: it drops.
    assert_eq!(num_layers(&freeze(small(), |path| !path.starts_with("8."))), Some(7));
    assert_eq!(num_layers(&freeze(small(), |path| path.starts_with("0."))), Some(1));
    assert_eq!(num_layers(&freeze(small(), |path| path.starts_with("3."))), None);
    assert_eq!(num_layers(&freeze(small(), |path| path == "0.bias")), None, "half of it is trained");
    // Between frozen layers it drops nothing.
    let text = r#"[{ "name": "flatten" }, { "name": "linear", "out_features": 3 }, { "name": "dropout" },
        { "name": "linear", "out_features": 3 }, { "name": "dropout" }, { "name": "linear", "out_features": 2 }]"#;
    let network = sequential([1, 2, 2], serde_json::from_str(text).unwrap()).init(0, &flex()).train();
    let network = freeze(network, |path| !path.starts_with("5."));
    assert_eq!(num_layers(&network), Some(4));
}

/// Networks, a layer that is trained alone, and the size of their images.
const HEADS: [(&str, &str, usize); 6] = [
    ("resnet20", "fc.", 16),
    ("efficientnet_lite0", "_fc.", 32),
    ("mobilenet_v3_small", "classifier.", 32),
    ("regnet_y_400mf", "fc.", 32),
    ("shufflenet_v2_x1_0", "fc.", 32),
    ("vgg11", "classifier.6.", 32),
];

#[test]
fn the_prefix_gives_what_evaluation_does_and_the_same_at_any_place_in_a_batch() {
    const COUNT: usize = 13;
    for (name, head, size) in HEADS {
        let mut arguments = json!({ "input_shape": [3, size, size], "num_classes": 5 });
        if name == "vgg11" {
            arguments["hidden_features"] = json!(64);
        }
        let config = ModelConfig::deserialize_named(name, arguments).unwrap().unwrap();
        let network = freeze(config.init(0, &flex()).train(), |path| !path.starts_with(head));
        let before = all_bits(&network);
        let prefix = network.frozen_prefix().unwrap();
        let all = images(COUNT, [3, size, size], &flex());
        let outputs = network.forward_prefix(prefix, all.clone());
        let logits = bits(&network.valid().forward_behind(prefix, outputs.clone()));
        assert_eq!(logits, bits(&network.valid().forward(all.clone())), "{name}");
        let together = bits_of(&outputs);
        let of_image = together.len() / COUNT;
        // The same images at other places, among others.
        for shift in [1, 5, 8] {
            let turned = Tensor::cat(
                vec![
                    all.clone().narrow(0, shift, COUNT - shift),
                    all.clone().narrow(0, COUNT - 1, 1).repeat_dim(0, shift),
                ],
                0,
            );
            let outputs = bits_of(&network.forward_prefix(prefix, turned));
            let (here, there) = (&outputs[..(COUNT - shift) * of_image], &together[shift * of_image..]);
            assert!(here == there, "{name}: images from {shift} on");
        }
        assert_eq!(all_bits(&network), before, "{name}");
    }
}

#[test]
fn gradients_behind_the_prefix_are_those_of_the_whole_network() {
    let device = flex().autodiff();
    let arguments = json!({ "input_shape": [3, 16, 16], "num_classes": 5 });
    let config = ModelConfig::deserialize_named("resnet20", arguments).unwrap().unwrap();
    let network = freeze(config.init(0, &flex()).train(), |path| !path.starts_with("fc."));
    let x = images(6, [3, 16, 16], &device);
    let prefix = network.frozen_prefix().unwrap();
    let outputs = match network.forward_prefix(prefix, x.clone()) {
        Activations::Features(features) => Activations::Features(Tensor::from_inner(features)),
        Activations::Images(images) => Activations::Images(Tensor::from_inner(images)),
    };
    let gradients = |logits: Tensor<2>| {
        let gradients = named_gradients(&network, &logits.square().sum().backward());
        let found = gradients.into_iter().filter_map(|(info, gradient)| Some((info.name, gradient?)));
        found.map(|(name, gradient)| (name, gradient.as_bytes().to_vec())).collect::<Vec<_>>()
    };
    let expected = gradients(network.forward(x));
    assert_eq!(expected.len(), 2);
    assert_eq!(gradients(network.forward_behind(prefix, outputs)), expected);
}
