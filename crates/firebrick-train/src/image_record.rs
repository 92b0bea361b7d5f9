//! What an evaluation keeps of each image. Metrics, the confusion matrix and reports are made of these records.

use crate::softmax::{Probabilities, is_above};

/// As many of an image's most probable classes are kept.
pub const MAX_TOP: usize = 5;

/// A class and its probability.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ClassProbability {
    /// Position among the classes.
    pub class: usize,
    /// 0 to 1; NaN when a score is not a number.
    pub probability: f32,
}

/// One image of an evaluated split. It has the same small size whatever the number of classes.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageRecord {
    /// Position in the split.
    pub index: usize,
    /// The class that it is of.
    pub label: usize,
    /// The probability of that class, 0 to 1.
    pub label_probability: f32,
    /// The image's part of the split's loss.
    pub loss: f64,
    /// How much the image counts in the mean: 1, but for class weights and `ignore_index`.
    pub weight: f64,
    top: [ClassProbability; MAX_TOP],
    num_top: u8,
}

impl ImageRecord {
    /// The record of an image with one output for each class, at least one, of which `label` is one; `probabilities`
    /// says what the outputs mean.
    pub(crate) fn new(
        index: usize,
        label: usize,
        scores: &[f32],
        probabilities: &Probabilities,
        [loss, weight]: [f64; 2],
    ) -> Self {
        let probability = |class: usize| probabilities.of_score(scores[class]) as f32;
        let (classes, num_top) = top_classes(scores);
        let mut top = [ClassProbability::default(); MAX_TOP];
        for (place, class) in top.iter_mut().zip(&classes[..num_top]) {
            *place = ClassProbability { class: *class, probability: probability(*class) };
        }
        let label_probability = probability(label);
        Self { index, label, label_probability, loss, weight, top, num_top: num_top as u8 }
    }

    /// The most probable classes, the most probable first, at most [`MAX_TOP`]; among equals the lower class comes
    /// first.
    pub fn top(&self) -> &[ClassProbability] {
        &self.top[..usize::from(self.num_top)]
    }

    /// The class that the network takes the image for.
    pub fn predicted(&self) -> usize {
        self.top[0].class
    }

    /// Whether that is the image's class.
    pub fn is_correct(&self) -> bool {
        self.predicted() == self.label
    }
}

/// The classes with the highest scores, highest first, and how many they are.
fn top_classes(scores: &[f32]) -> ([usize; MAX_TOP], usize) {
    let mut top = [0; MAX_TOP];
    let mut num_top = 0;
    for (class, score) in scores.iter().enumerate() {
        if num_top == MAX_TOP && !is_above(*score, scores[top[MAX_TOP - 1]]) {
            continue;
        }
        let place = top[..num_top].iter().position(|other| is_above(*score, scores[*other]));
        let place = place.unwrap_or(num_top); // behind all others, for which there is room
        num_top = (num_top + 1).min(MAX_TOP);
        top[place..num_top].rotate_right(1);
        top[place] = class;
    }
    (top, num_top)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::softmax::arg_max;

    fn classes(scores: &[f32]) -> Vec<usize> {
        ImageRecord::new(0, 0, scores, &Probabilities::of(scores, false), [0.0, 1.0])
            .top()
            .iter()
            .map(|top| top.class)
            .collect()
    }

    #[test]
    fn the_best_classes_come_first_and_the_lower_of_equals_before_the_higher() {
        assert_eq!(classes(&[0.5, 2.0, 0.5, 3.0, -1.0, 2.0, 0.0]), [3, 1, 5, 0, 2]);
        assert_eq!(classes(&[1.0, 1.0]), [0, 1]);
        assert_eq!(classes(&[7.0]), [0]);
    }

    #[test]
    fn not_a_number_is_the_largest_as_in_torch() {
        let scores = [1.0, f32::NAN, f32::INFINITY, f32::NAN];
        assert_eq!(classes(&scores), [1, 3, 2, 0]);
        assert_eq!(arg_max(&scores), 1);
    }

    #[test]
    fn probabilities_are_the_softmax() {
        let scores = [0.0, 2.0_f32.ln(), 0.0];
        let record = ImageRecord::new(7, 2, &scores, &Probabilities::of(&scores, false), [0.25, 1.0]);
        assert_eq!((record.index, record.predicted(), record.is_correct()), (7, 1, false));
        assert!((record.top()[0].probability - 0.5).abs() < 1e-6, "{record:?}");
        assert!((record.label_probability - 0.25).abs() < 1e-6, "{record:?}");
    }

    #[test]
    fn outputs_that_are_probabilities_stay_as_they_are() {
        let scores = [0.9, 0.2, 0.7];
        let record = ImageRecord::new(0, 1, &scores, &Probabilities::of(&scores, true), [0.0, 1.0]);
        assert_eq!((record.predicted(), record.label_probability), (0, 0.2));
        assert_eq!(record.top()[1].probability, 0.7);
    }
}
