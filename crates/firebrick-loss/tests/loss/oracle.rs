//! Every loss a second time: loops over f64 numbers, written from torch's documentation.
//!
//! It shares nothing with the losses it checks: no tensors, no Burn, derivatives by dual numbers.

use std::f64::consts::PI;

use serde_json::Value;

use crate::dual::Dual;
use crate::support::{Array, Case};

/// One case as the loops want it.
pub struct Problem<'a> {
    pub(crate) case: &'a Case,
    /// The input and the element whose derivative is asked for.
    seed: Option<(&'a str, usize)>,
}

/// The output of a case, and its gradients by name.
pub fn solve(case: &Case, inputs_with_gradients: &[&str]) -> (Array, Vec<(String, Array)>) {
    let output = Problem { case, seed: None }.output();
    let values = output.iter().map(|dual| dual.value).collect();
    let shape = case.output.as_ref().map_or(Vec::new(), |array| array.shape.clone());
    let gradient = |name: &&str| {
        let input = &case.inputs.iter().find(|(n, _)| n == name).unwrap().1;
        let slope = |index: usize| -> f64 {
            let seed = Some((*name, index));
            Problem { case, seed }.output().iter().map(|dual| dual.slope).sum()
        };
        let slopes = (0..input.values.len()).map(slope).collect();
        ((*name).to_owned(), Array::floats(&input.shape, slopes))
    };
    let gradients = inputs_with_gradients.iter().map(gradient).collect();
    (Array::floats(&shape, values), gradients)
}

impl Problem<'_> {
    pub(crate) fn array(&self, name: &str) -> &Array {
        &self.case.inputs.iter().find(|(n, _)| n == name).unwrap().1
    }

    pub(crate) fn duals(&self, name: &str) -> Vec<Dual> {
        let mut duals: Vec<Dual> = self.array(name).values.iter().map(|&v| Dual::new(v)).collect();
        if let Some((seeded, index)) = self.seed
            && seeded == name
        {
            duals[index].slope = 1.0;
        }
        duals
    }

    pub(crate) fn numbers(&self, name: &str) -> Vec<f64> {
        self.array(name).values.clone()
    }

    pub(crate) fn integers(&self, name: &str) -> Vec<i64> {
        self.array(name).values.iter().map(|&value| value as i64).collect()
    }

    pub(crate) fn argument(&self, name: &str, default: f64) -> f64 {
        self.case.args.get(name).and_then(Value::as_f64).unwrap_or(default)
    }

    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        self.case.args.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    /// One weight a class, 1 without the argument.
    pub(crate) fn class_weights(&self, classes: usize) -> Vec<f64> {
        match self.case.args.get("weight").and_then(Value::as_array) {
            None => vec![1.0; classes],
            Some(weights) => weights.iter().map(|w| w.as_f64().unwrap()).collect(),
        }
    }

    /// A weight for each element of the input, broadcast from the argument.
    pub(crate) fn broadcast(&self, name: &str, shape: &[usize]) -> Vec<f64> {
        let weight = self.case.args.get(name).unwrap_or(&Value::Null);
        let count: usize = shape.iter().product();
        (0..count).map(|flat| element(weight, flat, shape)).collect()
    }

    fn output(&self) -> Vec<Dual> {
        let (losses, weights) = self.losses();
        let total: Dual = losses.iter().copied().sum();
        match self.case.args["reduction"].as_str().unwrap_or("mean") {
            "none" => losses,
            "sum" => vec![total],
            "batchmean" => vec![total * (1.0 / self.array("input").shape[0] as f64)],
            _ => {
                let weight: f64 = weights.map_or(losses.len() as f64, |w| w.iter().sum());
                vec![total / Dual::new(weight)]
            }
        }
    }

    /// The unreduced losses, and what the mean divides by if not by their number.
    fn losses(&self) -> (Vec<Dual>, Option<Vec<f64>>) {
        match self.case.loss.as_str() {
            "cross_entropy" if self.array("target").is_float => (self.soft_targets(), None),
            "cross_entropy" | "nll" | "focal" => self.class_indices(),
            "margin_ranking" => (self.margin_ranking(), None),
            "gaussian_nll" => (self.gaussian(), None),
            "cosine_embedding" => (self.cosine(), None),
            "multi_margin" => (self.multi_margin(), None),
            "multilabel_margin" => (self.multilabel_margin(), None),
            "multilabel_soft_margin" => (self.multilabel_soft_margin(), None),
            "triplet_margin" => (self.triplet(), None),
            "ctc" => self.ctc(),
            _ => (self.elementwise(), None),
        }
    }

    fn elementwise(&self) -> Vec<Dual> {
        let shape = &self.array("input").shape;
        let weight = self.broadcast("weight", shape);
        let pos_weight = self.broadcast("pos_weight", shape);
        let pairs = self.duals("input").into_iter().zip(self.numbers("target"));
        let one =
            |(index, (x, t)): (usize, (Dual, f64))| self.element(x, t, pos_weight[index]) * weight[index];
        pairs.enumerate().map(one).collect()
    }

    fn element(&self, x: Dual, t: f64, pos_weight: f64) -> Dual {
        let d = x - t;
        match self.case.loss.as_str() {
            "l1" => d.abs(),
            "mse" => d * d,
            "smooth_l1" => {
                let beta = self.argument("beta", 1.0);
                if d.value.abs() < beta {
                    return d * d * (0.5 / beta);
                }
                d.abs() - 0.5 * beta
            }
            "huber" => {
                let delta = self.argument("delta", 1.0);
                if d.value.abs() <= delta {
                    return d * d * 0.5;
                }
                (d.abs() - 0.5 * delta) * delta
            }
            "bce" => {
                let p = x.value;
                let value = -t * p.ln().max(-100.0) - (1.0 - t) * (-p).ln_1p().max(-100.0);
                let slope = x.slope * (p - t) / (p * (1.0 - p)).max(1e-12);
                Dual { value, slope }
            }
            "bce_with_logits" => (-x).softplus() * (pos_weight * t) + x.softplus() * (1.0 - t),
            "kl_div" if self.flag("log_target", false) => (-x + t) * t.exp(),
            "kl_div" => {
                let own = if t == 0.0 { 0.0 } else { t * t.ln() };
                -x * t + own
            }
            "poisson_nll" => self.poisson(x, t),
            "hinge_embedding" => {
                let hinge = (-x + self.argument("margin", 1.0)).positive_part();
                let similar = if t == -1.0 { Dual::new(0.0) } else { x };
                let dissimilar = if t == 1.0 { Dual::new(0.0) } else { hinge };
                similar + dissimilar
            }
            "soft_margin" => (-x * t).softplus(),
            "sigmoid_focal" => {
                let (alpha, gamma) = (self.argument("alpha", 0.25), self.argument("gamma", 2.0));
                let q = (-x.softplus()).exp() * (1.0 - t) + (-(-x).softplus()).exp() * t;
                let entropy = x.softplus() * (1.0 - t) + (-x).softplus() * t;
                let balance = match alpha >= 0.0 {
                    true => alpha * t + (1.0 - alpha) * (1.0 - t),
                    false => 1.0,
                };
                let missed = if gamma == 0.0 { Dual::new(1.0) } else { (-q + 1.0).power(gamma) };
                entropy * missed * balance
            }
            other => panic!("no oracle for {other}"),
        }
    }

    fn poisson(&self, x: Dual, t: f64) -> Dual {
        let stirling = match self.flag("full", false) && t > 1.0 {
            true => t * t.ln() - t + 0.5 * (2.0 * PI * t).ln(),
            false => 0.0,
        };
        if self.flag("log_input", true) {
            return x.exp() - x * t + stirling;
        }
        x - (x + self.argument("eps", 1e-8)).ln() * t + stirling
    }

    /// Rows of `[N, C, d1, ..]`, one for each position.
    pub(crate) fn rows(&self, name: &str) -> Vec<Vec<Dual>> {
        let shape = &self.array(name).shape;
        let (batch, classes, inner) = match shape[..] {
            [classes] => (1, classes, 1),
            [batch, classes, ref rest @ ..] => (batch, classes, rest.iter().product()),
            [] => panic!("no classes"),
        };
        let values = self.duals(name);
        let row = |position: usize| {
            let (sample, place) = (position / inner, position % inner);
            let at = |class: usize| values[(sample * classes + class) * inner + place];
            (0..classes).map(at).collect()
        };
        (0..batch * inner).map(row).collect()
    }

    fn class_indices(&self) -> (Vec<Dual>, Option<Vec<f64>>) {
        let rows = self.rows("input");
        let classes = rows[0].len();
        let weights = self.class_weights(classes);
        let ignore = self.argument("ignore_index", -100.0) as i64;
        let smoothing = self.argument("label_smoothing", 0.0);
        let gamma = self.argument("gamma", 2.0);
        let loss = |(row, &target): (&Vec<Dual>, &i64)| {
            if target == ignore {
                return (Dual::new(0.0), 0.0);
            }
            let class = target as usize;
            let weight = weights[class];
            if self.case.loss == "nll" {
                return (-row[class] * weight, weight);
            }
            let log_q = log_softmax(row);
            let nll = -log_q[class] * weight;
            if self.case.loss == "focal" {
                let missed = -log_q[class].exp() + 1.0;
                let missed = if gamma == 0.0 { Dual::new(1.0) } else { missed.power(gamma) };
                return (missed * nll, weight);
            }
            if smoothing == 0.0 {
                return (nll, weight);
            }
            let spread: Dual = log_q.iter().zip(&weights).map(|(&q, &w)| -q * w).sum();
            (nll * (1.0 - smoothing) + spread * (smoothing / classes as f64), weight)
        };
        let targets = self.integers("target");
        let pairs: Vec<(Dual, f64)> = rows.iter().zip(&targets).map(loss).collect();
        let (losses, weights) = pairs.into_iter().unzip();
        (losses, Some(weights))
    }

    fn soft_targets(&self) -> Vec<Dual> {
        let (rows, targets) = (self.rows("input"), self.rows("target"));
        let classes = rows[0].len();
        let weights = self.class_weights(classes);
        let smoothing = self.argument("label_smoothing", 0.0);
        let loss = |(row, target): (&Vec<Dual>, &Vec<Dual>)| {
            let log_q = log_softmax(row);
            let part = |class: usize| {
                let p = target[class].value * (1.0 - smoothing) + smoothing / classes as f64;
                -log_q[class] * (p * weights[class])
            };
            (0..classes).map(part).sum()
        };
        rows.iter().zip(&targets).map(loss).collect()
    }
}

fn log_softmax(row: &[Dual]) -> Vec<Dual> {
    let largest = row.iter().map(|x| x.value).fold(f64::NEG_INFINITY, f64::max);
    let sum: Dual = row.iter().map(|&x| (x - largest).exp()).sum();
    row.iter().map(|&x| x - largest - sum.ln()).collect()
}

/// The element of a nested array that belongs to an element of a tensor; 1 without an array.
fn element(nested: &Value, flat: usize, shape: &[usize]) -> f64 {
    let depth = depth(nested);
    let coordinates = coordinates(flat, shape);
    let mut nested = nested;
    for &coordinate in &coordinates[shape.len() - depth..] {
        let rows = nested.as_array().unwrap();
        nested = &rows[if rows.len() == 1 { 0 } else { coordinate }];
    }
    if nested.is_null() { 1.0 } else { nested.as_f64().unwrap() }
}

fn depth(nested: &Value) -> usize {
    nested.as_array().map_or(0, |rows| 1 + depth(&rows[0]))
}

fn coordinates(flat: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = flat;
    let mut coordinates: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&size| {
            let coordinate = rest % size;
            rest /= size;
            coordinate
        })
        .collect();
    coordinates.reverse();
    coordinates
}

pub(crate) fn broadcast_index(flat: usize, shape: &[usize], other: &[usize]) -> usize {
    let pairs = coordinates(flat, shape).into_iter().zip(other);
    pairs.fold(0, |index, (c, &size)| index * size + if size == 1 { 0 } else { c })
}
