//! A recorded training run, such as one of PyTorch's, and how far another one is from it.
//!
//! ```json
//! {"format": "firebrick-trace-1", "made_with": "torch 2.15.0", "steps": [
//!   {"step": 1, "loss": 2.3024, "weights": {"conv1.weight": 1.3827, "conv1.bias": 0.2534}},
//!   {"step": 2, "loss": 2.2985, "weights": {"conv1.weight": 1.3866, "conv1.bias": 0.2531}}
//! ]}
//! ```
//!
//! `weights` is the L2 norm of every tensor of the state dict after the step, and may be left out.
//! `examples/pytorch/record_trace.py` writes such a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use firebrick_component::text;
use firebrick_models::ImageClassifier;
use firebrick_models::weights::{NameStyle, named_parameters, parameter_names};
use firebrick_storage::StorageError;
use serde::Deserialize;
use thiserror::Error;

/// Far more than a recording of a million steps needs.
const MAX_BYTES: u64 = 1 << 30;
const FORMAT: &str = "firebrick-trace-1";

/// A recorded run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    format: String,
    /// What recorded it.
    #[serde(default)]
    pub made_with: Option<String>,
    /// Every step, in order; at least one.
    pub steps: Vec<RecordedStep>,
}

/// One step of a recorded run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedStep {
    /// Counted from 1.
    pub step: u64,
    /// The batch's loss, before the update.
    pub loss: f64,
    /// L2 norms of all tensors after the update, by name; empty when they were not recorded.
    #[serde(default)]
    pub weights: BTreeMap<String, f64>,
}

/// A trace that cannot be used.
#[derive(Debug, Error)]
pub enum TraceError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] StorageError),
    /// It is no JSON of the right form.
    #[error("trace {}: {source}", text::path(path))]
    Form {
        /// The file.
        path: PathBuf,
        /// What, expected, got, line and column.
        source: serde_json::Error,
    },
    /// Its contents make no sense, or do not fit the model.
    #[error("trace {}: {place}: expected {expected}, got {got}", text::path(path))]
    Content {
        /// The file.
        path: PathBuf,
        /// Where in the document.
        place: String,
        /// What would be right.
        expected: String,
        /// What is there.
        got: String,
    },
}

/// One step beside the recorded one.
#[derive(Debug, Clone, PartialEq)]
pub struct StepDifference {
    /// Counted from 1.
    pub step: u64,
    /// Our loss.
    pub loss: f64,
    /// The recorded one.
    pub recorded: f64,
    /// The first tensor, in the model's order, whose norm differs by more than the tolerance.
    pub tensor: Option<TensorDifference>,
}

/// A tensor whose norm differs.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorDifference {
    /// The model's name for it, such as `conv1.weight`.
    pub name: String,
    /// Our norm.
    pub norm: f64,
    /// The recorded one.
    pub recorded: f64,
}

impl StepDifference {
    /// How far the losses are apart; infinite when one of them is not a number.
    pub fn loss_difference(&self) -> f64 {
        difference(self.loss, self.recorded)
    }

    /// Whether the losses and all norms are within `tolerance`.
    pub fn agrees(&self, tolerance: f64) -> bool {
        self.loss_difference() <= tolerance && self.tensor.is_none()
    }
}

impl Trace {
    /// Reads a recording and checks that it is whole.
    ///
    /// # Errors
    ///
    /// [`TraceError`] with the place in the file.
    pub fn read(path: &Path) -> Result<Self, TraceError> {
        let bytes = firebrick_storage::read_bounded(path, MAX_BYTES)?;
        let form = |source| TraceError::Form { path: path.to_owned(), source };
        let trace: Self = serde_json::from_slice(&bytes).map_err(form)?;
        trace.check().map_err(|problem| problem.in_file(path))?;
        Ok(trace)
    }

    fn check(&self) -> Result<(), Problem> {
        if self.format != FORMAT {
            return Err(Problem::new("format", format!("\"{FORMAT}\""), format!("\"{}\"", self.format)));
        }
        let Some(first) = self.steps.first() else {
            return Err(Problem::new("steps", "at least one step", "none"));
        };
        for (index, step) in self.steps.iter().enumerate() {
            let place = |key: &str| format!("steps[{index}].{key}");
            if step.step != index as u64 + 1 {
                return Err(Problem::new(place("step"), index + 1, step.step));
            }
            if let Some((name, norm)) = step.weights.iter().find(|(_, norm)| **norm < 0.0) {
                return Err(Problem::new(place(&format!("weights.{name}")), "a norm from 0", norm));
            }
            if !step.weights.keys().eq(first.weights.keys()) {
                let (expected, got) = (listed(first.weights.keys()), listed(step.weights.keys()));
                return Err(Problem::new(
                    place("weights"),
                    format!("the tensors of step 1 ({expected})"),
                    got,
                ));
            }
        }
        Ok(())
    }

    /// Gives the tensors the names that `model` has for them. The recording may call them as the model
    /// does (`conv1.weight`) or by their index in an `nn.Sequential` (`0.weight`), behind any common
    /// prefix (`model1.0.weight`).
    ///
    /// # Errors
    ///
    /// [`TraceError::Content`] when the tensors are not the model's; `path` is for the message.
    pub fn with_names_of<M: ImageClassifier>(mut self, model: &M, path: &Path) -> Result<Self, TraceError> {
        let Some(first) = self.steps.first() else { return Ok(self) };
        let recorded: Vec<String> = first.weights.keys().cloned().collect();
        if recorded.is_empty() {
            return Ok(self);
        }
        let own = parameter_names(model, NameStyle::Firebrick);
        let styles = [NameStyle::Firebrick, NameStyle::TorchSequential];
        let renamed =
            styles.iter().find_map(|style| rename(&recorded, &parameter_names(model, *style), &own));
        let Some(renamed) = renamed else {
            let expected = format!("the model's tensors ({})", listed(own.iter()));
            return Err(Problem::new("weights", expected, listed(recorded.iter())).in_file(path));
        };
        for (index, step) in self.steps.iter_mut().enumerate() {
            let rename = |(name, norm)| match renamed.get(&name) {
                Some(own) => Ok((own.clone(), norm)),
                None => {
                    let expected = format!("the tensors of step 1 ({})", listed(recorded.iter()));
                    Err(Problem::new(format!("steps[{index}].weights"), expected, name).in_file(path))
                }
            };
            step.weights =
                std::mem::take(&mut step.weights).into_iter().map(rename).collect::<Result<_, _>>()?;
        }
        Ok(self)
    }

    /// Compares step `step` (from 1) with `loss` and with `model`, which has taken it; nothing if the
    /// recording ends before. The tensors are read back only if they were recorded.
    ///
    /// A norm differs when it is off by more than `tolerance` times the recorded one, or times 1 if
    /// that is more.
    pub fn compare<M: ImageClassifier>(
        &self,
        step: u64,
        loss: f64,
        model: &M,
        tolerance: f64,
    ) -> Option<StepDifference> {
        let recorded = self.steps.get(usize::try_from(step.checked_sub(1)?).ok()?)?;
        let tensor = if recorded.weights.is_empty() {
            None
        } else {
            named_parameters(model).into_iter().find_map(|parameter| {
                let expected = *recorded.weights.get(&parameter.name)?;
                let norm = parameter.data.iter::<f64>().map(|value| value * value).sum::<f64>().sqrt();
                let differs = difference(norm, expected) > tolerance * expected.max(1.0);
                differs.then_some(TensorDifference { name: parameter.name, norm, recorded: expected })
            })
        };
        Some(StepDifference { step, loss, recorded: recorded.loss, tensor })
    }
}

fn difference(a: f64, b: f64) -> f64 {
    let difference = (a - b).abs();
    if difference.is_nan() { f64::INFINITY } else { difference }
}

/// The recorded names with what the model calls them, if all of them are `names` behind one prefix.
fn rename(recorded: &[String], names: &[String], own: &[String]) -> Option<BTreeMap<String, String>> {
    if recorded.len() != names.len() {
        return None;
    }
    // As exported for the course's network; whatever stands in front is a prefix like any other.
    let bare: Vec<&str> = names.iter().map(|name| name.strip_prefix("model1.").unwrap_or(name)).collect();
    let mut prefixes = recorded.iter().filter_map(|name| name.strip_suffix(bare.first()?));
    let prefix = prefixes.find(|prefix| prefix.is_empty() || prefix.ends_with('.'))?;
    let of = |(bare, own): (&&str, &String)| {
        let name = format!("{prefix}{bare}");
        recorded.contains(&name).then(|| (name, own.clone()))
    };
    bare.iter().zip(own).map(of).collect()
}

/// The first names of a list, and how many there are.
fn listed<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    const SHOWN: usize = 4;
    let count = names.len();
    let shown: Vec<&str> = names.take(SHOWN).map(String::as_str).collect();
    match count {
        0 => "none".to_owned(),
        _ if count <= SHOWN => shown.join(", "),
        _ => format!("{}, ... {count} in all", shown.join(", ")),
    }
}

/// A [`TraceError::Content`] that does not know its file yet.
struct Problem {
    place: String,
    expected: String,
    got: String,
}

impl Problem {
    fn new(place: impl Into<String>, expected: impl ToString, got: impl ToString) -> Self {
        Self { place: place.into(), expected: expected.to_string(), got: got.to_string() }
    }

    fn in_file(self, path: &Path) -> TraceError {
        let Self { place, expected, got } = self;
        TraceError::Content { path: path.to_owned(), place, expected, got }
    }
}
