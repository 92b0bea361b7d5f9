//! From arrays to tensors, with every rank, element type and length checked on the way, and back.

use std::collections::BTreeMap;

use burn::tensor::{DType, Device, ExecutionError, Gradients, Int, Tensor, TensorData};

use super::slot::{Evaluation, InputKind, InputSlot, Inputs};
use crate::error::LossError;
use crate::{check, classes};

/// Reads the gradient of one input out of all gradients; none if the loss does not depend on the input.
type Leaf = Box<dyn Fn(&Gradients) -> Option<Result<TensorData, ExecutionError>>>;

/// The inputs of one evaluation of a loss.
///
/// Its methods are told the names of the loss's own inputs. They panic for another name, which is a bug in
/// the loss, and give a [`LossError`] that names the input for everything that a user can get wrong.
pub struct Session<'a> {
    loss: &'static str,
    inputs: &'a Inputs,
    backward: bool,
    pub(super) device: Device,
    differentiable: Vec<&'static str>,
    leaves: BTreeMap<&'static str, Leaf>,
}

impl<'a> Session<'a> {
    /// Checks that the inputs are those of the loss and hold what it takes.
    pub(crate) fn new(
        loss: &'static str,
        slots: &[InputSlot],
        inputs: &'a Inputs,
        backward: bool,
        device: &Device,
    ) -> Result<Self, LossError> {
        let names: Vec<&str> = slots.iter().map(|slot| slot.name).collect();
        let expected = names.join(", ");
        for name in inputs.keys() {
            if !names.contains(&name.as_str()) {
                return Err(LossError::UnknownInput { loss, input: name.clone(), expected });
            }
        }
        for slot in slots {
            let data = inputs.get(slot.name).ok_or(LossError::MissingInput {
                loss,
                input: slot.name,
                expected: expected.clone(),
            })?;
            check_kind(loss, slot.name, slot.kind, data, device)?;
        }
        let differentiable = slots.iter().filter(|slot| slot.has_gradient);
        Ok(Self {
            loss,
            inputs,
            backward,
            device: if backward { device.clone().autodiff() } else { device.clone() },
            differentiable: differentiable.map(|slot| slot.name).collect(),
            leaves: BTreeMap::new(),
        })
    }

    /// The loss, by its name in a config file.
    pub fn loss(&self) -> &'static str {
        self.loss
    }

    pub(super) fn data(&self, name: &'static str) -> &'a TensorData {
        match self.inputs.get(name) {
            Some(data) => data,
            None => unreachable!("bug: {} reads `{name}`, which is not one of its inputs", self.loss),
        }
    }

    /// The shape as given; `[]` for a single number.
    pub fn shape(&self, name: &'static str) -> Vec<usize> {
        self.data(name).shape().to_vec()
    }

    /// The number of dimensions as given; 0 for a single number.
    pub fn rank(&self, name: &'static str) -> usize {
        self.data(name).shape().len()
    }

    /// Whether the input holds floating-point numbers.
    pub fn is_float(&self, name: &'static str) -> bool {
        self.data(name).dtype().is_float()
    }

    pub(crate) fn rank_error(&self, name: &'static str, expected: &'static str) -> LossError {
        LossError::Rank { loss: self.loss, argument: name, got: self.shape(name), expected }
    }

    /// A float tensor of rank `D`; a single number becomes `[1]`, if `reference` is one too.
    ///
    /// # Errors
    ///
    /// [`LossError::Shape`] if the rank is another one.
    pub fn float<const D: usize>(
        &mut self,
        name: &'static str,
        reference: &'static str,
    ) -> Result<Tensor<D>, LossError> {
        let shape = self.shape(name);
        if shape.is_empty() != self.shape(reference).is_empty() {
            return Err(self.does_not_fit(name, reference, None));
        }
        let dims = if shape.is_empty() { vec![1] } else { shape };
        let Ok(dims) = <[usize; D]>::try_from(dims) else {
            return Err(self.does_not_fit(name, reference, None));
        };
        Ok(self.upload(name, dims))
    }

    /// A float tensor of rank `D` out of one of rank `D - 1`, with a last dimension of 1.
    pub(crate) fn float_with_last_dimension<const D: usize>(
        &mut self,
        name: &'static str,
    ) -> Result<Tensor<D>, LossError> {
        let mut dims = self.shape(name);
        dims.push(1);
        match <[usize; D]>::try_from(dims) {
            Ok(dims) => Ok(self.upload(name, dims)),
            Err(_) => Err(self.rank_error(name, "a variance a row")),
        }
    }

    /// A float tensor `[N, C]`; a single row becomes `[1, C]`.
    ///
    /// # Errors
    ///
    /// [`LossError::Shape`] if the rank is not that of `reference`, [`LossError::Rank`] if it is not 1 or 2.
    pub fn rows(&mut self, name: &'static str, reference: &'static str) -> Result<Tensor<2>, LossError> {
        let dims = self.row_dims(name, reference)?;
        Ok(self.upload(name, dims))
    }

    /// An integer tensor `[N, C]`; a single row becomes `[1, C]`.
    ///
    /// # Errors
    ///
    /// As [`rows`](Self::rows), and [`LossError::Value`] for an integer of more than 32 bits.
    pub fn index_rows(
        &self,
        name: &'static str,
        reference: &'static str,
    ) -> Result<Tensor<2, Int>, LossError> {
        let dims = self.row_dims(name, reference)?;
        self.upload_index(name, dims)
    }

    fn row_dims(&self, name: &'static str, reference: &'static str) -> Result<[usize; 2], LossError> {
        let shape = self.shape(name);
        if shape.len() != self.rank(reference) {
            return Err(self.does_not_fit(name, reference, None));
        }
        match shape[..] {
            [columns] => Ok([1, columns]),
            [rows, columns] => Ok([rows, columns]),
            _ => Err(self.rank_error(name, "[N, C], or [C] for one sample")),
        }
    }

    /// One float a row; a single number for a single row. `rows` is the shape of the rows.
    pub(crate) fn float_of_rows(
        &mut self,
        name: &'static str,
        reference: &'static str,
        rows: &[usize],
    ) -> Result<Tensor<1>, LossError> {
        let dims = self.one_a_position::<1>(name, reference, rows)?;
        Ok(self.upload(name, dims))
    }

    /// One integer a position of `[N, C, d1, ..]`, whose shape is `dims`; a single number for a single
    /// sample.
    ///
    /// # Errors
    ///
    /// [`LossError::Shape`] if there are more or fewer, [`LossError::Value`] for an integer of more than 32
    /// bits.
    pub fn index<const T: usize>(
        &self,
        name: &'static str,
        reference: &'static str,
        dims: &[usize],
    ) -> Result<Tensor<T, Int>, LossError> {
        let dims = self.one_a_position::<T>(name, reference, dims)?;
        self.upload_index(name, dims)
    }

    fn one_a_position<const T: usize>(
        &self,
        name: &'static str,
        reference: &'static str,
        dims: &[usize],
    ) -> Result<[usize; T], LossError> {
        let expected = classes::positions_shape(dims);
        let mut shape = self.shape(name);
        if shape.is_empty() && self.rank(reference) <= 1 {
            shape = vec![1];
        }
        match <[usize; T]>::try_from(shape) {
            Ok(dims) if dims[..] == expected[..] => Ok(dims),
            _ => Err(self.does_not_fit(name, reference, Some(expected))),
        }
    }

    pub(super) fn upload<const D: usize>(&mut self, name: &'static str, dims: [usize; D]) -> Tensor<D> {
        let data = self.data(name);
        let dtype = data.dtype();
        let data = reshaped(data.clone(), &dims);
        let tensor = Tensor::<D>::from_data(data, (&self.device, dtype));
        if !self.backward || !self.differentiable.contains(&name) {
            return tensor;
        }
        let tensor = tensor.require_grad();
        let leaf = tensor.clone();
        let read = move |gradients: &Gradients| Some(leaf.grad(gradients)?.try_into_data());
        self.leaves.insert(name, Box::new(read));
        tensor
    }

    pub(super) fn upload_index<const D: usize>(
        &self,
        name: &'static str,
        dims: [usize; D],
    ) -> Result<Tensor<D, Int>, LossError> {
        let data = self.data(name);
        // The device's integers may have 32 bits: a larger number must not wrap into a valid class.
        let wide = data.iter::<i64>().enumerate().find(|(_, value)| i32::try_from(*value).is_err());
        if let Some((flat, value)) = wide {
            return Err(LossError::Value {
                loss: self.loss,
                argument: name,
                expected: "integers of 32 bits".into(),
                got: value.to_string(),
                index: check::coordinates(flat, &dims),
            });
        }
        let data = reshaped(data.clone(), &dims);
        Ok(Tensor::from_data(data, &self.device))
    }

    fn does_not_fit(
        &self,
        name: &'static str,
        reference: &'static str,
        expected: Option<Vec<usize>>,
    ) -> LossError {
        let (got, other) = (self.shape(name), self.shape(reference));
        let expected = expected.as_ref().unwrap_or(&other);
        check::shape(self.loss, (name, &got), format!("{expected:?}"), (reference, &other))
    }

    /// Reads the loss and, if asked for, the gradients of its sum. `shape` is the output's: `[]` for one
    /// number.
    ///
    /// # Errors
    ///
    /// [`LossError::Read`] if the device fails.
    pub fn finish<const D: usize>(
        self,
        losses: Tensor<D>,
        shape: Vec<usize>,
    ) -> Result<Evaluation, LossError> {
        let not_read = |argument, source| LossError::Read { loss: self.loss, argument, source };
        let output = losses.clone().try_into_data().map_err(|source| not_read("output", source))?;
        let mut gradients = BTreeMap::new();
        if self.backward {
            let all = losses.is_tracked().then(|| losses.sum().backward());
            for (&name, read) in &self.leaves {
                let data = self.data(name);
                let gradient = match all.as_ref().and_then(read) {
                    Some(gradient) => gradient.map_err(|source| not_read(name, source))?,
                    // An input that the loss does not depend on has a gradient of 0.
                    None => zeros(data),
                };
                gradients.insert(name.to_owned(), reshaped(gradient, data.shape()));
            }
        }
        Ok(Evaluation { output: reshaped(output, &shape), gradients })
    }
}

fn check_kind(
    loss: &'static str,
    argument: &'static str,
    kind: InputKind,
    data: &TensorData,
    device: &Device,
) -> Result<(), LossError> {
    let got = data.dtype();
    let is_float = matches!(got, DType::F64 | DType::F32 | DType::F16 | DType::BF16);
    let is_index = got.is_int() || got.is_uint();
    let (fits, expected) = match kind {
        InputKind::Float => (is_float, "floating-point numbers"),
        InputKind::Index => (is_index, "integers"),
        InputKind::FloatOrIndex => (is_float || is_index, "integers or floating-point numbers"),
    };
    let (fits, expected) = match fits && is_float && !device.supports_dtype(got) {
        true => (false, "an element type that the device has"),
        false => (fits, expected),
    };
    if fits {
        return Ok(());
    }
    Err(LossError::Kind { loss, argument, got, expected })
}

/// The same elements in another shape of the same size.
fn reshaped(data: TensorData, shape: &[usize]) -> TensorData {
    let (bytes, old, dtype) = data.into_parts();
    if old.num_elements() != shape.iter().product::<usize>() {
        unreachable!("bug: an array of shape {old:?} is read as one of shape {shape:?}");
    }
    TensorData::from_bytes(bytes, shape.to_vec(), dtype)
}

fn zeros(like: &TensorData) -> TensorData {
    let bytes = vec![0; like.bytes().len()];
    TensorData::from_bytes_vec(bytes, like.shape().clone(), like.dtype())
}
