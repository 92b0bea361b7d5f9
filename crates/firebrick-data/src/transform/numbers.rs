//! Arguments that are one number or several, as Python's are.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One number, or a list of numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers<T> {
    /// `0.4`
    One(T),
    /// `[0.6, 1.4]`
    List(Vec<T>),
}

impl<T> Numbers<T> {
    /// The numbers, one or several.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(number) => std::slice::from_ref(number),
            Self::List(numbers) => numbers,
        }
    }
}

impl<T> From<T> for Numbers<T> {
    fn from(number: T) -> Self {
        Self::One(number)
    }
}

impl<T, const N: usize> From<[T; N]> for Numbers<T> {
    fn from(numbers: [T; N]) -> Self {
        Self::List(numbers.into())
    }
}

/// As a config spells it: `0.4`, `[0.6, 1.4]`.
impl<T: fmt::Debug> fmt::Display for Numbers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(number) => fmt::Debug::fmt(number, f),
            Self::List(numbers) => fmt::Debug::fmt(numbers, f),
        }
    }
}

impl<T: Serialize> Serialize for Numbers<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(number) => number.serialize(serializer),
            Self::List(numbers) => numbers.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Numbers<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumbersVisitor(PhantomData))
    }
}

/// Written out because an untagged enum would lose what was wrong and where.
struct NumbersVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for NumbersVisitor<T> {
    type Value = Numbers<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a list of numbers")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Numbers<T>, E> {
        T::deserialize(number.into_deserializer()).map(Numbers::One)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Numbers<T>, E> {
        T::deserialize(number.into_deserializer()).map(Numbers::One)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Numbers<T>, E> {
        T::deserialize(number.into_deserializer()).map(Numbers::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, numbers: A) -> Result<Numbers<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(numbers)).map(Numbers::List)
    }
}
