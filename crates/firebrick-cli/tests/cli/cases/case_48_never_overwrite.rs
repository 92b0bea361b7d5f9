//! A file that a command is to write is never one that is there.

use super::super::sandbox::{Sandbox, TINY};

/// The command is refused with 4, names the file and the flag, and leaves everything as it is.
fn assert_refused(sandbox: &Sandbox, arguments: &[&str], file: &str, flag: &str) {
    let before = super::super::run_states::contents(&sandbox.path(""));
    let ended = sandbox.firebrick(arguments).ends_with(4);
    assert!(
        ended.stderr.contains(&format!("{file}: expected no file of this name, found one")),
        "{ended:#?}"
    );
    assert!(ended.stderr.contains(&format!("hint: name another with {flag}, or remove it")), "{ended:#?}");
    assert_eq!(super::super::run_states::contents(&sandbox.path("")), before);
}

#[test]
fn plot_lr_does_not_replace_a_config() {
    let sandbox = Sandbox::with_tiny_config();
    let plot = ["config", "plot-lr", "tiny.toml", "--output", "tiny.toml"];
    assert_refused(&sandbox, &plot, "tiny.toml", "--output");
    assert_eq!(sandbox.read("tiny.toml"), TINY);
}

#[test]
fn plot_lr_replaces_no_other_file_either() {
    let sandbox = Sandbox::with_tiny_config();
    sandbox.write("lr.svg", "an earlier drawing");
    assert_refused(&sandbox, &["config", "plot-lr", "tiny.toml", "--output", "lr.svg"], "lr.svg", "--output");
    sandbox.write("folder/x", "");
    assert_refused(&sandbox, &["config", "plot-lr", "tiny.toml", "--output", "folder"], "folder", "--output");
    sandbox.firebrick(&["config", "plot-lr", "tiny.toml", "--output", "new.svg"]).succeeds();
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_there_too() {
    let sandbox = Sandbox::with_tiny_config();
    std::os::unix::fs::symlink("elsewhere.svg", sandbox.path("link.svg")).unwrap();
    let plot = ["config", "plot-lr", "tiny.toml", "--output", "link.svg"];
    let ended = sandbox.firebrick(&plot).ends_with(4);
    assert!(ended.stderr.contains("link.svg: expected no file of this name"), "{ended:#?}");
    assert!(!sandbox.path("elsewhere.svg").exists());
}

#[test]
fn every_command_with_a_file_to_write_says_the_same() {
    let sandbox = Sandbox::with_run();
    for (command, file, flag) in [
        (["export", "run"].as_slice(), "mine.safetensors", "--out"),
        (&["data", "export", "digits"], "mine.png", "--out"),
        (&["config", "plot-lr", "tiny.toml"], "mine.svg", "--output"),
    ] {
        sandbox.write(file, "of a person");
        assert_refused(&sandbox, &[command, &[flag, file]].concat(), file, flag);
    }
}

/// Another file in a checkpoint makes it worthless: neither a run nor a picture may be put there.
#[test]
fn nothing_is_written_into_a_checkpoint() {
    let sandbox = Sandbox::with_run();
    let checkpoint = "run/checkpoints/step-000000006";
    let before = super::super::run_states::contents(&sandbox.path("run"));
    let inside = format!("{checkpoint}/x");
    let branch = format!("--resume={checkpoint}");
    let train = ["train", "--config", "tiny.toml", "--run-dir"];
    for rest in [vec![checkpoint], vec![checkpoint, "--resume"], vec![&inside], vec![&inside, &branch]] {
        let ended = sandbox.firebrick(&[&train, rest.as_slice()].concat()).ends_with(4);
        assert!(ended.stderr.contains("lies in the checkpoint"), "{ended:#?}");
    }
    let file = format!("{checkpoint}/x.safetensors");
    let ended = sandbox.firebrick(&["export", "run", "--out", &file]).ends_with(4);
    assert!(ended.stderr.contains("lies in the checkpoint"), "{ended:#?}");
    assert_eq!(super::super::run_states::contents(&sandbox.path("run")), before);
}
