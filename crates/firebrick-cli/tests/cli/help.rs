//! `--help`, `--version`, and arguments that do not exist.

use super::sandbox::Sandbox;

#[test]
fn both_binaries_have_help_and_a_version() {
    let sandbox = Sandbox::new();
    for arguments in [["--help"], ["-h"], ["--version"]] {
        let train = sandbox.train(&arguments).succeeds();
        let firebrick = sandbox.firebrick(&arguments).succeeds();
        assert_eq!((train.stderr.as_str(), firebrick.stderr.as_str()), ("", ""));
        assert!(
            train.stdout.contains("rain") && firebrick.stdout.contains("firebrick"),
            "{train:#?} {firebrick:#?}"
        );
    }
    assert!(sandbox.entries().is_empty());
}

#[test]
fn help_of_train_names_every_flag_of_the_contract() {
    let help = Sandbox::new().train(&["--help"]).succeeds().stdout;
    for flag in ["--config", "--backend", "--set", "--run-dir", "--resume[=<RUN>]", "--quiet", "--log-format"]
    {
        assert!(help.contains(flag), "{flag}: {help}");
    }
    assert!(help.contains("130") && help.contains("143"), "{help}");
}

#[test]
fn every_command_has_help() {
    let sandbox = Sandbox::new();
    let commands =
        ["train", "evaluate", "predict", "summary", "devices", "config", "data", "export", "verify"];
    for command in commands {
        let help = sandbox.firebrick(&[command, "--help"]).succeeds();
        assert!(help.stdout.contains("Usage: firebrick"), "{help:#?}");
    }
}

#[test]
fn wrong_arguments_end_with_2_and_a_suggestion() {
    let sandbox = Sandbox::new();
    let ended = sandbox.train(&["--confg", "x.toml"]).ends_with(2);
    assert!(ended.stderr.contains("--config"), "{ended:#?}");
    let ended = sandbox.firebrick(&["evalute", "run"]).ends_with(2);
    assert!(ended.stderr.contains("evaluate"), "{ended:#?}");
    let ended = sandbox.train(&["--resume", "runs/x"]).ends_with(2);
    assert!(ended.stderr.contains("hint: a run is named with an equals sign: --resume=runs/x"), "{ended:#?}");
    let ended = sandbox.train(&["x.toml"]).ends_with(2);
    assert!(ended.stderr.contains("--config x.toml"), "{ended:#?}");
    sandbox.firebrick(&[]).ends_with(2);
    sandbox.train(&["--quiet", "--log-format", "json"]).ends_with(2);
    sandbox.firebrick(&["predict", "run"]).ends_with(2);
    sandbox.firebrick(&["predict", "run", "x.png", "--top", "0"]).ends_with(2);
    assert!(sandbox.entries().is_empty());
}
