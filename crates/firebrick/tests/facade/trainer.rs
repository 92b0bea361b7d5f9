//! Training through the library.

use std::path::Path;

use firebrick::models::{LeNetConfig, NetworkConfig};
use firebrick::prelude::*;
use firebrick::train::run_folder::Resume;

pub fn config(overrides: &[(&str, &str)]) -> Config {
    let overrides: Vec<Override> = overrides.iter().map(|(key, value)| Override::new(*key, *value)).collect();
    let text = r#"
        [model]
        name = "lenet"
        [data]
        dataset = "digits"
        batch_size = 16
        limit = { train = 96, test = 40 }
        [loss]
        name = "cross_entropy"
        [optimizer]
        name = "sgd"
        lr = 0.05
        momentum = 0.9
        [trainer]
        epochs = 2
        backend = "flex"
        [output]
        root = "never-used"
    "#;
    Config::from_toml("test", text, &overrides).unwrap()
}

fn steps(run_dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(run_dir.join("metrics.jsonl")).unwrap();
    // Speed is the one thing that differs between equal runs.
    let without_speed = |line: &str| {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        let object = value.as_object_mut().unwrap();
        object.remove("images_per_second");
        object.remove("seconds");
        value.to_string()
    };
    text.lines().map(without_speed).collect()
}

#[test]
fn every_step_reaches_the_closure_and_the_run_folder() {
    let folder = tempfile::tempdir().unwrap();
    let run_dir = folder.path().join("run");
    let mut heard = Vec::new();
    let outcome = Trainer::new(config(&[]))
        .run_dir(&run_dir)
        .on_event(|event| {
            if let Event::Step(step) = event {
                heard.push((step.step, step.epoch));
            }
            Control::Continue
        })
        .run()
        .unwrap();
    assert_eq!(heard, (1..=12).map(|step| (step, 1 + (step - 1) / 6)).collect::<Vec<_>>());
    assert_eq!(outcome.status, Status::Completed);
    assert_eq!(outcome.summary.steps, 12);
    for name in ["config.toml", "environment.json", "metrics.jsonl", "summary.json", "checkpoints/LATEST"] {
        assert!(run_dir.join(name).exists(), "{name} is missing");
    }
    assert_eq!(steps(&run_dir).len(), 12 + 2);
}

#[test]
fn the_closure_can_stop_the_run_and_a_resume_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let parts = folder.path().join("parts");
    let expected = Trainer::new(config(&[])).run_dir(&whole).run().unwrap();

    let stop_at = |last: u64| {
        move |event: &Event| match event {
            Event::Step(step) if step.step == last => Control::Stop,
            _ => Control::Continue,
        }
    };
    for last in [2, 6, 9] {
        let outcome = Trainer::new(config(&[]))
            .run_dir(&parts)
            .resume(Resume::Latest)
            .on_event(stop_at(last))
            .run()
            .unwrap();
        assert_eq!((outcome.status, outcome.summary.steps), (Status::Stopped, last));
    }
    let finished = Trainer::new(config(&[])).run_dir(&parts).resume(Resume::Latest).run().unwrap();
    assert_eq!(finished.status, Status::Completed);
    assert_eq!(finished.summary.weights_sha256, expected.summary.weights_sha256);
    assert_eq!(steps(&parts), steps(&whole));
}

#[test]
fn several_observers_hear_the_same_and_any_of_them_stops_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let outcome = Trainer::new(config(&[]))
        .run_dir(folder.path().join("run"))
        .on_event(|event| {
            first.push(event.clone());
            match event {
                Event::Step(step) if step.step == 3 => Control::Stop,
                _ => Control::Continue,
            }
        })
        .observer(|event: &Event| {
            second.push(event.clone());
            Control::Continue
        })
        .run()
        .unwrap();
    assert_eq!((outcome.status, outcome.summary.steps), (Status::Stopped, 3));
    assert_eq!(first, second);
    assert!(matches!(first.last(), Some(Event::Finished(_))));
}

#[test]
fn loader_workers_do_not_change_a_bit() {
    let folder = tempfile::tempdir().unwrap();
    let hash = |workers: &str| {
        let config = config(&[
            ("data.workers", workers),
            ("data.augment", "[{ name = \"random_crop\", padding = 2 }]"),
        ]);
        let outcome = Trainer::new(config).run_dir(folder.path().join(workers)).run().unwrap();
        outcome.summary.weights_sha256
    };
    let expected = hash("0");
    for workers in ["1", "2", "4"] {
        assert_eq!(hash(workers), expected, "{workers} workers");
    }
}

#[test]
fn a_fresh_run_never_writes_into_another() {
    let folder = tempfile::tempdir().unwrap();
    let run_dir = folder.path().join("run");
    let short = || config(&[("trainer.max_steps", "1")]);
    Trainer::new(short()).run_dir(&run_dir).run().unwrap();
    let before = std::fs::read(run_dir.join("metrics.jsonl")).unwrap();
    let error = Trainer::new(short()).run_dir(&run_dir).run().unwrap_err();
    assert!(error.to_string().contains("already holds a run"), "{error}");
    assert_eq!(std::fs::read(run_dir.join("metrics.jsonl")).unwrap(), before);
}

#[test]
fn a_resume_with_another_config_is_refused_with_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    let run_dir = folder.path().join("run");
    Trainer::new(config(&[("trainer.max_steps", "2")])).run_dir(&run_dir).run().unwrap();
    let error = Trainer::new(config(&[("optimizer.lr", "0.2")]))
        .run_dir(&run_dir)
        .resume(Resume::Latest)
        .run()
        .unwrap_err();
    assert!(error.to_string().contains("optimizer.lr: 0.05 -> 0.2"), "{error}");
}

#[test]
fn a_diverging_run_stops_before_the_update() {
    let folder = tempfile::tempdir().unwrap();
    let error = Trainer::new(config(&[("optimizer.lr", "1e30")]))
        .run_dir(folder.path().join("run"))
        .run()
        .unwrap_err();
    assert!(matches!(error, TrainError::Diverged { .. }), "{error}");
}

#[test]
fn a_model_of_your_own_is_checked_against_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    let error = Trainer::new(config(&[]))
        .run_dir(folder.path().join("run"))
        .run_model(|device| LeNetConfig { num_classes: 7 }.init(0, device))
        .unwrap_err();
    assert_eq!(error.to_string(), "the model tells 7 classes apart, the plan has 10");
    assert!(!folder.path().join("run").exists(), "nothing was written");
}
