//! What direct convolutions' sums start from, and where their results go.

use macerator::Simd;

use super::scratch::SharedOut;
use super::simd::{F32s, each, lanes, load, load_first, splat, store, store_first};
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
    tiles: &[Tile<S, P, V>; R],
    counts: [usize; R],
    target: impl Fn(usize, usize) -> *mut f32,
    channels: usize,
    finish: Finish,
) {
    let width = lanes::<S>();
    if counts == [P; R] && channels == V * width {
        // SAFETY: granted by the caller. (One call for each: behind branches that meet again the sums would go through
        // memory.)
        return unsafe {
            match finish {
                Finish::Plain => store_whole::<S, R, P, V>(tiles, target, |sum| sum),
                Finish::Relu => store_whole::<S, R, P, V>(tiles, target, relu::<S>),
            }
        };
    }
    let mut lines: [Lines<P, V>; R] = [[[[0.0; 16]; V]; P]; R];
    for (tile, lines) in tiles.iter().zip(&mut lines) {
        write_lines::<S, P, V>(tile, lines);
    }
    for (r, (lines, count)) in lines.iter().zip(counts).enumerate() {
        for (p, lines) in lines.iter().enumerate().take(count) {
            for (v, line) in lines.iter().enumerate() {
                // SAFETY: granted by the caller; the line has the register's lanes.
                unsafe {
                    let sum = load::<S>(line.as_ptr());
                    let sum = match finish {
                        Finish::Plain => sum,
                        Finish::Relu => relu::<S>(sum),
                    };
                    let count = channels.saturating_sub(v * width).min(width);
                    store_first::<S>(target(r, p).add(v * width), sum, count);
                }
            }
        }
    }
}

/// Write tiles in whole registers. All numbers are the compiler's, so that sums are never chosen from memory.
///
/// # Safety
/// `V` registers must be writable wherever `target` says.
#[inline(always)]
unsafe fn store_whole<S: Simd, const R: usize, const P: usize, const V: usize>(
    tiles: &[Tile<S, P, V>; R],
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
    sums: &Tile<S, P, V>,
    places: &[Place],
    target: Target,
    channel: usize,
    channels: usize,
    finish: Finish,
) {
    let (width, Some(codes)) = (lanes::<S>(), target.codes) else { return };
    let values = target.values;
    if places.len() == P && channels == V * width {
        let at = |p: usize| places[p].target + channel;
        // SAFETY: granted by the caller. (One call for each, as for tiles.)
        return unsafe {
            match finish {
                Finish::Plain => store_whole_pooled::<S, P, V>(sums, at, [values, codes], Finish::Plain),
                Finish::Relu => store_whole_pooled::<S, P, V>(sums, at, [values, codes], Finish::Relu),
            }
        };
    }
    let mut lines: Lines<P, V> = [[[0.0; 16]; V]; P];
    write_lines::<S, P, V>(sums, &mut lines);
    for (lines, places) in lines.chunks_exact(4).zip(places.chunks_exact(4)) {
        for v in 0..V {
            // SAFETY: a line has a register's lanes; the rest is granted by the caller.
            unsafe {
                let (value, code) = pool::<S>(each(|p| load::<S>(lines[p][v].as_ptr())), finish);
                let count = channels.saturating_sub(v * width).min(width);
                let at = places[0].target + channel + v * width;
                store_first::<S>(values.get().add(at), value, count);
                store_first::<S>(codes.get().add(at), code, count);
            }
        }
    }
}

/// As [`store_pooled`] in whole registers, with numbers that are all the compiler's.
///
/// # Safety
/// `V` registers must be writable in both targets at every fourth place.
#[inline(always)]
unsafe fn store_whole_pooled<S: Simd, const P: usize, const V: usize>(
    sums: &Tile<S, P, V>,
    place: impl Fn(usize) -> usize,
    [values, codes]: [SharedOut; 2],
    finish: Finish,
) {
    for p in (0..P / 4 * 4).step_by(4) {
        let at = place(p);
        for v in 0..V {
            let (value, code) =
                pool::<S>([sums[p][v], sums[p + 1][v], sums[p + 2][v], sums[p + 3][v]], finish);
            // SAFETY: granted by the caller.
            unsafe {
                store::<S>(values.get().add(at + v * lanes::<S>()), value);
                store::<S>(codes.get().add(at + v * lanes::<S>()), code);
            }
        }
    }
}

/// Registers of results in memory, where they may be chosen by any number; no register has more than 16 lanes.
type Lines<const P: usize, const V: usize> = [[[f32; 16]; V]; P];

/// Bring a tile to memory.
#[inline(always)]
fn write_lines<S: Simd, const P: usize, const V: usize>(sums: &Tile<S, P, V>, lines: &mut Lines<P, V>) {
    for (sums, lines) in sums.iter().zip(lines) {
        for (&sum, line) in sums.iter().zip(lines) {
            // SAFETY: a line has room for a register.
            unsafe { store::<S>(line.as_mut_ptr(), sum) };
        }
    }
}
