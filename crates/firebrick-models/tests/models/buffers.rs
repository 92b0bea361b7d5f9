//! `Buffers`: a step that is not taken leaves no trace in the running statistics.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::Tensor;
use firebrick_models::Buffers;

use super::support::{WRITTEN, all_bits, config, flex};

#[test]
fn a_pass_is_undone_to_the_bit() {
    let device = flex().autodiff();
    let model = config("sequential").init(0, &device);
    let images = |factor: f64| Tensor::<4>::ones([2, 3, 12, 12], &device) * factor;
    model.forward(images(1.0));
    let before = all_bits(&model);
    let buffers = Buffers::of(&model);
    assert!(!buffers.is_empty());
    model.forward(images(f64::NAN));
    assert_ne!(all_bits(&model), before);
    let model = buffers.put_back(model);
    assert_eq!(all_bits(&model), before);
    // what was set aside can be used again
    model.forward(images(2.0));
    assert_eq!(all_bits(&buffers.put_back(model)), before);
}

#[test]
fn parameters_stay_as_they_were_trained() {
    let device = flex().autodiff();
    let model = config("sequential").init(0, &device);
    let buffers = Buffers::of(&model);
    let trained = config("sequential").init(1, &device);
    let expected = all_bits(&trained);
    assert_eq!(all_bits(&buffers.put_back(trained)), expected);
}

#[test]
fn networks_without_batch_norm_have_none() {
    for name in WRITTEN {
        let model = config(name).init(0, &flex().autodiff());
        let buffers = Buffers::of(&model);
        assert!(buffers.is_empty(), "{name}");
        let before = all_bits(&model);
        assert_eq!(all_bits(&buffers.put_back(model)), before);
    }
}

/// Somebody's own network may hold Burn's layer, which takes an update in late.
#[test]
fn burns_own_batch_norm_is_undone_as_well() {
    #[derive(Module, Debug)]
    struct Own {
        norm: BatchNorm,
    }
    let device = flex().autodiff();
    let own = Own { norm: BatchNormConfig::new(1).init(&device) };
    let batch = |value: f64| Tensor::<2>::from_floats([[1.0], [2.0]], &device) * value;
    own.norm.forward(batch(1.0));
    let buffers = Buffers::of(&own);
    let before = mean(&own.norm);
    own.norm.forward(batch(f64::NAN));
    let own = buffers.put_back(own);
    assert_eq!(mean(&own.norm), before);
    assert_eq!(mean(&own.valid().norm), before);

    fn mean(norm: &BatchNorm) -> Vec<f32> {
        norm.running_mean.value_sync().into_data().try_into_vec().unwrap()
    }
}
