//! Ctrl-C and SIGTERM while training.

#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::sandbox::{Ended, Sandbox};

/// A run that would take hours, told to say each event.
fn endless(sandbox: &Sandbox, more: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_train"));
    command
        .args([
            "--config",
            "tiny.toml",
            "--run-dir",
            "run",
            "--log-format",
            "json",
            "--set",
            "trainer.epochs=100000",
        ])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    (child, stdout)
}

/// Reads events up to the first of this kind.
fn wait_for(stdout: &mut BufReader<ChildStdout>, event: &str) {
    let name = format!("\"event\":\"{event}\"");
    let mut line = String::new();
    while !line.contains(&name) {
        line.clear();
        assert!(stdout.read_line(&mut line).unwrap() > 0, "the run ended without {event}");
    }
}

fn send(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Reads on, so that a full pipe cannot hold the run up, and waits for its end.
fn finish(child: Child, mut stdout: BufReader<ChildStdout>) -> Ended {
    std::io::copy(&mut stdout, &mut std::io::sink()).unwrap();
    Ended::of(child.wait_with_output().unwrap())
}

#[test]
fn one_signal_saves_a_checkpoint_from_which_the_run_goes_on() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let sandbox = Sandbox::with_tiny_config();
        let (child, mut stdout) = endless(&sandbox, &[]);
        wait_for(&mut stdout, "step");
        send(&child, signal);
        finish(child, stdout).ends_with(code);
        let summary = sandbox.read_json("run/summary.json");
        let steps = summary["steps"].as_u64().unwrap();
        assert_eq!(summary["status"], "stopped");
        let latest = sandbox.read("run/checkpoints/LATEST");
        assert_eq!(latest.trim(), format!("step-{steps:09}"));
        sandbox.firebrick(&["verify", "run"]).succeeds();

        let target = format!("trainer.max_steps={}", steps + 2);
        sandbox.train(&["--resume=run", "--set", &target, "--quiet"]).succeeds();
        let metrics = sandbox.metrics("run");
        let numbers: Vec<u64> = metrics
            .iter()
            .filter(|record| record["event"] == "step")
            .filter_map(|record| record["step"].as_u64())
            .collect();
        assert_eq!(numbers, (1..=steps + 2).collect::<Vec<u64>>());
    }
}

#[test]
fn the_second_signal_ends_the_process_at_once() {
    let sandbox = Sandbox::with_tiny_config();
    // One step of this takes long, and the process must not wait for its end.
    let slow =
        ["--set", "model.name=tudui", "--set", "data.batch_size=500", "--set", "data.limit.train=1000"];
    let (mut child, mut stdout) = endless(&sandbox, &slow);
    wait_for(&mut stdout, "step");
    send(&child, "-INT");
    let mut answer = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut answer).unwrap();
    assert!(answer.starts_with("SIGINT: stopping") && answer.contains("once more"), "{answer}");
    send(&child, "-TERM");
    finish(child, stdout).ends_with(143);
    assert!(!sandbox.path("run/summary.json").exists());
}

#[test]
fn people_are_told_how_to_go_on() {
    let sandbox = Sandbox::with_tiny_config();
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_train"));
    command
        .args(["--config", "tiny.toml", "--run-dir", "run", "--set", "trainer.epochs=100000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("1/100000") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0);
    }
    send(&child, "-INT");
    let rest: Vec<String> = stderr.lines().map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:#?}");
    let end = rest.join("\n");
    assert!(
        end.contains("stopped by SIGINT after step") && end.contains("firebrick train --resume=run"),
        "{end}"
    );
}
