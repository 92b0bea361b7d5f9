//! A run folder that has lost its `config.toml`, or got back only a part of its files, is no free folder.

use std::fs;

use super::super::run_states::{CONFIG, contents};
use super::super::sandbox::Sandbox;

const RUN: [&str; 3] = ["--run-dir", "run/a", "--quiet"];

/// The finished run `run/a` of eight steps by `first.toml`, and `second.toml` of another learning rate.
fn run() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("first.toml", CONFIG);
    sandbox.write("second.toml", CONFIG.replace("lr = 0.05", "lr = 0.01"));
    sandbox.train(&[&["--config", "first.toml"], &RUN[..]].concat()).succeeds();
    sandbox
}

#[test]
fn a_fresh_run_does_not_begin_among_the_checkpoints_of_another() {
    let sandbox = run();
    fs::remove_file(sandbox.path("run/a/config.toml")).unwrap();
    let before = contents(&sandbox.path("run/a"));
    let ended = sandbox.train(&[&["--config", "second.toml"], &RUN[..]].concat()).ends_with(4);
    for words in [
        "run/a: holds a run without its config.toml",
        "3 checkpoints, of steps 4 to 8",
        "metrics.jsonl (up to step 8)",
        "summary.json (completed at step 8)",
        "--resume goes on with it",
        "name another --run-dir",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {ended:#?}");
    }
    // Another run's config does not go on with it either.
    let ended = sandbox.train(&[&["--config", "second.toml", "--resume"], &RUN[..]].concat()).ends_with(4);
    assert!(ended.stderr.contains("optimizer.lr: 0.05 -> 0.01"), "{ended:#?}");
    assert_eq!(contents(&sandbox.path("run/a")), before);
}

#[test]
fn the_same_run_goes_on_and_has_its_config_again() {
    let sandbox = run();
    let config = sandbox.read("run/a/config.toml");
    for arguments in [&["--config", "first.toml", "--resume", "--run-dir", "run/a"][..], &["--resume=run/a"]]
    {
        fs::remove_file(sandbox.path("run/a/config.toml")).unwrap();
        sandbox.train(arguments).succeeds();
        assert_eq!(sandbox.read("run/a/config.toml"), config);
        assert_eq!(sandbox.read_json("run/a/summary.json")["steps"], 8);
    }
    sandbox.train(&["--resume=run/a", "--set", "trainer.epochs=5", "--quiet"]).succeeds();
    assert_eq!(sandbox.read_json("run/a/summary.json")["steps"], 10);
    sandbox.firebrick(&["verify", "run/a"]).succeeds();
}

#[test]
fn checkpoints_without_their_metrics_are_used_but_not_gone_on_with() {
    let sandbox = run();
    fs::rename(sandbox.path("run/a/checkpoints"), sandbox.path("kept")).unwrap();
    fs::remove_dir_all(sandbox.path("run/a")).unwrap();
    fs::create_dir(sandbox.path("run/a")).unwrap();
    fs::rename(sandbox.path("kept"), sandbox.path("run/a/checkpoints")).unwrap();
    let ended = sandbox.train(&["--resume=run/a"]).ends_with(4);
    assert!(ended.stderr.contains("run/a/metrics.jsonl: expected the"), "{ended:#?}");
    assert!(ended.stderr.contains("got no such file; put the file back from a copy"), "{ended:#?}");
    sandbox.firebrick(&["evaluate", "run/a"]).succeeds();
    // What the message offers works.
    let weights = "model.weights=run/a/checkpoints/step-000000008/model.bpk";
    assert!(ended.stderr.contains(&format!("--set {weights} --run-dir NEW")), "{ended:#?}");
    let fresh = ["--config", "first.toml", "--set", weights, "--run-dir", "run/new", "--quiet"];
    sandbox.train(&fresh).succeeds();
}

#[test]
fn files_of_somebody_else_are_not_overwritten_by_a_fresh_run() {
    let files = [
        ("summary.json", "{}"),
        ("environment.json", "{}"),
        ("metrics.jsonl", "1\n"),
        ("diverged.json", "{}"),
    ];
    for (name, text) in files {
        let sandbox = Sandbox::new();
        sandbox.write("project/tiny.toml", CONFIG);
        sandbox.write(&format!("project/{name}"), text);
        for resume in [&[][..], &["--resume"]] {
            let arguments = [&["--config", "project/tiny.toml", "--run-dir", "project"], resume].concat();
            let ended = sandbox.train(&arguments).ends_with(4);
            assert!(ended.stderr.contains(name) && ended.stderr.contains("--run-dir"), "{ended:#?}");
            assert_eq!(sandbox.read(&format!("project/{name}")), text);
        }
    }
}

#[test]
fn a_config_that_somebody_wrote_is_not_taken_for_a_run() {
    let sandbox = Sandbox::new();
    let text = format!("# my notes\n{CONFIG}");
    sandbox.write("project/config.toml", &text);
    let arguments = ["--config", "project/config.toml", "--run-dir", "project", "--resume"];
    let ended = sandbox.train(&arguments).ends_with(4);
    assert!(ended.stderr.contains("name another --run-dir"), "{ended:#?}");
    assert_eq!(sandbox.read("project/config.toml"), text);
    assert_eq!(sandbox.entries(), ["project", "project/.lock", "project/config.toml"]);
}
