//! Matrices that change the order of their values in memory, as images do between NCHW and NHWC.

use super::pack::{scatter, scatter_four};
use super::parallel::{parallel_for, threads_for_floats};

/// The transpose of each of the matrices that lie one after the other.
///
/// # Shapes
/// `source` `[matrices, rows, columns]`, the result `[matrices, columns, rows]`.
///
/// # Panics
/// If `source` does not hold whole matrices.
pub fn transpose(source: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    let len = rows * columns;
    let mut target = vec![0.0; source.len()];
    if len == 0 {
        return target;
    }
    assert!(source.len().is_multiple_of(len), "whole matrices");
    let matrices = source.chunks_exact(len).zip(target.chunks_exact_mut(len)).collect();
    parallel_for(matrices, threads_for_floats(source.len()), |(source, target)| {
        transpose_one(source, [rows, columns], target);
    });
    target
}

fn transpose_one(source: &[f32], [rows, columns]: [usize; 2], target: &mut [f32]) {
    assert!(source.len() == rows * columns && target.len() == source.len(), "both are one matrix");
    let to = target.as_mut_ptr();
    let whole = rows - rows % 4;
    for row in (0..whole).step_by(4) {
        let starts = std::array::from_fn(|next| (row + next) * columns);
        // SAFETY: `column * rows + row + 3` is inside the target for every column, as `row + 3 < rows`.
        unsafe { scatter_four(source, starts, columns, to.add(row), rows) };
    }
    for row in whole..rows {
        // SAFETY: as above.
        unsafe { scatter(&source[row * columns..][..columns], rows, to.add(row)) };
    }
}
