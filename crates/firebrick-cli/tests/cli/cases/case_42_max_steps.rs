//! A stop by `max_steps` changes nothing but the end.

use std::fs::OpenOptions;
use std::io::Write;

use config_draw::End;

use super::super::sandbox::{Ended, Sandbox};

/// Plateau and early stopping that an evaluation too many would set off; two batches a step, an average, dropout.
const CONFIG: &str = r#"
[model]
name = "sequential"
input_shape = [1, 8, 8]
layers = [
    { name = "conv2d", out_channels = 8, kernel_size = 3, padding = 1 },
    { name = "batch_norm2d" }, { name = "relu" }, { name = "dropout", p = 0.3 },
    { name = "flatten" }, { name = "linear", out_features = 10 },
]

[data]
dataset = "digits"
batch_size = 50
limit = { train = 430, test = 100 }
augment = [{ name = "random_crop", padding = 1 }]

[loss]
name = "cross_entropy"

[optimizer]
name = "adamw"
lr = 0.003

[schedule]
name = "plateau"
patience = 0
threshold = 0.2

[trainer]
epochs = 4
backend = "flex"
accumulate_grad_batches = 2
ema = { decay = 0.9 }
checkpoint_every = 3
early_stopping = { metric = "loss", patience = 2, min_delta = 0.1 }
"#;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("t.toml", CONFIG);
    sandbox
}

fn train(sandbox: &Sandbox, run: &str, sets: &[&str]) -> Ended {
    let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
    sandbox.train(&[&["--config", "t.toml", "--run-dir", run, "--resume", "--quiet"][..], &sets].concat())
}

/// The same run without a stop and with one at each of these steps.
fn ends(sandbox: &Sandbox, sets: &[&str], stops: &[u64]) -> [End; 2] {
    train(sandbox, "full", sets).succeeds();
    for stop in stops {
        let max_steps = format!("trainer.max_steps={stop}");
        train(sandbox, "stopped", &[sets, &[max_steps.as_str()]].concat()).succeeds();
    }
    train(sandbox, "stopped", sets).succeeds();
    ["full", "stopped"].map(|run| End::read(&sandbox.path(run)).unwrap())
}

#[track_caller]
fn assert_same([full, stopped]: [End; 2]) {
    assert_eq!(stopped.difference(&full), None);
}

#[test]
fn stops_inside_an_epoch_are_no_evaluations_for_plateau_and_early_stopping() {
    assert_same(ends(&sandbox(), &[], &[1, 2, 3, 4]));
}

#[test]
fn a_cosine_without_a_length_is_as_long_as_the_run_that_nobody_stops() {
    assert_same(ends(&sandbox(), &["schedule={name=\"cosine\"}"], &[7]));
}

#[test]
fn stops_where_an_epoch_ends_and_a_validation_split_decides() {
    assert_same(ends(&sandbox(), &["data.validation=0.2"], &[4, 8, 8]));
}

#[test]
fn fewer_steps_than_are_done_are_refused_and_other_ones_told() {
    let sandbox = sandbox();
    train(&sandbox, "run", &["trainer.max_steps=4"]).succeeds();
    let ended = train(&sandbox, "run", &["trainer.max_steps=9"]).succeeds();
    assert!(ended.stderr.contains("trainer.max_steps: 4 -> 9"), "{ended:#?}");
    let config = sandbox.read("run/config.toml");
    let ended = train(&sandbox, "run", &["trainer.max_steps=5"]).ends_with(4);
    assert!(ended.stderr.contains("expected trainer.max_steps = 9 or more"), "{ended:#?}");
    assert!(ended.stderr.contains("got 5"), "{ended:#?}");
    assert_eq!(sandbox.read("run/config.toml"), config);
    train(&sandbox, "run", &["trainer.max_steps=9"]).succeeds();
}

/// A process goes on after the end and is killed before its first checkpoint: the lines of the evaluation at the end are
/// gone, and may have given way to those of steps.
#[test]
fn an_end_whose_evaluation_is_gone_from_the_metrics_is_evaluated_again() {
    let sandbox = sandbox();
    let sets = ["trainer.max_steps=7"];
    train(&sandbox, "run", &sets).succeeds();
    let expected = End::read(&sandbox.path("run")).unwrap();
    let state = sandbox.read_json("run/checkpoints/step-000000007/state.json");
    let bytes = state["progress"]["closing"]["metrics_bytes"].as_u64().unwrap();
    let path = sandbox.path("run/metrics.jsonl");
    for step_lines in [0, 1, 5] {
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.set_len(bytes).unwrap();
        let line = format!("{}\n", sandbox.metrics("run")[6]).replace("\"step\":7", "\"step\":8");
        file.write_all(line.repeat(step_lines).as_bytes()).unwrap();
        train(&sandbox, "run", &sets).succeeds();
        let end = End::read(&sandbox.path("run")).unwrap();
        assert_eq!(end.difference(&expected), None, "{step_lines} lines");
    }
}
