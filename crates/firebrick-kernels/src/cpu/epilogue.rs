//! What is fused with the end of a convolution: register tiles begin with the bias, and go through ReLU and 2x2 max pooling
//! on their way to memory.

use macerator::Simd;

use super::activation::{FusedActivation, relu};
use super::microkernel::RegisterTile;
use super::problem::Target;
use super::scratch::SharedOut;
use super::simd::{F32s, each, lanes, load, load_first, splat, store, store_first};

/// The code of a pooled value whose gradient no pixel receives, because ReLU made it zero.
const CODE_NONE: f32 = 4.0;

/// Where one result is read from and written to, in floats from the item's source and from the target.
#[derive(Clone, Copy)]
pub(crate) struct PixelOffsets {
    pub(crate) source: usize,
    pub(crate) target: usize,
}

/// What the sums of a block of channels start from: the bias, or zero.
#[inline(always)]
pub(crate) fn initial_sums<S: Simd, const V: usize>(
    bias: Option<&[f32]>,
    channel: usize,
    channels: usize,
) -> [F32s<S>; V] {
    let width = lanes::<S>();
    let Some(bias) = bias else { return [splat::<S>(0.0); V] };
    let bias = &bias[channel..][..channels];
    each(|v| {
        let rest = bias.get(v * width..).unwrap_or(&[]);
        // SAFETY: `rest` holds at least the floats asked for.
        unsafe { load_first::<S>(rest.as_ptr(), rest.len().min(width)) }
    })
}

/// Write some tiles: of each the first `counts[r]` results, `channels` floats of a result, to where `target` says for tile and
/// result.
///
/// # Safety
/// `channels` floats must be writable there.
#[inline(always)]
pub(crate) unsafe fn store_tiles<S: Simd, const R: usize, const P: usize, const V: usize>(
    tiles: &[RegisterTile<S, P, V>; R],
    counts: [usize; R],
    target: impl Fn(usize, usize) -> *mut f32,
    channels: usize,
    activation: FusedActivation,
) {
    let width = lanes::<S>();
    if counts == [P; R] && channels == V * width {
        // SAFETY: granted by the caller. (One call for each activation: after branches that meet again the sums would go
        // through memory.)
        return unsafe {
            match activation {
                FusedActivation::None => store_whole::<S, R, P, V>(tiles, target, |sum| sum),
                FusedActivation::Relu => store_whole::<S, R, P, V>(tiles, target, relu::<S>),
            }
        };
    }
    let mut lines: [TileInMemory<P, V>; R] = [[[[0.0; 16]; V]; P]; R];
    for (tile, lines) in tiles.iter().zip(&mut lines) {
        spill::<S, P, V>(tile, lines);
    }
    for (r, (lines, count)) in lines.iter().zip(counts).enumerate() {
        for (p, lines) in lines.iter().enumerate().take(count) {
            for (v, line) in lines.iter().enumerate() {
                // SAFETY: granted by the caller; the line has the register's lanes.
                unsafe {
                    let sum = load::<S>(line.as_ptr());
                    let sum = match activation {
                        FusedActivation::None => sum,
                        FusedActivation::Relu => relu::<S>(sum),
                    };
                    let count = channels.saturating_sub(v * width).min(width);
                    store_first::<S>(target(r, p).add(v * width), sum, count);
                }
            }
        }
    }
}

/// Write tiles in whole registers. All indices are constants once compiled, so that no sum goes through memory.
///
/// # Safety
/// `V` registers must be writable wherever `target` says.
#[inline(always)]
unsafe fn store_whole<S: Simd, const R: usize, const P: usize, const V: usize>(
    tiles: &[RegisterTile<S, P, V>; R],
    target: impl Fn(usize, usize) -> *mut f32,
    finished: impl Fn(F32s<S>) -> F32s<S>,
) {
    for (r, tile) in tiles.iter().enumerate() {
        for (p, sums) in tile.iter().enumerate() {
            let target = target(r, p);
            for (v, &sum) in sums.iter().enumerate() {
                // SAFETY: granted by the caller.
                unsafe { store::<S>(target.add(v * lanes::<S>()), finished(sum)) };
            }
        }
    }
}

/// Write the largest of every four pixels and which it was.
///
/// # Safety
/// `channels` floats from `channel` on must be writable at every fourth place, values and codes.
#[inline(always)]
pub(crate) unsafe fn store_pooled<S: Simd, const P: usize, const V: usize>(
    sums: &RegisterTile<S, P, V>,
    places: &[PixelOffsets],
    target: Target,
    channel: usize,
    channels: usize,
    activation: FusedActivation,
) {
    let Some(codes) = target.codes else {
        unreachable!("bug: a pooling epilogue without room for its codes")
    };
    let (width, values) = (lanes::<S>(), target.values);
    if places.len() == P && channels == V * width {
        let at = |p: usize| places[p].target + channel;
        // SAFETY: granted by the caller. (One call for each activation, as above.)
        return unsafe {
            match activation {
                FusedActivation::None => {
                    store_whole_pooled::<S, P, V>(sums, at, [values, codes], FusedActivation::None)
                }
                FusedActivation::Relu => {
                    store_whole_pooled::<S, P, V>(sums, at, [values, codes], FusedActivation::Relu)
                }
            }
        };
    }
    let mut lines: TileInMemory<P, V> = [[[0.0; 16]; V]; P];
    spill::<S, P, V>(sums, &mut lines);
    for (lines, places) in lines.chunks_exact(4).zip(places.chunks_exact(4)) {
        for v in 0..V {
            // SAFETY: a line has a register's lanes; the rest is granted by the caller.
            unsafe {
                let (value, code) = pool::<S>(each(|p| load::<S>(lines[p][v].as_ptr())), activation);
                let count = channels.saturating_sub(v * width).min(width);
                let at = places[0].target + channel + v * width;
                store_first::<S>(values.get().add(at), value, count);
                store_first::<S>(codes.get().add(at), code, count);
            }
        }
    }
}

/// As [`store_pooled`] in whole registers; all indices are constants once compiled.
///
/// # Safety
/// `V` registers must be writable in both targets at every fourth place.
#[inline(always)]
unsafe fn store_whole_pooled<S: Simd, const P: usize, const V: usize>(
    sums: &RegisterTile<S, P, V>,
    place: impl Fn(usize) -> usize,
    [values, codes]: [SharedOut; 2],
    activation: FusedActivation,
) {
    for p in (0..P / 4 * 4).step_by(4) {
        let at = place(p);
        for v in 0..V {
            let (value, code) =
                pool::<S>([sums[p][v], sums[p + 1][v], sums[p + 2][v], sums[p + 3][v]], activation);
            // SAFETY: granted by the caller.
            unsafe {
                store::<S>(values.get().add(at + v * lanes::<S>()), value);
                store::<S>(codes.get().add(at + v * lanes::<S>()), code);
            }
        }
    }
}

/// A tile in memory, where a result may be picked at run time; no register has more than 16 lanes.
type TileInMemory<const P: usize, const V: usize> = [[[f32; 16]; V]; P];

/// Write a tile to memory.
#[inline(always)]
fn spill<S: Simd, const P: usize, const V: usize>(
    sums: &RegisterTile<S, P, V>,
    lines: &mut TileInMemory<P, V>,
) {
    for (sums, lines) in sums.iter().zip(lines) {
        for (&sum, line) in sums.iter().zip(lines) {
            // SAFETY: a line has room for a register.
            unsafe { store::<S>(line.as_mut_ptr(), sum) };
        }
    }
}

/// The largest of four values and which it is: the first of equals, the first NaN if there is one (as in torch).
#[inline(always)]
pub(crate) fn pool<S: Simd>(values: [F32s<S>; 4], activation: FusedActivation) -> (F32s<S>, F32s<S>) {
    let mut largest = values[0];
    let mut code = splat::<S>(0.0);
    let mut index = 1;
    while index < 4 {
        let value = values[index];
        // Not (value <= largest) is also true for a NaN on either side; the first NaN stays.
        // (A mask is used up by a selection, so it is written twice.)
        code = (value.le(largest) | largest.ne(largest)).select(code, splat::<S>(index as f32));
        largest = (value.le(largest) | largest.ne(largest)).select(largest, value);
        index += 1;
    }
    if activation == FusedActivation::Relu {
        let zero = splat::<S>(0.0);
        code = largest.le(zero).select(splat::<S>(CODE_NONE), code);
        largest = largest.le(zero).select(zero, largest);
    }
    (largest, code)
}
