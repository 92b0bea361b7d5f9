//! The table `[schedule]` of a config: one variant for each schedule.

use serde::{Deserialize, Deserializer, Serialize};

use super::{
    ConstantConfig, CosineConfig, CosineWarmRestartsConfig, CurveConfig, CyclicConfig, ExponentialConfig,
    LinearConfig, MultistepConfig, NoneConfig, OneCycleConfig, PlateauConfig, PolynomialConfig,
    ScheduleError, StepConfig, WarmupConfig,
};
use crate::optimizer::OptimizerConfig;

/// Which schedule, and its arguments: the table `[schedule]` of a config.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum ScheduleConfig {
    /// The optimiser's learning rate throughout.
    None(NoneConfig),
    /// `StepLR`.
    Step(StepConfig),
    /// `MultiStepLR`.
    Multistep(MultistepConfig),
    /// `ExponentialLR`.
    Exponential(ExponentialConfig),
    /// `CosineAnnealingLR`.
    Cosine(CosineConfig),
    /// `CosineAnnealingWarmRestarts`.
    CosineWarmRestarts(CosineWarmRestartsConfig),
    /// `OneCycleLR`.
    OneCycle(OneCycleConfig),
    /// `LinearLR`.
    Linear(LinearConfig),
    /// `PolynomialLR`.
    Polynomial(PolynomialConfig),
    /// `ConstantLR`.
    Constant(ConstantConfig),
    /// `CyclicLR`.
    Cyclic(CyclicConfig),
    /// `ReduceLROnPlateau`.
    Plateau(PlateauConfig),
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self::None(NoneConfig::default())
    }
}

impl ScheduleConfig {
    /// Every schedule's name in a config.
    pub const NAMES: &'static [&'static str] = &[
        "none",
        "step",
        "multistep",
        "exponential",
        "cosine",
        "cosine_warm_restarts",
        "one_cycle",
        "linear",
        "polynomial",
        "constant",
        "cyclic",
        "plateau",
    ];

    /// The schedule's name in a config.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None(_) => "none",
            Self::Step(_) => "step",
            Self::Multistep(_) => "multistep",
            Self::Exponential(_) => "exponential",
            Self::Cosine(_) => "cosine",
            Self::CosineWarmRestarts(_) => "cosine_warm_restarts",
            Self::OneCycle(_) => "one_cycle",
            Self::Linear(_) => "linear",
            Self::Polynomial(_) => "polynomial",
            Self::Constant(_) => "constant",
            Self::Cyclic(_) => "cyclic",
            Self::Plateau(_) => "plateau",
        }
    }

    /// Reads the arguments of the schedule called `name`; `None` if there is no such schedule.
    ///
    /// # Errors
    /// The deserializer's, for an unknown argument or one of the wrong type.
    pub fn deserialize_named<'de, D: Deserializer<'de>>(
        name: &str,
        arguments: D,
    ) -> Option<Result<Self, D::Error>> {
        Some(match name {
            "none" => NoneConfig::deserialize(arguments).map(Self::None),
            "step" => StepConfig::deserialize(arguments).map(Self::Step),
            "multistep" => MultistepConfig::deserialize(arguments).map(Self::Multistep),
            "exponential" => ExponentialConfig::deserialize(arguments).map(Self::Exponential),
            "cosine" => CosineConfig::deserialize(arguments).map(Self::Cosine),
            "cosine_warm_restarts" => {
                CosineWarmRestartsConfig::deserialize(arguments).map(Self::CosineWarmRestarts)
            }
            "one_cycle" => OneCycleConfig::deserialize(arguments).map(Self::OneCycle),
            "linear" => LinearConfig::deserialize(arguments).map(Self::Linear),
            "polynomial" => PolynomialConfig::deserialize(arguments).map(Self::Polynomial),
            "constant" => ConstantConfig::deserialize(arguments).map(Self::Constant),
            "cyclic" => CyclicConfig::deserialize(arguments).map(Self::Cyclic),
            "plateau" => PlateauConfig::deserialize(arguments).map(Self::Plateau),
            _ => return None,
        })
    }

    /// Checks every argument by itself.
    ///
    /// # Errors
    /// Names the argument, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ScheduleError> {
        let arguments = self.arguments();
        arguments.check()?;
        arguments.warmup().map_or(Ok(()), WarmupConfig::check)?;
        Ok(())
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

    /// Whether the schedule moves the momentum too.
    pub fn cycles_momentum(&self) -> bool {
        match self {
            Self::OneCycle(config) => config.cycle_momentum,
            Self::Cyclic(config) => config.cycle_momentum,
            _ => false,
        }
    }

    pub(super) fn arguments(&self) -> &dyn CurveConfig {
        match self {
            Self::None(config) => config,
            Self::Step(config) => config,
            Self::Multistep(config) => config,
            Self::Exponential(config) => config,
            Self::Cosine(config) => config,
            Self::CosineWarmRestarts(config) => config,
            Self::OneCycle(config) => config,
            Self::Linear(config) => config,
            Self::Polynomial(config) => config,
            Self::Constant(config) => config,
            Self::Cyclic(config) => config,
            Self::Plateau(config) => config,
        }
    }
}
