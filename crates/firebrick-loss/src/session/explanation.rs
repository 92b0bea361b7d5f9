//! The arithmetic of a loss in steps that a person can check, for the losses that have a short one.
//!
//! This is a second, independent way to the number: plain f64 on the host, no tensors.

use super::slot::Inputs;
use crate::reduction::Reduction;

/// More terms than this are no explanation any more.
const MAX_TERMS: usize = 16;

/// The loss of one element or sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The arithmetic, as in `|2-1|`.
    pub text: String,
    /// What it comes to.
    pub value: f64,
}

impl Term {
    /// A term and what it comes to.
    pub fn new(text: impl Into<String>, value: f64) -> Self {
        Self { text: text.into(), value }
    }
}

/// The terms and what the reduction makes of them, one step a line.
pub(crate) fn steps(reduction: Reduction, terms: &[Term]) -> Vec<String> {
    if reduction == Reduction::None {
        return terms.iter().map(|term| format!("{} = {}", term.text, number(term.value))).collect();
    }
    let total: f64 = terms.iter().map(|term| term.value).sum();
    let texts: Vec<&str> = terms.iter().map(|term| term.text.as_str()).collect();
    let mut lines = vec![format!("{} = {}", texts.join(" + "), number(total))];
    if reduction == Reduction::Mean && terms.len() > 1 {
        let mean = total / terms.len() as f64;
        lines.push(format!("{} / {} = {}", number(total), terms.len(), number(mean)));
    }
    lines
}

/// One term for each pair of an element `x` of the input and `y` of the target; none if they are too many or
/// do not have one shape.
pub(crate) fn of_elements(inputs: &Inputs, term: impl Fn(f64, f64) -> Term) -> Option<Vec<Term>> {
    let (input, target) = (inputs.get("input")?, inputs.get("target")?);
    let is_short = (1..=MAX_TERMS).contains(&input.num_elements());
    if input.shape() != target.shape() || !is_short {
        return None;
    }
    let pairs = input.iter::<f64>().zip(target.iter::<f64>());
    Some(pairs.map(|(x, y)| term(x, y)).collect())
}

/// One term for each row of the input and its class; none if they are too many, or the target holds anything
/// but the classes of rows.
pub(crate) fn of_rows(inputs: &Inputs, term: impl Fn(&[f64], usize) -> Term) -> Option<Vec<Term>> {
    let (input, target) = (inputs.get("input")?, inputs.get("target")?);
    let is_short = (1..=MAX_TERMS).contains(&input.num_elements());
    if input.rank() > 2 || !is_short || target.dtype().is_float() {
        return None;
    }
    let num_classes = *input.shape().last()?;
    let values: Vec<f64> = input.iter::<f64>().collect();
    let rows = values.chunks_exact(num_classes);
    let classes_of_rows: Vec<i64> = target.iter::<i64>().collect();
    if rows.len() != classes_of_rows.len() {
        return None;
    }
    rows.zip(classes_of_rows)
        .map(|(row, class)| {
            let class = usize::try_from(class).ok()?;
            (class < row.len()).then(|| term(row, class))
        })
        .collect()
}

/// Four digits after the point at most, and no zeros at the end.
pub(crate) fn number(value: f64) -> String {
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
pub(crate) fn signed(value: f64) -> String {
    let text = number(value);
    match text.starts_with('-') {
        true => format!("({text})"),
        false => text,
    }
}

/// `y-x`, as losses of differences begin.
pub(crate) fn difference(x: f64, y: f64) -> String {
    format!("{}-{}", number(y), signed(x))
}
