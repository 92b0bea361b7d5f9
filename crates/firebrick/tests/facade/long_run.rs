//! What a long run needs: averaged gradients and weights, stopping in time, going on after a bad batch.

use std::path::Path;

use firebrick::prelude::*;
use firebrick::train::run_folder::Resume;
use serde_json::Value;

use super::trainer::config;

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn train(run_dir: &Path, overrides: &[(&str, &str)]) -> Result<firebrick::train::event::Summary, TrainError> {
    Ok(Trainer::new(config(overrides)).run_dir(run_dir).run()?.summary)
}

fn losses(run_dir: &Path) -> Vec<f64> {
    let text = std::fs::read_to_string(run_dir.join("metrics.jsonl")).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records
        .filter(|record| record["event"] == "step")
        .map(|record| record["loss"].as_f64().unwrap())
        .collect()
}

/// 96 samples are 6 steps of 16 or of twice 8, and 3 steps, of 40, 40 and 16, in batches of 40 or 20.
#[test]
fn averaged_gradients_of_small_batches_are_those_of_the_large_one() {
    let folder = tempfile::tempdir().unwrap();
    for (small, parts, large) in [("8", "2", "16"), ("20", "2", "40")] {
        let (one, many) =
            (folder.path().join(format!("one-{large}")), folder.path().join(format!("many-{large}")));
        let whole = train(&one, &[("data.batch_size", large)]).unwrap();
        let parts =
            train(&many, &[("data.batch_size", small), ("trainer.accumulate_grad_batches", parts)]).unwrap();
        assert_eq!(parts.steps, whole.steps);
        for (step, (a, b)) in losses(&one).iter().zip(losses(&many)).enumerate() {
            assert!((a - b).abs() < 1e-4, "batches of {small}: step {}: {b} but at once {a}", step + 1);
        }
    }
}

#[test]
fn the_average_of_the_weights_is_evaluated_saved_and_resumed_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let options = [
        ("trainer.ema", "{ decay = 0.9 }"),
        ("trainer.checkpoint_every", "2"),
        ("trainer.accumulate_grad_batches", "2"),
        ("schedule", "{ name = \"plateau\", patience = 0 }"),
    ];
    let expected = train(&whole, &options).unwrap();
    assert!(expected.ema.is_some() && expected.ema_sha256.as_ref() != Some(&expected.weights_sha256));
    let evaluations = std::fs::read_to_string(whole.join("metrics.jsonl")).unwrap();
    assert_eq!(evaluations.matches("\"weights\":\"ema\"").count(), 2);

    for last in [1, 4] {
        let stop = |event: &Event| match event {
            Event::Step(step) if step.step == last => Control::Stop,
            _ => Control::Continue,
        };
        let run = Trainer::new(config(&options)).run_dir(&parts).resume(Resume::Latest);
        assert_eq!(run.on_event(stop).run().unwrap().status, Status::Stopped);
    }
    let finished =
        Trainer::new(config(&options)).run_dir(&parts).resume(Resume::Latest).run().unwrap().summary;
    assert_eq!(finished.weights_sha256, expected.weights_sha256);
    assert_eq!(finished.ema_sha256, expected.ema_sha256);
    assert_eq!(finished.ema, expected.ema);
}

#[test]
fn a_finished_run_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let run_dir = folder.path().join("run");
    let first = train(&run_dir, &[]).unwrap();
    let files = || {
        ["summary.json", "metrics.jsonl", "checkpoints/LATEST"]
            .map(|name| std::fs::read(run_dir.join(name)).unwrap())
    };
    let before = files();
    let again = Trainer::new(config(&[])).run_dir(&run_dir).resume(Resume::Latest).run().unwrap();
    assert_eq!((again.status, again.summary), (Status::Completed, first));
    assert_eq!(files(), before);
}

#[test]
fn early_stopping_completes_the_run_before_its_last_epoch() {
    let folder = tempfile::tempdir().unwrap();
    // A rate of nothing improves nothing.
    let options =
        [("optimizer.lr", "1e-30"), ("trainer.epochs", "9"), ("trainer.early_stopping", "{ patience = 2 }")];
    let summary = train(&folder.path().join("run"), &options).unwrap();
    assert_eq!((summary.status.as_str(), summary.epochs), ("completed", 3));
}

#[test]
fn the_best_checkpoints_stay_beside_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let run_dir = folder.path().join("run");
    train(&run_dir, &[("trainer.epochs", "6"), ("trainer.keep_last", "1"), ("trainer.keep_best", "2")])
        .unwrap();
    let state = json(&run_dir.join("checkpoints/step-000000036/state.json"));
    let mut expected: Vec<u64> = state["progress"]["bests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|best| best["step"].as_u64().unwrap())
        .collect();
    assert_eq!(expected.len(), 2);
    expected.push(36);
    expected.sort_unstable();
    expected.dedup();
    let mut steps: Vec<u64> = std::fs::read_dir(run_dir.join("checkpoints"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_prefix("step-")?.parse().ok())
        .collect();
    steps.sort_unstable();
    assert_eq!(steps, expected);
}

#[test]
fn a_divergence_is_described_and_never_saved() {
    let folder = tempfile::tempdir().unwrap();
    // The first update leaves weights of 1e28: finite, but no batch gives a finite loss again. Skipping
    // batches ends with the epoch, at its evaluation.
    for (policy, recoveries, samples) in [("stop", 0, 16), ("skip_batch", 5, 0)] {
        let run_dir = folder.path().join(policy);
        let options = [("optimizer.lr", "1e30"), ("trainer.on_divergence", &format!("{policy:?}"))];
        let error = train(&run_dir, &options).unwrap_err();
        assert!(matches!(error, TrainError::Diverged { .. }), "{error}");
        let report = json(&run_dir.join("diverged.json"));
        assert_eq!(report["samples"].as_array().unwrap().len(), samples, "{policy}");
        assert_eq!(report["parameters"].as_array().unwrap().len(), 10);
        assert_eq!(report["action"]["kind"], "stopped");
        assert_eq!(report["recoveries"], recoveries, "{policy}");
        let checkpoint = std::fs::read_to_string(run_dir.join("checkpoints/LATEST")).unwrap();
        assert_eq!(checkpoint.trim(), "step-000000000", "{policy}");
    }
}

#[test]
fn going_back_undoes_every_other_step_of_a_rate_that_breaks_each() {
    let folder = tempfile::tempdir().unwrap();
    let run_dir = folder.path().join("run");
    let options = [("optimizer.lr", "1e30"), ("trainer.on_divergence", "\"restore_last\"")];
    let summary = train(&run_dir, &options).unwrap();
    assert_eq!((summary.steps, summary.recoveries), (12, 6));
    let first = json(&run_dir.join("checkpoints/step-000000000/state.json"));
    assert_eq!(first["weights_sha256"], summary.weights_sha256.as_str(), "all is undone");
    let bounded = folder.path().join("bounded");
    let error = train(&bounded, &[options[0], options[1], ("trainer.max_recoveries", "2")]).unwrap_err();
    assert!(matches!(error, TrainError::Diverged { step: 6, .. }), "{error}");
}

#[test]
fn fewer_epochs_than_before_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run_dir = folder.path().join("run");
    train(&run_dir, &[("trainer.max_steps", "2")]).unwrap();
    let fewer = config(&[("trainer.max_steps", "2"), ("trainer.epochs", "1")]);
    let error = Trainer::new(fewer).run_dir(&run_dir).resume(Resume::Latest).run().unwrap_err();
    assert!(error.to_string().contains("expected trainer.epochs = 2 or more, got 1"), "{error}");
}
