//! A layer's parameters: what it asks for, and what it is given.

use burn::module::{Devices, Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};

use super::running::RunningStatistic;
use crate::shape::product;
use crate::walk::Role;

/// A parameter that a layer asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterSpec {
    /// The last part of its path: `weight`.
    pub name: &'static str,
    /// torch's shape, with 1 to 4 dimensions. A [`Role::LinearWeight`] `[out, in]` reaches the layer as
    /// `[in, out]`.
    pub shape: Vec<usize>,
    /// What it is. A [`Role::Buffer`] becomes a [`RunningStatistic`] and has one dimension.
    pub role: Role,
    /// Its first values.
    pub init: Init,
}

/// How a parameter begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// torch's default for a layer in which `fan_in` numbers make one: `U(-b, b)` with `b = 1 / sqrt(fan_in)`.
    KaimingUniform {
        /// Inputs of one output.
        fan_in: usize,
    },
    /// `U(-bound, bound)`.
    Uniform {
        /// Largest magnitude.
        bound: f64,
    },
    /// `N(0, std^2)`.
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// The same number everywhere.
    Constant(f32),
    /// For a convolution, `[out, in, height, width]`: `KaimingUniform`, but the first `in` filters hand one channel each on
    /// (torch's `dirac_`).
    Dirac {
        /// Inputs of one output.
        fan_in: usize,
    },
}

impl Init {
    /// torch's `kaiming_normal_(mode="fan_in")` for layers with ReLU behind them.
    ///
    /// # Shapes
    ///
    /// `weight` is `[out, in / groups, height, width]` or `[out, in]`.
    pub fn kaiming_normal_fan_in(weight: &[usize]) -> Self {
        Self::Normal { std: (2.0 / product(&weight[1..]) as f64).sqrt() }
    }

    /// torch's `kaiming_normal_(mode="fan_out")` for layers with ReLU behind them.
    ///
    /// # Shapes
    ///
    /// As [`kaiming_normal_fan_in`](Self::kaiming_normal_fan_in).
    pub fn kaiming_normal_fan_out(weight: &[usize]) -> Self {
        Self::Normal { std: (2.0 / (weight[0] * product(&weight[2..])) as f64).sqrt() }
    }
}

impl ParameterSpec {
    /// A parameter that training changes.
    pub fn new(name: &'static str, role: Role, shape: impl Into<Vec<usize>>, init: Init) -> Self {
        Self { name, shape: shape.into(), role, init }
    }

    /// How many numbers it holds.
    pub fn num_elements(&self) -> usize {
        product(&self.shape)
    }

    /// Whether training changes it.
    pub fn is_trainable(&self) -> bool {
        self.role != Role::Buffer
    }
}

/// The parameters of one layer, by the position that they have in [`Layer::parameters`](super::Layer::parameters).
#[derive(Debug, Clone)]
pub struct Parameters(pub(crate) Vec<Parameter>);

/// One of them.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // a network has some hundreds of them at most
pub(crate) enum Parameter {
    Vector(Param<Tensor<1>>),
    Matrix(Param<Tensor<2>>),
    Planes(Param<Tensor<3>>),
    Kernel(Param<Tensor<4>>),
    Statistic(RunningStatistic),
}

impl Parameters {
    /// The parameter of one dimension at `position`.
    ///
    /// # Panics
    ///
    /// If the layer has asked for another one there. So do the other four.
    pub fn vector(&self, position: usize) -> Tensor<1> {
        match self.0.get(position) {
            Some(Parameter::Vector(vector)) => vector.val(),
            other => unreachable!("bug: parameter {position} is no vector but {other:?}"),
        }
    }

    /// The parameter of two dimensions at `position`; a linear weight is `[in, out]`.
    pub fn matrix(&self, position: usize) -> Tensor<2> {
        match self.0.get(position) {
            Some(Parameter::Matrix(matrix)) => matrix.val(),
            other => unreachable!("bug: parameter {position} is no matrix but {other:?}"),
        }
    }

    /// The parameter of three dimensions at `position`.
    pub fn planes(&self, position: usize) -> Tensor<3> {
        match self.0.get(position) {
            Some(Parameter::Planes(planes)) => planes.val(),
            other => unreachable!("bug: parameter {position} has no three dimensions: {other:?}"),
        }
    }

    /// The parameter of four dimensions at `position`, `[out, in / groups, height, width]` for a convolution.
    pub fn kernel(&self, position: usize) -> Tensor<4> {
        match self.0.get(position) {
            Some(Parameter::Kernel(kernel)) => kernel.val(),
            other => unreachable!("bug: parameter {position} has no four dimensions: {other:?}"),
        }
    }

    /// The running statistic at `position`.
    pub fn statistic(&self, position: usize) -> &RunningStatistic {
        match self.0.get(position) {
            Some(Parameter::Statistic(statistic)) => statistic,
            other => unreachable!("bug: parameter {position} is no running statistic but {other:?}"),
        }
    }
}

/// Runs the same expression on whatever is inside.
macro_rules! inside {
    ($parameter:expr, $inner:ident => $body:expr) => {
        match $parameter {
            Parameter::Vector($inner) => $body,
            Parameter::Matrix($inner) => $body,
            Parameter::Planes($inner) => $body,
            Parameter::Kernel($inner) => $body,
            Parameter::Statistic($inner) => $body,
        }
    };
}

/// As `inside!`, and wraps the result in the same variant again.
macro_rules! rebuild {
    ($parameter:expr, $inner:ident => $body:expr) => {
        match $parameter {
            Parameter::Vector($inner) => Parameter::Vector($body),
            Parameter::Matrix($inner) => Parameter::Matrix($body),
            Parameter::Planes($inner) => Parameter::Planes($body),
            Parameter::Kernel($inner) => Parameter::Kernel($body),
            Parameter::Statistic($inner) => Parameter::Statistic($body),
        }
    };
}

/// What `Module` asks of one parameter; its name and role are the layer's to tell.
impl Parameter {
    pub(super) fn collect_devices(&self, devices: Devices) -> Devices {
        inside!(self, inner => inner.collect_devices(devices))
    }

    pub(super) fn requires_grad(&self) -> bool {
        match self {
            Self::Vector(vector) => vector.is_require_grad(),
            Self::Matrix(matrix) => matrix.is_require_grad(),
            Self::Planes(planes) => planes.is_require_grad(),
            Self::Kernel(kernel) => kernel.is_require_grad(),
            Self::Statistic(_) => false,
        }
    }

    pub(super) fn is_autodiff(&self) -> bool {
        match self {
            Self::Vector(vector) => vector.is_autodiff(),
            Self::Matrix(matrix) => matrix.is_autodiff(),
            Self::Planes(planes) => planes.is_autodiff(),
            Self::Kernel(kernel) => kernel.is_autodiff(),
            Self::Statistic(statistic) => statistic.get().is_autodiff(),
        }
    }

    pub(super) fn is_statistic(&self) -> bool {
        matches!(self, Self::Statistic(_))
    }

    pub(super) fn fork(self, device: &Device) -> Self {
        rebuild!(self, inner => inner.fork(device))
    }

    pub(super) fn moved_to(self, device: &Device) -> Self {
        rebuild!(self, inner => inner.to_device(device))
    }

    pub(super) fn train(self) -> Self {
        rebuild!(self, inner => inner.train())
    }

    pub(super) fn valid(&self) -> Self {
        rebuild!(self, inner => inner.valid())
    }

    pub(super) fn materialize(self) -> Self {
        rebuild!(self, inner => inner.materialize())
    }

    pub(super) fn visit<Visitor: ModuleVisitor>(&self, visitor: &mut Visitor) {
        inside!(self, inner => inner.visit(visitor));
    }

    pub(super) fn map<Mapper: ModuleMapper>(self, mapper: &mut Mapper) -> Self {
        rebuild!(self, inner => Module::map(inner, mapper))
    }
}
