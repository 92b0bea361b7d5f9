//! A whole run: a [`TrainState`](crate::train_state::TrainState) with a run folder, checkpoints, evaluations and
//! observers around it.
//!
//! | file | its one job |
//! |---|---|
//! | `fit/run.rs` | what a run is made of, and telling its observers |
//! | `fit/saving.rs` | when a checkpoint is due, and writing it |
//! | `fit/recovery.rs` | numbers that are not finite |
//! | `fit/evaluation.rs` | evaluations at the end of an epoch and of the run |
//! | `fit/epoch.rs` | the loop over an epoch's steps |
//! | `fit/preflight.rs` | what must hold before the first step |
//! | `fit/finish.rs` | the summary |

mod epoch;
mod evaluation;
mod finish;
mod preflight;
mod recovery;
mod run;
mod saving;

use firebrick_models::{ImageClassifier, Network};

use crate::error::TrainError;
use crate::observer::Observer;
use crate::plan::Plan;
use crate::resume::{self, Begin};
use crate::run_folder::RunLocation;
use crate::train_state::TrainState;

use run::Run;

pub use finish::{Outcome, Status};

/// Trains `model` as `plan` says, writing the run folder and telling `observer` each event; several observers are
/// [`Observers`](crate::Observers).
///
/// `model` may be any [`ImageClassifier`] whose input and classes are the plan's. For the one that the config names
/// there is [`fit_network`], which needs no weights to start from where the run goes on.
///
/// # Errors
///
/// [`TrainError`]; [`TrainError::kind`] says which exit code it is. Checkpoints written before
/// the error stay good.
pub fn fit<M: ImageClassifier>(
    plan: &Plan,
    model: M,
    location: &RunLocation,
    observer: &mut dyn Observer,
) -> Result<Outcome<M>, TrainError> {
    let mut state = TrainState::new(plan, model)?;
    let begin = resume::begin(plan, location)?;
    if let Some(checkpoint) = &begin.checkpoint {
        state.restore(checkpoint)?;
    }
    train(plan, state, begin, observer)
}

/// Trains the network that the config names, as [`fit`] does. The file of `model.weights` is read only by a run that
/// begins: one that goes on has everything in its checkpoint.
///
/// # Errors
///
/// As [`fit`], and [`TrainError::Weights`] when the file does not fit.
pub fn fit_network(
    plan: &Plan,
    location: &RunLocation,
    observer: &mut dyn Observer,
) -> Result<Outcome<Network>, TrainError> {
    if !resume::has_checkpoint(plan, location)? {
        return fit(plan, plan.initial_model(&plan.backend.device)?, location, observer);
    }
    let mut state = TrainState::new(plan, plan.model_to_restore())?;
    let begin = resume::begin(plan, location)?;
    let Some(checkpoint) = &begin.checkpoint else {
        return Err(TrainError::Checkpoint {
            path: begin.folder.path().to_owned(),
            message: "its checkpoints were removed while the run began; the same command begins anew"
                .to_owned(),
        });
    };
    state.restore(checkpoint)?;
    train(plan, state, begin, observer)
}

fn train<M: ImageClassifier>(
    plan: &Plan,
    state: TrainState<'_, M>,
    begin: Begin,
    observer: &mut dyn Observer,
) -> Result<Outcome<M>, TrainError> {
    let mut run = Run::new(plan, state, begin.folder, begin.metrics, observer);
    run.tell_notices(begin.notices)?;
    run.tell_notices(plan.datasets.info.skipped_notice().into_iter().collect())?;
    run.start()?;
    run.preflight(begin.checkpoint.is_none())?;
    run.train()?;
    run.finish()
}
