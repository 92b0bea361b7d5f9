//! The weights of resampling along one side of an image.

/// Fractional bits of a weight. Eight bits of pixel, one of sign, one to spare against overflow.
pub(super) const PRECISION_BITS: u32 = 32 - 8 - 2;

/// The curve that source pixels are weighed by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kernel {
    /// `bilinear`.
    #[default]
    Triangle,
    /// `bicubic`, with PIL's a = -0.5.
    Cubic,
}

impl Kernel {
    /// How far from its middle the curve is above 0, in pixels.
    fn support(self) -> f64 {
        match self {
            Self::Triangle => 1.0,
            Self::Cubic => 2.0,
        }
    }

    fn value(self, x: f64) -> f64 {
        let x = x.abs();
        match self {
            Self::Triangle => (1.0 - x).max(0.0),
            Self::Cubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::Cubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5,
            Self::Cubic => 0.0,
        }
    }
}

/// Which source pixels make each target pixel along one side, and how much each counts.
///
/// A worker keeps the last one of each side: most data sets have images of one size.
#[derive(Clone, Debug, Default)]
pub(super) struct Taps {
    source: usize,
    target: usize,
    kernel: Kernel,
    /// Source pixels for each target pixel; some may weigh nothing.
    num: usize,
    /// The first of them for each target pixel.
    first: Vec<usize>,
    /// `num` weights for each target pixel.
    weights: Vec<i32>,
}

impl Taps {
    /// Makes the taps from `source` to `target` pixels, unless these are they.
    pub(super) fn prepare(&mut self, source: usize, target: usize, kernel: Kernel) {
        if (self.source, self.target, self.kernel) == (source, target, kernel) {
            return;
        }
        let scale = source as f64 / target as f64;
        let stretch = scale.max(1.0);
        let support = kernel.support() * stretch;
        (self.source, self.target, self.kernel) = (source, target, kernel);
        self.num = (support.ceil() as usize * 2 + 1).min(source);
        self.first.clear();
        self.weights.clear();
        for index in 0..target {
            self.push((index as f64 + 0.5) * scale, support, stretch);
        }
    }

    /// Adds the taps of a target pixel whose middle lies at `centre` among the source pixels.
    fn push(&mut self, centre: f64, support: f64, stretch: f64) {
        // `as usize` cuts towards zero and takes what is below zero as zero, as Pillow does.
        let begin = (centre - support + 0.5) as usize;
        let end = ((centre + support + 0.5) as usize).min(self.source);
        let kernel = self.kernel;
        let value = |x: usize| kernel.value((x as f64 - centre + 0.5) * (1.0 / stretch));
        let total: f64 = (begin..end).map(value).sum();
        let unit = f64::from(1_u32 << PRECISION_BITS);
        // All target pixels get equally many, so at the far end the first ones weigh nothing.
        let first = begin.min(self.source - self.num);
        self.first.push(first);
        self.weights.extend((first..first + self.num).map(|x| match (begin..end).contains(&x) {
            // `round` takes halves away from zero, as Pillow's `+ 0.5` and `- 0.5` do.
            true => (value(x) / total * unit).round() as i32,
            false => 0,
        }));
    }

    /// Source pixels for each target pixel.
    pub(super) fn num(&self) -> usize {
        self.num
    }

    /// The first source pixel and the weights from there on, for each target pixel.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.first.iter().copied().zip(self.weights.chunks_exact(self.num))
    }
}
