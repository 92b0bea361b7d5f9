//! No schedule: the optimiser's learning rate throughout, behind a warm-up if one is wanted.

use firebrick_component::{ArgumentError, Component};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, LrSchedule, Per};
use super::warmup::WarmupConfig;

/// Arguments of [none](self), with torch's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NoneConfig {
    /// Whether the schedule advances at each step or at each epoch.
    pub per: Per,
    /// A rise in front of the schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmupConfig>,
}

impl Default for NoneConfig {
    fn default() -> Self {
        Self { per: Per::Epoch, warmup: None }
    }
}

impl Component for NoneConfig {}

impl LrSchedule for NoneConfig {
    fn warmup(&self) -> Option<&WarmupConfig> {
        self.warmup.as_ref()
    }

    fn per(&self) -> Per {
        self.per
    }

    fn curve(&self, _base_lr: f64, _length: u64) -> Result<Box<dyn Curve>, ArgumentError> {
        Ok(Box::new(Level))
    }
}

#[derive(Debug)]
struct Level;

impl Curve for Level {
    fn lr(&self, base_lr: f64, _t: u64) -> f64 {
        base_lr
    }
}
