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

use crate::backend::slow_build;
use crate::checkpoint;
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
    fit_from(plan, (model, None), location, observer)
}

/// Trains a network; a run that begins also tells what was done to make it.
fn fit_from<M: ImageClassifier>(
    plan: &Plan,
    (model, made): (M, Option<String>),
    location: &RunLocation,
    observer: &mut dyn Observer,
) -> Result<Outcome<M>, TrainError> {
    let unknown = plan.check_model(&model)?;
    let mut state = TrainState::new(plan, model)?;
    let mut begin = resume::begin(plan, location)?;
    match &begin.checkpoint {
        Some(checkpoint) => state.restore(checkpoint)?,
        None => {
            let of_plan = plan.notices.iter().cloned().chain(made).chain(unknown);
            begin.notices = of_plan.chain(state.notices()).chain(begin.notices).collect();
        }
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
    if !resume::has_checkpoint(&plan.config, &plan.name, location)? {
        let (model, report) = plan.initial_model_and_report(&plan.backend.device)?;
        let made = report.filter(|report| !report.is_plain()).map(|report| report.in_words());
        return fit_from(plan, (model, made), location, observer);
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
    checkpoint::point_to_best(&begin.folder.checkpoints(), state.best_step())?;
    let mut run = Run::new(plan, state, begin.folder, begin.metrics, observer);
    run.tell_notices(begin.notices)?;
    run.tell_notices(plan.datasets.info.skipped_notice().into_iter().collect())?;
    run.start()?;
    run.tell_notices(slow_build(&plan.backend.device).into_iter().collect())?;
    run.preflight(begin.checkpoint.is_none())?;
    run.train()?;
    run.finish()
}
