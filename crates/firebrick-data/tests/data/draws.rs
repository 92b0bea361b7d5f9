//! How the random transforms draw their parameters, compared with torchvision.

use std::collections::BTreeMap;

use firebrick_data::ImageSize;
use firebrick_data::batch_transform::CutmixConfig;
use firebrick_data::random::{ChaCha8Rng, Purpose, dirichlet, generator};
use firebrick_data::transform::functional::Operation;
use firebrick_data::transform::{
    AugMixConfig, AutoAugmentConfig, ColorJitterConfig, GaussianBlurConfig, Policy, RandAugmentConfig,
    RandomAffineConfig, RandomErasingConfig, RandomPerspectiveConfig, RandomResizedCropConfig,
    RandomRotationConfig, Sides, TrivialAugmentConfig,
};

/// Made by `golden/make_draws.py`, which says what the lines are.
const GOLDEN: &str = include_str!("../golden/draws.txt");

const NUM: u64 = 10_000;
const IMAGE: ImageSize = ImageSize { height: 40, width: 60 };

/// The draws of each parameter, by its name.
#[derive(Default)]
struct Draws(BTreeMap<String, Vec<f64>>);

impl Draws {
    fn add(&mut self, transform: &str, parameters: &[(&str, f64)]) {
        for (parameter, value) in parameters {
            self.0.entry(format!("{transform}.{parameter}")).or_default().push(*value);
        }
    }

    fn add_operation(&mut self, transform: &str, (operation, magnitude): (Operation, f64)) {
        self.add(transform, &[("operation", f64::from(operation as u8)), ("magnitude", magnitude)]);
        let name = match operation {
            Operation::TranslateX => "TranslateX",
            Operation::ShearY => "ShearY",
            Operation::Posterize => "Posterize",
            Operation::Solarize => "Solarize",
            _ => return,
        };
        self.add(transform, &[(name, magnitude)]);
    }
}

fn windows(draws: &mut Draws, rng: &mut ChaCha8Rng) {
    let crop = RandomResizedCropConfig::new(Sides::Square(8));
    let wide = RandomResizedCropConfig { scale: [0.5, 0.9], ratio: [0.2, 6.0], ..crop.clone() };
    let erasing = RandomErasingConfig::default();
    let drawn = [
        ("random_resized_crop", Some(crop.window(IMAGE, rng))),
        ("random_resized_crop_wide", Some(wide.window(IMAGE, rng))),
        ("random_erasing", erasing.window(IMAGE, rng)),
    ];
    for (name, window) in drawn.into_iter().filter_map(|(name, window)| Some((name, window?))) {
        let [top, left] = [window.top, window.left].map(|place| place as f64);
        let [height, width] = [window.height, window.width].map(|side| side as f64);
        draws.add(name, &[("top", top), ("left", left), ("height", height), ("width", width)]);
    }
}

fn geometry(draws: &mut Draws, rng: &mut ChaCha8Rng) {
    let affine = RandomAffineConfig {
        translate: Some([0.1, 0.3]),
        scale: Some([0.8, 1.5]),
        shear: Some([-5.0, 5.0, 2.0, 8.0].into()),
        ..RandomAffineConfig::new([-10.0, 30.0])
    };
    let map = affine.draw(IMAGE, rng);
    let ([x, y], [shear_x, shear_y]) = (map.translate, map.shear);
    let drawn = [("angle", map.angle), ("x", x), ("y", y), ("scale", map.scale)];
    draws.add("random_affine", &drawn);
    draws.add("random_affine", &[("shear_x", shear_x), ("shear_y", shear_y)]);
    let corners = RandomPerspectiveConfig::default().corners(IMAGE, rng);
    for (name, [x, y]) in ["upper_left", "upper_right", "lower_right", "lower_left"].into_iter().zip(corners)
    {
        draws.add("random_perspective", &[(&format!("{name}_x"), x), (&format!("{name}_y"), y)]);
    }
    draws.add("random_rotation", &[("angle", RandomRotationConfig::new(15.0).angle(rng))]);
}

fn colours(draws: &mut Draws, rng: &mut ChaCha8Rng) {
    let jitter = ColorJitterConfig {
        brightness: 0.4.into(),
        contrast: [0.5, 1.5].into(),
        saturation: 0.1.into(),
        hue: 0.1.into(),
    };
    let draw = jitter.draw(rng);
    draws.add(
        "color_jitter",
        &[("first", draw.order[0].into()), ("last", draw.order[3].into()), ("order", 0.0)],
    );
    let [brightness, contrast, saturation, hue] = draw.factors.map(Option::unwrap);
    draws.add("color_jitter", &[("brightness", brightness), ("contrast", contrast)]);
    draws.add("color_jitter", &[("saturation", saturation), ("hue", hue)]);
    draws.add("gaussian_blur", &[("sigma", GaussianBlurConfig::new(3).sigma(rng))]);
}

fn policies(draws: &mut Draws, rng: &mut ChaCha8Rng) {
    draws.add_operation("trivial_augment", TrivialAugmentConfig::default().draw(IMAGE, rng));
    draws.add_operation("rand_augment", RandAugmentConfig::default().draw(IMAGE, rng));
    for (name, policy) in [
        ("auto_augment_cifar10", Policy::Cifar10),
        ("auto_augment_imagenet", Policy::Imagenet),
        ("auto_augment_svhn", Policy::Svhn),
    ] {
        let done = AutoAugmentConfig { policy, ..Default::default() }.draw(IMAGE, rng);
        done.into_iter().flatten().for_each(|operation| draws.add_operation(name, operation));
    }
    let mix = AugMixConfig::default().draw(IMAGE, rng);
    assert!((mix.own_share + mix.chains.iter().map(|chain| chain.0).sum::<f64>() - 1.0).abs() < 1e-12);
    let operations = mix.chains.iter().flat_map(|chain| &chain.1);
    operations.for_each(|operation| draws.add_operation("aug_mix", *operation));
    draws.add("aug_mix", &[("share", dirichlet(rng, 0.7, 3)[0])]);
}

fn batches(draws: &mut Draws, rng: &mut ChaCha8Rng) {
    for (name, alpha) in [("cutmix_1.0", 1.0), ("cutmix_0.3", 0.3)] {
        let (window, share) = CutmixConfig { alpha, p: 1.0 }.draw(IMAGE, rng);
        let [left, top] = [window.left, window.top].map(|place| place as f64);
        let (right, bottom) = (left + window.width as f64, top + window.height as f64);
        draws.add(
            name,
            &[("left", left), ("top", top), ("right", right), ("bottom", bottom), ("share", share)],
        );
    }
}

#[test]
fn parameters_are_drawn_as_torchvision_draws_them() {
    let mut draws = Draws::default();
    for index in 0..NUM {
        let rng = &mut generator(3, Purpose::Augment, 0, index);
        windows(&mut draws, rng);
        geometry(&mut draws, rng);
        colours(&mut draws, rng);
        policies(&mut draws, rng);
        batches(&mut draws, rng);
    }
    let mut problems = Vec::new();
    let mut num_compared = 0;
    for line in GOLDEN.lines() {
        let (name, points) = line.split_once(' ').unwrap();
        if let Some(transform) = name.strip_suffix(".count") {
            let expected: f64 = points.split(':').next().unwrap().parse().unwrap();
            let per_call = if transform == "rand_augment" { 2.0 } else { 1.0 };
            let got = per_call * draws.0[&format!("{transform}.operation")].len() as f64 / NUM as f64;
            if (got - expected).abs() > 0.03 * expected {
                problems.push(format!("{transform}: {got} operations an image, not {expected}"));
            }
            continue;
        }
        let values = draws.0.get(name).unwrap_or_else(|| panic!("{name} is not drawn"));
        let furthest = furthest(values, points);
        // Of equal distributions one in ten thousand is further away (Kolmogorov and Smirnov).
        let allowed = 2.23 * (1.0 / values.len() as f64 + 1.0 / 100_000.0).sqrt();
        if furthest > allowed {
            problems.push(format!("{name}: the parts differ by up to {furthest:.4}, allowed {allowed:.4}"));
        }
        num_compared += 1;
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(num_compared > 60, "{num_compared}");
}

/// The largest difference between the parts of values that are at most as large as each of the points.
fn furthest(values: &[f64], points: &str) -> f64 {
    let difference = |point: &str| {
        let (value, part) = point.split_once(':').unwrap();
        let [value, part]: [f64; 2] = [value, part].map(|number| number.parse().unwrap());
        // Points are rounded, and torchvision draws f32: a value that is meant to be equal counts.
        let got = values.iter().filter(|drawn| **drawn <= value + 1e-9).count() as f64 / values.len() as f64;
        (got - part).abs()
    };
    points.split(' ').map(difference).fold(0.0, f64::max)
}
