//! Runs of an earlier version are resumed, evaluated and predict as they were there.
//!
//! `../golden/old_runs/README.md` says which version it was and how the runs were made.

use std::path::{Path, PathBuf};
use std::process::Command;

use burn::tensor::Device;
use firebrick::data::load_image_file;
use firebrick::prelude::*;
use firebrick::train::backend::BackendChoice;
use firebrick::train::checkpoint::Which;
use firebrick::train::evaluate::{Evaluation, EvaluationOptions, evaluate};
use firebrick::train::event::WeightsKind;
use firebrick::train::run_folder::Resume;
use firebrick::train::trained::TrainedRun;
use firebrick_storage::{ArchiveLimits, ArchiveMember, StorageError, read_tar_gz};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Decimal digits of a JSON file are read back to the last bit or one beside it.
const ROUNDING: f64 = 1e-12;

const RUN: &str = "FIREBRICK_TEST_OLD_RUN";
const IMAGE: &str = "FIREBRICK_TEST_OLD_RUN_IMAGE";

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/old_runs").join(name)
}

fn expected(run: &str) -> Value {
    let document: Value = serde_json::from_slice(&std::fs::read(golden("expected.json")).unwrap()).unwrap();
    document[run].clone()
}

/// A copy of the run that the test may change.
fn unpacked(run: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let limits = ArchiveLimits { max_entries: 100, max_member_bytes: 1 << 20, max_total_bytes: 1 << 22 };
    let write = |member: ArchiveMember| -> Result<(), StorageError> {
        let path = folder.path().join(member.name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, member.bytes).unwrap();
        Ok(())
    };
    read_tar_gz(&golden(&format!("{run}.tar.gz")), limits, |_| true, write).unwrap();
    folder
}

/// Where the pictures are on this machine, and no end before the last epoch.
fn overrides() -> [Override; 2] {
    [
        Override::new("data.root", golden("images").display().to_string()),
        Override::new("trainer.max_steps", "1000"),
    ]
}

fn evaluation(run_dir: &Path, weights: WeightsKind) -> (u64, Evaluation) {
    let backend = "flex".parse::<BackendChoice>().unwrap().open().unwrap();
    let run = TrainedRun::open(run_dir, Which::Latest, weights, &backend.device).unwrap();
    assert!(run.notices.is_empty(), "{:?}", run.notices);
    let config = Config::from_toml("state.json", &run.state.config, &overrides()).unwrap();
    let input = run.state.preprocess.input;
    let datasets = firebrick::data::open(&config.data, input, config.trainer.seed, &()).unwrap();
    assert_eq!(datasets.info.fingerprint, run.state.dataset.fingerprint);
    let loss = config.loss.for_classes(datasets.info.class_names.len()).unwrap();
    let options = EvaluationOptions { batch_size: config.data.batch_size, workers: 0 };
    let evaluation = evaluate(&run.model, datasets.test, &loss, &backend, options, &mut |_| false);
    (run.state.progress.position.step, evaluation.unwrap().unwrap())
}

fn check_evaluation(what: &str, run_dir: &Path, weights: WeightsKind, expected: &Value) {
    let (step, found) = evaluation(run_dir, weights);
    assert_eq!(json!(step), expected["step"], "{what}");
    assert_eq!(json!(found.images()), expected["images"], "{what}");
    assert_eq!(json!(found.confusion()), expected["confusion"], "{what}");
    check_number(&format!("{what}: loss"), found.score.loss, &expected["loss"]);
    check_number(&format!("{what}: accuracy"), found.score.accuracy, &expected["accuracy"]);
}

fn check_number(what: &str, found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= ROUNDING * expected.abs(), "{what}: {found}, expected {expected}");
}

fn check_predictions(run: &str, run_dir: &Path, image: &str, expected: &Value) {
    let device = Device::flex();
    let trained = TrainedRun::open(run_dir, Which::Latest, WeightsKind::Raw, &device).unwrap();
    let found = trained.predict(&load_image_file(&golden(image)).unwrap(), &device).unwrap();
    let expected = expected["predictions"].as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{run}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(json!(found.class), expected["class"], "{run}");
        assert_eq!(json!(found.name), expected["name"], "{run}");
        check_number(&format!("{run}: {}", found.name), found.probability, &expected["probability"]);
    }
}

/// What a summary of the old version says is said by the new one, which may say more.
fn check_summary(run: &str, found: &Value, expected: &Value) {
    for (key, expected) in expected.as_object().unwrap() {
        let found = &found[key];
        match expected {
            Value::Object(_) => check_summary(&format!("{run}: {key}"), found, expected),
            Value::Number(number) if number.is_f64() => {
                check_number(&format!("{run}: {key}"), found.as_f64().unwrap(), expected);
            }
            expected => assert_eq!(found, expected, "{run}: {key}"),
        }
    }
}

fn check(run: &str, image: &str) {
    let expected = expected(run);
    let folder = unpacked(run);
    let run_dir = folder.path();
    check_evaluation(run, run_dir, WeightsKind::Raw, &expected["evaluate"]);
    if expected["evaluate_ema"].is_object() {
        check_evaluation(run, run_dir, WeightsKind::Ema, &expected["evaluate_ema"]);
    }
    check_predictions(run, run_dir, image, &expected["predict"]);

    let text = std::fs::read_to_string(run_dir.join("config.toml")).unwrap();
    let config = Config::from_toml("config.toml", &text, &overrides()).unwrap();
    let finished = Trainer::new(config).run_dir(run_dir).resume(Resume::Latest).run().unwrap();
    assert_eq!(finished.status, Status::Completed, "{run}");
    let summary = serde_json::to_value(&finished.summary).unwrap();
    check_summary(run, &summary, &expected["resumed"]);
    check_evaluation(run, run_dir, WeightsKind::Raw, &expected["evaluate_resumed"]);
}

/// No test of its own: what the tests below start as another process. Dropout draws from a generator that all
/// threads of a process share, so that no other test may train beside it.
#[test]
fn process_that_checks() {
    if let (Ok(run), Ok(image)) = (std::env::var(RUN), std::env::var(IMAGE)) {
        check(&run, &image);
    }
}

fn check_by_itself(run: &str, image: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["old_runs::process_that_checks", "--exact"])
        .env(RUN, run)
        .env(IMAGE, image)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{said}");
}

#[test]
fn lenet_of_an_earlier_version_goes_on_to_the_same_bits() {
    check("lenet", "digit.png");
}

#[test]
fn a_network_with_dropout_and_an_average_of_an_earlier_version_goes_on_to_the_recorded_bits() {
    check_by_itself("sequential", "digit.png");
}

#[test]
fn an_image_folder_run_of_an_earlier_version_goes_on_to_the_same_bits() {
    check("image_folder", "images/test/rows/0.png");
}
