//! Weights that a formula gives, the same bits here and in `golden/make_resnet20.py`, which explains it.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use firebrick_models::walk::{Change, ParamRef, Role, change};

/// `model` with every parameter and running statistic as the formula has it.
pub fn fill<M: Module>(model: M) -> M {
    change(model, &mut Fill)
}

struct Fill;

impl Change for Fill {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|old| {
            let dims = old.dims();
            let data = if at.role.is_transposed() {
                let (inputs, outputs) = (dims[0], dims[1]);
                let torch = values(&at.path, at.role, &[outputs, inputs]);
                let burn = (0..inputs * outputs).map(|e| torch[e % outputs * inputs + e / outputs]).collect();
                TensorData::new::<f32, _>(burn, dims)
            } else {
                TensorData::new(values(&at.path, at.role, &dims), dims)
            };
            Tensor::from_data(data, &old.device())
        })
    }
}

/// The elements of the tensor called `path`, row by row in `torch_shape`.
pub fn values(path: &str, role: Role, torch_shape: &[usize]) -> Vec<f32> {
    let leaf = path.rsplit('.').next();
    let scaled = |unit: f64| match role {
        Role::NormWeight => 1.0 + unit * 0.5,
        Role::Buffer if leaf == Some("running_var") => 1.0 + unit * 0.5,
        Role::NormBias | Role::Buffer => unit * 0.2,
        Role::Bias => unit * 0.1,
        Role::Weight | Role::LinearWeight => {
            let fan_in: usize = torch_shape[1..].iter().product();
            unit * (3.0 / fan_in as f64).sqrt()
        }
    };
    units(path, torch_shape.iter().product()).map(|unit| scaled(unit) as f32).collect()
}

/// `count` numbers from -1 to below 1: FNV-1a of the path, then SplitMix64.
pub fn units(path: &str, count: usize) -> impl Iterator<Item = f64> {
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    let seed = path.bytes().fold(0xCBF2_9CE4_8422_2325, hash);
    (0..count as u64).map(move |element| {
        let z = seed.wrapping_add(element.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        let z = z ^ z >> 31;
        (z >> 40) as f64 / f64::from(1 << 23) - 1.0
    })
}
