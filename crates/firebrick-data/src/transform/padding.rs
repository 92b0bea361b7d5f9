//! What borders are made of.

use firebrick_component::{ArgumentError, check};
use serde::{Deserialize, Serialize};

use crate::shape::ImageSize;

/// Widest border, pixels. Far beyond any use; it keeps the arithmetic away from overflow.
pub(super) const MAX_PADDING: usize = 1 << 16;

/// What the border is made of, by torchvision's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaddingMode {
    /// One value, `fill`.
    #[default]
    Constant,
    /// The outermost pixel again and again.
    Edge,
    /// Mirrored, the outermost pixel not repeated: `c b | a b c | b a`.
    Reflect,
    /// Mirrored, the outermost pixel repeated: `b a | a b c | c b`.
    Symmetric,
}

impl PaddingMode {
    /// The name as the config spells it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Edge => "edge",
            Self::Reflect => "reflect",
            Self::Symmetric => "symmetric",
        }
    }

    /// Which of `length` pixels is shown at place `at`, which is below 0 or from `length` on in the border; none for the
    /// constant border. A mirrored border that is wider than the image is mirrored again.
    pub(super) fn source(self, at: isize, length: usize) -> Option<usize> {
        let last = length as isize - 1;
        let period = match self {
            _ if (0..=last).contains(&at) => return Some(at as usize),
            Self::Constant => return None,
            Self::Edge => return Some(at.clamp(0, last) as usize),
            Self::Reflect => 2 * last.max(1),
            Self::Symmetric => 2 * (last + 1),
        };
        let place = at.rem_euclid(period);
        let mirrored = if self == Self::Reflect { period - place } else { period - 1 - place };
        Some(place.min(mirrored).clamp(0, last) as usize)
    }

    /// Refuses a mirrored border of up to `widest` pixels that is wider than images of size `size`.
    pub(super) fn check(self, widest: usize, size: Option<ImageSize>) -> Result<(), ArgumentError> {
        let mirrored = match self {
            Self::Constant | Self::Edge => return Ok(()),
            Self::Reflect => 1,
            Self::Symmetric => 0,
        };
        let Some(size) = size else {
            let expected =
                "`constant` or `edge` for images of different sizes (or a `resize` before this step)";
            return Err(ArgumentError::new("padding_mode", expected, self.name()));
        };
        let limit = size.height.min(size.width).saturating_sub(mirrored);
        let expected = format!("at most {limit} pixels to mirror images of {size}");
        check::that(widest <= limit, "padding", widest, expected)
    }
}
