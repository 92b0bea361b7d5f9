//! Random erasing: a rectangle painted over.

use std::fmt;

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::fill::{Fill, check_fill, fill_values};
use super::functional::{each_row, erase};
use super::interface::Transform;
use super::numbers::Numbers;
use super::range::check_range;
use super::window::Window;
use super::working_image::WorkingImage;
use crate::random::{below, uniform, unit};
use crate::shape::ImageSize;

/// Arguments of `random_erasing`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomErasingConfig {
    /// Probability of a rectangle, 0 to 1.
    pub p: f64,
    /// Least and largest area of the rectangle, as parts of the image's; 0 to 1.
    pub scale: [f64; 2],
    /// Least and largest height / width of the rectangle; above 0.
    pub ratio: [f64; 2],
    /// What the rectangle is filled with: one value from 0 to 255 for all channels, `[red, green, blue]`, or `"random"`,
    /// a value for each pixel and channel. Before normalisation, unlike torchvision's: the mean colour of the
    /// data set becomes 0.
    pub value: EraseValue,
}

/// What a rectangle is filled with.
#[derive(Clone, Debug, PartialEq)]
pub enum EraseValue {
    /// One colour.
    Colour(Fill),
    /// A value drawn evenly from 0 to 255 for each pixel and channel. Written `"random"`.
    Random,
}

impl Default for RandomErasingConfig {
    fn default() -> Self {
        let value = EraseValue::Colour(Numbers::One(0));
        Self { p: 0.5, scale: [0.02, 0.33], ratio: [0.3, 3.3], value }
    }
}

impl RandomErasingConfig {
    /// Draws the rectangle; none if ten attempts gave none that is smaller than the image.
    ///
    /// # Source
    ///
    /// torchvision `RandomErasing.get_params`.
    pub fn window(&self, image: ImageSize, generator: &mut ChaCha8Rng) -> Option<Window> {
        let area = (image.height * image.width) as f64;
        let log_ratio = self.ratio.map(f64::ln);
        for _ in 0..10 {
            let area = area * uniform(generator, self.scale);
            let ratio = uniform(generator, log_ratio).exp();
            let height = (area * ratio).sqrt().round_ties_even() as usize;
            let width = (area / ratio).sqrt().round_ties_even() as usize;
            if height < image.height && width < image.width {
                let top = below(generator, (image.height - height) as u64 + 1) as usize;
                let left = below(generator, (image.width - width) as u64 + 1) as usize;
                return Some(Window { top, left, height, width });
            }
        }
        None
    }
}

impl Component for RandomErasingConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::unit_interval("p", self.p)?;
        check_range("scale", self.scale)?;
        check::unit_interval("scale[0]", self.scale[0])?;
        check::unit_interval("scale[1]", self.scale[1])?;
        check_range("ratio", self.ratio)?;
        check::positive("ratio[0]", self.ratio[0])?;
        match &self.value {
            EraseValue::Colour(fill) => check_fill("value", fill),
            EraseValue::Random => Ok(()),
        }
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        NoEffect::unless(self.p > 0.0, "", "p = 0 erases nothing")
    }
}

impl Transform for RandomErasingConfig {
    /// Paints over a rectangle, or leaves the image.
    ///
    /// # Source
    ///
    /// torchvision `RandomErasing`; Zhong and others, "Random Erasing Data Augmentation", 2017,
    /// <https://arxiv.org/abs/1708.04896>.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        if unit(generator) >= self.p {
            return;
        }
        let Some(window) = self.window(image.size(), generator) else { return };
        match &self.value {
            EraseValue::Colour(fill) => erase(image, window, &fill_values(fill, image.channels())),
            EraseValue::Random => each_row(image, window, |_, row| generator.fill_bytes(row)),
        }
    }

    fn description(&self) -> String {
        let [least, most] = self.scale;
        format!("random_erasing (p {}, scale {least} to {most})", self.p)
    }
}

impl Serialize for EraseValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Colour(fill) => fill.serialize(serializer),
            Self::Random => serializer.serialize_str("random"),
        }
    }
}

impl<'de> Deserialize<'de> for EraseValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EraseValueVisitor)
    }
}

struct EraseValueVisitor;

impl<'de> Visitor<'de> for EraseValueVisitor {
    type Value = EraseValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value from 0 to 255, [red, green, blue] or \"random\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<EraseValue, E> {
        match text {
            "random" => Ok(EraseValue::Random),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<EraseValue, E> {
        let value = u8::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self));
        value.map(|value| EraseValue::Colour(Numbers::One(value)))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<EraseValue, E> {
        let value = u8::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self));
        value.map(|value| EraseValue::Colour(Numbers::One(value)))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, values: A) -> Result<EraseValue, A::Error> {
        let values = Vec::deserialize(de::value::SeqAccessDeserializer::new(values))?;
        Ok(EraseValue::Colour(Numbers::List(values)))
    }
}
