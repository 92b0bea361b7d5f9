//! Dropout and stochastic depth in a `sequential`. One test, because the backends' generators are one for a process.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use firebrick_models::ModelConfig;
use firebrick_models::walk::{Change, ParamRef, change};
use serde_json::json;

use super::support::{flex, ndarray, sequential};

const N: usize = 64;
const SIDE: usize = 32;
const P: f64 = 0.3;

/// The layer right on the image, and a linear layer that is set to hand its inputs through.
fn config(layer: &str) -> ModelConfig {
    let layers = json!([
        { "name": layer, "p": P },
        { "name": "flatten" },
        { "name": "linear", "out_features": SIDE * SIDE, "bias": false },
    ]);
    sequential([1, SIDE, SIDE], layers)
}

/// The output for images of ones: 0 or 1 / (1 - p) where dropout works, 1 where it does not.
fn outputs(layer: &str, device: &Device, seed: u64, is_training: bool) -> Vec<f32> {
    struct Identity;
    impl Change for Identity {
        fn parameter<const D: usize>(
            &mut self,
            _: &ParamRef,
            parameter: Param<Tensor<D>>,
        ) -> Param<Tensor<D>> {
            let eye = Tensor::<2>::eye(SIDE * SIDE, &parameter.val().device());
            parameter.map(|old| eye.reshape(old.dims()))
        }
    }
    let model = change(config(layer).init(0, &device.clone().autodiff()), &mut Identity);
    let (model, device) = match is_training {
        true => (model, device.clone().autodiff()),
        false => (model.valid(), device.clone()),
    };
    device.seed(seed);
    let images_nchw = Tensor::<4>::from_data(TensorData::ones::<f32, _>([N, 1, SIDE, SIDE]), &device);
    model.forward(images_nchw).into_data().try_into_vec().unwrap()
}

#[test]
fn what_is_dropped_is_torchs_and_a_function_of_the_seed() {
    for device in [flex(), ndarray()] {
        check("dropout", &device);
        check("drop_path", &device);
        // A number or an image goes with the same probability, but all numbers of an image go together.
        let images = outputs("drop_path", &device, 1, true);
        for image in images.chunks_exact(SIDE * SIDE) {
            assert!(image.iter().all(|value| *value == image[0]), "{image:?}");
        }
    }
}

fn check(layer: &str, device: &Device) {
    assert!(outputs(layer, device, 1, false).iter().all(|value| *value == 1.0), "{layer} in evaluation");
    let first = outputs(layer, device, 1, true);
    let scaled = (1.0 / (1.0 - P)) as f32;
    let kept = first.iter().filter(|value| (**value - scaled).abs() < 1e-6).count();
    let zeros = first.iter().filter(|value| **value == 0.0).count();
    assert_eq!(kept + zeros, first.len());
    let each = if layer == "drop_path" { SIDE * SIDE } else { 1 };
    let (n, zeros) = ((first.len() / each) as f64, (zeros / each) as f64);
    let sigma = (n * P * (1.0 - P)).sqrt();
    assert!((zeros - n * P).abs() < 5.0 * sigma, "{layer}: {zeros} of {n} dropped");
    // every image has a choice of its own
    assert!(first.chunks_exact(SIDE * SIDE).any(|image| image != &first[..SIDE * SIDE]));
    assert_eq!(outputs(layer, device, 1, true), first);
    assert_ne!(outputs(layer, device, 2, true), first);
    for threads in [1, 2, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| outputs(layer, device, 1, true)), first, "{layer}, {threads} threads");
    }
}
