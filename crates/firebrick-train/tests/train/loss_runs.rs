//! Twenty steps on the bundled digits with losses other than cross-entropy of a class, beside PyTorch.
//!
//! `golden/make_loss_runs.py` says what target each loss gets.

use firebrick_component::Component;
use firebrick_data::HostTargets;
use firebrick_data::batch_transform::{BatchTransform, BatchTransformConfig, MutableBatch};
use firebrick_data::random::ChaCha8Rng;
use firebrick_models::parameters::named_parameters;
use firebrick_train::run_folder::RunLocation;
use firebrick_train::{Config, Control, Event, Plan, fit};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::parity::{golden, weights};

/// The largest difference of a loss that is still the same run, where PyTorch's own ways to compute it agree
/// better.
const LOSS_TOLERANCE: f64 = 2e-5;
/// And of the sum of a parameter's elements after the last step, for each of its elements.
const SUM_TOLERANCE: f64 = 1e-4;

/// LeNet as a `sequential`, for what stands behind its last layer.
pub const LENET_LAYERS: &str = r#"
    { name = "conv2d", out_channels = 6, kernel_size = 5 },
    { name = "relu" },
    { name = "max_pool2d", kernel_size = 2 },
    { name = "conv2d", out_channels = 16, kernel_size = 5 },
    { name = "relu" },
    { name = "max_pool2d", kernel_size = 2 },
    { name = "flatten" },
    { name = "linear", out_features = 120 },
    { name = "relu" },
    { name = "linear", out_features = 84 },
    { name = "relu" },
    { name = "linear", out_features = 10 },
"#;

fn runs() -> (Value, Vec<Value>) {
    let document: Value = serde_json::from_slice(&std::fs::read(golden("loss_runs.json")).unwrap()).unwrap();
    let runs = document["runs"].as_array().unwrap().clone();
    (document, runs)
}

fn config(document: &Value, run: &Value, backend: &str) -> Config {
    let model = match run["last"].as_str() {
        None => "name = \"lenet\"".to_owned(),
        Some(last) => format!(
            "name = \"sequential\"\ninput_shape = [1, 32, 32]\nlayers = [{LENET_LAYERS}{{ name = \"{last}\" }}]"
        ),
    };
    let arguments = run["args"].as_object().unwrap();
    let arguments: String = arguments.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    let batch_augment = match run["target"].as_str() {
        Some("soft") => "batch_augment = [{ name = \"opposite_labels\" }]\n",
        _ => "",
    };
    let text = format!(
        "[model]\n{model}\nweights = {:?}\n\
         [data]\ndataset = \"digits\"\nshuffle = false\nbatch_size = {}\nlimit = {{ test = 32 }}\n\
         normalize = {{ mean = [{}], std = [{}] }}\n{batch_augment}\
         [loss]\nname = {}\n{arguments}\
         [optimizer]\nname = \"sgd\"\nlr = {}\nmomentum = {}\n\
         [trainer]\nmax_steps = {}\nbackend = \"{backend}\"\n",
        weights("lenet"),
        document["batch_size"],
        document["mean"],
        document["std"],
        run["loss"],
        run["lr"],
        run["momentum"],
        document["steps"],
    );
    Config::from_toml("loss_runs", &text, &[]).unwrap_or_else(|error| panic!("{run}: {error}\n{text}"))
}

fn check(document: &Value, run: &Value, backend: &str) {
    let what = format!("{} {} of {} targets on {backend}", run["loss"], run["args"], run["target"]);
    let plan = Plan::new(config(document, run, backend), "loss_runs", &()).unwrap();
    let model = plan.initial_model(&plan.backend.device).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let location = RunLocation { run_dir: Some(folder.path().join("run")), ..RunLocation::default() };
    let expected = run["losses"].as_array().unwrap();
    let tolerance = run["spread"].as_f64().unwrap().max(LOSS_TOLERANCE);
    let mut observer = |event: &Event| {
        if let Event::Step(step) = event {
            let expected = expected[step.step as usize - 1].as_f64().unwrap();
            let difference = (step.loss - expected).abs();
            assert!(
                difference <= tolerance,
                "{what}: step {}: {} but PyTorch {expected}",
                step.step,
                step.loss
            );
        }
        Control::Continue
    };
    let outcome = fit(&plan, model, &location, &mut observer).unwrap();
    assert_eq!(outcome.summary.steps, expected.len() as u64);
    // A `sequential` has other names, but the same order.
    let ours = named_parameters(&outcome.model);
    let sums = ["conv1", "conv2", "fc1", "fc2", "fc3"].map(|layer| {
        ["weight", "bias"].map(|leaf| run["final_sums"][format!("{layer}.{leaf}")].as_f64().unwrap())
    });
    assert_eq!(ours.len(), 10, "{what}");
    for (parameter, expected) in ours.iter().zip(sums.as_flattened()) {
        let sum: f64 = parameter.data.iter::<f64>().sum();
        let count = parameter.shape.iter().product::<usize>() as f64;
        let difference = (sum - expected).abs() / count;
        assert!(
            difference < SUM_TOLERANCE,
            "{what}: {} sums to {sum} but PyTorch {expected}",
            parameter.name
        );
    }
}

#[test]
fn golden_losses_of_class_labels_beside_pytorch_on_flex() {
    let (document, runs) = runs();
    for run in runs.iter().filter(|run| run["target"] != "soft") {
        check(&document, run, "flex");
    }
}

#[test]
fn golden_mse_bce_with_logits_and_kl_div_beside_pytorch_on_ndarray() {
    let (document, runs) = runs();
    let is_one_of = |run: &&Value| {
        run["target"] == "one_hot"
            && ["mse", "bce_with_logits", "kl_div"].iter().any(|name| run["loss"] == *name)
    };
    for run in runs.iter().filter(is_one_of) {
        check(&document, run, "ndarray");
    }
}

/// The targets that `make_loss_runs.py` calls soft: each image's class, mixed with that of the image at the other end
/// of the batch, by a share that the batch's labels give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OppositeLabels {}

impl Component for OppositeLabels {}

impl BatchTransform for OppositeLabels {
    fn apply(&self, batch: &mut MutableBatch, _generator: &mut ChaCha8Rng) {
        let HostTargets::Classes(labels) = &batch.targets else { panic!("mixed already") };
        let share = (labels.iter().sum::<i64>() % 32) as f32 / 64.0;
        let mut values = vec![0.0; labels.len() * batch.num_classes];
        let opposite = labels.iter().rev();
        for ((row, own), other) in values.chunks_mut(batch.num_classes).zip(labels).zip(opposite) {
            row[*own as usize] += 1.0 - share;
            row[*other as usize] += share;
        }
        batch.targets = HostTargets::Probabilities { values, num_classes: batch.num_classes };
    }

    fn gives_probabilities(&self) -> bool {
        true
    }

    fn description(&self) -> String {
        "labels mixed with those of the other end of the batch".to_owned()
    }
}

/// Soft targets take the whole way: loader, batch transform, device, loss, step.
#[test]
fn golden_soft_targets_beside_pytorch_on_flex() {
    BatchTransformConfig::register::<OppositeLabels>("opposite_labels").unwrap();
    let (document, runs) = runs();
    for run in runs.iter().filter(|run| run["target"] == "soft") {
        check(&document, run, "flex");
    }
}
