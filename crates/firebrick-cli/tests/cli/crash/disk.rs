//! Full disks, read-only folders, folders that vanish.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Command;

use super::super::sandbox::{Ended, Sandbox};
use super::full_disk::{Room, Way, full_disk};
use super::{ENDLESS, victim};

/// Long enough that the disk is full before the run is done.
const EPOCHS: &str = "trainer.epochs=8";

#[test]
fn a_full_disk_ends_with_4_and_loses_nothing() {
    let sandbox = Sandbox::new();
    let (expected, _) = victim(&sandbox, "uninterrupted", &[EPOCHS]).to_end().unwrap();
    let way = Way::find();
    let rooms: Vec<Room> = match way {
        Way::Tmpfs(_) => [0, 400, 1500, 2500]
            .map(Room::AfterThreeSaves)
            .into_iter()
            .chain([60, 700, 1600, 3000].map(Room::FromTheStart))
            .collect(),
        Way::FileLength => vec![Room::FromTheStart(16), Room::FromTheStart(200)],
    };
    let mut full = 0;
    for (number, room) in rooms.iter().enumerate() {
        let folder = sandbox.path(&number.to_string());
        fs::create_dir(&folder).unwrap();
        let run = victim(&sandbox, "unused", &[EPOCHS]);
        let firebrick = Path::new(env!("CARGO_BIN_EXE_firebrick"));
        let fate = full_disk(&run, firebrick, way, *room, &folder, &expected).unwrap();
        let begun = matches!(room, Room::AfterThreeSaves(_));
        assert!(fate.had_checkpoints || !begun, "{room:?}: {}", fate.message);
        full += usize::from(fate.code == 4);
    }
    assert!(full * 2 >= rooms.len(), "{way:?}: only {full} of {} disks were full", rooms.len());
}

/// The binary as somebody whom permissions bind: root may write anywhere.
fn bound(sandbox: &Sandbox, binary: &str) -> Command {
    if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) != 0) {
        return sandbox.command(binary);
    }
    let mut command = sandbox.command("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", binary]);
    command
}

fn permit(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_that_is_read_only_before_the_run_ends_with_4() {
    let sandbox = Sandbox::new();
    victim(&sandbox, "unused", &[]);
    fs::create_dir(sandbox.path("locked")).unwrap();
    permit(&sandbox.path("locked"), 0o555);
    let mut command = bound(&sandbox, env!("CARGO_BIN_EXE_train"));
    let ended = sandbox
        .run(&mut command, &["--config", "crash.toml", "--run-dir", "locked/run", "--quiet"])
        .ends_with(4);
    assert!(ended.stderr.contains("locked/run") && ended.stderr.contains("ermission denied"), "{ended:#?}");
    permit(&sandbox.path("locked"), 0o755);
    assert!(fs::read_dir(sandbox.path("locked")).unwrap().next().is_none());
}

/// Starts an endless run as somebody whom permissions bind, harms its folder after the first checkpoint,
/// and waits for its end.
fn harmed(sandbox: &Sandbox, harm: impl FnOnce(&Path)) -> Ended {
    let run = victim(sandbox, "run", &[ENDLESS]);
    let mut started = bound(sandbox, env!("CARGO_BIN_EXE_train"));
    started.args(run.command().get_args());
    let mut started = run.start_as(started).unwrap();
    assert!(started.wait_for(|event| event["event"] == "step" && event["step"].as_u64() > Some(6)).unwrap());
    harm(&run.run_dir);
    let (status, stderr) = started.wait().unwrap();
    let ended = Ended { code: status.code(), stdout: String::new(), stderr };
    ended.ends_with(4)
}

#[test]
fn a_folder_that_becomes_read_only_ends_with_4_and_keeps_its_checkpoints() {
    let sandbox = Sandbox::new();
    let ended = harmed(&sandbox, |run_dir| permit(&run_dir.join("checkpoints"), 0o555));
    assert!(
        ended.stderr.contains("run/checkpoints") && ended.stderr.contains("ermission denied"),
        "{ended:#?}"
    );
    sandbox.firebrick(&["verify", "run"]).succeeds();
    permit(&sandbox.path("run/checkpoints"), 0o755);
    let latest = sandbox.read("run/checkpoints/LATEST");
    let step: u64 = latest.trim().trim_start_matches("step-").parse().unwrap();
    let run = victim(&sandbox, "run", &[ENDLESS, &format!("trainer.max_steps={}", step + 3)]);
    assert_eq!(run.to_end().unwrap().0.summary.unwrap()["steps"], step + 3);
}

#[test]
fn a_folder_that_vanishes_ends_with_4() {
    let sandbox = Sandbox::new();
    // A save that is under way may make a file in it meanwhile.
    let ended = harmed(&sandbox, |run_dir| while fs::remove_dir_all(run_dir).is_err() {});
    // Whether a save was under way decides which of them it is.
    let words = ["/run: was removed", "run/metrics.jsonl: was removed", "No such file"];
    assert!(words.iter().any(|words| ended.stderr.contains(words)), "{ended:#?}");
}
