//! The program in `examples/embedded-program`, which README shows: it runs, and README shows it as it is.

#[allow(dead_code)]
#[path = "../../../../examples/embedded-program/src/main.rs"]
mod program;

use std::path::Path;

const PROGRAM: &str = include_str!("../../../../examples/embedded-program/src/main.rs");
const MANIFEST: &str = include_str!("../../../../examples/embedded-program/Cargo.toml");

#[test]
fn it_trains_stops_resumes_and_predicts() {
    let folder = tempfile::tempdir().unwrap();
    let run_dir = folder.path().join("run");
    program::train_and_predict(&run_dir).unwrap();
    let summary: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(run_dir.join("summary.json")).unwrap()).unwrap();
    assert_eq!((&summary["status"], &summary["steps"]), (&"completed".into(), &184.into()));
    // A run that is finished stays as it is.
    program::train_and_predict(&run_dir).unwrap();
}

/// Everything but the lines at the top that are for our own lints; and what its Cargo.toml says besides names.
#[test]
fn the_readmes_show_it() {
    let start = PROGRAM.find("use std::error").unwrap();
    let profile = "[profile.dev.package.\"*\"]\nopt-level = 3";
    assert!(MANIFEST.contains(profile));
    for name in ["README.md", "README.zh-CN.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
        let readme = std::fs::read_to_string(path).unwrap();
        assert!(readme.contains(&format!("```rust\n{}```", &PROGRAM[start..])), "{name}: another program");
        assert!(readme.contains(profile), "{name}: lacks the profile of its Cargo.toml");
    }
}
