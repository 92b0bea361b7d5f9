//! Images and targets of a batch, mixed with those before them.

use super::interface::MutableBatch;
use crate::batch::HostTargets;

/// Mixes the targets of every image with those of the one before it: `share` of its own.
pub(super) fn mix_targets(batch: &mut MutableBatch, share: f64) {
    let num_classes = batch.num_classes;
    let targets = std::mem::replace(&mut batch.targets, HostTargets::Classes(Vec::new()));
    let mut values = targets.into_probabilities(num_classes);
    mix_rows(&mut values, num_classes, share);
    batch.targets = HostTargets::Probabilities { values, num_classes };
}

/// Each row becomes `share` of itself plus the rest of the row before it, which for the first is the last. As
/// torch's `x.roll(1, 0).mul(1 - share).add(x.mul(share))` does it: the two factors are rounded to f32, and
/// so are both products and the sum.
pub(super) fn mix_rows(values: &mut [f32], row: usize, share: f64) {
    let (own, other) = (share as f32, (1.0 - share) as f32);
    let Some(last) = values.chunks_exact(row.max(1)).last().map(<[f32]>::to_vec) else { return };
    // From the end, so that the row before is still as it was.
    for number in (1..values.len() / row).rev() {
        let (before, rest) = values.split_at_mut(number * row);
        let previous = &before[(number - 1) * row..];
        for (value, previous) in rest[..row].iter_mut().zip(previous) {
            *value = previous * other + *value * own;
        }
    }
    for (value, previous) in values[..row].iter_mut().zip(&last) {
        *value = previous * other + *value * own;
    }
}
