//! Batch transforms: torchvision's MixUp, the same batches for any number of workers and from any batch on.

use std::sync::Arc;

use firebrick_data::batch_transform::{BatchTransform, MixupConfig, MutableBatch};
use firebrick_data::random::{Purpose, generator, normal, symmetric_beta};
use firebrick_data::{
    BatchTransformConfig, DataConfig, DataLoader, HostBatch, HostPixels, HostTargets, InputShape,
    LoaderOptions, PreparedDataset, Targets, open,
};

use crate::steps::{bytes, cases};

fn floats(field: &str) -> Vec<f32> {
    bytes(field).chunks_exact(4).map(|word| f32::from_be_bytes(word.try_into().unwrap())).collect()
}

#[test]
fn mixup_has_torchvisions_bits() {
    for case in cases("mixup") {
        let [images, values, num_classes] = [0, 1, 2].map(|field| case[field].parse::<usize>().unwrap());
        let share = f64::from_be_bytes(bytes(case[3]).try_into().unwrap());
        let labels = case[4].split(',').map(|label| label.parse().unwrap()).collect();
        let mut batch = MutableBatch {
            images: floats(case[5]),
            shape: [images, 1, 2, values / 2],
            targets: HostTargets::Classes(labels),
            num_classes,
        };
        MixupConfig::default().mix(&mut batch, share);
        assert_eq!(batch.images, floats(case[6]));
        assert_eq!(batch.targets, HostTargets::Probabilities { values: floats(case[7]), num_classes });
    }
}

fn training(text: &str) -> Arc<PreparedDataset> {
    let text = format!("dataset = 'digits'\naugment = [{{ name = 'random_crop', padding = 1 }}]\n{text}");
    let config: DataConfig = toml::from_str(&text).unwrap();
    let input = InputShape { channels: 1, height: 8, width: 8 };
    open(&config, input, 5, &()).unwrap().train
}

fn batches(dataset: &Arc<PreparedDataset>, workers: usize, epoch: u64, first: usize) -> Vec<HostBatch> {
    let options = LoaderOptions { batch_size: 100, shuffle: true, seed: 5, workers, drop_last: false };
    DataLoader::new(dataset.clone(), options).epoch(epoch, first).map(Result::unwrap).collect()
}

#[test]
fn mixed_batches_are_equal_for_any_number_of_workers_and_from_any_batch_on() {
    let dataset = training("batch_augment = [{ name = 'mixup', alpha = 0.4, p = 0.7 }]");
    let expected = batches(&dataset, 0, 2, 0);
    for workers in 1..=4 {
        assert_eq!(batches(&dataset, workers, 2, 0), expected, "{workers} workers");
        assert_eq!(batches(&dataset, workers, 2, 6), expected[6..], "{workers} workers");
    }
    let next = batches(&dataset, 2, 3, 0);
    assert!(next.iter().zip(&expected).all(|(next, before)| next.targets != before.targets));
    let is_mixed = |batch: &&HostBatch| matches!(batch.targets, HostTargets::Probabilities { .. });
    let mixed = expected.iter().chain(&next).filter(is_mixed).count();
    assert!((12..=28).contains(&mixed), "{mixed} of 30 batches with p = 0.7");
}

#[test]
fn without_batch_transforms_and_with_p_0_batches_are_as_ever() {
    let plain = batches(&training(""), 2, 0, 0);
    assert!(plain.iter().all(|batch| batch.targets == HostTargets::Classes(batch.labels.clone())));
    let never = batches(&training("batch_augment = [{ name = 'mixup', p = 0 }]"), 2, 0, 0);
    assert_eq!(never, plain);
}

#[test]
fn rows_sum_to_one_and_the_hard_label_is_the_larger_share() {
    let plain = batches(&training(""), 0, 0, 0);
    let mixed = batches(&training("batch_augment = [{ name = 'mixup' }]"), 0, 0, 0);
    for (plain, mixed) in plain.into_iter().zip(mixed) {
        let count = mixed.len();
        assert_eq!((&mixed.sample_indices, mixed.shape), (&plain.sample_indices, plain.shape));
        let HostTargets::Probabilities { values, num_classes } = &mixed.targets else { panic!("not mixed") };
        assert_eq!((*num_classes, values.len()), (10, 10 * count));
        let HostPixels::Floats(images) = &mixed.pixels else { panic!("mixed images are numbers") };
        assert_eq!(images.len(), 64 * count);
        for (place, row) in values.chunks_exact(10).enumerate() {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{row:?}");
            let before = plain.labels[(place + count - 1) % count];
            let (own, label) = (plain.labels[place], mixed.labels[place]);
            assert!(label == own || label == before);
            assert!(row.iter().all(|value| *value <= row[label as usize]));
        }
        let device = burn::tensor::Device::flex();
        let Targets::Probabilities(targets_nk) = mixed.clone().to_tensors(&device).targets else {
            panic!("probabilities stay probabilities on the device")
        };
        assert_eq!(targets_nk.dims(), [count, 10]);
        assert_eq!(&targets_nk.into_data().try_to_vec::<f32>().unwrap(), values);
    }
}

#[test]
fn the_first_draws_never_change() {
    // A change here changes every mixed batch of every run ever made.
    let share = |alpha| symmetric_beta(&mut generator(1, Purpose::BatchTransform, 2, 3), alpha);
    let drawn = [share(0.2), share(1.0), share(2.5)];
    for (drawn, expected) in drawn.into_iter().zip(FIRST_SHARES) {
        assert!((drawn - expected).abs() < 1e-12, "{drawn:?}");
    }
}

/// From another implementation of the cipher and of the draws.
const FIRST_SHARES: [f64; 3] = [0.927_894_991_869_224_2, 0.625_031_262_734_781_3, 0.463_814_979_056_883_2];

#[test]
fn shares_have_the_moments_of_their_distribution() {
    for alpha in [0.001, 0.1, 0.2, 0.5, 1.0, 2.0, 8.0, 1000.0] {
        let draw = |index| symmetric_beta(&mut generator(3, Purpose::BatchTransform, 0, index), alpha);
        let shares: Vec<f64> = (0..20_000).map(draw).collect();
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "alpha {alpha}");
        let (mean, variance) = moments(&shares);
        let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
        // Four standard errors; that of the variance is below 0.01 of it for every Beta distribution here.
        assert!((mean - 0.5).abs() < 4.0 * (expected / 20_000.0).sqrt(), "alpha {alpha}: mean {mean}");
        assert!((variance / expected - 1.0).abs() < 0.04, "alpha {alpha}: variance {variance}, {expected}");
    }
    let numbers: Vec<f64> =
        (0..20_000).map(|index| normal(&mut generator(4, Purpose::BatchTransform, 0, index))).collect();
    let (mean, variance) = moments(&numbers);
    assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "mean {mean}, variance {variance}");
}

fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64)
}

#[test]
fn a_batch_transform_that_panics_or_breaks_the_batch_is_an_error() {
    for (name, what) in
        [("panics", "gave up"), ("drops", "has changed the number"), ("relabels", "a class from 10 on")]
    {
        BatchTransformConfig::register::<Trouble>("trouble").unwrap();
        let dataset = training(&format!("batch_augment = [{{ name = 'trouble', what = '{name}' }}]"));
        for workers in [0, 2] {
            let options = LoaderOptions { batch_size: 10, shuffle: true, seed: 5, workers, drop_last: false };
            let mut epoch = DataLoader::new(dataset.clone(), options).epoch(0, 0);
            let error = epoch.next().unwrap().unwrap_err().to_string();
            assert!(error.contains("batch 0") && error.contains(what), "{error}");
            assert!(epoch.next().is_none());
        }
    }
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Trouble {
    what: String,
}

impl firebrick_component::Component for Trouble {}

impl BatchTransform for Trouble {
    fn apply(&self, batch: &mut MutableBatch, _generator: &mut rand_chacha::ChaCha8Rng) {
        match self.what.as_str() {
            "panics" => panic!("gave up"),
            "drops" => batch.images.truncate(3),
            _ => batch.targets = HostTargets::Classes(vec![10; batch.shape[0]]),
        }
    }

    fn gives_probabilities(&self) -> bool {
        false
    }

    fn description(&self) -> String {
        self.what.clone()
    }
}
