//! A run that goes on needs its checkpoint, and not the file of the weights that it began with.

use std::fs;

use super::super::fixtures;
use super::super::run_states::CONFIG;
use super::super::sandbox::{Ended, Sandbox};

/// The run `run/a` on files in `data/`, of two epochs by `t.toml`, which began with the weights in `start.safetensors`
/// and was stopped in its first one; the file is called otherwise now.
fn run() -> Sandbox {
    let sandbox = Sandbox::new();
    fixtures::mnist(&sandbox);
    let config = CONFIG
        .replace("[1, 8, 8]", "[1, 28, 28]")
        .replace("dataset = \"digits\"", "dataset = \"mnist\"\nroot = \"data\"")
        .replace("limit = { train = 32, test = 16 }", "")
        .replace("epochs = 4", "epochs = 2");
    sandbox.write("plain.toml", &config);
    sandbox.write("t.toml", config.replace("[data]", "weights = \"start.safetensors\"\n[data]"));
    let stop = "trainer.max_steps=1";
    sandbox.train(&["--config", "plain.toml", "--run-dir", "plain", "--set", stop, "--quiet"]).succeeds();
    sandbox.firebrick(&["export", "plain", "--out", "start.safetensors"]).succeeds();
    sandbox.train(&["--config", "t.toml", "--run-dir", "run/a", "--set", stop, "--quiet"]).succeeds();
    sandbox.train(&["--config", "t.toml", "--run-dir", "whole", "--quiet"]).succeeds();
    fs::rename(sandbox.path("start.safetensors"), sandbox.path("elsewhere.safetensors")).unwrap();
    sandbox
}

fn ends_like_the_whole(sandbox: &Sandbox, ended: Ended) -> Ended {
    let ended = ended.succeeds();
    let sha256 = |run: &str| sandbox.read_json(&format!("{run}/summary.json"))["weights_sha256"].clone();
    assert_eq!(sha256("run/a"), sha256("whole"));
    // What the run began with stays on record.
    for file in ["run/a/config.toml", "run/a/checkpoints/step-000000004/state.json"] {
        assert!(sandbox.read(file).contains("start.safetensors"), "{file}");
    }
    ended
}

#[test]
fn a_resume_does_not_look_for_the_weights() {
    let sandbox = run();
    let resume =
        ["--config", "t.toml", "--run-dir", "run/a", "--resume", "--set", "trainer.epochs=2", "--quiet"];
    ends_like_the_whole(&sandbox, sandbox.train(&resume));
    // A run that begins does.
    let ended = sandbox.train(&["--config", "t.toml", "--run-dir", "new"]).ends_with(2);
    assert!(ended.stderr.contains("start.safetensors") && !sandbox.path("new").exists(), "{ended:#?}");
}

#[test]
fn a_resume_works_from_another_folder() {
    let sandbox = run();
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_train"));
    command.current_dir(sandbox.path("run"));
    let arguments = ["--resume=a", "--set", "trainer.max_steps=4", "--quiet"];
    ends_like_the_whole(&sandbox, sandbox.run(&mut command, &arguments));
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_firebrick"));
    command.current_dir(sandbox.path("whole"));
    sandbox.run(&mut command, &["evaluate", "."]).succeeds();
}

#[test]
fn another_path_of_the_weights_has_no_effect_and_is_told() {
    let sandbox = run();
    let set = ["--set", "model.weights=elsewhere.safetensors", "--set", "model.strict=false"];
    let resume = [&["--resume=run/a", "--set", "trainer.max_steps=4", "--quiet"], &set[..]].concat();
    let ended = ends_like_the_whole(&sandbox, sandbox.train(&resume));
    let told = "no effect on a run that goes on from a checkpoint: model.weights: \"start.safetensors\" -> \
                \"elsewhere.safetensors\"";
    assert!(ended.stderr.contains(told), "{ended:#?}");
}

#[test]
fn a_branch_needs_no_weights_either() {
    let sandbox = run();
    let checkpoint = "--resume=run/a/checkpoints/step-000000001";
    sandbox.train(&[checkpoint, "--run-dir", "b", "--set", "trainer.max_steps=4", "--quiet"]).succeeds();
    sandbox.firebrick(&["evaluate", "b"]).succeeds();
}

#[test]
fn data_that_was_named_is_not_looked_for_elsewhere() {
    let sandbox = run();
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_train"));
    command.current_dir(sandbox.path("run"));
    sandbox.run(&mut command, &["--resume=a", "--set", "data.root=nowhere"]).ends_with(3);
}
