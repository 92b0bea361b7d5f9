//! A plan's steps and nothing else: no run folder, no evaluation, no checkpoints. For comparing with a
//! recorded run, see [`crate::trace`].

use burn::module::Module;
use firebrick_data::{DataLoader, HostBatch, LoaderOptions};
use firebrick_models::Network;

use crate::error::TrainError;
use crate::event::Control;
use crate::optimizer::Optimizer;
use crate::plan::Plan;
use crate::schedule::Schedule;
use crate::step::{Clipping, Refusal, Verdict, accumulated_step};

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
    let config = &plan.config;
    check(plan, num_steps)?;
    let mut model = plan.initial_model(&plan.backend.device)?.train();
    let mut optimizer = Optimizer::new(&config.optimizer)?;
    optimizer.bind(&model)?;
    let lr = config.optimizer.lr();
    let schedule = Schedule::new(&config.schedule, lr, plan.total_steps, plan.steps_per_epoch)?;
    let clipping =
        Clipping { max_norm: config.trainer.clip_grad_norm, max_value: config.trainer.clip_grad_value };
    let loader = loader(plan);
    let (mut epoch, mut batches) = (0, loader.epoch(0, 0));
    for step in 0..num_steps {
        if batches.num_left() == 0 {
            epoch += 1;
            batches = loader.epoch(epoch, 0);
        }
        let group = batches.by_ref().take(config.trainer.accumulate_grad_batches);
        let group: Vec<HostBatch> = group.collect::<Result<_, _>>()?;
        plan.seed_device(step);
        let rates = schedule.at(step);
        let (moved, verdict) =
            accumulated_step(model, group, plan.loss.as_ref(), &mut optimizer, clipping, &rates)?;
        model = moved;
        let report = match verdict {
            Verdict::Applied(report) => report,
            Verdict::Refused(refusal) => return Ok(Some(refusal)),
        };
        if each(step + 1, report.loss, &model) == Control::Stop {
            break;
        }
    }
    Ok(None)
}

fn loader(plan: &Plan) -> DataLoader {
    let (data, trainer) = (&plan.config.data, &plan.config.trainer);
    DataLoader::new(
        plan.datasets.train.clone(),
        LoaderOptions {
            batch_size: data.batch_size,
            shuffle: data.shuffle,
            seed: trainer.seed,
            workers: data.workers,
            drop_last: data.drop_last,
        },
    )
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
