//! Runs of drawn configs that are stopped at random end as if nobody had stopped them.

#![allow(clippy::unwrap_used)]

use config_draw::{What, draw, trial};

/// Other ones than those of `cargo xtask crash draw`, which begins at 0.
const SEEDS: std::ops::Range<u64> = 1_000_000..1_000_020;

/// The only test of this process: no two runs may be at work in one at once.
#[test]
fn twenty_drawn_runs_end_as_if_nobody_had_stopped_them() {
    let mut wrong = Vec::new();
    let (mut stops, mut recovered, mut diverged) = (0, 0, 0);
    for seed in SEEDS {
        // In memory where there is such a place: a save waits for the disk many times.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        match trial::run(seed, folder.path(), None) {
            Ok(trial) => {
                stops += trial.stops.len();
                recovered += usize::from(trial.recoveries > 0);
                diverged += usize::from(trial.diverged);
            }
            Err(error) => wrong.push(format!("seed {seed}: {error}\n{}", draw(seed, What::Everything))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let counts = format!("{stops} stops, {recovered} runs recovered, {diverged} diverged");
    assert!(stops >= 40 && recovered >= 2 && diverged >= 1, "the draws are too harmless: {counts}");
}
