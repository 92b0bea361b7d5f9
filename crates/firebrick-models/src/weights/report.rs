//! What went where when weights were loaded.

use std::fmt;
use std::path::PathBuf;

use firebrick_component::text;
use serde::Serialize;

use super::described::{MatchedBy, Misshapen, NamedShape};
use super::file::Choice;
use super::format::WeightsFormat;

/// Names that a sentence lists before it counts the rest.
const NAMES_SHOWN: usize = 24;

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
    /// Parameters of the last layer that keep their fresh values because the file's is for another number of classes.
    pub fresh_head: Vec<Misshapen>,
    /// Tensors of the file that the model has no place for (`strict = false`).
    pub extra: Vec<NamedShape>,
    /// Parts of the file that are no weights, such as an optimiser's state beside the state dict.
    pub ignored: Vec<String>,
    /// Which of several networks in the file was taken, if there were several.
    pub choice: Option<Choice>,
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
            && self.choice.is_none()
    }
}

impl LoadReport {
    /// In plain words: how many parameters were loaded, which stay as they were initialised, which tensors of the file were
    /// left out, and what was converted or guessed.
    pub fn in_words(&self) -> String {
        let loaded: Vec<&str> = self.assignments.iter().map(|one| one.parameter.as_str()).collect();
        let path = text::path(&self.path);
        let mut words = vec![format!("{path}: loaded {} ({})", parameters(loaded.len()), names(loaded))];
        if let Some(Choice { taken, others }) = &self.choice {
            let others = names(others.iter().map(String::as_str).collect());
            words.push(format!(
                "taken from `{taken}`; the file holds such a network under {others}, too (model.weights_key)"
            ));
        }
        let missing: Vec<&str> = self.missing.iter().map(|one| one.name.as_str()).collect();
        if !missing.is_empty() {
            words.push(format!("not in the file and freshly initialised: {}", names(missing)));
        }
        let head = self.fresh_head.iter();
        let head: Vec<String> = head
            .map(|one| format!("{} ({:?}, the file has {:?})", one.parameter, one.expected, one.got))
            .collect();
        if !head.is_empty() {
            let head = names(head.iter().map(String::as_str).collect());
            words.push(format!("for another number of classes in the file and freshly initialised: {head}"));
        }
        let extra: Vec<&str> = self.extra.iter().map(|one| one.name.as_str()).collect();
        if !extra.is_empty() {
            words.push(format!("left out of the file: {}", names(extra)));
        }
        words.extend(self.conversions());
        text::one_line(&words.join("; "))
    }

    fn conversions(&self) -> Vec<String> {
        let mut words = Vec::new();
        let converted: Vec<&str> =
            self.assignments.iter().filter_map(|one| one.converted_from.as_deref()).collect();
        if let Some(dtype) = converted.first() {
            words.push(format!("{} of {dtype} became f32", parameters(converted.len())));
        }
        if matches!(self.matched_by, MatchedBy::OrderAndShape) {
            words.push(format!("{}, for the names are none of this network's", self.matched_by));
        }
        words
    }
}

/// As many as can be read at a glance; the others are counted.
fn names(list: Vec<&str>) -> String {
    let shown = list.iter().take(NAMES_SHOWN).copied().collect::<Vec<_>>().join(", ");
    match list.len().saturating_sub(NAMES_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn parameters(count: usize) -> String {
    format!("{count} parameter{}", if count == 1 { "" } else { "s" })
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
