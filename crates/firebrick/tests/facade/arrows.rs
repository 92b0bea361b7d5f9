//! Dependencies point one way, and what belongs to the terminal stays in the command line.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Which of our crates each of our crates may use.
const ARROWS: [(&str, &[&str]); 13] = [
    ("tidy", &[]),
    ("firebrick-component", &[]),
    ("firebrick-storage", &["firebrick-component"]),
    ("firebrick-kernels", &[]),
    ("firebrick-loss", &["firebrick-component", "firebrick-kernels"]),
    ("firebrick-models", &["firebrick-component", "firebrick-kernels", "firebrick-storage"]),
    ("firebrick-data", &["firebrick-component", "firebrick-storage"]),
    (
        "firebrick-train",
        &[
            "firebrick-component",
            "firebrick-storage",
            "firebrick-kernels",
            "firebrick-loss",
            "firebrick-models",
            "firebrick-data",
        ],
    ),
    (
        "firebrick",
        &[
            "firebrick-component",
            "firebrick-storage",
            "firebrick-kernels",
            "firebrick-loss",
            "firebrick-models",
            "firebrick-data",
            "firebrick-train",
        ],
    ),
    ("firebrick-report", &[]),
    ("firebrick-cli", &["firebrick", "firebrick-report"]),
    ("config-draw", &["firebrick", "firebrick-storage"]),
    (
        "xtask",
        &[
            "config-draw",
            "firebrick",
            "firebrick-cli",
            "firebrick-kernels",
            "firebrick-report",
            "firebrick-storage",
        ],
    ),
];

/// What only the command line may depend on, at any depth.
const TERMINAL_CRATES: [&str; 3] = ["clap", "indicatif", "miette"];

/// What `cargo metadata` says of our own packages; of others it would have to fetch those of every platform, which a build
/// has not. Asked directly: the crate that wraps it turns on a feature of serde_json
/// that the binaries do not have, and all of Burn would compile again for the tests.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--no-deps"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap()
}

/// Our own packages.
fn members(metadata: &Value) -> Vec<&Value> {
    let ids: BTreeSet<&str> = list(metadata, "workspace_members").iter().filter_map(Value::as_str).collect();
    list(metadata, "packages").iter().filter(|package| ids.contains(text(package, "id"))).collect()
}

/// `null` in the metadata: neither a build nor a dev dependency.
fn is_normal(kind: &Value) -> bool {
    kind["kind"].is_null()
}

#[test]
fn our_crates_depend_on_each_other_in_one_direction_only() {
    let metadata = metadata();
    let names: BTreeSet<&str> = members(&metadata).into_iter().map(|package| text(package, "name")).collect();
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    for package in members(&metadata) {
        let name = text(package, "name");
        let allowed =
            arrows.get(name).unwrap_or_else(|| panic!("{name} is not in the table of arrows: add it"));
        let ours = list(package, "dependencies").iter().filter(|dependency| is_normal(dependency));
        for dependency in ours.map(|dependency| text(dependency, "name")).filter(|name| names.contains(name))
        {
            assert!(allowed.contains(&dependency), "{name} may not depend on {dependency}");
        }
    }
}

#[test]
fn no_library_depends_on_clap_indicatif_or_miette() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", "firebrick", "--edges", "normal"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("burn"), "the tree was read at all");
    for terminal in TERMINAL_CRATES {
        assert!(!names.contains(terminal), "the facade pulls in {terminal}");
    }
}

#[test]
fn unsafe_code_is_allowed_in_the_kernels_alone() {
    for package in members(&metadata()) {
        let manifest = std::fs::read_to_string(text(package, "manifest_path")).unwrap();
        let inherits = manifest.contains("[lints]\nworkspace = true");
        let name = text(package, "name");
        assert!(inherits || name == "firebrick-kernels", "{name} does not inherit the workspace's lints");
    }
}
