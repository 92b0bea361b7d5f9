//! What training changes besides the parameters, set aside so that a step can be undone.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

use crate::parameters::ModulePath;

/// A copy of a model's buffers: the running statistics of its BatchNorm layers. Empty for a model
/// without.
///
/// The forward pass of a training step changes them before anybody knows whether the step will be
/// taken; a step that is refused puts them back. Burn's own BatchNorm is known as well as
/// [`BatchNorm2d`](crate::BatchNorm2d).
#[derive(Debug, Clone, Default)]
pub struct Buffers {
    /// Flattened, in the model's order.
    values: Vec<Tensor<1>>,
}

impl Buffers {
    /// Copies the buffers of `model`; the tensors stay on their device.
    pub fn of<M: Module>(model: &M) -> Self {
        settle(model);
        let mut visitor = Collect::default();
        model.visit(&mut visitor);
        visitor.buffers
    }

    /// Whether the model has none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The model with these buffers in place of its own. They are taken in the order of the layers, so
    /// the model must be the one they come from, however trained since.
    pub fn put_back<M: Module>(&self, model: M) -> M {
        if self.is_empty() {
            return model;
        }
        settle(&model);
        model.map(&mut PutBack { path: ModulePath::default(), values: self.values.iter() })
    }
}

/// Burn's BatchNorm holds the last update back until somebody asks in this way; it would overwrite
/// what is put back.
fn settle<M: Module>(model: &M) {
    let _ = model.valid();
}

#[derive(Default)]
struct Collect {
    path: ModulePath,
    buffers: Buffers,
}

impl ModuleVisitor for Collect {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, container_type: &str) {
        self.path.exit(container_type);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.path.is_buffer() {
            self.buffers.values.push(param.val().reshape([-1]));
        }
    }
}

struct PutBack<'a> {
    path: ModulePath,
    values: std::slice::Iter<'a, Tensor<1>>,
}

impl ModuleMapper for PutBack<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, container_type: &str) {
        self.path.exit(container_type);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !self.path.is_buffer() {
            return param;
        }
        match self.values.next() {
            Some(value) => param.map(|old| value.clone().reshape(old.dims())),
            None => param,
        }
    }
}
