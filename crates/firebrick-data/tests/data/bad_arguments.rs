//! Wrong arguments of `[data]`: found before any file is touched, each message names the argument.

use firebrick_data::source::SyntheticConfig;
use firebrick_data::{DataConfig, DatasetConfig, InputShape, Limit, Normalization, Normalize, open};

use crate::support::named;

fn refused(change: impl FnOnce(&mut DataConfig), parts: &[&str]) {
    let mut config = DataConfig::new(named("cifar10"));
    config.root = "/nowhere".into();
    change(&mut config);
    let input = InputShape { channels: 3, height: 32, width: 32 };
    let Err(error) = open(&config, input, 0, &()) else { panic!("accepted: {config:?}") };
    assert!(error.is_config(), "{error}");
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
}

fn values(mean: &[f32], std: &[f32]) -> Normalize {
    Normalize::Values(Normalization { mean: mean.to_vec(), std: std.to_vec() })
}

#[test]
fn counts_out_of_range() {
    refused(|config| config.batch_size = 0, &["data.batch_size", "from 1", "got 0"]);
    refused(|config| config.batch_size = usize::MAX, &["data.batch_size", "to 1048576"]);
    refused(|config| config.workers = 100_000, &["data.workers", "to 1024", "got 100000"]);
    let limit = |train, test| Some(Limit { train, validation: None, test });
    refused(|config| config.limit = limit(Some(0), None), &["data.limit.train", "got 0"]);
    refused(|config| config.limit = limit(None, Some(0)), &["data.limit.test", "got 0"]);
}

#[test]
fn normalisation_that_cannot_be() {
    refused(|config| config.normalize = Some(values(&[0.5; 2], &[0.5; 2])), &["data.normalize", "got 2"]);
    refused(|config| config.normalize = Some(values(&[0.5; 3], &[0.5])), &["data.normalize.std"]);
    refused(|config| config.normalize = Some(values(&[f32::NAN], &[1.0])), &["data.normalize.mean", "NaN"]);
    refused(|config| config.normalize = Some(values(&[0.5], &[0.0])), &["data.normalize.std", "above 0"]);
    refused(|config| config.normalize = Some(values(&[0.5], &[-1.0])), &["data.normalize.std", "-1"]);
}

#[test]
fn splits_that_overlap_or_are_empty() {
    let split = |train: &str, test: &str| {
        let (train, test) = (train.parse().unwrap(), test.parse().unwrap());
        move |config: &mut DataConfig| (config.train_split, config.test_split) = (train, test)
    };
    refused(split("test[:10]", "test"), &["data.test_split", "not trained on", "test[:10]"]);
    refused(split("test[:10]", "test[9:]"), &["data.test_split"]);
    refused(split("train[5:5]", "test"), &["data.train_split", "at least one sample", "train[5:5]"]);
    refused(
        |config| {
            config.dataset = named("image_folder").into();
            config.train_split = "train[:5]".parse().unwrap();
        },
        &["data.train_split", "ordered by class"],
    );
    for text in ["", "tset", "train[", "train[5]", "train[-5:]", "train[+5:]", "train[:5]x", "train[a:b]"] {
        let message = text.parse::<firebrick_data::SplitSpec>().unwrap_err().to_string();
        assert!(message.contains("test[:8000]"), "{text}: {message}");
    }
}

#[test]
fn a_split_past_the_end_of_the_data() {
    let input = InputShape { channels: 1, height: 8, width: 8 };
    for (spec, parts) in [("train[:5000]", "1442 samples"), ("train[1442:]", "1442 samples")] {
        let mut config = DataConfig::new(named("digits"));
        config.train_split = spec.parse().unwrap();
        let Err(error) = open(&config, input, 0, &()) else { panic!("accepted {spec}") };
        assert!(error.to_string().contains(parts) && error.is_config(), "{error}");
    }
}

#[test]
fn synthetic_arguments() {
    let synthetic =
        |config: SyntheticConfig| |data: &mut DataConfig| data.dataset = DatasetConfig::from(config).into();
    let default = SyntheticConfig::default;
    refused(synthetic(SyntheticConfig { num_classes: 0, ..default() }), &["synthetic.num_classes"]);
    refused(synthetic(SyntheticConfig { channels: 2, ..default() }), &["synthetic.channels", "got 2"]);
    refused(synthetic(SyntheticConfig { height: 3, ..default() }), &["synthetic.height", "from 4"]);
    refused(synthetic(SyntheticConfig { train: 0, ..default() }), &["synthetic.train"]);
}

#[test]
fn toml_says_what_is_wrong() {
    let refused = |text: &str, part: &str| {
        let error = toml::from_str::<DataConfig>(text).unwrap_err().to_string();
        assert!(error.contains(part), "no `{part}` in: {error}");
    };
    refused("dataset = \"cifar\"", "unknown dataset `cifar`, expected one of `cifar10`, `cifar100`");
    refused(
        "dataset = \"cifar10\"\n[synthetic]",
        "no such table unless dataset = \"synthetic\", got dataset = \"cifar10\"",
    );
    refused(
        "dataset = { name = \"synthetic\", train = 3 }\n[synthetic]\ntest = 3",
        "here or in `dataset`, got both",
    );
    refused("dataset = \"digits\"\nbatchsize = 3", "unknown field `batchsize`");
    refused("dataset = \"digits\"\nbatch_size = \"3\"", "invalid type: string");
    refused("dataset = \"digits\"\nbatch_size = -1", "invalid value");
    refused("dataset = \"digits\"\nnormalize = \"imagenet\"", "\"none\", \"dataset\" or { mean");
    refused("dataset = \"digits\"\nnormalize = { mean = [0.5] }", "missing field `std`");
    refused("dataset = \"digits\"\nnormalize = { mean = [0.5], std = [1.0], x = 1 }", "unknown field `x`");
    refused("dataset = \"digits\"\ntrain_split = \"all\"", "test[:8000]");
    refused("dataset = \"digits\"\nlimit = { train = 5, tset = 5 }", "unknown field `tset`");
    refused("batch_size = 3", "missing field `dataset`");
}

#[test]
fn toml_survives_the_way_out_and_back() {
    let text = "dataset = \"mnist\"\nroot = \"x\"\nnormalize = { mean = [0.5], std = [0.25] }\n\
                train_split = \"test[:8_000]\"\ntest_split = \"test[8000:]\"\nlimit = { test = 5 }\n\
                augment = [{ name = \"random_crop\", padding = 2 }]";
    let config: DataConfig = toml::from_str(text).unwrap();
    assert_eq!(config.train_split.to_string(), "test[:8000]");
    assert_eq!(config.augment.len(), 1);
    let written = toml::to_string(&config).unwrap();
    assert_eq!(toml::from_str::<DataConfig>(&written).unwrap(), config, "{written}");
    let defaults: DataConfig = toml::from_str("dataset = \"digits\"").unwrap();
    assert_eq!(defaults, DataConfig::new(named("digits")));
}
