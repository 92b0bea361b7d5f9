//! Every parameter of a model by name, in torch's layout.
//!
//! As in torch's `state_dict`, the running statistics of BatchNorm are among them.
//!
//! Names are paths of field names, `conv1.weight`; an enum around the model adds nothing to them.
//! Shapes are torch's: Burn keeps the weight of a linear layer as `[in, out]`, torch as `[out, in]`.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, TensorData};

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
    let mut visitor = ValueVisitor::default();
    model.visit(&mut visitor);
    visitor.parameters
}

/// Names and torch shapes of all parameters in the model's order.
pub fn parameter_infos<M: Module>(model: &M) -> Vec<ParameterInfo> {
    let mut visitor = InfoVisitor::default();
    model.visit(&mut visitor);
    visitor.parameters
}

/// The gradient of every parameter in the model's order, in torch's layout; `None` where `gradients`
/// has none. Running statistics have no gradient and are not listed.
pub fn named_gradients<M: Module>(
    model: &M,
    gradients: &Gradients,
) -> Vec<(ParameterInfo, Option<TensorData>)> {
    let mut visitor = GradientVisitor { path: ModulePath::default(), gradients, found: Vec::new() };
    model.visit(&mut visitor);
    visitor.found
}

/// Where a visitor or mapper stands in the tree of modules.
#[derive(Default)]
pub(crate) struct ModulePath {
    names: Vec<String>,
    owners: Vec<String>,
}

impl ModulePath {
    pub(crate) fn enter(&mut self, name: &str, container_type: &str) {
        if !is_enum(container_type) {
            self.names.push(name.to_owned());
        }
        self.owners.push(container_type.to_owned());
    }

    pub(crate) fn exit(&mut self, container_type: &str) {
        if !is_enum(container_type) {
            self.names.pop();
        }
        self.owners.pop();
    }

    pub(crate) fn name(&self) -> String {
        self.names.join(".")
    }

    /// What is known of the parameter that is being visited.
    fn info<const D: usize>(&self, param: &Param<Tensor<D>>) -> ParameterInfo {
        let is_linear_weight = self.is_linear_weight();
        let mut shape = param.lazy_shape().to_vec();
        if is_linear_weight {
            shape.reverse();
        }
        ParameterInfo { name: self.name(), shape, is_linear_weight }
    }

    pub(crate) fn is_linear_weight(&self) -> bool {
        let owner = self.owners.last().map(String::as_str);
        let name = self.names.last().map(String::as_str);
        owner == Some("Struct:Linear") && name == Some("weight")
    }

    /// Whether this is a running statistic, ours or that of Burn's own layer: part of the weights, but
    /// not trained.
    pub(crate) fn is_buffer(&self) -> bool {
        let owner = self.owners.last().map(String::as_str);
        let name = self.names.last().map(String::as_str);
        owner.is_some_and(|owner| owner.starts_with("Struct:BatchNorm"))
            && matches!(name, Some("running_mean" | "running_var"))
    }
}

fn is_enum(container_type: &str) -> bool {
    container_type.starts_with("Enum:")
}

#[derive(Default)]
struct InfoVisitor {
    path: ModulePath,
    parameters: Vec<ParameterInfo>,
}

impl ModuleVisitor for InfoVisitor {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, container_type: &str) {
        self.path.exit(container_type);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.parameters.push(self.path.info(param));
    }
}

#[derive(Default)]
struct ValueVisitor {
    path: ModulePath,
    parameters: Vec<NamedParameter>,
}

impl ModuleVisitor for ValueVisitor {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, container_type: &str) {
        self.path.exit(container_type);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let data = to_torch_layout(param.val(), self.path.is_linear_weight());
        self.parameters.push(NamedParameter { name: self.path.name(), shape: data.shape().to_vec(), data });
    }
}

struct GradientVisitor<'a> {
    path: ModulePath,
    gradients: &'a Gradients,
    found: Vec<(ParameterInfo, Option<TensorData>)>,
}

impl ModuleVisitor for GradientVisitor<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, container_type: &str) {
        self.path.exit(container_type);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.path.is_buffer() {
            return;
        }
        let info = self.path.info(param);
        let gradient = param.grad(self.gradients);
        let gradient = gradient.map(|tensor| to_torch_layout(tensor, info.is_linear_weight));
        self.found.push((info, gradient));
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
        .filter_map(|(row, column)| values.get(row * columns + column).copied())
        .collect()
}
