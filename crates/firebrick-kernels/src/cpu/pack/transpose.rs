//! Copies between values that lie apart and values that lie side by side, four by four where they can be transposed.

use crate::cpu::simd::{each, prefetch};

/// How far ahead in each row of a weight the next values are prefetched, in floats.
const PREFETCH_FLOATS: usize = 128;

/// `columns[j][i] = rows[i][j]`.
///
/// # Safety
/// Rows must be readable, columns writable for four floats.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn transpose_four(rows: [*const f32; 4], columns: [*mut f32; 4]) {
    use std::arch::x86_64::{_MM_TRANSPOSE4_PS, _mm_loadu_ps, _mm_storeu_ps};
    // With intrinsics because macerator has no shuffles and the compiler does not vectorise it.
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
pub(super) fn gather_four(source: &[f32], step: usize, count: usize, target: &mut [f32], starts: [usize; 4]) {
    let last = count.saturating_sub(1);
    assert!(last * step + 3 < source.len(), "the source is long enough");
    assert!(starts.iter().all(|start| start + last < target.len()), "the target is long enough");
    let (from, to) = (source.as_ptr(), target.as_mut_ptr());
    // SAFETY: `i` stays below `count`, and the last of them was checked above.
    unsafe {
        let whole = count - count % 4;
        for i in (0..whole).step_by(4) {
            let rows: [*const f32; 4] = each(|row| from.add((i + row) * step));
            // The rows are too many for the hardware prefetcher to follow.
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
pub(crate) unsafe fn scatter_four(
    source: &[f32],
    starts: [usize; 4],
    count: usize,
    target: *mut f32,
    step: usize,
) {
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
pub(super) fn gather(source: &[f32], step: usize, target: &mut [f32]) {
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
pub(crate) unsafe fn scatter(source: &[f32], step: usize, mut target: *mut f32) {
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
