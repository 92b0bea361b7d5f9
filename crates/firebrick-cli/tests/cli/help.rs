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

/// Every command line that has a help of its own: both binaries, every subcommand, and the subcommands of those.
fn every_help() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for command in firebrick_cli::command_lines() {
        collect(&mut all, command.get_name(), &[], &command);
    }
    all
}

fn collect(all: &mut Vec<(String, String)>, binary: &str, path: &[&str], command: &clap::Command) {
    let sandbox = Sandbox::new();
    let program = match binary {
        "train" => env!("CARGO_BIN_EXE_train"),
        _ => env!("CARGO_BIN_EXE_firebrick"),
    };
    let mut process = sandbox.command(program);
    process.env("COLUMNS", "80");
    let help = sandbox.run(&mut process, &[path, &["--help"]].concat()).succeeds();
    all.push(([&[binary], path].concat().join(" "), help.stdout));
    for subcommand in command.get_subcommands() {
        collect(all, binary, &[path, &[subcommand.get_name()]].concat(), subcommand);
    }
}

/// A screen has 80 columns, and 24 lines at least; who scrolls once sees 50.
#[test]
fn every_help_fits_a_screen_and_shows_an_example() {
    let all = every_help();
    assert_eq!(all.len(), 21, "the two binaries, ten commands, three of config and six of data");
    for (command, help) in &all {
        let (lines, widest) = (help.lines().count(), help.lines().map(str::len).max().unwrap());
        assert!(lines <= 50 && widest <= 80, "{command}: {lines} lines, {widest} columns\n{help}");
        let example = help.split_once("\nExample").map(|(_, rest)| rest);
        // `firebrick train` shows those of `train`.
        let own = command.rsplit(' ').next().unwrap();
        let names_it = example.is_some_and(|text| text.contains(&format!("{own} ")));
        assert!(names_it, "{command}: no example in\n{help}");
    }
    let text: Vec<String> = all.iter().map(|(command, help)| format!("$ {command} --help\n{help}")).collect();
    insta::assert_snapshot!("help", text.join("\n"));
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
