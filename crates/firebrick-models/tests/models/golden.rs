//! Forward, loss and every gradient against PyTorch, from its own weight files.
//!
//! Tolerances are relative to the largest magnitude of the tensor compared: element by element would
//! ask for digits that f32 does not have where a sum of thousands of products comes out near zero,
//! and an absolute one would mean nothing for gradients of 1e-2. A wrong constant moves whole tensors
//! by 1e-2 and more of their largest element, a thousand times the tolerance.

use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, DeviceKind, DeviceType, Int, Tensor, TensorData};
use firebrick_models::Network;
use firebrick_models::parameters::named_gradients;
use firebrick_models::weights::{LoadOptions, LoadReport, load};
use safetensors::tensor::SafeTensors;

use super::support::{config, fixture, flex, ndarray, read};

pub const CPU_TOLERANCE: f64 = 1e-5;
const GPU_TOLERANCE: f64 = 1e-3;

const CASES: [(&str, &str); 3] = [("tudui", "tudui"), ("tudui_indexed", "tudui"), ("lenet", "lenet")];

#[test]
fn golden_flex_agrees_with_pytorch() {
    check_all(&flex(), CPU_TOLERANCE);
}

#[test]
fn golden_ndarray_agrees_with_pytorch() {
    check_all(&ndarray(), CPU_TOLERANCE);
}

/// Without an adapter there is nothing to run on; `FIREBRICK_REQUIRE_WGPU=1` makes that a failure.
#[test]
fn golden_wgpu_agrees_with_pytorch() {
    let adapters = Device::enumerate(DeviceType::Wgpu).into_vec();
    if adapters.is_empty() {
        let required = std::env::var_os("FIREBRICK_REQUIRE_WGPU").is_some();
        assert!(!required, "no wgpu adapter; install mesa-vulkan-drivers");
        eprintln!("no wgpu adapter, so wgpu is not compared with PyTorch");
        return;
    }
    check_all(&Device::wgpu(DeviceKind::DefaultDevice), GPU_TOLERANCE);
}

fn check_all(device: &Device, tolerance: f64) {
    for (case, model) in CASES {
        for extension in ["safetensors", "pt"] {
            check(case, model, extension, device, tolerance);
        }
    }
}

/// A golden file: from `FIREBRICK_GOLDEN_DIR` if that has it, else our own copy.
pub fn golden(name: &str) -> PathBuf {
    let given = std::env::var_os("FIREBRICK_GOLDEN_DIR").map(|folder| PathBuf::from(folder).join(name));
    given.filter(|path| path.exists()).unwrap_or_else(|| fixture(name))
}

/// One weights file on one device.
fn check(case: &str, name: &str, extension: &str, device: &Device, tolerance: f64) {
    let what = format!("{case}.{extension} on {device:?}");
    let path = golden(&format!("{case}.expected.safetensors"));
    let expected = read(&path);
    let (shape, images) = &expected["images"];
    let num_classes = expected["logits"].0[1];

    let device = device.clone().autodiff();
    // A seed that the golden weights do not have: whatever is not loaded shows.
    let fresh = config(name).with_num_classes(num_classes).init(999, &device);
    let weights = golden(&format!("{case}.{extension}"));
    let (model, report) = load(fresh, &weights, LoadOptions::default()).unwrap();

    let images_nchw = Tensor::<4>::from_data(TensorData::new(images.clone(), shape.clone()), &device);
    let labels_n = Tensor::<1, Int>::from_data(TensorData::from(labels(&path, "labels").as_slice()), &device);
    let logits_nk = model.forward(images_nchw);
    let loss = mean_cross_entropy(logits_nk.clone(), labels_n);

    compare(&what, "logits", &host(logits_nk), &expected["logits"].1, tolerance);
    compare(&what, "loss", &host(loss.clone()), &expected["loss"].1, tolerance);
    check_gradients(&what, &model, &report, loss, &expected, tolerance);
}

fn check_gradients(
    what: &str,
    model: &Network,
    report: &LoadReport,
    loss: Tensor<1>,
    expected: &std::collections::HashMap<String, (Vec<usize>, Vec<f32>)>,
    tolerance: f64,
) {
    let gradients = named_gradients(model, &loss.backward());
    assert_eq!(gradients.len(), report.assignments.len(), "{what}");
    let in_file = expected.keys().filter(|key| key.starts_with("grad.")).count();
    assert_eq!(gradients.len(), in_file, "{what}: gradients in the golden file");
    for ((parameter, gradient), assignment) in gradients.into_iter().zip(&report.assignments) {
        assert_eq!(parameter.name, assignment.parameter);
        let key = format!("grad.{}", assignment.tensor);
        let gradient = gradient.unwrap_or_else(|| panic!("{what}: no {key}"));
        let (shape, values) = &expected[&key];
        assert_eq!(&gradient.shape().to_vec(), shape, "{what}: shape of {key}");
        compare(what, &key, &gradient.try_to_vec().unwrap(), values, tolerance);
    }
}

pub fn mean_cross_entropy(logits_nk: Tensor<2>, labels_n: Tensor<1, Int>) -> Tensor<1> {
    let log_probabilities_nk = log_softmax(logits_nk, 1);
    log_probabilities_nk.gather(1, labels_n.unsqueeze_dim(1)).mean().neg()
}

pub fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

pub fn labels(path: &std::path::Path, name: &str) -> Vec<i64> {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let labels = file.tensor(name).unwrap();
    let labels = labels.data().chunks_exact(8);
    labels.map(|b| i64::from_le_bytes(b.try_into().unwrap())).collect()
}

pub fn compare(what: &str, name: &str, got: &[f32], expected: &[f32], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}: {name}: number of values");
    let scale = expected.iter().map(|v| f64::from(v.abs())).fold(0.0, f64::max);
    assert!(scale > 0.0, "{what}: {name}: the golden values are all zero");
    let differences = got.iter().zip(expected).map(|(g, e)| (f64::from(*g) - f64::from(*e)).abs());
    let worst = differences.fold(0.0, |worst: f64, d| if d.is_nan() { f64::INFINITY } else { worst.max(d) });
    let error = worst / scale;
    assert!(
        error <= tolerance,
        "{what}: {name}: expected within {tolerance:e} of the largest value, got {error:e}"
    );
    if std::env::var_os("FIREBRICK_GOLDEN_PRINT").is_some() {
        println!("{what}: {name}: {error:.1e}");
    }
}

#[test]
fn every_parameter_is_visited_once_and_outside_the_enum() {
    for (name, count) in [("tudui", 145_578), ("lenet", 61_706)] {
        let model = config(name).init(0, &flex());
        assert_eq!(model.num_params(), count);
        let infos = firebrick_models::weights::parameter_infos(&model);
        assert_eq!(infos[0].name, "conv1.weight");
    }
}
