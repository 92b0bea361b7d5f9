//! Published weights on this machine: where they are kept, and fetching them once for all runs.
//!
//! A file lies in [`cache_folder`] under its published name. It is fetched into a part file beside it, which a later
//! process resumes, and gets its name when its hash is right; several processes that want the same file fetch it once.
//! A file that was put there by hand counts as fetched, if its hash is right.

use std::path::{Path, PathBuf};

use firebrick_component::text;
use firebrick_data::download::{Checksum, Mirror, RemoteFile, fetch_shared};
use firebrick_data::{DataError, Progress};
use firebrick_models::PublishedWeights;
use firebrick_models::published::Address;

pub use crate::config::start_weights::named;

/// The folder that published weights are kept in: `weights` below the one that `FIREBRICK_CACHE` names, otherwise
/// below `$XDG_CACHE_HOME/firebrick`, otherwise below `~/.cache/firebrick`.
///
/// # Errors
///
/// [`DataError::Download`] where none of the three is known.
pub fn cache_folder() -> Result<PathBuf, DataError> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let by_desktop =
        || variable("XDG_CACHE_HOME").filter(|path| path.is_absolute()).map(|path| path.join("firebrick"));
    let by_home = || std::env::home_dir().map(|home| home.join(".cache").join("firebrick"));
    let cache = variable("FIREBRICK_CACHE").or_else(by_desktop).or_else(by_home);
    cache.map(|cache| cache.join("weights")).ok_or_else(|| DataError::Download {
        url: "published weights".to_owned(),
        problem: "there is no folder to keep them in: the system names no home folder".to_owned(),
        hint: "set the environment variable FIREBRICK_CACHE to a folder".to_owned(),
    })
}

/// Where the file lies, if something of its name is there; whether it is the published one is seen by [`fetch`].
pub fn cached(weights: &PublishedWeights) -> Option<PathBuf> {
    cache_folder().ok().map(|folder| folder.join(weights.file)).filter(|path| path.is_file())
}

/// The path of the file, fetched if it is not there, and found to be the published one by its hash.
///
/// Where `FIREBRICK_MIRROR` names a server, it comes from there.
///
/// # Errors
///
/// [`DataError::Download`]: the file is not there and has no address, or cannot be fetched, or `progress` is offline; or
/// what is there is another file. [`DataError::Cancelled`] when `progress` says so; [`DataError::Io`] when the disk
/// fails.
pub fn fetch(weights: &PublishedWeights, progress: &dyn Progress) -> Result<PathBuf, DataError> {
    let folder = cache_folder()?;
    let path = folder.join(weights.file);
    let mirror = Mirror::from_environment();
    let base_url = match weights.address {
        Address::Url(base_url) => base_url,
        Address::ByHand(how) if mirror.is_official() && !path.exists() => {
            return Err(by_hand(weights, how, &path));
        }
        // Only what is there is looked at, or the mirror has it.
        Address::ByHand(_) => "",
    };
    let checksum = Checksum::Sha256Prefix(weights.sha256_prefix());
    let file = RemoteFile { base_url, name: weights.file, checksum };
    fetch_shared(&file, &folder, &mirror, progress)?;
    Ok(path)
}

fn by_hand(weights: &PublishedWeights, how: &str, path: &Path) -> DataError {
    DataError::Download {
        url: weights.file.to_owned(),
        problem: format!("this file has no address to fetch it from: {how}"),
        hint: format!("then put the file at {}, or set model.weights to its path", text::path(path)),
    }
}
