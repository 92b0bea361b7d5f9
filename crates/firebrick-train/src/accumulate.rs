//! Gradient accumulation: one optimiser step from several batches, as if they had been one.
//!
//! Burn's `GradientsAccumulator` adds up, so that the step grows with the number of batches; this
//! averages. A batch counts with its number of samples, so the average is that of one large batch
//! also where the last one is smaller. With equal batches that is torch's idiom
//! `(loss / num_batches).backward()`.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use firebrick_models::walk::{ParamRef, Visit, visit};

use crate::clip::map_gradients;

/// Gradients of the batches so far.
#[derive(Default)]
pub struct Accumulator {
    sum: GradientsParams,
    num_batches: usize,
    num_samples: usize,
    /// Samples of the first batch; gradients are weighed against it, so that equal batches need no
    /// multiplication.
    first_samples: usize,
}

impl Accumulator {
    /// Nothing accumulated yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the gradients of one batch whose loss was the mean over `num_samples` samples. A batch
    /// without samples is left out.
    pub fn add<M: Module>(&mut self, model: &M, gradients: GradientsParams, num_samples: usize) {
        if num_samples == 0 {
            return;
        }
        if self.num_batches == 0 {
            self.first_samples = num_samples;
        }
        self.num_batches += 1;
        self.num_samples += num_samples;
        let weight = num_samples as f64 / self.first_samples as f64;
        let old = std::mem::take(&mut self.sum);
        let mut adding = Add { old, added: gradients, sum: GradientsParams::new(), weight };
        visit(model, &mut adding);
        self.sum = adding.sum;
    }

    /// Batches since the last [`take`](Self::take).
    pub fn num_batches(&self) -> usize {
        self.num_batches
    }

    /// Samples since the last [`take`](Self::take).
    pub fn num_samples(&self) -> usize {
        self.num_samples
    }

    /// The average so far, and an empty accumulator again. Without batches there are no gradients.
    pub fn take<M: Module>(&mut self, model: &M) -> GradientsParams {
        let done = std::mem::take(self);
        if done.num_batches < 2 {
            return done.sum;
        }
        let scale = done.first_samples as f64 / done.num_samples as f64;
        map_gradients(model, done.sum, |flat| flat.mul_scalar(scale))
    }
}

struct Add {
    old: GradientsParams,
    added: GradientsParams,
    sum: GradientsParams,
    weight: f64,
}

impl Visit for Add {
    fn parameter<const D: usize>(&mut self, _at: &ParamRef, param: &Param<Tensor<D>>) {
        let added = self.added.remove::<D>(param.id).map(|gradient| {
            let gradient = gradient.inner();
            if self.weight == 1.0 { gradient } else { gradient.mul_scalar(self.weight) }
        });
        let sum = match (self.old.remove::<D>(param.id), added) {
            (Some(old), Some(added)) => Some(old.add(added)),
            (one, None) | (None, one) => one,
        };
        if let Some(sum) = sum {
            self.sum.register(param.id, sum);
        }
    }
}
