//! Images that are in two splits: what is tested on was trained on.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use firebrick_component::text;

use crate::source::SharedDataset;

/// As many are named.
const NAMED: usize = 3;

/// A number for some contents: equal for equal ones, and different for different ones but in one of 2^64 cases.
pub(crate) fn content_key(parts: &[&[u8]]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for part in parts {
        hasher.write_usize(part.len());
        hasher.write(part);
    }
    hasher.finish()
}

/// A sentence on the images of `other`, the split called `name`, that `train` has, too. None without any, and where a data set
/// does not tell what its samples hold.
pub(crate) fn notice(train: &SharedDataset, name: &str, other: &SharedDataset) -> Option<String> {
    let keys = |split: &SharedDataset| {
        (0..split.len()).map(|index| split.content_key(index)).collect::<Option<Vec<u64>>>()
    };
    let (train_keys, other_keys) = (keys(train)?, keys(other)?);
    let known: HashMap<u64, usize> =
        train_keys.into_iter().enumerate().rev().map(|(index, key)| (key, index)).collect();
    let found: Vec<(usize, usize)> = other_keys
        .iter()
        .enumerate()
        .filter_map(|(index, key)| known.get(key).map(|first| (index, *first)))
        .collect();
    let shown = |(index, first): &(usize, usize)| {
        let called =
            |split: &SharedDataset, index| split.name(index).unwrap_or_else(|| format!("image {index}"));
        format!(
            "\n  {} is {}",
            text::one_line(&called(other, *index)),
            text::one_line(&called(train, *first))
        )
    };
    let lines: String = found.iter().take(NAMED).map(shown).collect();
    match found.len() {
        0 => None,
        count => Some(format!(
            "{count} of the {} {name} images are training images, too, so that their results say nothing:{lines}{}",
            other.len(),
            match count - count.min(NAMED) {
                0 => String::new(),
                more => format!("\n  and {more} more"),
            }
        )),
    }
}
