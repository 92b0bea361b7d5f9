//! Files that survive a crash, and files of strangers read without trusting them.
//!
//! Writing: [`write_atomic`] for one file, [`AppendFile`] for one that grows, [`commit_folder`] for a
//! set that counts only as a whole, [`verify_folder`] to prove later that it is still that set,
//! [`RunLock`] so that two programs do not write into one run. Each function says what a failure
//! leaves on disk; every change to the disk goes through one module, `operation`.
//!
//! Reading: [`read_bounded`], [`gunzip_bounded`] and [`read_tar_gz`] never allocate more than the
//! caller allowed, whatever a header promises, and never write what they read to disk.

mod append;
mod archive;
mod atomic;
mod bounded;
mod copy;
mod error;
mod folder;
mod hash;
mod identity;
mod links;
mod lock;
#[doc(hidden)]
pub mod operation;
mod path;
mod space;
mod temporary;

pub use append::{AppendFile, write_new};
pub use archive::{ArchiveLimits, ArchiveMember, read_tar_gz};
pub use atomic::write_atomic;
pub use bounded::{
    gunzip_bounded, gunzip_prefix, gunzip_slice_bounded, read_bounded, read_part, read_prefix,
};
pub use copy::{copy_folder, copy_new, copy_start};
pub use error::StorageError;
pub use folder::{
    FileEntry, MANIFEST_FILE, MANIFEST_FORMAT_VERSION, Manifest, commit_folder, create_folder,
    create_folders, is_of_the_system, remove_folder, remove_leftovers, rename_folder, verify_folder,
};
pub use hash::{Sha256Hasher, sha256_file, sha256_hex};
pub use links::separate_from_links;
pub use lock::{LOCK_FILE, RunLock};
pub use space::available_bytes;
