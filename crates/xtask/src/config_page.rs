//! `docs/config.md`: every key of every table, and every component with its arguments.
//!
//! The page is made, not written. Names, types and meanings are read from the sources (`sources.rs`): the fields of the
//! structs that serde reads, and their doc comments. Defaults, and which keys there are, are asked of the code itself
//! (`asked.rs`). Where the two disagree there is no page but an error. The test below fails when the page in `docs/`
//! is another than the one that the code makes.

mod asked;
mod page;
mod sources;
mod words;

use std::fs;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::run::root;

/// Writes the page.
pub fn recipe() -> Result<(), Failure> {
    let path = place();
    fs::write(&path, page::page(&root())?)?;
    println!("{}", path.display());
    Ok(())
}

fn place() -> PathBuf {
    root().join("docs/config.md")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    #[test]
    fn docs_config_md_is_what_the_code_says() {
        let made = super::page::page(&super::root()).unwrap_or_else(|error| panic!("{error}"));
        let written = std::fs::read_to_string(super::place()).unwrap_or_default();
        let different = made.lines().zip(written.lines()).find(|(made, written)| made != written);
        assert!(
            made == written,
            "docs/config.md is stale: run `cargo xtask config-page`. The first line that differs, and what the code \
             says instead:\n{different:#?}"
        );
    }
}
