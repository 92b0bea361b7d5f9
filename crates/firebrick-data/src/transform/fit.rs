//! How an image of any size gets the model's: `data.resize`.

use std::fmt;

use firebrick_component::{ArgumentError, check};
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::crop::{crop, crop_center, half};
use super::interpolation::Interpolation;
use super::resample::{resample, resample_window};
use super::resize::with_shorter;
use super::side::MAX_SIDE;
use super::window::Window;
use super::working_image::WorkingImage;
use crate::shape::ImageSize;

/// How evaluation and prediction give an image the model's size; training images, too, where no
/// augmentation sets their size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resize {
    /// Straight to the model's height and width; proportions are not kept. Written `"squash"`.
    #[default]
    Squash,
    /// The shorter side first, then the middle of the image. Written `{ shorter = 256, crop = 224 }`, perhaps with
    /// `interpolation = "bicubic"`.
    Shorter(ShorterConfig),
    /// Whole and with its proportions, in the middle of a black image of the model's size. Written
    /// `"letterbox"`.
    Letterbox,
}

/// Arguments of [`Resize::Shorter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShorterConfig {
    /// What the shorter side becomes, pixels.
    pub shorter: usize,
    /// Side of the square that is cut out of the middle, pixels: the model's. The model's height and
    /// width when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<usize>,
    /// How values between pixels are found.
    #[serde(default = "bilinear", skip_serializing_if = "is_bilinear")]
    pub interpolation: Interpolation,
}

fn bilinear() -> Interpolation {
    Interpolation::Bilinear
}

fn is_bilinear(interpolation: &Interpolation) -> bool {
    *interpolation == Interpolation::Bilinear
}

impl Resize {
    /// True for the one that is used when nothing is said.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Checks the arguments by themselves.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] for `shorter` or `crop`.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        let Self::Shorter(ShorterConfig { shorter, crop, .. }) = *self else { return Ok(()) };
        check::in_range("shorter", shorter, 1, MAX_SIDE)?;
        match crop {
            Some(crop) => check::in_range("crop", crop, 1, shorter),
            None => Ok(()),
        }
    }

    /// Checks the arguments against the model's size.
    ///
    /// # Errors
    ///
    /// As [`Resize::validate`]; a crop that is not the model's size.
    pub fn validate_for(&self, model: ImageSize) -> Result<(), ArgumentError> {
        self.validate()?;
        let Self::Shorter(ShorterConfig { shorter, crop, .. }) = *self else { return Ok(()) };
        if let Some(crop) = crop {
            let expected = format!("the size of the model's input, {model}");
            check::that(ImageSize::square(crop) == model, "crop", crop, expected)?;
        }
        let least = model.height.max(model.width);
        let expected = format!("at least {least}, so that the model's {model} fit in");
        check::that(shorter >= least, "shorter", shorter, expected)
    }

    /// Gives the image the model's size.
    ///
    /// # Source
    ///
    /// torchvision on PIL images: `Resize((height, width))`; `Resize(shorter)` then `CenterCrop`; and
    /// Pillow's `ImageOps.pad`. All bilinear, but for a `Shorter` that says otherwise.
    pub(super) fn apply(&self, image: &mut WorkingImage, model: ImageSize) {
        match self {
            Self::Squash => resample(image, model.height, model.width),
            Self::Shorter(arguments) => {
                let target = with_shorter(image.size(), arguments.shorter);
                resample_window(image, Window::whole(image.size()), target, arguments.interpolation);
                crop_center(image, model);
            }
            Self::Letterbox => letterbox(image, model),
        }
    }

    /// In words, for people to read.
    pub(super) fn description(&self, model: ImageSize) -> String {
        match self {
            Self::Squash => format!("resize to {model} (bilinear)"),
            Self::Shorter(arguments) => {
                let ShorterConfig { shorter, interpolation, .. } = *arguments;
                let interpolation = interpolation.name();
                format!("resize the shorter side to {shorter} ({interpolation}), center_crop to {model}")
            }
            Self::Letterbox => format!("letterbox to {model} (bilinear)"),
        }
    }
}

fn letterbox(image: &mut WorkingImage, model: ImageSize) {
    let inner = contained(image.size(), model);
    resample(image, inner.height, inner.width);
    let top = half(model.height - inner.height) as isize;
    let left = half(model.width - inner.width) as isize;
    crop(image, -top, -left, model);
}

/// The largest size with the proportions of `image` that fits into `model`; at least a pixel a side.
fn contained(image: ImageSize, model: ImageSize) -> ImageSize {
    let [height, width, model_height, model_width] =
        [image.height, image.width, model.height, model.width].map(|side| side as f64);
    let scaled = |side: f64, most: usize| (side.round_ties_even() as usize).clamp(1, most);
    if width / height > model_width / model_height {
        ImageSize { height: scaled(height / width * model_width, model.height), width: model.width }
    } else {
        ImageSize { height: model.height, width: scaled(width / height * model_height, model.width) }
    }
}

impl Serialize for Resize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Squash => serializer.serialize_str("squash"),
            Self::Letterbox => serializer.serialize_str("letterbox"),
            Self::Shorter(arguments) => arguments.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Resize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ResizeVisitor)
    }
}

/// Written out because an untagged enum would lose what was wrong and where.
struct ResizeVisitor;

impl<'de> Visitor<'de> for ResizeVisitor {
    type Value = Resize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"squash\", \"letterbox\" or { shorter = 256, crop = 224 }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Resize, E> {
        match text {
            "squash" => Ok(Resize::Squash),
            "letterbox" => Ok(Resize::Letterbox),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Resize, A::Error> {
        ShorterConfig::deserialize(MapAccessDeserializer::new(map)).map(Resize::Shorter)
    }
}
