//! A program's own data set, augmentation and batch transform: one file each, which is this one, and no line
//! in the crate. They are used from a config's text, as any other.

use std::sync::Arc;

use firebrick_component::{ArgumentError, Component, RegisterError, check};
use firebrick_data::batch_transform::{BatchTransform, MutableBatch};
use firebrick_data::source::{OpenRequest, SampleSet, SharedDataset, Source};
use firebrick_data::transform::WorkingImage;
use firebrick_data::{
    BatchTransformConfig, DataConfig, DataError, DataLoader, Dataset, DatasetConfig, DatasetSource,
    HostPixels, Image, InputShape, LoaderOptions, Normalization, Sample, Transform, TransformConfig, open,
};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Squares of one grey level: class 0 is dark, class 1 is bright.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Squares {
    size: usize,
    #[serde(default = "ten")]
    count: usize,
}

fn ten() -> usize {
    10
}

impl Component for Squares {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("size", self.size, 1, 64)?;
        check::in_range("count", self.count, 1, 1000)
    }
}

impl DatasetSource for Squares {
    fn open(&self, _request: &OpenRequest) -> Result<Source, DataError> {
        let split = || Some(Arc::new(self.clone()) as SharedDataset);
        Ok(Source {
            origin: "nowhere".into(),
            class_names: vec!["dark".into(), "bright".into()],
            train: split(),
            validation: split(),
            test: split(),
            shape: Some(InputShape { channels: 1, height: self.size, width: self.size }),
            fingerprint: format!("{self:?}"),
            skipped: Default::default(),
        })
    }

    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.5], &[0.5]))
    }
}

impl Dataset<Sample, DataError> for Squares {
    fn get(&self, index: usize) -> Result<Sample, DataError> {
        // The last one of 100 has a class that does not exist.
        let label = if index == 99 { 2 } else { index as u32 % 2 };
        let pixels = vec![if label == 0 { 20 } else { 220 }; self.size * self.size].into();
        Ok(Sample { image: Image { channels: 1, height: self.size, width: self.size, pixels }, label })
    }

    fn len(&self) -> usize {
        self.count
    }
}

impl SampleSet for Squares {}

/// Adds to every pixel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Brighten {
    by: u8,
}

impl Component for Brighten {}

impl Transform for Brighten {
    fn apply(&self, image: &mut WorkingImage, _generator: &mut ChaCha8Rng) {
        image.pixels_mut().iter_mut().for_each(|pixel| *pixel = pixel.saturating_add(self.by));
    }

    fn description(&self) -> String {
        format!("brighten by {}", self.by)
    }
}

/// Takes the mean of the batch from every value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Centre {}

impl Component for Centre {}

impl BatchTransform for Centre {
    fn apply(&self, batch: &mut MutableBatch, _generator: &mut ChaCha8Rng) {
        let mean = batch.images.iter().sum::<f32>() / batch.images.len() as f32;
        batch.images.iter_mut().for_each(|value| *value -= mean);
    }

    fn gives_probabilities(&self) -> bool {
        false
    }

    fn description(&self) -> String {
        "centre".into()
    }
}

fn register() {
    DatasetConfig::register::<Squares>("squares").unwrap();
    TransformConfig::register::<Brighten>("brighten").unwrap();
    BatchTransformConfig::register::<Centre>("centre").unwrap();
}

const INPUT: InputShape = InputShape { channels: 1, height: 4, width: 4 };

#[test]
fn own_components_are_used_from_a_config() {
    register();
    let text = "dataset = { name = 'squares', size = 4 }\naugment = [{ name = 'brighten', by = 5 }]\n\
                batch_augment = ['centre']";
    let config: DataConfig = toml::from_str(text).unwrap();
    let datasets = open(&config, INPUT, 0, &()).unwrap();
    assert_eq!((datasets.info.name.as_str(), datasets.train.len()), ("squares", 10));
    assert_eq!(datasets.info.normalization, Some(Normalization::new(&[0.5], &[0.5])));
    assert_eq!(datasets.train.get(0, 0).unwrap(), (vec![(25.0 / 255.0 - 0.5) / 0.5; 16], 0));
    assert_eq!(datasets.test.get(0, 1).unwrap(), (vec![(220.0 / 255.0 - 0.5) / 0.5; 16], 1));
    assert_eq!(datasets.validation.unwrap().len(), 10);
    assert!(datasets.info.steps.iter().any(|step| step == "brighten by 5"));
    let options = LoaderOptions { batch_size: 10, shuffle: true, seed: 0, workers: 1, drop_last: false };
    let batch = DataLoader::new(datasets.train, options).epoch(0, 0).next().unwrap().unwrap();
    let HostPixels::Floats(values) = batch.pixels else { panic!("a transformed batch is numbers") };
    assert!(values.iter().sum::<f32>().abs() < 1e-4);

    let written = toml::to_string(&config).unwrap();
    assert!(written.contains("name = \"squares\""), "{written}");
    assert_eq!(toml::from_str::<DataConfig>(&written).unwrap(), config, "{written}");
}

#[test]
fn arguments_may_stand_in_a_table_of_the_data_sets_name() {
    register();
    let config: DataConfig = toml::from_str("dataset = 'squares'\n[squares]\nsize = 4\ncount = 3").unwrap();
    assert_eq!(open(&config, INPUT, 0, &()).unwrap().info.train_count, 3);
    let written = toml::to_string(&config).unwrap();
    assert!(written.contains("dataset = \"squares\"") && written.contains("[squares]"), "{written}");
    assert_eq!(toml::from_str::<DataConfig>(&written).unwrap(), config);
    let inline: DataConfig = toml::from_str("dataset = { name = 'squares', size = 0 }").unwrap();
    assert_eq!(inline.validate().unwrap_err().key, "dataset.size");
    let table: DataConfig = toml::from_str("dataset = 'squares'\nsquares = { size = 0 }").unwrap();
    assert_eq!(table.validate().unwrap_err().key, "squares.size");
    assert_eq!(DataConfig::new(DatasetConfig::clone(&config.dataset)), config);
}

#[test]
fn a_name_is_given_once() {
    register();
    let taken = |name: &str| RegisterError { family: "dataset", name: name.into() };
    assert_eq!(DatasetConfig::register::<Squares>("digits"), Err(taken("digits")));
    let unknown = toml::from_str::<DataConfig>("dataset = 'round'").unwrap_err().to_string();
    assert!(unknown.contains("unknown dataset `round`") && unknown.contains("`squares`"), "{unknown}");
}

#[test]
fn a_label_that_is_no_class_is_refused() {
    register();
    let config: DataConfig = toml::from_str("dataset = { name = 'squares', size = 4, count = 100 }").unwrap();
    let datasets = open(&config, INPUT, 0, &()).unwrap();
    let error = datasets.train.get(0, 99).unwrap_err();
    assert!(matches!(error, DataError::Label { index: 99, label: 2, num_classes: 2 }), "{error}");
    let mut parted = config.clone();
    parted.validation = Some(firebrick_data::HoldOut::Count(10));
    parted.test_split = "validation[:5]".parse().unwrap();
    let error = open(&parted, INPUT, 0, &()).err().unwrap();
    assert!(matches!(error, DataError::Label { .. }), "{error}");
}
