//! The pixels of `transform::functional`, compared with torchvision's on PIL images.

use std::collections::BTreeMap;
use std::sync::Arc;

use firebrick_data::transform::WorkingImage;
use firebrick_data::transform::functional::{self, AffineMap, Interpolation, Operation, PaddingMode, Window};
use firebrick_data::{Image, ImageSize};

use crate::steps::bytes;

/// Made by `golden/make_functional.py`, which says what the lines are.
const GOLDEN: &str = include_str!("../golden/functional.txt");

/// Functions that give PIL's bits.
const EXACT: [&str; 19] = [
    "crop",
    "hflip",
    "vflip",
    "pad",
    "erase",
    "posterize",
    "solarize",
    "invert",
    "equalize",
    "autocontrast",
    "rgb_to_grayscale",
    "resized_crop",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_saturation",
    "adjust_sharpness",
    "adjust_hue",
    "rotate",
    "affine",
];

/// Functions of which some pixels may differ by 1: at most one in a hundred, and none by more.
const NEAR: [&str; 3] = ["perspective", "gaussian_blur", "apply_op"];

struct Case<'a> {
    function: &'a str,
    arguments: &'a [&'a str],
}

impl Case<'_> {
    fn number(&self, place: usize) -> f64 {
        self.arguments[place].parse().unwrap()
    }

    fn count(&self, place: usize) -> usize {
        self.arguments[place].parse().unwrap()
    }

    fn window(&self) -> Window {
        let [top, left, height, width] = [0, 1, 2, 3].map(|place| self.count(place));
        Window { top, left, height, width }
    }

    fn mode(&self, place: usize) -> Interpolation {
        match self.arguments[place] {
            "nearest" => Interpolation::Nearest,
            "bilinear" => Interpolation::Bilinear,
            "bicubic" => Interpolation::Bicubic,
            other => panic!("unknown interpolation {other}"),
        }
    }

    fn colour(&self, place: usize) -> Vec<u8> {
        self.arguments[place].split(',').map(|value| value.parse().unwrap()).collect()
    }

    fn center(&self, place: usize) -> Option<[f64; 2]> {
        let (x, y) = self.arguments[place].split_once(',')?;
        Some([x.parse().unwrap(), y.parse().unwrap()])
    }

    fn apply(&self, image: &mut WorkingImage, size: ImageSize) {
        let channels = image.channels();
        match self.function {
            "resized_crop" => functional::resized_crop(image, self.window(), size, self.mode(4)),
            "hflip" => functional::hflip(image),
            "vflip" => functional::vflip(image),
            "invert" => functional::invert(image),
            "equalize" => functional::equalize(image),
            "autocontrast" => functional::autocontrast(image),
            "rgb_to_grayscale" => functional::rgb_to_grayscale(image),
            "posterize" => functional::posterize(image, self.count(0) as u32),
            "solarize" => functional::solarize(image, self.number(0)),
            "adjust_brightness" => functional::adjust_brightness(image, self.number(0)),
            "adjust_contrast" => functional::adjust_contrast(image, self.number(0)),
            "adjust_saturation" => functional::adjust_saturation(image, self.number(0)),
            "adjust_sharpness" => functional::adjust_sharpness(image, self.number(0)),
            "adjust_hue" => functional::adjust_hue(image, self.number(0)),
            "erase" => functional::erase(image, self.window(), &self.colour(4)),
            "pad" => {
                let mode = match self.arguments[5] {
                    "constant" => PaddingMode::Constant,
                    "edge" => PaddingMode::Edge,
                    "reflect" => PaddingMode::Reflect,
                    "symmetric" => PaddingMode::Symmetric,
                    other => panic!("unknown padding {other}"),
                };
                let sides = [0, 1, 2, 3].map(|place| self.count(place));
                functional::pad(image, sides, &self.colour(4), mode);
            }
            "crop" => {
                let [top, left] = [0, 1].map(|place| self.number(place) as isize);
                functional::crop(image, top, left, size);
            }
            "rotate" => {
                let expand = self.arguments[2] == "true";
                functional::rotate(
                    image,
                    self.number(0),
                    self.mode(1),
                    expand,
                    self.center(3),
                    &self.colour(4),
                );
            }
            "affine" => {
                let map = AffineMap {
                    angle: self.number(0),
                    translate: [self.number(1), self.number(2)],
                    scale: self.number(3),
                    shear: [self.number(4), self.number(5)],
                    center: self.center(7),
                };
                functional::affine(image, &map, self.mode(6), &self.colour(8));
            }
            "perspective" => {
                let places: Vec<f64> =
                    self.arguments[0].split(',').map(|place| place.parse().unwrap()).collect();
                let ends = std::array::from_fn(|corner| [places[2 * corner], places[2 * corner + 1]]);
                functional::perspective(image, ends, self.mode(1), &self.colour(2));
            }
            "gaussian_blur" => {
                let (kernel, sigma) = ([0, 1].map(|at| self.count(at)), [2, 3].map(|at| self.number(at)));
                functional::gaussian_blur(image, kernel, sigma);
            }
            "apply_op" => {
                let operation = operation(self.arguments[0]);
                functional::apply_op(image, operation, self.number(1), self.mode(2), &vec![0; channels]);
            }
            other => panic!("unknown function {other}"),
        }
    }
}

pub fn operation(name: &str) -> Operation {
    match name {
        "Identity" => Operation::Identity,
        "ShearX" => Operation::ShearX,
        "ShearY" => Operation::ShearY,
        "TranslateX" => Operation::TranslateX,
        "TranslateY" => Operation::TranslateY,
        "Rotate" => Operation::Rotate,
        "Brightness" => Operation::Brightness,
        "Color" => Operation::Color,
        "Contrast" => Operation::Contrast,
        "Sharpness" => Operation::Sharpness,
        "Posterize" => Operation::Posterize,
        "Solarize" => Operation::Solarize,
        "AutoContrast" => Operation::AutoContrast,
        "Equalize" => Operation::Equalize,
        "Invert" => Operation::Invert,
        other => panic!("unknown operation {other}"),
    }
}

fn images() -> BTreeMap<&'static str, Image> {
    let lines = GOLDEN.lines().filter_map(|line| line.strip_prefix("image "));
    let image = |line: &'static str| {
        let fields: Vec<&str> = line.split(' ').collect();
        let [channels, height, width] = [1, 2, 3].map(|field| fields[field].parse().unwrap());
        (fields[0], Image { channels, height, width, pixels: Arc::from(bytes(fields[4])) })
    };
    lines.map(image).collect()
}

/// How many pixels differ by how much, from 0 on.
fn differences(got: &[u8], expected: &[u8]) -> Vec<usize> {
    let mut counts = vec![0; 256];
    got.iter().zip(expected).for_each(|(got, expected)| counts[usize::from(got.abs_diff(*expected))] += 1);
    counts
}

#[test]
fn functions_give_torchvisions_pixels() {
    let images = images();
    let mut problems = Vec::new();
    let mut seen = BTreeMap::new();
    for line in GOLDEN.lines().filter_map(|line| line.strip_prefix("case ")) {
        let fields: Vec<&str> = line.split(' ').collect();
        let ([function, name], rest) = fields.split_first_chunk().unwrap();
        let (arguments, [height, width, expected]) = rest.split_last_chunk().unwrap();
        let size = ImageSize { height: height.parse().unwrap(), width: width.parse().unwrap() };
        let mut image = WorkingImage::new();
        image.load(&images[name]).unwrap();
        Case { function, arguments }.apply(&mut image, size);
        *seen.entry(*function).or_insert(0) += 1;
        let (expected, got) = (bytes(expected), image.pixels());
        let differences = differences(got, &expected);
        let off_by_one = differences[1];
        let far: usize = differences[2..].iter().sum();
        let allowed = if EXACT.contains(function) { 0 } else { expected.len() / 100 };
        if image.size() != size || got.len() != expected.len() || far > 0 || off_by_one > allowed {
            let got = image.size();
            problems.push(format!(
                "{function} {name} {arguments:?}: {got}, {off_by_one} of {} off by one, {far} by more",
                expected.len()
            ));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let known: Vec<&str> = seen.keys().copied().collect();
    let mut expected = [&EXACT[..], &NEAR[..]].concat();
    expected.sort_unstable();
    assert_eq!(known, expected);
}
