//! Steps that change an image's size: torchvision's and Pillow's bits, and the rule that a list which sets the
//! size ends with the model's.

use std::sync::Arc;

use firebrick_data::random::{Purpose, generator};
use firebrick_data::transform::{
    CenterCropConfig, Interpolation, Pipeline, RandomCropConfig, RandomHorizontalFlipConfig, ResizeConfig,
    ShorterConfig, Sides, WorkingImage,
};
use firebrick_data::{
    DataConfig, DataError, Image, InputShape, PreparedDataset, Preprocess, Resize, Transform,
    TransformConfig, open,
};
use proptest::prelude::*;

use crate::support::{config, named, write_image_folder};

/// Made by `golden/make_steps.py`, which says what the lines are.
const GOLDEN: &str = include_str!("../golden/steps.txt");

/// The fields behind the kind, of every case of a kind.
pub fn cases(kind: &str) -> Vec<Vec<&'static str>> {
    let lines = GOLDEN.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let cases: Vec<Vec<&str>> = lines.filter(|fields| fields[0] == kind).map(|f| f[1..].to_vec()).collect();
    assert!(!cases.is_empty(), "no golden case of kind {kind}");
    cases
}

pub fn bytes(field: &str) -> Vec<u8> {
    (0..field.len() / 2).map(|byte| u8::from_str_radix(&field[2 * byte..2 * byte + 2], 16).unwrap()).collect()
}

fn numbers<const N: usize>(fields: &[&str]) -> [usize; N] {
    std::array::from_fn(|field| fields[field].parse().unwrap())
}

fn image([channels, height, width]: [usize; 3], pixels: Vec<u8>) -> Image {
    Image { channels, height, width, pixels: Arc::from(pixels) }
}

fn applied(step: impl Into<TransformConfig>, image: &Image) -> WorkingImage {
    let mut working = WorkingImage::new();
    working.load(image).unwrap();
    let step = step.into();
    let promised = step.output_size(Some(working.size())).unwrap();
    step.apply(&mut working, &mut generator(0, Purpose::Augment, 0, 0));
    assert_eq!(promised, Some(working.size()));
    working
}

/// What `data.resize` makes of an image.
fn fitted(resize: Resize, image: &Image, height: usize, width: usize) -> Vec<u8> {
    let input = InputShape { channels: image.channels, height, width };
    let values = Preprocess::with_resize(input, resize, None).unwrap().apply(image).unwrap();
    values.iter().map(|value| (value * 255.0).round() as u8).collect()
}

#[test]
fn resizing_the_shorter_side_has_torchvisions_bits() {
    for case in cases("shorter") {
        let [channels, height, width, side] = numbers(&case);
        let image = image([channels, height, width], bytes(case[4]));
        let resized = applied(ResizeConfig { shorter: Some(side), size: None }, &image);
        assert_eq!([resized.height(), resized.width()], numbers(&case[5..]));
        assert!(resized.pixels() == bytes(case[7]), "{channels}x{height}x{width} to {side}");
    }
}

#[test]
fn a_center_crop_has_torchvisions_bits() {
    for case in cases("center") {
        let [channels, height, width, new_height, new_width] = numbers(&case);
        let image = image([channels, height, width], bytes(case[5]));
        let cut = applied(CenterCropConfig { size: Sides::Pair(new_height, new_width) }, &image);
        assert!(cut.pixels() == bytes(case[6]), "{height}x{width} to {new_height}x{new_width}");
    }
}

#[test]
fn shorter_and_letterbox_have_torchvisions_and_pillows_bits() {
    for (kind, interpolation) in [("fit", Interpolation::Bilinear), ("bicubic", Interpolation::Bicubic)] {
        for case in cases(kind) {
            let [channels, height, width, shorter, crop] = numbers(&case);
            let image = image([channels, height, width], bytes(case[5]));
            for crop_key in [Some(crop), None] {
                let resize = Resize::Shorter(ShorterConfig { shorter, crop: crop_key, interpolation });
                let got = fitted(resize, &image, crop, crop);
                assert!(got == bytes(case[6]), "{kind} {height}x{width}: {shorter}, {crop}");
            }
        }
    }
    for case in cases("letterbox") {
        let [channels, height, width, new_height, new_width] = numbers(&case);
        let image = image([channels, height, width], bytes(case[5]));
        let got = fitted(Resize::Letterbox, &image, new_height, new_width);
        assert!(got == bytes(case[6]), "{height}x{width} to {new_height}x{new_width}");
    }
}

fn pipeline(augment: Vec<TransformConfig>) -> Result<Pipeline, DataError> {
    let input = InputShape { channels: 3, height: 6, width: 6 };
    Pipeline::new(Preprocess::new(input, None).unwrap(), augment)
}

fn resize(height: usize, width: usize) -> TransformConfig {
    ResizeConfig { size: Some([height, width]), shorter: None }.into()
}

fn shorter(side: usize) -> TransformConfig {
    ResizeConfig { size: None, shorter: Some(side) }.into()
}

fn center(side: usize) -> TransformConfig {
    CenterCropConfig { size: Sides::Square(side) }.into()
}

#[test]
fn a_list_that_sets_the_size_ends_with_the_models() {
    let flip = || TransformConfig::from(RandomHorizontalFlipConfig::default());
    for augment in [vec![], vec![flip()], vec![resize(6, 6)], vec![shorter(9), flip(), center(6), flip()]] {
        pipeline(augment).unwrap();
    }
    for (augment, got) in [
        (vec![resize(6, 7)], "got 6x7"),
        (vec![shorter(6)], "got different sizes"),
        (vec![center(6), shorter(9)], "got 9x9"),
        (vec![resize(6, 6), center(5), flip()], "got 5x5"),
    ] {
        let error = pipeline(augment).unwrap_err();
        assert!(error.is_config());
        let message = error.to_string();
        assert!(
            message.starts_with("data.augment: expected steps that end with the size of the model's"),
            "{message}"
        );
        assert!(message.contains(got), "{message}");
    }
}

#[test]
fn mirrored_borders_need_a_known_size() {
    let crop = |padding| {
        let text = format!("name = 'random_crop'\npadding = {padding}\npadding_mode = 'reflect'");
        toml::from_str::<TransformConfig>(&text).unwrap()
    };
    pipeline(vec![crop(5)]).unwrap();
    pipeline(vec![resize(6, 6), crop(5)]).unwrap();
    let error = pipeline(vec![crop(1), resize(6, 6)]).unwrap_err().to_string();
    assert!(error.starts_with("data.augment[0].padding_mode: expected `constant` or `edge`"), "{error}");
    let error = pipeline(vec![resize(6, 6), crop(6)]).unwrap_err().to_string();
    assert!(error.starts_with("data.augment[1].padding: expected at most 5"), "{error}");
}

#[test]
fn steps_that_set_the_size_replace_the_automatic_resizing_of_training_images_only() {
    let root = tempfile::tempdir().unwrap();
    write_image_folder(root.path());
    let wide = image::RgbImage::from_fn(8, 4, |x, _| image::Rgb([x as u8 * 30, 0, 0]));
    for split in ["train", "test"] {
        wide.save(root.path().join(split).join("cat/a.png")).unwrap();
    }
    let mut config = config("image_folder", root.path());
    let input = InputShape { channels: 3, height: 4, width: 4 };
    let red = |datasets: &firebrick_data::Datasets| -> [Vec<u8>; 2] {
        [&datasets.train, &datasets.test].map(|split: &Arc<PreparedDataset>| {
            split.get(0, 0).unwrap().0[..4].iter().map(|value| (value * 255.0).round() as u8).collect()
        })
    };
    let squashed = vec![21, 75, 135, 189];
    let datasets = open(&config, input, 0, &()).unwrap();
    assert_eq!(red(&datasets), [squashed.clone(), squashed.clone()]);
    config.augment = vec![center(4)];
    let datasets = open(&config, input, 0, &()).unwrap();
    assert_eq!(red(&datasets), [vec![60, 90, 120, 150], squashed]);
    let steps = datasets.info.steps.join("\n");
    assert!(steps.contains("to RGB\ncenter_crop to 4x4\npixels / 255\n"), "{steps}");
    assert!(
        steps.contains("validation and test images: resize to 4x4 (bilinear), to RGB, pixels / 255"),
        "{steps}"
    );
    config.augment.clear();
    config.resize = Some(Resize::Letterbox);
    let datasets = open(&config, input, 0, &()).unwrap();
    assert_eq!(red(&datasets), [vec![0; 4], vec![0; 4]]);
}

#[test]
fn old_checkpoints_squash_and_new_ones_say_how() {
    let old =
        "input = { channels = 1, height = 8, width = 8 }\nnormalization = { mean = [0.5], std = [0.5] }";
    let preprocess: Preprocess = toml::from_str(old).unwrap();
    assert_eq!(preprocess.resize, Resize::Squash);
    assert!(!toml::to_string(&preprocess).unwrap().contains("resize"));
    let new = format!("{old}\nresize = {{ shorter = 10, crop = 8 }}");
    let preprocess: Preprocess = toml::from_str(&new).unwrap();
    let interpolation = Interpolation::Bilinear;
    assert_eq!(
        preprocess.resize,
        Resize::Shorter(ShorterConfig { shorter: 10, crop: Some(8), interpolation })
    );
    let written = toml::to_string(&preprocess).unwrap();
    assert!(!written.contains("interpolation"), "{written}");
    let bicubic = format!("{old}\nresize = {{ shorter = 10, crop = 8, interpolation = \"bicubic\" }}");
    let bicubic: Preprocess = toml::from_str(&bicubic).unwrap();
    let steps = bicubic.steps(None).join("\n");
    assert!(steps.contains("resize the shorter side to 10 (bicubic), center_crop to 8x8"), "{steps}");
    assert_eq!(toml::from_str::<Preprocess>(&toml::to_string(&bicubic).unwrap()).unwrap(), bicubic);
    assert_eq!(toml::from_str::<Preprocess>(&written).unwrap(), preprocess);
    let image = image([1, 20, 30], vec![9; 600]);
    assert_eq!(preprocess.apply(&image).unwrap().len(), 64);
}

#[test]
fn a_transform_that_breaks_its_promise_is_an_error() {
    let mut config = DataConfig::new(named("digits"));
    TransformConfig::register::<Liar>("liar").unwrap();
    config.augment = vec![toml::from_str("name = 'liar'").unwrap()];
    let datasets = open(&config, InputShape { channels: 1, height: 8, width: 8 }, 0, &()).unwrap();
    let error = datasets.train.get(0, 0).unwrap_err().to_string();
    assert!(error.contains("expected 1x8x8, got 1x3x3"), "{error}");
}

/// Cuts out 3x3 pixels and says nothing of it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Liar {}

impl firebrick_component::Component for Liar {}

impl Transform for Liar {
    fn apply(&self, image: &mut WorkingImage, generator: &mut rand_chacha::ChaCha8Rng) {
        center(3).apply(image, generator);
    }

    fn description(&self) -> String {
        "liar".into()
    }
}

proptest! {
    #[test]
    fn every_pipeline_gives_the_models_shape(
        height in 1..30_usize, width in 1..30_usize, channels in prop_oneof![Just(1_usize), Just(3)],
        way in 0..6, seed: u64,
    ) {
        let image = image([channels, height, width], vec![200; channels * height * width]);
        let source = Arc::new(One(image));
        let input = InputShape { channels: 4 - channels, height: 7, width: 9 };
        let resize_key = match way {
            0 => Resize::Letterbox,
            1 => Resize::Shorter(ShorterConfig { shorter: 9, crop: None, interpolation: Interpolation::Bilinear }),
            _ => Resize::Squash,
        };
        let crop = RandomCropConfig { padding: 2, ..Default::default() };
        let augment = match way {
            2 => vec![resize(7, 9)],
            3 => vec![shorter(11), crop.into(), CenterCropConfig { size: Sides::Pair(7, 9) }.into()],
            4 => vec![CenterCropConfig { size: Sides::Pair(7, 9) }.into()],
            _ => vec![crop.into()],
        };
        let preprocess = Preprocess::with_resize(input, resize_key, None).unwrap();
        let dataset = PreparedDataset::new(source, preprocess, augment, seed).unwrap();
        prop_assert_eq!(dataset.get(0, 0).unwrap().0.len(), input.len());
    }
}

struct One(Image);

impl firebrick_data::Dataset<firebrick_data::Sample, DataError> for One {
    fn get(&self, _index: usize) -> Result<firebrick_data::Sample, DataError> {
        Ok(firebrick_data::Sample { image: self.0.clone(), label: 0 })
    }

    fn len(&self) -> usize {
        1
    }
}
