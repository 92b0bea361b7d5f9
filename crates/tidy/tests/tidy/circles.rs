//! Files inside a crate import in one direction.

use tidy::{Imports, circles};

use super::WORKSPACE;

/// The crates in which files import in one direction already.
const HELD: [&str; 6] =
    ["firebrick-cli", "firebrick-component", "firebrick-report", "firebrick-storage", "tidy", "xtask"];

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut found = Vec::new();
    for name in HELD {
        let member = WORKSPACE.get(name).unwrap_or_else(|| panic!("HELD names {name}, which is no crate"));
        let circles = circles(&Imports::of(member).arrows);
        found.extend(circles.iter().map(|circle| format!("{name}: {circle}")));
    }
    assert!(
        found.is_empty(),
        "files import each other in a circle (file:line is the line that imports the next file):\n{}",
        found.join("\n")
    );
}
