//! How values between pixels are found.

use serde::{Deserialize, Serialize};

/// How values between pixels are found, by torchvision's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// The pixel that lies there.
    Nearest,
    /// The pixels round it, weighed by a triangle.
    Bilinear,
    /// The pixels round it, weighed by a cubic curve; sharper, and may overshoot.
    Bicubic,
}

impl Interpolation {
    /// The name as a config spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Bilinear => "bilinear",
            Self::Bicubic => "bicubic",
        }
    }
}
