//! A plan's steps and nothing else: no run folder, no evaluation, no checkpoints. For comparing with a
//! recorded run, see [`crate::trace`].

use firebrick_models::Network;

use crate::error::TrainError;
use crate::event::Control;
use crate::plan::Plan;
use crate::step::{Refusal, Verdict};
use crate::train_state::TrainState;

/// Takes the first `num_steps` steps of the plan and tells `each` of them: its number from 1, its loss,
/// and the network after it. Returns what was refused if a number stopped being finite; the steps end
/// there.
///
/// # Errors
///
/// [`TrainError::Plan`] if the plan cannot be compared with another run step for step: it has no
/// weights to start from, draws random numbers, or is shorter than `num_steps`. Otherwise what reading
/// weights and data may say.
pub fn replay(
    plan: &Plan,
    num_steps: u64,
    each: &mut dyn FnMut(u64, f64, &Network) -> Control,
) -> Result<Option<Refusal>, TrainError> {
    check(plan, num_steps)?;
    let mut state = TrainState::new(plan, plan.initial_model(&plan.backend.device)?)?;
    let mut batches = state.batches();
    while state.progress().position.step < num_steps {
        let Some(batches_of_step) = batches.next() else {
            batches = state.batches();
            continue;
        };
        let report = match state.step(batches_of_step?)? {
            Verdict::Applied(report) => report,
            Verdict::Refused(refusal) => return Ok(Some(refusal)),
        };
        if each(state.progress().position.step, report.loss, state.model()) == Control::Stop {
            break;
        }
    }
    Ok(None)
}

fn check(plan: &Plan, num_steps: u64) -> Result<(), TrainError> {
    let config = &plan.config;
    let refused = |text: String| Err(TrainError::Plan(format!("a step-for-step comparison needs {text}")));
    if config.model.weights.is_none() {
        return refused("the weights that the recorded run began with: set model.weights".to_owned());
    }
    if config.data.shuffle {
        return refused("the data in file order: set data.shuffle = false".to_owned());
    }
    if !config.data.augment.is_empty() || !config.data.batch_augment.is_empty() {
        return refused("the images as they are: set data.augment = []".to_owned());
    }
    if config.schedule.watches().is_some() {
        let name = config.schedule.name();
        return refused(format!(
            "a schedule that goes by steps or epochs; {name} goes by evaluations, which are left out"
        ));
    }
    if num_steps > plan.total_steps {
        let total = plan.total_steps;
        return refused(format!(
            "as many steps as were recorded, {num_steps}; the config has {total}: raise trainer.epochs or \
             trainer.max_steps"
        ));
    }
    Ok(())
}
