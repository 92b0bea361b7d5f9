//! Arrays as a person writes them, `[[0.1, 0.2], [0.3, 0.4]]`, and back.

use firebrick::loss::{DType, TensorData};
use serde_json::{Value, json};

use crate::message::Failure;

/// Numbers and their shape; `[]` for a single one.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    numbers: Numbers,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    F32(Vec<f32>),
    F64(Vec<f64>),
    Integers(Vec<i64>),
    /// Written with brackets: f32 as far as the loss is concerned, but without loss until then.
    Written(Vec<f64>),
}

impl Array {
    /// The shape must hold exactly these numbers.
    pub fn new(shape: Vec<usize>, numbers: Numbers) -> Self {
        Self { shape, numbers }
    }

    /// Reads nested brackets. NaN and infinities are written as `nan`, `inf` and `-inf`.
    pub fn parse(name: &str, text: &str) -> Result<Self, Failure> {
        let expected = "numbers in brackets, as in '[[0.1, 0.2], [0.3, 0.4]]', or a file X.npy";
        let refused = |why: String| Failure::usage(format!("input `{name}`: expected {expected}, got {why}"));
        let value: Value =
            serde_json::from_str(&quoted(text)).map_err(|error| refused(format!("`{text}` ({error})")))?;
        let mut numbers = Vec::new();
        let shape = flatten(&value, &mut numbers).map_err(refused)?;
        let is_integer = !text.contains(['.', 'e', 'E', 'n']);
        let numbers = match is_integer {
            true => Numbers::Integers(numbers.iter().map(|&number| number as i64).collect()),
            false => Numbers::Written(numbers),
        };
        Ok(Self { shape, numbers })
    }

    pub fn is_f64(&self) -> bool {
        matches!(self.numbers, Numbers::F64(_))
    }

    pub fn is_integer(&self) -> bool {
        matches!(self.numbers, Numbers::Integers(_))
    }

    /// As floats of one type.
    pub fn floats(&self, dtype: DType) -> TensorData {
        let shape = self.shape.clone();
        let data = match &self.numbers {
            Numbers::F32(values) => TensorData::new(values.clone(), shape),
            Numbers::F64(values) | Numbers::Written(values) => TensorData::new(values.clone(), shape),
            Numbers::Integers(values) => {
                let values: Vec<f64> = values.iter().map(|&value| value as f64).collect();
                TensorData::new(values, shape)
            }
        };
        data.convert_dtype(dtype)
    }

    /// As integers, if that is what they are.
    pub fn integers(&self, name: &str) -> Result<TensorData, Failure> {
        match &self.numbers {
            Numbers::Integers(values) => Ok(TensorData::new(values.clone(), self.shape.clone())),
            Numbers::F32(_) | Numbers::F64(_) | Numbers::Written(_) => {
                Err(Failure::usage(format!("input `{name}`: expected integers, got floating-point numbers")))
            }
        }
    }
}

/// JSON has no word for NaN and infinities.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    let mut word = String::new();
    for letter in text.chars().chain([' ']) {
        if letter.is_ascii_alphanumeric() || ['-', '+', '.'].contains(&letter) {
            word.push(letter);
            continue;
        }
        match word.as_str() {
            "nan" | "inf" | "-inf" => quoted.push_str(&format!("\"{word}\"")),
            word => quoted.push_str(word),
        }
        word.clear();
        quoted.push(letter);
    }
    quoted
}

/// The shape of nested lists, whose numbers go to `numbers`.
fn flatten(value: &Value, numbers: &mut Vec<f64>) -> Result<Vec<usize>, String> {
    let Value::Array(rows) = value else {
        numbers.push(number(value)?);
        return Ok(Vec::new());
    };
    let mut inner: Option<Vec<usize>> = None;
    for (index, row) in rows.iter().enumerate() {
        let shape = flatten(row, numbers)?;
        match &inner {
            Some(first) if *first != shape => {
                return Err(format!("rows of different shapes: {first:?} first, {shape:?} at row {index}"));
            }
            _ => inner = Some(shape),
        }
    }
    let mut shape = vec![rows.len()];
    // A list of nothing is one of numbers.
    shape.extend(inner.into_iter().flatten());
    Ok(shape)
}

fn number(value: &Value) -> Result<f64, String> {
    let number = match value {
        Value::String(word) if word == "nan" => Some(f64::NAN),
        Value::String(word) if word == "inf" => Some(f64::INFINITY),
        Value::String(word) if word == "-inf" => Some(f64::NEG_INFINITY),
        other => other.as_f64(),
    };
    number.ok_or_else(|| format!("`{value}`"))
}

/// Nested lists of an array's numbers, each as `show` has it.
pub fn nested(data: &TensorData, show: &dyn Fn(f64, DType) -> Value) -> Value {
    let numbers: Vec<Value> = data.iter::<f64>().map(|value| show(value, data.dtype())).collect();
    nest(&numbers, data.shape())
}

fn nest(numbers: &[Value], shape: &[usize]) -> Value {
    match shape {
        [] => numbers[0].clone(),
        [_] => Value::Array(numbers.to_vec()),
        [rows, rest @ ..] => {
            let size = rest.iter().product::<usize>();
            Value::Array((0..*rows).map(|row| nest(&numbers[row * size..(row + 1) * size], rest)).collect())
        }
    }
}

/// All digits of the element type; NaN and infinities as strings.
pub fn exact(value: f64, dtype: DType) -> Value {
    match dtype {
        _ if !value.is_finite() => json!(word(value)),
        DType::F64 => json!(value),
        // The shortest text that is this f32, not the digits of its f64.
        _ => {
            let text = (value as f32).to_string();
            let short: Result<f64, _> = text.parse();
            json!(short.unwrap_or_else(|error| unreachable!("bug: {text} is no number: {error}")))
        }
    }
}

/// Four digits after the point, as courses print them; more where that would leave nothing.
pub fn short(value: f64, _: DType) -> Value {
    if !value.is_finite() {
        return json!(word(value));
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-3..1e9).contains(&magnitude) {
        return json!(format!("{value:.3e}"));
    }
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    json!(if text == "-0" { "0" } else { text })
}

fn word(value: f64) -> &'static str {
    match value {
        _ if value.is_nan() => "nan",
        _ if value > 0.0 => "inf",
        _ => "-inf",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Array, String> {
        Array::parse("input", text).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn brackets_give_shapes_and_types() {
        assert_eq!(parse("[1, 2]"), Ok(Array::new(vec![2], Numbers::Integers(vec![1, 2]))));
        assert_eq!(parse("-1.5"), Ok(Array::new(vec![], Numbers::Written(vec![-1.5]))));
        let wide = Array::new(vec![2, 1], Numbers::Written(vec![f64::INFINITY, -1e3]));
        assert_eq!(parse("[[inf], [-1e3]]"), Ok(wide));
        assert!(parse("[nan]").is_ok_and(|array| !array.is_integer()));
    }

    #[test]
    fn what_is_no_array_is_refused() {
        for text in ["", "[1, [2]]", "[[1], [1, 2]]", "[true]", "[\"a\"]", "x", "[1", "{}"] {
            let error = parse(text).expect_err(text);
            assert!(error.contains("input `input`"), "{error}");
        }
    }

    #[test]
    fn numbers_are_short_for_people_and_exact_for_programs() {
        let text = |value: f64| short(value, DType::F32).as_str().map(str::to_owned);
        assert_eq!(text(1.0).as_deref(), Some("1"));
        assert_eq!(text(0.625).as_deref(), Some("0.625"));
        assert_eq!(text(1.101_942_8).as_deref(), Some("1.1019"));
        assert_eq!(text(-0.00001).as_deref(), Some("-1.000e-5"));
        assert_eq!(text(f64::NAN).as_deref(), Some("nan"));
        assert_eq!(exact(f64::from(0.1f32), DType::F32), json!(0.1));
        assert_eq!(exact(f64::NEG_INFINITY, DType::F64), json!("-inf"));
    }
}
