//! The list of schedules: the table `[schedule]` of a config.

use firebrick_component::{ArgumentError, Component, components};

use super::constant::ConstantConfig;
use super::cosine::CosineConfig;
use super::cosine_warm_restarts::CosineWarmRestartsConfig;
use super::curve::LrSchedule;
use super::cyclic::CyclicConfig;
use super::error::ScheduleError;
use super::exponential::ExponentialConfig;
use super::linear::LinearConfig;
use super::multistep::MultistepConfig;
use super::none::NoneConfig;
use super::one_cycle::OneCycleConfig;
use super::plateau::PlateauConfig;
use super::polynomial::PolynomialConfig;
use super::step::StepConfig;
use crate::optimizer::OptimizerConfig;

components! {
    /// Which schedule, and its arguments.
    pub enum ScheduleConfig: dyn LrSchedule, "schedule" {
        /// The optimiser's learning rate throughout.
        None(NoneConfig) = "none",
        /// `StepLR`.
        Step(StepConfig) = "step",
        /// `MultiStepLR`.
        Multistep(MultistepConfig) = "multistep",
        /// `ExponentialLR`.
        Exponential(ExponentialConfig) = "exponential",
        /// `CosineAnnealingLR`.
        Cosine(CosineConfig) = "cosine",
        /// `CosineAnnealingWarmRestarts`.
        CosineWarmRestarts(CosineWarmRestartsConfig) = "cosine_warm_restarts",
        /// `OneCycleLR`.
        OneCycle(OneCycleConfig) = "one_cycle",
        /// `LinearLR`.
        Linear(LinearConfig) = "linear",
        /// `PolynomialLR`.
        Polynomial(PolynomialConfig) = "polynomial",
        /// `ConstantLR`.
        Constant(ConstantConfig) = "constant",
        /// `CyclicLR`.
        Cyclic(CyclicConfig) = "cyclic",
        /// `ReduceLROnPlateau`.
        Plateau(PlateauConfig) = "plateau",
    }
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self::None(NoneConfig::default())
    }
}

impl ScheduleConfig {
    /// Checks every argument by itself, the warm-up's too.
    ///
    /// # Errors
    /// The first wrong argument; its key is its path in the table `[schedule]`.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        Component::validate(&**self)?;
        let warmup = self.warmup().map_or(Ok(()), |warmup| warmup.validate());
        warmup.map_err(|error| error.within("warmup"))
    }

    /// Checks that the optimiser has what the schedule moves.
    ///
    /// # Errors
    /// [`ScheduleError::NoMomentum`].
    pub fn validate_with(&self, optimizer: &OptimizerConfig) -> Result<(), ScheduleError> {
        if self.cycles_momentum() && !optimizer.has_momentum() {
            return Err(ScheduleError::NoMomentum { schedule: self.name(), optimizer: optimizer.name() });
        }
        Ok(())
    }
}
