//! Opens a weights file of any format.

use std::collections::HashSet;
use std::path::Path;

use super::error::WeightsError;
use super::file::{WeightsFile, malformed};
use super::old_names::todays_name;
use super::{burnpack, pytorch, safetensors};

/// Tensors that a file may hold; a network of this library has some dozens.
const MAX_TENSORS: usize = 100_000;

/// Opens `path` in the format that its ending names, and lists its tensors.
pub(crate) fn open(path: &Path) -> Result<WeightsFile, WeightsError> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let mut file = match extension.as_deref() {
        Some("safetensors") => safetensors::open(path)?,
        Some("pt" | "pth") => pytorch::open(path)?,
        Some("bpk") => burnpack::open(path)?,
        _ => {
            return Err(WeightsError::UnknownFormat { path: path.to_owned(), extension });
        }
    };
    if file.tensors.len() > MAX_TENSORS {
        let count = file.tensors.len();
        let reason = format!("expected at most {MAX_TENSORS} tensors, got {count}");
        return Err(malformed(path, file.format, reason));
    }
    let mut names: HashSet<String> = file.tensors.iter().map(|tensor| tensor.name.clone()).collect();
    for tensor in &mut file.tensors {
        // Two tensors of one name would be worse than an old name.
        if let Some(name) = todays_name(&tensor.name)
            && names.insert(name.clone())
        {
            tensor.name = name;
        }
    }
    Ok(file)
}
