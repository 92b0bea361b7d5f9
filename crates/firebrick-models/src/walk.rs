//! The one walk over a model's parameters: each with its path and its role.
//!
//! Burn's visitors hear the names of fields and of the structs that hold them. Everybody here wants to know two
//! things of a parameter: where it stands (`conv1.weight`) and what it is ([`Role`]).

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// What a parameter is to its layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A weight in torch's layout, such as a convolution's.
    Weight,
    /// The weight of a linear layer, which Burn keeps as `[in, out]` and torch as `[out, in]`.
    LinearWeight,
    /// A bias.
    Bias,
    /// The weight of a normalisation layer.
    NormWeight,
    /// The bias of a normalisation layer.
    NormBias,
    /// A running statistic: saved with the weights, not trained.
    Buffer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Weight, Self::LinearWeight, Self::Bias, Self::NormWeight, Self::NormBias, Self::Buffer];

    /// Whether torch keeps the transpose.
    pub fn is_transposed(self) -> bool {
        self == Self::LinearWeight
    }

    /// Whether recipes usually leave it out of weight decay.
    pub fn is_bias_or_norm(self) -> bool {
        matches!(self, Self::Bias | Self::NormWeight | Self::NormBias)
    }

    /// How a module that knows the roles of its parameters tells visitors: in place of a struct's name, as the
    /// container of the parameter's own name.
    pub fn container(self) -> &'static str {
        match self {
            Self::Weight => "Role:Weight",
            Self::LinearWeight => "Role:LinearWeight",
            Self::Bias => "Role:Bias",
            Self::NormWeight => "Role:NormWeight",
            Self::NormBias => "Role:NormBias",
            Self::Buffer => "Role:Buffer",
        }
    }

    /// The role of the field `name` of `container`: as the container says, or, for Burn's own layers, by name.
    fn of(name: &str, container: &str, dimensions: usize) -> Self {
        if let Some(role) = Self::ALL.into_iter().find(|role| role.container() == container) {
            return role;
        }
        let is_norm = container.contains("Norm");
        match name {
            "running_mean" | "running_var" if container.starts_with("Struct:BatchNorm") => Self::Buffer,
            "bias" | "beta" if is_norm => Self::NormBias,
            _ if is_norm => Self::NormWeight,
            "bias" => Self::Bias,
            "weight" if container == "Struct:Linear" && dimensions == 2 => Self::LinearWeight,
            _ => Self::Weight,
        }
    }
}

/// A parameter's place in its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamRef {
    /// Names of fields and layers with dots between them: `layer1.0.conv1.weight`. The variants of enums add
    /// nothing.
    pub path: String,
    /// What it is.
    pub role: Role,
}

/// Somebody who looks at every parameter.
pub trait Visit {
    /// Is shown one parameter, in the model's order.
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: &Param<Tensor<D>>);
}

/// Somebody who may change every parameter.
pub trait Change {
    /// Is given one parameter, in the model's order, and gives back what takes its place.
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: Param<Tensor<D>>) -> Param<Tensor<D>>;
}

/// Shows every parameter of `model`, running statistics included, to `visitor`.
pub fn visit<M: Module, V: Visit>(model: &M, visitor: &mut V) {
    model.visit(&mut Walk::new(visitor));
}

/// `model` with every parameter, running statistics included, as `changer` gives it back.
pub fn change<M: Module, C: Change>(model: M, changer: &mut C) -> M {
    model.map(&mut Walk::new(changer))
}

/// Follows Burn's traversal. A training step walks several times, so entering a module allocates nothing.
struct Walk<'a, T> {
    /// Of the fields, without variants of enums.
    names: Stack,
    containers: Stack,
    inner: &'a mut T,
}

impl<'a, T> Walk<'a, T> {
    fn new(inner: &'a mut T) -> Self {
        Self { names: Stack::default(), containers: Stack::default(), inner }
    }

    fn enter(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.names.push(name);
        }
        self.containers.push(container);
    }

    fn exit(&mut self, container: &str) {
        if !container.starts_with("Enum:") {
            self.names.pop();
        }
        self.containers.pop();
    }

    fn here(&self, dimensions: usize) -> ParamRef {
        let role = Role::of(self.names.last(), self.containers.last(), dimensions);
        ParamRef { path: self.names.joined.clone(), role }
    }
}

/// Names in one string, with dots between them.
#[derive(Default)]
struct Stack {
    joined: String,
    /// Where each name begins.
    starts: Vec<usize>,
}

impl Stack {
    fn push(&mut self, name: &str) {
        if !self.starts.is_empty() {
            self.joined.push('.');
        }
        self.starts.push(self.joined.len());
        self.joined.push_str(name);
    }

    fn pop(&mut self) {
        if let Some(start) = self.starts.pop() {
            // The first name has no dot in front of it.
            self.joined.truncate(start.saturating_sub(1));
        }
    }

    fn last(&self) -> &str {
        self.starts.last().map_or("", |&start| &self.joined[start..])
    }
}

impl<V: Visit> ModuleVisitor for Walk<'_, V> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, container_type: &str) {
        self.exit(container_type);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let at = self.here(D);
        self.inner.parameter(&at, param);
    }
}

impl<C: Change> ModuleMapper for Walk<'_, C> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, container_type: &str) {
        self.exit(container_type);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let at = self.here(D);
        self.inner.parameter(&at, param)
    }
}
