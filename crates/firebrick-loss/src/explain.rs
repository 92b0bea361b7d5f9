//! The arithmetic of a loss in steps a person can check, for the losses that have a short one.
//!
//! This is a second, independent way to the number: plain f64 on the host, no tensors.

use burn::tensor::TensorData;

use crate::{Inputs, LossConfig, Reduction};

/// More terms than this are no explanation any more.
const MAX_TERMS: usize = 16;

/// The steps from the inputs to the loss, one a line; none if this loss, these arguments or this many
/// numbers have no short explanation.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::TensorData;
/// use firebrick_loss::{Inputs, LossConfig, explain};
///
/// let loss = LossConfig::default_named("l1").ok_or("no such loss")?;
/// let inputs = Inputs::from([
///     ("input".to_owned(), TensorData::from([[1.0f32, 1.0], [1.0, 1.0]])),
///     ("target".to_owned(), TensorData::from([[0.0f32, 1.0], [2.0, 3.0]])),
/// ]);
/// assert_eq!(
///     explain(&loss, &inputs).ok_or("no explanation")?,
///     ["|0-1| + |1-1| + |2-1| + |3-1| = 4", "4 / 4 = 1"],
/// );
/// # Ok(())
/// # }
/// ```
pub fn explain(config: &LossConfig, inputs: &Inputs) -> Option<Vec<String>> {
    let (input, target) = (inputs.get("input")?, inputs.get("target")?);
    let terms = match config {
        LossConfig::CrossEntropy(arguments) => {
            let is_plain = arguments.weight.is_none() && arguments.label_smoothing == 0.0;
            is_plain.then(|| cross_entropy_terms(input, target))??
        }
        LossConfig::Nll(arguments) => {
            let is_plain = arguments.weight.is_none();
            is_plain.then(|| nll_terms(input, target))??
        }
        _ => elementwise_terms(config, input, target)?,
    };
    Some(reduce(config.reduction(), &terms))
}

/// A term as text, and what it comes to.
type Term = (String, f64);

fn reduce(reduction: Reduction, terms: &[Term]) -> Vec<String> {
    if reduction == Reduction::None {
        let line = |(text, value): &Term| format!("{text} = {}", number(*value));
        return terms.iter().map(line).collect();
    }
    let total: f64 = terms.iter().map(|(_, value)| value).sum();
    let texts: Vec<&str> = terms.iter().map(|(text, _)| text.as_str()).collect();
    let mut lines = vec![format!("{} = {}", texts.join(" + "), number(total))];
    if reduction == Reduction::Mean && terms.len() > 1 {
        let mean = total / terms.len() as f64;
        lines.push(format!("{} / {} = {}", number(total), terms.len(), number(mean)));
    }
    lines
}

fn elementwise_terms(config: &LossConfig, input: &TensorData, target: &TensorData) -> Option<Vec<Term>> {
    let is_short = (1..=MAX_TERMS).contains(&input.num_elements());
    if input.shape() != target.shape() || !is_short {
        return None;
    }
    let pairs = input.iter::<f64>().zip(target.iter::<f64>());
    pairs.map(|(x, y)| elementwise_term(config, x, y)).collect()
}

fn elementwise_term(config: &LossConfig, x: f64, y: f64) -> Option<Term> {
    let difference = format!("{}-{}", number(y), signed(x));
    let d = y - x;
    Some(match config {
        LossConfig::L1(_) => (format!("|{difference}|"), d.abs()),
        LossConfig::Mse(_) => (format!("({difference})^2"), d * d),
        LossConfig::SmoothL1(arguments) => {
            let beta = arguments.beta;
            if d.abs() < beta {
                let text = format!("({difference})^2 / {}", number(2.0 * beta));
                (text, d * d / (2.0 * beta))
            } else {
                let text = format!("(|{difference}| - {})", number(beta / 2.0));
                (text, d.abs() - beta / 2.0)
            }
        }
        LossConfig::Huber(arguments) => {
            let delta = arguments.delta;
            if d.abs() <= delta {
                (format!("({difference})^2 / 2"), d * d / 2.0)
            } else {
                let (slope, less) = (number(delta), number(delta / 2.0));
                let text = format!("{slope} * (|{difference}| - {less})");
                (text, delta * (d.abs() - delta / 2.0))
            }
        }
        LossConfig::BceWithLogits(arguments)
            if arguments.weight.is_none() && arguments.pos_weight.is_none() =>
        {
            let text = format!("({} * {} + log(1 + exp({})))", number(1.0 - y), signed(x), number(-x));
            (text, (1.0 - y) * x + (-x).exp().ln_1p())
        }
        _ => return None,
    })
}

/// One row of logits and its class, for each sample.
fn rows(input: &TensorData, target: &TensorData) -> Option<Vec<(Vec<f64>, usize)>> {
    if input.rank() > 2 || input.num_elements() > MAX_TERMS || target.dtype().is_float() {
        return None;
    }
    let classes = *input.shape().last()?;
    let values: Vec<f64> = input.iter::<f64>().collect();
    let rows = values.chunks_exact(classes.max(1));
    let classes_of_rows: Vec<i64> = target.iter::<i64>().collect();
    if rows.len() == 0 || rows.len() != classes_of_rows.len() {
        return None;
    }
    rows.zip(classes_of_rows)
        .map(|(row, class)| {
            let class = usize::try_from(class).ok()?;
            (class < row.len()).then(|| (row.to_vec(), class))
        })
        .collect()
}

fn cross_entropy_terms(input: &TensorData, target: &TensorData) -> Option<Vec<Term>> {
    let terms = rows(input, target)?.into_iter().map(|(row, class)| {
        let exponentials: Vec<String> = row.iter().map(|x| format!("exp({})", number(*x))).collect();
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = row.iter().map(|x| (x - largest).exp()).sum();
        let text = format!("({} + log({}))", number(-row[class]), exponentials.join(" + "));
        (text, sum.ln() + largest - row[class])
    });
    Some(terms.collect())
}

fn nll_terms(input: &TensorData, target: &TensorData) -> Option<Vec<Term>> {
    let terms = rows(input, target)?.into_iter().map(|(row, class)| (number(-row[class]), -row[class]));
    Some(terms.collect())
}

/// Four digits after the point at most, and no zeros at the end.
fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    match text {
        "-0" => "0".into(),
        text => text.into(),
    }
}

/// As [`number`], in brackets where a minus sign would meet another one.
fn signed(value: f64) -> String {
    let text = number(value);
    match text.starts_with('-') {
        true => format!("({text})"),
        false => text,
    }
}
