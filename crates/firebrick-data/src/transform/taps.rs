//! The weights of bilinear resampling along one side of an image.

/// Fractional bits of a weight. Eight bits of pixel, one of sign, one to spare against overflow.
pub(super) const PRECISION_BITS: u32 = 32 - 8 - 2;

/// Which source pixels make each target pixel along one side, and how much each counts.
///
/// A worker keeps the last one of each side: most data sets have images of one size.
#[derive(Clone, Debug, Default)]
pub(super) struct Taps {
    source: usize,
    target: usize,
    /// Source pixels for each target pixel; some may weigh nothing.
    num: usize,
    /// The first of them for each target pixel.
    first: Vec<usize>,
    /// `num` weights for each target pixel.
    weights: Vec<i32>,
}

impl Taps {
    /// Makes the taps from `source` to `target` pixels, unless these are they.
    pub(super) fn prepare(&mut self, source: usize, target: usize) {
        if (self.source, self.target) == (source, target) {
            return;
        }
        let scale = source as f64 / target as f64;
        let support = scale.max(1.0);
        let num = (support.ceil() as usize * 2 + 1).min(source);
        *self = Self { source, target, num, first: Vec::new(), weights: Vec::new() };
        for index in 0..target {
            self.push((index as f64 + 0.5) * scale, support);
        }
    }

    /// Adds the taps of a target pixel whose middle lies at `centre` among the source pixels.
    fn push(&mut self, centre: f64, support: f64) {
        // `as usize` cuts towards zero and takes what is below zero as zero, as Pillow does.
        let begin = (centre - support + 0.5) as usize;
        let end = ((centre + support + 0.5) as usize).min(self.source);
        let distance = |x: usize| (x as f64 - centre + 0.5) * (1.0 / support);
        let total: f64 = (begin..end).map(|x| triangle(distance(x))).sum();
        let unit = f64::from(1_u32 << PRECISION_BITS);
        // All target pixels get equally many, so at the far end the first ones weigh nothing.
        let first = begin.min(self.source - self.num);
        self.first.push(first);
        self.weights.extend((first..first + self.num).map(|x| match (begin..end).contains(&x) {
            true => (0.5 + triangle(distance(x)) / total * unit) as i32,
            false => 0,
        }));
    }

    /// The first source pixel and the weights from there on, for each target pixel.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.first.iter().copied().zip(self.weights.chunks_exact(self.num))
    }
}

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}
