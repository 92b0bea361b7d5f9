//! What holds for every augmentation on any image: its shape, its arguments, strengths of nothing, the same bits from the
//! same key.

use std::sync::Arc;

use firebrick_data::random::{Purpose, generator};
use firebrick_data::transform::functional::{self, AffineMap, Interpolation};
use firebrick_data::transform::{SampleKey, WorkingImage};
use firebrick_data::{Image, ImageSize, TransformConfig};
use proptest::prelude::*;

/// A config of every augmentation, and with the arguments that matter.
const STEPS: [&str; 37] = [
    "name = 'random_crop'\npadding = 2",
    "name = 'random_crop'\nsize = 7",
    "name = 'random_crop'\nsize = [3, 19]\npadding = 1\npadding_mode = 'edge'",
    "name = 'random_horizontal_flip'",
    "name = 'random_horizontal_flip'\nalternate = true",
    "name = 'random_vertical_flip'",
    "name = 'random_resized_crop'\nsize = 9",
    "name = 'random_resized_crop'\nsize = [5, 12]\nscale = [0.01, 1.0]\nratio = [0.1, 9.0]\ninterpolation = 'bicubic'",
    "name = 'random_resized_crop'\nsize = 6\ninterpolation = 'nearest'",
    "name = 'resize'\nshorter = 5",
    "name = 'center_crop'\nsize = 4",
    "name = 'pad'\npadding = [1, 2, 3, 4]\nfill = [1, 2, 3]",
    "name = 'color_jitter'\nbrightness = 0.9\ncontrast = [0.5, 3.0]\nsaturation = 0.5\nhue = 0.5",
    "name = 'random_erasing'\np = 1.0",
    "name = 'random_erasing'\np = 1.0\nvalue = 'random'\nscale = [0.5, 1.0]",
    "name = 'random_erasing'\np = 1.0\nvalue = [9, 8, 7]",
    "name = 'cutout'\nn_holes = 3\nlength = 5",
    "name = 'random_rotation'\ndegrees = 180",
    "name = 'random_rotation'\ndegrees = [10, 20]\nexpand = true\ninterpolation = 'bicubic'",
    "name = 'random_rotation'\ndegrees = 90.0\ncenter = [1.0, 2.0]\ninterpolation = 'bilinear'",
    "name = 'random_affine'\ndegrees = 30\ntranslate = [0.3, 0.3]\nscale = [0.5, 2.0]\nshear = [-30, 30, -20, 20]",
    "name = 'random_affine'\ndegrees = 0\nshear = 10\ninterpolation = 'bilinear'\nfill = 7",
    "name = 'random_perspective'\np = 1.0\ndistortion_scale = 1.0",
    "name = 'random_grayscale'\np = 1.0",
    "name = 'gaussian_blur'\nkernel_size = [3, 9]",
    "name = 'random_invert'",
    "name = 'random_posterize'\nbits = 3",
    "name = 'random_solarize'\nthreshold = 100",
    "name = 'random_equalize'\np = 1.0",
    "name = 'random_autocontrast'\np = 1.0",
    "name = 'random_adjust_sharpness'\nsharpness_factor = 2\np = 1.0",
    "name = 'trivial_augment'",
    "name = 'rand_augment'\nnum_ops = 3\nmagnitude = 30",
    "name = 'auto_augment'\npolicy = 'svhn'",
    "name = 'aug_mix'\nseverity = 10\nmixture_width = 2\nalpha = 0.01",
    "name = 'random_apply'\ntransforms = [{ name = 'random_invert' }, { name = 'random_apply', transforms = ['trivial_augment'] }]",
    "name = 'random_choice'\ntransforms = ['random_equalize', { name = 'gaussian_blur', kernel_size = 3 }]\np = [0.1, 3.0]",
];

fn steps() -> Vec<TransformConfig> {
    STEPS.iter().map(|text| toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))).collect()
}

fn image(shape: [usize; 3], seed: u64) -> Image {
    let [channels, height, width] = shape;
    let mut rng = generator(seed, Purpose::Synthetic, 0, 0);
    let value = |_| firebrick_data::random::below(&mut rng, 256) as u8;
    let pixels: Vec<u8> = (0..channels * height * width).map(value).collect();
    Image { channels, height, width, pixels: pixels.into() }
}

fn working(image: &Image) -> WorkingImage {
    let mut working = WorkingImage::new();
    working.load(image).unwrap();
    working
}

#[test]
fn every_augmentation_is_among_the_steps_and_is_written_as_it_is_read() {
    let steps = steps();
    for name in TransformConfig::NAMES {
        assert!(steps.iter().any(|step| step.name() == *name), "{name}");
    }
    for step in steps {
        step.validate().unwrap();
        assert!(step.without_effect().is_empty(), "{step:?}");
        let text = toml::to_string(&step).unwrap();
        assert_eq!(toml::from_str::<TransformConfig>(&text).unwrap(), step, "{text}");
        assert!(step.description().starts_with(step.name()), "{}", step.description());
    }
}

proptest! {
    #[test]
    fn every_step_keeps_its_promise_on_any_image(
        height in 1..24_usize, width in 1..24_usize, channels in prop_oneof![Just(1_usize), Just(3)], seed: u64,
    ) {
        let image = image([channels, height, width], seed);
        for step in steps() {
            let sample = SampleKey { seed, epoch: 1, index: 7, repeat: 0 };
            let mut once = working(&image);
            let Ok(promised) = step.output_size(Some(once.size())) else { continue };
            step.apply_to_sample(&mut once, &sample, &mut sample.generator());
            prop_assert_eq!(once.channels(), channels);
            prop_assert_eq!(once.pixels().len(), channels * once.height() * once.width());
            if let Some(promised) = promised {
                prop_assert_eq!(promised, once.size(), "{:?}", step);
            }
            // The buffers of an earlier image change nothing.
            let mut again = working(&self::image([channels, 9, 31], 1));
            again.load(&image).unwrap();
            step.apply_to_sample(&mut again, &sample, &mut sample.generator());
            prop_assert_eq!(once.pixels(), again.pixels(), "{:?}", step);
        }
    }

    #[test]
    fn strengths_of_nothing_change_nothing(
        height in 3..20_usize, width in 3..20_usize, channels in prop_oneof![Just(1_usize), Just(3)], seed: u64,
    ) {
        let image = image([channels, height, width], seed);
        let fill = vec![200; channels];
        let all = functional::Window { top: 0, left: 0, height, width };
        let size = ImageSize { height, width };
        let corners = [[0.0, 0.0], [width as f64 - 1.0, 0.0], [width as f64 - 1.0, height as f64 - 1.0], [0.0, height as f64 - 1.0]];
        type Step<'a> = Box<dyn Fn(&mut WorkingImage) + 'a>;
        let mut nothings: Vec<(&str, Step)> = vec![
            ("brightness", Box::new(|image| functional::adjust_brightness(image, 1.0))),
            ("contrast", Box::new(|image| functional::adjust_contrast(image, 1.0))),
            ("saturation", Box::new(|image| functional::adjust_saturation(image, 1.0))),
            ("sharpness", Box::new(|image| functional::adjust_sharpness(image, 1.0))),
            ("posterize", Box::new(|image| functional::posterize(image, 8))),
            ("solarize", Box::new(|image| functional::solarize(image, 256.0))),
            ("pad", Box::new(|image| functional::pad(image, [0; 4], &fill, functional::PaddingMode::Constant))),
            ("erase", Box::new(|image| functional::erase(image, functional::Window { height: 0, ..all }, &fill))),
            ("blur", Box::new(|image| functional::gaussian_blur(image, [1, 1], [1.0, 1.0]))),
            ("narrow blur", Box::new(|image| functional::gaussian_blur(image, [3, 3], [0.01, 0.01]))),
            ("hflip twice", Box::new(|image| { functional::hflip(image); functional::hflip(image); })),
            ("vflip twice", Box::new(|image| { functional::vflip(image); functional::vflip(image); })),
            ("invert twice", Box::new(|image| { functional::invert(image); functional::invert(image); })),
            ("four quarters", Box::new(|image| for _ in 0..4 {
                functional::rotate(image, 90.0, Interpolation::Nearest, true, None, &fill);
            })),
        ];
        for mode in [Interpolation::Nearest, Interpolation::Bilinear, Interpolation::Bicubic] {
            let fill = &fill;
            nothings.push(("crop", Box::new(move |image| functional::resized_crop(image, all, size, mode))));
            nothings.push(("rotate", Box::new(move |image| functional::rotate(image, 0.0, mode, false, None, fill))));
            nothings.push(("affine", Box::new(move |image| functional::affine(image, &AffineMap::default(), mode, fill))));
        }
        nothings.push(("corners", Box::new(|image| {
            functional::perspective(image, corners, Interpolation::Nearest, &fill);
        })));
        for (name, nothing) in nothings {
            let mut changed = working(&image);
            nothing(&mut changed);
            prop_assert!(changed.pixels() == &*image.pixels, "{name} on {channels}x{height}x{width}");
        }
    }

    #[test]
    fn colours_of_grey_images_stay_grey(height in 1..12_usize, width in 1..12_usize, factor in -0.5..0.5_f64, seed: u64) {
        let grey = image([1, height, width], seed);
        let rgb = Image { channels: 3, height, width, pixels: grey.pixels.repeat(3).into() };
        type Step = fn(&mut WorkingImage, f64);
        let steps: [Step; 4] = [
            |image, factor| functional::adjust_brightness(image, 1.0 + factor),
            |image, factor| functional::adjust_contrast(image, 1.0 + factor),
            |image, factor| functional::adjust_saturation(image, 1.0 + factor),
            functional::adjust_hue,
        ];
        for step in steps {
            let (mut one, mut three) = (working(&grey), working(&rgb));
            step(&mut one, factor);
            step(&mut three, factor);
            prop_assert_eq!(one.pixels().repeat(3), three.pixels());
        }
    }
}

#[test]
fn wrong_arguments_name_their_key() {
    for (text, key) in [
        ("name = 'random_resized_crop'\nsize = 0", "size"),
        ("name = 'random_resized_crop'\nsize = 8\nscale = [0.5, 0.1]", "scale"),
        ("name = 'random_resized_crop'\nsize = 8\nscale = [-0.5, 0.1]", "scale[0]"),
        ("name = 'random_resized_crop'\nsize = 8\nratio = [0.0, 1.0]", "ratio[0]"),
        ("name = 'random_resized_crop'\nsize = 8\nratio = [1.0, inf]", "ratio"),
        ("name = 'random_crop'\nsize = 99999", "size"),
        ("name = 'random_horizontal_flip'\nalternate = true\np = 0.2", "p"),
        ("name = 'color_jitter'\nbrightness = -0.1", "brightness"),
        ("name = 'color_jitter'\nbrightness = [0.1, 0.2, 0.3]", "brightness"),
        ("name = 'color_jitter'\nhue = 0.6", "hue"),
        ("name = 'color_jitter'\nhue = [-0.6, 0.1]", "hue"),
        ("name = 'random_erasing'\np = 1.5", "p"),
        ("name = 'random_erasing'\nscale = [0.0, 1.5]", "scale[1]"),
        ("name = 'random_erasing'\nvalue = [1, 2]", "value"),
        ("name = 'pad'\npadding = [1, 2, 3]", "padding"),
        ("name = 'pad'\npadding = 1\nfill = []", "fill"),
        ("name = 'random_rotation'\ndegrees = -3", "degrees"),
        ("name = 'random_rotation'\ndegrees = 3\ncenter = [nan, 1.0]", "center"),
        ("name = 'random_affine'\ndegrees = 3\ntranslate = [2.0, 0.0]", "translate"),
        ("name = 'random_affine'\ndegrees = 3\nscale = [0.0, 1.0]", "scale[0]"),
        ("name = 'random_affine'\ndegrees = 3\nshear = 90", "shear"),
        ("name = 'random_affine'\ndegrees = 3\nshear = [1, 2, 3]", "shear"),
        ("name = 'random_perspective'\ndistortion_scale = 1.1", "distortion_scale"),
        ("name = 'gaussian_blur'\nkernel_size = 4", "kernel_size"),
        ("name = 'gaussian_blur'\nkernel_size = 3\nsigma = 0", "sigma"),
        ("name = 'random_posterize'\nbits = 0", "bits"),
        ("name = 'random_solarize'\nthreshold = 300", "threshold"),
        ("name = 'random_adjust_sharpness'\nsharpness_factor = -1", "sharpness_factor"),
        ("name = 'trivial_augment'\nnum_magnitude_bins = 1", "num_magnitude_bins"),
        ("name = 'rand_augment'\nmagnitude = 31", "magnitude"),
        ("name = 'aug_mix'\nseverity = 11", "severity"),
        ("name = 'aug_mix'\nchain_depth = 0", "chain_depth"),
        ("name = 'random_apply'\ntransforms = []", "transforms"),
        ("name = 'random_apply'\ntransforms = [{ name = 'random_invert', p = 2 }]", "transforms[0].p"),
        ("name = 'random_choice'\ntransforms = ['random_invert']\np = [0.0]", "p"),
        ("name = 'random_choice'\ntransforms = ['random_invert']\np = [1.0, 2.0]", "p"),
    ] {
        let step: TransformConfig = toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let error = step.validate().expect_err(text);
        assert_eq!(error.key, key, "{text}: {error}");
    }
    for (text, message) in [
        ("name = 'random_resized_crop'", "missing field `size`"),
        ("name = 'random_erasing'\nvalue = 256", "expected a value from 0 to 255"),
        ("name = 'random_erasing'\nvalue = 'noise'", "\"random\""),
        ("name = 'pad'\npadding = 'x'", "a number or a list of numbers"),
        ("name = 'random_apply'\ntransforms = [{ name = 'x' }]", "unknown augmentation `x`"),
    ] {
        let error = toml::from_str::<TransformConfig>(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn alternate_flips_every_image_in_every_second_epoch_and_half_of_them_in_the_first() {
    let step: TransformConfig = toml::from_str("name = 'random_horizontal_flip'\nalternate = true").unwrap();
    let image = Image { channels: 1, height: 1, width: 2, pixels: Arc::from([0, 1]) };
    let is_flipped = |epoch, index| {
        let sample = SampleKey { seed: 5, epoch, index, repeat: 0 };
        let mut working = working(&image);
        step.apply_to_sample(&mut working, &sample, &mut sample.generator());
        working.pixels()[0] == 1
    };
    let first: Vec<bool> = (0..1000).map(|index| is_flipped(0, index)).collect();
    let count = first.iter().filter(|flipped| **flipped).count();
    assert!((440..560).contains(&count), "{count}");
    for (index, first) in first.iter().enumerate() {
        for epoch in 1..5 {
            assert_eq!(is_flipped(epoch, index as u64), first ^ (epoch % 2 == 1));
        }
    }
}

#[test]
fn blocks_apply_all_of_their_steps_or_one() {
    let count = |text: &str, values: [u8; 2]| {
        let step: TransformConfig = toml::from_str(text).unwrap();
        let image = Image { channels: 1, height: 1, width: 1, pixels: Arc::from([10]) };
        let value = |index| {
            let sample = SampleKey { seed: 1, epoch: 0, index, repeat: 0 };
            let mut working = working(&image);
            step.apply_to_sample(&mut working, &sample, &mut sample.generator());
            working.pixels()[0]
        };
        let drawn: Vec<u8> = (0..2000).map(value).collect();
        assert!(drawn.iter().all(|value| values.contains(value)), "{text}");
        drawn.iter().filter(|value| **value == values[0]).count()
    };
    let invert = "{ name = 'random_invert', p = 1 }";
    let solarize = "{ name = 'random_solarize', threshold = 0, p = 1 }";
    let posterize = "{ name = 'random_posterize', bits = 1, p = 1 }";
    let none =
        count(&format!("name = 'random_apply'\ntransforms = [{invert}, {posterize}]\np = 0.3"), [10, 128]);
    assert!((1300..1500).contains(&none), "{none}");
    let first = count(
        &format!("name = 'random_choice'\ntransforms = [{posterize}, {solarize}]\np = [1, 4]"),
        [0, 245],
    );
    assert!((330..470).contains(&first), "{first}");
    let first = count(&format!("name = 'random_choice'\ntransforms = [{posterize}, {invert}]"), [0, 245]);
    assert!((930..1070).contains(&first), "{first}");
}
