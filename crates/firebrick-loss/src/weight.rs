//! A weight given as an argument: nested numbers that are broadcast to the input, as torch does.

use std::fmt;

use burn::tensor::Tensor;
use firebrick_component::ArgumentError;
use serde::de::{self, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::LossError;
use crate::{check, numeric};

/// Numbers in the shape of an array, as an argument: `0.5`, `[1.0, 2.0]`, `[[1.0], [2.0]]`.
///
/// The shape is aligned with the input's last dimensions and broadcast to it, exactly as torch
/// broadcasts `weight` and `pos_weight`; it may never make the input larger.
///
/// ```
/// use firebrick_loss::BroadcastWeight;
///
/// let weight = BroadcastWeight::from(vec![1.0, 2.0]);
/// assert_eq!(weight.shape(), [2]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BroadcastWeight {
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl BroadcastWeight {
    /// The shape of the numbers; empty for a single one.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers, rows first.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Refuses what is not finite.
    pub(crate) fn validate(&self, argument: &str) -> Result<(), ArgumentError> {
        check::weights(argument, &self.shape, &self.values)
    }

    /// Refuses a weight that is anything but a number, or one number for each class: batches of any size
    /// must fit it.
    pub(crate) fn check_classes(&self, argument: &str, num_classes: usize) -> Result<(), ArgumentError> {
        let fits = match self.shape[..] {
            [] => true,
            [classes] | [1, classes] => classes == 1 || classes == num_classes,
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let expected = format!("one number, or {num_classes}, one a class");
        Err(ArgumentError::new(argument, expected, format!("numbers in the shape {:?}", self.shape)))
    }

    /// The weight as a tensor that broadcasts to the input.
    ///
    /// # Errors
    ///
    /// If a dimension is neither 1 nor the input's, or if there are more dimensions than the input has.
    pub(crate) fn to_tensor<const D: usize>(
        &self,
        loss: &'static str,
        argument: &'static str,
        input: &Tensor<D>,
    ) -> Result<Tensor<D>, LossError> {
        let dims = input.dims();
        let mismatch = || {
            check::shape(
                loss,
                (argument, &self.shape),
                format!("a shape that broadcasts to {dims:?}"),
                ("input", &dims),
            )
        };
        let missing = D.checked_sub(self.shape.len()).ok_or_else(mismatch)?;
        let mut shape = [1; D];
        shape[missing..].copy_from_slice(&self.shape);
        if shape.iter().zip(&dims).any(|(w, d)| *w != 1 && w != d) {
            return Err(mismatch());
        }
        Ok(numeric::constant(&self.values, shape, input))
    }
}

impl From<Vec<f64>> for BroadcastWeight {
    fn from(values: Vec<f64>) -> Self {
        Self { shape: vec![values.len()], values }
    }
}

impl Serialize for BroadcastWeight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some((&rows, rest)) = self.shape.split_first() else {
            return self.values[0].serialize(serializer);
        };
        let size: usize = rest.iter().product();
        let mut sequence = serializer.serialize_seq(Some(rows))?;
        for row in 0..rows {
            sequence.serialize_element(&Self {
                shape: rest.to_vec(),
                values: self.values[row * size..(row + 1) * size].to_vec(),
            })?;
        }
        sequence.end()
    }
}

impl<'de> Deserialize<'de> for BroadcastWeight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WeightVisitor)
    }
}

struct WeightVisitor;

impl<'de> Visitor<'de> for WeightVisitor {
    type Value = BroadcastWeight;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or (nested) lists of numbers of equal lengths")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(BroadcastWeight { shape: Vec::new(), values: vec![value] })
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut rows = 0;
        let mut inner: Vec<usize> = Vec::new();
        let mut values = Vec::new();
        while let Some(row) = sequence.next_element::<BroadcastWeight>()? {
            if rows > 0 && row.shape != inner {
                return Err(de::Error::custom(format!(
                    "rows of different shapes: row 0 has {inner:?}, row {rows} has {:?}",
                    row.shape
                )));
            }
            inner = row.shape;
            values.extend(row.values);
            rows += 1;
        }
        let mut shape = vec![rows];
        shape.extend(inner);
        Ok(BroadcastWeight { shape, values })
    }
}
