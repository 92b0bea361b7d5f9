//! What the gradient before an activation is computed from.

use macerator::Simd;

use crate::cpu::functions::Function;
use crate::cpu::simd::{F32s, load, load_first, mul_add};

/// Lanes of the widest register: how far [`Cyclic`] values go round.
const WIDEST_LANES: usize = 16;

/// One value for each channel, continued beyond the last so that a register may begin at any channel.
pub(super) struct Cyclic {
    values: Vec<f32>,
}

impl Cyclic {
    pub(super) fn new(values: &[f32]) -> Self {
        Self { values: values.iter().copied().cycle().take(values.len() + WIDEST_LANES).collect() }
    }

    /// The values of the channels from `channel` on.
    ///
    /// # Safety
    /// `channel` must exist.
    #[inline(always)]
    pub(super) unsafe fn load<S: Simd>(&self, channel: usize) -> F32s<S> {
        // SAFETY: a register has at most `WIDEST_LANES` lanes, and as many floats follow every channel.
        unsafe { load::<S>(self.values.as_ptr().add(channel)) }
    }
}

/// How the normalised values were made, so that they can be computed again: that costs less than reading them.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) mean: &'a Cyclic,
    pub(super) scale: &'a Cyclic,
    pub(super) bias: &'a Cyclic,
    /// The activation's results, where something was added before it.
    pub(super) results: Option<&'a [f32]>,
}

impl Known<'_> {
    /// The gradient before the activation, of `count` values from `at` on, the first of which belongs to `channel`.
    ///
    /// # Safety
    /// They must exist, and so must the results if it is by them.
    #[inline(always)]
    pub(super) unsafe fn before<S: Simd, F: Function, const BY_RESULTS: bool>(
        &self,
        gradient: F32s<S>,
        deviation: F32s<S>,
        at: usize,
        channel: usize,
        count: usize,
    ) -> F32s<S> {
        // SAFETY: granted by the caller.
        unsafe {
            let known = match (BY_RESULTS, self.results) {
                (true, Some(results)) => load_first::<S>(results.as_ptr().add(at), count),
                _ => mul_add::<S>(deviation, self.scale.load(channel), self.bias.load(channel)),
            };
            F::gradient::<S>(gradient, known)
        }
    }
}
