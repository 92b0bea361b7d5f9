//! Weight gradients of shards of the batch, added up.

use macerator::{Simd, WithSimd};

use super::engine::Engine;
use super::parallel::{parallel_for, threads_for_floats};

/// Add all shards, one after the other in `others`, to the first one's sums, in their order.
pub(crate) fn add_shards(engine: Engine, total: &mut [f32], others: &[f32]) {
    let len = total.len();
    let threads = threads_for_floats(len + others.len());
    let chunk = len.div_ceil(threads).next_multiple_of(16).max(1);
    let add = |(index, total): (usize, &mut [f32])| {
        for shard in others.chunks_exact(len) {
            let values = &shard[index * chunk..][..total.len()];
            engine.isa.run(AddTo { total: &mut *total, values });
        }
    };
    parallel_for(total.chunks_mut(chunk).enumerate().collect(), threads, add);
}

/// Add as many values to some sums.
struct AddTo<'a> {
    total: &'a mut [f32],
    values: &'a [f32],
}

impl WithSimd for AddTo<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        for (total, value) in self.total.iter_mut().zip(self.values) {
            *total += value;
        }
    }
}
