//! The work of one pass, how it is split into items, and where an item's results lie.

use std::ops::Range;

use crate::cpu::activation::FusedActivation;
use crate::cpu::cache::L2_WEIGHT_FLOATS;
use crate::cpu::epilogue::PixelOffsets;
use crate::cpu::pack::PackedWeight;
use crate::cpu::parallel::{ITEMS_PER_THREAD, items_for, part};
use crate::cpu::pass::Pass;
use crate::cpu::problem::Target;
use crate::cpu::shape::ConvShape;
use crate::cpu::source::SourceImages;

/// Pixels below which several images share an item, so that a block of weights is read from the
/// cache often enough to pay for bringing it there.
const ITEM_PIXELS: usize = 128;

/// Everything that the items of one pass share.
pub(super) struct Job<'a> {
    pub(super) pass: &'a Pass,
    pub(super) source: SourceImages<'a>,
    pub(super) shape: &'a ConvShape,
    pub(super) summed: usize,
    pub(super) produced: usize,
    /// Results (or pooled results) that share a register: 2 where they go in pairs.
    pub(super) pixels_per_vector: usize,
    pub(super) bias: Option<&'a [f32]>,
    pub(super) activation: FusedActivation,
    pub(super) packed: &'a PackedWeight,
    /// Whether sums are added up in parts.
    pub(super) is_depth_blocked: bool,
    pub(super) zeros: Zeros,
    pub(super) target: Target,
    /// Height and width of the target images (after pooling).
    pub(super) target_size: [usize; 2],
}

/// Zeros that a pass writes besides its results.
#[derive(Default)]
pub(super) struct Zeros {
    /// Whether each item first fills its rows of the target with zeros, all channels of them.
    pub(super) fills_rows: bool,
    /// Where zeros go beside each result, in floats from it.
    pub(super) beside: Vec<isize>,
}

/// A part of a pass: some images, some rows of results, some blocks of channels.
pub(super) struct Item {
    pub(super) images: Range<usize>,
    pub(super) rows: Range<usize>,
    pub(super) blocks: Range<usize>,
}

impl Job<'_> {
    /// Rows and columns of stored results.
    fn results(&self) -> [usize; 2] {
        if self.target.codes.is_some() { self.target_size } else { self.pass.count }
    }

    /// Split the pass; any split gives the same bits.
    pub(super) fn items(&self, threads: usize) -> Vec<Item> {
        let [rows, columns] = self.results();
        let (images, num_blocks) = (self.shape.batch, self.packed.blocks.len());
        let wanted = items_for(self.shape, threads, ITEMS_PER_THREAD);
        let is_large = self.shape.weight_len() > L2_WEIGHT_FLOATS;
        let group = if is_large {
            // Bringing such a weight to the core costs more than copying the images for every block.
            images.div_ceil(wanted.div_ceil(2 * threads).min(images))
        } else {
            ITEM_PIXELS.div_ceil(rows * columns).min(images.div_ceil(wanted)).max(1)
        };
        let groups = images.div_ceil(group);
        let bands = if is_large { 1 } else { wanted.div_ceil(groups).min(rows).max(1) };
        let parts =
            if self.zeros.fills_rows { 1 } else { wanted.div_ceil(groups * bands).min(num_blocks).max(1) };
        let mut items = Vec::with_capacity(groups * bands * parts);
        for first in (0..images).step_by(group) {
            for band in 0..bands {
                for index in 0..parts {
                    items.push(Item {
                        images: first..(first + group).min(images),
                        rows: part(rows, band, bands),
                        blocks: part(num_blocks, index, parts),
                    });
                }
            }
        }
        items
    }

    /// Source and target of every result of an item, whose source has `pitch` floats a row and `source_image` an image.
    pub(super) fn pixels(&self, item: &Item, pitch: usize, source_image: usize) -> Vec<PixelOffsets> {
        let (pass, channels) = (self.pass, self.source.channels);
        let target_channels = self.produced * self.shape.groups;
        let [height, width] = self.target_size;
        let mut pixels = Vec::with_capacity(item.images.len() * item.rows.len() * pass.count[1]);
        for (index, image) in item.images.clone().enumerate() {
            for (row, target_row) in item.rows.clone().enumerate() {
                let source = index * source_image + row * pass.step[0] * pitch;
                let y = pass.first[0] + target_row * pass.target_step[0];
                let target = ((image * height + y) * width + pass.first[1]) * target_channels;
                let of_column = |column: usize| PixelOffsets {
                    source: source + column * pass.step[1] * channels,
                    target: target + column * pass.target_step[1] * target_channels,
                };
                pixels.extend((0..pass.count[1]).map(of_column));
            }
        }
        pixels
    }

    /// As [`pixels`](Self::pixels) with pooling: the four pixels of each window, one after the other.
    pub(super) fn pooling_windows(
        &self,
        item: &Item,
        pitch: usize,
        source_image: usize,
    ) -> Vec<PixelOffsets> {
        let (pass, channels) = (self.pass, self.source.channels);
        let target_channels = self.produced * self.shape.groups;
        let [height, width] = self.target_size;
        let mut pixels = Vec::with_capacity(4 * item.images.len() * item.rows.len() * width);
        for (index, image) in item.images.clone().enumerate() {
            for (row, target_row) in item.rows.clone().enumerate() {
                for column in (0..width).step_by(self.pixels_per_vector) {
                    let target = ((image * height + target_row) * width + column) * target_channels;
                    for (y, x) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                        let (y, x) = ((2 * row + y) * pass.step[0], (2 * column + x) * pass.step[1]);
                        let source = index * source_image + y * pitch + x * channels;
                        pixels.push(PixelOffsets { source, target });
                    }
                }
            }
        }
        pixels
    }
}
