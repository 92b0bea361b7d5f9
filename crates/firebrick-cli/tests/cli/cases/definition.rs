//! What cases 41 and 51 share: the runs of `firebrick-train`'s `golden/definitions.json`, by the binaries.

use std::path::Path;

use serde_json::Value;

use crate::cli::sandbox::Sandbox;

/// One linear layer on 46 digits to train and 46 others to test, from weights that a formula gives.
pub const CONFIG: &str = r#"
[model]
name = "sequential"
input_shape = [1, 8, 8]
layers = [{ name = "flatten" }, { name = "linear", out_features = 10 }]
weights = "start.safetensors"

[data]
dataset = "digits"
shuffle = false
normalize = "none"
batch_size = 16
train_split = "train[:46]"
test_split = "test[:46]"

[loss]
name = "cross_entropy"

[optimizer]
name = "sgd"
lr = 0.05

[trainer]
epochs = 2
backend = "flex"
accumulate_grad_batches = 3
"#;

/// A folder with the config and the weights that it begins with.
pub fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("config.toml", CONFIG);
    let weight = (0..640).map(|index| (f64::from(index) * 0.37).sin() / 4.0);
    let values = weight.chain((0..10).map(|index| f64::from(index).sin()));
    let header = r#"{"1.weight":{"dtype":"F32","shape":[10,64],"data_offsets":[0,2560]},"1.bias":{"dtype":"F32","shape":[10],"data_offsets":[2560,2600]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(values.flat_map(|value| (value as f32).to_le_bytes()));
    sandbox.write("start.safetensors", bytes);
    sandbox
}

/// What PyTorch says for a loss with exactly these arguments.
pub fn of_pytorch(name: &str, arguments: &Value) -> Value {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = std::fs::read(crates.join("firebrick-train/tests/golden/definitions.json")).unwrap();
    let document: Value = serde_json::from_slice(&text).unwrap();
    let runs = document["runs"].as_array().unwrap();
    let found = runs.iter().find(|run| run["name"] == name && run["arguments"] == *arguments);
    found.unwrap_or_else(|| panic!("no run of {name} {arguments}")).clone()
}

/// Trains with a run's loss and learning rate.
pub fn train(sandbox: &Sandbox, run: &Value, run_dir: &str, more: &[&str]) {
    let arguments = run["arguments"].as_object().unwrap();
    let mut sets: Vec<String> = arguments.iter().map(|(key, value)| format!("loss.{key}={value}")).collect();
    sets.insert(0, format!("loss.name={}", run["name"]));
    sets.push(format!("optimizer.lr={}", run["lr"]));
    sets.extend(more.iter().map(|set| (*set).to_owned()));
    let mut command = vec!["--config", "config.toml", "--run-dir", run_dir, "--quiet"];
    command.extend(sets.iter().flat_map(|set| ["--set", set.as_str()]));
    sandbox.train(&command).succeeds();
}

/// One number of each record of a kind.
pub fn numbers(sandbox: &Sandbox, run_dir: &str, event: &str, key: &str) -> Vec<f64> {
    let records = sandbox.metrics(run_dir).into_iter().filter(|record| record["event"] == event);
    records.map(|record| record[key].as_f64().unwrap()).collect()
}

#[track_caller]
pub fn assert_close(got: f64, want: &Value, what: &str) {
    let want = want.as_f64().unwrap();
    assert!((got - want).abs() <= 1e-5 * want.abs().max(1.0), "{what}: {got}, PyTorch {want}");
}
