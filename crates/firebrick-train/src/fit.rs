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

use firebrick_models::ImageClassifier;

use crate::backend::slow_build;
use crate::error::TrainError;
use crate::observer::Observer;
use crate::plan::Plan;
use crate::resume;
use crate::run_folder::RunLocation;
use crate::train_state::TrainState;

use run::Run;

pub use finish::{Outcome, Status};

/// Trains `model` as `plan` says, writing the run folder and telling `observer` each event; several observers are
/// [`Observers`](crate::Observers).
///
/// `model` may be any [`ImageClassifier`] whose input and classes are the plan's; the one that the
/// config names comes from [`Plan::initial_model`].
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
    let mut run = Run::new(plan, state, begin.folder, begin.metrics, observer);
    run.tell_notices(begin.notices)?;
    run.start()?;
    run.tell_notices(slow_build(&plan.backend.device).into_iter().collect())?;
    run.preflight(begin.checkpoint.is_none())?;
    run.train()?;
    run.finish()
}
