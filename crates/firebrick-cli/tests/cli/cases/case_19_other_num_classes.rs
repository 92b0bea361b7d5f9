//! Weights for another number of classes: the last layer stays fresh, and the run says so.

use crate::cli::sandbox::{Sandbox, TINY};

const HEAD: [&str; 2] = ["fc3.weight", "fc3.bias"];
const BODY: [&str; 8] = [
    "conv1.weight",
    "conv1.bias",
    "conv2.weight",
    "conv2.bias",
    "fc1.weight",
    "fc1.bias",
    "fc2.weight",
    "fc2.bias",
];

/// The tensors of a safetensors file: its header, and the bytes behind it.
fn tensors(bytes: &[u8]) -> (serde_json::Map<String, serde_json::Value>, &[u8]) {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    (serde_json::from_slice(&bytes[8..8 + length]).unwrap(), &bytes[8 + length..])
}

/// `file` with only the tensors that `is_kept`, under the names that `renamed` gives.
fn changed(file: &[u8], is_kept: impl Fn(&str) -> bool, renamed: impl Fn(&str) -> String) -> Vec<u8> {
    let (header, data) = tensors(file);
    let mut kept = serde_json::Map::new();
    for (name, tensor) in header {
        if name != "__metadata__" && is_kept(&name) {
            kept.insert(renamed(&name), tensor);
        }
    }
    // The format wants every byte to belong to a tensor.
    let mut moved = Vec::new();
    for tensor in kept.values_mut() {
        let [start, end] = [0, 1].map(|end| tensor["data_offsets"][end].as_u64().unwrap() as usize);
        tensor["data_offsets"] = serde_json::json!([moved.len(), moved.len() + end - start]);
        moved.extend_from_slice(&data[start..end]);
    }
    let header = serde_json::to_vec(&kept).unwrap();
    [&(header.len() as u64).to_le_bytes()[..], &header, &moved].concat()
}

/// A run's weights, and what training that begins with a part of them says. The weights are for ten classes.
fn started(sandbox: &Sandbox, run: &str, more: &[&str]) -> crate::cli::sandbox::Ended {
    let common = ["--config", "tiny.toml", "--run-dir", run, "--set", "model.strict=false", "--set"];
    let rest = ["--set", "trainer.max_steps=1"];
    sandbox.train(&[&common[..], more, &rest].concat())
}

#[test]
fn what_was_loaded_and_what_stays_fresh_is_told_once() {
    let sandbox = Sandbox::with_run();
    sandbox.firebrick(&["export", "run", "--out", "ten.safetensors"]).succeeds();
    let ten = std::fs::read(sandbox.path("ten.safetensors")).unwrap();
    sandbox.write("body.safetensors", changed(&ten, |name| !HEAD.contains(&name), str::to_owned));
    let ended = started(&sandbox, "loose", &["model.weights=body.safetensors", "--quiet"]).succeeds();
    let told = "warning: body.safetensors: loaded 8 parameters";
    assert_eq!(ended.stderr.matches(told).count(), 1, "{ended:#?}");
    assert!(ended.stderr.contains("not in the file and freshly initialised: fc3."), "{ended:#?}");
    for name in HEAD.iter().chain(&BODY) {
        assert_eq!(ended.stderr.matches(name).count(), 1, "{name}: {ended:#?}");
    }
    // As JSON it is an event, and said to people all the same.
    let ended =
        started(&sandbox, "json", &["model.weights=body.safetensors", "--log-format", "json"]).succeeds();
    assert_eq!(ended.stderr.matches(told).count(), 1, "{ended:#?}");
    assert!(
        ended.stdout.lines().any(|line| line.contains("\"notice\"") && line.contains("fc3.weight")),
        "{ended:#?}"
    );
    // A run that goes on has its weights from its own checkpoint.
    let ended = sandbox.train(&["--resume=loose", "--set", "trainer.max_steps=2", "--quiet"]).succeeds();
    assert!(!ended.stderr.contains("body.safetensors"), "{ended:#?}");
}

#[test]
fn a_head_for_other_classes_is_told_with_both_shapes() {
    let sandbox = Sandbox::new();
    let five = TINY
        .replacen("num_classes = 10", "num_classes = 5", 1)
        .replacen("\"digits\"", "\"synthetic\"", 1)
        .replacen(
            "limit = { train = 96, test = 64 }",
            "synthetic = { num_classes = 5, train = 32, test = 32 }",
            1,
        );
    sandbox.write("five.toml", five);
    sandbox.write("tiny.toml", TINY);
    sandbox.train(&["--config", "five.toml", "--run-dir", "five", "--quiet"]).succeeds();
    sandbox.firebrick(&["export", "five", "--out", "five.safetensors"]).succeeds();
    let ended = started(&sandbox, "loose", &["model.weights=five.safetensors", "--quiet"]).succeeds();
    for says in [
        "for another number of classes in the file and freshly initialised",
        "fc3.weight ([10, 84], the file has [5, 84])",
        "fc3.bias ([10], the file has [5])",
    ] {
        assert!(ended.stderr.contains(says), "{says}: {ended:#?}");
    }
    // Strict, as without the key, it is the same: only the number of classes differs.
    let strict = [
        "--config",
        "tiny.toml",
        "--set",
        "model.weights=five.safetensors",
        "--quiet",
        "--run-dir",
        "strict",
    ];
    let ended = sandbox.train(&strict).succeeds();
    assert!(
        ended.stderr.contains("freshly initialised: fc3.weight ([10, 84], the file has [5, 84])"),
        "{ended:#?}"
    );
}

#[test]
fn tensors_that_nothing_takes_are_told_and_whole_files_say_nothing() {
    let sandbox = Sandbox::with_run();
    sandbox.firebrick(&["export", "run", "--out", "ten.safetensors"]).succeeds();
    let ten = std::fs::read(sandbox.path("ten.safetensors")).unwrap();
    let renamed = |name: &str| if HEAD.contains(&name) { format!("old_{name}") } else { name.to_owned() };
    sandbox.write("extra.safetensors", changed(&ten, |_| true, renamed));
    let ended = started(&sandbox, "extra", &["model.weights=extra.safetensors", "--quiet"]).succeeds();
    assert!(ended.stderr.contains("left out of the file: old_fc3."), "{ended:#?}");
    let ended = started(&sandbox, "whole", &["model.weights=ten.safetensors", "--quiet"]).succeeds();
    assert_eq!(ended.stderr, "", "{ended:#?}");
    // Weights of which nothing fits never become a training from scratch.
    sandbox.write("none.safetensors", changed(&ten, |name| name == "fc1.bias", |_| "x".to_owned()));
    started(&sandbox, "none", &["model.weights=none.safetensors"]).ends_with(2);
}
