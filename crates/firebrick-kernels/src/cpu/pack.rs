//! Weights in the order in which the register tiles read them.

use macerator::Simd;

use super::engine::{ConvGradients, Parameters};
use super::scratch::{Scratch, new_filled};
use super::shape::{ConvShape, WeightOrder};
use super::share::{share, threads_for_floats};
use super::simd::{each, lanes, prefetch};

/// Which channels are summed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    /// Sum over input channels, produce output channels.
    Forward,
    /// Sum over output channels, produce input channels.
    InputGradient,
}

impl Direction {
    /// Channels summed over and channels produced, in one group.
    pub(crate) fn group_channels(self, shape: &ConvShape) -> [usize; 2] {
        match self {
            Self::Forward => [shape.group_in(), shape.group_out()],
            Self::InputGradient => [shape.group_out(), shape.group_in()],
        }
    }
}

/// A block of produced channels: one register wide, two, or four.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// First channel within the group.
    pub(crate) first: usize,
    /// Channels that exist.
    pub(crate) channels: usize,
    /// Registers.
    pub(crate) registers: usize,
}

/// Registers of a block at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Widest {
    One,
    Two,
    Four,
}

/// How far ahead in each row of a weight the next values are asked for.
const PREFETCH_FLOATS: usize = 128;

/// Split `channels` into blocks: of four registers where allowed and full, otherwise of two where allowed, the last of one
/// if that is enough.
pub(crate) fn blocks(channels: usize, lanes: usize, widest: Widest) -> Vec<Block> {
    let mut blocks = Vec::with_capacity(channels.div_ceil(2 * lanes));
    let mut first = 0;
    while first < channels {
        let left = channels - first;
        let registers = match widest {
            Widest::Four if left >= 4 * lanes => 4,
            Widest::One => 1,
            _ if left > lanes => 2,
            _ => 1,
        };
        blocks.push(Block { first, channels: left.min(registers * lanes), registers });
        first += registers * lanes;
    }
    blocks
}

/// Packed weights: for each group and block, `[tap][summed channel][registers * lanes]`, zero in
/// lanes beyond the last channel.
pub(crate) struct Packed {
    /// The blocks of a group.
    pub(crate) blocks: Vec<Block>,
    values: Scratch,
    group_len: usize,
    depth: usize,
    lanes: usize,
}

impl Packed {
    /// The weights of one block.
    pub(crate) fn block(&self, group: usize, block: &Block) -> &[f32] {
        &self.values[self.start(group, block)..][..self.depth * self.line(block)]
    }

    /// Floats from one group to the next, and products summed for one output.
    pub(crate) fn new(groups: usize, channels: usize, depth: usize, lanes: usize, widest: Widest) -> Self {
        let group_len = channels.next_multiple_of(lanes) * depth;
        let blocks = blocks(channels, lanes, widest);
        Self { blocks, values: Scratch::take(groups * group_len), group_len, depth, lanes }
    }

    /// Where a block starts.
    pub(crate) fn start(&self, group: usize, block: &Block) -> usize {
        group * self.group_len + block.first * self.depth
    }

    /// Floats of one line of a block.
    pub(crate) fn line(&self, block: &Block) -> usize {
        block.registers * self.lanes
    }

    /// The whole buffer.
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Where the values of one block lie in a weight.
pub(crate) struct Strides {
    /// The block's first value for the first summed channel.
    pub(crate) start: usize,
    /// Floats from one summed channel to the next.
    pub(crate) summed: usize,
    /// Floats from one produced channel to the next.
    pub(crate) produced: usize,
    /// Floats from one row of taps to the next.
    pub(crate) row: usize,
}

impl Strides {
    pub(crate) fn new(shape: &ConvShape, direction: Direction, group: usize, block: &Block) -> Self {
        let plane = shape.kernel[0] * shape.kernel[1];
        let [of_in, of_out] = match shape.order {
            WeightOrder::OutIn => [plane, shape.group_in() * plane],
            WeightOrder::InOut => [shape.out_channels * plane, plane],
        };
        let (summed, produced) = match direction {
            Direction::Forward => (of_in, of_out),
            Direction::InputGradient => (of_out, of_in),
        };
        let start = group * shape.group_out() * of_out + block.first * produced;
        Self { start, summed, produced, row: shape.kernel[1] }
    }
}

/// Every (group, block) with its part of `values`, which are laid out as [`Packed`]: `depth` lines of registers of
/// `lanes` for each block.
fn parts<T>(
    groups: usize,
    blocks: &[Block],
    [depth, lanes]: [usize; 2],
    values: T,
    mut split: impl FnMut(T, usize) -> (T, T),
) -> Vec<(usize, Block, T)> {
    let mut parts = Vec::with_capacity(groups * blocks.len());
    let mut rest = values;
    for group in 0..groups {
        for block in blocks {
            let (part, behind) = split(rest, depth * block.registers * lanes);
            parts.push((group, *block, part));
            rest = behind;
        }
    }
    parts
}

/// Undo [`pack`] for [`Direction::Forward`]: write the packed `values` (in the layout of `layout`) to a weight.
pub(crate) fn unpack(shape: &ConvShape, taps: &[[usize; 2]], layout: &Packed, values: &[f32]) -> Vec<f32> {
    let sizes = [layout.depth, layout.lanes];
    let sources = parts(shape.groups, &layout.blocks, sizes, values, <[f32]>::split_at);
    // SAFETY: every produced channel is in one block, and every tap of every summed channel is written.
    unsafe {
        new_filled(shape.weight_len(), |weight| {
            let lines = Lines::new(shape, Direction::Forward, taps);
            let unpack_block = |(group, block, packed): (usize, Block, &[f32])| {
                let to = Strides::new(shape, Direction::Forward, group, &block);
                let row = layout.line(&block);
                lines.visit(|offset, run| {
                    let start = weight.get().add(to.start + offset);
                    match run {
                        Run::Four(lines) => {
                            scatter_four(
                                packed,
                                lines.map(|line| line * row),
                                block.channels,
                                start,
                                to.produced,
                            );
                        }
                        Run::One(line) => {
                            scatter(&packed[line * row..][..block.channels], to.produced, start)
                        }
                    }
                });
            };
            share(sources, threads_for_floats(shape.weight_len()), unpack_block);
        })
    }
}

/// Pack a weight for `taps` (their order is the order of summation).
pub(crate) fn pack<S: Simd>(
    shape: &ConvShape,
    direction: Direction,
    taps: &[[usize; 2]],
    weight: &[f32],
    widest: Widest,
) -> Packed {
    let [summed, produced] = direction.group_channels(shape);
    let mut packed = Packed::new(shape.groups, produced, taps.len() * summed, lanes::<S>(), widest);
    let sizes = [packed.depth, packed.lanes];
    let values = &mut packed.values[..];
    let targets = parts(shape.groups, &packed.blocks, sizes, values, <[f32]>::split_at_mut);
    let lines = Lines::new(shape, direction, taps);
    let pack_one = |(group, block, target): (usize, Block, &mut [f32])| {
        let from = Strides::new(shape, direction, group, &block);
        lines.pack_block(&from, weight, &block, target);
    };
    share(targets, threads_for_floats(shape.weight_len()), pack_one);
    packed
}

/// Pack a weight for pairs of results: `[place of the reach][summed channel]`, the left result's channels, then
/// the right one's. Both must fit a register of `lanes`.
pub(crate) fn pack_pairs(
    shape: &ConvShape,
    direction: Direction,
    taps: &[[Option<[usize; 2]>; 2]],
    weight: &[f32],
    lanes: usize,
) -> Packed {
    let [summed, produced] = direction.group_channels(shape);
    let mut packed = Packed::new(1, 2 * produced, taps.len() * summed, lanes, Widest::Two);
    packed.values.fill(0.0);
    let from = Strides::new(shape, direction, 0, &Block { first: 0, channels: produced, registers: 1 });
    for (index, sides) in taps.iter().enumerate() {
        for channel in 0..summed {
            let line = &mut packed.values[(index * summed + channel) * lanes..][..2 * produced];
            for (side, line) in sides.iter().zip(line.chunks_exact_mut(produced)) {
                if let Some([y, x]) = side {
                    let start = from.start + channel * from.summed + y * from.row + x;
                    gather(&weight[start..], from.produced, line);
                }
            }
        }
    }
    packed
}

/// Gradients from the sums over pairs of pixels: the left ones' and the right ones' added up.
pub(crate) fn unpack_pairs(
    shape: &ConvShape,
    taps: &[[Option<[usize; 2]>; 2]],
    layout: &Packed,
    sums: &[f32],
    parameters: Parameters,
) -> ConvGradients {
    let [group_in, group_out] = [shape.group_in(), shape.group_out()];
    let mut weight = vec![0.0; shape.weight_len()];
    let mut bias = (parameters == Parameters::WeightAndBias).then(|| vec![0.0; group_out]);
    for block in &layout.blocks {
        let line = layout.line(block);
        for lane in 0..block.channels {
            let [side, out] = [(block.first + lane) / group_out, (block.first + lane) % group_out];
            let to = Strides::new(shape, Direction::Forward, 0, &Block { first: out, ..*block });
            for (place, sides) in taps.iter().enumerate() {
                let Some([y, x]) = sides[side] else { continue };
                for channel in 0..group_in {
                    let from = layout.start(0, block) + (place * group_in + channel) * line + lane;
                    weight[to.start + channel * to.summed + y * to.row + x] += sums[from];
                }
            }
            if let Some(bias) = &mut bias {
                bias[out] += sums[layout.values().len() + block.first + lane];
            }
        }
    }
    ConvGradients { weight, bias }
}

/// The lines of a packed block, `[tap][summed channel]`, in the order of the weight's memory.
pub(crate) struct Lines {
    /// For each tap, in the order of the weight's memory: floats from the channel's start in the weight, and the line of
    /// the first channel in the packed block.
    taps: Vec<(usize, usize)>,
    summed: usize,
    /// Floats from one summed channel to the next in the weight.
    stride: usize,
}

/// Lines that are visited together.
enum Run {
    One(usize),
    /// Neighbours in the weight.
    Four([usize; 4]),
}

impl Lines {
    pub(crate) fn new(shape: &ConvShape, direction: Direction, taps: &[[usize; 2]]) -> Self {
        let [summed, _] = direction.group_channels(shape);
        let strides = Strides::new(shape, direction, 0, &Block { first: 0, channels: 1, registers: 1 });
        let place = |(index, [y, x]): (usize, &[usize; 2])| (y * strides.row + x, index * summed);
        let mut taps: Vec<_> = taps.iter().enumerate().map(place).collect();
        taps.sort_unstable();
        Self { taps, summed, stride: strides.summed }
    }

    /// Of a linear layer: `summed` channels, `stride` floats from one to the next.
    pub(crate) fn of_rows(summed: usize, stride: usize) -> Self {
        Self { taps: vec![(0, 0)], summed, stride }
    }

    /// How many.
    fn len(&self) -> usize {
        self.taps.len() * self.summed
    }

    /// Call `visit` with the offset in the weight for every line, four at a time where they are neighbours.
    fn visit(&self, mut visit: impl FnMut(usize, Run)) {
        // Offsets and lines that wait for enough neighbours.
        let mut waiting = [(0, 0); 4];
        let mut count = 0;
        for channel in 0..self.summed {
            for (offset, line) in &self.taps {
                waiting[count] = (channel * self.stride + offset, line + channel);
                count += 1;
                if count < waiting.len() {
                    continue;
                }
                if waiting[3].0 == waiting[0].0 + 3 {
                    visit(waiting[0].0, Run::Four(waiting.map(|(_, line)| line)));
                    count = 0;
                } else {
                    visit(waiting[0].0, Run::One(waiting[0].1));
                    waiting.copy_within(1.., 0);
                    count = 3;
                }
            }
        }
        for (offset, line) in &waiting[..count] {
            visit(*offset, Run::One(*line));
        }
    }

    /// Pack the block of `weight` that `from` leads to: `[tap][summed channel][registers * lanes]`.
    pub(crate) fn pack_block(&self, from: &Strides, weight: &[f32], block: &Block, target: &mut [f32]) {
        let row = target.len() / self.len().max(1);
        if block.channels < row {
            target.fill(0.0);
        }
        self.visit(|offset, run| {
            let source = &weight[from.start + offset..];
            match run {
                Run::Four(lines) => {
                    gather_four(source, from.produced, block.channels, target, lines.map(|line| line * row));
                }
                Run::One(line) => gather(source, from.produced, &mut target[line * row..][..block.channels]),
            }
        });
    }
}

/// `columns[j][i] = rows[i][j]`.
///
/// # Safety
/// Rows must be readable, columns writable for four floats.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn transpose_four(rows: [*const f32; 4], columns: [*mut f32; 4]) {
    use std::arch::x86_64::{_MM_TRANSPOSE4_PS, _mm_loadu_ps, _mm_storeu_ps};
    // By hand because macerator has no shuffles and the compiler leaves it scalar.
    // SAFETY: granted by the caller; every x86-64 has SSE.
    unsafe {
        let [mut a, mut b, mut c, mut d] = rows.map(|row| _mm_loadu_ps(row));
        _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
        for (column, values) in columns.into_iter().zip([a, b, c, d]) {
            _mm_storeu_ps(column, values);
        }
    }
}

/// `columns[j][i] = rows[i][j]`.
///
/// # Safety
/// Rows must be readable, columns writable for four floats.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
unsafe fn transpose_four(rows: [*const f32; 4], columns: [*mut f32; 4]) {
    // SAFETY: granted by the caller.
    unsafe {
        let rows = rows.map(|row| row.cast::<[f32; 4]>().read_unaligned());
        for (index, column) in columns.into_iter().enumerate() {
            column.cast::<[f32; 4]>().write_unaligned(rows.map(|row| row[index]));
        }
    }
}

/// `target[starts[j] + i] = source[i * step + j]` for `i < count`, `j < 4`.
fn gather_four(source: &[f32], step: usize, count: usize, target: &mut [f32], starts: [usize; 4]) {
    let last = count.saturating_sub(1);
    assert!(last * step + 3 < source.len(), "the source is long enough");
    assert!(starts.iter().all(|start| start + last < target.len()), "the target is long enough");
    let (from, to) = (source.as_ptr(), target.as_mut_ptr());
    // SAFETY: `i` stays below `count`, and the last of them was checked above.
    unsafe {
        let whole = count - count % 4;
        for i in (0..whole).step_by(4) {
            let rows: [*const f32; 4] = each(|row| from.add((i + row) * step));
            // Rows are so many that nobody else sees where they go on.
            rows.iter().for_each(|row| prefetch(row.wrapping_add(PREFETCH_FLOATS)));
            transpose_four(rows, starts.map(|start| to.add(start + i)));
        }
        for i in whole..count {
            for (j, start) in starts.iter().enumerate() {
                to.add(start + i).write(from.add(i * step + j).read());
            }
        }
    }
}

/// `target[i * step + j] = source[starts[j] + i]` for `i < count`, `j < 4`.
///
/// # Safety
/// `target` must be writable there.
unsafe fn scatter_four(source: &[f32], starts: [usize; 4], count: usize, target: *mut f32, step: usize) {
    assert!(starts.iter().all(|start| start + count <= source.len()), "the source is long enough");
    let from = source.as_ptr();
    // SAFETY: reads were checked above, writes are granted by the caller.
    unsafe {
        let whole = count - count % 4;
        for i in (0..whole).step_by(4) {
            let columns = each(|column| target.add((i + column) * step));
            transpose_four(starts.map(|start| from.add(start + i)), columns);
        }
        for i in whole..count {
            for (j, start) in starts.iter().enumerate() {
                target.add(i * step + j).write(from.add(start + i).read());
            }
        }
    }
}

/// `target[i] = source[i * step]`.
fn gather(source: &[f32], step: usize, target: &mut [f32]) {
    assert!(target.is_empty() || (target.len() - 1) * step < source.len(), "the source is long enough");
    if step == 1 {
        return target.copy_from_slice(&source[..target.len()]);
    }
    let mut at = 0;
    let (groups, rest) = target.as_chunks_mut::<8>();
    // Groups of constant size unroll.
    for group in groups {
        for (index, value) in group.iter_mut().enumerate() {
            // SAFETY: checked above for the last value of the target.
            *value = unsafe { *source.get_unchecked(at + index * step) };
        }
        at += 8 * step;
    }
    for (index, value) in rest.iter_mut().enumerate() {
        *value = source[at + index * step];
    }
}

/// `target[i * step] = source[i]`.
///
/// # Safety
/// `target` must be writable there.
unsafe fn scatter(source: &[f32], step: usize, mut target: *mut f32) {
    if step == 1 {
        // SAFETY: granted by the caller; a source that is borrowed is not the target.
        return unsafe { target.copy_from_nonoverlapping(source.as_ptr(), source.len()) };
    }
    let (groups, rest) = source.as_chunks::<8>();
    for group in groups {
        for (index, value) in group.iter().enumerate() {
            // SAFETY: granted by the caller.
            unsafe { target.add(index * step).write(*value) };
        }
        target = target.wrapping_add(8 * step);
    }
    for (index, value) in rest.iter().enumerate() {
        // SAFETY: granted by the caller.
        unsafe { target.add(index * step).write(*value) };
    }
}
