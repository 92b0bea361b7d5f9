//! Twenty steps on the bundled digits, beside PyTorch.
//!
//! `golden/digits_runs.json`, the final weights and the trace beside it are made by
//! `golden/make_digits_runs.py`.

use std::path::{Path, PathBuf};

use firebrick_models::Network;
use firebrick_models::parameters::named_parameters;
use firebrick_models::weights::{LoadOptions, load};
use firebrick_train::run_folder::RunLocation;
use firebrick_train::{Config, Control, Event, Plan, fit};
use serde_json::Value;

/// The largest difference of a loss that is still the same run, where PyTorch's own ways to compute it agree.
const LOSS_TOLERANCE: f64 = 2e-5;
/// And where they come apart by more: Adam divides by gradients near zero, which blows up the last digit.
const CHAOTIC_LOSS_TOLERANCE: f64 = 2e-4;
/// And of the sum of a parameter's elements after the last step, for each of its elements.
const SUM_TOLERANCE: f64 = 1e-4;
/// And of each element, where all of them were recorded.
const WEIGHT_TOLERANCE: f64 = 1e-3;

fn own_golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

pub fn golden(name: &str) -> PathBuf {
    let given = std::env::var_os("FIREBRICK_GOLDEN_DIR").map(|folder| PathBuf::from(folder).join(name));
    given.filter(|path| path.exists()).unwrap_or_else(|| own_golden(name))
}

pub fn weights(model: &str) -> PathBuf {
    let models = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../firebrick-models/tests/golden");
    models.join(format!("{model}.safetensors"))
}

fn config(traces: &Value, trace: &Value, backend: &str) -> Config {
    let model = trace["model"].as_str().unwrap();
    let arguments = trace["args"].as_object().unwrap();
    let arguments: String = arguments.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    let normalize = if trace["normalize"] == true {
        let channels = if model == "tudui" { 3 } else { 1 };
        let values = |key: &str| vec![traces[key].to_string(); channels].join(", ");
        format!("{{ mean = [{}], std = [{}] }}", values("mean"), values("std"))
    } else {
        "\"none\"".to_owned()
    };
    let text = format!(
        "[model]\nname = \"{model}\"\nweights = {:?}\n\
         [data]\ndataset = \"digits\"\nshuffle = false\nbatch_size = {}\nnormalize = {normalize}\nlimit = {{ test = 32 }}\n\
         [loss]\nname = \"cross_entropy\"\n\
         [optimizer]\nname = {}\n{arguments}\
         [trainer]\nmax_steps = {}\nbackend = \"{backend}\"\n",
        weights(model),
        traces["batch_size"],
        trace["optimizer"],
        traces["steps"],
    );
    Config::from_toml("parity", &text, &[]).unwrap()
}

fn check(backend: &str) {
    let traces: Value = serde_json::from_slice(&std::fs::read(golden("digits_runs.json")).unwrap()).unwrap();
    for trace in traces["runs"].as_array().unwrap() {
        let name = format!("{} with {} on {backend}", trace["model"], trace["optimizer"]);
        let plan = Plan::new(config(&traces, trace, backend), "parity", &()).unwrap();
        let model = plan.initial_model(&plan.backend.device).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let location = RunLocation { run_dir: Some(folder.path().join("run")), ..RunLocation::default() };
        let expected = trace["losses"].as_array().unwrap();
        let tolerance = trace["spread"].as_f64().unwrap().clamp(LOSS_TOLERANCE, CHAOTIC_LOSS_TOLERANCE);
        let mut observer = |event: &Event| {
            if let Event::Step(step) = event {
                let expected = expected[step.step as usize - 1].as_f64().unwrap();
                let difference = (step.loss - expected).abs();
                assert!(
                    difference <= tolerance,
                    "{name}: step {}: {} but PyTorch {expected}",
                    step.step,
                    step.loss
                );
            }
            Control::Continue
        };
        let outcome = fit(&plan, model, &location, &mut observer).unwrap();
        assert_eq!(outcome.summary.steps, expected.len() as u64);
        check_sums(&name, &outcome.model, &trace["final_sums"]);
        if let Some(file) = trace["final"].as_str() {
            check_weights(&name, &outcome.model, &golden(file));
        }
    }
}

fn check_sums(name: &str, model: &Network, sums: &Value) {
    for parameter in named_parameters(model) {
        let sum: f64 = parameter.data.iter::<f64>().sum();
        let expected = sums[&parameter.name].as_f64().unwrap();
        let count = parameter.shape.iter().product::<usize>() as f64;
        let difference = (sum - expected).abs() / count;
        assert!(
            difference < SUM_TOLERANCE,
            "{name}: {} sums to {sum} but PyTorch {expected}",
            parameter.name
        );
    }
}

/// Every element, beside the state dict that PyTorch saved after its last step.
fn check_weights(name: &str, model: &Network, path: &Path) {
    let (theirs, _) = load(model.clone(), path, LoadOptions::default()).unwrap();
    for (ours, theirs) in named_parameters(model).iter().zip(named_parameters(&theirs)) {
        let pairs = ours.data.iter::<f64>().zip(theirs.data.iter::<f64>());
        let worst = pairs.map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f64::max);
        assert!(worst < WEIGHT_TOLERANCE, "{name}: {} is off by {worst:e}", ours.name);
    }
}

#[test]
fn golden_twenty_steps_beside_pytorch_on_flex() {
    check("flex");
}
