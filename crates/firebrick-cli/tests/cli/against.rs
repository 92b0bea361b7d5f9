//! `verify --against`: the recording of `firebrick-train`'s golden files, followed by the real binary.

use std::path::Path;

use super::sandbox::{Ended, Sandbox};

const CONFIG: &str = r#"
model = { name = "lenet" }
data = { dataset = "digits", batch_size = 32, shuffle = false, normalize = { mean = [0.25], std = [0.5] } }
loss = { name = "cross_entropy" }
optimizer = { name = "adamw", lr = 0.002, weight_decay = 0.05 }
trainer = { epochs = 1, backend = "flex" }
"#;

fn golden(owner: &str, name: &str) -> String {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    crates.join(owner).join("tests/golden").join(name).display().to_string()
}

fn against(sandbox: &Sandbox, trace: &str, more: &[&str]) -> Ended {
    sandbox.write("config.toml", CONFIG);
    let weights = format!("model.weights={}", golden("firebrick-models", "lenet.safetensors"));
    let arguments = ["verify", "--against", trace, "--config", "config.toml", "--set", &weights];
    sandbox.firebrick(&[&arguments[..], more].concat())
}

#[test]
fn pytorchs_steps_are_found_equal() {
    let sandbox = Sandbox::new();
    let ended = against(&sandbox, &golden("firebrick-train", "digits_trace.json"), &[]).succeeds();
    assert_eq!(ended.stdout.lines().count(), 24, "{}", ended.stdout);
    assert!(ended.stdout.contains("(torch 2.15.0"), "{}", ended.stdout);
    assert!(ended.stdout.contains("the losses of 20 steps are within "), "{}", ended.stdout);
    assert_eq!(sandbox.entries(), ["config.toml"], "no run folder is made");
}

#[test]
fn another_weight_decay_is_named_with_step_and_tensor_and_ends_with_1() {
    let sandbox = Sandbox::new();
    let trace = golden("firebrick-train", "digits_trace.json");
    let ended = against(&sandbox, &trace, &["--set", "optimizer.weight_decay=0.5"]).ends_with(1);
    let last = ended.stdout.lines().last().unwrap();
    assert!(
        last.starts_with("different from ") && last.contains("): first at step 1; first tensor "),
        "{last}"
    );
    assert!(last.contains(" after step 1, norm "), "{last}");
    // Nothing differs by more than everything.
    against(&sandbox, &trace, &["--set", "optimizer.weight_decay=0.5", "--tolerance", "10"]).succeeds();
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let sandbox = Sandbox::new();
    let trace = golden("firebrick-train", "digits_trace.json");
    let refused = |trace: &str, more: &[&str], code: i32, says: &str| {
        let ended = against(&sandbox, trace, more).ends_with(code);
        assert!(ended.stderr.contains(says) && ended.stdout.is_empty(), "{says}: {ended:#?}");
    };
    refused("nowhere.json", &[], 3, "nowhere.json");
    refused("config.toml", &[], 3, "trace config.toml: expected value at line 2 column 1");
    refused(&trace, &["--set", "data.shuffle=true"], 2, "set data.shuffle = false");
    refused(&trace, &["--set", "trainer.max_steps=5"], 2, "as many steps as were recorded, 20");
    let tudui = ["--set", "model.name=tudui", "--set", "data.normalize=none"];
    refused(&trace, &tudui, 3, "expected the model's tensors (conv1.weight, conv1.bias");
    refused(&trace, &["--tolerance=-1"], 2, "--tolerance: expected a number from 0, got -1");
    let alone = sandbox.firebrick(&["verify", "--against", &trace]).ends_with(2);
    assert!(alone.stderr.contains("--config"), "{alone:#?}");
}

#[test]
fn the_help_says_where_the_format_is_described() {
    let help = Sandbox::new().firebrick(&["verify", "--help"]).succeeds().stdout;
    for part in ["docs/beside-pytorch.md", "record_trace.py"] {
        assert!(help.contains(part), "{part}: {help}");
    }
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/beside-pytorch.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("firebrick-trace-1"));
}
