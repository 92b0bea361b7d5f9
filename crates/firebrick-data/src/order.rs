//! The order of an epoch, a pure function of (seed, epoch).
//!
//! Nothing is carried from one epoch to the next, so a resumed run finds the order of the epoch it
//! was in by computing it again.

use crate::random::{Purpose, below, generator};

/// The sample indices of epoch `epoch` in the order they are visited: a permutation of
/// `0..num_samples`, or `0, 1, 2, ...` without shuffling.
///
/// # Source
///
/// Fisher and Yates, in Durstenfeld's form (Algorithm 235, 1964).
pub fn epoch_order(num_samples: usize, shuffle: bool, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..num_samples).collect();
    if shuffle {
        let mut generator = generator(seed, Purpose::Order, epoch, 0);
        for last in (1..num_samples).rev() {
            let chosen = below(&mut generator, last as u64 + 1) as usize;
            order.swap(last, chosen);
        }
    }
    order
}

/// As many samples as there are in all classes, each drawn anew: a class of those that have any, then one of its samples. A pure
/// function of (seed, epoch), too.
pub fn balanced_order(by_class: &[Vec<usize>], seed: u64, epoch: u64) -> Vec<usize> {
    let classes: Vec<&Vec<usize>> = by_class.iter().filter(|samples| !samples.is_empty()).collect();
    let mut generator = generator(seed, Purpose::Order, epoch, 1);
    let count = classes.iter().map(|samples| samples.len()).sum();
    let draw = |_| {
        let samples = classes[below(&mut generator, classes.len() as u64) as usize];
        samples[below(&mut generator, samples.len() as u64) as usize]
    };
    (0..count).map(draw).collect()
}
