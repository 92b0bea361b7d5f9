//! A weights file of any format as a list of tensors that are read only when asked for.

use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use burn::tensor::{DType, TensorData};

use super::error::WeightsError;
use super::format::WeightsFormat;

/// Which way round a file keeps the weights of linear layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `[out, in]`.
    Torch,
    /// `[in, out]`.
    Burn,
}

/// Reads a tensor's bytes, little endian, row-major.
pub(crate) type ReadBytes = Rc<dyn Fn() -> Result<Vec<u8>, String>>;

/// One tensor of a file, its values unread.
#[derive(Clone)]
pub(crate) struct FileTensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    /// `None`: an element type that Burn does not know; the name of it is in `dtype_name`.
    pub(crate) dtype: Option<DType>,
    pub(crate) dtype_name: String,
    pub(crate) read: ReadBytes,
}

/// An open weights file.
pub(crate) struct WeightsFile {
    pub(crate) path: PathBuf,
    pub(crate) format: WeightsFormat,
    pub(crate) layout: Layout,
    /// In the order of the network's layers, as far as the file tells.
    pub(crate) tensors: Vec<FileTensor>,
    /// Dictionaries inside the file that hold tensors, the outer ones first; the names of a part's tensors
    /// begin with its key and a dot.
    pub(crate) parts: Vec<String>,
    /// Dictionaries that are an optimiser's state; their tensors are not in `tensors`.
    pub(crate) optimizers: Vec<String>,
    /// The outermost keys, where the format has any.
    pub(crate) keys: Vec<String>,
    /// Parts of the file beside the network that was chosen, such as an optimiser's state.
    pub(crate) ignored: Vec<String>,
    /// The key of the network that was chosen, where others in the file would have fitted, and theirs.
    pub(crate) choice: Option<Choice>,
}

/// Which of several networks in a file was taken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Choice {
    /// The key of the one that was taken.
    pub taken: String,
    /// Those of the others.
    pub others: Vec<String>,
}

impl WeightsFile {
    /// A file that is one list of tensors.
    pub(crate) fn flat(path: &Path, format: WeightsFormat, layout: Layout, tensors: Vec<FileTensor>) -> Self {
        let (parts, optimizers, keys, ignored, choice) = Default::default();
        Self { path: path.to_owned(), format, layout, tensors, parts, optimizers, keys, ignored, choice }
    }

    /// The tensors that lie in none of the parts, and their positions in this file.
    pub(crate) fn top(&self) -> (Self, Vec<usize>) {
        let is_in_part = |name: &str| {
            self.parts.iter().any(|part| name.strip_prefix(part).is_some_and(|rest| rest.starts_with('.')))
        };
        let own = self.tensors.iter().enumerate().filter(|(_, tensor)| !is_in_part(&tensor.name));
        let (positions, tensors) = own.map(|(position, tensor)| (position, tensor.clone())).unzip();
        let mut top = Self::flat(&self.path, self.format, self.layout, tensors);
        top.ignored.clone_from(&self.parts);
        (top, positions)
    }

    /// The tensors whose names begin with `key` and a dot, without it, and their positions in this file.
    pub(crate) fn part(&self, key: &str) -> (Self, Vec<usize>) {
        let named = self.tensors.iter().enumerate().filter_map(|(position, tensor)| {
            let name = tensor.name.strip_prefix(key)?.strip_prefix('.')?.to_owned();
            Some((FileTensor { name, ..tensor.clone() }, position))
        });
        let (tensors, positions) = named.unzip();
        let mut part = Self::flat(&self.path, self.format, self.layout, tensors);
        let outermost = |other: &&String| key != *other && !key.starts_with(&format!("{other}."));
        part.ignored = self.keys.iter().filter(outermost).cloned().collect();
        (part, positions)
    }
}

impl FileTensor {
    /// True for numbers that become f32 without a question.
    pub(crate) fn is_float(&self) -> bool {
        matches!(self.dtype, Some(DType::F32 | DType::F16 | DType::BF16 | DType::F64))
    }

    /// The values as f32.
    ///
    /// # Errors
    ///
    /// A sentence that says why the bytes cannot be read, or that a value is not a finite f32.
    pub(crate) fn read_f32(&self) -> Result<Vec<f32>, String> {
        let Some(dtype) = self.dtype else {
            return Err(format!("elements of type {} are unknown", self.dtype_name));
        };
        let bytes = (self.read)()?;
        let data = TensorData::try_from_bytes_vec(bytes, self.shape.clone(), dtype)
            .map_err(|error| error.to_string())?;
        let values = data.try_into_vec_as::<f32>().map_err(|error| error.to_string())?;
        match values.iter().filter(|value| !value.is_finite()).count() {
            0 => Ok(values),
            count => Err(format!(
                "{count} of {} values are not finite as f32; training cannot start from them",
                values.len()
            )),
        }
    }
}

/// Checks that `path` is a file that can be opened, so that every format says the same otherwise.
///
/// # Errors
///
/// [`WeightsError::Read`] if it does not exist, is a folder, or may not be read.
pub(crate) fn file_length(path: &Path) -> Result<u64, WeightsError> {
    let read_error = |source| WeightsError::Read { path: path.to_owned(), source };
    let metadata = std::fs::metadata(path).map_err(read_error)?;
    if !metadata.is_file() {
        let source = std::io::Error::other("expected a file, got a folder or a device");
        return Err(read_error(source));
    }
    Ok(metadata.len())
}

pub(crate) fn malformed(path: &Path, format: WeightsFormat, reason: impl fmt::Display) -> WeightsError {
    WeightsError::Malformed { path: path.to_owned(), format, reason: reason.to_string() }
}
