//! The gradient of a convolution's weight and bias, without im2col.
//!
//! For a tap and an input channel the gradient is a correlation of two images, so a tile keeps
//! some (tap, channel) pairs that lie side by side, by registers of output channels, and walks over the pixels. The
//! order of additions is fixed by the shape alone: pixels within a chunk of images and rows, chunks within a shard
//! of the batch, then shards. Threads share shards and tiles and never split a sum.

mod input_layout;
mod walk;

use std::ops::Range;

use macerator::{Simd, WithSimd};

use self::input_layout::{CROWDED, PANEL_CHANNELS};
use self::walk::RunItem;
use super::Engine;
use super::engine::{ConvGradients, Parameters};
use super::pack::{Direction, Packed, Widest, unpack, unpack_pairs};
use super::pass::{Pairs, Pass};
use super::scratch::{Scratch, SharedOut};
use super::shape::{ConvShape, WeightOrder};
use super::share::{items_for, share, threads_for, threads_for_floats};
use super::simd::lanes;
use super::source::{Source, SourceImages};
use super::tile::RUN_SLACK;
use super::tile_form::TileForm;

/// Pixels that one visit of a tile walks over: few enough to stay in the first cache together with
/// what they are multiplied by. Part of the order of additions.
const CHUNK_PIXELS: usize = 128;

/// Shards of the batch, each with its own sums, by the length of the weight up to which there are so many. Part of the
/// order of additions. Without shards every item copies the whole batch, with them there are more sums to add up.
const SHARDS: [(usize, usize); 2] = [(1 << 17, 8), (1 << 19, 4)];

/// Items for each thread.
const ITEMS_PER_THREAD: usize = 4;

/// Blocks of output channels at most of an item whose sums are many.
const ITEM_BLOCKS: usize = 8;

/// Channels from which on leaving out the border saves more than longer runs, over the taps of a row, do.
const BORDER_CHANNELS: usize = 32;

/// (Tap, channel) pairs from which on it pays to bring the gradient's values together for them.
const MANY_PAIRS: usize = 256;

/// Channels up to which two neighbouring pixels fill a register better than one. Part of the order of additions.
const PAIRED_CHANNELS: usize = 8;

/// Everything that the items share.
struct Job<'a> {
    shape: &'a ConvShape,
    pass: &'a Pass,
    /// Output channels of one result of the pass: twice the convolution's where it goes in pairs.
    channels: usize,
    input: SourceImages<'a>,
    gradient: SourceImages<'a>,
    layout: &'a Packed,
    /// Whether the walks of a tap leave out the results for which it lies outside the image; otherwise copies of the input
    /// have a border.
    skips_border: bool,
    /// Whether pixels that fall into few sets of the first cache are read from a copy in which they do not. It pays where each
    /// is read for several taps, and twice for two registers.
    minds_crowds: bool,
    /// Images that one walk goes through.
    walk_images: usize,
    form: TileForm,
    lines: Lines,
    /// Sums of every shard: the weight's, then the bias's if it is wanted.
    sums: SharedOut,
    shard_len: usize,
    bias_start: usize,
    parameters: Parameters,
}

/// How the weight's sums lie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// Block after block, as [`Packed`].
    Packed,
    /// In the weight's own order: that of a linear layer is the sums'.
    AsWeight,
}

/// A shard of the batch, some blocks of output channels, the pairs of some taps and some of a group's input channels.
struct Item {
    shard: usize,
    images: Range<usize>,
    blocks: Range<usize>,
    taps: Range<usize>,
    channels: Range<usize>,
}

/// Gradients of the weight, and of the bias if it is wanted.
pub(crate) fn run(
    engine: Engine,
    shape: &ConvShape,
    input: SourceImages<'_>,
    gradient: SourceImages<'_>,
    parameters: Parameters,
) -> ConvGradients {
    let passes = Pass::all(shape, Direction::Forward);
    let may_pair = shape.groups == 1 && shape.out_channels <= PAIRED_CHANNELS;
    let pairs = if may_pair { passes[0].in_pairs() } else { None };
    let (pass, channels) = match &pairs {
        Some(Pairs { pass, .. }) => (pass, 2 * shape.group_out()),
        None => (&passes[0], shape.group_out()),
    };
    let width = engine.isa.run(Lanes);
    let depth = shape.group_in() * pass.reach.len();
    let layout = Packed::new(shape.groups, channels, depth, width, Widest::Two);
    // The shape alone decides (not the register width, hence the unpadded length).
    let pixels = pass.count[0] * pass.count[1];
    let walk_images = (CHUNK_PIXELS / pixels).clamp(1, shape.batch);
    let by_length = SHARDS.iter().find(|(len, _)| shape.weight_len() <= *len);
    let shards = by_length.map_or(1, |(_, shards)| *shards).min(shape.batch.div_ceil(walk_images));
    let bias_start = layout.values().len();
    let has_bias = parameters == Parameters::WeightAndBias;
    let bias_len = if has_bias { shape.groups * channels.next_multiple_of(width) } else { 0 };
    let shard_len = bias_start + bias_len;
    // Registers of the last channels must end with them.
    let as_weight =
        shards == 1 && pairs.is_none() && shape.order == WeightOrder::InOut && shape.kernel == [1, 1];
    let lines = if as_weight && channels.is_multiple_of(width) { Lines::AsWeight } else { Lines::Packed };
    let len = shards * shard_len;
    let (mut weight, mut sums) = match lines {
        Lines::AsWeight => (Vec::with_capacity(len), Scratch::take(0)),
        Lines::Packed => (Vec::new(), Scratch::take(len)),
    };
    let target = match lines {
        Lines::AsWeight => weight.as_mut_ptr(),
        Lines::Packed => sums.as_mut_ptr(),
    };
    let job = Job {
        shape,
        pass,
        skips_border: pairs.is_none()
            && shape.group_in() >= BORDER_CHANNELS
            && shape.group_in().is_multiple_of(RUN_SLACK + 1),
        minds_crowds: pass.reach.len() > 1 && (width < 16 || engine.tiles == TileForm::Tall),
        channels,
        input,
        gradient,
        layout: &layout,
        walk_images,
        form: engine.tiles,
        lines,
        sums: SharedOut::new(target),
        shard_len,
        bias_start,
        parameters,
    };
    let threads = threads_for(shape, shape.group_out());
    let items = job.items(shards, threads);
    share(items, threads, |item| engine.isa.run(RunItem { job: &job, item }));
    if lines == Lines::AsWeight {
        // SAFETY: it has room for that many, and the items have written all pairs of all blocks, and the bias.
        unsafe { weight.set_len(len) };
        let bias = weight.split_off(bias_start);
        return ConvGradients { weight, bias: has_bias.then_some(bias) };
    }
    let (total, others) = sums.split_at_mut(shard_len);
    add_shards(engine, total, others);
    if let Some(Pairs { taps, .. }) = &pairs {
        return unpack_pairs(shape, taps, &layout, total, parameters);
    }
    let weight = unpack(shape, &pass.taps, &layout, total);
    let bias_sums = total[bias_start..].chunks_exact(channels.next_multiple_of(width));
    let bias = has_bias.then(|| bias_sums.flat_map(|group| group[..channels].iter().copied()).collect());
    ConvGradients { weight, bias }
}

/// The register width.
pub(crate) struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self) -> usize {
        lanes::<S>()
    }
}

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
    share(total.chunks_mut(chunk).enumerate().collect(), threads, add);
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

impl Job<'_> {
    /// Split into shards (fixed) and, within a shard, into independent sums (free).
    fn items(&self, shards: usize, threads: usize) -> Vec<Item> {
        let wanted = items_for(self.shape, threads, ITEMS_PER_THREAD).div_ceil(shards);
        let chunks = self.shape.batch.div_ceil(self.walk_images);
        let (group_in, taps, blocks) =
            (self.shape.group_in(), self.pass.reach.len(), self.layout.blocks.len());
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
            for part in 0..parts {
                for panel in 0..panels {
                    for split in 0..splits {
                        items.push(Item {
                            shard,
                            images: first..end,
                            blocks: blocks * part / parts..blocks * (part + 1) / parts,
                            taps: taps * split / splits..taps * (split + 1) / splits,
                            channels: channel(panel)..channel(panel + 1),
                        });
                    }
                }
            }
        }
        items
    }

    /// The results (rows or columns of them) whose tap lies in the image, where the border is left out; and where in the
    /// window the first result of all has it.
    fn sees(&self, tap: usize, axis: usize) -> (Range<usize>, isize) {
        let (reach, count) = (self.pass.reach[tap][axis], self.pass.count[axis]);
        if !self.skips_border {
            return (0..count, reach.cast_signed());
        }
        let at = self.pass.window.origin[axis] + reach.cast_signed();
        (self.pass.sees(tap, axis, self.input.size[axis]), at)
    }

    /// Rows of results in one walk.
    fn walk_rows(&self) -> usize {
        (CHUNK_PIXELS / self.pass.count[1]).clamp(1, self.pass.count[0])
    }

    /// Floats from one result of the pass to the next in the gradient.
    fn result_pixel(&self) -> usize {
        self.channels * self.shape.groups
    }

    /// Whether each block of the gradient is brought together before it is read for every pair.
    fn copies_blocks(&self) -> bool {
        self.result_pixel() >= CROWDED && self.shape.group_in() * self.pass.reach.len() >= MANY_PAIRS
    }

    /// Whether the gradient can be read where it is: plain, and no register reaches past a group.
    fn gradient_in_place(&self, lanes: usize) -> Option<&[f32]> {
        match self.gradient.values {
            Source::Plain(values) if self.channels.is_multiple_of(lanes) => Some(values),
            _ => None,
        }
    }
}
