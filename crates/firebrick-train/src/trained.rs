//! A finished or running run, opened to use its network: for `evaluate`, `predict` and `export`.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use firebrick_component::text;
use firebrick_data::Image;
use firebrick_models::{ImageClassifier, Network};

use crate::checkpoint::{self, Checkpoint, State, Which};
use crate::classify::predict;
use crate::config::Config;
use crate::ema::Ema;
use crate::error::TrainError;
use crate::event::WeightsKind;
use crate::freeze::Freeze;
use crate::outputs;
use crate::resume::run_of;

pub use crate::classify::Prediction;

/// A run's network with the weights of one checkpoint, ready to classify.
///
/// `M` is the network that the config names, or one written by hand.
pub struct TrainedRun<M = Network> {
    /// The run's folder.
    pub run_dir: PathBuf,
    /// The checkpoint's folder.
    pub checkpoint: PathBuf,
    /// The config the run was made with.
    pub config: Config,
    /// What the checkpoint knows beside its tensors.
    pub state: State,
    /// The network, in validation mode.
    pub model: M,
    /// Damaged checkpoints that were passed over.
    pub notices: Vec<String>,
}

impl TrainedRun {
    /// Opens a run folder (then `which` says which checkpoint) or a checkpoint folder of one, with the
    /// weights that the optimiser moved or with their average.
    ///
    /// # Errors
    ///
    /// [`TrainError::Checkpoint`] or [`TrainError::Storage`] when it is neither, holds no checkpoint,
    /// the one asked for is damaged, or the run keeps no average.
    pub fn open(
        path: &Path,
        which: Which,
        weights: WeightsKind,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let network =
            |config: &Config, device: &Device| config.model.network.init(config.trainer.seed, device);
        Self::open_with(path, which, weights, device, network)
    }
}

impl<M: ImageClassifier> TrainedRun<M> {
    /// As [`TrainedRun::open`], for a run of a network of your own: `network` builds it on the device, with
    /// any weights.
    ///
    /// # Errors
    ///
    /// As [`TrainedRun::open`], and [`TrainError::Checkpoint`] when the weights are another network's.
    pub fn open_with(
        path: &Path,
        which: Which,
        weights: WeightsKind,
        device: &Device,
        network: impl FnOnce(&Config, &Device) -> M,
    ) -> Result<Self, TrainError> {
        let (run_dir, meant) = run_of(path)?;
        let which = if matches!(meant, Which::Folder(_)) { meant } else { which };
        if let Which::Folder(folder) = &which {
            check_is_of(&run_dir, folder)?;
        }
        let mut notices = Vec::new();
        let found = checkpoint::find(&run_dir, &which, &mut notices)?;
        let Some(checkpoint) = found else {
            return Err(TrainError::Checkpoint {
                path: run_dir,
                message: "holds no checkpoint yet; let the run finish an epoch first".to_owned(),
            });
        };
        let name = checkpoint.path.join("state.json").display().to_string();
        let config = Config::from_toml(&name, &checkpoint.state.config, &[])?;
        let model = checkpoint.load_model(network(&config, device))?.valid();
        let model = match weights {
            WeightsKind::Raw => model,
            WeightsKind::Ema => averaged(&checkpoint, &config, model, device)?,
        };
        Ok(Self { run_dir, model, checkpoint: checkpoint.path, config, state: checkpoint.state, notices })
    }

    /// Checks that the network gives what the loss of `config` takes, as training does. What of that cannot be known, or is
    /// hardly meant, comes back as a sentence to tell.
    ///
    /// # Errors
    ///
    /// [`TrainError::Config`] with the place of `loss.name` where they do not fit.
    pub fn check_loss(&self, config: &Config) -> Result<Option<String>, TrainError> {
        let checked = outputs::check(&config.loss, outputs::of(&self.model));
        checked.map_err(|message| config.refused_at(outputs::KEY, message).into())
    }

    /// Class probabilities of one image, the most probable first.
    ///
    /// The image is prepared exactly as the test split was: channels, size, normalisation.
    ///
    /// # Errors
    ///
    /// [`TrainError::Data`] when the image cannot be brought to the network's input; [`TrainError::Device`].
    pub fn predict(&self, image: &Image, device: &Device) -> Result<Vec<Prediction>, TrainError> {
        let State { preprocess, dataset, .. } = &self.state;
        predict(&self.model, preprocess, &dataset.class_names, image, device)
    }
}

/// Refuses another run's checkpoint, whose numbers would be told under this run's name.
fn check_is_of(run_dir: &Path, checkpoint: &Path) -> Result<(), TrainError> {
    let Ok((other, Which::Folder(_))) = run_of(checkpoint) else { return Ok(()) };
    match (run_dir.canonicalize(), other.canonicalize()) {
        (Ok(own), Ok(others)) if own != others => Err(TrainError::Checkpoint {
            path: checkpoint.to_owned(),
            message: format!(
                "expected a checkpoint of {}, got one of {}; name that run instead",
                text::path(run_dir),
                text::path(&other)
            ),
        }),
        // What is not there is complained about where it is read.
        _ => Ok(()),
    }
}

fn averaged<M: ImageClassifier>(
    checkpoint: &Checkpoint,
    config: &Config,
    model: M,
    device: &Device,
) -> Result<M, TrainError> {
    let Some(ema) = &config.trainer.ema else {
        return Err(TrainError::Checkpoint {
            path: checkpoint.path.clone(),
            message: "expected the averaged weights, found none; was it made with trainer.ema?".to_owned(),
        });
    };
    let mut ema = Ema::new(ema)?;
    // Only what takes part in training is averaged, and only that is looked for.
    let epoch = checkpoint.state.progress.position.epoch;
    let trainable = Freeze::of(config, &model)?.apply(model.train(), epoch);
    checkpoint.load_ema(&mut ema, &trainable, device)?;
    Ok(ema.averaged(&trainable))
}
