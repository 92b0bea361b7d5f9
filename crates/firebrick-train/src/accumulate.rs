//! Gradient accumulation: one optimiser step from several batches, as if they had been one.
//!
//! Burn's `GradientsAccumulator` adds up, so that the step grows with the number of batches. Here each batch's gradient
//! is that of a sum divided by a number of its own: the images of the batch for a plain mean, their weights for a
//! weighted one, 1 for a sum. It is multiplied by that number, and the total is divided by the number of the
//! step. With equal batches and a plain mean that is torch's idiom `(loss / num_batches).backward()`.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use firebrick_models::walk::{ParamRef, Visit, visit};

use crate::clip::map_gradients;

/// Gradients of the batches so far.
#[derive(Default)]
pub struct Accumulator {
    sum: GradientsParams,
    /// What the loss of the first batch was divided by; nothing before it. Gradients are weighed against it, so that
    /// equal batches need no multiplication.
    first_divisor: Option<f64>,
    is_several: bool,
}

impl Accumulator {
    /// Nothing accumulated yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the gradients of one batch, whose loss was a sum divided by `divisor`, which is not 0.
    pub fn add<M: Module>(&mut self, model: &M, gradients: GradientsParams, divisor: f64) {
        self.is_several = self.first_divisor.is_some();
        let weight = divisor / *self.first_divisor.get_or_insert(divisor);
        if !self.is_several {
            self.sum = gradients;
            return;
        }
        let old = std::mem::take(&mut self.sum);
        let mut adding = Add { old, added: gradients, sum: GradientsParams::new(), weight };
        visit(model, &mut adding);
        self.sum = adding.sum;
    }

    /// The gradients of the sum over all batches divided by `divisor`, and an empty accumulator again. Those of a single
    /// batch come back as they were given. Without batches there are none.
    pub fn take<M: Module>(&mut self, model: &M, divisor: f64) -> GradientsParams {
        let done = std::mem::take(self);
        match done.first_divisor {
            Some(first) if done.is_several && first != divisor => {
                map_gradients(model, done.sum, |flat| flat.mul_scalar(first / divisor))
            }
            Some(_) | None => done.sum,
        }
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
            (Some(old), Some(added)) => Some(old.inner().add(added)),
            (one, None) | (None, one) => one,
        };
        if let Some(sum) = sum {
            self.sum.register(param.id, sum);
        }
    }
}
