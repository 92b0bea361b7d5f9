//! A `sequential` with every kind of layer, five passes in training mode and one after, against PyTorch.

use std::collections::HashMap;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use firebrick_models::parameters::{named_gradients, named_parameters};
use firebrick_models::weights::{LoadOptions, MatchedBy, load};
use firebrick_models::{ModelConfig, Network};

use super::golden::{CPU_TOLERANCE, compare, golden, host, labels, mean_cross_entropy};
use super::support::{config, fixture, flex, ndarray, read, values};

type Expected = HashMap<String, (Vec<usize>, Vec<f32>)>;

#[test]
fn golden_sequential_flex_agrees_with_pytorch() {
    check(&flex(), "safetensors");
}

#[test]
fn golden_sequential_ndarray_agrees_with_pytorch() {
    check(&ndarray(), "pt");
}

/// What the golden files' own config builds, with the golden weights.
fn loaded(device: &Device, extension: &str) -> Network {
    let arguments = std::fs::read(golden("sequential.json")).unwrap();
    let arguments: serde_json::Value = serde_json::from_slice(&arguments).unwrap();
    let config = ModelConfig::deserialize_named("sequential", arguments).unwrap().unwrap();
    // A seed that the golden weights do not have: whatever is not loaded shows.
    let fresh = config.init(999, device);
    let path = golden(&format!("sequential.{extension}"));
    let (model, report) = load(fresh, &path, LoadOptions::default()).unwrap();
    assert_eq!(report.matched_by, MatchedBy::Name { prefix: String::new() }, "{report}");
    model
}

fn check(device: &Device, extension: &str) {
    let path = golden("sequential.expected.safetensors");
    let expected = read(&path);
    let training = device.clone().autodiff();
    let model = loaded(&training, extension);
    let num_passes = expected.keys().filter(|key| key.starts_with("images.")).count();
    assert!(num_passes >= 2, "{num_passes} passes");
    for pass in 0..num_passes {
        let what = format!("sequential on {device:?}, pass {pass}");
        let tensor = |name: &str| &expected[&format!("{name}.{pass}")].1;
        let targets = labels(&path, &format!("labels.{pass}"));
        let labels_n = Tensor::<1, Int>::from_data(TensorData::from(targets.as_slice()), &training);
        let logits_nk = model.forward(images(&expected, pass, &training));
        let loss = mean_cross_entropy(logits_nk.clone(), labels_n);
        compare(&what, "logits", &host(logits_nk), tensor("logits"), CPU_TOLERANCE);
        compare(&what, "loss", &host(loss.clone()), tensor("loss"), CPU_TOLERANCE);
        check_gradients(&what, &model, loss, &expected, pass);
        check_buffers(&what, &model, &expected, pass);
    }
    let logits_nk = model.valid().forward(images(&expected, 0, device));
    let what = format!("sequential on {device:?}, afterwards");
    compare(&what, "eval_logits", &host(logits_nk), &expected["eval_logits"].1, CPU_TOLERANCE);
}

fn images(expected: &Expected, pass: usize, device: &Device) -> Tensor<4> {
    let (shape, values) = &expected[&format!("images.{pass}")];
    Tensor::from_data(TensorData::new(values.clone(), shape.clone()), device)
}

fn check_gradients(what: &str, model: &Network, loss: Tensor<1>, expected: &Expected, pass: usize) {
    let gradients = named_gradients(model, &loss.backward());
    let in_file = expected.keys().filter(|key| key.starts_with(&format!("grad.{pass}."))).count();
    assert_eq!(gradients.len(), in_file, "{what}: gradients in the golden file");
    for (parameter, gradient) in gradients {
        let key = format!("grad.{pass}.{}", parameter.name);
        let gradient = gradient.unwrap_or_else(|| panic!("{what}: no {key}"));
        let (shape, values) = &expected[&key];
        assert_eq!(&gradient.shape().to_vec(), shape, "{what}: shape of {key}");
        compare(what, &key, &gradient.try_to_vec().unwrap(), values, CPU_TOLERANCE);
    }
}

fn check_buffers(what: &str, model: &Network, expected: &Expected, pass: usize) {
    let parameters = named_parameters(model);
    let buffers: Vec<_> =
        expected.keys().filter_map(|k| k.strip_prefix(&format!("buffer.{pass}."))).collect();
    assert!(!buffers.is_empty());
    for name in buffers {
        let key = format!("buffer.{pass}.{name}");
        let ours = parameters.iter().find(|parameter| parameter.name == name);
        let ours = ours.unwrap_or_else(|| panic!("{what}: no {name}"));
        compare(what, &key, &values(ours), &expected[&key].1, CPU_TOLERANCE);
    }
}

/// The fixtures, whatever `FIREBRICK_GOLDEN_DIR` holds, have a layer of every kind; those that stand in `layers.json`
/// are compared one by one.
#[test]
fn the_golden_networks_have_every_kind_of_layer() {
    let [one, several] =
        ["sequential.json", "layers.json"].map(|name| std::fs::read_to_string(fixture(name)).unwrap());
    for name in firebrick_models::LayerConfig::NAMES {
        let quoted = format!("\"{name}\"");
        assert!(one.contains(&quoted) || several.contains(&quoted), "{name}");
    }
    assert_eq!(config("sequential").num_classes(), 10);
}
