//! Every parameter of a model by name, in torch's layout.
//!
//! As in torch's `state_dict`, the running statistics of BatchNorm are among them.
//!
//! Names are paths of field names, `conv1.weight`; an enum around the model adds nothing to them.
//! Shapes are torch's: Burn keeps the weight of a linear layer as `[in, out]`, torch as `[out, in]`.

use burn::module::{Module, Param};
use burn::tensor::{Gradients, Tensor, TensorData};

use crate::walk::{ParamRef, Role, Visit, visit};

/// A parameter's name, torch shape and values.
#[derive(Debug, Clone)]
pub struct NamedParameter {
    /// `conv1.weight`.
    pub name: String,
    /// torch's shape; a linear weight is `[out, in]`.
    pub shape: Vec<usize>,
    /// The values as f32, row-major in `shape`.
    pub data: TensorData,
}

/// What is known of a parameter without reading its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterInfo {
    /// `conv1.weight`.
    pub name: String,
    /// torch's shape; a linear weight is `[out, in]`.
    pub shape: Vec<usize>,
    /// True where Burn keeps the transpose.
    pub is_linear_weight: bool,
}

/// All parameters in the model's order, read back from the device, in torch's layout.
pub fn named_parameters<M: Module>(model: &M) -> Vec<NamedParameter> {
    let mut values = Values(Vec::new());
    visit(model, &mut values);
    values.0
}

/// Names and torch shapes of all parameters in the model's order.
pub fn parameter_infos<M: Module>(model: &M) -> Vec<ParameterInfo> {
    let mut infos = Infos(Vec::new());
    visit(model, &mut infos);
    infos.0
}

/// The gradient of every parameter in the model's order, in torch's layout; `None` where `gradients`
/// has none. Running statistics have no gradient and are not listed.
pub fn named_gradients<M: Module>(
    model: &M,
    gradients: &Gradients,
) -> Vec<(ParameterInfo, Option<TensorData>)> {
    let mut visitor = GradientVisitor { gradients, found: Vec::new() };
    visit(model, &mut visitor);
    visitor.found
}

/// How many numbers training changes where nothing is frozen; running statistics are none of them.
pub fn num_trainable<M: Module>(model: &M) -> usize {
    Trainable::of(model).all
}

/// How many numbers training changes as things stand: those of parameters that require a gradient. All of them for a model
/// that is not in training.
pub fn num_trained<M: Module>(model: &M) -> usize {
    Trainable::of(model).trained
}

struct Infos(Vec<ParameterInfo>);

impl Visit for Infos {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: &Param<Tensor<D>>) {
        self.0.push(info(at, parameter));
    }
}

/// What is known of the parameter.
fn info<const D: usize>(at: &ParamRef, parameter: &Param<Tensor<D>>) -> ParameterInfo {
    let is_linear_weight = at.role.is_transposed();
    let mut shape = parameter.lazy_shape().to_vec();
    if is_linear_weight {
        shape.reverse();
    }
    ParameterInfo { name: at.path.clone(), shape, is_linear_weight }
}

struct Values(Vec<NamedParameter>);

impl Visit for Values {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: &Param<Tensor<D>>) {
        let data = to_torch_layout(parameter.val(), at.role.is_transposed());
        self.0.push(NamedParameter { name: at.path.clone(), shape: data.shape().to_vec(), data });
    }
}

struct GradientVisitor<'a> {
    gradients: &'a Gradients,
    found: Vec<(ParameterInfo, Option<TensorData>)>,
}

impl Visit for GradientVisitor<'_> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: &Param<Tensor<D>>) {
        if at.role == Role::Buffer {
            return;
        }
        let gradient = parameter.grad(self.gradients);
        let gradient = gradient.map(|tensor| to_torch_layout(tensor, at.role.is_transposed()));
        self.found.push((info(at, parameter), gradient));
    }
}

#[derive(Default)]
struct Trainable {
    all: usize,
    trained: usize,
}

impl Trainable {
    fn of<M: Module>(model: &M) -> Self {
        let mut count = Self::default();
        visit(model, &mut count);
        count
    }
}

impl Visit for Trainable {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: &Param<Tensor<D>>) {
        if at.role != Role::Buffer {
            let num_elements = parameter.lazy_shape().num_elements();
            let is_trained = parameter.is_require_grad() || !parameter.is_autodiff();
            self.all += num_elements;
            self.trained += if is_trained { num_elements } else { 0 };
        }
    }
}

/// Reads a parameter, or its gradient, back and brings it into torch's layout as f32.
fn to_torch_layout<const D: usize>(tensor: Tensor<D>, is_linear_weight: bool) -> TensorData {
    let data = tensor.into_data().convert::<f32>();
    match (is_linear_weight, data.shape().as_slice()) {
        (true, &[rows, columns]) => {
            let values: Vec<f32> = data.iter::<f32>().collect();
            TensorData::new(transpose(&values, rows, columns), [columns, rows])
        }
        _ => data,
    }
}

/// `[rows, columns]` to `[columns, rows]`, both row-major.
pub(crate) fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns)
        .flat_map(|column| (0..rows).map(move |row| (row, column)))
        .map(|(row, column)| values[row * columns + column])
        .collect()
}
