//! Checkpoints of training scripts: the network among what else they hold.

use std::path::{Path, PathBuf};

use firebrick_models::weights::{LoadOptions, LoadReport, load};
use firebrick_models::{ImageClassifier, ModelConfig};
use serde_json::json;
use tempfile::{TempDir, tempdir};

use super::pt_file::{Python, archive, dict, save};
use super::support::{Stored, all_bits, flex, sequential, write};

/// Four pixels to three classes.
pub fn small() -> ModelConfig {
    sequential([1, 2, 2], json!([{ "name": "flatten" }, { "name": "linear", "out_features": 3 }]))
}

/// Its state dict, with one value everywhere.
pub fn network(value: f32) -> Python {
    named("", value)
}

fn named(prefix: &str, value: f32) -> Python {
    Python::Dict(vec![
        (format!("{prefix}1.weight"), Python::Tensor(vec![3, 4], vec![value; 12])),
        (format!("{prefix}1.bias"), Python::Tensor(vec![3], vec![value; 3])),
    ])
}

/// `optimizer.state_dict()` of SGD with momentum: tensors of the network's shapes.
fn optimizer() -> Python {
    let momentum = |shape: Vec<usize>| {
        let count = shape.iter().product();
        dict([("momentum_buffer", Python::Tensor(shape, vec![9.0; count]))])
    };
    let groups = Python::List(vec![dict([("params", Python::List(vec![Python::Int(0), Python::Int(1)]))])]);
    dict([("state", dict([("0", momentum(vec![3, 4])), ("1", momentum(vec![3]))])), ("param_groups", groups)])
}

fn file(root: &Python) -> (TempDir, PathBuf) {
    let folder = tempdir().unwrap();
    let path = folder.path().join("w.pt");
    save(&path, root);
    (folder, path)
}

/// The value that all parameters have after loading, and the report; or the message.
fn load_value(path: &Path, key: Option<&str>, strict: bool) -> Result<(f32, LoadReport), String> {
    let options = LoadOptions { strict, key };
    let (model, report) = load(small().init(0, &flex()), path, options)
        .map_err(|error| error.to_string().replace(&format!("{}/", path.parent().unwrap().display()), ""))?;
    let values: Vec<u32> = all_bits(&model).into_iter().flat_map(|(_, bits)| bits).collect();
    assert!(values.iter().all(|bits| *bits == values[0]), "a mixture of networks: {report}");
    Ok((f32::from_bits(values[0]), report))
}

fn value(root: &Python) -> f32 {
    let (_folder, path) = file(root);
    load_value(&path, None, true).unwrap_or_else(|message| panic!("{message}")).0
}

fn message(root: &Python, key: Option<&str>) -> String {
    let (_folder, path) = file(root);
    load_value(&path, key, true).map(|(value, _)| value).unwrap_err()
}

#[test]
fn a_network_beside_optimiser_and_counters_under_any_key() {
    for key in [
        "net",
        "state_dict",
        "model",
        "model_state",
        "model_state_dict",
        "params",
        "weight",
        "weights",
        "ema",
    ] {
        let root = dict([
            ("epoch", Python::Int(7)),
            (key, network(0.5)),
            ("optimizer", optimizer()),
            ("best_loss", Python::Tensor(vec![], vec![0.1])),
        ]);
        let (_folder, path) = file(&root);
        let (value, report) =
            load_value(&path, None, true).unwrap_or_else(|message| panic!("{key}: {message}"));
        assert_eq!(value, 0.5, "{key}");
        assert_eq!(report.ignored, ["best_loss", "epoch", "optimizer"]);
    }
}

#[test]
fn deeper_in_dictionaries_and_in_other_layouts() {
    assert_eq!(value(&dict([("checkpoint", dict([("model", dict([("net", network(0.5))]))]))])), 0.5);
    let lightning = dict([
        ("state_dict", named("model.", 0.5)),
        ("optimizer_states", Python::List(vec![optimizer()])),
        ("callbacks", dict([("best", Python::Tensor(vec![], vec![0.1]))])),
    ]);
    assert_eq!(value(&lightning), 0.5);
    // Buffers of the optimiser under the network's own names.
    let by_name = dict([("net", network(0.5)), ("optim", dict([("exp_avg", network(9.0))]))]);
    assert_eq!(value(&by_name), 0.5);
}

#[test]
fn prefixes_of_wrappers() {
    for prefix in ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.module."] {
        assert_eq!(
            value(&dict([("state_dict", named(prefix, 0.5)), ("epoch", Python::Int(1))])),
            0.5,
            "{prefix}"
        );
    }
    let Python::Dict(mut entries) = named("module.", 0.5) else { unreachable!() };
    entries.insert(0, ("n_averaged".to_owned(), Python::Tensor(vec![], vec![100.0])));
    assert_eq!(value(&Python::Dict(entries)), 0.5, "torch.optim.swa_utils.AveragedModel");
}

#[test]
fn several_networks_are_listed_and_one_is_chosen_by_its_key() {
    let root = dict([("params", network(0.5)), ("params_ema", network(0.25)), ("optimizer", optimizer())]);
    insta::assert_snapshot!(message(&root, None), @r#"weights file 'w.pt': 2 networks in it fit this model, under 'params', 'params_ema'; say which one: model.weights_key = "params""#);
    let (_folder, path) = file(&root);
    for (key, expected) in [("params", 0.5), ("params_ema", 0.25), ("params_ema.", 0.25)] {
        let (value, report) = load_value(&path, Some(key), true).unwrap();
        assert_eq!(value, expected, "{key}");
        assert!(report.ignored.contains(&"optimizer".to_owned()), "{report}");
    }
    insta::assert_snapshot!(message(&root, Some("ema")), @"weights file 'w.pt': no network under the key 'ema' (model.weights_key); there are tensors under 'params', 'params_ema'; 'optimizer' is an optimiser's state");
    assert!(message(&root, Some("optimizer")).contains("'optimizer' is an optimiser's state"));
    let nested = dict([("gan", dict([("a", network(0.5)), ("b", network(0.25))]))]);
    assert!(message(&nested, None).contains("'gan.a', 'gan.b'"), "{}", message(&nested, None));
    let (_folder, path) = file(&nested);
    assert_eq!(load_value(&path, Some("gan.b"), true).unwrap().0, 0.25);
}

#[test]
fn networks_that_differ_in_their_head_are_not_chosen_between_either() {
    let other = |value: f32| {
        dict([
            ("1.weight", Python::Tensor(vec![5, 4], vec![value; 20])),
            ("1.bias", Python::Tensor(vec![5], vec![value; 5])),
        ])
    };
    let (_folder, path) = file(&dict([("net", other(0.5)), ("net_ema", other(0.25))]));
    let message = load_value(&path, None, false).map(|(value, _)| value).unwrap_err();
    assert!(message.contains("under 'net', 'net_ema'"), "{message}");
    // The one that fits wins over the one that does not.
    assert_eq!(value(&dict([("teacher", other(0.25)), ("student", network(0.5))])), 0.5);
}

#[test]
fn the_usual_keys_are_the_network_itself() {
    assert_eq!(value(&dict([("state_dict_ema", network(0.25)), ("state_dict", network(0.5))])), 0.5);
    assert_eq!(value(&dict([("ema", network(0.25)), ("model", network(0.5))])), 0.5);
}

#[test]
fn an_optimisers_state_is_no_network() {
    let alone = dict([("optimizer", optimizer()), ("epoch", Python::Int(3))]);
    insta::assert_snapshot!(message(&alone, None), @"weights file 'w.pt': no network in it, but an optimiser's state ('optimizer'); its keys are 'epoch', 'optimizer'; expected the network's state_dict()");
    insta::assert_snapshot!(message(&optimizer(), None), @"weights file 'w.pt': no network in it, but an optimiser's state; its keys are 'param_groups', 'state'; expected the network's state_dict()");
    assert!(message(&dict([("epoch", Python::Int(3))]), None).contains("does not fit"));
}

#[test]
fn the_key_of_a_flat_file_is_what_its_names_begin_with() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let tensors = |prefix: &str, value: f32| {
        let weight = (format!("{prefix}.1.weight"), Stored::f32(&[3, 4], &[value; 12]));
        [weight, (format!("{prefix}.1.bias"), Stored::f32(&[3], &[value; 3]))]
    };
    write(&path, &[tensors("online_model", 0.5), tensors("ema_model.module", 0.25)].concat());
    assert!(load_value(&path, None, true).unwrap_err().contains("2 networks in it fit"));
    assert_eq!(load_value(&path, Some("online_model"), true).unwrap().0, 0.5);
    assert_eq!(load_value(&path, Some("ema_model"), true).unwrap().0, 0.25);
    assert!(load_value(&path, Some("ema"), true).unwrap_err().contains("under 'ema_model', 'online_model'"));
}

#[test]
fn the_contents_decide_the_format_and_not_the_ending() {
    let folder = tempdir().unwrap();
    let pytorch = archive("archive", &dict([("net", network(0.5)), ("epoch", Python::Int(1))]));
    for name in ["w.ckpt", "w.bin", "w.pth.tar", "w.t7", "w", "w.safetensors", "w.bpk", "W.PT"] {
        let path = folder.path().join(name);
        std::fs::write(&path, &pytorch).unwrap();
        assert_eq!(load_value(&path, None, true).unwrap().0, 0.5, "{name}");
    }
    let safetensors = folder.path().join("s.safetensors");
    let model = small().init(3, &flex());
    write(&safetensors, &super::support::state_dict(&model));
    let renamed = folder.path().join("s.pt");
    std::fs::rename(safetensors, &renamed).unwrap();
    let options = LoadOptions::default();
    let (loaded, _) = load(small().init(0, &flex()), &renamed, options).unwrap();
    assert_eq!(all_bits(&loaded), all_bits(&model));
    assert_eq!(loaded.num_classes(), 3);
}

#[test]
fn archives_that_are_no_weights_say_what_they_are() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("w.pt");
    let say = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        load_value(&path, None, true).map(|(value, _)| value).unwrap_err()
    };
    let inner = archive("w", &network(0.5));
    assert!(say(&[b"\x1f\x8b\x08", inner.as_slice()].concat()).contains("a gzip file; unpack it first"));
    let mut tar = vec![0; 1024];
    tar[257..262].copy_from_slice(b"ustar");
    assert!(say(&tar).contains("before 0.1.10"), "{}", say(&tar));
    // An archive in an archive: the entry's name is another.
    let mut other = inner.clone();
    let position = other.windows(8).rposition(|bytes| bytes == b"data.pkl").unwrap();
    other[position..position + 8].copy_from_slice(b"inner.pt");
    assert!(
        say(&other).contains("without the `data.pkl` of PyTorch; it holds `w/inner.pt`"),
        "{}",
        say(&other)
    );
    // Something behind the archive's end is passed over, as torch.load does; an archive without an end is cut off.
    let trailing = folder.path().join("trailing.pt");
    std::fs::write(&trailing, [inner.as_slice(), &[0; 100]].concat()).unwrap();
    assert_eq!(load_value(&trailing, None, true).unwrap().0, 0.5);
    assert!(say(&inner[..inner.len() - 22]).contains("no end record: the file is cut off"));
}
