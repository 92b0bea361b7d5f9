//! A run that goes on with other settings than before says so, with both values, or refuses.

use super::super::sandbox::Sandbox;

const CONFIG: &str = r#"
model = { name = "lenet", num_classes = 10 }
loss = { name = "cross_entropy" }
optimizer = { name = "sgd", lr = 0.1 }
schedule = { name = "cosine" }
trainer = { epochs = 4, backend = "flex" }

[data]
dataset = "digits"
batch_size = 32
workers = 0
limit = { train = 64, test = 32 }
"#;

/// With the finished run `run` of four epochs.
fn finished() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("t.toml", CONFIG);
    sandbox.train(&["--config", "t.toml", "--run-dir", "run", "--quiet"]).succeeds();
    sandbox
}

const RESUME: [&str; 6] = ["--config", "t.toml", "--run-dir", "run", "--resume", "--quiet"];

fn rates(sandbox: &Sandbox) -> Vec<f64> {
    let metrics = sandbox.metrics("run");
    metrics
        .iter()
        .filter(|record| record["event"] == "step")
        .map(|record| record["lr"].as_f64().unwrap())
        .collect()
}

#[test]
fn more_epochs_and_the_longer_schedule_are_told() {
    let sandbox = finished();
    let ended = sandbox.train(&[&RESUME[..], &["--set", "trainer.epochs=8"]].concat()).succeeds();
    assert!(ended.stderr.contains("trainer.epochs: 4 -> 8"), "{ended:#?}");
    assert!(ended.stderr.contains("schedule `cosine` longer"), "{ended:#?}");
    let expected = [0.1, 0.085_355, 0.05, 0.014_645, 0.05, 0.030_866, 0.014_645, 0.003_806];
    let rates = rates(&sandbox);
    assert_eq!(rates.len(), 16, "each step once");
    for (rate, expected) in rates.iter().step_by(2).zip(expected) {
        assert!((rate - expected).abs() < 1e-6, "{rates:?}");
    }
}

#[test]
fn a_schedule_of_its_own_length_goes_on_and_only_the_epochs_are_told() {
    let sandbox = Sandbox::new();
    sandbox.write("t.toml", CONFIG.replace("\"cosine\"", "\"cosine\", T_max = 4"));
    sandbox.train(&["--config", "t.toml", "--run-dir", "run", "--quiet"]).succeeds();
    let ended = sandbox.train(&[&RESUME[..], &["--set", "trainer.epochs=6"]].concat()).succeeds();
    assert!(ended.stderr.contains("trainer.epochs: 4 -> 6"), "{ended:#?}");
    assert!(!ended.stderr.contains("longer"), "{ended:#?}");
    let rates = rates(&sandbox);
    assert!(rates[8].abs() < 1e-12 && (rates[10] - 0.014_645).abs() < 1e-6, "{rates:?}");
}

#[test]
fn what_would_change_finished_steps_is_refused_with_both_values() {
    let sandbox = finished();
    for (set, says) in [
        ("optimizer.lr=0.01", "optimizer.lr: 0.1 -> 0.01"),
        ("data.batch_size=16", "data.batch_size: 32 -> 16"),
        ("data.limit.train=48", "data.limit.train: 64 -> 48"),
        ("trainer.epochs=2", "expected trainer.epochs = 4 or more, got 2"),
    ] {
        let config = sandbox.read("run/config.toml");
        let ended = sandbox.train(&[&RESUME[..], &["--set", set]].concat()).ends_with(4);
        assert!(ended.stderr.contains(says), "{set}: {ended:#?}");
        assert_eq!(sandbox.read("run/config.toml"), config, "{set}");
    }
}

#[test]
fn other_decisions_from_here_on_are_told_and_what_decides_nothing_is_not() {
    let sandbox = finished();
    let sets = [
        "trainer.epochs=5",
        "trainer.on_divergence=skip_batch",
        "trainer.early_stopping={patience=3}",
        "trainer.keep_last=2",
        "data.workers=1",
    ];
    let sets: Vec<&str> = sets.into_iter().flat_map(|set| ["--set", set]).collect();
    let ended = sandbox.train(&[&RESUME[..], &sets].concat()).succeeds();
    for says in [
        "trainer.epochs: 4 -> 5",
        "trainer.on_divergence: \"stop\" -> \"skip_batch\"",
        "trainer.early_stopping.patience: (absent) -> 3",
        "trainer.keep_last: 3 -> 2",
    ] {
        assert!(ended.stderr.contains(says), "{says}: {ended:#?}");
    }
    assert!(!ended.stderr.contains("data.workers"), "{ended:#?}");
    let again = sandbox.train(&[&RESUME[..], &sets].concat()).succeeds();
    assert!(!again.stderr.contains("other settings"), "the same command again: {again:#?}");
}
