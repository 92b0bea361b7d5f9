//! Twenty steps beside PyTorch: from its weights, on its samples, in its order, to its weights.
//!
//! The traces and final weights stand in `crates/firebrick-train/tests/golden/`, the weights to begin
//! with beside the models' golden files. `FIREBRICK_GOLDEN_DIR` names another folder for all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use serde_json::Value;

use crate::failure::Failure;
use crate::run::{Run, config, largest_difference, numbers, root};

const LOSS_TOLERANCE: f64 = 2e-4;
/// Of each element of each tensor after the last step.
const WEIGHT_TOLERANCE: f64 = 1e-3;

pub fn recipe(data: &Path, backend: &str) -> Result<(), Failure> {
    let traces: Value =
        serde_json::from_str(&std::fs::read_to_string(golden("firebrick-train", "runs.json"))?)?;
    let runs = traces["runs"].as_array().ok_or("runs.json holds no list of runs")?;
    for (index, trace) in runs.iter().enumerate() {
        let run = Run::train(&config("tudui-cifar10.toml"), &sets(data, backend, &traces, trace), false)?;
        let expected = numbers(trace, "losses")?;
        let difference = largest_difference(&run.losses()?, &expected);
        println!(
            "run {index} ({}): losses differ by at most {difference:.2e} over {} steps",
            trace["optimizer"],
            expected.len()
        );
        if difference > LOSS_TOLERANCE {
            return Err(format!("expected at most {LOSS_TOLERANCE:.0e}").into());
        }
        let recorded = golden("firebrick-train", &format!("run{index}.final.safetensors"));
        let (tensor, difference) = largest_weight_difference(&run.exported()?, &recorded)?;
        println!("run {index}: final weights differ by at most {difference:.2e}, in {tensor}");
        if difference > WEIGHT_TOLERANCE {
            return Err(format!("expected at most {WEIGHT_TOLERANCE:.0e}").into());
        }
    }
    Ok(())
}

/// The tensor with the element that is furthest from the recorded one, and how far it is.
fn largest_weight_difference(ours: &Path, recorded: &Path) -> Result<(String, f64), Failure> {
    let (ours, recorded) = (read_weights(ours)?, read_weights(recorded)?);
    if !ours.keys().eq(recorded.keys()) {
        return Err(format!("expected tensors {:?}, got {:?}", recorded.keys(), ours.keys()).into());
    }
    let differences = ours
        .into_iter()
        .zip(recorded.values())
        .map(|((name, ours), theirs)| (name, largest_difference(&ours, theirs)));
    differences.max_by(|a, b| a.1.total_cmp(&b.1)).ok_or_else(|| "there are no tensors".into())
}

fn read_weights(path: &Path) -> Result<BTreeMap<String, Vec<f64>>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    let tensors = file.iter().map(|(name, view)| {
        if view.dtype() != safetensors::Dtype::F32 {
            return Err(format!("{}: {name}: expected f32, got {:?}", path.display(), view.dtype()).into());
        }
        let (values, _) = view.data().as_chunks::<4>();
        Ok((name.to_owned(), values.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect()))
    });
    tensors.collect()
}

fn sets(data: &Path, backend: &str, traces: &Value, trace: &Value) -> Vec<(&'static str, String)> {
    let normalize = if trace["normalize"] == true {
        format!("{{ mean = {}, std = {} }}", traces["mean"], traces["std"])
    } else {
        "\"none\"".to_owned()
    };
    vec![
        ("model.weights", golden("firebrick-models", "tudui.safetensors").display().to_string()),
        ("data.root", data.display().to_string()),
        ("data.download", "false".to_owned()),
        ("data.shuffle", "false".to_owned()),
        ("data.normalize", normalize),
        ("data.batch_size", traces["batch_size"].to_string()),
        ("data.limit", "{ train = 1280, test = 64 }".to_owned()),
        ("optimizer", optimizer(trace)),
        ("trainer.max_steps", traces["steps"].to_string()),
        ("trainer.backend", backend.to_owned()),
    ]
}

/// `{ name = "adam", lr = 0.001 }`; an override of a whole table replaces it.
fn optimizer(trace: &Value) -> String {
    let arguments = trace["args"].as_object().into_iter().flatten();
    let arguments: Vec<String> = arguments.map(|(key, value)| format!(", {key} = {value}")).collect();
    format!("{{ name = {}{} }}", trace["optimizer"], arguments.join(""))
}

pub fn golden(owner: &str, name: &str) -> PathBuf {
    let given = std::env::var_os("FIREBRICK_GOLDEN_DIR").map(|folder| PathBuf::from(folder).join(name));
    if let Some(path) = given.filter(|path| path.exists()) {
        return path;
    }
    root().join("crates").join(owner).join("tests/golden").join(name)
}
