//! Three splits: which samples are in which, and that none is in two.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use firebrick_data::{DataConfig, Datasets, HoldOut, InputShape, Limit, PreparedDataset, SplitSpec, open};
use tempfile::{TempDir, tempdir};

use crate::support::{config, named, write_image_folder};

const DIGIT: InputShape = InputShape { channels: 1, height: 8, width: 8 };

fn digits(change: impl FnOnce(&mut DataConfig), seed: u64) -> Datasets {
    let mut config = DataConfig::new(named("digits"));
    change(&mut config);
    open(&config, DIGIT, seed, &()).unwrap()
}

fn values(split: &PreparedDataset) -> Vec<Vec<u32>> {
    (0..split.len())
        .map(|index| {
            let (values, label) = split.get(0, index).unwrap();
            values.iter().map(|value| value.to_bits()).chain([label]).collect()
        })
        .collect()
}

fn class_counts(split: &PreparedDataset) -> Vec<usize> {
    let mut counts = vec![0; 10];
    for index in 0..split.len() {
        counts[split.get(0, index).unwrap().1 as usize] += 1;
    }
    counts
}

#[test]
fn a_limit_of_a_validation_split_that_is_not_there_is_refused() {
    let mut config = DataConfig::new(named("digits"));
    config.limit = Some(Limit { validation: Some(10), ..Limit::default() });
    let error = open(&config, DIGIT, 0, &()).err().unwrap().to_string();
    assert!(
        error.contains("limit.validation: expected nothing, for there is no validation split"),
        "{error}"
    );
}

#[test]
fn without_a_word_there_is_no_validation_split() {
    let datasets = digits(|_| (), 0);
    assert!(datasets.validation.is_none());
    assert_eq!(datasets.info.validation_count, 0);
}

#[test]
fn a_held_out_part_has_as_many_of_each_class_and_is_trained_on_no_more() {
    let all = digits(|_| (), 7);
    let parted = digits(|config| config.validation = Some(HoldOut::Fraction(0.1)), 7);
    let validation = parted.validation.as_ref().unwrap();
    assert_eq!((parted.train.len(), validation.len(), parted.test.len()), (1298, 144, 355));
    let info = &parted.info;
    assert_eq!((info.train_count, info.validation_count, info.test_count), (1298, 144, 355));
    assert!(
        info.steps.iter().any(|step| step.starts_with("hold out 144 of 1442 training samples")),
        "{info:?}"
    );
    // 143, 146, 142, 147, 145, 146, 145, 144, 140, 144 training images: tenths, and the largest remainders.
    assert_eq!(class_counts(validation), [14, 15, 14, 15, 15, 15, 14, 14, 14, 14]);
    let [before, train, held_out] = [&all.train, &parted.train, validation].map(|split| values(split));
    let mut together: Vec<_> = train.iter().chain(&held_out).cloned().collect();
    let mut sorted = before.clone();
    together.sort();
    sorted.sort();
    assert!(together == sorted, "some training sample is in both parts, or in none");
    assert!(is_in_order(&train, &before) && is_in_order(&held_out, &before));
    assert_eq!(values(&parted.test), values(&all.test));
}

/// True when `part` is what is left of `whole` after leaving some out.
fn is_in_order(part: &[Vec<u32>], whole: &[Vec<u32>]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|sample| rest.any(|other| other == sample))
}

#[test]
fn no_class_gives_its_last_image_while_another_has_two() {
    let datasets = digits(
        |config| {
            config.limit = Some(Limit { train: Some(20), ..Limit::default() });
            config.validation = Some(HoldOut::Fraction(0.8));
        },
        0,
    );
    let (train, validation) =
        (class_counts(&datasets.train), class_counts(datasets.validation.as_ref().unwrap()));
    assert_eq!(validation.iter().sum::<usize>(), 16);
    let left_out = (0..10).filter(|class| train[*class] == 0 && validation[*class] > 0).count();
    assert!(left_out == 0 || train.iter().all(|count| *count <= 1), "{train:?} {validation:?}");
}

#[test]
fn what_is_held_out_depends_on_the_seed_alone() {
    let held_out = |seed| {
        let datasets = digits(|config| config.validation = Some(HoldOut::Count(50)), seed);
        values(&datasets.validation.unwrap())
    };
    assert_eq!(held_out(3), held_out(3));
    assert_ne!(held_out(3), held_out(4));
    assert_eq!(held_out(3).len(), 50);
}

#[test]
fn the_folds_together_are_all_training_samples_once() {
    let all = values(&digits(|_| (), 7).train);
    for num_folds in [2, 5, 7] {
        let mut together = Vec::new();
        for fold in 1..=num_folds {
            let hold_out = HoldOut::Fold { fold, num_folds };
            let parted = digits(|config| config.validation = Some(hold_out), 7);
            let held_out = parted.validation.as_ref().unwrap();
            assert!(held_out.len().abs_diff(all.len() / num_folds) <= 1);
            assert_eq!(held_out.len() + parted.train.len(), all.len());
            let counts = class_counts(held_out);
            let whole = [143, 146, 142, 147, 145, 146, 145, 144, 140, 144];
            assert!(counts.iter().zip(whole).all(|(count, whole)| count.abs_diff(whole / num_folds) <= 1));
            assert!(is_in_order(&values(held_out), &all));
            together.extend(values(held_out));
        }
        let mut sorted = all.clone();
        together.sort();
        sorted.sort();
        assert!(together == sorted, "{num_folds}");
    }
    let text = "dataset = 'digits'\nvalidation = { fold = [2, 5] }";
    let config: DataConfig = toml::from_str(text).unwrap();
    assert_eq!(config.validation, Some(HoldOut::Fold { fold: 2, num_folds: 5 }));
    let written = toml::to_string(&config).unwrap();
    assert_eq!(toml::from_str::<DataConfig>(&written).unwrap(), config, "{written}");
    let steps = open(&config, DIGIT, 3, &()).unwrap().info.steps;
    let told =
        "hold out 289 of 1442 training samples for validation (fold 2 of 5, by class, seed 3)".to_owned();
    assert!(steps.contains(&told), "{steps:?}");
}

#[test]
fn a_fold_that_is_none_and_tables_with_other_keys_are_refused() {
    for (fold, num_folds) in [(0, 5), (6, 5), (1, 1), (1, 0), (1, 1443)] {
        let mut config = DataConfig::new(named("digits"));
        config.validation = Some(HoldOut::Fold { fold, num_folds });
        let error = open(&config, DIGIT, 0, &()).err().map(|error| error.to_string());
        // Of 1,442 samples, a fold of 1,443 has one or none.
        let expected = if num_folds == 1443 { None } else { Some("data.validation.fold") };
        assert_eq!(error.is_some(), expected.is_some(), "{error:?}");
        assert!(expected.is_none_or(|key| error.unwrap().contains(key)));
    }
    for table in ["{}", "{ fold = 2 }", "{ fold = [1, 2], count = 3 }", "{ folds = 5 }", "{ fold = [-1, 5] }"]
    {
        let text = format!("dataset = 'digits'\nvalidation = {table}");
        assert!(toml::from_str::<DataConfig>(&text).is_err(), "{table}");
    }
    for (table, expected) in
        [("{ fraction = 0.5 }", HoldOut::Fraction(0.5)), ("{ count = 9 }", HoldOut::Count(9))]
    {
        let text = format!("dataset = 'digits'\nvalidation = {table}");
        assert_eq!(toml::from_str::<DataConfig>(&text).unwrap().validation, Some(expected));
    }
}

#[test]
fn validation_images_are_not_augmented_while_training_images_are() {
    let text = "dataset = 'digits'\nvalidation = 0.5\naugment = [{ name = 'random_crop', padding = 3 }]\n\
                batch_augment = ['mixup']";
    let config: DataConfig = toml::from_str(text).unwrap();
    let datasets = open(&config, DIGIT, 0, &()).unwrap();
    let validation = datasets.validation.unwrap();
    assert_eq!(validation.get(0, 5).unwrap(), validation.get(1, 5).unwrap());
    assert_ne!(datasets.train.get(0, 5).unwrap(), datasets.train.get(1, 5).unwrap());
    let written = toml::to_string(&config).unwrap();
    assert_eq!(toml::from_str::<DataConfig>(&written).unwrap(), config, "{written}");
    assert!(written.contains("validation = 0.5"), "{written}");
}

#[test]
fn a_part_of_a_stored_split_can_be_the_validation_split() {
    let spec = |text: &str| text.parse::<SplitSpec>().unwrap();
    let datasets = digits(
        |config| {
            config.train_split = spec("train[:1000]");
            config.validation_split = Some(spec("train[1000:1200]"));
        },
        0,
    );
    assert_eq!(datasets.validation.as_ref().unwrap().len(), 200);
    let all = digits(|_| (), 0);
    assert_eq!(datasets.validation.unwrap().get(0, 0).unwrap(), all.train.get(0, 1000).unwrap());
    assert!(datasets.info.steps.contains(&"validation on train[1000:1200]".to_owned()));
}

#[test]
fn a_limit_comes_before_the_part_that_is_held_out() {
    let limit = Some(Limit { train: Some(100), validation: None, test: None });
    let datasets = digits(
        |config| {
            config.limit = limit;
            config.validation = Some(HoldOut::Fraction(0.25));
        },
        0,
    );
    assert_eq!((datasets.train.len(), datasets.validation.unwrap().len()), (75, 25));
}

/// An image folder whose `test` has been copied to `name`.
fn folder_with(name: &str, keep_test: bool) -> TempDir {
    let root = tempdir().unwrap();
    write_image_folder(root.path());
    for class in ["cat", "dog"] {
        fs::create_dir_all(root.path().join(name).join(class)).unwrap();
        let picture = image::RgbImage::from_pixel(4, 4, image::Rgb([77, 0, 0]));
        picture.save(root.path().join(name).join(class).join("v.png")).unwrap();
    }
    if !keep_test {
        fs::remove_dir_all(root.path().join("test")).unwrap();
    }
    root
}

fn open_folder(root: &Path, change: impl FnOnce(&mut DataConfig)) -> Result<Datasets, String> {
    let mut config = config("image_folder", root);
    change(&mut config);
    let input = InputShape { channels: 3, height: 4, width: 4 };
    open(&config, input, 0, &()).map_err(|error| error.to_string())
}

fn reds(split: &PreparedDataset) -> BTreeSet<u8> {
    (0..split.len()).map(|index| (split.get(0, index).unwrap().0[0] * 255.0).round() as u8).collect()
}

#[test]
fn a_folders_val_is_the_validation_split_beside_a_test() {
    for name in ["val", "valid", "validation", "Val", "VALIDATION"] {
        let root = folder_with(name, true);
        let datasets = open_folder(root.path(), |_| ()).unwrap();
        assert_eq!(reds(&datasets.validation.unwrap()), BTreeSet::from([77]), "{name}");
        assert_eq!(reds(&datasets.test), BTreeSet::from([12, 202]), "{name}");
        assert_eq!(datasets.info.validation_count, 2);
    }
}

#[test]
fn a_folders_val_is_the_test_split_without_a_test() {
    for name in ["val", "valid", "validation", "Valid"] {
        let root = folder_with(name, false);
        let datasets = open_folder(root.path(), |_| ()).unwrap();
        assert!(datasets.validation.is_none(), "{name}");
        assert_eq!(reds(&datasets.test), BTreeSet::from([77]), "{name}");
    }
    let root = folder_with("val", false);
    fs::rename(root.path().join("train"), root.path().join("Train")).unwrap();
    let parted = open_folder(root.path(), |config| config.validation = Some(HoldOut::Count(2))).unwrap();
    let class =
        |split: &PreparedDataset| (0..2).map(|index| split.get(0, index).unwrap().1).collect::<Vec<_>>();
    assert_eq!(class(&parted.validation.unwrap()), [0, 1]);
    assert_eq!(class(&parted.train), [0, 1]);
}

#[test]
fn folders_splits_and_held_out_parts_do_not_mix() {
    let root = folder_with("val", true);
    let error = open_folder(root.path(), |config| config.validation = Some(HoldOut::Fraction(0.5)));
    let error = error.err().unwrap();
    assert!(error.starts_with("data.validation: expected nothing"), "{error}");
    let swapped =
        open_folder(root.path(), |config| config.test_split = "validation".parse().unwrap()).unwrap();
    assert!(swapped.validation.is_none());
    assert_eq!(reds(&swapped.test), BTreeSet::from([77]));
    let limit = Some(Limit { train: None, validation: Some(1), test: None });
    let limited = open_folder(root.path(), |config| config.limit = limit).unwrap();
    assert_eq!(limited.info.validation_count, 1);
    let plain = tempdir().unwrap();
    write_image_folder(plain.path());
    let named = |config: &mut DataConfig| config.validation_split = Some("validation".parse().unwrap());
    let error = open_folder(plain.path(), named).err().unwrap();
    assert!(error.starts_with("data.validation_split: expected a split that the data set has"), "{error}");
}

#[test]
fn the_validation_folder_has_the_classes_of_the_others_and_counts_in_the_fingerprint() {
    let root = folder_with("val", true);
    let before = open_folder(root.path(), |_| ()).unwrap().info.fingerprint;
    fs::rename(root.path().join("val/cat/v.png"), root.path().join("val/cat/w.png")).unwrap();
    assert_ne!(open_folder(root.path(), |_| ()).unwrap().info.fingerprint, before);
    fs::remove_dir_all(root.path().join("val/cat")).unwrap();
    let error = open_folder(root.path(), |_| ()).err().unwrap();
    assert!(error.contains("val: classes") && error.contains("no folder `cat`"), "{error}");
}

#[test]
fn old_checkpoints_have_no_validation_split() {
    let datasets = digits(|_| (), 0);
    let mut table = toml::Table::try_from(&datasets.info).unwrap();
    table.remove("validation_count").unwrap();
    let old: firebrick_data::DatasetInfo = table.try_into().unwrap();
    assert_eq!(old, datasets.info);
}
