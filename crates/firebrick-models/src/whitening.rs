//! Filters that whiten the windows of images: what they give for the windows of a data set has no correlation and, but for
//! the smallest parts, variance 1.
//!
//! # Source
//!
//! K. Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, section 3.2, which has them from D. Page, "How to
//! train your ResNet", 2019, and T. Tesfaldet.

use burn::module::Param;
use burn::tensor::{Tensor, TensorData};

use crate::network::Network;
use crate::walk::{Change, ParamRef, change};

/// A first convolution whose weight is made from the training images before training begins, and of which twice as many
/// filters as there are numbers in a window are asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Whitening {
    /// The convolution's path.
    pub layer: &'static str,
    /// Height and width of its window.
    pub window: [usize; 2],
    /// How many of the training images are looked at, at most.
    pub num_images: usize,
    /// Added to the variance of every direction, so that those without signal are not blown up.
    pub eps: f64,
}

impl Whitening {
    /// The network with its filters.
    ///
    /// # Shapes
    ///
    /// `moments` `[length, length]`: the mean of the products of each two numbers of a window, `length` of which are
    /// `[channels, height, width]` row by row.
    ///
    /// # Panics
    ///
    /// If the network has no such convolution or `moments` another length.
    pub fn apply(&self, model: Network, moments: &[f64]) -> Network {
        let layer = model.plan().layers().iter().find(|layer| layer.path == self.layer);
        let shape = match layer.and_then(|layer| layer.parameters.first()) {
            Some(spec) if spec.shape.len() == 4 => spec.shape.clone(),
            _ => unreachable!("bug: the network has no convolution `{}`", self.layer),
        };
        let length: usize = shape[1..].iter().product();
        assert_eq!([shape[0], moments.len()], [2 * length, length * length], "bug: other sizes of windows");
        let data = TensorData::new(filters(moments, length, self.eps), shape);
        change(model, &mut Put { path: format!("{}.weight", self.layer), data })
    }
}

/// Puts values into one parameter.
struct Put {
    path: String,
    data: TensorData,
}

impl Change for Put {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if at.path != self.path {
            return parameter;
        }
        let tensor = Tensor::from_data(self.data.clone(), &parameter.lazy_device());
        let id = parameter.id;
        parameter.transform_for_load(tensor, id)
    }
}

/// For every direction in which windows vary, from the strongest to the weakest, a filter that gives it variance 1; then the
/// same filters with the other sign.
fn filters(moments: &[f64], length: usize, eps: f64) -> Vec<f32> {
    let mut directions = eigenvectors(moments, length);
    directions.sort_by(|a, b| b.0.total_cmp(&a.0));
    let scaled = directions.iter().flat_map(|(variance, direction)| {
        let scale = (variance.max(0.0) + eps).sqrt();
        direction.iter().map(move |value| value / scale)
    });
    let half: Vec<f32> = scaled.map(|value| value as f32).collect();
    half.iter().copied().chain(half.iter().map(|value| -value)).collect()
}

/// Eigenvalues and unit eigenvectors of a symmetric matrix by Jacobi's method: rotations of two axes, each of which makes
/// one element 0. The largest element of every vector is positive.
fn eigenvectors(matrix: &[f64], length: usize) -> Vec<(f64, Vec<f64>)> {
    const MOST_SWEEPS: usize = 50;
    let mut matrix = matrix.to_vec();
    let mut vectors = vec![0.0; length * length];
    for axis in 0..length {
        vectors[axis * length + axis] = 1.0;
    }
    for _ in 0..MOST_SWEEPS {
        let pairs = (0..length).flat_map(|p| (p + 1..length).map(move |q| (p, q)));
        let rotated =
            pairs.fold(false, |rotated, (p, q)| rotate(&mut matrix, &mut vectors, length, p, q) | rotated);
        if !rotated {
            break;
        }
    }
    let vector = |axis: usize| {
        let column: Vec<f64> = (0..length).map(|row| vectors[row * length + axis]).collect();
        let largest = column
            .iter()
            .copied()
            .fold(0.0, |most: f64, value| if value.abs() > most.abs() { value } else { most });
        column.into_iter().map(|value| value * largest.signum()).collect()
    };
    (0..length).map(|axis| (matrix[axis * length + axis], vector(axis))).collect()
}

/// Rotates the axes `p` and `q` so that their product becomes 0; says whether it was not yet.
fn rotate(matrix: &mut [f64], vectors: &mut [f64], length: usize, p: usize, q: usize) -> bool {
    let (pp, qq, pq) = (matrix[p * length + p], matrix[q * length + q], matrix[p * length + q]);
    if pq.abs() <= f64::EPSILON * (pp.abs() * qq.abs()).sqrt() {
        return false;
    }
    let theta = (qq - pp) / (2.0 * pq);
    let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    let turn = |values: &mut [f64], at_p: usize, at_q: usize| {
        let (a, b) = (values[at_p], values[at_q]);
        values[at_p] = cosine * a - sine * b;
        values[at_q] = sine * a + cosine * b;
    };
    for other in 0..length {
        turn(matrix, other * length + p, other * length + q);
        turn(vectors, other * length + p, other * length + q);
    }
    for other in 0..length {
        turn(matrix, p * length + other, q * length + other);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::filters;

    /// Windows that are multiplied with the filters have the moments of white noise.
    #[test]
    fn filters_whiten() {
        // A A^T of a matrix with no symmetry.
        let (length, eps) = (6, 1e-9);
        let a = |row: usize, column: usize| {
            ((row * 7 + column * 3) % 11) as f64 - 4.0 + (row == column) as u8 as f64
        };
        let moments: Vec<f64> = (0..length * length)
            .map(|at| (0..length).map(|inner| a(at / length, inner) * a(at % length, inner)).sum())
            .collect();
        let filters = filters(&moments, length, eps);
        assert_eq!(filters.len(), 2 * length * length);
        for (i, first) in filters.chunks(length).take(length).enumerate() {
            for (j, second) in filters.chunks(length).take(length).enumerate() {
                let terms = (0..length * length)
                    .map(|at| f64::from(first[at / length]) * moments[at] * f64::from(second[at % length]));
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((terms.sum::<f64>() - expected).abs() < 1e-4, "{i}, {j}");
            }
        }
        let (half, other) = filters.split_at(length * length);
        assert!(half.iter().zip(other).all(|(a, b)| *a == -b));
    }

    /// No signal at all gives no infinities.
    #[test]
    fn black_images_give_finite_filters() {
        assert!(filters(&[0.0; 144], 12, 5e-4).iter().all(|value| value.is_finite()));
    }
}
