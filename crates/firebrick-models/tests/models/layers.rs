//! Layers one by one against PyTorch, and what is special of some of them. `golden/make_layers.py` explains the files.

use burn::tensor::{Device, Int, Tensor, TensorData};
use firebrick_kernels::{hardsigmoid, hardswish, relu6};
use firebrick_models::parameters::named_gradients;
use firebrick_models::{ModelConfig, Network};
use safetensors::tensor::SafeTensors;
use serde_json::Value;

use super::formula::{fill, units};
use super::golden::{CPU_TOLERANCE, compare, golden, host, mean_cross_entropy};
use super::support::{flex, ndarray, read};

const BATCH: usize = 3;

#[test]
fn golden_layers_flex_agree_with_pytorch() {
    check_all(&flex());
}

#[test]
fn golden_layers_ndarray_agree_with_pytorch() {
    check_all(&ndarray());
}

fn cases() -> Vec<Value> {
    serde_json::from_slice(&std::fs::read(golden("layers.json")).unwrap()).unwrap()
}

fn network(case: &Value, device: &Device) -> Network {
    let config: Result<_, serde_json::Error> =
        ModelConfig::deserialize_named("sequential", case.clone()).unwrap();
    fill(config.unwrap_or_else(|error| panic!("{case}: {error}")).init(0, device))
}

fn check_all(device: &Device) {
    let expected = read(&golden("layers.safetensors"));
    let training = device.clone().autodiff();
    for (index, case) in cases().iter().enumerate() {
        let model = network(case, &training);
        let what = format!("case {index}, {}, on {device:?}", case["layers"]);
        let shape: Vec<usize> = serde_json::from_value(case["input_shape"].clone()).unwrap();
        let count = BATCH * shape.iter().product::<usize>();
        let images = units("images", count).map(|unit| (unit * 4.0) as f32).collect();
        let images = TensorData::new::<f32, _>(images, [BATCH, shape[0], shape[1], shape[2]]);
        let labels_n = Tensor::<1, Int>::from_data(TensorData::from([0, 1, 2]), &training);
        let logits_nk = model.forward(Tensor::from_data(images, &training));
        let loss = mean_cross_entropy(logits_nk.clone(), labels_n);
        compare(&what, "logits", &host(logits_nk), &expected[&format!("{index}.logits")].1, CPU_TOLERANCE);
        for (info, gradient) in named_gradients(&model, &loss.backward()) {
            let (shape, values) = &expected[&format!("{index}.grad.{}", info.name)];
            let gradient = gradient.unwrap_or_else(|| panic!("{what}: no gradient of {}", info.name));
            assert_eq!(&gradient.shape().to_vec(), shape, "{what}: {}", info.name);
            compare(&what, &info.name, &gradient.try_to_vec().unwrap(), values, CPU_TOLERANCE);
        }
    }
}

#[test]
fn golden_layers_print_as_pytorch_prints_them() {
    let bytes = std::fs::read(golden("layers.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for (index, case) in cases().iter().enumerate() {
        let torch = file.tensor(&format!("{index}.repr")).unwrap();
        let torch = String::from_utf8(torch.data().to_vec()).unwrap();
        let model = network(case, &flex());
        let layer = model.plan().layers().iter().find(|layer| layer.path == "x").unwrap();
        // PyTorch has no layer of that name.
        if !["LayerScale", "Scale"].iter().any(|own| torch.starts_with(own)) {
            assert_eq!(layer.repr(), torch);
        }
    }
}

/// torch's gradients at the places where the derivative is not defined.
#[test]
fn kinks_have_torchs_gradients() {
    let device = flex().autodiff();
    let gradient = |function: fn(Tensor<1>) -> Tensor<1>| {
        let x = Tensor::<1>::from_data(TensorData::from([-3.0_f32, 0.0, 3.0, 6.0]), &device).require_grad();
        let gradients = function(x.clone()).sum().backward();
        let values: Vec<f32> = x.grad(&gradients).unwrap().into_data().try_into_vec().unwrap();
        values
    };
    assert_eq!(gradient(relu6), [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(gradient(hardswish), [0.0, 0.5, 1.0, 1.0]);
    assert_eq!(gradient(hardsigmoid), [0.0, 1.0 / 6.0, 0.0, 0.0]);
}
