//! Where every random number of the data path comes from: a generator keyed by what it is for.
//!
//! The law: a random choice is a pure function of (seed, purpose, place), where the place is the
//! epoch and the sample, or whatever two numbers name it. No generator lives longer than the choice
//! it makes, so nothing has to be saved for a resumed run to draw the same numbers, and the number
//! of workers cannot matter.
//!
//! The draws below are written out instead of taken from `rand`: `rand` may change how a range is
//! drawn from one version to the next, and an old run must keep its order.

/// The generator that transforms draw from.
pub use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What the random numbers are for: different purposes never share numbers.
///
/// The discriminants are part of the key and so of every run's results; they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// The order of an epoch: `a` is the epoch.
    Order = 1,
    /// The augmentation of one sample: `a` is the epoch, `b` the sample's index.
    Augment = 2,
    /// The initial weights: `a` is the parameter's number.
    Init = 3,
    /// A dropout mask: `a` is the optimiser step.
    Dropout = 4,
    /// The synthetic source: `a` is the split, `b` the sample's index.
    Synthetic = 5,
    /// The batch transforms: `a` is the epoch, `b` the batch's number in it.
    BatchTransform = 6,
    /// The validation samples taken out of the training split: `a` is the class.
    Validation = 7,
    /// Whether a sample is flipped in the first epoch, of those that are flipped in every second one: `a` is the
    /// sample's index.
    AlternateFlip = 20,
}

/// The generator for one choice, keyed by exactly these four numbers.
///
/// The 32-byte ChaCha key is `(seed, purpose, a, b)`, eight little-endian bytes each: nothing is
/// hashed, so two different keys can never meet, and neighbouring keys give unrelated numbers
/// because that is what the cipher is for.
///
/// # Source
///
/// Bernstein, "ChaCha, a variant of Salsa20", 2008; eight rounds.
pub fn generator(seed: u64, purpose: Purpose, a: u64, b: u64) -> ChaCha8Rng {
    let mut key = [0_u8; 32];
    let words = [seed, purpose as u64, a, b];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// One number for a generator that is not ours: the first that [`generator`] gives.
pub fn seed_for(seed: u64, purpose: Purpose, a: u64, b: u64) -> u64 {
    generator(seed, purpose, a, b).next_u64()
}

/// A whole number drawn evenly from `0..bound`; 0 when `bound` is 0 or 1.
///
/// # Source
///
/// Lemire, "Fast Random Integer Generation in an Interval", 2019: a product instead of a division,
/// and the few draws that would favour some numbers are drawn again.
pub fn below(generator: &mut ChaCha8Rng, bound: u64) -> u64 {
    if bound <= 1 {
        return 0;
    }
    let unfair_below = bound.wrapping_neg() % bound;
    loop {
        let product = u128::from(generator.next_u64()) * u128::from(bound);
        // The low half says whether this draw lies in the uneven rest.
        if product as u64 >= unfair_below {
            return (product >> 64) as u64;
        }
    }
}

/// A number drawn evenly from the multiples of 2^-53 in `[0, 1)`.
pub fn unit(generator: &mut ChaCha8Rng) -> f64 {
    const SCALE: f64 = 1.0 / (1_u64 << 53) as f64;
    (generator.next_u64() >> 11) as f64 * SCALE
}

/// A number drawn evenly from `least` to below `most`; `least` when the two are equal.
pub fn uniform(generator: &mut ChaCha8Rng, [least, most]: [f64; 2]) -> f64 {
    least + (most - least) * unit(generator)
}

/// A whole number below `count`, 0 to `count - 1`, each as likely as its weight says, or all alike without weights.
pub fn weighted(generator: &mut ChaCha8Rng, weights: Option<&[f64]>, count: usize) -> usize {
    let Some(weights) = weights else { return below(generator, count as u64) as usize };
    let mut left = unit(generator) * weights.iter().sum::<f64>();
    let mut last = 0;
    for (place, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        if left < weight {
            return place;
        }
        left -= weight;
        last = place;
    }
    last
}

/// Whether these are weights for [`weighted`]: finite, none below 0, not all 0.
pub fn check_weights(weights: &[f64]) -> bool {
    let total: f64 = weights.iter().sum();
    weights.iter().all(|weight| *weight >= 0.0) && total > 0.0 && total.is_finite()
}

/// A number drawn from the normal distribution of mean 0 and standard deviation 1.
///
/// # Source
///
/// Marsaglia and Bray, "A Convenient Method for Generating Normal Variables", 1964; the second
/// number of each pair is thrown away, so that no draw depends on an earlier one.
pub fn normal(generator: &mut ChaCha8Rng) -> f64 {
    loop {
        let (x, y) = (2.0 * unit(generator) - 1.0, 2.0 * unit(generator) - 1.0);
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            return x * (-2.0 * square.ln() / square).sqrt();
        }
    }
}

/// A number from 0 to 1 drawn from the distribution Beta(`alpha`, `alpha`); `alpha` is finite and above 0.
///
/// # Source
///
/// As numpy draws it: up to 1 by Jöhnk, "Erzeugung von betaverteilten und gammaverteilten
/// Zufallszahlen", 1964; above 1 from two gamma variables.
pub fn symmetric_beta(generator: &mut ChaCha8Rng, alpha: f64) -> f64 {
    if alpha > 1.0 {
        let (x, y) = (gamma(generator, alpha), gamma(generator, alpha));
        return x / (x + y);
    }
    loop {
        let (u, v) = (unit(generator), unit(generator));
        let (x, y) = (u.powf(alpha.recip()), v.powf(alpha.recip()));
        if x + y > 1.0 || u + v == 0.0 {
            continue;
        }
        if x + y > 0.0 {
            return x / (x + y);
        }
        // Both powers were too small for a float: their ratio is taken from the logarithms.
        let (log_x, log_y) = (u.ln() / alpha, v.ln() / alpha);
        let greater = log_x.max(log_y);
        let (x, y) = ((log_x - greater).exp(), (log_y - greater).exp());
        return x / (x + y);
    }
}

/// `count` shares drawn from the symmetric Dirichlet distribution of parameter `alpha`, finite and above 0; they sum
/// to 1.
///
/// # Source
///
/// Gamma variables, each divided by their sum. Shapes up to 1 by Marsaglia and Tsang's remark: a variable of the shape
/// that is greater by 1, times a power of an even one.
pub fn dirichlet(generator: &mut ChaCha8Rng, alpha: f64, count: usize) -> Vec<f64> {
    let mut logs: Vec<f64> = (0..count)
        .map(|_| match alpha > 1.0 {
            true => gamma(generator, alpha).ln(),
            false => gamma(generator, alpha + 1.0).ln() + (1.0 - unit(generator)).ln() / alpha,
        })
        .collect();
    // From logarithms, because small shapes give numbers that are too small for a float.
    let most = logs.iter().copied().fold(f64::MIN, f64::max);
    logs.iter_mut().for_each(|log| *log = (*log - most).exp());
    let total: f64 = logs.iter().sum();
    logs.iter().map(|share| share / total).collect()
}

/// A number drawn from the gamma distribution of shape `alpha` > 1 and scale 1.
///
/// # Source
///
/// Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", 2000.
fn gamma(generator: &mut ChaCha8Rng, alpha: f64) -> f64 {
    let d = alpha - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(generator);
        let cube = (1.0 + c * x).powi(3);
        // `1 - unit` is above 0, so that its logarithm is finite.
        let u = 1.0 - unit(generator);
        if cube > 0.0 && u.ln() < 0.5 * x * x + d - d * cube + d * cube.ln() {
            return d * cube;
        }
    }
}
