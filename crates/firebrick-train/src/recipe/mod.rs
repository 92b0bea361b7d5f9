//! From a folder to a config: what is found decides network, weights, batch size, learning rate, epochs and augmentation.
//!
//! ```text
//! folder -> known.rs       a published data set: its own config
//!        -> survey         classes, splits and sizes of photos (firebrick-data)
//!        -> choose.rs      every choice:
//!             start.rs       which network, from which weights (cache.rs, weights_file.rs)
//!             fine_tune.rs   the choices for published weights
//!             scratch.rs     the choices without
//!        -> choice.rs      each with its reason, as a config's text
//! ```
//!
//! Nothing is hidden: a recipe is a config, with the reason for each line. What the caller sets (`asked.rs`) is taken as
//! given, and what depends on it follows.

mod asked;
mod cache;
mod choice;
mod choose;
mod fine_tune;
mod known;
mod networks;
mod photos;
mod scratch;
mod start;
mod weights_file;

use std::path::Path;

use firebrick_data::Progress;
use firebrick_data::source::{FolderSurvey, survey};

use crate::config::{Config, Override};
use crate::error::TrainError;

use asked::Asked;
pub use choice::Choice;
pub use start::RecipeOptions;

/// A config that was made for a folder.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// What runs are called after: the folder.
    pub name: String,
    /// What was found.
    pub found: Found,
    /// Why the network begins with random weights, if it does.
    pub notice: Option<String>,
    /// What was chosen and why, in the order of the config. Empty for a published data set.
    pub choices: Vec<Choice>,
    /// The choices as a config with comments, without what the overrides say; it can be kept as a file.
    pub text: String,
    /// The config with the overrides.
    pub config: Config,
}

/// What a folder turned out to be.
#[derive(Clone, Debug)]
pub enum Found {
    /// A folder for each class.
    Photos(FolderSurvey),
    /// A published data set.
    Dataset {
        /// Its name in a config.
        name: &'static str,
        /// The config that was taken.
        config: &'static str,
    },
}

impl Recipe {
    /// Looks at a folder and chooses. `progress` hears about a download of weights.
    ///
    /// # Errors
    ///
    /// [`TrainError::Data`] for a folder that is neither photos nor a published data set; it says what it is instead.
    /// [`TrainError::Config`] for overrides that do not fit.
    pub fn for_folder(
        folder: &Path,
        overrides: &[Override],
        options: RecipeOptions,
        progress: &dyn Progress,
    ) -> Result<Self, TrainError> {
        let name = name_of(folder);
        if let Some((known, root)) = known::find(folder) {
            return Self::for_dataset(&known, &root, name, overrides);
        }
        let asked = Asked::of(overrides);
        let survey = survey(folder)?;
        let (choices, notice) = choose::choices(&survey, &asked, options, progress)?;
        let text = choice::to_toml(&choices);
        let config = Config::from_toml("the recipe", &text, overrides)?;
        Ok(Self { name, found: Found::Photos(survey), notice, choices, text, config })
    }

    fn for_dataset(
        known: &known::Known,
        root: &Path,
        name: String,
        overrides: &[Override],
    ) -> Result<Self, TrainError> {
        let mut own = vec![
            Override::new("data.dataset", known.name),
            Override::new("data.root", root.display().to_string()),
            Override::new("model.num_classes", known.num_classes.to_string()),
        ];
        own.extend_from_slice(overrides);
        let config = Config::from_toml(known.config, known.text, &own)?;
        let found = Found::Dataset { name: known.name, config: known.config };
        Ok(Self { name, found, notice: None, choices: Vec::new(), text: known.text.to_owned(), config })
    }
}

/// The folder's name with nothing but letters, digits, `-` and `_`, which a run's folder can be called after.
fn name_of(folder: &Path) -> String {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let kept =
        |character: char| if character.is_alphanumeric() || character == '_' { character } else { '-' };
    let name: String = name.chars().map(kept).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "photos".to_owned() } else { name.to_owned() }
}
