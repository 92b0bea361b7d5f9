//! What went where when weights were loaded.

use std::fmt;
use std::path::PathBuf;

use firebrick_component::text;
use serde::Serialize;

use super::described::{MatchedBy, Misshapen, NamedShape};
use super::format::WeightsFormat;

/// One tensor and the parameter that has its values now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assignment {
    /// The model's parameter, `conv1.weight`.
    pub parameter: String,
    /// The file's tensor, `model1.0.weight`.
    pub tensor: String,
    /// Shape of the parameter in torch's layout.
    pub shape: Vec<usize>,
    /// The element type in the file, if it was not f32.
    pub converted_from: Option<String>,
    /// True if another layer of the file has the same shapes, and the order alone decided.
    pub by_order_alone: bool,
}

/// What [`load`](super::load) did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoadReport {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: WeightsFormat,
    /// How tensors found their parameters.
    pub matched_by: MatchedBy,
    /// Which tensor became which parameter, in the model's order.
    pub assignments: Vec<Assignment>,
    /// Parameters that keep their fresh values because the file has none (`strict = false`).
    pub missing: Vec<NamedShape>,
    /// Parameters of the head that keep their fresh values because the file's head is for another
    /// number of classes (`strict = false`).
    pub fresh_head: Vec<Misshapen>,
    /// Tensors of the file that the model has no place for (`strict = false`).
    pub extra: Vec<NamedShape>,
    /// Parts of the file that are no weights, such as an optimiser's state beside the state dict.
    pub ignored: Vec<String>,
}

impl LoadReport {
    /// True if every value comes from the file under a name that says so, unconverted: there is
    /// nothing to tell the user.
    pub fn is_plain(&self) -> bool {
        !matches!(self.matched_by, MatchedBy::OrderAndShape)
            && self.assignments.iter().all(|a| a.converted_from.is_none())
            && self.missing.is_empty()
            && self.fresh_head.is_empty()
            && self.extra.is_empty()
    }
}

/// A table of what went where, one line a parameter.
impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.assignments.len();
        write!(f, "{}: {count} tensors {}", text::path(&self.path), self.matched_by)?;
        let width = |name: fn(&Assignment) -> &str| {
            let lengths = self.assignments.iter().map(|a| name(a).chars().count());
            lengths.max().unwrap_or(0)
        };
        let (from, to) = (width(|a| &a.tensor), width(|a| &a.parameter));
        for assignment in &self.assignments {
            write!(f, "\n  {:<from$} -> ", assignment.tensor)?;
            write!(f, "{:<to$} {:?}", assignment.parameter, assignment.shape)?;
            if let Some(dtype) = &assignment.converted_from {
                write!(f, ", {dtype} to f32")?;
            }
            if assignment.by_order_alone {
                write!(f, ", by order alone")?;
            }
        }
        self.fmt_rest(f)
    }
}

impl LoadReport {
    fn fmt_rest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for item in &self.missing {
            write!(f, "\n  fresh, not in the file: {item}")?;
        }
        for item in &self.fresh_head {
            write!(f, "\n  fresh, other classes in the file: {item}")?;
        }
        for item in &self.extra {
            write!(f, "\n  left out: {item}")?;
        }
        for item in &self.ignored {
            write!(f, "\n  no weights: {item}")?;
        }
        Ok(())
    }
}
