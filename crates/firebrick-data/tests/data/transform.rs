//! Transforms: the same bits as torchvision, and the properties that hold for any image.

use std::sync::Arc;

use firebrick_data::random::{Purpose, below, generator, unit};
use firebrick_data::transform::functional::hflip as flip;
use firebrick_data::transform::{
    PaddingMode, Pipeline, PixelTable, RandomCropConfig, RandomHorizontalFlipConfig, TransformConfig,
    TransformError, WorkingImage,
};
use firebrick_data::{
    DataError, Image, ImageSize, InputShape, Normalization, Normalize, Preprocess, Transform,
};
use proptest::prelude::*;

use crate::support::named;

/// Made by `golden/make_transforms.py`, which says what the lines are.
const GOLDEN: &str = include_str!("../golden/transforms.txt");

fn cases(kind: &str) -> Vec<Vec<&'static str>> {
    let cases: Vec<Vec<&str>> = GOLDEN
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .filter(|fields| fields[0] == kind)
        .map(|fields| fields[1..].to_vec())
        .collect();
    assert!(!cases.is_empty(), "no golden case of kind {kind}");
    cases
}

fn number(field: &str) -> usize {
    field.parse().unwrap()
}

fn bytes(field: &str) -> Vec<u8> {
    let digits: Vec<char> = field.chars().collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}

fn image(channels: usize, height: usize, width: usize, pixels: Vec<u8>) -> Image {
    Image { channels, height, width, pixels: Arc::from(pixels) }
}

fn working(image: &Image) -> WorkingImage {
    let mut working = WorkingImage::new();
    working.load(image).unwrap();
    working
}

fn input(channels: usize, height: usize, width: usize) -> InputShape {
    InputShape { channels, height, width }
}

/// Prepares without normalisation and undoes the division by 255.
fn shaped(image: &Image, wanted: InputShape) -> Vec<u8> {
    let values = Preprocess::new(wanted, None).unwrap().apply(image).unwrap();
    values.iter().map(|value| (value * 255.0).round() as u8).collect()
}

#[test]
fn resize_has_torchvisions_bits() {
    for case in cases("resize") {
        let [channels, height, width, new_height, new_width] =
            [0, 1, 2, 3, 4].map(|field| number(case[field]));
        let image = image(channels, height, width, bytes(case[5]));
        let resized = shaped(&image, input(channels, new_height, new_width));
        // `assert!`, because a list of three thousand pixels tells nobody anything.
        let name = format!("{channels}x{height}x{width} -> {new_height}x{new_width}");
        assert!(resized == bytes(case[6]), "{name}: {:?}", &resized[..8.min(resized.len())]);
    }
}

#[test]
fn grey_has_torchvisions_bits() {
    for case in cases("grey") {
        let (height, width) = (number(case[0]), number(case[1]));
        let image = image(3, height, width, bytes(case[2]));
        assert_eq!(shaped(&image, input(1, height, width)), bytes(case[3]));
    }
}

#[test]
fn grey_to_rgb_repeats_and_commutes_with_resizing() {
    let grey = image(1, 2, 3, vec![0, 50, 100, 150, 200, 255]);
    assert_eq!(shaped(&grey, input(3, 2, 3)), grey.pixels.repeat(3));
    let small = shaped(&grey, input(1, 5, 4));
    assert_eq!(shaped(&grey, input(3, 5, 4)), small.repeat(3));
}

#[test]
fn flip_has_torchvisions_bits() {
    for case in cases("flip") {
        let [channels, height, width] = [0, 1, 2].map(|field| number(case[field]));
        let mut working = working(&image(channels, height, width, bytes(case[3])));
        flip(&mut working);
        assert_eq!(working.pixels(), bytes(case[4]));
    }
}

#[test]
fn every_window_of_a_crop_lies_in_torchvisions_padded_image() {
    for case in cases("pad") {
        let padding_mode = match case[0] {
            "constant" => PaddingMode::Constant,
            "edge" => PaddingMode::Edge,
            "reflect" => PaddingMode::Reflect,
            "symmetric" => PaddingMode::Symmetric,
            other => panic!("unknown mode {other}"),
        };
        let [padding, fill, channels, height, width] = [1, 2, 3, 4, 5].map(|field| number(case[field]));
        let config = RandomCropConfig { padding, fill: fill as u8, padding_mode, size: None };
        config.output_size(Some(ImageSize { height, width })).unwrap();
        let image = image(channels, height, width, bytes(case[6]));
        let padded = bytes(case[7]);
        for (top, left) in (0..=2 * padding).flat_map(|top| (0..=2 * padding).map(move |left| (top, left))) {
            let mut working = working(&image);
            config.crop(&mut working, top, left);
            let expected = window(&padded, [channels, height, width], padding, top, left);
            assert_eq!(working.pixels(), expected, "{} at {top}, {left}", case[0]);
        }
    }
}

fn window(
    padded: &[u8],
    [channels, height, width]: [usize; 3],
    padding: usize,
    top: usize,
    left: usize,
) -> Vec<u8> {
    let (rows, columns) = (height + 2 * padding, width + 2 * padding);
    let mut pixels = Vec::new();
    for channel in 0..channels {
        for row in top..top + height {
            let start = (channel * rows + row) * columns + left;
            pixels.extend_from_slice(&padded[start..start + width]);
        }
    }
    pixels
}

#[test]
fn pixels_become_torchvisions_floats_to_the_last_bit() {
    for case in cases("tensor") {
        let normalization = (case[0] != "-").then(|| Normalization {
            mean: vec![case[0].parse().unwrap()],
            std: vec![case[1].parse().unwrap()],
        });
        let table = PixelTable::new(1, normalization.as_ref()).unwrap();
        let ramp: Vec<u8> = (0..=255).collect();
        let mut values = Vec::new();
        table.append(&ramp, &mut values);
        let bits: Vec<u8> = values.iter().flat_map(|value| value.to_bits().to_be_bytes()).collect();
        assert_eq!(bits, bytes(case[2]), "mean {} std {}", case[0], case[1]);
    }
}

#[test]
fn each_channel_has_its_own_mean_and_std() {
    let normalization = Normalization { mean: vec![0.0, 0.5, 1.0], std: vec![1.0, 2.0, 0.5] };
    let preprocess = Preprocess::new(input(3, 1, 2), Some(normalization)).unwrap();
    let values = preprocess.apply(&image(3, 1, 2, vec![0, 255, 0, 255, 0, 255])).unwrap();
    assert_eq!(values, [0.0, 1.0, -0.25, 0.25, -2.0, 0.0]);
}

#[test]
fn dataset_constants_fit_the_models_channels() {
    let normalize = Normalize::Dataset;
    let own = |name: &str| named(name).normalization();
    let grey = normalize.resolve(own("mnist"), 1).unwrap();
    assert_eq!((grey.mean, grey.std), (vec![0.1307], vec![0.3081]));
    let rgb = normalize.resolve(own("mnist"), 3).unwrap();
    assert_eq!((rgb.mean, rgb.std), (vec![0.1307; 3], vec![0.3081; 3]));
    let grey = normalize.resolve(own("cifar10"), 1).unwrap();
    // 0.299 * 0.4914 + 0.587 * 0.4822 + 0.114 * 0.4465
    assert!((grey.mean[0] - 0.480_881).abs() < 1e-5, "{}", grey.mean[0]);
    assert_eq!(grey.std.len(), 1);
    assert_eq!(normalize.resolve(own("synthetic"), 3), None);
    assert_eq!(Normalize::None.resolve(own("cifar10"), 3), None);
    let one = Normalize::Values(Normalization { mean: vec![0.5], std: vec![0.25] });
    assert_eq!(one.resolve(own("cifar10"), 3).unwrap().mean, [0.5; 3]);
}

#[test]
fn wrong_normalisation_values_name_the_argument() {
    let check = |mean: &[f32], std: &[f32], expected: &str| {
        let normalization = Normalization { mean: mean.to_vec(), std: std.to_vec() };
        let error = Preprocess::new(input(3, 2, 2), Some(normalization)).unwrap_err();
        assert!(error.is_config(), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(&[0.5; 2], &[0.5; 3], "data.normalize.mean: expected 3 values");
    check(&[0.5; 3], &[0.5; 4], "data.normalize.std: expected 3 values");
    check(&[0.5; 3], &[0.5, 0.0, 0.5], "data.normalize.std");
    check(&[0.5; 3], &[0.5, -1.0, 0.5], "data.normalize.std");
    check(&[f32::NAN, 0.0, 0.0], &[0.5; 3], "data.normalize.mean");
    check(&[0.5; 3], &[f32::INFINITY; 3], "data.normalize.std");
}

#[test]
fn images_that_cannot_be_shaped_are_errors() {
    let preprocess = Preprocess::new(input(3, 4, 4), None).unwrap();
    let check = |channels, height, width, count, is_config| {
        let error = preprocess.apply(&image(channels, height, width, vec![0; count])).unwrap_err();
        assert_eq!(error.is_config(), is_config, "{error}");
        error
    };
    let channels = check(4, 4, 4, 64, true);
    let expected = TransformError::Channels { expected: 3, got: 4 };
    assert!(matches!(&channels, DataError::Transform(error) if *error == expected), "{channels}");
    check(3, 4, 4, 47, false);
    check(3, 0, 4, 0, false);
    let huge = check(usize::MAX, usize::MAX, 2, 3, false);
    assert!(huge.to_string().contains("more than memory holds"), "{huge}");
}

#[test]
fn inputs_no_image_can_have_are_errors() {
    for shape in [input(3, 0, 4), input(0, 4, 4), input(3, 1 << 40, 1 << 40), input(3, 1 << 13, 1 << 13)] {
        let error = Preprocess::new(shape, None).unwrap_err();
        assert!(error.is_config(), "{error}");
        assert!(error.to_string().contains(&shape.to_string()), "{error}");
    }
}

#[test]
fn steps_tell_what_is_done_in_order() {
    let normalization = Normalization { mean: vec![0.5; 3], std: vec![0.25; 3] };
    let preprocess = Preprocess::new(input(3, 32, 32), Some(normalization)).unwrap();
    let augment = [
        TransformConfig::RandomCrop(RandomCropConfig { padding: 4, ..Default::default() }),
        TransformConfig::RandomHorizontalFlip(RandomHorizontalFlipConfig::default()),
    ];
    assert_eq!(
        Pipeline::new(preprocess, augment.to_vec()).unwrap().steps(Some(input(1, 8, 8))),
        [
            "resize 8x8 -> 32x32 (bilinear)",
            "grey -> RGB",
            "random_crop (padding 4)",
            "random_horizontal_flip (p 0.5)",
            "pixels / 255",
            "normalize (x - [0.5, 0.5, 0.5]) / [0.25, 0.25, 0.25]",
        ]
    );
    let plain = Preprocess::new(input(3, 32, 32), None).unwrap();
    assert_eq!(plain.steps(Some(input(3, 32, 32))), ["pixels / 255"]);
}

#[test]
fn unknown_names_and_arguments_are_refused() {
    assert!(TransformConfig::deserialize_named("random_crp", toml::Table::new()).is_none());
    let unknown: toml::Table = "padding = 4\nsizes = 32".parse().unwrap();
    let error = TransformConfig::deserialize_named("random_crop", unknown).unwrap().unwrap_err();
    assert!(error.to_string().contains("unknown field `sizes`"), "{error}");
}

#[test]
fn wrong_augmentation_arguments_name_themselves() {
    let crop = |padding, padding_mode| RandomCropConfig { padding, padding_mode, ..Default::default() };
    let small = Some(ImageSize::square(4));
    crop(32, PaddingMode::Constant).output_size(small).unwrap();
    crop(3, PaddingMode::Reflect).output_size(small).unwrap();
    crop(4, PaddingMode::Symmetric).output_size(small).unwrap();
    for config in
        [crop(4, PaddingMode::Reflect), crop(5, PaddingMode::Symmetric), crop(usize::MAX, PaddingMode::Edge)]
    {
        let preprocess = Preprocess::new(input(3, 4, 4), None).unwrap();
        let error = Pipeline::new(preprocess, vec![config.into()]).unwrap_err();
        assert!(error.is_config(), "{error}");
        assert!(error.to_string().contains("data.augment[0].padding"), "{error}");
    }
    assert!(TransformConfig::from(crop(usize::MAX, PaddingMode::Constant)).validate().is_err());
    for p in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let config = TransformConfig::from(RandomHorizontalFlipConfig { p, alternate: false });
        let error = config.validate().unwrap_err();
        assert_eq!((error.key.as_str(), error.got), ("p", p.to_string()));
    }
}

#[test]
fn a_flip_happens_as_often_as_it_should() {
    let original = image(1, 1, 2, vec![1, 2]);
    for (p, least, most) in [(0.0, 0, 0), (1.0, 2000, 2000), (0.5, 900, 1100)] {
        let config = RandomHorizontalFlipConfig { p, alternate: false };
        let flipped = (0..2000).filter(|&index| {
            let mut working = working(&original);
            config.apply(&mut working, &mut generator(7, Purpose::Augment, 1, index));
            working.pixels() == [2, 1]
        });
        let count = flipped.count();
        assert!((least..=most).contains(&count), "p {p}: {count} of 2000");
    }
}

#[test]
fn a_crop_reaches_every_place() {
    // A single white pixel in the middle: where it is afterwards tells the window's place.
    let mut pixels = vec![0; 25];
    pixels[12] = 255;
    let original = image(1, 5, 5, pixels);
    let config = RandomCropConfig { padding: 2, ..Default::default() };
    let mut seen = std::collections::BTreeSet::new();
    for index in 0..600 {
        let mut working = working(&original);
        config.apply(&mut working, &mut generator(7, Purpose::Augment, 1, index));
        seen.insert(working.pixels().iter().position(|&pixel| pixel == 255));
    }
    assert_eq!(seen.len(), 25);
    assert!(!seen.contains(&None), "the window never leaves the padded image");
}

#[test]
fn random_numbers_never_change() {
    // A change here changes the order and the augmentations of every run ever made.
    use rand_chacha::rand_core::Rng;
    let mut order = generator(1, Purpose::Order, 2, 3);
    let first: [u64; 2] = [order.next_u64(), order.next_u64()];
    assert_eq!(first, FIRST_WORDS);
    assert_ne!(generator(1, Purpose::Augment, 2, 3).next_u64(), first[0]);
    assert_ne!(generator(1, Purpose::Order, 3, 2).next_u64(), first[0]);
    assert_ne!(generator(2, Purpose::Order, 2, 3).next_u64(), first[0]);
}

/// ChaCha8 under the key `1, 1, 2, 3` (eight little-endian bytes each), the first 16 bytes; from
/// another implementation of the cipher.
const FIRST_WORDS: [u64; 2] = [14_483_171_256_779_454_040, 14_042_188_402_261_770_878];

fn any_image() -> impl Strategy<Value = Image> {
    (prop_oneof![Just(1_usize), Just(3)], 1..20_usize, 1..20_usize).prop_flat_map(
        |(channels, height, width)| {
            proptest::collection::vec(any::<u8>(), channels * height * width)
                .prop_map(move |pixels| image(channels, height, width, pixels))
        },
    )
}

fn any_mode() -> impl Strategy<Value = PaddingMode> {
    prop_oneof![
        Just(PaddingMode::Constant),
        Just(PaddingMode::Edge),
        Just(PaddingMode::Reflect),
        Just(PaddingMode::Symmetric),
    ]
}

proptest! {
    #[test]
    fn flip_twice_is_nothing(image in any_image()) {
        let mut working = working(&image);
        flip(&mut working);
        flip(&mut working);
        prop_assert_eq!(working.pixels(), &image.pixels[..]);
    }

    #[test]
    fn crop_without_padding_is_nothing(image in any_image(), seed: u64, padding_mode in any_mode()) {
        let config = RandomCropConfig { padding: 0, fill: 9, padding_mode, size: None };
        let mut working = working(&image);
        config.apply(&mut working, &mut generator(seed, Purpose::Augment, 0, 0));
        prop_assert_eq!(working.pixels(), &image.pixels[..]);
    }

    #[test]
    fn augmentations_keep_the_shape_and_invent_no_pixel(
        image in any_image(), seed: u64, padding in 0..6_usize, padding_mode in any_mode(), p in 0.0..1.0,
    ) {
        let crop = RandomCropConfig { padding, fill: 77, padding_mode, size: None };
        let flip = RandomHorizontalFlipConfig { p, alternate: false };
        let mut working = working(&image);
        let mut generator = generator(seed, Purpose::Augment, 0, 0);
        for augment in [TransformConfig::RandomCrop(crop), TransformConfig::RandomHorizontalFlip(flip)] {
            augment.apply(&mut working, &mut generator);
        }
        prop_assert_eq!(working.pixels().len(), image.pixels.len());
        let known = |pixel: &u8| *pixel == 77 || image.pixels.contains(pixel);
        prop_assert!(working.pixels().iter().all(known));
    }

    #[test]
    fn resizing_stays_between_darkest_and_brightest(image in any_image(), height in 1..40_usize, width in 1..40_usize) {
        let resized = shaped(&image, input(image.channels, height, width));
        let (least, most) = (image.pixels.iter().min(), image.pixels.iter().max());
        prop_assert_eq!(resized.len(), image.channels * height * width);
        prop_assert!(resized.iter().min() >= least && resized.iter().max() <= most);
    }

    #[test]
    fn prepared_pixels_without_normalisation_are_zero_to_one(image in any_image(), channels in prop_oneof![Just(1_usize), Just(3)]) {
        let preprocess = Preprocess::new(input(channels, 7, 9), None).unwrap();
        let values = preprocess.apply(&image).unwrap();
        prop_assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
    }

    #[test]
    fn draws_stay_below_their_bound(seed: u64, bound: u64) {
        let mut generator = generator(seed, Purpose::Synthetic, 0, 0);
        let drawn = below(&mut generator, bound);
        prop_assert!(drawn < bound.max(1));
        prop_assert!((0.0..1.0).contains(&unit(&mut generator)));
    }
}
