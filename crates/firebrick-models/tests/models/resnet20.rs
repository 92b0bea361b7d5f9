//! ResNet-20 as `configs/resnet20-cifar10.toml` describes it, against PyTorch, from weights that a formula gives.

use std::collections::HashMap;
use std::path::Path;

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use firebrick_models::ModelConfig;
use firebrick_models::parameters::{named_gradients, named_parameters};
use firebrick_models::walk::{ParamRef, Role, Visit, visit};
use safetensors::tensor::SafeTensors;

use super::formula::{fill, units, values};
use super::golden::{CPU_TOLERANCE, compare, golden, host, mean_cross_entropy};
use super::support::{flex, ndarray, read};

const EXPECTED: &str = "resnet20.expected.safetensors";
/// At most so many elements of a gradient are in the golden file, evenly spread.
const MAX_SAMPLES: usize = 256;

type Expected = HashMap<String, (Vec<usize>, Vec<f32>)>;

#[test]
fn golden_resnet20_flex_agrees_with_pytorch() {
    check(&flex());
}

#[test]
fn golden_resnet20_ndarray_agrees_with_pytorch() {
    check(&ndarray());
}

#[test]
fn resnet20_has_the_parameters_of_the_paper_with_projection_shortcuts() {
    let model = config().init(0, &flex());
    let mut count = CountTrained(0);
    visit(&model, &mut count);
    assert_eq!(count.0, 272_474);
}

#[test]
fn the_formula_gives_the_bits_that_python_computed() {
    let expected = read(&golden(EXPECTED));
    let cases = [
        ("conv1.weight", Role::Weight, vec![16, 3, 3, 3]),
        ("bn1.bias", Role::NormBias, vec![16]),
        ("layer2.0.downsample.1.running_var", Role::Buffer, vec![32]),
        ("fc.weight", Role::LinearWeight, vec![10, 64]),
        ("fc.bias", Role::Bias, vec![10]),
    ];
    for (path, role, shape) in cases {
        assert_eq!(values(path, role, &shape)[..8], expected[&format!("check.{path}")].1[..], "{path}");
    }
    assert_eq!(images()[..8], expected["check.images"].1[..]);
}

/// The `[model]` table of the config that users get.
fn config() -> ModelConfig {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/resnet20-cifar10.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut document: toml::Table = text.parse().unwrap();
    let mut model: toml::Table = document.remove("model").unwrap().try_into().unwrap();
    let name = model.remove("name").unwrap();
    ModelConfig::deserialize_named(name.as_str().unwrap(), model).unwrap().unwrap()
}

fn metadata(key: &str) -> String {
    let bytes = std::fs::read(golden(EXPECTED)).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    header.metadata().as_ref().unwrap()[key].clone()
}

fn images() -> Vec<f32> {
    units(&metadata("images"), 4 * 3 * 32 * 32).map(|unit| unit as f32).collect()
}

fn check(device: &Device) {
    let what = format!("ResNet-20 on {device:?}");
    let expected = read(&golden(EXPECTED));
    let training = device.clone().autodiff();
    let model = fill(config().init(999, &training));
    let images_nchw =
        |device: &Device| Tensor::<4>::from_data(TensorData::new(images(), [4, 3, 32, 32]), device);
    let logits_nk = model.valid().forward(images_nchw(device));
    compare(&what, "logits_eval", &host(logits_nk), &expected["logits_eval"].1, CPU_TOLERANCE);

    let labels: Vec<i64> = metadata("labels").split(' ').map(|label| label.parse().unwrap()).collect();
    let labels_n = Tensor::<1, Int>::from_data(TensorData::from(labels.as_slice()), &training);
    let logits_nk = model.forward(images_nchw(&training));
    let loss = mean_cross_entropy(logits_nk.clone(), labels_n);
    compare(&what, "logits_train", &host(logits_nk), &expected["logits_train"].1, CPU_TOLERANCE);
    compare(&what, "loss", &host(loss.clone()), &expected["loss"].1, CPU_TOLERANCE);
    check_gradients(&what, &model, loss, &expected);
    check_buffers(&what, &model, &expected);
}

/// Some elements of every gradient, relative to the whole gradient's largest, and its norm.
fn check_gradients<M: Module>(what: &str, model: &M, loss: Tensor<1>, expected: &Expected) {
    let gradients = named_gradients(model, &loss.backward());
    assert_eq!(gradients.len(), count(expected, "grad."), "{what}: gradients in the golden file");
    for (parameter, gradient) in gradients {
        let name = &parameter.name;
        let gradient = gradient.unwrap_or_else(|| panic!("{what}: no gradient of {name}"));
        let gradient: Vec<f32> = gradient.try_to_vec().unwrap();
        let samples: Vec<f32> =
            gradient.iter().copied().step_by(gradient.len().div_ceil(MAX_SAMPLES)).collect();
        let [norm, largest] = expected[&format!("norm.{name}")].1[..] else { panic!("norm.{name}") };
        // The golden file's largest element as one more sample, for `compare` to measure against.
        let with_largest = |samples: &[f32]| [samples, &[largest]].concat();
        let in_file = &expected[&format!("grad.{name}")].1;
        compare(what, name, &with_largest(&samples), &with_largest(in_file), CPU_TOLERANCE);
        let squares: f64 = gradient.iter().map(|value| f64::from(*value).powi(2)).sum();
        let ours =
            [squares.sqrt() as f32, gradient.iter().fold(0.0, |most: f32, value| most.max(value.abs()))];
        compare(what, &format!("norm.{name}"), &ours, &[norm, largest], CPU_TOLERANCE);
    }
}

fn check_buffers<M: Module>(what: &str, model: &M, expected: &Expected) {
    let parameters = named_parameters(model);
    let buffers: Vec<_> = parameters.iter().filter(|p| p.name.contains("running")).collect();
    assert_eq!(buffers.len(), count(expected, "buffer."), "{what}: running statistics in the golden file");
    for buffer in buffers {
        let key = format!("buffer.{}", buffer.name);
        compare(what, &key, &buffer.data.try_to_vec().unwrap(), &expected[&key].1, CPU_TOLERANCE);
    }
}

fn count(expected: &Expected, prefix: &str) -> usize {
    expected.keys().filter(|key| key.starts_with(prefix)).count()
}

/// Elements of all parameters that are trained.
struct CountTrained(usize);

impl Visit for CountTrained {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: &Param<Tensor<D>>) {
        if at.role != Role::Buffer {
            self.0 += parameter.val().dims().iter().product::<usize>();
        }
    }
}
