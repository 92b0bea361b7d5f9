//! Pixels to the numbers a network sees: `(pixel / 255 - mean) / std`, and the known means.

use crate::transform::channels::luma_weights;
use crate::{DataError, DatasetName, Normalization, Normalize};

impl Normalize {
    /// What is taken away and divided by for images of `channels` channels of this data set;
    /// `None` for pixels / 255 alone.
    pub fn resolve(&self, dataset: DatasetName, channels: usize) -> Option<Normalization> {
        match self {
            Self::None => None,
            Self::Dataset => Some(Normalization::of_dataset(dataset)?.for_channels(channels)),
            // One value stands for all channels, as torch broadcasts it; three are never mixed to
            // one behind the user's back: `validate` then says what is wrong.
            Self::Values(values) if channels == 1 => Some(values.clone()),
            Self::Values(values) => Some(values.for_channels(channels)),
        }
    }
}

impl Normalization {
    /// The constants of a data set; `None` for one that has none (`synthetic`, whose pixels mean
    /// nothing), which is then not normalised.
    ///
    /// They are the mean and the standard deviation of all training pixels / 255. Those of
    /// CIFAR and MNIST are the ones in everybody's scripts. `digits`: computed once over the 1,442
    /// bundled training images. `image_folder`: those of ImageNet, as torchvision's models use
    /// them; computing a folder's own would mean to decode every image before the first step, and
    /// the result would change whenever an image is added. Who knows them writes `{ mean, std }`.
    pub fn of_dataset(dataset: DatasetName) -> Option<Self> {
        let (mean, std): (&[f32], &[f32]) = match dataset {
            DatasetName::Cifar10 => (&[0.4914, 0.4822, 0.4465], &[0.2470, 0.2435, 0.2616]),
            DatasetName::Cifar100 => (&[0.5071, 0.4865, 0.4409], &[0.2673, 0.2564, 0.2762]),
            DatasetName::Mnist => (&[0.1307], &[0.3081]),
            DatasetName::FashionMnist => (&[0.2860], &[0.3530]),
            DatasetName::Digits => (&[0.3052], &[0.3760]),
            DatasetName::ImageFolder => (&[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]),
            DatasetName::Synthetic => return None,
        };
        Some(Self { mean: mean.to_vec(), std: std.to_vec() })
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
    pub fn validate(&self, channels: usize) -> Result<(), DataError> {
        let finite = |value: f32| value.is_finite();
        let positive = |value: f32| value.is_finite() && value > 0.0;
        check_values("normalize.mean", &self.mean, channels, "finite", finite)?;
        check_values("normalize.std", &self.std, channels, "finite, above 0", positive)
    }
}

fn check_values(
    key: &str,
    values: &[f32],
    channels: usize,
    what: &str,
    good: impl Fn(f32) -> bool,
) -> Result<(), DataError> {
    if values.len() == channels && values.iter().all(|&value| good(value)) {
        return Ok(());
    }
    let expected = format!("{channels} values ({what}), one a channel of the model's input");
    Err(DataError::argument(key, expected, format!("{values:?}")))
}

/// What each of the 256 pixel values becomes, channel by channel.
///
/// A pixel has 256 values, so the exact divisions are done 256 times and not once a pixel; reading
/// the table is as fast as the memory behind it.
#[derive(Clone, Debug)]
pub struct PixelTable {
    channels: Vec<[f32; 256]>,
}

impl PixelTable {
    /// The table for `channels` channels.
    ///
    /// # Errors
    ///
    /// As [`Normalization::validate`].
    ///
    /// # Source
    ///
    /// torchvision `ToTensor` (`pixel.to(float32).div(255)`) then `Normalize`
    /// (`tensor.sub_(mean).div_(std)`): f32 throughout, rounded after each step, in this order.
    pub fn new(channels: usize, normalization: Option<&Normalization>) -> Result<Self, DataError> {
        let Some(normalization) = normalization else {
            return Ok(Self { channels: vec![to_unit(); channels] });
        };
        normalization.validate(channels)?;
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
        let plane = pixels.len() / self.channels.len().max(1);
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
