//! CutMix and the choice among batch transforms.

use firebrick_data::batch_transform::{CutmixConfig, MutableBatch};
use firebrick_data::random::{Purpose, generator};
use firebrick_data::transform::functional::Window;
use firebrick_data::{BatchTransformConfig, HostTargets};
use proptest::prelude::*;

use crate::steps::{bytes, cases};

fn floats(field: &str) -> Vec<f32> {
    let bytes = bytes(field);
    bytes.chunks_exact(4).map(|four| f32::from_be_bytes(four.try_into().unwrap())).collect()
}

#[test]
fn cutmix_has_torchvisions_bits() {
    for case in cases("cutmix") {
        let [num, channels, height, width, classes] = [0, 1, 2, 3, 4].map(|at| case[at].parse().unwrap());
        let [left, top, right, bottom]: [usize; 4] = [5, 6, 7, 8].map(|at| case[at].parse().unwrap());
        let share = f64::from_be_bytes(bytes(case[9]).try_into().unwrap());
        let labels: Vec<i64> = case[10].split(',').map(|label| label.parse().unwrap()).collect();
        let mut batch = MutableBatch {
            images: floats(case[11]),
            shape: [num, channels, height, width],
            targets: HostTargets::Classes(labels),
            num_classes: classes,
        };
        let window = Window { top, left, height: bottom - top, width: right - left };
        CutmixConfig::default().mix(&mut batch, window, share);
        assert_eq!(batch.images, floats(case[12]));
        let HostTargets::Probabilities { values, .. } = batch.targets else { panic!("no probabilities") };
        assert_eq!(values, floats(case[13]));
    }
}

fn batch(num: usize) -> MutableBatch {
    let labels = (0..num as i64).map(|label| label % 3).collect();
    let images = (0..num * 2 * 5 * 4).map(|value| value as f32).collect();
    MutableBatch { images, shape: [num, 2, 5, 4], targets: HostTargets::Classes(labels), num_classes: 3 }
}

proptest! {
    #[test]
    fn targets_sum_to_1_and_pixels_come_from_two_images(num in 1..7_usize, alpha in 0.05..3.0_f64, seed: u64) {
        for text in [
            format!("name = 'cutmix'\nalpha = {alpha}"),
            format!("name = 'random_choice'\ntransforms = [{{ name = 'mixup', alpha = {alpha} }}, 'cutmix']"),
        ] {
            let step: BatchTransformConfig = toml::from_str(&text).unwrap();
            step.validate().unwrap();
            prop_assert!(step.gives_probabilities());
            let mut mixed = batch(num);
            step.apply(&mut mixed, &mut generator(seed, Purpose::BatchTransform, 0, 0));
            prop_assert_eq!(mixed.images.len(), batch(num).images.len());
            let HostTargets::Probabilities { values, num_classes } = mixed.targets else { panic!("no shares") };
            for row in values.chunks_exact(num_classes) {
                prop_assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
                prop_assert!(row.iter().all(|share| (0.0..=1.0).contains(share)));
            }
        }
    }
}

#[test]
fn a_choice_of_batch_transforms_takes_each_as_often_as_it_says() {
    let text = "name = 'random_choice'\ntransforms = [{ name = 'mixup', p = 0 }, 'cutmix']\np = [3, 1]";
    let step: BatchTransformConfig = toml::from_str(text).unwrap();
    let is_mixed = |number: &u64| {
        let mut mixed = batch(2);
        step.apply(&mut mixed, &mut generator(0, Purpose::BatchTransform, 0, *number));
        matches!(mixed.targets, HostTargets::Probabilities { .. })
    };
    let count = (0..2000).filter(is_mixed).count();
    assert!((430..570).contains(&count), "{count}");
}

#[test]
fn wrong_arguments_of_batch_transforms_name_their_key() {
    for (text, key) in [
        ("name = 'cutmix'\nalpha = 0", "alpha"),
        ("name = 'cutmix'\np = 2", "p"),
        ("name = 'random_choice'\ntransforms = []", "transforms"),
        (
            "name = 'random_choice'\ntransforms = ['mixup', { name = 'cutmix', alpha = -1 }]",
            "transforms[1].alpha",
        ),
        ("name = 'random_choice'\ntransforms = ['mixup']\np = [-1]", "p"),
    ] {
        let step: BatchTransformConfig = toml::from_str(text).unwrap();
        assert_eq!(step.validate().unwrap_err().key, key, "{text}");
    }
}
