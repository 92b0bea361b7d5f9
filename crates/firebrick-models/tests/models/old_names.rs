//! Published files whose names are older than those of today's networks.

use firebrick_models::weights::{LoadOptions, MatchedBy, load};
use serde_json::json;
use tempfile::tempdir;

use super::support::{all_bits, flex, sequential, state_dict, write};

const STRICT: LoadOptions = LoadOptions { strict: true, key: None };

/// A dense layer as torchvision's DenseNet has it, with its names.
fn dense(names: [&str; 4]) -> firebrick_models::ModelConfig {
    let [norm1, conv1, norm2, conv2] = names.map(|name| format!("features.denseblock1.denselayer12.{name}"));
    let layers = json!([
        { "name": "batch_norm2d", "as": norm1 },
        { "name": "conv2d", "as": conv1, "out_channels": 2, "kernel_size": 1, "bias": false },
        { "name": "batch_norm2d", "as": norm2 },
        { "name": "conv2d", "as": conv2, "out_channels": 2, "kernel_size": 1, "bias": false },
        "flatten",
        { "name": "linear", "as": "classifier", "out_features": 2 },
    ]);
    sequential([2, 2, 2], layers)
}

/// torchvision's published DenseNets still have the names from before PyTorch refused dots in them.
#[test]
fn densenets_old_names_are_known() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("old.safetensors");
    let source = dense(["norm1", "conv1", "norm2", "conv2"]).init(1, &flex());
    let old = |name: &str| {
        let kinds = ["norm1", "conv1", "norm2", "conv2"];
        kinds.iter().fold(name.to_owned(), |name, kind| {
            let (letters, number) = kind.split_at(kind.len() - 1);
            name.replace(&format!(".{kind}."), &format!(".{letters}.{number}."))
        })
    };
    let tensors: Vec<_> =
        state_dict(&source).into_iter().map(|(name, tensor)| (old(&name), tensor)).collect();
    assert!(tensors.iter().any(|(name, _)| name == "features.denseblock1.denselayer12.norm.1.running_var"));
    write(&path, &tensors);
    let fresh = dense(["norm1", "conv1", "norm2", "conv2"]).init(2, &flex());
    let (loaded, report) = load(fresh, &path, STRICT).unwrap();
    assert_eq!(all_bits(&loaded), all_bits(&source), "{report}");
    assert_eq!(report.matched_by, MatchedBy::Name { prefix: String::new() });
}

/// Where both spellings are in a file, neither takes the other's place.
#[test]
fn an_old_name_beside_todays_is_an_extra_tensor() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("both.safetensors");
    let source = dense(["norm1", "conv1", "norm2", "conv2"]).init(1, &flex());
    let mut tensors = state_dict(&source);
    let (name, tensor) = tensors[0].clone();
    assert_eq!(name, "features.denseblock1.denselayer12.norm1.weight");
    tensors.push(("features.denseblock1.denselayer12.norm.1.weight".to_owned(), tensor));
    write(&path, &tensors);
    let error = load(source, &path, STRICT).unwrap_err().to_string();
    assert!(error.contains("norm.1.weight"), "{error}");
}
