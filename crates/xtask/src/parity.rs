//! Twenty steps beside PyTorch: from its weights, on its samples, in its order.
//!
//! The traces stand in `crates/firebrick-train/tests/golden/runs.json`, the weights beside the
//! models' golden files.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Failure;
use crate::run::{Run, config, largest_difference, root};

const LOSS_TOLERANCE: f64 = 2e-4;

pub fn recipe(data: &Path, backend: &str) -> Result<(), Failure> {
    let traces: Value =
        serde_json::from_str(&std::fs::read_to_string(golden("firebrick-train", "runs.json"))?)?;
    let runs = traces["runs"].as_array().ok_or("runs.json holds no list of runs")?;
    for (index, trace) in runs.iter().enumerate() {
        let run = Run::train(&config("tudui-cifar10.toml"), &sets(data, backend, &traces, trace), false)?;
        let expected: Vec<f64> =
            trace["losses"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
        let difference = largest_difference(&run.losses(), &expected);
        println!(
            "run {index} ({}): losses differ by at most {difference:.2e} over {} steps",
            trace["optimizer"],
            expected.len()
        );
        if difference > LOSS_TOLERANCE {
            return Err(format!("expected at most {LOSS_TOLERANCE:.0e}").into());
        }
    }
    Ok(())
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

fn golden(owner: &str, name: &str) -> PathBuf {
    root().join("crates").join(owner).join("tests/golden").join(name)
}
