//! What a run has come to, without the times that it took.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::Failure;

/// Everything in which two runs of one config must agree, to the last bit, however often one of them was stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// `summary.json`, with the weights' SHA-256; none when the run has not come to its end.
    pub summary: Option<Value>,
    /// `metrics.jsonl`.
    pub metrics: Vec<Value>,
    /// The checkpoint that `BEST` names, and its weights' SHA-256.
    pub best: Option<(String, Value)>,
    /// `diverged.json`.
    pub diverged: Option<Value>,
}

impl End {
    /// What the folder of a run says that is not running.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, that is no JSON, or a step that is not there once and in order.
    pub fn read(run_dir: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(run_dir.join("metrics.jsonl"))?;
        let mut metrics = text.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
        metrics.iter_mut().for_each(forget_times);
        let is_step = |record: &&Value| record["event"] == "step" || record["event"] == "refused";
        for (record, expected) in metrics.iter().filter(is_step).zip(1_u64..) {
            if record["step"] != expected {
                return Err(format!("metrics.jsonl: expected step {expected}, got {record}").into());
            }
        }
        let mut summary = json_if_any(&run_dir.join("summary.json"))?;
        summary.iter_mut().for_each(forget_times);
        let diverged = json_if_any(&run_dir.join("diverged.json"))?;
        Ok(Self { summary, metrics, best: best(&run_dir.join("checkpoints"))?, diverged })
    }

    /// The first difference from `expected`, in words.
    pub fn difference(&self, expected: &Self) -> Option<String> {
        let told = |what: &str, expected: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug| {
            Some(format!("{what}: expected {expected:?}\n     got {got:?}"))
        };
        let records = expected.metrics.iter().zip(&self.metrics);
        if let Some((expected, got)) = records.into_iter().find(|(expected, got)| expected != got) {
            return told("metrics.jsonl", &expected.to_string(), &got.to_string());
        }
        if self.metrics.len() != expected.metrics.len() {
            return told("lines of metrics.jsonl", &expected.metrics.len(), &self.metrics.len());
        }
        if self.summary != expected.summary {
            return told("summary.json", &expected.summary, &self.summary);
        }
        if self.best != expected.best {
            return told("BEST", &expected.best, &self.best);
        }
        if self.diverged != expected.diverged {
            return told("diverged.json", &expected.diverged, &self.diverged);
        }
        None
    }
}

fn json_if_any(path: &Path) -> Result<Option<Value>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&fs::read_to_string(path)?)?))
}

fn best(checkpoints: &Path) -> Result<Option<(String, Value)>, Failure> {
    let pointer = checkpoints.join("BEST");
    if !pointer.exists() {
        return Ok(None);
    }
    let name = fs::read_to_string(pointer)?.trim().to_owned();
    let state: Value =
        serde_json::from_str(&fs::read_to_string(checkpoints.join(&name).join("state.json"))?)?;
    Ok(Some((name, state["weights_sha256"].clone())))
}

fn forget_times(value: &mut Value) {
    if let Some(object) = value.as_object_mut() {
        object.retain(|key, _| key != "seconds" && key != "images_per_second");
    }
}
