//! The best evaluations of a run, whose checkpoints stay.

use crate::event::Best;

/// Takes an evaluation in and keeps the `keep` best, best first; the earlier one of equals is the better one.
pub(crate) fn insert(bests: &mut Vec<Best>, new: Best, keep: usize) {
    let is_worse = |other: &Best| new.accuracy > other.accuracy;
    let place = bests.iter().position(is_worse).unwrap_or(bests.len());
    bests.insert(place, new);
    bests.truncate(keep);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_come_first_and_the_earlier_of_equals_before_the_later() {
        let mut bests = Vec::new();
        for (step, accuracy) in [(1, 0.5), (2, 0.7), (3, 0.7), (4, 0.6)] {
            insert(&mut bests, Best { epoch: step, step, accuracy }, 3);
        }
        assert_eq!(bests.iter().map(|best| best.step).collect::<Vec<_>>(), [2, 3, 4]);
    }
}
