//! Files that are not the network's, for the published networks: each is an error that says where, or what did not fit stands
//! in the report. Nothing is taken silently.

use std::collections::HashMap;
use std::path::Path;

use firebrick_models::weights::{LoadOptions, LoadReport, load};
use firebrick_models::{ModelConfig, Network};
use serde_json::{Value, json};
use tempfile::tempdir;

use super::support::{Stored, all_bits, flex, state_dict, write};

const STRICT: LoadOptions = LoadOptions { strict: true, key: None };
const LENIENT: LoadOptions = LoadOptions { strict: false, key: None };

/// A network for small images and few classes.
fn network(name: &str, more: &Value) -> Network {
    let mut arguments = json!({ "num_classes": 7, "input_shape": [3, 64, 64] });
    if name.starts_with("vgg") || name == "alexnet" {
        arguments["hidden_features"] = json!(8);
    }
    for (key, value) in more.as_object().into_iter().flatten() {
        arguments[key] = value.clone();
    }
    let config: ModelConfig = ModelConfig::deserialize_named(name, arguments).unwrap().unwrap();
    config.init(1, &flex())
}

fn loaded(network: &Network, path: &Path, options: LoadOptions) -> Result<LoadReport, String> {
    load(network.clone(), path, options).map(|(_, report)| report).map_err(|error| error.to_string())
}

/// What strictness makes of a file.
enum Lenient {
    /// Refused all the same.
    Refused,
    /// Taken, and the report says what was not.
    Told(fn(&LoadReport) -> bool),
}

use Lenient::{Refused, Told};

/// Into which network, from which, and what the error says.
type Foreign = (&'static str, &'static str, &'static str, Lenient);

#[test]
fn files_of_other_networks() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("w.pth");
    let cases: [Foreign; 9] = [
        ("resnet34", "resnet18", "missing: layer1.2.conv1.weight", Told(|report| !report.missing.is_empty())),
        ("resnet18", "resnet34", "extra: layer1.2.conv1.weight", Told(|report| !report.extra.is_empty())),
        ("resnet18", "resnet20", "layer1.0.conv1.weight", Refused),
        ("vgg11_bn", "vgg11", "features.", Refused),
        ("mobilenet_v3_small", "mobilenet_v2", "does not fit MobileNetV3", Refused),
        ("mobilenet_v2", "mobilenet_v3_small", "does not fit MobileNetV2", Refused),
        ("squeezenet1_1", "shufflenet_v2_x1_0", "does not fit SqueezeNet", Refused),
        ("shufflenet_v2_x1_0", "squeezenet1_1", "does not fit ShuffleNetV2", Refused),
        ("efficientnet_lite0", "efficientnet_b0", "none of its names is this model's", Refused),
    ];
    for (into, from, says, lenient) in cases {
        write(&path, &state_dict(&network(from, &json!({}))));
        let target = network(into, &json!({}));
        let error = loaded(&target, &path, STRICT).unwrap_err();
        assert!(error.contains(says), "{from} into {into}: {error}");
        match (lenient, loaded(&target, &path, LENIENT)) {
            (Refused, Err(_)) => {}
            (Told(is_told), Ok(report)) => assert!(is_told(&report), "{from} into {into}: {report}"),
            (Refused, Ok(report)) => panic!("{from} into {into} was taken: {report}"),
            (Told(_), Err(error)) => panic!("{from} into {into}: {error}"),
        }
    }
}

/// Changes a state dict; a network's name, what is done to its file, and what the error says.
type Damaged = (&'static str, fn(&mut Vec<(String, Stored)>), &'static str);

fn at<'a>(tensors: &'a mut [(String, Stored)], name: &str) -> &'a mut Stored {
    let found = tensors.iter_mut().find(|(tensor, _)| tensor == name);
    &mut found.unwrap_or_else(|| panic!("no tensor {name}")).1
}

fn without(tensors: &mut Vec<(String, Stored)>, name: &str) {
    let before = tensors.len();
    tensors.retain(|(tensor, _)| tensor != name);
    assert_eq!(tensors.len() + 1, before, "no tensor {name}");
}

#[test]
fn damaged_state_dicts() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("w.pth");
    let cases: [Damaged; 12] = [
        ("resnet18", |t| at(t, "fc.weight").shape.reverse(), "fc.weight: expected [7, 512], got [512, 7]"),
        (
            "resnet18",
            |t| *at(t, "conv1.weight") = Stored::zeros(&[64, 1, 7, 7]),
            "conv1.weight: expected [64, 3, 7, 7]",
        ),
        (
            "resnet18",
            |t| *at(t, "conv1.weight") = Stored::zeros(&[64, 3, 49]),
            "conv1.weight: expected [64, 3, 7, 7]",
        ),
        ("resnet18", |t| without(t, "layer4.1.bn2.running_var"), "missing: layer4.1.bn2.running_var"),
        ("resnet18", |t| without(t, "fc.bias"), "missing: fc.bias"),
        (
            "resnet18",
            |t| *at(t, "fc.weight") = Stored::zeros(&[1000, 512]),
            "fc.weight: expected [7, 512], got [1000, 512]",
        ),
        (
            "squeezenet1_1",
            |t| *at(t, "classifier.1.weight") = Stored::zeros(&[7, 512, 3, 3]),
            "classifier.1.weight: expected",
        ),
        (
            "squeezenet1_1",
            |t| *at(t, "classifier.1.weight") = Stored::zeros(&[7, 512]),
            "classifier.1.weight: expected",
        ),
        (
            "mobilenet_v3_small",
            |t| *at(t, "features.1.block.1.fc1.bias") = Stored::zeros(&[9]),
            "features.1.block.1.fc1.bias",
        ),
        (
            "densenet121",
            |t| without(t, "features.denseblock4.denselayer16.norm2.weight"),
            "missing: features.denseblock4",
        ),
        (
            "convnext_tiny",
            |t| *at(t, "features.1.0.layer_scale") = Stored::zeros(&[96]),
            "features.1.0.layer_scale",
        ),
        ("efficientnet_b0", |t| *at(t, "features.0.0.weight") = Stored::zeros(&[0]), "features.0.0.weight"),
    ];
    let mut networks = HashMap::new();
    for (name, damage, says) in cases {
        let network = networks.entry(name).or_insert_with(|| network(name, &json!({})));
        let mut tensors = state_dict(network);
        damage(&mut tensors);
        write(&path, &tensors);
        let error = loaded(network, &path, STRICT).unwrap_err();
        assert!(error.contains(says), "{name}: `{says}`: {error}");
        if let Ok(report) = loaded(network, &path, LENIENT) {
            let is_told = !report.missing.is_empty() || !report.fresh_head.is_empty();
            assert!(is_told, "{name}: `{says}` was taken silently: {report}");
        }
    }
}

#[test]
fn a_network_with_other_arguments_takes_no_published_file() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("w.pth");
    write(&path, &state_dict(&network("resnet18", &json!({}))));
    let cifar = network("resnet18", &json!({ "stem": "cifar" }));
    for options in [STRICT, LENIENT] {
        let error = loaded(&cifar, &path, options).unwrap_err();
        assert!(error.contains("conv1.weight: expected [64, 3, 3, 3], got [64, 3, 7, 7]"), "{error}");
    }
    write(&path, &state_dict(&network("vgg11", &json!({}))));
    let error = loaded(&network("vgg11", &json!({ "hidden_features": 9 })), &path, STRICT).unwrap_err();
    assert!(error.contains("classifier.0.weight"), "{error}");
}

/// A head for other classes is fresh, whatever kind of layer it is; everything else is the file's.
#[test]
fn heads_for_other_classes() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("w.pth");
    let heads = [
        ("resnet18", "fc"),
        ("squeezenet1_1", "classifier.1"),
        ("mobilenet_v2", "classifier.1"),
        ("vgg11", "classifier.6"),
        ("efficientnet_lite0", "_fc"),
    ];
    for (name, head) in heads {
        let source = network(name, &json!({ "num_classes": 10 }));
        let target = network(name, &json!({}));
        write(&path, &state_dict(&source));
        let (model, report) = load(target.clone(), &path, STRICT).unwrap();
        let fresh: Vec<&str> = report.fresh_head.iter().map(|one| one.parameter.as_str()).collect();
        assert_eq!(fresh, [format!("{head}.weight"), format!("{head}.bias")], "{name}");
        assert!(report.missing.is_empty() && report.extra.is_empty(), "{name}: {report}");
        let own = all_bits(&target);
        for (((parameter, loaded), (_, file)), (_, own)) in
            all_bits(&model).iter().zip(all_bits(&source)).zip(own)
        {
            let is_head = parameter.starts_with(head) && fresh.contains(&parameter.as_str());
            assert!(*loaded == if is_head { own } else { file }, "{name}: {parameter}");
        }
    }
}
