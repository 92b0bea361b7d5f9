//! Mean 0 and variance 1 of every row: what layer and group normalisation share.

use burn::tensor::Tensor;

/// `(row - mean) / sqrt(variance + eps)` with the biased variance.
///
/// # Shapes
///
/// `rows` is `[n, c]`, and so is the result.
pub(super) fn normalise(rows: Tensor<2>, eps: f64) -> Tensor<2> {
    let centred = rows.clone() - rows.mean_dim(1);
    let variance = (centred.clone() * centred.clone()).mean_dim(1);
    centred / (variance + eps).sqrt()
}
