//! Statistics, normalisation and its gradients.

use super::chunks::Chunks;
use super::known::{Cyclic, Known};
use super::map::{Gradient, Normalise, gradient as map_gradient, normalise as map_normalise};
use super::sums::{deviation_sums, gradient_sums};
use crate::cpu::activation::Activation;
use crate::cpu::engine::Engine;
use crate::cpu::scratch::{SharedOut, new_filled};
use crate::cpu::shape::{ShapeError, check_len};

/// Mean and variance of every channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelStatistics {
    /// Means.
    pub mean: Vec<f32>,
    /// Variances, divided by the number of values (biased).
    pub variance: Vec<f32>,
}

/// How values are normalised: `(x - mean) / sqrt(variance + eps) * weight + bias`; all `[channels]`.
#[derive(Clone, Copy, Debug)]
pub struct Normalisation<'a> {
    /// Means.
    pub mean: &'a [f32],
    /// Variances.
    pub variance: &'a [f32],
    /// Factors.
    pub weight: &'a [f32],
    /// Keeps the division away from zero.
    pub eps: f64,
}

/// Gradients of a normalisation.
#[derive(Clone, Debug)]
pub struct NormGradients {
    /// Of the input, NHWC.
    pub input: Vec<f32>,
    /// Of what was added, NHWC: the output's gradient before the activation.
    pub residual: Option<Vec<f32>>,
    /// `[channels]`.
    pub weight: Vec<f32>,
    /// `[channels]`.
    pub bias: Vec<f32>,
}

/// What a gradient is computed from.
#[derive(Clone, Copy, Debug)]
pub struct NormSaved<'a> {
    /// The input, NHWC.
    pub input: &'a [f32],
    /// What was applied to the sum.
    pub activation: Activation,
    /// What was added to each channel.
    pub bias: &'a [f32],
    /// The activation's results, NHWC, if something was added to the normalised values before it; otherwise those are
    /// computed again, which takes less time than reading them.
    pub results: Option<&'a [f32]>,
    /// Whether mean and variance are those of `input`, so that it has a gradient through them too.
    pub own_statistics: bool,
    /// Whether something was added whose gradient is wanted.
    pub residual: bool,
}

impl Engine {
    /// Mean and biased variance of every channel of an NHWC array.
    ///
    /// # Errors
    /// No channels, or a length that is not a multiple of them.
    pub fn channel_statistics(self, channels: usize, input: &[f32]) -> Result<ChannelStatistics, ShapeError> {
        let chunks = Chunks::new(channels, input)?;
        let sums = deviation_sums(self, chunks, input);
        let count = chunks.pixels as f64;
        let total = totals(&sums, 2 * channels);
        let mean: Vec<f64> = total[..channels].iter().map(|total| total / count).collect();
        // Chan et al.: the squared deviations within the chunks, and those of the chunks' means.
        let mut squares = vec![0.0f64; channels];
        for (index, chunk) in sums.chunks_exact(2 * channels).enumerate() {
            let pixels = chunks.chunk(index).len() as f64;
            let (sums, within) = chunk.split_at(channels);
            for (channel, (sum, within)) in sums.iter().zip(within).enumerate() {
                let deviation = f64::from(*sum) / pixels - mean[channel];
                squares[channel] += f64::from(*within) + pixels * deviation * deviation;
            }
        }
        Ok(ChannelStatistics {
            mean: mean.iter().map(|mean| *mean as f32).collect(),
            variance: squares.iter().map(|squares| (squares / count) as f32).collect(),
        })
    }

    /// Normalise an NHWC array, add `residual`, apply the activation.
    ///
    /// # Errors
    /// As [`channel_statistics`](Self::channel_statistics); also slices of other lengths than their shapes.
    pub fn normalise(
        self,
        input: &[f32],
        by: Normalisation<'_>,
        bias: &[f32],
        residual: Option<&[f32]>,
        activation: Activation,
    ) -> Result<Vec<f32>, ShapeError> {
        let chunks = by.chunks(input)?;
        check_len("the bias", bias.len(), chunks.channels)?;
        check_len("what is added", residual.map_or(input.len(), <[f32]>::len), input.len())?;
        let scale: Vec<f32> = by.scales().map(|scale| scale as f32).collect();
        let [mean, scale, bias] = [by.mean, &scale, bias].map(Cyclic::new);
        let values = Normalise { input, residual, mean: &mean, scale: &scale, bias: &bias };
        // SAFETY: the chunks cover the array, and each writes all of its own part.
        Ok(unsafe {
            new_filled(input.len(), |target| map_normalise(self, chunks, values, activation, target))
        })
    }

    /// Gradients of a normalisation.
    ///
    /// # Shapes
    /// `gradient` NHWC, as the saved input.
    ///
    /// # Errors
    /// As [`normalise`](Self::normalise).
    pub fn normalise_gradient(
        self,
        gradient: &[f32],
        saved: NormSaved<'_>,
        by: Normalisation<'_>,
    ) -> Result<NormGradients, ShapeError> {
        let NormSaved { input, activation, bias, results, own_statistics, residual } = saved;
        let chunks = by.chunks(input)?;
        check_len("the output's gradient", gradient.len(), input.len())?;
        check_len("the bias", bias.len(), chunks.channels)?;
        check_len(
            "the results kept for the gradient",
            results.map_or(input.len(), <[f32]>::len),
            input.len(),
        )?;
        let scale: Vec<f32> = by.scales().map(|scale| scale as f32).collect();
        let [mean, scale, bias] = [by.mean, &scale, bias].map(Cyclic::new);
        let known = Known { mean: &mean, scale: &scale, bias: &bias, results };
        let sums = gradient_sums(self, chunks, activation, [gradient, input], known);
        let totals = totals(&sums, 2 * chunks.channels);
        let (of_bias, of_products) = totals.split_at(chunks.channels);
        let share = if own_statistics { 1.0 / chunks.pixels as f64 } else { 0.0 };
        let mean_gradient: Vec<f32> = of_bias.iter().map(|sum| (sum * share) as f32).collect();
        let projection = of_products.iter().zip(by.deviations());
        let projection: Vec<f32> =
            projection.map(|(sum, deviation)| (sum * share / (deviation * deviation)) as f32).collect();
        let mut of_residual = Vec::with_capacity(if residual { input.len() } else { 0 });
        let [mean_gradient, projection] = [mean_gradient, projection].map(|values| Cyclic::new(&values));
        let values = Gradient {
            gradient,
            input,
            known,
            mean_gradient: &mean_gradient,
            projection: &projection,
            residual: residual.then(|| SharedOut::new(of_residual.as_mut_ptr())),
        };
        // SAFETY: the chunks cover the array, and each writes all of its own part of both arrays;
        // the second has room for as many floats when it is asked for.
        let of_input = unsafe {
            let of_input =
                new_filled(input.len(), |target| map_gradient(self, chunks, values, activation, target));
            if residual {
                of_residual.set_len(input.len());
            }
            of_input
        };
        let weight = of_products.iter().zip(by.deviations()).map(|(sum, deviation)| (sum / deviation) as f32);
        Ok(NormGradients {
            input: of_input,
            residual: residual.then_some(of_residual),
            weight: weight.collect(),
            bias: of_bias.iter().map(|sum| *sum as f32).collect(),
        })
    }
}

/// The sums of all chunks, which have `len` each, added up in their order.
fn totals(sums: &[f32], len: usize) -> Vec<f64> {
    let mut totals = vec![0.0f64; len];
    for chunk in sums.chunks_exact(len) {
        for (total, sum) in totals.iter_mut().zip(chunk) {
            *total += f64::from(*sum);
        }
    }
    totals
}

impl Normalisation<'_> {
    /// The chunks of an array that is normalised thus.
    fn chunks(&self, input: &[f32]) -> Result<Chunks, ShapeError> {
        let chunks = Chunks::new(self.weight.len(), input)?;
        check_len("the mean", self.mean.len(), chunks.channels)?;
        check_len("the variance", self.variance.len(), chunks.channels)?;
        Ok(chunks)
    }

    /// Standard deviations.
    fn deviations(&self) -> impl Iterator<Item = f64> {
        self.variance.iter().map(|variance| (f64::from(*variance) + self.eps).sqrt())
    }

    /// What values are multiplied by.
    fn scales(&self) -> impl Iterator<Item = f64> {
        self.weight.iter().zip(self.deviations()).map(|(weight, deviation)| f64::from(*weight) / deviation)
    }
}
