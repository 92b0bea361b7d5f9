//! `data.validation`: a part of the training samples that is held out for validation.

use std::fmt;

use firebrick_component::{ArgumentError, check};
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::balance::by_class;
use crate::random::{Purpose, below, generator};

/// How many training samples are held out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HoldOut {
    /// This fraction of them, above 0 and below 1, rounded to the nearest number. Written `0.1`.
    Fraction(f64),
    /// This many of them; at least 1. Written `500`.
    Count(usize),
    /// One of several equal parts: of the `num_folds` runs of a cross-validation, run `fold` holds out the part of its
    /// number, and together they hold out every sample once. Written `{ fold = [2, 5] }`, the second of five.
    Fold {
        /// From 1 to `num_folds`.
        fold: usize,
        /// At least 2.
        num_folds: usize,
    },
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
            Self::Fold { fold, num_folds } => {
                let is_allowed = *num_folds >= 2 && (1..=*num_folds).contains(fold);
                return check::that(is_allowed, "fold", format!("[{fold}, {num_folds}]"), FOLD);
            }
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
            Self::Fold { fold, num_folds } => (total + num_folds - fold) / num_folds,
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
            Self::Fold { fold, num_folds } => write!(f, "{{ fold = [{fold}, {num_folds}] }}"),
        }
    }
}

const FOLD: &str = "a fold and the number of folds, such as [2, 5] for the second of five";

/// Parts the samples with these labels, each below `num_classes`: the indices that stay and those that `hold_out`
/// holds out, both rising. Neither has a sample of the other.
///
/// # Errors
///
/// [`ArgumentError`] whose key is empty, when that leaves a split without a sample.
pub(crate) fn part_by_class(
    hold_out: HoldOut,
    labels: &[u32],
    num_classes: usize,
    seed: u64,
) -> Result<[Vec<usize>; 2], ArgumentError> {
    let count = hold_out.count(labels.len())?;
    Ok(match hold_out {
        HoldOut::Fraction(_) | HoldOut::Count(_) => stratified(labels, num_classes, count, seed),
        HoldOut::Fold { fold, num_folds } => stratified_fold(labels, num_classes, [fold, num_folds], seed),
    })
}

/// The samples outside and inside of a fold, as scikit-learn's `StratifiedKFold` parts them: the samples of each class
/// are shuffled by (seed, class) and dealt to the folds in turn. The dealing goes on from class to class where it
/// stopped, so that neither classes nor folds differ by more than one sample.
fn stratified_fold(
    labels: &[u32],
    num_classes: usize,
    [fold, num_folds]: [usize; 2],
    seed: u64,
) -> [Vec<usize>; 2] {
    let mut is_held_out = vec![false; labels.len()];
    let mut dealt = 0;
    for (class, mut members) in (0..).zip(by_class(labels, num_classes)) {
        let mut generator = generator(seed, Purpose::Validation, class, 1);
        for last in (1..members.len()).rev() {
            members.swap(last, below(&mut generator, last as u64 + 1) as usize);
        }
        for index in members {
            is_held_out[index] = dealt % num_folds == fold - 1;
            dealt += 1;
        }
    }
    both(&is_held_out)
}

/// The indices that stay, and those that are held out.
fn both(is_held_out: &[bool]) -> [Vec<usize>; 2] {
    let indices = |wanted| (0..is_held_out.len()).filter(|index| is_held_out[*index] == wanted).collect();
    [indices(false), indices(true)]
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
fn stratified(labels: &[u32], num_classes: usize, count: usize, seed: u64) -> [Vec<usize>; 2] {
    let mut by_class = by_class(labels, num_classes);
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
    both(&is_held_out)
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
            Self::Fold { fold, num_folds } => {
                let mut table = serializer.serialize_map(Some(1))?;
                table.serialize_entry("fold", &[fold, num_folds])?;
                table.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for HoldOut {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HoldOutVisitor)
    }
}

struct HoldOutVisitor;

/// The long form, of which one key is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldOutTable {
    fraction: Option<f64>,
    count: Option<usize>,
    fold: Option<[usize; 2]>,
}

impl<'de> Visitor<'de> for HoldOutVisitor {
    type Value = HoldOut;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fraction such as 0.1, a whole number of samples, or a table such as { fold = [2, 5] }")
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

    fn visit_map<M: MapAccess<'de>>(self, keys: M) -> Result<HoldOut, M::Error> {
        let table = HoldOutTable::deserialize(de::value::MapAccessDeserializer::new(keys))?;
        match (table.fraction, table.count, table.fold) {
            (Some(fraction), None, None) => Ok(HoldOut::Fraction(fraction)),
            (None, Some(count), None) => Ok(HoldOut::Count(count)),
            (None, None, Some([fold, num_folds])) => Ok(HoldOut::Fold { fold, num_folds }),
            _ => Err(de::Error::custom("expected one of the keys `fraction`, `count` and `fold`")),
        }
    }
}
