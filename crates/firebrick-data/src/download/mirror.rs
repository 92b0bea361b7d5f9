//! Where files are fetched from.

use super::remote_files::RemoteFile;

/// The variable that names a mirror for every file.
const VARIABLE: &str = "FIREBRICK_MIRROR";

/// Where the files are fetched from: their official place, or a server that has files of the same
/// names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirror {
    base_url: Option<String>,
}

impl Mirror {
    /// Each file's own official place.
    pub fn official() -> Self {
        Self::default()
    }

    /// The file `name` from `<base_url>/<name>`, whatever its official place. The checksums stay the
    /// published ones.
    pub fn at(base_url: impl Into<String>) -> Self {
        Self { base_url: Some(base_url.into()) }
    }

    /// The one that the environment variable `FIREBRICK_MIRROR` names, otherwise the official place.
    pub fn from_environment() -> Self {
        match std::env::var(VARIABLE) {
            Ok(base_url) if !base_url.trim().is_empty() => Self::at(base_url.trim()),
            Ok(_) | Err(_) => Self::official(),
        }
    }

    /// Whether it stands in for the official place.
    pub fn is_official(&self) -> bool {
        self.base_url.is_none()
    }

    pub(super) fn url(&self, file: &RemoteFile) -> String {
        let base_url = self.base_url.as_deref().unwrap_or(file.base_url);
        format!("{}/{}", base_url.trim_end_matches('/'), file.name)
    }
}
