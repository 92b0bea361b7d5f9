//! `train` from start to end: the run folder, its lines, resuming, refusing to overwrite.

use serde_json::Value;

use super::sandbox::{Ended, Sandbox};

const TINY_RUN: [&str; 4] = ["--config", "tiny.toml", "--run-dir", "run"];

#[test]
fn the_quickstart_needs_no_arguments_and_no_files() {
    let sandbox = Sandbox::new();
    let ended = sandbox.train(&["--set", "trainer.max_steps=3"]).succeeds();
    let run = sandbox.read_json("runs/quickstart-001/summary.json");
    assert_eq!(run["status"], "completed");
    assert_eq!(run["steps"], 3);
    assert!(ended.stderr.contains("tudui, 145,578 parameters"), "{ended:#?}");
    assert!(ended.stdout.contains("firebrick evaluate runs/quickstart-001"), "{ended:#?}");
}

#[test]
fn firebrick_train_is_the_same_command() {
    let sandbox = Sandbox::with_tiny_config();
    sandbox.firebrick(&["train", "--config", "tiny.toml", "--run-dir", "a", "--quiet"]).succeeds();
    sandbox.train(&["--config", "tiny.toml", "--run-dir", "b", "--quiet"]).succeeds();
    let hash = |run: &str| sandbox.read_json(&format!("{run}/summary.json"))["weights_sha256"].clone();
    assert_eq!(hash("a"), hash("b"));
}

#[test]
fn the_run_folder_holds_what_it_promises() {
    let sandbox = Sandbox::with_tiny_config();
    sandbox.train(&["--config", "tiny.toml"]).succeeds();
    let run = "runs/tiny-001";
    for name in [
        "config.toml",
        "environment.json",
        "metrics.jsonl",
        "summary.json",
        "checkpoints/LATEST",
        "checkpoints/BEST",
    ] {
        assert!(sandbox.path(&format!("{run}/{name}")).is_file(), "{name}: {:?}", sandbox.entries());
    }
    for name in ["model.bpk", "optimizer.bpk", "state.json", "MANIFEST.json"] {
        let path = format!("{run}/checkpoints/step-000000006/{name}");
        assert!(sandbox.path(&path).is_file(), "{path}: {:?}", sandbox.entries());
    }
    let metrics = sandbox.metrics(run);
    let steps: Vec<&Value> = metrics.iter().filter(|record| record["event"] == "step").collect();
    let evals: Vec<&Value> = metrics.iter().filter(|record| record["event"] == "eval").collect();
    assert_eq!((steps.len(), evals.len()), (6, 2));
    assert_eq!(steps[0]["step"], 1);
    assert_eq!(steps[5]["epoch"], 2);
    let summary = sandbox.read_json(&format!("{run}/summary.json"));
    assert_eq!(summary["final"]["accuracy"], evals[1]["accuracy"]);
    assert_eq!(summary["epochs"], 2);
}

#[test]
fn the_resolved_config_gives_the_same_run_again() {
    let sandbox = Sandbox::with_run();
    sandbox.train(&["--config", "run/config.toml", "--run-dir", "again", "--quiet"]).succeeds();
    assert_eq!(
        sandbox.read_json("run/summary.json")["weights_sha256"],
        sandbox.read_json("again/summary.json")["weights_sha256"]
    );
}

#[test]
fn runs_are_numbered_and_never_overwritten() {
    let sandbox = Sandbox::with_tiny_config();
    for _ in 0..2 {
        sandbox.train(&["--config", "tiny.toml", "--set", "trainer.max_steps=1", "--quiet"]).succeeds();
    }
    assert!(sandbox.path("runs/tiny-001/summary.json").is_file());
    assert!(sandbox.path("runs/tiny-002/summary.json").is_file());
    let before = sandbox.read("runs/tiny-001/metrics.jsonl");
    let ended = sandbox.train(&["--config", "tiny.toml", "--run-dir", "runs/tiny-001"]).ends_with(4);
    assert!(ended.stderr.contains("already holds a run") && ended.stderr.contains("--resume"), "{ended:#?}");
    assert_eq!(sandbox.read("runs/tiny-001/metrics.jsonl"), before);
}

#[test]
fn a_resumed_run_is_the_run_that_was_never_stopped() {
    let sandbox = Sandbox::with_run();
    let half = ["--config", "tiny.toml", "--run-dir", "half", "--quiet"];
    sandbox.train(&[&half[..], &["--set", "trainer.max_steps=4"]].concat()).succeeds();
    // Without --config: by the run's own.
    sandbox.train(&["--resume=half", "--set", "trainer.max_steps=6", "--quiet"]).succeeds();
    assert_eq!(
        sandbox.read_json("half/summary.json")["weights_sha256"],
        sandbox.read_json("run/summary.json")["weights_sha256"]
    );
}

#[test]
fn resume_with_run_dir_starts_what_is_not_there_and_goes_on_with_what_is() {
    let sandbox = Sandbox::with_tiny_config();
    let arguments = [&TINY_RUN[..], &["--resume", "--quiet"]].concat();
    sandbox.train(&arguments).succeeds();
    let first = sandbox.metrics("run");
    let again = sandbox.train(&arguments).succeeds();
    assert_eq!(sandbox.metrics("run"), first);
    assert!(again.stdout.contains("2 epochs, 6 steps"), "{again:#?}");
}

#[test]
fn resume_refuses_another_config_and_says_what_differs() {
    let sandbox = Sandbox::with_run();
    let ended = sandbox.train(&["--resume=run", "--set", "optimizer.lr=0.5"]).ends_with(4);
    assert!(ended.stderr.contains("optimizer.lr: 0.02 -> 0.5"), "{ended:#?}");
}

#[test]
fn progress_goes_to_standard_error_and_the_result_to_standard_output() {
    let sandbox = Sandbox::with_tiny_config();
    let ended = sandbox.train(&TINY_RUN).succeeds();
    assert!(ended.stderr.contains("\n    1/2  ") && ended.stderr.contains("\n    2/2  "), "{ended:#?}");
    assert!(!ended.stderr.contains('\u{1b}') && !ended.stdout.contains('\u{1b}'), "{ended:#?}");
    assert!(
        ended.stdout.contains("best") && ended.stdout.contains("firebrick predict run IMAGE"),
        "{ended:#?}"
    );
}

#[test]
fn a_validation_split_is_named_in_the_header_the_table_and_the_result() {
    let sandbox = Sandbox::with_tiny_config();
    let plain = sandbox.train(&["--config", "tiny.toml"]).succeeds();
    assert!(plain.stderr.contains("digits, 96 images to train and 64 to test\n"), "{plain:#?}");
    assert!(plain.stderr.contains("  epoch  train loss   test loss  accuracy  "), "{plain:#?}");
    assert_eq!(
        plain.stderr.matches(" best by  test accuracy, as there is no validation split").count(),
        1,
        "{plain:#?}"
    );
    assert!(!plain.stdout.contains("validation"), "{plain:#?}");
    let arguments = [&TINY_RUN[..], &["--set", "data.validation=0.25", "--set", "trainer.ema.decay=0.9"]];
    let ended = sandbox.train(&arguments.concat()).succeeds();
    let header = "digits, 72 images to train, 24 to validate and 64 to test\n";
    assert!(ended.stderr.contains(header), "{ended:#?}");
    assert!(ended.stderr.contains("  epoch  train loss  valid loss  accuracy  "), "{ended:#?}");
    assert!(ended.stderr.contains(" best by  validation accuracy\n"), "{ended:#?}");
    // Two epochs, each with its average, and no line of the test split.
    let table = ended.stderr.lines().filter(|line| line.contains('%'));
    assert_eq!(table.count(), 4, "{ended:#?}");
    for text in
        ["% validation accuracy, epoch ", "% test accuracy, test loss ", "% with the average, test loss "]
    {
        assert_eq!(ended.stdout.matches(text).count(), 1, "{text}: {ended:#?}");
    }
}

#[test]
fn quiet_leaves_the_result_alone() {
    let sandbox = Sandbox::with_tiny_config();
    let ended = sandbox.train(&[&TINY_RUN[..], &["--quiet"]].concat()).succeeds();
    assert_eq!(ended.stderr, "");
    assert!(ended.stdout.contains("2 epochs, 6 steps"), "{ended:#?}");
}

#[test]
fn json_log_is_one_object_an_event_and_nothing_else() {
    let sandbox = Sandbox::with_tiny_config();
    let ended = sandbox.train(&[&TINY_RUN[..], &["--log-format", "json"]].concat()).succeeds();
    assert_eq!(ended.stderr, "");
    let events = json_lines(&ended);
    let names: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert_eq!(names.first(), Some(&"started"));
    assert_eq!(names.last(), Some(&"finished"));
    let recorded: Vec<Value> =
        events.iter().filter(|event| event["event"] == "step" || event["event"] == "eval").cloned().collect();
    assert_eq!(recorded, sandbox.metrics("run"));
}

fn json_lines(ended: &Ended) -> Vec<Value> {
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_diverged_run_ends_with_1_and_says_at_which_step() {
    let sandbox = Sandbox::with_tiny_config();
    let ended =
        sandbox.train(&[&TINY_RUN[..], &["--set", "optimizer.lr=1e20", "--quiet"]].concat()).ends_with(1);
    assert!(ended.stderr.contains("diverged at step") && ended.stderr.contains("optimizer.lr"), "{ended:#?}");
}

/// The same five steps on every backend of this build. Without an adapter wgpu has nothing to run on;
/// `FIREBRICK_REQUIRE_WGPU=1` makes that a failure.
#[test]
fn backends_agree() {
    let sandbox = Sandbox::with_tiny_config();
    let losses = |backend: &str| -> Vec<f64> {
        let arguments = ["--config", "tiny.toml", "--run-dir", backend, "--backend", backend, "--quiet"];
        let mut command = sandbox.command(env!("CARGO_BIN_EXE_train"));
        // On a software renderer, choosing between kernels takes a minute and the steps take seconds.
        command.env("CUBECL_AUTOTUNE_LEVEL", "minimal");
        sandbox.run(&mut command, &[&arguments[..], &["--set", "trainer.max_steps=5"]].concat()).succeeds();
        sandbox.metrics(backend).iter().filter_map(|record| record["loss"].as_f64()).collect()
    };
    let mut others = vec!["ndarray"];
    if has_wgpu(&sandbox) {
        others.push("wgpu");
    }
    let flex = losses("flex");
    assert_eq!(flex.len(), 7); // five steps, and the evaluations after the third and the fifth
    for other in others {
        for (expected, got) in flex.iter().zip(losses(other)) {
            assert!((expected - got).abs() < 1e-4, "{other}: expected {expected}, got {got}");
        }
    }
}

fn has_wgpu(sandbox: &Sandbox) -> bool {
    let devices = sandbox.firebrick(&["devices", "--json"]).succeeds().json();
    let wgpu =
        devices["backends"].as_array().unwrap().iter().find(|backend| backend["backend"] == "wgpu").unwrap();
    let found = !wgpu["devices"].as_array().unwrap().is_empty();
    assert!(found || std::env::var_os("FIREBRICK_REQUIRE_WGPU").is_none(), "no adapter: {wgpu}");
    found
}
