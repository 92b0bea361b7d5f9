//! The kernels' tests under AddressSanitizer, with every check of arithmetic and of unsafe calls on.
//!
//! They are built in a package of their own, from the kernels' sources and their tests without
//! Burn, so that Burn need not be compiled again.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::run::root;

/// What the kernels and their tests use.
const PACKAGES: [&str; 4] = ["macerator", "proptest", "rayon", "thiserror"];

/// The one file of tests that needs Burn.
const WITH_BURN: &str = "burn_tensors.rs";

/// Builds and runs them.
pub fn recipe() -> Result<(), Failure> {
    let root = root();
    let folder = root.join("target/sanitize");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("Cargo.toml"), manifest(&root)?)?;
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let kernels = root.join("crates/firebrick-kernels");
    std::fs::write(folder.join("lib.rs"), module("pub mod cpu", &kernels.join("src/cpu/mod.rs")))?;
    std::fs::write(folder.join("tests.rs"), tests(&kernels.join("tests/kernels"))?)?;

    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--test", "tests", "--target", &host()?]).current_dir(&folder);
    // The sanitizer is an unstable option of the stable compiler.
    cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address");
    let status = cargo.status()?;
    if status.success() { Ok(()) } else { Err(format!("the sanitized tests ended with {status}").into()) }
}

/// A manifest with the workspace's versions.
fn manifest(root: &Path) -> Result<String, Failure> {
    let workspace: toml::Table = std::fs::read_to_string(root.join("Cargo.toml"))?.parse()?;
    let versions = &workspace["workspace"]["dependencies"];
    let mut text = "[workspace]\n[package]\nname = \"sanitized-kernels\"\nedition = \"2024\"\n\
        [lib]\nname = \"firebrick_kernels\"\npath = \"lib.rs\"\n\
        [[test]]\nname = \"tests\"\npath = \"tests.rs\"\n\
        [profile.dev]\nopt-level = 2\ndebug = \"line-tables-only\"\n[dependencies]\n"
        .to_owned();
    for package in PACKAGES {
        writeln!(text, "{package} = {}", versions[package])?;
    }
    Ok(text)
}

/// Every file of the kernels' tests but the one that needs Burn, as modules.
fn tests(folder: &Path) -> Result<String, Failure> {
    let mut text = "#![allow(clippy::unwrap_used, missing_docs)]\n".to_owned();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if let Some(name) = path.file_stem().filter(|_| !path.ends_with(WITH_BURN)) {
            text += &module(&format!("mod {}", name.display()), &path);
        }
    }
    Ok(text)
}

fn module(declaration: &str, path: &Path) -> String {
    format!("#[path = {path:?}]\n{declaration};\n")
}

/// This machine's target, which the sanitizer needs to leave build scripts alone.
fn host() -> Result<String, Failure> {
    let output = Command::new("rustc").arg("--print=host-tuple").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
