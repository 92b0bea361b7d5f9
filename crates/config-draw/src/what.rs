//! From what a config is drawn.

/// From what a config is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Everything, with batches that are not finite; the program has to call [`register`](crate::register).
    Everything,
    /// What the binaries know: everything but those batches.
    Binaries,
    /// What PyTorch has, step for step: no random numbers in a step, samples in file order, eight steps at least, none
    /// of them refused.
    Pytorch,
}

impl What {
    /// Whether a step may draw random numbers and a run may decide something of its own.
    pub(crate) fn is_free(self) -> bool {
        self != Self::Pytorch
    }
}
