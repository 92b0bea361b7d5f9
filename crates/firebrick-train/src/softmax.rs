//! From scores to probabilities, on the host.

/// How the outputs of one image become probabilities of classes, in f64.
pub(crate) enum Probabilities {
    /// They are logits.
    Softmax {
        /// The largest of them.
        largest: f32,
        /// Of all powers.
        sum: f64,
    },
    /// They are probabilities already, each by itself.
    Given,
}

impl Probabilities {
    /// Looks at all outputs of an image once; `are_given` says that they are probabilities.
    pub(crate) fn of(scores: &[f32], are_given: bool) -> Self {
        if are_given {
            return Self::Given;
        }
        let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum = scores.iter().map(|score| power(*score, largest)).sum();
        Self::Softmax { largest, sum }
    }

    /// The probability of the class with this output, 0 to 1.
    pub(crate) fn of_score(&self, score: f32) -> f64 {
        match self {
            Self::Softmax { largest, sum } => power(score, *largest) / sum,
            Self::Given => f64::from(score),
        }
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
