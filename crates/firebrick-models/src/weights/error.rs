//! What can be wrong with a weights file: each error says what, where, expected and got.

use std::fmt;
use std::path::PathBuf;

use firebrick_component::text;
use firebrick_storage::StorageError;

use super::described::{MatchedBy, Misshapen, Mistyped, NamedShape};
use super::format::WeightsFormat;

/// Lines of one kind that an error message shows before it counts the rest.
const LINES_SHOWN: usize = 20;

/// Why weights could not be loaded or saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The operating system could not read the file.
    #[error("weights file '{}': cannot be read: {source}", text::path(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file's first bytes are those of no format that is known.
    #[error(
        "weights file '{}': expected a file in the format of safetensors, of PyTorch's torch.save or of burnpack, got \
         {got}",
        text::path(path)
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        got: String,
    },
    /// The file is damaged, cut off, or something else under this name.
    #[error("weights file '{}': not a whole {format} file: {reason}", text::path(path))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The format that its contents or its name promise.
        format: WeightsFormat,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of sorted names, none of which is the model's, in which shapes alone do not say which tensor is which.
    #[error(
        "weights file '{}': none of its names is this model's, and for {by_order_alone} parameters several tensors have the right \
         shape; a .safetensors file is sorted by name, so its order says nothing: rename its tensors, or save it with torch.save",
        text::path(path)
    )]
    OrderSaysNothing {
        /// The file.
        path: PathBuf,
        /// Parameters for which the order would have to decide.
        by_order_alone: usize,
    },
    /// The file holds several networks that fit equally well.
    #[error(
        "weights file '{}': {} networks in it fit this model, under {}; say which one: model.weights_key = \"{}\"",
        text::path(path),
        prefixes.len(),
        quoted(prefixes),
        prefixes.first().map_or("", |prefix| prefix.trim_end_matches('.'))
    )]
    AmbiguousPrefix {
        /// The file.
        path: PathBuf,
        /// The names in front of each network's parameters.
        prefixes: Vec<String>,
    },
    /// The file has nothing under the key that was asked for.
    #[error(
        "weights file '{}': no network under the key '{key}' (model.weights_key); {}{}",
        text::path(path),
        if known.is_empty() { "the file has no keys with tensors under them".to_owned() }
            else { format!("there are tensors under {}", quoted(known)) },
        if optimizers.is_empty() { String::new() }
            else { format!("; {} is an optimiser's state", quoted(optimizers)) }
    )]
    NoSuchKey {
        /// The file.
        path: PathBuf,
        /// The key that was asked for.
        key: String,
        /// Keys under which there are tensors.
        known: Vec<String>,
        /// Keys of an optimiser's state.
        optimizers: Vec<String>,
    },
    /// The file holds an optimiser's state and no network.
    #[error(
        "weights file '{}': no network in it, but an optimiser's state{}; its keys are {}; expected the network's \
         state_dict()",
        text::path(path),
        if optimizers.iter().any(String::is_empty) { String::new() } else { format!(" ({})", quoted(optimizers)) },
        quoted(keys)
    )]
    NoNetwork {
        /// The file.
        path: PathBuf,
        /// Keys of the optimiser's state; empty for the file itself.
        optimizers: Vec<String>,
        /// The file's outermost keys.
        keys: Vec<String>,
    },
    /// The tensors of the file are not the parameters of the model.
    #[error(transparent)]
    Mismatch(Box<Mismatch>),
    /// One tensor's values could not be read or are no numbers to start from.
    #[error("weights file '{}': tensor '{tensor}': {reason}", text::path(path))]
    Tensor {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        tensor: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The weights could not be put into the format.
    #[error("weights file '{}': cannot be written as safetensors: {reason}", text::path(path))]
    Encode {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file could not be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Names in quotes, with commas, not more than a message can hold.
fn quoted(names: &[String]) -> String {
    let shown = names.iter().take(LINES_SHOWN).map(|name| format!("'{}'", name.escape_debug()));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LINES_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Everything in which a file and a model differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The file.
    pub path: PathBuf,
    /// Class name of the model.
    pub model: String,
    /// How the tensors were matched that did match.
    pub matched_by: MatchedBy,
    /// Parameters of the model that the file does not have.
    pub missing: Vec<NamedShape>,
    /// Tensors of the file that the model does not have.
    pub extra: Vec<NamedShape>,
    /// Tensors whose name fits and whose shape does not.
    pub misshapen: Vec<Misshapen>,
    /// Tensors whose name fits and whose elements are not floating-point numbers.
    pub mistyped: Vec<Mistyped>,
    /// Whether `strict = false` would let the file in.
    pub strict_is_the_reason: bool,
}

impl std::error::Error for Mismatch {}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "weights file '{}' does not fit {} ({})",
            text::path(&self.path),
            self.model,
            self.matched_by
        )?;
        list(f, "missing", &self.missing)?;
        list(f, "extra", &self.extra)?;
        list(f, "misshapen", &self.misshapen)?;
        list(f, "not floating point", &self.mistyped)?;
        if self.strict_is_the_reason {
            write!(
                f,
                "\n  with strict = false missing parameters and a head for other classes keep their \
                 fresh values, and extra tensors are left out"
            )?;
        }
        Ok(())
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, title: &str, items: &[T]) -> fmt::Result {
    for item in items.iter().take(LINES_SHOWN) {
        write!(f, "\n  {title}: {item}")?;
    }
    match items.len().saturating_sub(LINES_SHOWN) {
        0 => Ok(()),
        more => write!(f, "\n  {title}: and {more} more"),
    }
}
