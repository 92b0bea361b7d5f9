//! Classes of different sizes, and images that are in two splits.

use std::collections::BTreeSet;
use std::fs;

use firebrick_data::order::balanced_order;
use firebrick_data::{
    ClassWeights, DataConfig, DataLoader, HostBatch, InputShape, LoaderOptions, Sampler, open,
};
use tempfile::tempdir;

use crate::same_samples::png;
use crate::support::write_image_folder;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|class| format!("c{class}")).collect()
}

/// The numbers of `compute_class_weight("balanced", classes=[0, 1, 2], y=[0] * 2 + [1] * 3 + [2] * 7)` of scikit-learn 1.9.
#[test]
fn weights_are_scikit_learns() {
    let weights = ClassWeights::Balanced.resolve(&[2, 3, 7], &names(3)).unwrap();
    assert_eq!(weights, [2.0, 1.333_333_333_333_333_3, 0.571_428_571_428_571_4]);
    let error = ClassWeights::Balanced.resolve(&[2, 0], &names(2)).unwrap_err().to_string();
    assert!(error.contains("data.class_weights") && error.contains("none of class 1, c1"), "{error}");
}

#[test]
fn a_balanced_epoch_has_every_class_equally_often() {
    let classes = vec![(0..900).collect::<Vec<_>>(), vec![], (900..1000).collect()];
    let order = balanced_order(&classes, 3, 0);
    assert_eq!(order, balanced_order(&classes, 3, 0));
    assert_ne!(order, balanced_order(&classes, 3, 1));
    assert_ne!(order, balanced_order(&classes, 4, 0));
    assert_eq!(order.len(), 1000);
    let rare = order.iter().filter(|index| **index >= 900).count();
    // 500 expected, with a deviation of 16.
    assert!((430..570).contains(&rare), "{rare}");
    let distinct: BTreeSet<&usize> = order.iter().filter(|index| **index >= 900).collect();
    assert!(distinct.len() > 90, "{}", distinct.len());
}

/// An image that comes again in an epoch is augmented in another way, and batches do not depend on the workers.
#[test]
fn what_comes_again_is_augmented_anew() {
    let text = "dataset = 'digits'\nsampler = 'balanced'\nlimit = { train = 60, test = 20 }\n\
                augment = [{ name = 'random_crop', padding = 3 }]";
    let config: DataConfig = toml::from_str(text).unwrap();
    assert_eq!(config.sampler, Sampler::Balanced);
    let datasets = open(&config, InputShape { channels: 1, height: 8, width: 8 }, 1, &()).unwrap();
    assert_eq!(datasets.train_class_counts.as_ref().unwrap().iter().sum::<usize>(), 60);
    let epoch = |workers| {
        let options = LoaderOptions { batch_size: 7, shuffle: true, seed: 1, workers, drop_last: false };
        let batches: Vec<HostBatch> =
            DataLoader::new(datasets.train.clone(), options).epoch(2, 0).map(Result::unwrap).collect();
        batches
    };
    let batches = epoch(0);
    assert!(batches == epoch(3));
    let indices: Vec<usize> = batches.iter().flat_map(|batch| batch.sample_indices.clone()).collect();
    assert_eq!(indices.len(), 60);
    let images: Vec<Vec<u32>> = batches
        .into_iter()
        .flat_map(|batch| {
            let values = batch.pixels.into_floats(64);
            values
                .chunks(64)
                .map(|image| image.iter().map(|value| value.to_bits()).collect())
                .collect::<Vec<_>>()
        })
        .collect();
    let repeated = (0..60).filter(|place| indices[..*place].contains(&indices[*place])).count();
    let distinct: BTreeSet<&Vec<u32>> = images.iter().collect();
    let different: BTreeSet<&usize> = indices.iter().collect();
    assert!(
        repeated > 10 && distinct.len() > different.len() + repeated / 2,
        "{repeated} {}",
        distinct.len()
    );
}

#[test]
fn a_sampler_that_contradicts_other_keys_is_refused() {
    for other in ["shuffle = false", "repeated_augmentation = 2"] {
        let text = format!("dataset = 'digits'\nsampler = 'balanced'\n{other}");
        let error = toml::from_str::<DataConfig>(&text).unwrap().validate().unwrap_err();
        assert_eq!(error.key, "sampler");
    }
}

#[test]
fn images_in_two_splits_are_told() {
    let root = tempdir().unwrap();
    write_image_folder(root.path());
    let input = InputShape { channels: 3, height: 4, width: 4 };
    let told = || {
        let mut config: DataConfig = toml::from_str("dataset = 'image_folder'").unwrap();
        config.root = root.path().to_path_buf();
        open(&config, input, 0, &()).unwrap().info.notices
    };
    assert!(told().is_empty());
    // Under another name and of another class.
    fs::copy(root.path().join("train/cat/a.png"), root.path().join("test/dog/copy.png")).unwrap();
    fs::write(root.path().join("test/dog/other.png"), png(3)).unwrap();
    let notices = told();
    assert_eq!(notices.len(), 1);
    assert!(notices[0].starts_with("1 of the 4 test images are training images, too"), "{notices:?}");
    assert!(
        notices[0].contains("test/dog/copy.png is ") && notices[0].contains("train/cat/a.png"),
        "{notices:?}"
    );
}
