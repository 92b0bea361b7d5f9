//! The transform of the input.

use macerator::Simd;

use super::grid::{Grid, Part};
use super::sizes::{POINTS, PRODUCTS};
use super::transform::{Axis, InputTransform};
use crate::cpu::cache::odd_cache_lines;
use crate::cpu::scratch::Scratch;
use crate::cpu::simd::{F32s, each, lanes, load, store};
use crate::cpu::source::SourceImages;

/// Inputs at the points: `[point][tile][channel]`.
pub(super) struct InputPoints {
    pub(super) values: Scratch,
    pub(super) plane: usize,
    pub(super) pixel: usize,
}

impl InputPoints {
    /// Transform the inputs of a part's tiles.
    #[inline(always)]
    pub(super) fn new<S: Simd>(grid: &Grid, source: &SourceImages<'_>, part: &Part) -> Self {
        let pixel = source.channels.next_multiple_of(lanes::<S>());
        let plane = odd_cache_lines(grid.len(part) * pixel);
        let mut values = Scratch::take(PRODUCTS * plane);
        // SAFETY: the scratch has a plane of `grid.len(part)` lines for each point.
        unsafe { Self::fill::<S>(grid, source, part, values.as_mut_ptr(), plane, pixel) };
        Self { values, plane, pixel }
    }

    /// Transform the inputs of a part's tiles into lines from `target` on.
    ///
    /// # Safety
    /// `target` must be writable for `grid.len(part)` lines of `pixel` floats in each plane, `pixel` being the channels in
    /// whole registers.
    #[inline(always)]
    pub(super) unsafe fn fill<S: Simd>(
        grid: &Grid,
        source: &SourceImages<'_>,
        part: &Part,
        target: *mut f32,
        plane: usize,
        pixel: usize,
    ) {
        let squares = grid.inputs::<S>(source, part);
        let (width, [_, tiles]) = (lanes::<S>(), grid.tiles);
        // A column of pixels is transformed once for all tiles of a row that it belongs to.
        let columns = (tiles - 1) * grid.tile + POINTS;
        let mut transformed = Scratch::take(columns * POINTS * width);
        let transformed = transformed.as_mut_ptr();
        for row in 0..part.images.len() * part.rows.len() {
            let (image, tile_row) = (row / part.rows.len(), row % part.rows.len());
            let corner = image * squares.image + tile_row * grid.tile * squares.pitch;
            for channel in (0..source.channels).step_by(width) {
                // SAFETY: the row's squares lie in the window that `squares` covers (a partial register ends in
                // the room after it), the columns in the scratch, and lines for the row's tiles exist.
                unsafe {
                    let from = squares.start.add(corner + channel);
                    for column in 0..columns {
                        let from = from.add(column * source.channels);
                        let pixels: [F32s<S>; POINTS] = each(|y| load::<S>(from.add(y * squares.pitch)));
                        for (y, &value) in
                            <InputTransform as Axis<S, POINTS, POINTS>>::apply(pixels).iter().enumerate()
                        {
                            store::<S>(transformed.add((column * POINTS + y) * width), value);
                        }
                    }
                    for tile in 0..tiles {
                        let to = target.add((row * tiles + tile) * pixel + channel);
                        let from = transformed.add(tile * grid.tile * POINTS * width);
                        for y in 0..POINTS {
                            let line: [F32s<S>; POINTS] =
                                each(|x| load::<S>(from.add((x * POINTS + y) * width)));
                            for (x, &value) in
                                <InputTransform as Axis<S, POINTS, POINTS>>::apply(line).iter().enumerate()
                            {
                                store::<S>(to.add((y * POINTS + x) * plane), value);
                            }
                        }
                    }
                }
            }
        }
    }
}
