//! Color jitter: brightness, contrast, saturation and hue changed a little, in a random order.

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::functional::{adjust_brightness, adjust_contrast, adjust_hue, adjust_saturation};
use super::interface::Transform;
use super::numbers::Numbers;
use super::range::check_range;
use super::working_image::WorkingImage;
use crate::random::{below, uniform};

/// Arguments of `color_jitter`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColorJitterConfig {
    /// How much brightness changes: a factor from `1 - brightness` (at least 0) to `1 + brightness`, or from `[least, most]`.
    pub brightness: Numbers<f64>,
    /// How much contrast changes, in the same way.
    pub contrast: Numbers<f64>,
    /// How much saturation changes, in the same way. Nothing on grey images.
    pub saturation: Numbers<f64>,
    /// How much hue changes: by `-hue` to `hue` of the colour wheel, or `[least, most]`; -0.5 to 0.5. Nothing on
    /// grey images.
    pub hue: Numbers<f64>,
}

impl Default for ColorJitterConfig {
    fn default() -> Self {
        let [brightness, contrast, saturation, hue] = [0.0; 4].map(Numbers::One);
        Self { brightness, contrast, saturation, hue }
    }
}

/// What is changed, and by how much; `None` where nothing is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColorJitterDraw {
    /// The order: 0 brightness, 1 contrast, 2 saturation, 3 hue.
    pub order: [u8; 4],
    /// The factors of brightness, contrast, saturation, and the turn of the hue.
    pub factors: [Option<f64>; 4],
}

impl ColorJitterConfig {
    /// Draws the order and the factors.
    ///
    /// # Source
    ///
    /// torchvision `ColorJitter.get_params`.
    pub fn draw(&self, generator: &mut ChaCha8Rng) -> ColorJitterDraw {
        let mut order = [0, 1, 2, 3];
        for last in (1..order.len()).rev() {
            order.swap(last, below(generator, last as u64 + 1) as usize);
        }
        let factors = self.ranges().map(|range| range.map(|range| uniform(generator, range)));
        ColorJitterDraw { order, factors }
    }

    /// The ranges of the four factors; `None` where there is nothing to change.
    fn ranges(&self) -> [Option<[f64; 2]>; 4] {
        let around = |numbers: &Numbers<f64>, centre: f64, least: f64| {
            let range = match *numbers.as_slice() {
                [amount] => [(centre - amount).max(least), centre + amount],
                [least, most] => [least, most],
                _ => [centre; 2],
            };
            (range != [centre; 2]).then_some(range)
        };
        let hue = around(&self.hue, 0.0, -0.5);
        let [brightness, contrast, saturation] =
            [&self.brightness, &self.contrast, &self.saturation].map(|numbers| around(numbers, 1.0, 0.0));
        [brightness, contrast, saturation, hue]
    }
}

impl Component for ColorJitterConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        for (key, numbers) in
            [("brightness", &self.brightness), ("contrast", &self.contrast), ("saturation", &self.saturation)]
        {
            check_amount(key, numbers, f64::MAX, "a number >= 0, or [least, most], both >= 0")?;
            check::that(numbers.as_slice()[0] >= 0.0, key, numbers, "a number >= 0")?;
        }
        let hue = &self.hue;
        let expected = "a number from 0 to 0.5, or [least, most] from -0.5 to 0.5";
        check_amount("hue", hue, 0.5, expected)?;
        let least = if matches!(hue, Numbers::One(_)) { 0.0 } else { -0.5 };
        check::that(hue.as_slice()[0] >= least, "hue", hue, expected)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        let has_effect = self.ranges().iter().any(Option::is_some);
        NoEffect::unless(has_effect, "", "nothing is changed without brightness, contrast, saturation or hue")
    }
}

/// Refuses other than a number or a range up to `most`.
fn check_amount(key: &str, numbers: &Numbers<f64>, most: f64, expected: &str) -> Result<(), ArgumentError> {
    let slice = numbers.as_slice();
    check::that(matches!(slice.len(), 1 | 2), key, numbers, expected)?;
    check_range(key, [slice[0], slice[slice.len() - 1]])?;
    check::that(slice[slice.len() - 1] <= most, key, numbers, expected)
}

impl Transform for ColorJitterConfig {
    /// Changes the colours.
    ///
    /// # Source
    ///
    /// torchvision `ColorJitter` on PIL images.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        let draw = self.draw(generator);
        for step in draw.order {
            let Some(factor) = draw.factors[usize::from(step)] else { continue };
            match step {
                0 => adjust_brightness(image, factor),
                1 => adjust_contrast(image, factor),
                2 => adjust_saturation(image, factor),
                _ => adjust_hue(image, factor),
            }
        }
    }

    fn description(&self) -> String {
        let Self { brightness, contrast, saturation, hue } = self;
        format!(
            "color_jitter (brightness {brightness}, contrast {contrast}, saturation {saturation}, hue {hue})"
        )
    }
}
