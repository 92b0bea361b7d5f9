//! From errors that name an argument to errors that say where it stands in the config.

use firebrick_component::ArgumentError;
use firebrick_data::DataError;
use firebrick_loss::LossError;

use crate::config::Config;
use crate::ema::EmaError;
use crate::error::TrainError;
use crate::optimizer::OptimizerError;
use crate::schedule::ScheduleError;

/// The same error with its place in `config`, if it is about one of its values.
pub(crate) fn placed(config: &Config, error: TrainError) -> TrainError {
    let argument = |table: &str, error: ArgumentError| config.refused(error.within(table)).into();
    let at = |key: &str, message: String| config.refused_at(key, message).into();
    match error {
        TrainError::Data(DataError::Argument(error)) => argument("data", error),
        TrainError::Data(DataError::Transform(error)) if error.is_config() => {
            at("model.input_shape", error.to_string())
        }
        TrainError::Loss(LossError::Argument { source, .. }) => argument("loss", source),
        TrainError::Loss(error @ LossError::Unreduced { .. }) => at("loss.reduction", error.to_string()),
        TrainError::Loss(error @ LossError::NotForClassifier { .. }) => at("loss.name", error.to_string()),
        TrainError::Schedule(ScheduleError::Argument(error)) => argument("schedule", error),
        TrainError::Schedule(error @ ScheduleError::NoMomentum { .. }) => {
            at("schedule.cycle_momentum", error.to_string())
        }
        TrainError::Optimizer(OptimizerError::Argument(error)) => argument("optimizer", error),
        TrainError::Optimizer(error @ OptimizerError::UnmatchedGroup { index, .. }) => {
            at(&format!("optimizer.groups[{index}].match"), error.to_string())
        }
        TrainError::Ema(EmaError::Argument(error)) => argument("trainer.ema", error),
        other => other,
    }
}
