//! Weights that a formula gives, quickly also for a hundred million of them: the same bits here and in
//! `golden/make_zoo.py`, which explains it.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use firebrick_models::walk::{Change, ParamRef, Role, change};

use super::formula::units;

/// How many numbers the table has; a prime, so that no two rows of a weight are alike.
const PERIOD: usize = 65_521;

/// The table, and what is made of it.
pub struct Formula {
    table: Vec<f64>,
    /// Whether the weights are those of the training step.
    trains: bool,
}

impl Formula {
    pub fn new() -> Self {
        Self { table: units("zoo", PERIOD).collect(), trains: true }
    }

    /// The weights of the evaluation.
    pub fn for_evaluation(self) -> Self {
        Self { trains: false, ..self }
    }

    /// `model` with every parameter and running statistic as the formula has it.
    pub fn fill<M: Module>(&self, model: M) -> M {
        change(model, &mut Fill { formula: self })
    }

    /// Where the numbers of `path` begin in the table.
    pub fn start(path: &str) -> usize {
        (fnv(path) % PERIOD as u64) as usize
    }

    /// Number `element` of the path that begins at `start`.
    pub fn unit(&self, start: usize, element: usize) -> f64 {
        self.table[(start + element) % PERIOD]
    }

    /// `count` numbers from -1 to below 1.
    pub fn images(&self, path: &str, count: usize) -> Vec<f32> {
        self.spread(path, count, |unit| unit)
    }

    fn values(&self, path: &str, role: Role, torch_shape: &[usize]) -> Vec<f32> {
        let count = torch_shape.iter().product();
        let is_variance = path.ends_with(".running_var");
        match role {
            Role::NormWeight => self.spread(path, count, |unit| 1.0 + unit * 0.5),
            Role::Buffer if is_variance => self.spread(path, count, |unit| 1.0 + unit * 0.5),
            Role::Buffer => self.spread(path, count, |unit| unit * 0.2),
            Role::NormBias if !self.trains => self.spread(path, count, |unit| unit * 0.2),
            Role::NormBias => self.spread(path, count, |unit| 1.0 + unit),
            Role::Bias => self.spread(path, count, |unit| unit * 0.1),
            Role::Weight | Role::LinearWeight => {
                let fan_in: usize = torch_shape[1..].iter().product();
                let gain = if self.trains { 6.0 } else { 3.0 };
                let factor = (gain / fan_in as f64).sqrt();
                self.spread(path, count, |unit| unit * factor)
            }
        }
    }

    /// The numbers of one period, and then the same again and again.
    fn spread(&self, path: &str, count: usize, scaled: impl Fn(f64) -> f64) -> Vec<f32> {
        let start = Self::start(path);
        let mut values: Vec<f32> =
            (0..count.min(PERIOD)).map(|element| scaled(self.unit(start, element)) as f32).collect();
        while values.len() < count {
            let more = (count - values.len()).min(values.len() / PERIOD * PERIOD);
            values.extend_from_within(..more);
        }
        values
    }
}

/// FNV-1a, 64 bits.
pub fn fnv(text: &str) -> u64 {
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    text.bytes().fold(0xCBF2_9CE4_8422_2325, hash)
}

struct Fill<'a> {
    formula: &'a Formula,
}

impl Change for Fill<'_> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|old| {
            let mut shape = old.dims().to_vec();
            if at.role.is_transposed() {
                shape.reverse();
            }
            let data = TensorData::new(self.formula.values(&at.path, at.role, &shape), shape);
            let torch = Tensor::<D>::from_data(data, &old.device());
            let ours = if at.role.is_transposed() { torch.transpose() } else { torch };
            // A copy in the memory's order, as weights have it that were read from a file.
            let ours = ours * 1.0;
            ours.detach().set_require_grad(old.is_require_grad())
        })
    }
}
