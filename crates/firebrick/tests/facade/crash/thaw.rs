//! Runs with frozen parameters: stopped at any event, and taken up at any of their checkpoints, before, at and behind the
//! epoch in which the parameters are thawed.

use std::path::Path;

use firebrick::prelude::*;
use firebrick::train::event::Summary;
use firebrick::train::run_folder::Resume;

use super::{assert_nothing_lost, config, scratch};

/// All but the last layer, in the first epoch of two, or in both; with images that change at random, and with outputs of the
/// frozen layers that are kept.
const RUNS: [&[(&str, &str)]; 4] = [
    &[("model.freeze.parameters", FROZEN), ("model.freeze.until_epoch", "1")],
    &[("model.freeze.parameters", FROZEN), ("model.freeze.until_epoch", "2"), ("trainer.epochs", "3"), STILL],
    &[("model.freeze.parameters", FROZEN), STILL],
    // Between trained layers.
    &[("model.freeze.parameters", r#"["conv2.*"]"#), ("model.freeze.until_epoch", "1")],
];
const FROZEN: &str = r#"["*", "!fc3.*"]"#;
const STILL: (&str, &str) = ("data.augment", "[]");

fn train(
    run_dir: &Path,
    sets: &[(&str, &str)],
    mut listen: impl FnMut(&Event) -> Control,
) -> Outcome<Network> {
    let run = Trainer::new(config(sets)).run_dir(run_dir).resume(Resume::Latest);
    run.on_event(|event| listen(event)).run().unwrap()
}

fn whole(run_dir: &Path, sets: &[(&str, &str)]) -> (Summary, u64) {
    let mut events = 0;
    let outcome = train(run_dir, sets, |_| {
        events += 1;
        Control::Continue
    });
    assert_eq!(outcome.status, Status::Completed);
    (outcome.summary, events)
}

#[test]
fn a_run_stopped_at_any_event_ends_with_the_same_bits() {
    for (number, sets) in RUNS.into_iter().enumerate() {
        let folder = scratch();
        let (expected, events) = whole(&folder.path().join("whole"), sets);
        for stop_at in 1..=events {
            let run_dir = folder.path().join(format!("stopped-{stop_at}"));
            let mut heard = 0;
            train(&run_dir, sets, |_| {
                heard += 1;
                if heard == stop_at { Control::Stop } else { Control::Continue }
            });
            let (got, _) = whole(&run_dir, sets);
            assert_nothing_lost(&run_dir, &got, &expected, &format!("run {number}, event {stop_at}"));
        }
    }
}

#[test]
fn a_run_goes_on_from_each_of_its_checkpoints() {
    for (number, sets) in RUNS.into_iter().enumerate() {
        let folder = scratch();
        let run_dir = folder.path().join("run");
        let sets: Vec<(&str, &str)> = sets.iter().copied().chain([("trainer.keep_last", "100")]).collect();
        let (expected, _) = whole(&run_dir, &sets);
        let checkpoints = run_dir.join("checkpoints");
        let mut steps: Vec<String> = std::fs::read_dir(&checkpoints)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("step-"))
            .collect();
        steps.sort();
        assert!(steps.len() >= 4, "{steps:?}");
        for newest in steps.iter().rev() {
            // The later ones are damaged, and passed over.
            for later in steps.iter().filter(|step| *step > newest) {
                std::fs::write(checkpoints.join(later).join("model.bpk"), "no model").unwrap();
            }
            let (got, _) = whole(&run_dir, &sets);
            assert_eq!(
                (&got.weights_sha256, &got.ema_sha256, &got.last),
                (&expected.weights_sha256, &expected.ema_sha256, &expected.last),
                "run {number} from {newest}"
            );
        }
    }
}
