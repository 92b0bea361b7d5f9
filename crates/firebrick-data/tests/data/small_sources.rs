//! The bundled digits and the made-up images: no files at all.

use firebrick_data::source::{Source, SyntheticConfig};
use firebrick_data::{DataConfig, InputShape, find, open};

use crate::support::{named, samples};

fn open_synthetic(config: &SyntheticConfig, seed: u64) -> Source {
    find(&DataConfig::new(config.clone()), seed, &()).unwrap()
}

#[test]
fn the_digits_need_no_files() {
    let mut config = DataConfig::new(named("digits"));
    config.root = "/nowhere".into();
    let input = InputShape { channels: 1, height: 8, width: 8 };
    let datasets = open(&config, input, 0, &()).unwrap();
    assert_eq!((datasets.info.train_count, datasets.info.test_count), (1442, 355));
    assert_eq!(datasets.info.class_names.join(""), "0123456789");
    let mut counts = [0; 10];
    for index in 0..1442 {
        counts[datasets.train.get(0, index).unwrap().1 as usize] += 1;
    }
    assert_eq!(counts, [143, 146, 142, 147, 145, 146, 145, 144, 140, 144]);
}

#[test]
fn the_digits_are_normalised_by_their_own_mean() {
    let config = DataConfig::new(named("digits"));
    let input = InputShape { channels: 1, height: 8, width: 8 };
    let datasets = open(&config, input, 0, &()).unwrap();
    let values: Vec<f64> =
        (0..1442).flat_map(|index| datasets.train.get(0, index).unwrap().0).map(f64::from).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    assert!(mean.abs() < 1e-3 && (variance - 1.0).abs() < 1e-3, "mean {mean}, variance {variance}");
}

#[test]
fn synthetic_images_depend_on_seed_and_index_alone() {
    let config = SyntheticConfig { train: 30, test: 10, ..SyntheticConfig::default() };
    let first = open_synthetic(&config, 3);
    let again = open_synthetic(&config, 3);
    assert_eq!(samples(&first.train), samples(&again.train));
    assert_eq!(first.fingerprint, again.fingerprint);
    let other = open_synthetic(&config, 4);
    assert_ne!(samples(&first.train)[0], samples(&other.train)[0]);
    assert_ne!(first.fingerprint, other.fingerprint);
    assert_ne!(samples(&first.train)[..10], samples(&first.test)[..]);
}

#[test]
fn synthetic_classes_can_be_told_apart_by_their_brightest_cell() {
    for (num_classes, channels, side) in [(10, 3, 32), (2, 1, 8), (1, 1, 1), (100, 1, 32)] {
        let config =
            SyntheticConfig { num_classes, train: 200, test: 1, channels, height: side, width: side };
        let train = samples(&open_synthetic(&config, 0).train);
        let mut first_of_class: Vec<Option<Vec<bool>>> = vec![None; num_classes];
        for sample in train {
            let bright: Vec<bool> = sample.image.pixels.iter().map(|pixel| *pixel >= 128).collect();
            let known = first_of_class[sample.label as usize].get_or_insert(bright.clone());
            assert_eq!(*known, bright, "class {} looks alike", sample.label);
        }
        first_of_class.sort();
        first_of_class.dedup();
        assert_eq!(first_of_class.len(), num_classes, "classes look different");
    }
}
