//! The work of a batch-blocked convolution, and how it is split into items.

use std::ops::Range;

use crate::cpu::activation::FusedActivation;
use crate::cpu::broadcast::Broadcast;
use crate::cpu::cache::L2_WEIGHT_FLOATS;
use crate::cpu::pack::PackedWeight;
use crate::cpu::parallel::{ITEMS_PER_THREAD, items_for, part};
use crate::cpu::problem::Target;
use crate::cpu::shape::ConvShape;
use crate::cpu::source::SourceImages;

/// Channels of a panel, which lie side by side: each number has code of its own.
const PANEL_CHANNELS: [usize; 2] = [64, 32];

/// Floats of an item's packed images, where the images allow it: half of a core's own cache at most.
const PACKED_FLOATS: usize = 1 << 17;

/// As [`PACKED_FLOATS`], for a weight that does not stay in that cache: the more images read it at once the better.
const LARGE_PACKED_FLOATS: usize = 1 << 18;

/// As [`ITEMS_PER_THREAD`], for such a weight: every item packs its images.
const LARGE_ITEMS_PER_THREAD: usize = 2;

/// Channels of a panel for a source of so many channels.
pub(super) fn panel_channels(channels: usize) -> Option<usize> {
    PANEL_CHANNELS.into_iter().find(|panel| channels.is_multiple_of(*panel))
}

/// Everything that the items share.
pub(super) struct Job<'a> {
    pub(super) shape: &'a ConvShape,
    pub(super) broadcast: Broadcast,
    pub(super) source: SourceImages<'a>,
    /// Height and width of the source images (of a pooled gradient, before pooling).
    pub(super) source_size: [usize; 2],
    pub(super) target_size: [usize; 2],
    /// Channels of the source and of the target.
    pub(super) channels: [usize; 2],
    /// Rows and columns of the target.
    pub(super) lines: [Vec<TargetLine>; 2],
    pub(super) bias: Option<&'a [f32]>,
    pub(super) activation: FusedActivation,
    pub(super) packed: &'a PackedWeight,
    pub(super) target: Target,
}

/// A row or a column of the target, and its taps inside the image in the order of the sum.
pub(super) struct TargetLine {
    pub(super) index: usize,
    pub(super) reads: Vec<TapRead>,
}

/// A tap of one axis.
#[derive(Clone, Copy)]
pub(super) struct TapRead {
    /// Its index in the order of the sum.
    pub(super) tap: usize,
    /// The row or column of the source that it reads.
    pub(super) at: usize,
}

/// Some images, some rows and columns of results, some blocks of channels.
pub(super) struct Item {
    pub(super) images: Range<usize>,
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
    pub(super) blocks: Range<usize>,
}

impl Job<'_> {
    /// Split the work; any split gives the same bits.
    pub(super) fn items(&self, threads: usize) -> Vec<Item> {
        let (batch, blocks, [rows, columns]) = (self.shape.batch, self.packed.blocks.len(), self.target_size);
        let batch_block = self.broadcast.batch_block();
        let block_floats = batch_block * self.source_size[0] * self.source_size[1] * self.channels[0];
        let batch_blocks = batch.div_ceil(batch_block);
        let is_large = self.shape.weight_len() > L2_WEIGHT_FLOATS;
        let (budget, per_thread) = if is_large {
            (LARGE_PACKED_FLOATS, LARGE_ITEMS_PER_THREAD)
        } else {
            (PACKED_FLOATS, ITEMS_PER_THREAD)
        };
        let wanted = items_for(self.shape, threads, per_thread);
        let item_blocks = if is_large { (budget / block_floats).clamp(1, batch_blocks) } else { 1 };
        let sets = batch_blocks.div_ceil(item_blocks);
        // Squares rather than bands: neighbours both pack what both of them read.
        let for_threads = if is_large { 1 } else { wanted.div_ceil(sets) };
        let pieces = block_floats.div_ceil(budget).max(for_threads);
        let strips = pieces.isqrt().clamp(1, columns);
        let bands = pieces.div_ceil(strips).clamp(1, rows);
        let parts = wanted.div_ceil(sets * bands * strips).clamp(1, blocks);
        let mut items = Vec::with_capacity(sets * bands * strips * parts);
        for first in (0..batch).step_by(item_blocks * batch_block) {
            for band in 0..bands {
                for strip in 0..strips {
                    for index in 0..parts {
                        items.push(Item {
                            images: first..(first + item_blocks * batch_block).min(batch),
                            rows: part(rows, band, bands),
                            columns: part(columns, strip, strips),
                            blocks: part(blocks, index, parts),
                        });
                    }
                }
            }
        }
        items
    }
}
