//! `[output]`: where the run folder goes.

use std::path::PathBuf;

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

impl Default for OutputConfig {
    fn default() -> Self {
        Self { root: PathBuf::from("runs"), name: None }
    }
}
