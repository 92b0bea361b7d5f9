//! What training changes besides the parameters, set aside so that a step can be undone.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::walk::{Change, ParamRef, Role, Visit, change, visit};

/// A copy of a model's buffers: the running statistics of its BatchNorm layers. Empty for a model
/// without.
///
/// The forward pass of a training step changes them before anybody knows whether the step will be
/// taken; a step that is refused puts them back. Burn's own BatchNorm is known as well as
/// [`BatchNorm2d`](crate::layer::BatchNorm2d).
#[derive(Debug, Clone, Default)]
pub struct Buffers {
    /// Flattened, in the model's order.
    values: Vec<Tensor<1>>,
}

impl Buffers {
    /// Copies the buffers of `model`; the tensors stay on their device.
    pub fn of<M: Module>(model: &M) -> Self {
        if !has_any(model) {
            return Self::default();
        }
        settle(model);
        let mut buffers = Self::default();
        visit(model, &mut buffers);
        buffers
    }

    /// Whether the model has none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The model with these buffers in place of its own. They are taken in the order of the layers.
    ///
    /// # Panics
    ///
    /// If the model has other buffers than the one they come from.
    pub fn put_back<M: Module>(&self, model: M) -> M {
        if self.is_empty() {
            return model;
        }
        settle(&model);
        change(model, &mut PutBack(self.values.iter()))
    }
}

/// Whether the model has buffers: settling one without costs as much as many a small layer.
fn has_any<M: Module>(model: &M) -> bool {
    let mut found = Found(false);
    visit(model, &mut found);
    found.0
}

struct Found(bool);

impl Visit for Found {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, _: &Param<Tensor<D>>) {
        self.0 |= at.role == Role::Buffer;
    }
}

/// Burn's BatchNorm holds the last update back until somebody asks in this way; it would overwrite
/// what is put back.
fn settle<M: Module>(model: &M) {
    let _ = model.valid();
}

impl Visit for Buffers {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: &Param<Tensor<D>>) {
        if at.role == Role::Buffer {
            self.values.push(parameter.val().reshape([-1]));
        }
    }
}

struct PutBack<'a>(std::slice::Iter<'a, Tensor<1>>);

impl Change for PutBack<'_> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if at.role != Role::Buffer {
            return parameter;
        }
        let Some(value) = self.0.next() else {
            unreachable!("bug: {} was not among the buffers that were set aside", at.path)
        };
        parameter.map(|old| value.clone().reshape(old.dims()))
    }
}
