//! `--resume` from an earlier checkpoint branches off: the run that it belongs to stays as it is.

use std::fs;

use super::super::run_states::{CONFIG, contents};
use super::super::sandbox::Sandbox;

const OLDER: &str = "--resume=run/a/checkpoints/step-000000006";

/// The finished run `run/a` of eight steps.
fn run() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("t.toml", CONFIG);
    sandbox.train(&["--config", "t.toml", "--run-dir", "run/a", "--quiet"]).succeeds();
    sandbox
}

fn sha256(sandbox: &Sandbox, run: &str) -> serde_json::Value {
    sandbox.read_json(&format!("{run}/summary.json"))["weights_sha256"].clone()
}

#[test]
fn an_earlier_checkpoint_begins_a_branch_and_its_run_stays_as_it_is() {
    let sandbox = run();
    let before = contents(&sandbox.path("run/a"));
    let ended =
        sandbox.train(&["--config", "t.toml", OLDER, "--set", "trainer.max_steps=7", "--quiet"]).succeeds();
    assert!(ended.stderr.contains("branched off run/a at step 6: run/a-002 begins with"), "{ended:#?}");
    assert!(ended.stderr.contains("run/a, which has come to step 8, stays as it is"), "{ended:#?}");
    assert_eq!(contents(&sandbox.path("run/a")), before);
    assert_eq!(sandbox.read_json("run/a-002/summary.json")["steps"], 7);
    assert_eq!(sandbox.read("run/a-002/checkpoints/LATEST"), "step-000000007\n");
    let verified = sandbox.firebrick(&["verify", "run/a-002"]).succeeds();
    assert!(verified.stdout.contains("branch.json: good, off"), "{verified:#?}");
    // Both go on by their own names.
    for run in ["run/a", "run/a-002"] {
        sandbox.train(&[&format!("--resume={run}"), "--quiet"]).ends_with(0);
        sandbox.firebrick(&["verify", run]).succeeds();
    }
    assert_eq!(sandbox.read("run/a-002/checkpoints/LATEST"), "step-000000007\n");
    sandbox.train(&["--config", "t.toml", "--resume=run/a-002", "--quiet"]).succeeds();
    assert_eq!(sha256(&sandbox, "run/a-002"), sha256(&sandbox, "run/a"));
    // The next branch gets the next number.
    let ended = sandbox.train(&[OLDER, "--quiet"]).succeeds();
    assert!(ended.stdout.contains("run/a-003"), "{ended:#?}");
}

#[test]
fn a_restart_loop_with_a_named_branch_goes_on_in_it() {
    let sandbox = run();
    let before = contents(&sandbox.path("run/a"));
    let branch = ["--config", "t.toml", OLDER, "--run-dir", "b", "--quiet"];
    let ended = sandbox.train(&[&branch[..], &["--set", "trainer.max_steps=7"]].concat()).succeeds();
    assert!(ended.stderr.contains("branched off run/a at step 6: b begins"), "{ended:#?}");
    for _ in 0..2 {
        let ended = sandbox.train(&branch).succeeds();
        assert!(!ended.stderr.contains("branched off"), "{ended:#?}");
        assert_eq!(sha256(&sandbox, "b"), sha256(&sandbox, "run/a"));
    }
    assert_eq!(contents(&sandbox.path("run/a")), before);
    // Also when the run that it came from is gone, or has another name now.
    fs::rename(sandbox.path("run/a"), sandbox.path("run/archived")).unwrap();
    sandbox.train(&[OLDER, "--run-dir", "b", "--quiet"]).succeeds();
    let moved = "--resume=run/archived/checkpoints/step-000000006";
    sandbox.train(&[moved, "--run-dir", "b", "--quiet"]).succeeds();
}

#[test]
fn a_branch_goes_into_no_folder_of_another_run() {
    let sandbox = run();
    sandbox
        .train(&["--config", "t.toml", "--run-dir", "c", "--set", "optimizer.lr=0.01", "--quiet"])
        .succeeds();
    let before = contents(&sandbox.path("c"));
    let ended = sandbox.train(&[OLDER, "--run-dir", "c"]).ends_with(4);
    assert!(ended.stderr.contains("c: is not free for a branch: found config.toml"), "{ended:#?}");
    assert_eq!(contents(&sandbox.path("c")), before);
    // Nor into that of another branch, nor into the run's own.
    let other = "--resume=run/a/checkpoints/step-000000004";
    sandbox.train(&[other, "--run-dir", "d", "--quiet"]).succeeds();
    let ended = sandbox.train(&[OLDER, "--run-dir", "d"]).ends_with(4);
    assert!(ended.stderr.contains("d: is a branch of") && ended.stderr.contains("off step 4"), "{ended:#?}");
    let ended = sandbox.train(&[OLDER, "--run-dir", "run/a"]).ends_with(4);
    assert!(ended.stderr.contains("is not the end of its run, which has come to step 8"), "{ended:#?}");
}

#[test]
fn the_newest_checkpoint_goes_on_in_place() {
    let sandbox = run();
    let newest = "--resume=run/a/checkpoints/step-000000008";
    sandbox.train(&[newest, "--set", "trainer.epochs=5", "--quiet"]).succeeds();
    assert_eq!(sandbox.read_json("run/a/summary.json")["steps"], 10);
    assert!(!sandbox.path("run/a-002").exists());
    // Into a folder that is named, it branches off all the same.
    let newest = "--resume=run/a/checkpoints/step-000000010";
    sandbox.train(&[newest, "--run-dir", "b", "--set", "trainer.epochs=6", "--quiet"]).succeeds();
    assert_eq!(sandbox.read_json("run/a/summary.json")["steps"], 10);
    assert_eq!(sandbox.read_json("b/summary.json")["steps"], 12);
}

#[test]
fn lines_of_later_steps_count_also_when_their_checkpoints_are_gone() {
    let sandbox = run();
    fs::remove_dir_all(sandbox.path("run/a/checkpoints/step-000000008")).unwrap();
    let before = contents(&sandbox.path("run/a"));
    sandbox.train(&[OLDER, "--quiet"]).succeeds();
    assert_eq!(contents(&sandbox.path("run/a")), before);
    assert_eq!(sha256(&sandbox, "run/a-002"), sha256(&sandbox, "run/a"));
}

#[test]
fn a_checkpoint_is_found_from_inside_its_run() {
    let sandbox = run();
    let train = env!("CARGO_BIN_EXE_train");
    for (folder, path) in [
        ("run/a", "checkpoints/step-000000006"),
        ("run/a/checkpoints", "step-000000006"),
        ("run/a", "./checkpoints/step-000000006/"),
    ] {
        let mut command = sandbox.command(train);
        command.current_dir(sandbox.path(folder));
        sandbox.run(&mut command, &[&format!("--resume={path}"), "--quiet"]).succeeds();
    }
    let mut names: Vec<_> = fs::read_dir(sandbox.path("run"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["a", "a-002", "a-003", "a-004"]);
}

#[test]
fn the_best_checkpoint_comes_along() {
    let sandbox = run();
    let best = sandbox.read("run/a/checkpoints/BEST");
    sandbox.train(&["--resume=run/a/checkpoints/step-000000008", "--run-dir", "b", "--quiet"]).succeeds();
    assert_eq!(sandbox.read("b/checkpoints/BEST"), best);
    assert!(sandbox.path("b/checkpoints").join(best.trim()).is_dir());
    sandbox.firebrick(&["evaluate", "b", "--checkpoint", "best"]).succeeds();
}

/// Else the fresh run would pass for that branch, and a restart of the branch would go on in it.
#[test]
fn no_fresh_run_begins_where_a_branch_was_begun() {
    let sandbox = Sandbox::with_tiny_config();
    sandbox.write("lone/branch.json", r#"{"run": "elsewhere", "step": 3, "manifest_sha256": "0"}"#);
    for resume in [["--quiet"].as_slice(), &["--quiet", "--resume"]] {
        let train = ["--config", "tiny.toml", "--run-dir", "lone"];
        let ended = sandbox.train(&[&train, resume].concat()).ends_with(4);
        assert!(ended.stderr.contains("branch.json"), "{ended:#?}");
    }
    assert_eq!(
        sandbox.entries().iter().filter(|name| name.starts_with("lone/") && !name.ends_with(".lock")).count(),
        1
    );
}

/// The command that a restart loop repeats must not move on to a branch that somebody has made meanwhile.
#[test]
fn a_resume_without_a_name_goes_on_with_the_run_and_not_with_its_branch() {
    let sandbox = Sandbox::new();
    sandbox.write("t.toml", CONFIG);
    let train = ["--config", "t.toml", "--quiet", "--resume"];
    sandbox.train(&[train.as_slice(), &["--set", "trainer.max_steps=7"]].concat()).succeeds();
    let branch = "--resume=runs/t-001/checkpoints/step-000000006";
    sandbox.train(&["--config", "t.toml", branch, "--quiet"]).succeeds();
    assert_eq!(sandbox.read_json("runs/t-002/summary.json")["steps"], 8);
    assert_eq!(sandbox.read_json("runs/t-001/summary.json")["steps"], 7);
    sandbox.train(&train).succeeds();
    assert_eq!(sandbox.read_json("runs/t-001/summary.json")["steps"], 8);
    assert_eq!(sha256(&sandbox, "runs/t-001"), sha256(&sandbox, "runs/t-002"));
}
