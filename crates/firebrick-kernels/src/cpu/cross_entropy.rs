//! Cross-entropy of class indices and its gradient, row by row.

/// What the forward pass finds.
#[derive(Clone, Debug)]
pub struct CrossEntropy {
    /// The sum of `log(sum(exp(row))) - row[class]` over the rows that have a class.
    pub sum: f64,
    /// The softmax of every row, `[rows, classes]`.
    pub probabilities: Vec<f32>,
}

/// Cross-entropy of rows of logits; a row without a class costs nothing.
///
/// By torch's formulas, `x - max - log(sum)` and its exponential. Sums are added up in f64: a row's is then right to the
/// last bit of f32, in whatever order.
///
/// # Shapes
/// `logits` `[rows, classes]`, `of_rows` `[rows]`, each class below `classes`.
#[must_use]
pub fn cross_entropy(logits: &[f32], classes: usize, of_rows: &[Option<usize>]) -> CrossEntropy {
    let mut found = CrossEntropy { sum: 0.0, probabilities: Vec::with_capacity(logits.len()) };
    for (row, class) in logits.chunks_exact(classes.max(1)).zip(of_rows) {
        // A NaN is passed over here and arrives by its exponential.
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = row.iter().map(|logit| f64::from((logit - largest).exp())).sum();
        let log_sum = (sum as f32).ln();
        let log_probability = |logit: &f32| logit - largest - log_sum;
        found.probabilities.extend(row.iter().map(|logit| log_probability(logit).exp()));
        if let Some(logit) = class.and_then(|class| row.get(class)) {
            found.sum -= f64::from(log_probability(logit));
        }
    }
    found
}

/// The logits' gradient, for a gradient of [`CrossEntropy::sum`]: of `log_softmax` and of `nll_loss`, as torch rounds them.
///
/// # Shapes
/// `probabilities` and the result `[rows, classes]`, `of_rows` `[rows]`.
#[must_use]
pub fn cross_entropy_gradient(
    probabilities: &[f32],
    classes: usize,
    of_rows: &[Option<usize>],
    gradient: f32,
) -> Vec<f32> {
    let mut gradients = vec![0.0; probabilities.len()];
    let rows = gradients.chunks_exact_mut(classes.max(1)).zip(probabilities.chunks_exact(classes.max(1)));
    for ((gradients, probabilities), class) in rows.zip(of_rows) {
        let Some(class) = *class else { continue };
        for (index, (target, probability)) in gradients.iter_mut().zip(probabilities).enumerate() {
            let expected = if index == class { gradient } else { 0.0 };
            *target = probability * gradient - expected;
        }
    }
    gradients
}
