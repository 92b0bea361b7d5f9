//! Files that survive a crash, and files of strangers read without trusting them.
//!
//! Writing: [`write_atomic`] for one file, [`commit_folder`] for a set that counts only as a whole,
//! [`verify_folder`] to prove later that it is still that set, [`RunLock`] so that two programs do
//! not write into one run. Each function says what a failure leaves on disk.
//!
//! Reading: [`read_bounded`], [`gunzip_bounded`] and [`read_tar_gz`] never allocate more than the
//! caller allowed, whatever a header promises, and never write what they read to disk.

mod archive;
mod atomic;
mod bounded;
mod error;
mod folder;
mod hash;
mod lock;

pub use archive::{ArchiveLimits, ArchiveMember, read_tar_gz};
pub use atomic::write_atomic;
pub use bounded::{gunzip_bounded, gunzip_prefix, gunzip_slice_bounded, read_bounded, read_prefix};
pub use error::StorageError;
pub use folder::{
    FileEntry, MANIFEST_FILE, MANIFEST_FORMAT_VERSION, Manifest, commit_folder, remove_leftovers,
    verify_folder,
};
pub use hash::{Sha256Hasher, sha256_file, sha256_hex};
pub use lock::{LOCK_FILE, RunLock};
