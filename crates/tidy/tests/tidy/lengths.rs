//! Files that can be seen at a glance.

use super::WORKSPACE;

const MAX_LINES: usize = 500;

/// Files that are longer, and why.
const LONGER: [(&str, &str); 0] = [];

#[test]
fn no_file_is_longer_than_500_lines() {
    let mut wrong = Vec::new();
    for member in &WORKSPACE.crates {
        for file in &member.files {
            let path = format!("crates/{}/src/{}", member.name, file.path);
            let is_listed = LONGER.iter().any(|(listed, _)| *listed == path);
            match (file.num_lines > MAX_LINES, is_listed) {
                (true, false) => {
                    wrong.push(format!("{path} has {} lines: make it two files", file.num_lines))
                }
                (false, true) => wrong.push(format!("{path} is short enough: take it off the list")),
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
