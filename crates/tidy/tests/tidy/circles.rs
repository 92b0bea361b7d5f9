//! Files inside a crate import in one direction.

use tidy::{Imports, circles};

use super::WORKSPACE;

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut found = Vec::new();
    for member in &WORKSPACE.crates {
        let name = &member.name;
        let circles = circles(&Imports::of(member).arrows);
        found.extend(circles.iter().map(|circle| format!("{name}: {circle}")));
    }
    assert!(
        found.is_empty(),
        "files import each other in a circle (file:line is the line that imports the next file):\n{}",
        found.join("\n")
    );
}
