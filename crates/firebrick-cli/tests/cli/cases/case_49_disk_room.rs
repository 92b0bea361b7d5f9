//! The room that a run is asked for is that of what it will write.

use super::super::run_states::CONFIG;
use super::super::sandbox::{Ended, Sandbox};

fn train(set: &[&str]) -> Ended {
    let sandbox = Sandbox::new();
    sandbox.write("t.toml", CONFIG);
    let set: Vec<&str> = set.iter().flat_map(|set| ["--set", *set]).collect();
    sandbox.train(&[&["--config", "t.toml", "--run-dir", "a", "--quiet"], &set[..]].concat())
}

#[test]
fn no_more_checkpoints_are_counted_than_the_run_makes() {
    train(&["trainer.keep_last=1000000000"]).succeeds();
    train(&["trainer.keep_best=1000000000"]).succeeds();
    train(&["trainer.keep_last=9223372036854775807", "trainer.keep_best=9223372036854775807"]).succeeds();
    train(&["trainer.keep_last=1000000000", "trainer.checkpoint_every=1", "trainer.max_steps=3"]).succeeds();
}

/// 650 parameters and as many momenta; steps without number, so that the lines of metrics.jsonl alone need more room
/// than there is.
#[test]
fn the_number_of_checkpoints_that_is_told_is_that_of_the_run() {
    let too_long = "trainer.epochs=1000000000000000";
    for (set, checkpoints) in [
        // Those that stay, and the one that is being written.
        (&[too_long][..], "5 checkpoints of 5200 bytes"),
        (&[too_long, "trainer.keep_last=1"], "3 checkpoints of 5200 bytes"),
        (&[too_long, "trainer.ema={ decay = 0.9 }"], "5 checkpoints of 7800 bytes"),
    ] {
        let ended = train(set).ends_with(4);
        assert!(ended.stderr.contains(checkpoints), "{checkpoints}: {ended:#?}");
    }
}
