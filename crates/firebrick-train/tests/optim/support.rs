//! A model that is nothing but parameters, and where golden cases come from.

use std::path::PathBuf;

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use firebrick_models::walk::{self, Change, ParamRef, Visit};
use firebrick_train::optimizer::{Optimizer, OptimizerConfig};
use serde::de::DeserializeOwned;

/// Parameters of any shape up to four dimensions, in any order.
#[derive(Module, Debug)]
pub struct Bag {
    pub items: Vec<Item>,
}

#[derive(Module, Debug)]
pub enum Item {
    Rank1(Param<Tensor<1>>),
    Rank2(Param<Tensor<2>>),
    Rank3(Param<Tensor<3>>),
    Rank4(Param<Tensor<4>>),
}

impl Bag {
    pub fn new(shapes: &[Vec<usize>], values: &[Vec<f32>], device: &Device) -> Self {
        let items = shapes.iter().zip(values).map(|(shape, values)| {
            let data = TensorData::new(values.clone(), shape.clone());
            match shape.len() {
                1 => Item::Rank1(Param::from_data(data, device)),
                2 => Item::Rank2(Param::from_data(data, device)),
                3 => Item::Rank3(Param::from_data(data, device)),
                4 => Item::Rank4(Param::from_data(data, device)),
                rank => panic!("no golden case has {rank} dimensions"),
            }
        });
        Self { items: items.collect() }
    }

    pub fn values(&self) -> Vec<Vec<f32>> {
        values_of(self)
    }

    pub fn gradients(&self, gradients: &[Vec<f32>]) -> GradientsParams {
        gradients_for(self, gradients)
    }
}

/// Every float parameter of a model, in the order of its fields.
pub fn values_of<M: Module>(model: &M) -> Vec<Vec<f32>> {
    struct Read(Vec<Vec<f32>>);
    impl Visit for Read {
        fn parameter<const D: usize>(&mut self, _at: &ParamRef, param: &Param<Tensor<D>>) {
            self.0.push(param.val().into_data().try_to_vec::<f32>().unwrap());
        }
    }
    let mut read = Read(Vec::new());
    walk::visit(model, &mut read);
    read.0
}

/// Gradients for every trainable parameter of a model, in the order of its fields.
pub fn gradients_for<M: Module>(model: &M, gradients: &[Vec<f32>]) -> GradientsParams {
    struct Register<'a>(GradientsParams, std::slice::Iter<'a, Vec<f32>>);
    impl Visit for Register<'_> {
        fn parameter<const D: usize>(&mut self, _at: &ParamRef, param: &Param<Tensor<D>>) {
            if !param.is_require_grad() {
                return;
            }
            let tensor = param.val().inner();
            let data = TensorData::new(self.1.next().unwrap().clone(), tensor.dims());
            self.0.register(param.id, Tensor::<D>::from_data(data, &tensor.device()).inner());
        }
    }
    let mut register = Register(GradientsParams::new(), gradients.iter());
    walk::visit(model, &mut register);
    register.0
}

/// Every gradient, in the order of the model's fields.
pub fn read_gradients<M: Module>(model: &M, gradients: &GradientsParams) -> Vec<Vec<f32>> {
    struct Read<'a>(&'a GradientsParams, Vec<Vec<f32>>);
    impl Visit for Read<'_> {
        fn parameter<const D: usize>(&mut self, _at: &ParamRef, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(param.id) {
                self.1.push(gradient.into_data().try_to_vec::<f32>().unwrap());
            }
        }
    }
    let mut read = Read(gradients, Vec::new());
    walk::visit(model, &mut read);
    read.1
}

/// Changes every trainable parameter to these values, in the order of the fields.
pub fn with_values<M: Module>(model: M, values: &[Vec<f32>]) -> M {
    struct Write<'a>(std::slice::Iter<'a, Vec<f32>>);
    impl Change for Write<'_> {
        fn parameter<const D: usize>(&mut self, _at: &ParamRef, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if !param.is_require_grad() {
                return param;
            }
            let data = self.0.next().unwrap().clone();
            param.map(|tensor| {
                let data = TensorData::new(data, tensor.dims());
                Tensor::from_data(data, &tensor.device()).require_grad()
            })
        }
    }
    walk::change(model, &mut Write(values.iter()))
}

/// The two backends that every machine has, with autodiff.
pub fn devices() -> Vec<(&'static str, Device)> {
    #[allow(deprecated)]
    let ndarray = Device::ndarray();
    vec![("flex", Device::flex().autodiff()), ("ndarray", ndarray.autodiff())]
}

pub fn optimizer_config(name: &str, arguments: serde_json::Value) -> OptimizerConfig {
    OptimizerConfig::deserialize_named(name, arguments)
        .unwrap_or_else(|| panic!("no optimizer is called {name}"))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub fn bound<M: Module>(config: &OptimizerConfig, model: &M) -> Optimizer {
    let mut optimizer = Optimizer::new(config).unwrap();
    optimizer.bind(model).unwrap();
    optimizer
}

/// A golden file: from `FIREBRICK_GOLDEN_DIR` if that has it, else our own copy.
pub fn golden<T: DeserializeOwned>(name: &str) -> T {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let given = std::env::var_os("FIREBRICK_GOLDEN_DIR").map(|folder| PathBuf::from(folder).join(name));
    let path = given.filter(|path| path.exists()).unwrap_or(own);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Gradients that look random and are the same everywhere.
pub fn noise(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

pub fn assert_close(actual: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}: number of elements");
    for (index, (a, e)) in actual.iter().zip(expected).enumerate() {
        let allowed = tolerance * e.abs().max(1.0);
        assert!(
            (a - e).abs() <= allowed,
            "{what}, element {index}: got {a}, expected {e}, difference {:e} above {allowed:e}",
            (a - e).abs()
        );
    }
}

/// Bits of every number, so that NaN equals itself and -0 is not 0.
pub fn bits(values: &[Vec<f32>]) -> Vec<Vec<u32>> {
    values.iter().map(|values| values.iter().map(|value| value.to_bits()).collect()).collect()
}
