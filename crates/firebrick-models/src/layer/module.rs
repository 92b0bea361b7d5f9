//! A layer in its place: with the shapes around it, and with its parameters.

use std::fmt;
use std::sync::Arc;

use burn::module::{
    Content, Devices, DisplaySettings, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper,
    ModuleVisitor,
};
use burn::tensor::Device;
use firebrick_component::ArgumentError;

use super::base::{Activations, Epilogue, Layer};
use super::parameters::{Parameter, ParameterSpec, Parameters};
use crate::shape::{MAX_ACTIVATIONS, Shape};
use crate::walk::Role;

/// A layer and the shapes around it.
#[derive(Debug, Clone)]
pub struct PlacedLayer {
    /// Its arguments.
    pub layer: Arc<dyn Layer>,
    /// What comes in.
    pub input: Shape,
    /// What leaves.
    pub output: Shape,
    /// The parameters that it asks for.
    pub parameters: Vec<ParameterSpec>,
}

impl PlacedLayer {
    /// Checks the layer's arguments, by themselves and against `input`.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] for the first argument that is wrong; its key is empty where the layer itself is.
    pub fn new(layer: Arc<dyn Layer>, input: Shape) -> Result<Self, ArgumentError> {
        layer.validate()?;
        let output = layer.output_shape(input)?;
        if !(1..=MAX_ACTIVATIONS).contains(&output.num_elements()) {
            let expected = format!("1 to {MAX_ACTIVATIONS} numbers for each image behind it");
            return Err(ArgumentError::new("", expected, output));
        }
        let parameters = layer.parameters(input);
        for spec in &parameters {
            check_dimensions(spec)?;
        }
        Ok(Self { layer, input, output, parameters })
    }

    /// The line of PyTorch's `print(net)`.
    pub fn repr(&self) -> String {
        self.layer.repr(self.input)
    }

    /// How many numbers training changes.
    pub fn num_parameters(&self) -> usize {
        let trainable = self.parameters.iter().filter(|spec| spec.is_trainable());
        trainable.fold(0, |sum: usize, spec| sum.saturating_add(spec.num_elements()))
    }

    /// How many products of a weight and an activation one image takes in a forward pass.
    pub fn multiply_adds(&self) -> u64 {
        self.layer.multiply_adds(self.input, self.output)
    }
}

fn check_dimensions(spec: &ParameterSpec) -> Result<(), ArgumentError> {
    let expected = match spec.role {
        Role::Buffer => "1",
        Role::LinearWeight => "2",
        Role::Weight | Role::Bias | Role::NormWeight | Role::NormBias => "1, 2, 3 or 4",
    };
    let got = spec.shape.len().to_string();
    if expected.split([',', ' ']).any(|allowed| allowed == got) {
        return Ok(());
    }
    let expected = format!("parameter `{}` with {expected} dimensions", spec.name);
    Err(ArgumentError::new("", expected, format!("{:?}", spec.shape)))
}

/// A layer with its parameters, a Burn module.
///
/// A network written by hand holds these as fields, see [`TorchInit::layer`](crate::init::TorchInit::layer); a
/// [`Network`](crate::Network) holds one for each of its layers.
#[derive(Debug, Clone)]
pub struct LayerModule {
    placed: Arc<PlacedLayer>,
    parameters: Parameters,
}

impl LayerModule {
    pub(crate) fn new(placed: Arc<PlacedLayer>, parameters: Vec<Parameter>) -> Self {
        Self { placed, parameters: Parameters(parameters) }
    }

    /// The layer and the shapes around it.
    pub fn placed(&self) -> &PlacedLayer {
        &self.placed
    }

    /// Whether one of its parameters requires a gradient; none does outside of autodiff.
    pub(crate) fn trains(&self) -> bool {
        self.parameters.0.iter().any(Parameter::requires_grad)
    }

    /// Whether it is on an autodiff device and has parameters, of which none requires a gradient.
    pub(crate) fn is_frozen(&self) -> bool {
        let mut own = self.parameters.0.iter().filter(|parameter| !parameter.is_statistic()).peekable();
        let has_parameters = own.peek().is_some();
        has_parameters && own.all(|parameter| parameter.is_autodiff() && !parameter.requires_grad())
    }

    /// Applies the layer to a batch. It trains if `x` is on an autodiff device.
    ///
    /// # Shapes
    ///
    /// `[n, ..]` with the placed layer's input shape to `[n, ..]` with its output shape.
    pub fn forward(&self, x: impl Into<Activations>) -> Activations {
        self.placed.layer.forward(&self.parameters, x.into())
    }

    /// The layer and what follows it as one operation; see [`Layer::forward_fused`].
    ///
    /// # Shapes
    ///
    /// As [`forward`](Self::forward); `residual` has the output's shape. A pool changes the output's.
    ///
    /// # Panics
    ///
    /// If the layer does not fuse the epilogue, see [`Layer::fuses`].
    pub fn forward_fused(
        &self,
        x: impl Into<Activations>,
        epilogue: Epilogue,
        residual: Option<Activations>,
    ) -> Activations {
        self.placed.layer.forward_fused(&self.parameters, x.into(), epilogue, residual)
    }

    fn changed(self, change: impl FnMut(Parameter) -> Parameter) -> Self {
        let parameters = Parameters(self.parameters.0.into_iter().map(change).collect());
        Self { placed: self.placed, parameters }
    }
}

/// Visitors hear each parameter's name with [`Role::container`].
impl Module for LayerModule {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.parameters.0.iter().fold(devices, |devices, parameter| parameter.collect_devices(devices))
    }

    fn fork(self, device: &Device) -> Self {
        self.changed(|parameter| parameter.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        self.changed(|parameter| parameter.moved_to(device))
    }

    fn train(self) -> Self {
        self.changed(Parameter::train)
    }

    fn valid(&self) -> Self {
        let parameters = self.parameters.0.iter().map(Parameter::valid).collect();
        Self::new(Arc::clone(&self.placed), parameters)
    }

    fn materialize(self) -> Self {
        self.changed(Parameter::materialize)
    }

    /// As torch counts them: running statistics are none.
    fn num_params(&self) -> usize {
        self.placed.num_parameters()
    }

    fn visit<Visitor: ModuleVisitor>(&self, visitor: &mut Visitor) {
        for (spec, parameter) in self.placed.parameters.iter().zip(&self.parameters.0) {
            visitor.enter_module(spec.name, spec.role.container());
            parameter.visit(visitor);
            visitor.exit_module(spec.name, spec.role.container());
        }
    }

    fn map<Mapper: ModuleMapper>(self, mapper: &mut Mapper) -> Self {
        let placed = Arc::clone(&self.placed);
        let mut specs = placed.parameters.iter();
        self.changed(|parameter| {
            let Some(spec) = specs.next() else {
                unreachable!("bug: more parameters than the layer asked for")
            };
            mapper.enter_module(spec.name, spec.role.container());
            let parameter = parameter.map(mapper);
            mapper.exit_module(spec.name, spec.role.container());
            parameter
        })
    }
}

impl ModuleDisplayDefault for LayerModule {
    fn content(&self, content: Content) -> Option<Content> {
        content.add_formatted(&self.placed.repr()).optional()
    }

    fn num_params(&self) -> usize {
        Module::num_params(self)
    }
}

impl ModuleDisplay for LayerModule {
    fn format(&self, _settings: DisplaySettings) -> String {
        self.placed.repr()
    }
}

impl fmt::Display for LayerModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.placed.repr())
    }
}
