//! Checkpoints of training scripts: the network is found under any key, and an optimiser's state is none.
//!
//! The files are `torch.save`'s (`inputs/checkpoints/make.py`). Each network in them answers one class, whatever it
//! sees, so that the answer tells which one was loaded.

use std::path::Path;

use crate::cli::sandbox::{Ended, Sandbox};

const SMALL: &str = r#"
[model]
name = "sequential"
input_shape = [1, 8, 8]
layers = [{ name = "max_pool2d", kernel_size = 4 }, { name = "flatten" }, { name = "linear", out_features = 10 }]

[data]
dataset = "digits"
batch_size = 32
workers = 0
limit = { train = 32, test = 50 }

[loss]
name = "cross_entropy"

[optimizer]
name = "sgd"
lr = 0.0

[trainer]
epochs = 1
backend = "flex"
"#;

/// A folder with the config and this checkpoint, perhaps under another name.
pub fn with_checkpoint(file: &str, name: &str) -> Sandbox {
    let inputs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/cases/inputs/checkpoints");
    let sandbox = Sandbox::new();
    sandbox.write("small.toml", SMALL);
    sandbox.write(name, std::fs::read(inputs.join(file)).unwrap());
    sandbox
}

pub fn train(sandbox: &Sandbox, name: &str, more: &[&str]) -> Ended {
    let weights = format!("model.weights={name}");
    let arguments = ["--config", "small.toml", "--run-dir", "run", "--quiet", "--set", &weights];
    sandbox.train(&[&arguments, more].concat())
}

/// The class that the run's network answers for every image.
#[track_caller]
pub fn answer(sandbox: &Sandbox) -> usize {
    let evaluation = sandbox.firebrick(&["evaluate", "run", "--json"]).succeeds().json();
    let rows = evaluation["confusion"].as_array().unwrap();
    let answered = |class: usize| rows.iter().map(|row| row[class].as_u64().unwrap()).sum::<u64>();
    let classes: Vec<usize> = (0..10).filter(|class| answered(*class) > 0).collect();
    assert_eq!(classes.len(), 1, "{evaluation}");
    classes[0]
}

#[test]
fn the_network_is_found_beside_an_optimisers_state() {
    for (file, expected) in [
        ("net_optimizer.pth", 3),
        ("data_parallel.pth.tar", 6),
        ("compiled.t7", 7),
        ("averaged.bin", 8),
        ("lightning.ckpt", 9),
        ("checkpoint_epoch_0010.pt", 2),
    ] {
        let sandbox = with_checkpoint(file, file);
        train(&sandbox, file, &[]).succeeds();
        assert_eq!(answer(&sandbox), expected, "{file}");
    }
}

#[test]
fn the_ending_of_the_name_does_not_matter() {
    for name in ["w.ckpt", "w.bin", "w", "w.safetensors", "w.pt.bak", "w.onnx"] {
        let sandbox = with_checkpoint("net_optimizer.pth", name);
        train(&sandbox, name, &[]).succeeds();
        assert_eq!(answer(&sandbox), 3, "{name}");
    }
}

#[test]
fn of_several_networks_a_key_chooses() {
    let sandbox = with_checkpoint("params_ema.ckpt", "w.ckpt");
    let ended = train(&sandbox, "w.ckpt", &[]).ends_with(2);
    assert!(
        ended.stderr.contains("2 networks in it fit this model, under 'params', 'params_ema'"),
        "{ended:#?}"
    );
    assert!(ended.stderr.contains("model.weights_key = \"params\""), "{ended:#?}");
    assert!(!sandbox.path("run").exists());
    for (key, expected) in [("params", 4), ("params_ema", 5)] {
        let sandbox = with_checkpoint("params_ema.ckpt", "w.ckpt");
        train(&sandbox, "w.ckpt", &["--set", &format!("model.weights_key={key}")]).succeeds();
        assert_eq!(answer(&sandbox), expected);
        assert!(sandbox.read("run/config.toml").contains(&format!("weights_key = \"{key}\"")));
    }
    // Of the network and its average the network is taken, and that is said.
    let sandbox = with_checkpoint("data_parallel.pth.tar", "w.ckpt");
    let ended = train(&sandbox, "w.ckpt", &[]).succeeds();
    let told = "taken from `state_dict`; the file holds such a network under state_dict_ema, too";
    assert!(ended.stderr.contains(told), "{ended:#?}");
    // Tensors beside an average lie under no key.
    let sandbox = with_checkpoint("beside_average.pt", "w.ckpt");
    let ended = train(&sandbox, "w.ckpt", &[]).succeeds();
    assert_eq!(answer(&sandbox), 1);
    assert!(ended.stderr.contains("the file holds such a network under ema, too"), "{ended:#?}");
    // The network's average, although its own key is known.
    let sandbox = with_checkpoint("data_parallel.pth.tar", "w.ckpt");
    train(&sandbox, "w.ckpt", &["--set", "model.weights_key=state_dict_ema"]).succeeds();
    assert_eq!(answer(&sandbox), 5);
}

#[test]
fn an_optimisers_state_alone_is_refused_and_named() {
    let sandbox = with_checkpoint("optimizer_only.pth", "optimizer_only.pth");
    let ended = train(&sandbox, "optimizer_only.pth", &[]).ends_with(2);
    for part in ["optimizer_only.pth", "no network in it, but an optimiser's state ('optimizer')", "'epoch'"]
    {
        assert!(ended.stderr.contains(part), "no `{part}`: {ended:#?}");
    }
    // Not even where anything may be missing.
    train(&sandbox, "optimizer_only.pth", &["--set", "model.strict=false"]).ends_with(2);
    assert!(!sandbox.path("run").exists());
}

#[test]
fn a_key_that_is_not_there_and_one_without_a_file() {
    let sandbox = with_checkpoint("net_optimizer.pth", "w.pth");
    let ended = train(&sandbox, "w.pth", &["--set", "model.weights_key=model"]).ends_with(2);
    assert!(ended.stderr.contains("no network under the key 'model'"), "{ended:#?}");
    assert!(
        ended.stderr.contains("there are tensors under 'net'; 'optimizer' is an optimiser's state"),
        "{ended:#?}"
    );
    train(&sandbox, "w.pth", &["--set", "model.weights_key=optimizer"]).ends_with(2);
    let arguments = ["--config", "small.toml", "--set", "model.weights_key=net"];
    let ended = sandbox.train(&arguments).ends_with(2);
    assert!(ended.stderr.contains("weights_key"), "{ended:#?}");
}
