//! The mean and the standard deviation that pixels / 255 are normalised by: `(x - mean) / std`.

use std::fmt;

use firebrick_component::ArgumentError;
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::channels::luma_weights;

/// Mean and standard deviation of each channel, of pixels / 255.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalization {
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel; positive.
    pub std: Vec<f32>,
}

/// What happens to a pixel after the division by 255.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Normalize {
    /// Nothing: values from 0 to 1. Written `"none"`.
    None,
    /// The data set's own mean and standard deviation. Written `"dataset"`.
    #[default]
    Dataset,
    /// These. Written `{ mean = [..], std = [..] }`.
    Values(Normalization),
}

impl Normalize {
    /// What is taken away and divided by for images of `channels` channels; `None` for pixels / 255
    /// alone. `own` are the data set's own values.
    pub fn resolve(&self, own: Option<Normalization>, channels: usize) -> Option<Normalization> {
        match self {
            Self::None => None,
            Self::Dataset => Some(own?.for_channels(channels)),
            // One value stands for all channels, as torch broadcasts it. Three are not made one without
            // being asked for: `validate` then says what is wrong.
            Self::Values(values) if channels == 1 => Some(values.clone()),
            Self::Values(values) => Some(values.for_channels(channels)),
        }
    }

    /// Checks what can be checked without the model, whose channels are not known here: one mean may
    /// stand for three channels.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] for `mean` or `std`.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        let Self::Values(values) = self else { return Ok(()) };
        match values.mean.len() {
            1 | 3 => values.validate(values.mean.len()),
            count => Err(ArgumentError::new("mean", "1 or 3 values", format!("{count} values"))),
        }
    }
}

impl Normalization {
    /// One value for each channel, in the channels' order.
    pub fn new(mean: &[f32], std: &[f32]) -> Self {
        Self { mean: mean.to_vec(), std: std.to_vec() }
    }

    /// The same constants for images that were turned from grey to RGB, or back.
    ///
    /// Grey to RGB repeats them. RGB to grey weighs them as the pixels are weighed: exact for the
    /// mean; for the standard deviation exact if the three channels rose and fell together, as in
    /// photographs they nearly do (on CIFAR-10 the result is 0.245, the true value 0.238).
    pub fn for_channels(&self, channels: usize) -> Self {
        let convert = |values: &[f32]| match (values, channels) {
            ([grey], 3) => vec![*grey; 3],
            ([_, _, _], 1) => {
                let terms = values.iter().zip(luma_weights());
                vec![terms.map(|(&value, weight)| f64::from(value) * weight).sum::<f64>() as f32]
            }
            _ => values.to_vec(),
        };
        Self { mean: convert(&self.mean), std: convert(&self.std) }
    }

    /// Whether there is one usable mean and deviation for each of `channels` channels.
    ///
    /// # Errors
    ///
    /// Names the argument: a wrong number of values, a mean that is not finite, a deviation that
    /// is not finite and above 0.
    pub fn validate(&self, channels: usize) -> Result<(), ArgumentError> {
        let finite = |value: f32| value.is_finite();
        let positive = |value: f32| value.is_finite() && value > 0.0;
        check_values("mean", &self.mean, channels, "finite", finite)?;
        check_values("std", &self.std, channels, "finite, above 0", positive)
    }
}

fn check_values(
    key: &str,
    values: &[f32],
    channels: usize,
    what: &str,
    good: impl Fn(f32) -> bool,
) -> Result<(), ArgumentError> {
    if values.len() == channels && values.iter().all(|&value| good(value)) {
        return Ok(());
    }
    let expected = format!("{channels} values ({what}), one a channel of the model's input");
    Err(ArgumentError::new(key, expected, format!("{values:?}")))
}

impl Serialize for Normalize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Dataset => serializer.serialize_str("dataset"),
            Self::Values(values) => values.serialize(serializer),
        }
    }
}

/// Written out because an untagged enum would lose what was wrong and where.
struct NormalizeVisitor;

impl<'de> Visitor<'de> for NormalizeVisitor {
    type Value = Normalize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"none\", \"dataset\" or { mean = [..], std = [..] }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Normalize, E> {
        match text {
            "none" => Ok(Normalize::None),
            "dataset" => Ok(Normalize::Dataset),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Normalize, A::Error> {
        Normalization::deserialize(MapAccessDeserializer::new(map)).map(Normalize::Values)
    }
}

impl<'de> Deserialize<'de> for Normalize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NormalizeVisitor)
    }
}
