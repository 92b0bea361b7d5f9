//! Sizes as arguments: one number for a square, or height and width.

use std::fmt;

use firebrick_component::ArgumentError;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::shape::ImageSize;

/// The longest side that a step may give an image, in pixels.
pub(super) const MAX_SIDE: usize = 16_384;

/// A size as torchvision's cropping transforms take it: `224`, or `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// A square of this side.
    Square(usize),
    /// Height and width.
    Pair(usize, usize),
}

impl Sides {
    /// Height and width.
    pub fn size(self) -> ImageSize {
        match self {
            Self::Square(side) => ImageSize::square(side),
            Self::Pair(height, width) => ImageSize { height, width },
        }
    }
}

/// Refuses sides of 0 and beyond [`MAX_SIDE`].
pub(super) fn check_side(key: &str, size: ImageSize) -> Result<(), ArgumentError> {
    let fits = |side| (1..=MAX_SIDE).contains(&side);
    if fits(size.height) && fits(size.width) {
        return Ok(());
    }
    Err(ArgumentError::new(key, format!("sides of 1 to {MAX_SIDE} pixels"), size))
}

impl Serialize for Sides {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Square(side) => side.serialize(serializer),
            Self::Pair(height, width) => [height, width].serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Sides {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SidesVisitor)
    }
}

struct SidesVisitor;

impl<'de> Visitor<'de> for SidesVisitor {
    type Value = Sides;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of pixels or [height, width]")
    }

    fn visit_u64<E: de::Error>(self, side: u64) -> Result<Sides, E> {
        let invalid = || E::invalid_value(de::Unexpected::Unsigned(side), &self);
        usize::try_from(side).map(Sides::Square).map_err(|_| invalid())
    }

    fn visit_i64<E: de::Error>(self, side: i64) -> Result<Sides, E> {
        let invalid = || E::invalid_value(de::Unexpected::Signed(side), &self);
        usize::try_from(side).map(Sides::Square).map_err(|_| invalid())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sides: A) -> Result<Sides, A::Error> {
        let height = sides.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        let width = sides.next_element()?.ok_or_else(|| de::Error::invalid_length(1, &self))?;
        match sides.next_element::<de::IgnoredAny>()? {
            None => Ok(Sides::Pair(height, width)),
            Some(_) => Err(de::Error::invalid_length(3, &self)),
        }
    }
}
