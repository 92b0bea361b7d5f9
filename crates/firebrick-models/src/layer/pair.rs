//! Height and width, given as one number for both or as two.

use std::fmt;

use serde::de::{self, Deserializer, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// `[height, width]`; in a config `3` or `[3, 5]`, where torch takes `3` or `(3, 5)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair(pub [usize; 2]);

impl Pair {
    /// torch's default padding.
    pub(super) fn zero() -> Self {
        Self::square(0)
    }

    /// torch's default stride and dilation.
    pub(super) fn one() -> Self {
        Self::square(1)
    }

    /// The same number for height and width.
    pub const fn square(size: usize) -> Self {
        Self([size, size])
    }
}

impl From<usize> for Pair {
    fn from(size: usize) -> Self {
        Self::square(size)
    }
}

/// `3x5`.
impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.0[0], self.0[1])
    }
}

impl Serialize for Pair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [height, width] if height == width => height.serialize(serializer),
            sizes => sizes.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PairVisitor)
    }
}

/// Written out because an untagged enum would lose what was wrong and where.
struct PairVisitor;

impl<'de> Visitor<'de> for PairVisitor {
    type Value = Pair;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0, or [height, width]")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Pair, E> {
        let size = usize::try_from(value);
        size.map(Pair::square).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Pair, E> {
        let size = usize::try_from(value);
        size.map(Pair::square).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sizes: A) -> Result<Pair, A::Error> {
        let mut next = |index| sizes.next_element()?.ok_or_else(|| de::Error::invalid_length(index, &self));
        let pair = Pair([next(0)?, next(1)?]);
        match sizes.next_element::<usize>()? {
            None => Ok(pair),
            Some(_) => Err(de::Error::invalid_length(3, &self)),
        }
    }
}
