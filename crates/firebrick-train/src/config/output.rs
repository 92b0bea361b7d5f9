//! `[output]`: where the run folder goes.

use std::path::{Component, Path, PathBuf};

use firebrick_component::{ArgumentError, check};
use serde::{Deserialize, Serialize};

/// `[output]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputConfig {
    /// Folder in which run folders are made.
    pub root: PathBuf,
    /// Name of the run folder; the config's own name and a number when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl OutputConfig {
    /// Checks that the name is that of a folder inside `root`.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] for a name that is empty, leads elsewhere or has several parts.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        let Some(name) = &self.name else { return Ok(()) };
        let mut parts = Path::new(name).components();
        let is_one = matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name.as_str());
        check::that(is_one, "name", format!("`{name}`"), "the name of one folder inside output.root")
    }
}

impl Default for OutputConfig {
    fn default() -> Self {
        Self { root: PathBuf::from("runs"), name: None }
    }
}
