//! A recorded run followed step for step, and recordings that make no sense.

use std::path::PathBuf;

use firebrick_train::config::Override;
use firebrick_train::replay::replay;
use firebrick_train::trace::{StepDifference, Trace};
use firebrick_train::{Config, Control, Plan};
use serde_json::{Value, json};

use crate::parity::{golden, weights};

const TOLERANCE: f64 = 2e-4;

/// The run that `golden/digits_trace.json` was recorded of.
const CONFIG: &str = r#"
model = { name = "lenet" }
data = { dataset = "digits", batch_size = 32, shuffle = false, normalize = { mean = [0.25], std = [0.5] } }
loss = { name = "cross_entropy" }
optimizer = { name = "adamw", lr = 0.002, weight_decay = 0.05 }
trainer = { epochs = 1, backend = "flex" }
"#;

fn plan(overrides: &[(&str, &str)]) -> Plan {
    let weights = weights("lenet").display().to_string();
    let mut sets = vec![Override::new("model.weights", &weights)];
    sets.extend(overrides.iter().map(|(key, value)| Override::new(*key, *value)));
    Plan::new(Config::from_toml("trace", CONFIG, &sets).unwrap(), "trace", &()).unwrap()
}

fn compare(plan: &Plan, trace: Trace, path: &std::path::Path) -> Vec<StepDifference> {
    let model = plan.config.model.network.init(0, &plan.backend.device);
    let trace = trace.with_names_of(&model, path).unwrap();
    let mut differences = Vec::new();
    let refused = replay(plan, trace.steps.len() as u64, &mut |step, loss, model| {
        differences.extend(trace.compare(step, loss, model, TOLERANCE));
        Control::Continue
    });
    assert_eq!(refused.unwrap(), None);
    differences
}

#[test]
fn golden_trace_agrees_in_every_loss_and_norm() {
    let path = golden("digits_trace.json");
    let differences = compare(&plan(&[]), Trace::read(&path).unwrap(), &path);
    assert_eq!(differences.len(), 20);
    for step in differences {
        assert!(step.agrees(TOLERANCE), "{step:?}");
    }
}

#[test]
fn another_optimizer_argument_shows_in_the_first_step_and_names_a_tensor() {
    let path = golden("digits_trace.json");
    let changed = plan(&[("optimizer.lr", "0.02")]);
    let differences = compare(&changed, Trace::read(&path).unwrap(), &path);
    // The first loss is that of the given weights; the first update is what differs.
    assert!(differences[0].loss_difference() < TOLERANCE, "{:?}", differences[0]);
    assert_eq!(differences[0].tensor.as_ref().unwrap().name, "conv1.weight");
    assert!(!differences[19].agrees(TOLERANCE));
}

/// A recording with one value changed, in a file of its own.
fn edited(change: impl FnOnce(&mut Value)) -> (tempfile::TempDir, PathBuf) {
    let mut document: Value =
        serde_json::from_slice(&std::fs::read(golden("digits_trace.json")).unwrap()).unwrap();
    change(&mut document);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.json");
    std::fs::write(&path, document.to_string()).unwrap();
    (folder, path)
}

#[test]
fn the_one_tensor_that_differs_is_found_under_the_names_of_a_sequential() {
    let positions = [("conv1", 0), ("conv2", 3), ("fc1", 7), ("fc2", 9), ("fc3", 11)];
    let (_folder, path) = edited(|document| {
        for step in document["steps"].as_array_mut().unwrap() {
            let weights = std::mem::take(step["weights"].as_object_mut().unwrap());
            for (name, mut norm) in weights {
                let (layer, leaf) = name.split_once('.').unwrap();
                let position = positions.iter().find(|(name, _)| *name == layer).unwrap().1;
                if name == "fc2.bias" && step["step"] == 7 {
                    norm = json!(norm.as_f64().unwrap() + 1e-3);
                }
                step["weights"][format!("module.net.{position}.{leaf}")] = norm;
            }
        }
    });
    let differences = compare(&plan(&[]), Trace::read(&path).unwrap(), &path);
    let differing: Vec<&StepDifference> = differences.iter().filter(|step| !step.agrees(TOLERANCE)).collect();
    let [step] = differing[..] else { panic!("{differing:?}") };
    assert_eq!((step.step, step.tensor.as_ref().unwrap().name.as_str()), (7, "fc2.bias"));
}

#[test]
fn recordings_that_make_no_sense_are_refused_with_their_place() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 9] = [
        (
            |d| d["format"] = json!("firebrick-trace-2"),
            "format: expected \"firebrick-trace-1\", got \"firebrick-trace-2\"",
        ),
        (|d| d["steps"] = json!([]), "steps: expected at least one step, got none"),
        (|d| d["step"] = json!([]), "unknown field `step`"),
        (|d| d["steps"][4]["step"] = json!(6), "steps[4].step: expected 5, got 6"),
        (|d| d["steps"][0]["loss"] = json!("2.3"), "invalid type: string \"2.3\", expected f64 at line 1"),
        (
            |d| d["steps"][0]["lr"] = json!(0.1),
            "unknown field `lr`, expected one of `step`, `loss`, `weights`",
        ),
        (
            |d| d["steps"][3]["weights"]["fc3.bias"] = json!(-1),
            "steps[3].weights.fc3.bias: expected a norm from 0, got -1",
        ),
        (
            |d| d["steps"][3]["weights"] = json!({}),
            "steps[3].weights: expected the tensors of step 1 (conv1.bias, ",
        ),
        (|d| d["steps"] = Value::Null, "invalid type: null"),
    ];
    for (change, expected) in cases {
        let (_folder, path) = edited(change);
        let message = Trace::read(&path).unwrap_err().to_string();
        assert!(message.contains("trace.json: ") && message.contains(expected), "{expected}: {message}");
    }
}

#[test]
fn a_recording_of_another_network_is_refused() {
    let (_folder, path) = edited(|document| {
        for step in document["steps"].as_array_mut().unwrap() {
            let norm = step["weights"].as_object_mut().unwrap().remove("fc3.bias").unwrap();
            step["weights"]["fc4.bias"] = norm;
        }
    });
    let plan = plan(&[]);
    let model = plan.config.model.network.init(0, &plan.backend.device);
    let message = Trace::read(&path).unwrap().with_names_of(&model, &path).unwrap_err().to_string();
    let expected = "weights: expected the model's tensors (conv1.weight, conv1.bias, conv2.weight, conv2.bias, ... 10 in all)";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn what_cannot_be_compared_says_what_to_set() {
    type Case<'a> = (&'a [(&'a str, &'a str)], u64, &'a str);
    let cases: [Case; 4] = [
        (&[("data.shuffle", "true")], 1, "set data.shuffle = false"),
        (&[("data.augment", "[{ name = \"random_horizontal_flip\" }]")], 1, "set data.augment = []"),
        (&[("schedule", "{ name = \"plateau\" }")], 1, "plateau goes by evaluations"),
        (&[("trainer.max_steps", "5")], 6, "as many steps as were recorded, 6; the config has 5: raise"),
    ];
    for (overrides, num_steps, expected) in cases {
        let result = replay(&plan(overrides), num_steps, &mut |_, _, _| Control::Stop);
        let message = result.unwrap_err().to_string();
        assert!(message.contains(expected), "{expected}: {message}");
    }
    let mut plan = plan(&[]);
    plan.config.model.weights = None;
    let message = replay(&plan, 1, &mut |_, _, _| Control::Stop).unwrap_err().to_string();
    assert!(message.contains("set model.weights"), "{message}");
}
