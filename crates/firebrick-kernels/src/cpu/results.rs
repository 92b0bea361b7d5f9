//! What direct convolutions' sums start from, and where their results go.

use macerator::Simd;

use super::simd::{F32s, lanes, load_first, splat, store_first};
use super::source::{Finish, Target, pool, relu};
use super::tile::Tile;

/// Where one result is read from and written to, in floats from the item's source and from the target.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) source: usize,
    pub(crate) target: usize,
}

/// What sums start from: the bias, or zero.
#[inline(always)]
pub(crate) fn first_sums<S: Simd, const V: usize>(
    bias: Option<&[f32]>,
    channel: usize,
    channels: usize,
) -> [F32s<S>; V] {
    let width = lanes::<S>();
    let Some(bias) = bias else { return [splat::<S>(0.0); V] };
    let bias = &bias[channel..][..channels];
    std::array::from_fn(|v| {
        let rest = bias.get(v * width..).unwrap_or(&[]);
        // SAFETY: `rest` holds at least the floats asked for.
        unsafe { load_first::<S>(rest.as_ptr(), rest.len().min(width)) }
    })
}

/// A sum as it is stored.
#[inline(always)]
pub(crate) fn finished<S: Simd>(sum: F32s<S>, finish: Finish) -> F32s<S> {
    match finish {
        Finish::Plain => sum,
        Finish::Relu => relu::<S>(sum),
    }
}

/// Write a tile to its places.
///
/// # Safety
/// `channels` floats must be writable at every place.
#[inline(always)]
pub(crate) unsafe fn store_tile<S: Simd, const P: usize, const V: usize>(
    sums: &Tile<S, P, V>,
    places: &[Place],
    target: *mut f32,
    channels: usize,
    finish: Finish,
) {
    let width = lanes::<S>();
    for (sums, place) in sums.iter().zip(places) {
        for (v, &sum) in sums.iter().enumerate() {
            let sum = finished::<S>(sum, finish);
            let count = channels.saturating_sub(v * width).min(width);
            // SAFETY: granted by the caller.
            unsafe { store_first::<S>(target.add(place.target + v * width), sum, count) };
        }
    }
}

/// Write the largest of every four pixels and which it was.
///
/// # Safety
/// `channels` floats from `channel` on must be writable at every fourth place, values and codes.
#[inline(always)]
pub(crate) unsafe fn store_pooled<S: Simd, const P: usize, const V: usize>(
    sums: &Tile<S, P, V>,
    places: &[Place],
    target: Target,
    channel: usize,
    channels: usize,
    finish: Finish,
) {
    let (width, Some(codes)) = (lanes::<S>(), target.codes) else { return };
    for (sums, places) in sums.chunks_exact(4).zip(places.chunks_exact(4)) {
        for v in 0..V {
            let (value, code) = pool::<S>([sums[0][v], sums[1][v], sums[2][v], sums[3][v]], finish);
            let count = channels.saturating_sub(v * width).min(width);
            let at = places[0].target + channel + v * width;
            // SAFETY: granted by the caller.
            unsafe {
                store_first::<S>(target.values.get().add(at), value, count);
                store_first::<S>(codes.get().add(at), code, count);
            }
        }
    }
}
