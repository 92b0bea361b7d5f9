//! How results are cut into tiles, and tiles into items of work.

use std::ops::Range;

use macerator::Simd;

use super::sizes::{POINTS, tile_size};
use crate::cpu::pass::Pass;
use crate::cpu::scratch::Scratch;
use crate::cpu::shape::ConvShape;
use crate::cpu::simd::lanes;
use crate::cpu::source::{Source, SourceImages};
use crate::cpu::window::Window;

/// Lanes of the widest register: floats after copies, so that a whole register may be read where fewer channels are left.
const OVERREAD_FLOATS: usize = 16;

/// The tiles of every image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// Results of a tile on one axis.
    pub(super) tile: usize,
    /// Tiles of an image, vertically and horizontally.
    pub(super) tiles: [usize; 2],
    /// Results of an image.
    pub(super) results: [usize; 2],
    /// First pixel of the source that the first tile reads.
    origin: [isize; 2],
    /// Images.
    batch: usize,
}

/// Some images and some rows of their tiles.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) images: Range<usize>,
    pub(super) rows: Range<usize>,
}

impl Grid {
    /// The tiles of a pass.
    pub(super) fn new(shape: &ConvShape, pass: &Pass) -> Self {
        let tile = tile_size(shape);
        Self {
            tile,
            tiles: pass.count.map(|count| count.div_ceil(tile)),
            results: pass.count,
            origin: pass.window.origin,
            batch: shape.batch,
        }
    }

    /// Tiles of a part.
    pub(super) fn len(&self, part: &Part) -> usize {
        part.images.len() * part.rows.len() * self.tiles[1]
    }

    /// Tiles of the whole batch.
    pub(super) fn total(&self) -> usize {
        self.batch * self.tiles[0] * self.tiles[1]
    }

    /// Cut the images `images` into parts of about `wanted` tiles, in order.
    pub(super) fn parts(&self, images: Range<usize>, wanted: usize) -> Vec<Part> {
        let per_image = self.tiles[0] * self.tiles[1];
        let group = (wanted / per_image).max(1);
        let bands = per_image.div_ceil(wanted.max(1)).min(self.tiles[0]);
        let mut parts = Vec::new();
        let mut first = images.start;
        while first < images.end {
            let end = (first + group).min(images.end);
            for band in 0..bands {
                let rows = self.tiles[0] * band / bands..self.tiles[0] * (band + 1) / bands;
                parts.push(Part { images: first..end, rows });
            }
            first = end;
        }
        parts
    }

    /// Pixels of the source that a part's tiles read, for squares of `side` pixels at every `tile`-th pixel from `origin`.
    fn window(&self, origin: [isize; 2], side: usize, rows: &Range<usize>) -> Window {
        Window {
            origin: [origin[0] + (rows.start * self.tile).cast_signed(), origin[1]],
            size: [(rows.len() - 1) * self.tile + side, (self.tiles[1] - 1) * self.tile + side],
        }
    }

    /// The squares of inputs that a part's tiles read.
    #[inline(always)]
    pub(super) fn inputs<S: Simd>(&self, source: &SourceImages<'_>, part: &Part) -> Squares {
        Squares::new::<S>(source, part, self.window(self.origin, POINTS, &part.rows))
    }

    /// The squares of results' gradients of a part's tiles.
    #[inline(always)]
    pub(super) fn gradients<S: Simd>(&self, source: &SourceImages<'_>, part: &Part) -> Squares {
        Squares::new::<S>(source, part, self.window([0, 0], self.tile, &part.rows))
    }
}

/// The pixels that a part's tiles read: in place or copied.
pub(super) struct Squares {
    _copy: Scratch,
    /// First pixel of the first tile.
    pub(super) start: *const f32,
    /// Floats from one image to the next.
    pub(super) image: usize,
    /// Floats from one row of pixels to the next.
    pub(super) pitch: usize,
}

impl Squares {
    /// Find or copy `window` of the part's images.
    #[inline(always)]
    fn new<S: Simd>(source: &SourceImages<'_>, part: &Part, window: Window) -> Self {
        let channels = source.channels;
        let pitch = source.size[1] * channels;
        if let Source::Plain(values) = source.values
            && window.is_inside(source.size)
            && channels.is_multiple_of(lanes::<S>())
        {
            let image = source.size[0] * pitch;
            let corner = window.origin.map(isize::unsigned_abs);
            let first = part.images.start * image + corner[0] * pitch + corner[1] * channels;
            return Self { _copy: Scratch::take(0), start: values[first..].as_ptr(), image, pitch };
        }
        let len = window.len(channels);
        let mut copy = Scratch::take(len * part.images.len() + OVERREAD_FLOATS);
        for (image, target) in part.images.clone().zip(copy.chunks_exact_mut(len)) {
            source.copy::<S>(image, &window, target);
        }
        Self { start: copy.as_ptr(), _copy: copy, image: len, pitch: window.size[1] * channels }
    }
}
