//! What must survive: a run ended at any operation on the disk, a power cut, damaged checkpoints,
//! numbers that are not finite.

mod abort;
mod branch;
mod damage;
mod not_finite;
mod owner;
mod power_cut;
mod recorder;
mod thaw;

use std::path::Path;

use firebrick::prelude::*;
use firebrick::train::event::Summary;
use firebrick::train::run_folder::Resume;

/// Everything that a checkpoint has to hold, on a network that is quick to save: six steps in two
/// epochs, a checkpoint in the middle of each and at its end.
const CONFIG: &str = r#"
    [model]
    name = "lenet"
    num_classes = 10
    [data]
    dataset = "digits"
    batch_size = 16
    limit = { train = 48, test = 16 }
    # The end then has an evaluation of its own, for which the last checkpoint is written a second time.
    validation = 0.25
    augment = [{ name = "random_crop", padding = 2 }, { name = "random_horizontal_flip" }]
    [loss]
    name = "cross_entropy"
    [optimizer]
    name = "sgd"
    lr = 0.02
    momentum = 0.9
    [schedule]
    name = "plateau"
    patience = 0
    factor = 0.5
    [trainer]
    epochs = 2
    backend = "flex"
    checkpoint_every = 2
    keep_last = 1
    ema = { decay = 0.9 }
"#;

/// A folder that goes away with the test; in memory where there is such a place, because a save waits
/// for the disk many times, and no test here ends the machine.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn config(overrides: &[(&str, &str)]) -> Config {
    let overrides: Vec<Override> = overrides.iter().map(|(key, value)| Override::new(*key, *value)).collect();
    Config::from_toml("crash", CONFIG, &overrides).unwrap()
}

/// What people type after a crash: the same command, which starts or goes on.
fn resume(run_dir: &Path) -> Result<Outcome<Network>, TrainError> {
    Trainer::new(config(&[])).run_dir(run_dir).resume(Resume::Latest).run()
}

/// The run that nothing interrupts.
fn uninterrupted(folder: &Path) -> Summary {
    let run_dir = folder.join("uninterrupted");
    let summary = resume(&run_dir).unwrap().summary;
    assert!(summary.ema_sha256.is_some());
    assert_nothing_lost(&run_dir, &summary, &summary, "uninterrupted");
    summary
}

/// The same end to the last bit, each step once and in order, and no temporary file.
#[track_caller]
fn assert_nothing_lost(run_dir: &Path, got: &Summary, expected: &Summary, what: &str) {
    assert_eq!(got.weights_sha256, expected.weights_sha256, "{what}");
    assert_eq!(got.ema_sha256, expected.ema_sha256, "{what}");
    assert_eq!(
        (&got.status, &got.best, &got.last),
        (&expected.status, &expected.best, &expected.last),
        "{what}"
    );
    let text = std::fs::read_to_string(run_dir.join("metrics.jsonl")).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let steps: Vec<u64> = records
        .filter(|record| record["event"] == "step")
        .filter_map(|record| record["step"].as_u64())
        .collect();
    assert_eq!(steps, (1..=expected.steps).collect::<Vec<_>>(), "{what}");
    assert_eq!(temporary_names(run_dir), Vec::<String>::new(), "{what}");
}

fn temporary_names(run_dir: &Path) -> Vec<String> {
    let names = |folder: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let mut all = names(run_dir);
    all.extend(names(&run_dir.join("checkpoints")));
    all.retain(|name| name.contains(".tmp-"));
    all
}
