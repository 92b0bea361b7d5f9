//! The inputs of losses of sequences: lengths, and targets of different lengths.

use burn::tensor::{Int, Tensor, TensorData};

use super::tensors::Session;
use crate::error::LossError;

impl Session<'_> {
    /// `[T, N, C]`; `[T, C]` becomes `[T, 1, C]`.
    pub(crate) fn sequences(&mut self, name: &'static str) -> Result<Tensor<3>, LossError> {
        let dims = match self.shape(name)[..] {
            [steps, classes] => [steps, 1, classes],
            [steps, batch, classes] => [steps, batch, classes],
            _ => return Err(self.rank_error(name, "[T, N, C], or [T, C] for one sample")),
        };
        Ok(self.upload(name, dims))
    }

    /// Lengths as plain numbers.
    pub(crate) fn lengths(&self, name: &'static str) -> Result<Vec<usize>, LossError> {
        if self.rank(name) > 1 {
            return Err(self.rank_error(name, "[N], or a single number"));
        }
        let values = self.data(name).iter::<i64>().enumerate();
        values
            .map(|(index, value)| {
                usize::try_from(value).map_err(|_| LossError::Value {
                    loss: self.loss(),
                    argument: name,
                    expected: "lengths, 0 or above".into(),
                    got: value.to_string(),
                    index: vec![index],
                })
            })
            .collect()
    }

    /// Targets `[N, S]`, also out of one row that holds them one after the other. `sequences` is the name of
    /// the input that tells whether there is one sample or a batch, `lengths` are the targets' own.
    pub(crate) fn padded(
        &self,
        name: &'static str,
        sequences: &'static str,
        lengths: &[usize],
        batch: usize,
    ) -> Result<Tensor<2, Int>, LossError> {
        let shape = self.shape(name);
        match shape[..] {
            [rows, width] => return self.upload_index(name, [rows, width]),
            [width] if self.rank(sequences) == 2 => return self.upload_index(name, [1, width]),
            [_] => {}
            _ => return Err(self.rank_error(name, "[N, S], or one row with all targets")),
        }
        let total = lengths.iter().try_fold(0usize, |sum, &length| sum.checked_add(length));
        if total != Some(shape[0]) || lengths.len() != batch {
            return Err(LossError::Shape {
                loss: self.loss(),
                argument: name,
                got: shape,
                expected: "one number for each that `target_lengths` counts".into(),
                other: "target_lengths",
                other_shape: lengths.to_vec(),
            });
        }
        let width = lengths.iter().copied().fold(0, usize::max);
        let values: Vec<i64> = self.data(name).iter::<i64>().collect();
        let mut rest = &values[..];
        let mut padded = vec![0i64; batch * width];
        for (row, &length) in lengths.iter().enumerate() {
            let (target, after) = rest.split_at(length);
            padded[row * width..][..length].copy_from_slice(target);
            rest = after;
        }
        let data = TensorData::new(padded, [batch, width]);
        Ok(Tensor::from_data(data, &self.device))
    }
}
