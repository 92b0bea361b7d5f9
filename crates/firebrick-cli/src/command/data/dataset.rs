//! Which dataset a `data` command means, and opening it.

use std::path::{Path, PathBuf};

use clap::Args;
use firebrick::component::text;
use firebrick::data::{DataConfig, DatasetConfig, Datasets, InputShape};
use firebrick::train::Config;
use serde_json::Value;

use crate::attended::{Attended, NetworkArgument};
use crate::message::Failure;
use crate::style::listed;

/// Which dataset is meant.
#[derive(Debug, Args)]
pub struct DatasetArguments {
    /// Name of a dataset (digits, mnist, cifar10, ...) or a config file
    #[arg(value_name = "DATASET")]
    dataset: String,

    /// Folder with its files [default: data, or what the config says]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    #[command(flatten)]
    pub network: NetworkArgument,
}

impl DatasetArguments {
    /// The `[data]` table that is meant, without augmentation.
    ///
    /// # Errors
    ///
    /// A name that is none, a config that cannot be read, arguments that are missing.
    pub fn resolve(&self) -> Result<DataConfig, Failure> {
        let mut config = match dataset_name(&self.dataset) {
            Some(Ok(name)) => DataConfig::new(name),
            Some(Err(problem)) => {
                let text = format!("dataset `{}` needs arguments: {problem}", self.dataset);
                return Err(Failure::usage(text).hint("name a config file that has them"));
            }
            None if self.dataset.ends_with(".toml") => Config::from_file(Path::new(&self.dataset), &[])?.data,
            None => {
                let names = listed(DatasetConfig::NAMES.iter().copied());
                let text =
                    format!("unknown dataset `{}`, expected one of {names}, or a config file", self.dataset);
                return Err(Failure::usage(text));
            }
        };
        if let Some(root) = &self.root {
            if !config.dataset.reads_files() {
                let text = format!(
                    "--root {} has no effect: data set `{}` has no files",
                    text::path(root),
                    config.dataset.name()
                );
                return Err(Failure::usage(text));
            }
            config.root.clone_from(root);
        }
        config.augment.clear();
        config.batch_augment.clear();
        Ok(config)
    }
}

/// The data set of this name, or what its arguments lack; none where nothing is called so.
fn dataset_name(text: &str) -> Option<Result<DatasetConfig, String>> {
    let is_known = DatasetConfig::NAMES.contains(&text);
    is_known.then(|| serde_json::from_value(Value::from(text)).map_err(|error| error.to_string()))
}

/// What images are brought to where their own shape does not matter.
pub const ANY_SHAPE: InputShape = InputShape { channels: 3, height: 32, width: 32 };

/// Opens it for a network that takes images of shape `input`.
///
/// # Errors
///
/// What the data part says, or a signal.
pub fn open(config: &DataConfig, input: InputShape, attended: &Attended) -> Result<Datasets, Failure> {
    attended.finish(firebrick::data::open(config, input, 0, &attended.progress()))
}
