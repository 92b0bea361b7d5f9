//! SHA-256, written as lower-case hexadecimal digits.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::StorageError;

/// SHA-256 of bytes that come in pieces.
#[derive(Clone, Default)]
pub struct Sha256Hasher(Sha256);

impl Sha256Hasher {
    /// An empty hash.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes; how they are cut into pieces does not matter.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Adds a named field: the lengths go in too, so that no two lists of fields hash alike.
    pub fn field(&mut self, name: &str, bytes: &[u8]) {
        self.0.update((name.len() as u64).to_le_bytes());
        self.0.update(name.as_bytes());
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// The hash in 64 hexadecimal digits.
    pub fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// SHA-256 of `bytes` in 64 hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut hasher = Sha256Hasher::new();
    hasher.update(bytes);
    hasher.finish()
}

/// Length and SHA-256 of a file, read in small pieces.
///
/// # Errors
/// [`StorageError::Io`] when it cannot be read.
pub fn sha256_file(path: &Path) -> Result<(u64, String), StorageError> {
    let fail = |error| StorageError::io(path, "read", error);
    let mut file = File::open(path).map_err(fail)?;
    let mut hasher = Sha256Hasher::new();
    let mut buffer = vec![0_u8; 1 << 16];
    let mut bytes = 0_u64;
    loop {
        let count = file.read(&mut buffer).map_err(fail)?;
        if count == 0 {
            return Ok((bytes, hasher.finish()));
        }
        hasher.update(&buffer[..count]);
        bytes += count as u64;
    }
}
