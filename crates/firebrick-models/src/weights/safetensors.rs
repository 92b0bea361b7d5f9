//! `.safetensors`: a length, a JSON header, and the tensors' bytes one after another.
//!
//! Only the header is read here; a tensor's bytes are read when it has been matched to a parameter,
//! so a file of any size costs what the model needs.
//!
//! # Source
//!
//! <https://github.com/huggingface/safetensors#format>

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use burn::tensor::DType;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::error::WeightsError;
use super::file::{FileTensor, Layout, ReadBytes, WeightsFile, file_length, malformed};
use super::format::WeightsFormat;
use super::order::sort_naturally;

/// Bytes of the length in front of the header.
const LENGTH_BYTES: u64 = 8;

/// Largest header accepted; some hundred bytes a tensor, so more than 100,000 tensors.
const MAX_HEADER_BYTES: u64 = 16 << 20;

pub(crate) fn open(path: &Path) -> Result<WeightsFile, WeightsError> {
    let file_bytes = file_length(path)?;
    let damaged = |reason: String| malformed(path, WeightsFormat::Safetensors, reason);
    let mut file = File::open(path).map_err(|source| WeightsError::Read { path: path.to_owned(), source })?;
    let header = read_header(&mut file, file_bytes).map_err(damaged)?;
    let metadata: Metadata = serde_json::from_slice(&header)
        .map_err(|error| damaged(format!("the header is not valid: {error}")))?;
    let data_start = LENGTH_BYTES + header.len() as u64;
    let expected = data_start.saturating_add(metadata.data_len() as u64);
    if expected != file_bytes {
        return Err(damaged(format!("the header describes {expected} bytes, the file has {file_bytes}")));
    }
    let names = layer_order(metadata.offset_keys());
    let tensors = names
        .into_iter()
        .filter_map(|name| {
            let info = metadata.info(&name)?.clone();
            Some(file_tensor(path.to_owned(), data_start, name, info))
        })
        .collect();
    Ok(WeightsFile::flat(path, WeightsFormat::Safetensors, Layout::Torch, tensors))
}

fn read_header(file: &mut File, file_bytes: u64) -> Result<Vec<u8>, String> {
    let mut length = [0_u8; LENGTH_BYTES as usize];
    file.read_exact(&mut length)
        .map_err(|_| format!("expected at least {LENGTH_BYTES} bytes, got {file_bytes}"))?;
    let header_bytes = u64::from_le_bytes(length);
    let room = file_bytes.saturating_sub(LENGTH_BYTES);
    if header_bytes > room {
        return Err(format!("the header should have {header_bytes} bytes, the file has {room} more"));
    }
    if header_bytes > MAX_HEADER_BYTES {
        return Err(format!("expected a header of at most {MAX_HEADER_BYTES} bytes, got {header_bytes}"));
    }
    let mut header = vec![0_u8; header_bytes as usize];
    file.read_exact(&mut header).map_err(|error| format!("the header cannot be read: {error}"))?;
    Ok(header)
}

/// The file's own order, unless it is plainly alphabetical: the usual writers sort by name, which
/// puts layer 10 before layer 2.
fn layer_order(names: Vec<String>) -> Vec<String> {
    if names.is_sorted() { sort_naturally(names) } else { names }
}

fn file_tensor(path: PathBuf, data_start: u64, name: String, info: TensorInfo) -> FileTensor {
    let (start, end) = info.data_offsets;
    let read: ReadBytes = Rc::new(move || {
        read_range(&path, data_start + start as u64, end - start)
            .map_err(|error| format!("cannot be read: {error}"))
    });
    FileTensor {
        name,
        shape: info.shape,
        dtype: burn_dtype(info.dtype),
        dtype_name: format!("{:?}", info.dtype).to_lowercase(),
        read,
    }
}

fn read_range(path: &Path, start: u64, length: usize) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = vec![0_u8; length];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn burn_dtype(dtype: Dtype) -> Option<DType> {
    match dtype {
        Dtype::F32 => Some(DType::F32),
        Dtype::F16 => Some(DType::F16),
        Dtype::BF16 => Some(DType::BF16),
        Dtype::F64 => Some(DType::F64),
        _ => None,
    }
}
