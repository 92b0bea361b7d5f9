//! A disk that is too small for a run, or becomes so. Shared by the tests and `cargo xtask crash disk`.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::victim::{End, Failure, Victim};

const SCRIPT: &str = include_str!("full_disk.sh");

/// How this machine lets a disk be small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A small tmpfs in a mount namespace of its own, with these arguments of `unshare`.
    Tmpfs(&'static str),
    /// No mount is permitted: a limit on the length of files.
    FileLength,
}

impl Way {
    /// The best that is permitted here.
    pub fn find() -> Self {
        let works = |namespace: &&str| {
            let mount = ["sh", "-c", "mount -t tmpfs none /tmp"];
            Command::new("unshare")
                .arg(namespace)
                .args(mount)
                .output()
                .is_ok_and(|output| output.status.success())
        };
        ["-m", "-rm"].into_iter().find(works).map_or(Self::FileLength, Self::Tmpfs)
    }
}

/// When there is too little room.
#[derive(Debug, Clone, Copy)]
pub enum Room {
    /// So many KiB from the start.
    FromTheStart(u64),
    /// So many KiB from the third checkpoint on.
    AfterThreeSaves(u64),
}

/// What happened on a small disk.
#[derive(Debug)]
pub struct Fate {
    /// Exit code on the small disk: 0 when there was room enough.
    pub code: i32,
    /// What it said.
    pub message: String,
    /// Whether checkpoints were there, all of them good.
    pub had_checkpoints: bool,
}

/// Trains in `folder` on a disk with this much room, checks what is left there, makes room and lets the
/// same command end the run as `expected`.
pub fn full_disk(
    victim: &Victim,
    firebrick: &Path,
    way: Way,
    room: Room,
    folder: &Path,
    expected: &End,
) -> Result<Fate, Failure> {
    let (from_start, later) = match room {
        Room::FromTheStart(kib) => (kib, "never".to_owned()),
        Room::AfterThreeSaves(kib) => (1 << 20, kib.to_string()),
    };
    let mut command = match way {
        Way::Tmpfs(namespace) => {
            let mut unshare = Command::new("unshare");
            unshare.args([namespace, "sh"]).env("MOUNT", "yes");
            unshare
        }
        Way::FileLength => {
            let mut shell = Command::new("sh");
            shell.env("MOUNT", "no");
            shell
        }
    };
    let train = Victim { run_dir: "disk/run".into(), ..victim.clone() }.command();
    let output = command
        .args(["-c", SCRIPT, "full_disk.sh", &from_start.to_string(), &later])
        .arg(train.get_program())
        .args(train.get_args())
        .env("FIREBRICK", firebrick)
        .current_dir(folder)
        .output()?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let code = |name: &str| -> Option<i32> {
        stdout.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    };
    let first = fs::read_to_string(folder.join("first.txt"))?;
    let problem = |what: &str| {
        let again = fs::read_to_string(folder.join("again.txt")).unwrap_or_default();
        let verify = fs::read_to_string(folder.join("verify.txt")).unwrap_or_default();
        let stderr = String::from_utf8_lossy(&output.stderr);
        format!("{room:?}: {what}: {stdout}{stderr}\nfirst: {first}\nverify: {verify}\nagain: {again}")
    };
    let Some(first_code) = code("first ") else { return Err(problem("did not run").into()) };
    if ![0, 4].contains(&first_code) {
        return Err(problem("expected exit code 4").into());
    }
    if first_code == 4 && !(first.contains("disk/run") && first.contains("bytes")) {
        return Err(problem("expected a message with path and bytes").into());
    }
    if code("verify ").is_some_and(|code| code != 0) {
        return Err(problem("an earlier checkpoint is damaged").into());
    }
    if code("again ") != Some(0) || stdout.lines().last() != Some("0") {
        return Err(problem("it did not go on cleanly").into());
    }
    if let Some(difference) = End::read(&folder.join("run"))?.difference(expected) {
        return Err(problem(&difference).into());
    }
    Ok(Fate {
        code: first_code,
        message: first.trim().to_owned(),
        had_checkpoints: code("verify ").is_some(),
    })
}
