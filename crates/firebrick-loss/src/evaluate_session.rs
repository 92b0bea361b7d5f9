//! The inputs of one evaluation: from arrays to tensors, with every rank, element type and length
//! checked on the way, and back to arrays.

use std::collections::BTreeMap;

use burn::tensor::{DType, Device, Gradients, Int, Tensor, TensorData};

use crate::{Evaluation, InputKind, Inputs, LossConfig, LossError, check, classes};

/// Reads the gradient of one input out of all gradients.
type Leaf = Box<dyn Fn(&Gradients) -> Option<TensorData>>;

pub(crate) struct Session<'a> {
    loss: &'static str,
    inputs: &'a Inputs,
    backward: bool,
    device: Device,
    differentiable: Vec<&'static str>,
    leaves: BTreeMap<&'static str, Leaf>,
}

impl<'a> Session<'a> {
    /// Checks that the inputs are those of the loss and hold what it takes.
    pub(crate) fn new(
        config: &LossConfig,
        inputs: &'a Inputs,
        backward: bool,
        device: &Device,
    ) -> Result<Self, LossError> {
        let (loss, slots) = (config.name(), config.inputs());
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

    fn data(&self, name: &'static str) -> Result<&'a TensorData, LossError> {
        self.inputs.get(name).ok_or(LossError::MissingInput {
            loss: self.loss,
            input: name,
            expected: name.into(),
        })
    }

    /// The shape as given; `[]` for a single number.
    pub(crate) fn shape(&self, name: &'static str) -> Result<Vec<usize>, LossError> {
        Ok(self.data(name)?.shape().to_vec())
    }

    pub(crate) fn rank(&self, name: &'static str) -> Result<usize, LossError> {
        Ok(self.shape(name)?.len())
    }

    pub(crate) fn is_float(&self, name: &'static str) -> Result<bool, LossError> {
        Ok(self.data(name)?.dtype().is_float())
    }

    pub(crate) fn rank_error(&self, name: &'static str, expected: &'static str) -> LossError {
        LossError::Rank {
            loss: self.loss,
            argument: name,
            got: self.shape(name).unwrap_or_default(),
            expected,
        }
    }

    /// The error of a loss that was sent down the wrong path: it cannot happen.
    pub(crate) fn not_here(&self, config: &LossConfig) -> LossError {
        LossError::UnknownInput {
            loss: config.name(),
            input: "input".into(),
            expected: "inputs of another kind".into(),
        }
    }

    /// A float tensor of rank `D`; a single number becomes `[1]`.
    pub(crate) fn float<const D: usize>(
        &mut self,
        name: &'static str,
        reference: &'static str,
    ) -> Result<Tensor<D>, LossError> {
        let shape = self.shape(name)?;
        if shape.is_empty() != self.shape(reference)?.is_empty() {
            return Err(self.does_not_fit(name, reference, None));
        }
        let dims = if shape.is_empty() { vec![1] } else { shape };
        let Ok(dims) = <[usize; D]>::try_from(dims) else {
            return Err(self.does_not_fit(name, reference, None));
        };
        self.upload(name, dims)
    }

    /// A float tensor of rank `D` out of one of rank `D - 1`, with a last dimension of 1.
    pub(crate) fn float_with_last_dimension<const D: usize>(
        &mut self,
        name: &'static str,
    ) -> Result<Tensor<D>, LossError> {
        let mut dims = self.shape(name)?;
        dims.push(1);
        match <[usize; D]>::try_from(dims) {
            Ok(dims) => self.upload(name, dims),
            Err(_) => Err(self.rank_error(name, "a variance a row")),
        }
    }

    /// A float tensor `[N, C]`; a single row becomes `[1, C]`.
    pub(crate) fn rows(
        &mut self,
        name: &'static str,
        reference: &'static str,
    ) -> Result<Tensor<2>, LossError> {
        let dims = self.row_dims(name, reference)?;
        self.upload(name, dims)
    }

    /// An integer tensor `[N, C]`; a single row becomes `[1, C]`.
    pub(crate) fn index_rows(
        &self,
        name: &'static str,
        reference: &'static str,
    ) -> Result<Tensor<2, Int>, LossError> {
        let dims = self.row_dims(name, reference)?;
        self.upload_index(name, dims)
    }

    fn row_dims(&self, name: &'static str, reference: &'static str) -> Result<[usize; 2], LossError> {
        let shape = self.shape(name)?;
        if shape.len() != self.rank(reference)? {
            return Err(self.does_not_fit(name, reference, None));
        }
        match shape[..] {
            [columns] => Ok([1, columns]),
            [rows, columns] => Ok([rows, columns]),
            _ => Err(self.rank_error(name, "[N, C], or [C] for one sample")),
        }
    }

    /// One float a row; a single number for a single row.
    pub(crate) fn float_of_rows(
        &mut self,
        name: &'static str,
        reference: &'static str,
        rows: &[usize],
    ) -> Result<Tensor<1>, LossError> {
        let dims = self.one_a_position::<1>(name, reference, rows)?;
        self.upload(name, dims)
    }

    /// One integer a position of `[N, C, d1, ..]`; a single number for a single sample.
    pub(crate) fn index<const T: usize>(
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
        let mut shape = self.shape(name)?;
        if shape.is_empty() && self.rank(reference)? <= 1 {
            shape = vec![1];
        }
        match <[usize; T]>::try_from(shape) {
            Ok(dims) if dims[..] == expected[..] => Ok(dims),
            _ => Err(self.does_not_fit(name, reference, Some(expected))),
        }
    }

    /// `[T, N, C]`; `[T, C]` becomes `[T, 1, C]`.
    pub(crate) fn sequences(&mut self, name: &'static str) -> Result<Tensor<3>, LossError> {
        let dims = match self.shape(name)?[..] {
            [steps, classes] => [steps, 1, classes],
            [steps, batch, classes] => [steps, batch, classes],
            _ => return Err(self.rank_error(name, "[T, N, C], or [T, C] for one sample")),
        };
        self.upload(name, dims)
    }

    /// Lengths as plain numbers.
    pub(crate) fn lengths(&self, name: &'static str) -> Result<Vec<usize>, LossError> {
        if self.rank(name)? > 1 {
            return Err(self.rank_error(name, "[N], or a single number"));
        }
        let values = self.data(name)?.iter::<i64>().enumerate();
        values
            .map(|(index, value)| {
                usize::try_from(value).map_err(|_| LossError::Value {
                    loss: self.loss,
                    argument: name,
                    expected: "lengths, 0 or above".into(),
                    got: value.to_string(),
                    index: vec![index],
                })
            })
            .collect()
    }

    /// Targets `[N, S]`, also out of one row that holds them one after the other.
    pub(crate) fn padded(
        &self,
        name: &'static str,
        lengths: &[usize],
        batch: usize,
    ) -> Result<Tensor<2, Int>, LossError> {
        let shape = self.shape(name)?;
        match shape[..] {
            [rows, width] => return self.upload_index(name, [rows, width]),
            [width] if self.rank("log_probs")? == 2 => return self.upload_index(name, [1, width]),
            [_] => {}
            _ => return Err(self.rank_error(name, "[N, S], or one row with all targets")),
        }
        let total = lengths.iter().try_fold(0usize, |sum, &l| sum.checked_add(l));
        if total != Some(shape[0]) || lengths.len() != batch {
            return Err(LossError::Shape {
                loss: self.loss,
                argument: name,
                got: shape,
                expected: "one number for each that `target_lengths` counts".into(),
                other: "target_lengths",
                other_shape: lengths.to_vec(),
            });
        }
        let width = lengths.iter().copied().max().unwrap_or(0);
        let mut values = self.data(name)?.iter::<i64>();
        let mut padded = vec![0i64; batch * width];
        for (row, &length) in lengths.iter().enumerate() {
            for column in 0..length {
                padded[row * width + column] = values.next().unwrap_or_default();
            }
        }
        let data = TensorData::new(padded, [batch, width]);
        Ok(Tensor::from_data(data, &self.device))
    }

    fn upload<const D: usize>(
        &mut self,
        name: &'static str,
        dims: [usize; D],
    ) -> Result<Tensor<D>, LossError> {
        let data = self.data(name)?;
        let dtype = data.dtype();
        let data = reshaped(data.clone(), &dims);
        let tensor = Tensor::<D>::from_data(data, (&self.device, dtype));
        if !self.backward || !self.differentiable.contains(&name) {
            return Ok(tensor);
        }
        let tensor = tensor.require_grad();
        let leaf = tensor.clone();
        let read = move |gradients: &Gradients| leaf.grad(gradients)?.try_into_data().ok();
        self.leaves.insert(name, Box::new(read));
        Ok(tensor)
    }

    fn upload_index<const D: usize>(
        &self,
        name: &'static str,
        dims: [usize; D],
    ) -> Result<Tensor<D, Int>, LossError> {
        let data = self.data(name)?;
        // The device's integers may have 32 bits: a larger number must not wrap into a valid class.
        let wide = data.iter::<i64>().position(|value| i32::try_from(value).is_err());
        if let Some(flat) = wide {
            return Err(LossError::Value {
                loss: self.loss,
                argument: name,
                expected: "integers of 32 bits".into(),
                got: data.iter::<i64>().nth(flat).unwrap_or_default().to_string(),
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
        let other = self.shape(reference).unwrap_or_default();
        let got = self.shape(name).unwrap_or_default();
        let expected = expected.unwrap_or_else(|| other.clone());
        check::shape(self.loss, (name, &got), format!("{expected:?}"), (reference, &other))
    }

    /// Reads the loss and, if asked for, the gradients of its sum.
    pub(crate) fn finish<const D: usize>(
        self,
        losses: Tensor<D>,
        shape: Vec<usize>,
    ) -> Result<Evaluation, LossError> {
        let output = losses.clone().try_into_data().map_err(|source| LossError::Read {
            loss: self.loss,
            argument: "output",
            source,
        })?;
        let mut gradients = BTreeMap::new();
        if self.backward {
            let all = losses.is_tracked().then(|| losses.sum().backward());
            for (&name, read) in &self.leaves {
                let data = self.data(name)?;
                // An input that the loss does not depend on has a gradient of 0.
                let gradient = all.as_ref().and_then(read).unwrap_or_else(|| zeros(data));
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
    let same_size = old.num_elements() == shape.iter().product::<usize>();
    let shape = if same_size { shape.to_vec() } else { old.to_vec() };
    TensorData::from_bytes(bytes, shape, dtype)
}

fn zeros(like: &TensorData) -> TensorData {
    let bytes = vec![0; like.bytes().len()];
    TensorData::from_bytes_vec(bytes, like.shape().clone(), like.dtype())
}
