//! The work of a weight gradient, and how it is split into items.

use std::ops::Range;

use crate::cpu::broadcast::Broadcast;
use crate::cpu::cache::SET_CONFLICT_FLOATS;
use crate::cpu::pack::PackedWeight;
use crate::cpu::parallel::{ITEMS_PER_THREAD, items_for, part};
use crate::cpu::pass::Pass;
use crate::cpu::problem::Parameters;
use crate::cpu::scratch::SharedOut;
use crate::cpu::shape::ConvShape;
use crate::cpu::source::{Source, SourceImages};

/// Pixels that one visit of a tile walks over: few enough to stay in the first-level cache together with
/// what they are multiplied by. Part of the order of additions.
pub(super) const CHUNK_PIXELS: usize = 128;

/// Channels of the input that an item has all of or none: packed images keep them together, so that the pixels of a walk lie
/// in few pages.
pub(super) const PANEL_CHANNELS: usize = 64;

/// Blocks of output channels at most of an item whose sums are many.
const ITEM_BLOCKS: usize = 8;

/// (Tap, channel) pairs from which on it pays to pack the gradient's values for them.
const MANY_PAIRS: usize = 256;

/// Everything that the items share.
pub(super) struct Job<'a> {
    pub(super) shape: &'a ConvShape,
    pub(super) pass: &'a Pass,
    /// Output channels of one result of the pass: twice the convolution's where it goes in pairs.
    pub(super) channels: usize,
    pub(super) input: SourceImages<'a>,
    pub(super) gradient: SourceImages<'a>,
    pub(super) layout: &'a PackedWeight,
    /// Whether the walks of a tap leave out the results for which it lies outside the image; otherwise packed images have a
    /// zero border.
    pub(super) skips_border: bool,
    /// Whether pixels that would evict each other from the first-level cache, because they fall into few of its sets, are
    /// packed. It pays where each is read for several taps, and twice for two registers.
    pub(super) avoids_set_conflicts: bool,
    /// Images that one walk goes through.
    pub(super) walk_images: usize,
    pub(super) broadcast: Broadcast,
    pub(super) sum_order: SumOrder,
    /// Sums of every shard: the weight's, then the bias's if it is wanted.
    pub(super) sums: SharedOut,
    pub(super) shard_len: usize,
    pub(super) bias_start: usize,
    pub(super) parameters: Parameters,
}

/// How the weight's sums lie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SumOrder {
    /// Block after block, as [`PackedWeight`].
    Packed,
    /// In the weight's own order: that of a linear layer is the sums'.
    AsWeight,
}

/// A shard of the batch, some blocks of output channels, the pairs of some taps and some of a group's input channels.
pub(super) struct Item {
    pub(super) shard: usize,
    pub(super) images: Range<usize>,
    pub(super) blocks: Range<usize>,
    pub(super) taps: Range<usize>,
    pub(super) channels: Range<usize>,
}

impl Job<'_> {
    /// Split into shards (fixed) and, within a shard, into independent sums (free).
    pub(super) fn items(&self, shards: usize, threads: usize) -> Vec<Item> {
        let wanted = items_for(self.shape, threads, ITEMS_PER_THREAD).div_ceil(shards);
        let chunks = self.shape.batch.div_ceil(self.walk_images);
        let (group_in, taps, blocks) =
            (self.shape.group_in(), self.pass.tap_offsets.len(), self.layout.blocks.len());
        let whole_panels = if self.shape.groups == 1 { (group_in / PANEL_CHANNELS).max(1) } else { 1 };
        // The sums of a weight without shards are so many that an item's own must be few, for its cache.
        let (panels, parts) = match shards {
            1 => (whole_panels, blocks.div_ceil(ITEM_BLOCKS)),
            _ => (wanted.min(whole_panels), 1),
        };
        let parts = wanted.div_ceil(panels).min(blocks).max(parts);
        let splits = wanted.div_ceil(panels * parts).min((taps * group_in).div_ceil(16)).min(taps).max(1);
        // Whole panels, so that a run that starts or ends here can be read where it lies.
        let channel =
            |panel| if panel == panels { group_in } else { whole_panels * panel / panels * PANEL_CHANNELS };
        let mut items = Vec::with_capacity(shards * parts * panels * splits);
        for shard in 0..shards {
            let first = chunks * shard / shards * self.walk_images;
            let end = (chunks * (shard + 1) / shards * self.walk_images).min(self.shape.batch);
            for index in 0..parts {
                for panel in 0..panels {
                    for split in 0..splits {
                        items.push(Item {
                            shard,
                            images: first..end,
                            blocks: part(blocks, index, parts),
                            taps: part(taps, split, splits),
                            channels: channel(panel)..channel(panel + 1),
                        });
                    }
                }
            }
        }
        items
    }

    /// The results (rows or columns of them) whose tap lies in the image, where the border is left out; and where in the
    /// window the tap of the very first result lies.
    pub(super) fn results_of_tap(&self, tap: usize, axis: usize) -> (Range<usize>, isize) {
        let (offset, count) = (self.pass.tap_offsets[tap][axis], self.pass.count[axis]);
        if !self.skips_border {
            return (0..count, offset.cast_signed());
        }
        let at = self.pass.window.origin[axis] + offset.cast_signed();
        (self.pass.results_of_tap(tap, axis, self.input.size[axis]), at)
    }

    /// Rows of results in one walk.
    pub(super) fn walk_rows(&self) -> usize {
        (CHUNK_PIXELS / self.pass.count[1]).clamp(1, self.pass.count[0])
    }

    /// Floats from one result of the pass to the next in the gradient.
    pub(super) fn result_pixel(&self) -> usize {
        self.channels * self.shape.groups
    }

    /// Whether each block of the gradient is packed before it is read for every pair.
    pub(super) fn packs_blocks(&self) -> bool {
        self.result_pixel() >= SET_CONFLICT_FLOATS
            && self.shape.group_in() * self.pass.tap_offsets.len() >= MANY_PAIRS
    }

    /// Whether the gradient can be read where it is: plain, and no register reaches past a group.
    pub(super) fn gradient_in_place(&self, lanes: usize) -> Option<&[f32]> {
        match self.gradient.values {
            Source::Plain(values) if self.channels.is_multiple_of(lanes) => Some(values),
            _ => None,
        }
    }
}
