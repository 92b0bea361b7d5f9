//! A tensor that `forward` changes: BatchNorm's running statistics.
//!
//! Burn's own `RunningState` is shared by the clones of a model, and takes an update in only when the
//! next one comes, so that a saved model is one step behind. Here a clone is a copy and an update
//! counts at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::module::{
    Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor, Param,
    ParamId,
};
use burn::tensor::{Device, Tensor};

/// A statistic of the batches seen so far, `[channels]`.
///
/// Visitors and mappers meet it as a parameter that requires no gradient, so that it is saved, loaded
/// and hashed with the weights, and never trained.
#[derive(Debug)]
pub struct RunningStatistic {
    id: ParamId,
    value: Mutex<Tensor<1>>,
}

impl RunningStatistic {
    pub(crate) fn new(value: Tensor<1>) -> Self {
        Self { id: ParamId::new(), value: Mutex::new(value) }
    }

    /// The statistic as it is now, `[channels]`.
    pub fn get(&self) -> Tensor<1> {
        self.lock().clone()
    }

    /// `(1 - momentum) * old + momentum * batch`, which counts from now on.
    ///
    /// # Shapes
    ///
    /// `batch` is `[channels]`.
    pub fn follow(&self, batch: Tensor<1>, momentum: f64) {
        let mut value = self.lock();
        let old = value.clone().to_device(&batch.device());
        *value = (old * (1.0 - momentum) + batch * momentum).detach();
    }

    /// A thread that panicked in the middle of a step has left the old value, which is whole.
    fn lock(&self) -> MutexGuard<'_, Tensor<1>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, change: impl FnOnce(Tensor<1>) -> Tensor<1>) -> Self {
        Self { id: self.id, value: Mutex::new(change(self.get())) }
    }
}

impl Clone for RunningStatistic {
    fn clone(&self) -> Self {
        self.changed(|value| value)
    }
}

impl Module for RunningStatistic {
    fn collect_devices(&self, mut devices: Devices) -> Devices {
        let device = self.get().device();
        if !devices.contains(&device) {
            devices.push(device);
        }
        devices
    }

    fn fork(self, device: &Device) -> Self {
        self.to_device(device)
    }

    fn to_device(self, device: &Device) -> Self {
        self.changed(|value| value.to_device(device))
    }

    fn train(self) -> Self {
        self.changed(Tensor::from_inner)
    }

    fn valid(&self) -> Self {
        self.changed(Tensor::inner)
    }

    fn materialize(self) -> Self {
        self
    }

    fn visit<Visitor: ModuleVisitor>(&self, visitor: &mut Visitor) {
        visitor.visit_float(&Param::initialized(self.id, self.get()));
    }

    fn map<Mapper: ModuleMapper>(self, mapper: &mut Mapper) -> Self {
        let (id, value, _) = mapper.map_float(Param::initialized(self.id, self.get())).consume();
        Self { id, value: Mutex::new(value.set_require_grad(false)) }
    }
}

impl ModuleDisplayDefault for RunningStatistic {
    fn content(&self, content: Content) -> Option<Content> {
        content.add_formatted(&"RunningStatistic".to_owned()).optional()
    }
}

impl ModuleDisplay for RunningStatistic {}
