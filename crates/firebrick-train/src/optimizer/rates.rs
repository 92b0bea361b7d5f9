//! What a schedule tells an optimiser.

/// What a schedule says for one step.
pub trait Rates: Sync {
    /// The learning rate of the parameters whose rate before the schedule is `base_lr`.
    fn lr(&self, base_lr: f64) -> f64;

    /// The momentum, or `betas[0]`, where the schedule cycles it.
    fn momentum(&self) -> Option<f64> {
        None
    }
}

/// One learning rate for the optimiser's own parameters; groups keep their ratio to it.
pub(super) struct Proportional {
    pub lr: f64,
    pub base_lr: f64,
}

impl Rates for Proportional {
    fn lr(&self, base_lr: f64) -> f64 {
        if base_lr == self.base_lr {
            self.lr
        } else if self.base_lr == 0.0 {
            base_lr
        } else {
            base_lr * (self.lr / self.base_lr)
        }
    }
}
