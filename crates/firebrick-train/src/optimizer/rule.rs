//! What an optimiser is: its arguments and its update of one parameter.
//!
//! A rule sees each parameter flattened to one dimension, so that the trait is object safe. Arguments are f64 and are
//! rounded to the tensor's type only where they meet a tensor, which is what torch does.

use burn::tensor::{Device, Tensor};
use firebrick_component::Component;
use firebrick_models::walk::ParamRef;

use super::group_config::{GroupConfig, Tunables};

/// What is remembered of one parameter from step to step.
#[derive(Debug, Default)]
pub struct Memory {
    /// Updates done, this one included: torch's `step`.
    pub num_steps: u64,
    /// In the order of one of [`Rule::tensor_layouts`]; empty before the first update.
    pub tensors: Vec<Tensor<1>>,
    /// In the order of [`Rule::scalar_names`]; empty before the first update.
    pub scalars: Vec<f64>,
}

impl Memory {
    /// Moves the tensors out, so that an update may reuse their storage; makes them with `initial` before the first
    /// update. Put them back with [`put`](Self::put).
    ///
    /// # Panics
    ///
    /// If there are tensors, but not `N`: then the rule has put back another number than it takes.
    pub fn take<const N: usize>(&mut self, initial: impl Fn() -> Tensor<1>) -> [Tensor<1>; N] {
        if self.tensors.is_empty() {
            return std::array::from_fn(|_| initial());
        }
        let stored: Result<[Tensor<1>; N], _> = std::mem::take(&mut self.tensors).try_into();
        stored.unwrap_or_else(|tensors| {
            unreachable!("bug: an optimizer takes {N} tensors and has put back {}", tensors.len())
        })
    }

    /// Keeps `tensors` for the next step.
    pub fn put<const N: usize>(&mut self, tensors: [Tensor<1>; N]) {
        self.tensors = tensors.into();
    }

    /// Moves the tensors to the parameter's device, where they are not there already.
    pub(super) fn follow(&mut self, device: &Device) {
        if self.tensors.first().is_some_and(|tensor| tensor.device() != *device) {
            let moved = self.tensors.drain(..).map(|tensor| tensor.to_device(device)).collect();
            self.tensors = moved;
        }
    }
}

/// The sets of tensors that a rule may remember, each as names; no two are of the same length.
pub type Layouts = &'static [&'static [&'static str]];

/// What holds for one parameter in one step.
#[derive(Debug)]
pub struct StepContext<'a> {
    /// The learning rate, after the schedule.
    pub lr: f64,
    /// Momentum, or `betas[0]`, where a schedule cycles it.
    pub momentum: Option<f64>,
    /// The parameter's path and role.
    pub at: &'a ParamRef,
    /// The parameter's shape in the model.
    pub shape: &'a [usize],
}

impl StepContext<'_> {
    /// The schedule's momentum if it cycles one, else the optimiser's `own`.
    pub fn momentum_or(&self, own: f64) -> f64 {
        self.momentum.unwrap_or(own)
    }
}

/// One optimiser. Implemented by the struct of its arguments, whose [`Component::validate`] checks them.
///
/// A program brings its own into configs by
/// [`OptimizerConfig::register`](super::OptimizerConfig::register).
pub trait Rule: Component {
    /// The learning rate before any schedule.
    fn lr(&self) -> f64;

    /// The arguments that a parameter group may set.
    fn tunables(&mut self) -> Tunables<'_>;

    /// Other arguments for some parameters.
    fn groups(&self) -> &[GroupConfig] {
        &[]
    }

    /// Whether biases and the parameters of normalisation layers go without weight decay.
    fn no_decay_on_bias_and_norm(&self) -> bool {
        false
    }

    /// How many times the rate of the group of layers behind it each group of layers learns at.
    fn lr_decay_by_depth(&self) -> Option<f64> {
        None
    }

    /// The optimiser for parameters of a shape that this one is not made for.
    fn fallback(&self, _shape: &[usize]) -> Option<Box<dyn Rule>> {
        None
    }

    /// Names of the tensors that it remembers of a parameter; torch's, where torch has the optimiser. They are the
    /// names in a checkpoint. `&[&[]]` for none.
    fn tensor_layouts(&self) -> Layouts;

    /// Names of the numbers that it remembers beside the step count.
    fn scalar_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// The parameter after one step. `memory.num_steps` counts this step already.
    ///
    /// # Shapes
    /// `parameter`, `gradient`, the result and every tensor of `memory`: the flattened parameter.
    fn update(
        &self,
        context: &StepContext<'_>,
        memory: &mut Memory,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
    ) -> Tensor<1>;
}
