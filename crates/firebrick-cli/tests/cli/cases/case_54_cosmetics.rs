//! Messages as a careful author writes them: commands that can be pasted, short numbers, the right place, no Rust.

use firebrick::train::config::Override;
use firebrick::train::{Config, check};

use crate::cli::sandbox::{Ended, Sandbox, TINY};

#[test]
fn suggested_commands_can_be_pasted() {
    let sandbox = Sandbox::with_tiny_config();
    for (run, quoted) in
        [("my run", "'my run'"), ("it's", r"'it'\''s'"), ("-dash", "./-dash"), ("$HOME", "'$HOME'")]
    {
        let flag = format!("--run-dir={run}");
        let ended = sandbox
            .train(&["--config", "tiny.toml", "--quiet", &flag, "--set", "trainer.max_steps=1"])
            .succeeds();
        let next = ended.stdout.lines().find_map(|line| line.strip_prefix("next")).unwrap().trim();
        assert_eq!(next, format!("firebrick evaluate {quoted}"));
        // As a shell reads it.
        let mut shell = sandbox.command("sh");
        let ended = sandbox.run(
            shell.env("FIREBRICK", env!("CARGO_BIN_EXE_firebrick")),
            &["-c", &format!("{} --json", next.replacen("firebrick", "\"$FIREBRICK\"", 1))],
        );
        assert_eq!(ended.succeeds().json()["step"], 1);
    }
    let ended = sandbox.train(&["my config.toml"]).ends_with(2);
    assert!(ended.stderr.contains("--config 'my config.toml'"), "{ended:#?}");
}

#[test]
fn nonsense_in_the_environment_is_refused() {
    let sandbox = Sandbox::new();
    for (variable, value, allowed) in [
        ("FIREBRICK_ISA", "foo", "portable"),
        ("FIREBRICK_TILES", "x", "embedded or explicit"),
        ("FIREBRICK_WINOGRAD", "maybe", "0 (off) or 1"),
        ("FIREBRICK_KERNELS", "2", "0 (off) or 1"),
        ("RAYON_NUM_THREADS", "many", "a number of threads"),
    ] {
        for binary in [env!("CARGO_BIN_EXE_train"), env!("CARGO_BIN_EXE_firebrick")] {
            let mut command = sandbox.command(binary);
            let arguments: &[&str] = if binary.ends_with("train") { &[] } else { &["devices"] };
            let ended = sandbox.run(command.env(variable, value), arguments).ends_with(2);
            let says = format!("environment variable {variable}: expected ");
            assert!(ended.stderr.contains(&says) && ended.stderr.contains(allowed), "{ended:#?}");
            assert!(ended.stderr.contains(&format!("got `{value}`")), "{ended:#?}");
        }
    }
    assert!(sandbox.entries().is_empty());
    // Set and empty is as good as unset; a name that is almost ours is told.
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_firebrick"));
    command.env("FIREBRICK_ISA", "").env("FIREBRICK_KERNEL", "0");
    let ended = sandbox.run(&mut command, &["config", "show"]).succeeds();
    assert!(
        ended.stderr.contains("FIREBRICK_KERNEL has no effect; did you mean FIREBRICK_KERNELS?"),
        "{ended:#?}"
    );
}

#[test]
fn names_of_files_promise_their_contents() {
    let sandbox = Sandbox::with_run();
    for out in ["e.jpg", "e", "e.png.jpeg"] {
        let ended = sandbox.firebrick(&["data", "export", "digits", "--out", out]).ends_with(2);
        assert!(ended.stderr.contains("expected a name that ends in .png"), "{ended:#?}");
    }
    let ended = sandbox.firebrick(&["export", "run", "--out", "weights.pt"]).ends_with(2);
    assert!(ended.stderr.contains("expected a name that ends in .safetensors"), "{ended:#?}");
    let ended = sandbox
        .train(&["--config", "tiny.toml", "--set", "data.dataset=mnist", "--set", "data.root=nope"])
        .ends_with(3);
    assert!(ended.stderr.contains("(in MNIST/raw or mnist or the folder itself)"), "{ended:#?}");
}

/// What is said of `TINY` with these overrides, read and checked.
fn refused(sets: &[&str]) -> String {
    let sets: Vec<Override> = sets.iter().map(|set| set.parse().unwrap()).collect();
    match Config::from_toml("tiny.toml", TINY, &sets) {
        Err(error) => error.to_string(),
        Ok(config) => check(&config, &()).unwrap_err().to_string(),
    }
}

#[test]
fn the_argument_that_is_at_fault_is_named() {
    for (set, says) in [
        ("optimizer.lr=nan", "optimizer.lr: expected a finite number >= 0, got NaN"),
        ("optimizer.lr=-1e300", "optimizer.lr: expected a finite number >= 0, got -1e300"),
        ("trainer.epochs=ten", "trainer.epochs: expected a whole number from 0, got the string \"ten\""),
        ("trainer.epochs=1e300", "trainer.epochs: expected a whole number from 0, got 1e300"),
        ("trainer.ema=true", "trainer.ema: expected a table such as ema = { decay = 0.999 }, got true"),
        (
            "trainer.early_stopping=5",
            "trainer.early_stopping: expected a table such as early_stopping = { patience = 5 }, got 5",
        ),
        (
            "data.limit=100",
            "data.limit: expected a table such as limit = { train = 1000, test = 200 }, got 100",
        ),
        ("output.name=", "output.name: expected the name of one folder"),
        // What the plan finds, not the reader.
        ("loss.weight=[1.0, 2.0]", "loss.weight: expected"),
        ("loss.reduction=none", "cross_entropy: argument `reduction` must be"),
        ("loss.name=ctc", "ctc: cannot train a classifier"),
        ("model.num_classes=7", "model.num_classes is 7, but dataset `digits` has 10 classes"),
        (
            "optimizer.groups=[{match=\"nothing*\",lr=0.1}]",
            "optimizer.groups[0]: match = \"nothing*\" matches no",
        ),
        (
            "data.augment=[{name=\"center_crop\",size=8}]",
            "data.augment: expected steps that end with the size",
        ),
    ] {
        let message = refused(&[set]);
        assert!(message.starts_with(&format!("--set {set}: {says}")), "{message}");
    }
    // Of several, the one that is wrong; and one of several lines is named as a whole.
    let message = refused(&[
        "trainer.seed=3",
        "data.augment=[\n{name=\"random_crop\",\nfill=300}]",
        "trainer.epochs=1",
    ]);
    let set = r#"--set data.augment=[\n{name="random_crop",\nfill=300}]: "#;
    assert!(message.starts_with(set), "{message}");
    assert!(
        message.ends_with("data.augment[0].fill: expected a whole number from 0 to 255, got 300"),
        "{message}"
    );
    let message = refused(&["data.batch_size=200", "data.drop_last=true"]);
    assert!(
        message.starts_with("--set data.batch_size=200: the training split holds 96 samples"),
        "{message}"
    );
}

/// What needs the network or the data has line and column, too, from `config check`.
#[test]
fn what_the_plan_finds_has_its_place_in_the_file() {
    let sandbox = Sandbox::new();
    for (from, to, place) in [
        ("num_classes = 10", "num_classes = 7", "c.toml:3:15]"),
        ("\"cross_entropy\"", "\"cross_entropy\"\nweight = [1.0]", "c.toml:12:10]"),
        ("\"cross_entropy\"", "\"nll\"", "c.toml:11:8]"),
        ("\"cross_entropy\"", "\"mse\"\nreduction = \"none\"", "c.toml:12:13]"),
        ("batch_size = 32", "batch_size = 200\ndrop_last = true", "c.toml:7:14]"),
        (
            "batch_size = 32",
            "augment = [{ name = \"random_crop\", padding = 40, padding_mode = \"reflect\" }]",
            "c.toml:7:46]",
        ),
        ("momentum = 0.9", "groups = [{ match = \"fc9*\", lr = 0.1 }]", "c.toml:16:21]"),
    ] {
        sandbox.write("c.toml", TINY.trim_start().replacen(from, to, 1));
        let ended = sandbox.firebrick(&["config", "check", "c.toml"]).ends_with(2);
        assert!(ended.stderr.contains(place), "{place}: {ended:#?}");
    }
    // Without its data, all the rest is checked.
    sandbox.write("c.toml", TINY.trim_start().replacen("\"digits\"", "\"mnist\"", 1));
    let ended = sandbox.firebrick(&["config", "check", "c.toml", "--set", "data.root=nope"]).succeeds();
    assert!(ended.stdout.contains("good, but its data is not there"), "{ended:#?}");
    let set = ["--set", "data.root=nope", "--set", "loss.name=nll"];
    sandbox.firebrick(&[&["config", "check", "c.toml"], &set[..]].concat()).ends_with(2);
}

#[test]
fn arguments_of_losses_on_the_command_line_are_said_in_words() {
    let sandbox = Sandbox::new();
    let of = |set: &str| {
        sandbox
            .firebrick(&["loss", "huber", "--input", "[1]", "--target", "[2]", "--set", set])
            .ends_with(2)
            .stderr
    };
    assert_eq!(of("delta=nan"), "error: huber: delta: expected a number, got the string \"nan\"\n");
    assert!(of("dleta=1").contains("unknown key `dleta`"));
    assert!(of("reduction=7").contains("reduction: expected"));
}

/// Linux takes any bytes as names.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_whose_name_is_no_unicode_is_a_folder() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let sandbox = Sandbox::with_tiny_config();
    let folder = sandbox.path("").join(OsStr::from_bytes(b"caf\xe9"));
    std::fs::create_dir(&folder).unwrap();
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_train"));
    command.current_dir(&folder).arg("--run-dir").arg(folder.join("run"));
    let arguments = ["--config", "../tiny.toml", "--log-format", "json", "--set", "trainer.epochs=1"];
    let ended = Ended::of(command.args(arguments).output().unwrap()).ends_with(0);
    assert!(ended.stdout.lines().all(|line| line.starts_with('{')), "{ended:#?}");
    assert!(folder.join("run/summary.json").is_file());
}
