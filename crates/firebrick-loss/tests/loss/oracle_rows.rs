//! The oracle's losses of pairs, triplets, rows and sequences.

use std::f64::consts::PI;

use crate::dual::Dual;
use crate::oracle::{Problem, broadcast_index};

impl Problem<'_> {
    pub(crate) fn margin_ranking(&self) -> Vec<Dual> {
        let margin = self.argument("margin", 0.0);
        let pairs = self.duals("input1").into_iter().zip(self.duals("input2"));
        let targets = self.numbers("target");
        let loss = |((a, b), t): ((Dual, Dual), f64)| ((b - a) * t + margin).positive_part();
        pairs.zip(targets).map(loss).collect()
    }

    pub(crate) fn gaussian(&self) -> Vec<Dual> {
        let (input, target, var) = (self.duals("input"), self.numbers("target"), self.duals("var"));
        let shape = &self.array("input").shape;
        let mut var_shape = self.array("var").shape.clone();
        if var_shape.len() < shape.len() {
            var_shape.push(1);
        }
        let eps = self.argument("eps", 1e-6);
        let constant = if self.flag("full", false) { 0.5 * (2.0 * PI).ln() } else { 0.0 };
        let loss = |flat: usize| {
            let v = var[broadcast_index(flat, shape, &var_shape)];
            let v = Dual { value: v.value.max(eps), ..v };
            let d = input[flat] - target[flat];
            (v.ln() + d * d / v) * 0.5 + constant
        };
        (0..input.len()).map(loss).collect()
    }

    pub(crate) fn cosine(&self) -> Vec<Dual> {
        let margin = self.argument("margin", 0.0);
        let (first, second) = (self.rows("input1"), self.rows("input2"));
        let loss = |((a, b), t): ((&Vec<Dual>, &Vec<Dual>), f64)| {
            let dot = |x: &[Dual], y: &[Dual]| -> Dual { x.iter().zip(y).map(|(&x, &y)| x * y).sum() };
            let lengths = (dot(a, a) + 1e-12) * (dot(b, b) + 1e-12);
            let cosine = dot(a, b) / lengths.power(0.5);
            match t {
                1.0 => -cosine + 1.0,
                -1.0 => (cosine - margin).positive_part(),
                _ => Dual::new(0.0),
            }
        };
        first.iter().zip(&second).zip(self.numbers("target")).map(loss).collect()
    }

    pub(crate) fn multi_margin(&self) -> Vec<Dual> {
        let (p, margin) = (self.argument("p", 1.0), self.argument("margin", 1.0));
        let rows = self.rows("input");
        let weights = self.class_weights(rows[0].len());
        let loss = |(row, target): (&Vec<Dual>, i64)| {
            let target = target as usize;
            let others = (0..row.len()).filter(|&class| class != target);
            let hinge = |class: usize| (row[class] - row[target] + margin).positive_part();
            let total: Dual =
                others.map(|class| if p == 2.0 { hinge(class) * hinge(class) } else { hinge(class) }).sum();
            total * (weights[target] / row.len() as f64)
        };
        rows.iter().zip(self.integers("target")).map(loss).collect()
    }

    pub(crate) fn multilabel_margin(&self) -> Vec<Dual> {
        let rows = self.rows("input");
        let targets = self.integers("target");
        let loss = |(row, targets): (&Vec<Dual>, &[i64])| {
            let listed: Vec<usize> = targets.iter().take_while(|&&t| t >= 0).map(|&t| t as usize).collect();
            let mut total = Dual::new(0.0);
            for &target in &listed {
                for class in (0..row.len()).filter(|class| !listed.contains(class)) {
                    total = total + (row[class] - row[target] + 1.0).positive_part();
                }
            }
            total * (1.0 / row.len() as f64)
        };
        rows.iter().zip(targets.chunks(rows[0].len())).map(loss).collect()
    }

    pub(crate) fn multilabel_soft_margin(&self) -> Vec<Dual> {
        let shape = &self.array("input").shape;
        let weight = self.broadcast("weight", shape);
        let classes = *shape.last().unwrap();
        let pairs = self.duals("input").into_iter().zip(self.numbers("target")).zip(weight);
        let part = |((x, t), w): ((Dual, f64), f64)| ((-x).softplus() * t + x.softplus() * (1.0 - t)) * w;
        let parts: Vec<Dual> = pairs.map(part).collect();
        let mean = |row: &[Dual]| row.iter().copied().sum::<Dual>() * (1.0 / classes as f64);
        parts.chunks(classes).map(mean).collect()
    }

    pub(crate) fn triplet(&self) -> Vec<Dual> {
        let (anchor, positive, negative) =
            (self.rows("anchor"), self.rows("positive"), self.rows("negative"));
        let (p, eps) = (self.argument("p", 2.0), self.argument("eps", 1e-6));
        let distance = |x: &[Dual], y: &[Dual]| {
            let differences = x.iter().zip(y).map(|(&x, &y)| (x - y + eps).abs());
            if p == 0.0 {
                return Dual::new(differences.filter(|d| d.value != 0.0).count() as f64);
            }
            differences.map(|d| d.power(p)).sum::<Dual>().power(1.0 / p)
        };
        let loss = |row: usize| {
            let to_positive = distance(&anchor[row], &positive[row]);
            let mut to_negative = distance(&anchor[row], &negative[row]);
            if self.flag("swap", false) {
                to_negative = to_negative.smaller(distance(&positive[row], &negative[row]));
            }
            (to_positive - to_negative + self.argument("margin", 1.0)).positive_part()
        };
        (0..anchor.len()).map(loss).collect()
    }

    pub(crate) fn ctc(&self) -> (Vec<Dual>, Option<Vec<f64>>) {
        let shape = &self.array("log_probs").shape;
        let batch = if shape.len() == 3 { shape[1] } else { 1 };
        let classes = *shape.last().unwrap();
        let log_probs = self.duals("log_probs");
        let (targets, inputs, lengths) =
            (self.integers("targets"), self.integers("input_lengths"), self.integers("target_lengths"));
        let is_padded = self.array("targets").shape.len() == 2;
        let mut start = 0;
        let mut losses = Vec::new();
        for sample in 0..batch {
            let begin = if is_padded { sample * self.array("targets").shape[1] } else { start };
            start += lengths[sample] as usize;
            let labels = &targets[begin..begin + lengths[sample] as usize];
            let steps: Vec<&[Dual]> = (0..inputs[sample] as usize)
                .map(|step| &log_probs[(step * batch + sample) * classes..][..classes])
                .collect();
            losses.push(self.ctc_sample(labels, &steps));
        }
        if self.case.args["reduction"] == "mean" {
            let share = |(loss, &length): (&Dual, &i64)| *loss * (1.0 / length.max(1) as f64);
            losses = losses.iter().zip(&lengths).map(share).collect();
        }
        (losses, None)
    }

    /// Sums the probabilities of all alignments, step by step; no logarithms before the end.
    fn ctc_sample(&self, labels: &[i64], steps: &[&[Dual]]) -> Dual {
        let blank = self.argument("blank", 0.0) as i64;
        let mut symbols = vec![blank];
        for &label in labels {
            symbols.extend([label, blank]);
        }
        let mut reached = vec![Dual::new(0.0); symbols.len()];
        for (step, probabilities) in steps.iter().enumerate() {
            let from = |place: usize| {
                if step == 0 {
                    return Dual::new(if place <= 1 { 1.0 } else { 0.0 });
                }
                let mut sum = reached[place];
                if place >= 1 {
                    sum = sum + reached[place - 1];
                }
                if place >= 2 && symbols[place] != symbols[place - 2] {
                    sum = sum + reached[place - 2];
                }
                sum
            };
            let emit = |place: usize| probabilities[symbols[place] as usize].exp();
            reached = (0..symbols.len()).map(|place| from(place) * emit(place)).collect();
        }
        let ends = reached.iter().rev().take(2).copied();
        let probability: Dual = match (steps.is_empty(), labels.is_empty()) {
            (true, is_empty) => Dual::new(if is_empty { 1.0 } else { 0.0 }),
            _ => ends.sum(),
        };
        if probability.value == 0.0 && self.flag("zero_infinity", false) {
            return Dual::new(0.0);
        }
        // torch's gradient counts the softmax in front of the loss in.
        let softmax: f64 = steps.iter().flat_map(|p| p.iter()).map(|p| p.slope * p.value.exp()).sum();
        let loss = -probability.ln();
        Dual { slope: loss.slope + softmax, ..loss }
    }
}
