//! The plan of a run whose place is known: whether it begins or goes on decides what it needs.

use firebrick_data::Progress;

use crate::config::Config;
use crate::error::TrainError;
use crate::left_out;
use crate::plan::{Plan, Start};
use crate::resume;
use crate::run_folder::{RunLocation, recorded_config};

/// As [`Plan::new`], for a run at `location`: one that begins has its published weights fetched; one that goes on has
/// what its config leaves out from its own record, and needs no weights.
///
/// # Errors
///
/// As [`Plan::new`], what a download may say, and what cannot be read of the run that is gone on with.
pub fn plan_for(
    config: Config,
    name: &str,
    location: &RunLocation,
    progress: &dyn Progress,
) -> Result<Plan, TrainError> {
    let start = start(&config, name, location)?;
    Plan::starting(config, name, &start, progress)
}

/// Fills in what `config` leaves out of how images are prepared, as a run that begins with it does: for whoever opens the
/// data alone and wants the run's images.
///
/// # Errors
///
/// [`TrainError::Config`] for weights that are not published for the network.
pub fn fill_in_preparation(config: &mut Config) -> Result<(), TrainError> {
    left_out::fill_in(config, None).map(drop)
}

fn start(config: &Config, name: &str, location: &RunLocation) -> Result<Start, TrainError> {
    let Some(path) = resume::gone_on_with(config, name, location)? else { return Ok(Start::Fresh) };
    let Some((text, place)) = recorded_config(&path)? else { return Ok(Start::Fresh) };
    // A record that cannot be read is complained about where the run is opened.
    let recorded = Config::from_toml(&place, &text, &[]).ok().map(Box::new);
    let has_checkpoint = resume::has_checkpoint(config, name, location)?;
    Ok(recorded.map_or(Start::Unknown, |recorded| match has_checkpoint {
        true => Start::GoesOn(recorded),
        false => Start::BeginsAgain(recorded),
    }))
}
