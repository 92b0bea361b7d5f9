//! Augmented batches: the same for any number of workers and from any batch on, others in the next epoch.

use std::collections::BTreeMap;
use std::sync::Arc;

use firebrick_data::{
    BatchTransformConfig, DataConfig, DataLoader, HostBatch, InputShape, LoaderOptions, PreparedDataset, open,
};

use crate::support::named;

const AUGMENT: &str = "
    augment = [
        { name = 'pad', padding = 2 },
        { name = 'random_resized_crop', size = 8 },
        { name = 'random_horizontal_flip', alternate = true },
        { name = 'random_choice', transforms = ['trivial_augment', 'aug_mix', 'rand_augment'] },
        { name = 'random_apply', transforms = [{ name = 'color_jitter', brightness = 0.4 }] },
        { name = 'random_erasing', value = 'random' },
    ]
    batch_augment = [{ name = 'random_choice', transforms = ['mixup', 'cutmix'] }]
";

fn config() -> DataConfig {
    let mut config = DataConfig::new(named("digits"));
    let table: toml::Table = toml::from_str(AUGMENT).unwrap();
    config.augment = table["augment"].clone().try_into().unwrap();
    config.batch_augment = table["batch_augment"].clone().try_into().unwrap();
    config
}

fn train(config: &DataConfig) -> Arc<PreparedDataset> {
    open(config, InputShape { channels: 1, height: 8, width: 8 }, 4, &()).unwrap().train
}

fn batches(dataset: &Arc<PreparedDataset>, workers: usize, epoch: u64, first: usize) -> Vec<HostBatch> {
    let options = LoaderOptions { batch_size: 60, shuffle: true, seed: 4, workers, drop_last: true };
    DataLoader::new(dataset.clone(), options).epoch(epoch, first).map(Result::unwrap).collect()
}

#[test]
fn batches_do_not_depend_on_workers_or_on_where_the_epoch_was_entered_and_epochs_differ() {
    let mut config = config();
    for repeats in [1, 3] {
        config.repeated_augmentation = repeats;
        let dataset = train(&config);
        let alone = batches(&dataset, 0, 2, 0);
        for workers in [1, 3] {
            assert!(alone == batches(&dataset, workers, 2, 0), "{workers} workers");
        }
        assert!(alone[5..] == batches(&dataset, 2, 2, 5), "entered at batch 5");
        let next = batches(&dataset, 0, 3, 0);
        assert!(alone.iter().zip(&next).all(|(one, other)| one.pixels != other.pixels));
    }
}

#[test]
fn repeated_augmentation_shows_each_image_several_times_each_time_in_another_way() {
    let mut config = config();
    config.batch_augment = Vec::<BatchTransformConfig>::new();
    let once = batches(&train(&config), 0, 0, 0);
    config.repeated_augmentation = 3;
    config.validate().unwrap();
    let repeated = batches(&train(&config), 0, 0, 0);
    assert_eq!(once.len(), repeated.len());
    let mut seen: BTreeMap<usize, Vec<Vec<u32>>> = BTreeMap::new();
    for batch in &repeated {
        let values = batch.pixels.clone().into_floats(64);
        for (index, image) in batch.sample_indices.iter().zip(values.chunks_exact(64)) {
            seen.entry(*index).or_default().push(image.iter().map(|value| value.to_bits()).collect());
        }
    }
    assert_eq!(seen.len(), repeated.len() * 20);
    assert!(seen.values().all(|images| images.len() == 3));
    let differ = seen.values().filter(|images| images[0] != images[1] && images[1] != images[2]).count();
    assert!(differ > seen.len() * 9 / 10, "{differ} of {}", seen.len());
    // The first time an image looks as it does without repetition.
    let values = once[0].pixels.clone().into_floats(64);
    let first: Vec<u32> = values[..64].iter().map(|value| value.to_bits()).collect();
    assert_eq!(seen[&once[0].sample_indices[0]][0], first);
}

#[test]
fn repetition_needs_shuffling_and_augmentation() {
    let mut config = config();
    config.repeated_augmentation = 2;
    config.shuffle = false;
    assert_eq!(config.validate().unwrap_err().key, "repeated_augmentation");
    config.shuffle = true;
    assert!(config.without_effect().is_empty());
    config.augment.clear();
    assert_eq!(config.without_effect()[0].key, "repeated_augmentation");
    config.repeated_augmentation = 0;
    assert_eq!(config.validate().unwrap_err().key, "repeated_augmentation");
}
