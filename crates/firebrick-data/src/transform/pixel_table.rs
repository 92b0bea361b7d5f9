//! Pixels to the numbers a network sees.

use firebrick_component::ArgumentError;

use super::normalize::Normalization;

/// What each of the 256 pixel values becomes, channel by channel.
///
/// A pixel has 256 values, so the exact divisions are done 256 times and not once a pixel; reading
/// the table is as fast as the memory behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelTable {
    channels: Vec<[f32; 256]>,
}

impl PixelTable {
    /// The table for `channels` channels.
    ///
    /// # Errors
    ///
    /// No channels at all; otherwise as [`Normalization::validate`], with the path `normalize.mean` or
    /// `normalize.std`.
    ///
    /// # Source
    ///
    /// torchvision `ToTensor` (`pixel.to(float32).div(255)`) then `Normalize`
    /// (`tensor.sub_(mean).div_(std)`): f32 throughout, rounded after each step, in this order.
    pub fn new(channels: usize, normalization: Option<&Normalization>) -> Result<Self, ArgumentError> {
        if channels == 0 {
            return Err(ArgumentError::new("input.channels", "at least 1", 0));
        }
        let Some(normalization) = normalization else {
            return Ok(Self { channels: vec![to_unit(); channels] });
        };
        normalization.validate(channels).map_err(|error| error.within("normalize"))?;
        let pairs = normalization.mean.iter().zip(&normalization.std);
        let channels = pairs.map(|(mean, std)| to_unit().map(|unit| (unit - mean) / std)).collect();
        Ok(Self { channels })
    }

    /// Appends the numbers of `pixels` to `values`.
    ///
    /// # Shapes
    ///
    /// `pixels` is channels x height x width with this table's number of channels; as many values
    /// are appended, in the same order.
    pub fn append(&self, pixels: &[u8], values: &mut Vec<f32>) {
        let num_channels = self.channels.len();
        assert!(
            pixels.len().is_multiple_of(num_channels),
            "bug: {} pixels are no image of {num_channels} channels",
            pixels.len()
        );
        let plane = pixels.len() / num_channels;
        if plane == 0 {
            return;
        }
        for (pixels, table) in pixels.chunks_exact(plane).zip(&self.channels) {
            values.extend(pixels.iter().map(|&pixel| table[usize::from(pixel)]));
        }
    }
}

fn to_unit() -> [f32; 256] {
    std::array::from_fn(|pixel| pixel as f32 / 255.0)
}
