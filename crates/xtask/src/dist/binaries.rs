//! The binaries of the archive: built, linked against an old glibc, stripped.
//!
//! A program needs the newest version of any glibc function that it was linked with, so linking here would ask for a
//! glibc as new as this machine's. zig has the function lists of every glibc; it is only the linker (`pip install
//! ziglang` has it), the compilers are the usual ones. What the C code of a dependency needs shows when it is linked: a
//! function that the old glibc lacks is an error.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use crate::failure::Failure;
use crate::run::root;

/// What is in the archive.
pub const NAMES: [&str; 2] = ["train", "firebrick"];

/// A version of glibc, `2.17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glibc {
    major: u32,
    minor: u32,
}

impl FromStr for Glibc {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text
            .split_once('.')
            .and_then(|(major, minor)| Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? }));
        parsed.ok_or_else(|| format!("expected a version such as 2.17, got {text}"))
    }
}

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Builds both in a target folder of their own, whose linker is zig; the folder with the binaries.
pub fn build(profile: &str, zig: Option<&str>, glibc: Glibc) -> Result<PathBuf, Failure> {
    let target = root().join("target/dist-build");
    fs::create_dir_all(&target)?;
    let linker = target.join("zig-linker");
    let zig = zig.map_or_else(find_zig, |zig| Ok(zig.to_owned()))?;
    fs::write(&linker, format!("#!/bin/sh\nexec {zig} cc -target x86_64-linux-gnu.{glibc} \"$@\"\n"))?;
    fs::set_permissions(&linker, fs::Permissions::from_mode(0o755))?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--profile", profile, "--bin", "train", "--bin", "firebrick"]);
    cargo.env("CARGO_TARGET_DIR", &target).env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", &linker);
    let status = cargo.current_dir(root()).status()?;
    if !status.success() {
        return Err(format!("building the binaries ended with {status}").into());
    }
    Ok(target.join(if profile == "dev" { "debug" } else { profile }))
}

fn find_zig() -> Result<String, Failure> {
    let found = ["zig", "python3 -m ziglang"].into_iter().find(|command| {
        let version = format!("{command} version");
        Command::new("sh").args(["-c", &version]).output().is_ok_and(|output| output.status.success())
    });
    let hint = "expected zig, which links against an old glibc, found none: `pip install ziglang`, or say --zig COMMAND";
    found.map(str::to_owned).ok_or_else(|| hint.into())
}

/// Copies a binary without its symbols, and refuses one that needs a newer glibc.
pub fn pack(from: &Path, to: &Path, newest: Glibc) -> Result<(), Failure> {
    let bytes = fs::read(from).map_err(|error| format!("{}: {error}", from.display()))?;
    let needed = needed_glibc(&bytes).ok_or_else(|| format!("{}: needs no glibc at all", from.display()))?;
    if needed > newest {
        let text = format!(
            "{}: expected a binary for glibc {newest} or older, got one that needs {needed}: leave --binaries out, or say \
             --glibc {needed} for an archive that runs on newer systems only",
            from.display()
        );
        return Err(text.into());
    }
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    fs::copy(from, to)?;
    let status = Command::new("strip").arg(to).status().map_err(|error| format!("strip: {error}"))?;
    if !status.success() {
        return Err(format!("strip {} ended with {status}", to.display()).into());
    }
    println!("{}: {} bytes, needs glibc {needed}", to.display(), fs::metadata(to)?.len());
    Ok(())
}

/// The newest version that a program names: each stands as text among its dynamic symbols.
fn needed_glibc(bytes: &[u8]) -> Option<Glibc> {
    const MARK: &[u8] = b"GLIBC_";
    let starts = bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    let version = |start: usize| {
        let text = &bytes[start + MARK.len()..];
        let end = text.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
        // `2.2.5` counts as 2.2.
        let text = std::str::from_utf8(&text[..end]).ok()?;
        let parts: Vec<&str> = text.splitn(3, '.').take(2).collect();
        parts.join(".").parse::<Glibc>().ok()
    };
    starts.filter_map(|(start, _)| version(start)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_glibc_of_a_program_is_found() {
        let names = b"\0GLIBC_2.2.5\0x\0GLIBC_2.17\0GLIBC_2.9\0GLIBC_PRIVATE\0";
        assert_eq!(needed_glibc(names).map(|glibc| glibc.to_string()), Some("2.17".to_owned()));
        assert_eq!(needed_glibc(b"static"), None);
        assert!("2.9".parse::<Glibc>() < "2.17".parse::<Glibc>());
        assert!("2".parse::<Glibc>().is_err());
    }
}
