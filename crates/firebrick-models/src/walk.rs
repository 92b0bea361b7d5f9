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
    model.visit(&mut Walk { names: Vec::new(), containers: Vec::new(), inner: visitor });
}

/// `model` with every parameter, running statistics included, as `changer` gives it back.
pub fn change<M: Module, C: Change>(model: M, changer: &mut C) -> M {
    model.map(&mut Walk { names: Vec::new(), containers: Vec::new(), inner: changer })
}

/// Follows Burn's traversal.
struct Walk<'a, T> {
    /// Of the fields, without variants of enums.
    names: Vec<String>,
    containers: Vec<String>,
    inner: &'a mut T,
}

impl<T> Walk<'_, T> {
    fn enter(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.names.push(name.to_owned());
        }
        self.containers.push(container.to_owned());
    }

    fn exit(&mut self, container: &str) {
        if !container.starts_with("Enum:") {
            self.names.pop();
        }
        self.containers.pop();
    }

    fn here(&self, dimensions: usize) -> ParamRef {
        let name = self.names.last().map_or("", String::as_str);
        let container = self.containers.last().map_or("", String::as_str);
        ParamRef { path: self.names.join("."), role: Role::of(name, container, dimensions) }
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
