//! BatchNorm's running statistics: what they are, who shares them, and what survives.

use burn::module::{Module, Param};
use burn::store::ModuleRecord;
use burn::tensor::{Bytes, Tensor, TensorData};
use firebrick_models::init::TorchInit;
use firebrick_models::layer::{BatchNorm2d, LayerModule};
use firebrick_models::parameters::named_parameters;
use firebrick_models::walk::{ParamRef, Visit, visit};
use firebrick_models::{Network, Shape};
use serde_json::json;

use super::support::{all_bits, flex, sequential, values};

/// One channel with the values 1, 2, 3, 6: mean 3, biased variance 3.5, unbiased 14 / 3.
fn images() -> Tensor<4> {
    let data = TensorData::new(vec![1_f32, 2.0, 3.0, 6.0], [2, 1, 1, 2]);
    Tensor::from_data(data, &flex().autodiff())
}

fn statistics<M: Module>(model: &M) -> Vec<(String, Vec<f32>)> {
    let parameters = named_parameters(model);
    let buffers = parameters.iter().filter(|p| p.name.contains("running"));
    buffers.map(|p| (p.name.clone(), values(p))).collect()
}

/// The layer by itself, for images of so many channels.
fn norm(layer: BatchNorm2d, channels: usize) -> LayerModule {
    let device = flex().autodiff();
    TorchInit::new(0, &device).layer(layer, Shape::Image([channels, 1, 2])).unwrap()
}

fn network() -> Network {
    let layers =
        json!([{ "name": "batch_norm2d" }, { "name": "flatten" }, { "name": "linear", "out_features": 2 }]);
    sequential([1, 1, 2], layers).init(0, &flex().autodiff())
}

#[track_caller]
fn close(got: &[f32], expected: &[f64]) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((f64::from(*got) - expected).abs() < 1e-6, "expected {expected}, got {got}");
    }
}

#[test]
fn normalises_with_the_biased_variance_and_remembers_the_unbiased_one() {
    let norm = norm(BatchNorm2d { momentum: 0.25, ..BatchNorm2d::default() }, 1);
    let output: Vec<f32> = norm.forward(images()).images().into_data().try_into_vec().unwrap();
    let sigma = (3.5_f64 + 1e-5).sqrt();
    close(&output, &[-2.0 / sigma, -1.0 / sigma, 0.0, 3.0 / sigma]);
    let statistics = statistics(&norm);
    close(&statistics[0].1, &[0.25 * 3.0]);
    close(&statistics[1].1, &[0.75 + 0.25 * 14.0 / 3.0]);
}

#[test]
fn uses_the_running_statistics_and_changes_nothing_in_evaluation() {
    let model = network();
    model.forward(images());
    let before = all_bits(&model);
    let valid = model.valid();
    valid.forward(images().inner());
    assert_eq!(all_bits(&valid), before);
    assert_eq!(all_bits(&model), before);
    // two images at once or one by one: no batch statistics
    let both: Vec<f32> = valid.forward(images().inner()).into_data().try_into_vec().unwrap();
    let first = valid.forward(images().inner().narrow(0, 0, 1));
    let first: Vec<f32> = first.into_data().try_into_vec().unwrap();
    assert_eq!(both[..2], first);
}

#[test]
fn one_number_a_channel_has_no_variance_to_remember() {
    let norm = norm(BatchNorm2d::default(), 1);
    let data = TensorData::new(vec![5_f32], [1, 1, 1, 1]);
    let output = norm.forward(Tensor::<4>::from_data(data, &flex().autodiff())).images();
    close(&output.into_data().try_into_vec().unwrap(), &[0.0]);
    let statistics = statistics(&norm);
    close(&statistics[0].1, &[0.5]);
    close(&statistics[1].1, &[1.0]);
}

#[test]
fn clones_and_copies_for_evaluation_share_nothing() {
    let model = network();
    let clone = model.clone();
    let valid = model.valid();
    let trained_again = valid.clone().train();
    let fresh = all_bits(&model);
    model.forward(images());
    assert_ne!(all_bits(&model), fresh);
    for other in [&clone, &valid, &trained_again] {
        assert_eq!(all_bits(other), fresh);
    }
    trained_again.forward(images());
    assert_eq!(all_bits(&trained_again), all_bits(&model));
}

#[test]
fn a_record_has_the_last_update_and_gives_it_back() {
    let model = network();
    model.forward(images());
    model.forward(images() * 2.0);
    let bytes = model.valid().into_record().into_bytes().unwrap().to_vec();
    let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes)).unwrap();
    let loaded = network();
    loaded.forward(images() * 7.0);
    let loaded = loaded.try_load_record(record).unwrap();
    assert_eq!(all_bits(&loaded), all_bits(&model));
    // and goes on from there
    model.forward(images() * 3.0);
    loaded.forward(images() * 3.0);
    assert_eq!(all_bits(&loaded), all_bits(&model));
}

#[test]
fn running_statistics_are_not_trainable() {
    struct Trainable(Vec<bool>);
    impl Visit for Trainable {
        fn parameter<const D: usize>(&mut self, _: &ParamRef, parameter: &Param<Tensor<D>>) {
            self.0.push(parameter.is_require_grad());
        }
    }
    let trainable = |model: &Network| {
        let mut visitor = Trainable(Vec::new());
        visit(model, &mut visitor);
        visitor.0
    };
    // weight, bias, running_mean, running_var of the norm; weight and bias of the linear layer
    let expected = [true, true, false, false, true, true];
    let model = network();
    model.forward(images());
    assert_eq!(trainable(&model), expected);
    assert_eq!(trainable(&model.valid().train()), expected);
    assert_eq!(trainable(&model.set_require_grad(true)), expected);
}

#[test]
fn affine_and_bias_decide_which_parameters_there_are() {
    let names = |affine, bias| -> Vec<String> {
        let layer = BatchNorm2d { affine, bias, ..BatchNorm2d::default() };
        named_parameters(&norm(layer, 2)).into_iter().map(|p| p.name).collect()
    };
    assert_eq!(names(true, true), ["weight", "bias", "running_mean", "running_var"]);
    assert_eq!(names(true, false), ["weight", "running_mean", "running_var"]);
    assert_eq!(names(false, true), ["running_mean", "running_var"]);
}

#[test]
fn equal_bits_on_any_number_of_threads() {
    let layers = json!([
        { "name": "conv2d", "out_channels": 16, "kernel_size": 3, "padding": 1 },
        { "name": "batch_norm2d" },
        { "name": "relu" },
        { "name": "max_pool2d", "kernel_size": 2 },
        { "name": "flatten" },
        { "name": "linear", "out_features": 10 },
    ]);
    let config = sequential([3, 32, 32], layers);
    for device in [flex(), super::support::ndarray()] {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let device = device.clone().autodiff();
                let model = config.init(0, &device);
                let count = 32 * 3 * 32 * 32;
                let pixels: Vec<f32> = (0..count).map(|i| (i as f32 * 0.37).sin()).collect();
                let data = TensorData::new(pixels, [32, 3, 32, 32]);
                let loss = model.forward(Tensor::from_data(data, &device)).square().mean();
                let gradients = firebrick_models::parameters::named_gradients(&model, &loss.backward());
                let gradients = gradients.into_iter().map(|(info, data)| (info.name, data.unwrap()));
                let bits = |data: TensorData| data.iter::<f32>().map(f32::to_bits).collect::<Vec<_>>();
                let gradients: Vec<_> = gradients.map(|(name, data)| (name, bits(data))).collect();
                (gradients, all_bits(&model))
            })
        };
        let alone = run(1);
        for threads in [2, 4] {
            assert_eq!(run(threads), alone, "{threads} threads on {device:?}");
        }
    }
}
