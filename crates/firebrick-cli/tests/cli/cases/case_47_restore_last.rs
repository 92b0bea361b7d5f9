//! The point of return after a divergence follows from the config alone, wherever a run was stopped.

use config_draw::End;

use super::super::sandbox::{Ended, Sandbox};

/// Nine steps an epoch, and a rate that lets the gradient overflow in the second one.
const CONFIG: &str = r#"
optimizer = { name = "sgd", lr = 0.3, momentum = 0.9 }
loss = { name = "cross_entropy" }

[model]
name = "sequential"
input_shape = [1, 8, 8]
layers = [
    { name = "conv2d", out_channels = 8, kernel_size = 3 },
    { name = "conv2d", out_channels = 8, kernel_size = 3 },
    { name = "flatten" }, { name = "linear", out_features = 10 },
]

[data]
dataset = "digits"
batch_size = 50
limit = { train = 430, test = 100 }

[trainer]
epochs = 3
backend = "flex"
on_divergence = "restore_last"
max_recoveries = 1000
"#;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("t.toml", CONFIG);
    sandbox
}

fn train(sandbox: &Sandbox, run: &str, sets: &[&str]) -> Ended {
    let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
    sandbox.train(&[&["--config", "t.toml", "--run-dir", run, "--resume", "--quiet"][..], &sets].concat())
}

/// The run that nobody stops; it goes back at least once.
fn uninterrupted(sandbox: &Sandbox, sets: &[&str]) -> End {
    train(sandbox, "full", sets).succeeds();
    let end = End::read(&sandbox.path("full")).unwrap();
    assert!(end.metrics.iter().any(|record| record["action"]["kind"] == "restored"), "{end:#?}");
    end
}

#[track_caller]
fn assert_ends_as(sandbox: &Sandbox, run: &str, sets: &[&str], expected: &End) -> Ended {
    let ended = train(sandbox, run, sets).succeeds();
    assert_eq!(End::read(&sandbox.path(run)).unwrap().difference(expected), None);
    ended
}

#[test]
fn a_stop_makes_no_point_of_return() {
    let sandbox = sandbox();
    let expected = uninterrupted(&sandbox, &[]);
    train(&sandbox, "stopped", &["trainer.max_steps=13"]).succeeds();
    let ended = assert_ends_as(&sandbox, "stopped", &[], &expected);
    assert!(ended.stderr.contains("went back to the weights of step 9"), "{ended:#?}");
}

#[test]
fn the_time_makes_none_either() {
    let sandbox = sandbox();
    let expected = uninterrupted(&sandbox, &[]);
    // One after each step.
    assert_ends_as(&sandbox, "timed", &["trainer.checkpoint_every_minutes=1e-9"], &expected);
}

#[test]
fn the_point_of_return_stays_though_keep_last_would_not_keep_it() {
    let sandbox = sandbox();
    let sets = ["trainer.checkpoint_every=4", "trainer.keep_last=1"];
    let expected = uninterrupted(&sandbox, &sets);
    for max_steps in ["trainer.max_steps=13", "trainer.max_steps=14"] {
        train(&sandbox, "stopped", &[&sets[..], &[max_steps]].concat()).succeeds();
        assert!(sandbox.path("stopped/checkpoints/step-000000012/MANIFEST.json").exists(), "{max_steps}");
    }
    assert_ends_as(&sandbox, "stopped", &sets, &expected);
    // Without restore_last nothing but the newest and the best stay.
    train(&sandbox, "other", &[&sets[..], &["trainer.max_steps=13", "trainer.on_divergence=stop"]].concat())
        .succeeds();
    assert!(!sandbox.path("other/checkpoints/step-000000012").exists());
}

#[test]
fn a_stop_where_a_checkpoint_is_due_anyway_makes_the_same_one() {
    let sandbox = sandbox();
    let sets = ["trainer.checkpoint_every=4"];
    let expected = uninterrupted(&sandbox, &sets);
    train(&sandbox, "stopped", &[sets[0], "trainer.max_steps=12"]).succeeds();
    assert_ends_as(&sandbox, "stopped", &sets, &expected);
}

#[test]
fn a_point_of_return_that_is_gone_or_damaged_ends_the_run_and_is_told() {
    for is_damaged in [false, true] {
        let sandbox = sandbox();
        train(&sandbox, "run", &["trainer.max_steps=13"]).succeeds();
        let point = sandbox.path("run/checkpoints/step-000000009");
        match is_damaged {
            true => std::fs::write(point.join("model.bpk"), "x").unwrap(),
            false => std::fs::remove_dir_all(point).unwrap(),
        }
        let ended = train(&sandbox, "run", &[]).ends_with(1);
        assert!(ended.stderr.contains("cannot go back to step 9"), "{ended:#?}");
        assert!(ended.stderr.contains("step-000000009"), "{ended:#?}");
    }
}
