//! The groups of layers that learn at the same rate, beside timm's.

use firebrick_models::LayerDepths;
use serde_json::json;

use super::support::{config, flex, sequential};
use firebrick_models::ModelConfig;

/// The groups of a network: of each the paths of its layers.
fn groups(config: &ModelConfig) -> Vec<Vec<String>> {
    let plan = config.build().unwrap();
    let depths = LayerDepths::of_plan(&plan);
    let mut groups = vec![Vec::new(); depths.num_groups()];
    for layer in plan.layers().iter().filter(|layer| layer.num_parameters() > 0) {
        let path = format!("{}.{}", layer.path, layer.parameters[0].name);
        groups[depths.num_groups() - 1 - depths.from_end(&path)].push(layer.path.clone());
    }
    groups
}

fn zoo(name: &str, size: usize) -> ModelConfig {
    let arguments = json!({ "input_shape": [3, size, size], "num_classes": 3 });
    ModelConfig::deserialize_named(name, arguments).unwrap().unwrap()
}

/// The first and the last layer of each group.
fn ends(config: &ModelConfig) -> Vec<String> {
    let of_group = |group: &Vec<String>| match group.as_slice() {
        [only] => only.clone(),
        [first, .., last] => format!("{first} .. {last}"),
        [] => "nothing".to_owned(),
    };
    groups(config).iter().map(of_group).collect()
}

/// timm: `stem=r'^conv1|bn1'`, `blocks=r'^layer(\d+)\.(\d+)'`, the rest is the head.
#[test]
fn resnets_groups_are_timms() {
    let expected = [
        "conv1 .. bn1",
        "layer1.0.conv1 .. layer1.0.bn2",
        "layer1.1.conv1 .. layer1.1.bn2",
        "layer2.0.conv1 .. layer2.0.downsample.1",
        "layer2.1.conv1 .. layer2.1.bn2",
        "layer3.0.conv1 .. layer3.0.downsample.1",
        "layer3.1.conv1 .. layer3.1.bn2",
        "layer4.0.conv1 .. layer4.0.downsample.1",
        "layer4.1.conv1 .. layer4.1.bn2",
        "fc",
    ];
    assert_eq!(ends(&zoo("resnet18", 32)), expected);
}

/// timm: `stem=r'^stem'`, a downsampling layer in the group of the first block of its stage, norm and linear layer the head.
#[test]
fn convnexts_groups_are_timms() {
    let found = ends(&zoo("convnext_tiny", 32));
    assert_eq!(found.len(), 1 + (3 + 3 + 9 + 3) + 1);
    assert_eq!(found[0], "features.0.0 .. features.0.1");
    assert!(found[1].starts_with("features.1.0"), "{found:?}");
    assert!(found[4].starts_with("features.2.0 .. features.3.0"), "{found:?}");
    assert!(found[7].starts_with("features.4.0 .. features.5.0"), "{found:?}");
    assert_eq!(found[19], "classifier.0 .. classifier.2");
}

/// timm puts `conv_head` with the last block.
#[test]
fn a_convolution_behind_the_last_block_belongs_to_it() {
    let found = ends(&zoo("efficientnet_lite0", 64));
    assert_eq!(found.len(), 1 + 16 + 1);
    assert_eq!(found[0], "_conv_stem .. _bn0");
    assert_eq!(found[16], "_blocks.15._expand_conv .. _bn1");
    assert_eq!(found[17], "_fc");
    let found = ends(&zoo("shufflenet_v2_x1_0", 64));
    assert_eq!(found.len(), 1 + (4 + 8 + 4) + 1);
    assert!(found[16].ends_with(".. conv5.1"), "{found:?}");
}

#[test]
fn blocks_without_a_shortcut_are_groups_too() {
    let found = ends(&zoo("mobilenet_v2", 64));
    assert_eq!(found.len(), 1 + 17 + 1);
    assert!(found[1].starts_with("features.1.") && found[2].starts_with("features.2."), "{found:?}");
    assert_eq!(found.last().unwrap(), "classifier.1");
}

#[test]
fn dense_layers_are_groups_and_the_last_norm_is_of_the_head() {
    let found = ends(&zoo("densenet121", 32));
    assert_eq!(found.len(), 1 + (6 + 12 + 24 + 16) + 1);
    assert_eq!(found[0], "features.conv0 .. features.norm0");
    assert!(
        found[7].starts_with("features.transition1.norm .. features.denseblock2.denselayer1"),
        "{found:?}"
    );
    assert_eq!(found.last().unwrap(), "features.norm5 .. classifier");
}

#[test]
fn without_blocks_each_convolution_is_a_group_with_its_norm() {
    let found = groups(&zoo("vgg11_bn", 32));
    assert_eq!(found.len(), 8 + 3);
    assert_eq!(found[0], ["features.0", "features.1"]);
    assert_eq!(found[10], ["classifier.6"]);
    assert_eq!(groups(&config("lenet")), [["conv1"], ["conv2"], ["fc1"], ["fc2"], ["fc3"]]);
}

#[test]
fn every_network_has_a_head_of_its_last_layer() {
    for name in ModelConfig::NAMES.iter().filter(|name| !["tudui", "lenet", "sequential"].contains(name)) {
        let found = groups(&zoo(name, 64));
        assert!(found.len() >= 5 && found.iter().all(|group| !group.is_empty()), "{name}: {found:?}");
        assert!(found.last().unwrap().len() <= 2, "{name}: {:?}", found.last());
    }
}

#[test]
fn blocks_of_a_config_are_groups_with_or_without_a_name() {
    let conv = json!({ "name": "conv2d", "out_channels": 1, "kernel_size": 1 });
    let body = json!([conv, { "name": "batch_norm2d" }]);
    let layers = json!([
        conv,
        { "name": "residual", "as": "first", "body": body },
        { "name": "residual", "as": "second", "body": [conv, { "name": "relu" }, conv] },
        { "name": "flatten" },
        { "name": "linear", "out_features": 2 },
    ]);
    let found = groups(&sequential([1, 4, 4], layers));
    assert_eq!(found, [vec!["0"], vec!["first.0", "first.1"], vec!["second.0", "second.2"], vec!["4"]]);
}

#[test]
fn a_module_written_by_hand_has_the_groups_of_its_layers() {
    let network = config("lenet").init(0, &flex());
    let depths = LayerDepths::of_module(&network);
    assert_eq!(depths, LayerDepths::of_plan(network.plan()));
    assert_eq!((depths.from_end("conv1.bias"), depths.from_end("fc3.weight")), (4, 0));
}
