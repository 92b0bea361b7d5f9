//! The formats that weights come in.

use std::fmt;

/// The formats that weights come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightsFormat {
    /// `.safetensors`, torch's layout.
    Safetensors,
    /// `.pt` or `.pth`, torch's layout inside a pickle.
    Pytorch,
    /// `.bpk`, Burn's own layout.
    Burnpack,
}

impl fmt::Display for WeightsFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::Pytorch => "PyTorch",
            Self::Burnpack => "burnpack",
        })
    }
}
