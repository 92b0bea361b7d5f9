//! Frozen layers, layers that are thawed, and rates by depth beside PyTorch's `requires_grad_(False)`, `eval()` and
//! parameter groups. `golden/make_fine_tuning.py` says what runs these are.

use firebrick_models::parameters::named_parameters;
use firebrick_train::step::Verdict;
use firebrick_train::{Config, Plan, TrainState};
use serde_json::{Value, json};

use crate::parity::golden;

const LAYERS: &str = r#"[
    { name = "conv2d", out_channels = 4, kernel_size = 3, padding = 1, bias = false },
    { name = "batch_norm2d" },
    { name = "relu" },
    { name = "max_pool2d", kernel_size = 2 },
    { name = "conv2d", out_channels = 4, kernel_size = 3, bias = false },
    { name = "batch_norm2d" },
    { name = "relu" },
    { name = "flatten" },
    { name = "linear", out_features = 10 },
]"#;

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

/// A `.safetensors` file of the tensors that the runs begin with.
fn start(document: &Value) -> Vec<u8> {
    let (mut header, mut values) = (serde_json::Map::new(), Vec::new());
    for (name, tensor) in document["start"].as_object().unwrap() {
        let begin = values.len();
        values.extend(numbers(tensor).into_iter().flat_map(|value| (value as f32).to_le_bytes()));
        let entry = json!({ "dtype": "F32", "shape": document["shapes"][name], "data_offsets": [begin, values.len()] });
        header.insert(name.clone(), entry);
    }
    let header = Value::Object(header).to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &values].concat()
}

fn plan(run: &Value, weights: &str) -> Plan {
    let freeze = run["freeze"].as_str().map_or(String::new(), |freeze| format!("freeze = {freeze}\n"));
    let clip =
        run["clip_grad_norm"].as_f64().map_or(String::new(), |norm| format!("clip_grad_norm = {norm}\n"));
    let arguments = run["optimizer"].as_object().unwrap().iter();
    let arguments: String = arguments.map(|(key, value)| format!("{key} = {value}\n")).collect();
    let text = format!(
        "[model]\nname = \"sequential\"\ninput_shape = [1, 8, 8]\nweights = {weights:?}\n{freeze}layers = {LAYERS}\n\
         [data]\ndataset = \"digits\"\nshuffle = false\nnormalize = \"none\"\nbatch_size = 8\n\
         train_split = \"train[:24]\"\n\
         [loss]\nname = \"cross_entropy\"\n\
         [optimizer]\n{arguments}\
         [trainer]\nepochs = 2\nbackend = \"flex\"\n{clip}"
    );
    let config = Config::from_toml("golden", &text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Plan::new(config, "golden", &()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn golden_fine_tuning_agrees_with_pytorch() {
    let document: Value =
        serde_json::from_slice(&std::fs::read(golden("fine_tuning.json")).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("start.safetensors");
    std::fs::write(&weights, start(&document)).unwrap();
    for (number, run) in document["runs"].as_array().unwrap().iter().enumerate() {
        let plan = plan(run, &weights.display().to_string());
        let mut state = TrainState::new(&plan, plan.initial_model(&plan.backend.device).unwrap()).unwrap();
        let mut losses = Vec::new();
        while !state.is_finished() {
            for batches in state.batches() {
                let Verdict::Applied(report) = state.step(batches.unwrap()).unwrap() else {
                    panic!("refused")
                };
                losses.push(report.loss);
            }
        }
        let expected = numbers(&run["losses"]);
        assert_eq!(losses.len(), expected.len());
        for (step, (got, want)) in losses.iter().zip(&expected).enumerate() {
            assert!((got - want).abs() < 1e-5, "run {number}, step {step}: {got} and not {want}");
        }
        for tensor in named_parameters(&state.trained()) {
            let want = numbers(&run["end"][&tensor.name]);
            let largest = want.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
            for (got, want) in tensor.data.iter::<f64>().zip(&want) {
                let error = (got - want).abs() / largest;
                assert!(error < 1e-4, "run {number}: {} is {got} and not {want}", tensor.name);
            }
        }
    }
}
