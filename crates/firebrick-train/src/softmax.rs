//! From scores to probabilities, on the host.

/// The softmax of one image's scores, in f64.
pub(crate) struct Softmax {
    largest: f32,
    sum: f64,
}

impl Softmax {
    /// Looks at all scores of an image once.
    pub(crate) fn of(scores: &[f32]) -> Self {
        let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum = scores.iter().map(|score| power(*score, largest)).sum();
        Self { largest, sum }
    }

    /// The probability of the class with this score, 0 to 1.
    pub(crate) fn probability(&self, score: f32) -> f64 {
        power(score, self.largest) / self.sum
    }
}

/// Relative to the largest score, so that nothing overflows.
fn power(score: f32, largest: f32) -> f64 {
    f64::from(score - largest).exp()
}

/// Whether `score` comes before `other`; NaN counts as largest, as in torch's `argmax`.
pub(crate) fn is_above(score: f32, other: f32) -> bool {
    score > other || (score.is_nan() && !other.is_nan())
}

/// Position of the largest score, the first among equals.
pub(crate) fn arg_max(scores: &[f32]) -> usize {
    let mut best = 0;
    for (index, score) in scores.iter().enumerate().skip(1) {
        if is_above(*score, scores[best]) {
            best = index;
        }
    }
    best
}
