//! Opens a weights file of any format. The contents decide which it is, not the name: training scripts end theirs in
//! `.ckpt`, `.bin`, `.pth.tar` or `.t7` as they like.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::WeightsError;
use super::file::{WeightsFile, file_length, malformed};
use super::format::WeightsFormat;
use super::old_names::todays_name;
use super::{burnpack, pytorch, safetensors};

/// Tensors that a file may hold; a network of this library has some dozens.
const MAX_TENSORS: usize = 100_000;

/// As much of a file shows which format it is in.
const HEAD_BYTES: u64 = 512;

/// Opens `path` and lists its tensors.
pub(crate) fn open(path: &Path) -> Result<WeightsFile, WeightsError> {
    let mut file = match format_of(path)? {
        WeightsFormat::Safetensors => safetensors::open(path)?,
        WeightsFormat::Pytorch => pytorch::open(path)?,
        WeightsFormat::Burnpack => burnpack::open(path)?,
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

/// The format by the first bytes; by the name where they show none, so that the message says what is wrong with them.
fn format_of(path: &Path) -> Result<WeightsFormat, WeightsError> {
    file_length(path)?;
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head))
        .map_err(|source| WeightsError::Read { path: path.to_owned(), source })?;
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    match (by_contents(&head), extension.as_deref()) {
        (Some(format), _) => Ok(format),
        (None, _) if other_format(&head).is_some() => Err(unknown(path, &head)),
        (None, Some("safetensors")) => Ok(WeightsFormat::Safetensors),
        (None, Some("pt" | "pth")) => Ok(WeightsFormat::Pytorch),
        (None, Some("bpk")) => Ok(WeightsFormat::Burnpack),
        (None, _) => Err(unknown(path, &head)),
    }
}

fn by_contents(head: &[u8]) -> Option<WeightsFormat> {
    if head.get(8) == Some(&b'{') && head.get(4..8) == Some(&[0; 4]) {
        return Some(WeightsFormat::Safetensors);
    }
    if head.starts_with(b"NRUB") {
        return Some(WeightsFormat::Burnpack);
    }
    let is_pickle = matches!(head, [0x80, 0..=5, ..]);
    let is_pytorch = head.starts_with(b"PK\x03\x04") || head.get(257..262) == Some(b"ustar") || is_pickle;
    is_pytorch.then_some(WeightsFormat::Pytorch)
}

/// What people take for weights now and then.
fn other_format(head: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 6] = [
        (b"\x89HDF", "an HDF5 file, as Keras writes"),
        (b"\x1f\x8b", "a gzip file; unpack it first"),
        (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
        (b"\x93NUMPY", "a NumPy array"),
        (b"<", "a web page or XML"),
        (b"version https://git-lfs", "a pointer of Git LFS in place of the file; run `git lfs pull`"),
    ];
    known.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name)
}

fn unknown(path: &Path, head: &[u8]) -> WeightsError {
    let shown = &head[..head.len().min(8)];
    let got = match other_format(head) {
        Some(name) => name.to_owned(),
        None if head.is_empty() => "an empty file".to_owned(),
        None => format!("a file that begins with `{}`", shown.escape_ascii()),
    };
    WeightsError::UnknownFormat { path: path.to_owned(), got }
}
