//! `data.validation`: a part of the training samples that is held out for validation.

use std::fmt;

use firebrick_component::{ArgumentError, check};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::random::{Purpose, below, generator};

/// How many training samples are held out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HoldOut {
    /// This fraction of them, above 0 and below 1, rounded to the nearest number. Written `0.1`.
    Fraction(f64),
    /// This many of them; at least 1. Written `500`.
    Count(usize),
}

impl HoldOut {
    /// Checks the number by itself.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] whose key is empty.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        let is_allowed = match self {
            Self::Fraction(fraction) => *fraction > 0.0 && *fraction < 1.0,
            Self::Count(count) => *count >= 1,
        };
        check::that(is_allowed, "", self, "a fraction above 0 and below 1, or a whole number from 1 on")
    }

    /// How many of `total` samples are held out.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] whose key is empty, when that leaves a split without a sample.
    pub fn count(&self, total: usize) -> Result<usize, ArgumentError> {
        let count = match self {
            Self::Fraction(fraction) => (fraction * total as f64).round() as usize,
            Self::Count(count) => *count,
        };
        let expected = format!("a part of the {total} training samples that leaves some to both splits");
        check::that((1..total).contains(&count), "", format!("{self}, which takes {count}"), expected)?;
        Ok(count)
    }
}

impl fmt::Display for HoldOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fraction(fraction) => write!(f, "{fraction:?}"),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

/// Parts the samples with these labels, each below `num_classes`: the indices that stay and the `count`
/// indices that are held out, both rising. Neither has a sample of the other.
///
/// Each class gives as many as its share of all samples asks for, rounded down; those that are then still
/// missing come from the classes whose shares lost most by the rounding, one each, lower classes first
/// among equals. Which samples of a class are held out is drawn from (seed, class) alone.
///
/// # Source
///
/// The method of largest remainders (Hare and Niemeyer).
pub(crate) fn stratified(labels: &[u32], num_classes: usize, count: usize, seed: u64) -> [Vec<usize>; 2] {
    let mut by_class: Vec<Vec<usize>> = vec![Vec::new(); num_classes];
    for (index, label) in labels.iter().enumerate() {
        by_class[*label as usize].push(index);
    }
    let sizes: Vec<usize> = by_class.iter().map(Vec::len).collect();
    let mut is_held_out = vec![false; labels.len()];
    for ((class, members), taken) in (0..).zip(&mut by_class).zip(shares(&sizes, count)) {
        let mut generator = generator(seed, Purpose::Validation, class, 0);
        for place in 0..taken {
            let chosen = place + below(&mut generator, (members.len() - place) as u64) as usize;
            members.swap(place, chosen);
            is_held_out[members[place]] = true;
        }
    }
    let indices = |wanted: bool| (0..labels.len()).filter(|index| is_held_out[*index] == wanted).collect();
    [indices(false), indices(true)]
}

/// How many of `count` samples each class gives, where the classes have `sizes` samples: in proportion, but no class
/// gives its last sample as long as another has two to spare.
fn shares(sizes: &[usize], count: usize) -> Vec<usize> {
    let total: usize = sizes.iter().sum();
    // In whole numbers of 128 bits: `size * count` may be past 64, and fractions would be rounded.
    let exact = |size: usize| size as u128 * count as u128;
    let mut shares: Vec<usize> = sizes.iter().map(|size| (exact(*size) / total as u128) as usize).collect();
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by_key(|class| std::cmp::Reverse(exact(sizes[*class]) % total as u128));
    let missing = count - shares.iter().sum::<usize>();
    for class in by_remainder.into_iter().take(missing) {
        shares[class] += 1;
    }
    for class in 0..sizes.len() {
        let left = |class: usize, shares: &[usize]| sizes[class] - shares[class];
        if sizes[class] == 0 || left(class, &shares) > 0 {
            continue;
        }
        let richest = (0..sizes.len()).max_by_key(|other| (left(*other, &shares), std::cmp::Reverse(*other)));
        if let Some(richest) = richest.filter(|richest| left(*richest, &shares) > 1) {
            shares[class] -= 1;
            shares[richest] += 1;
        }
    }
    shares
}

impl Serialize for HoldOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fraction(fraction) => serializer.serialize_f64(*fraction),
            Self::Count(count) => count.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for HoldOut {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HoldOutVisitor)
    }
}

struct HoldOutVisitor;

impl Visitor<'_> for HoldOutVisitor {
    type Value = HoldOut;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fraction such as 0.1 or a whole number of samples")
    }

    fn visit_f64<E: de::Error>(self, fraction: f64) -> Result<HoldOut, E> {
        Ok(HoldOut::Fraction(fraction))
    }

    fn visit_u64<E: de::Error>(self, count: u64) -> Result<HoldOut, E> {
        let invalid = || E::invalid_value(de::Unexpected::Unsigned(count), &self);
        usize::try_from(count).map(HoldOut::Count).map_err(|_| invalid())
    }

    fn visit_i64<E: de::Error>(self, count: i64) -> Result<HoldOut, E> {
        let invalid = || E::invalid_value(de::Unexpected::Signed(count), &self);
        usize::try_from(count).map(HoldOut::Count).map_err(|_| invalid())
    }
}
