//! Everything of a config that can be checked without training by it.

use burn::module::Module;
use firebrick_data::{DataError, Progress};

use crate::backend::{Backend, BackendChoice, BackendName};
use crate::config::Config;
use crate::error::TrainError;
use crate::fine_tuning;
use crate::freeze::Freeze;
use crate::optimizer::Optimizer;
use crate::outputs;
use crate::placed::placed;
use crate::plan::Plan;
use crate::told;

/// What was found of a config that can be trained by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What is accepted and will hardly be what somebody wanted, in sentences.
    pub notices: Vec<String>,
    /// Whether the data is there, so that the config was compared with it.
    pub has_data: bool,
}

/// Checks a config as [`Plan::new`] does, but on a CPU backend whatever `trainer.backend` says, and without a download:
/// where the data is not there, everything else is checked.
///
/// # Errors
///
/// [`TrainError`] for the first thing that does not fit; of data that is there, what is wrong with it.
pub fn check(given: &Config, progress: &dyn Progress) -> Result<Checked, TrainError> {
    let mut config = given.clone();
    config.data.download = false;
    if let Some(cpu) = BackendName::cpu() {
        config.trainer.backend = cpu.as_str().to_owned();
    }
    let mut notices = told::of_config(given);
    let network = config.model.network.build().map_err(|error| config.refused(error.within("model")))?;
    let gives = outputs::check(&config.loss, network.gives());
    notices.extend(gives.map_err(|message| config.refused_at(outputs::KEY, message))?);
    let (backend, has_data) = match Plan::new(config.clone(), "check", progress) {
        Ok(plan) => {
            let new: Vec<_> = plan.notices.into_iter().filter(|notice| !notices.contains(notice)).collect();
            notices.extend(new);
            (plan.backend, true)
        }
        Err(TrainError::Data(DataError::Missing { .. })) => {
            (config.trainer.backend.parse::<BackendChoice>()?.open()?, false)
        }
        Err(error) => return Err(error),
    };
    notices.extend(check_patterns(&config, &backend)?);
    Ok(Checked { notices, has_data })
}

/// Every group of `[optimizer]` and every pattern of `model.freeze` matches a parameter. Only a config with any pays for making
/// the network. Gives what is said of frozen parameters.
fn check_patterns(config: &Config, backend: &Backend) -> Result<Vec<String>, TrainError> {
    if config.optimizer.groups().is_empty() && config.model.freeze.is_none() {
        return Ok(Vec::new());
    }
    let network = config.model.network.init(0, &backend.device);
    let network = Freeze::of(config, &network)?.apply(network.train(), 0);
    let mut optimizer = Optimizer::new(&config.optimizer)?;
    optimizer.bind_network(&network).map_err(|error| placed(config, error.into()))?;
    Ok(fine_tuning::frozen_groups(config, &optimizer))
}
