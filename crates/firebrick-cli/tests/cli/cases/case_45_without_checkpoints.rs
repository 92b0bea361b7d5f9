//! `--resume` where the checkpoints are gone never begins anew over what the run has told.

use std::fs;

use super::super::run_states::{CONFIG, contents};
use super::super::sandbox::Sandbox;

fn run() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("t.toml", CONFIG);
    sandbox.train(&["--config", "t.toml", "--run-dir", "run/a", "--quiet"]).succeeds();
    sandbox
}

const RESUMES: [&[&str]; 2] = [
    &["--config", "t.toml", "--run-dir", "run/a", "--resume", "--set", "trainer.max_steps=3"],
    &["--resume=run/a"],
];

/// Every resume ends with 4, changes nothing, and says these words.
fn assert_refused(sandbox: &Sandbox, words: &[&str]) {
    let before = contents(&sandbox.path("run/a"));
    for resume in RESUMES {
        let ended = sandbox.train(resume).ends_with(4);
        for words in words.iter().chain(&["run/a", "put checkpoints/ back", "name another --run-dir"]) {
            assert!(ended.stderr.contains(words), "{words}: {ended:#?}");
        }
        assert_eq!(contents(&sandbox.path("run/a")), before);
    }
}

#[test]
fn a_finished_run_without_checkpoints_keeps_its_metrics_and_summary() {
    let sandbox = run();
    fs::remove_dir_all(sandbox.path("run/a/checkpoints")).unwrap();
    assert_refused(&sandbox, &["metrics.jsonl (up to step 8)", "summary.json (completed at step 8)"]);
    fs::create_dir(sandbox.path("run/a/checkpoints")).unwrap();
    assert_refused(&sandbox, &["metrics.jsonl (up to step 8)"]);
}

#[test]
fn one_of_the_two_files_is_enough() {
    for (removed, found) in [
        ("summary.json", "metrics.jsonl (up to step 8)"),
        ("metrics.jsonl", "summary.json (completed at step 8)"),
    ] {
        let sandbox = run();
        fs::remove_dir_all(sandbox.path("run/a/checkpoints")).unwrap();
        fs::remove_file(sandbox.path("run/a").join(removed)).unwrap();
        assert_refused(&sandbox, &[found]);
    }
}

#[test]
fn a_run_that_has_not_taken_a_step_begins_anew() {
    let sandbox = run();
    fs::remove_dir_all(sandbox.path("run/a/checkpoints")).unwrap();
    fs::remove_file(sandbox.path("run/a/summary.json")).unwrap();
    sandbox.write("run/a/metrics.jsonl", "");
    let other = ["--config", "t.toml", "--run-dir", "run/a", "--resume", "--set", "optimizer.lr=0.2"];
    let ended = sandbox.train(&other).ends_with(4);
    assert!(ended.stderr.contains("optimizer.lr: 0.05 -> 0.2"), "{ended:#?}");
    sandbox.train(RESUMES[0]).succeeds();
    assert_eq!(sandbox.read_json("run/a/summary.json")["steps"], 3);
}

#[test]
fn older_checkpoints_go_on_and_what_they_do_not_know_is_kept() {
    let sandbox = run();
    let (metrics, summary) = (sandbox.read("run/a/metrics.jsonl"), sandbox.read("run/a/summary.json"));
    fs::remove_dir_all(sandbox.path("run/a/checkpoints/step-000000008")).unwrap();
    let ended = sandbox.train(&["--resume=run/a", "--set", "trainer.max_steps=7", "--quiet"]).succeeds();
    for words in [
        "step-000000008 is missing, though LATEST names it",
        "is kept: summary.json and metrics.jsonl, in run/a/earlier-001",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {ended:#?}");
    }
    assert_eq!(sandbox.read_json("run/a/summary.json")["steps"], 7);
    assert_eq!(sandbox.read("run/a/earlier-001/metrics.jsonl"), metrics);
    assert_eq!(sandbox.read("run/a/earlier-001/summary.json"), summary);
    sandbox.train(&["--resume=run/a", "--set", "trainer.max_steps=8", "--quiet"]).succeeds();
    assert!(!sandbox.path("run/a/earlier-002").exists());
    sandbox.firebrick(&["verify", "run/a"]).succeeds();
}
