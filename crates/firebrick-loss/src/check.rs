//! The checks that losses share: shapes, element types, devices, and values read back.
//!
//! Everything here but the `read_*` functions looks at metadata only and never waits for the device.

use std::ops::RangeInclusive;

use burn::tensor::kind::Basic;
use burn::tensor::{Int, Tensor};
use firebrick_component::ArgumentError;
use firebrick_component::check::that;

use crate::error::LossError;

/// Two inputs must have the same shape, element type and device, and at least one element.
pub(crate) fn same<const D: usize>(
    loss: &'static str,
    (other, reference): (&'static str, &Tensor<D>),
    (argument, tensor): (&'static str, &Tensor<D>),
) -> Result<(), LossError> {
    if tensor.dims() != reference.dims() {
        return Err(shape(
            loss,
            (argument, &tensor.dims()),
            format!("{:?}", reference.dims()),
            (other, &reference.dims()),
        ));
    }
    not_empty(loss, other, &reference.dims())?;
    same_type(loss, (other, reference), (argument, tensor))?;
    same_device(loss, (other, reference), (argument, tensor))
}

/// There must be something to compute a loss of. torch gives NaN for the mean of nothing; Burn's
/// backends disagree about tensors without elements, and training on none is never meant.
pub(crate) fn not_empty(
    loss: &'static str,
    argument: &'static str,
    shape: &[usize],
) -> Result<(), LossError> {
    if !shape.contains(&0) {
        return Ok(());
    }
    Err(LossError::Rank { loss, argument, got: shape.to_vec(), expected: "at least one element" })
}

/// Two float inputs must have the same element type: nothing is promoted behind the caller's back.
pub(crate) fn same_type<const D: usize, const E: usize>(
    loss: &'static str,
    (other, reference): (&'static str, &Tensor<D>),
    (argument, tensor): (&'static str, &Tensor<E>),
) -> Result<(), LossError> {
    if tensor.dtype() == reference.dtype() {
        return Ok(());
    }
    Err(LossError::DType { loss, argument, got: tensor.dtype(), other, expected: reference.dtype() })
}

/// Two inputs must be on the same device.
pub(crate) fn same_device<const D: usize, const E: usize, K: Basic, L: Basic>(
    loss: &'static str,
    (other, reference): (&'static str, &Tensor<D, K>),
    (argument, tensor): (&'static str, &Tensor<E, L>),
) -> Result<(), LossError> {
    let (got, expected) = (tensor.device(), reference.device());
    if got == expected {
        return Ok(());
    }
    Err(LossError::Device {
        loss,
        argument,
        got: format!("{got:?}"),
        other,
        expected: format!("{expected:?}"),
    })
}

/// The error of a shape that does not fit another one.
pub(crate) fn shape(
    loss: &'static str,
    (argument, got): (&'static str, &[usize]),
    expected: String,
    (other, other_shape): (&'static str, &[usize]),
) -> LossError {
    LossError::Shape { loss, argument, got: got.to_vec(), expected, other, other_shape: other_shape.to_vec() }
}

/// Weights must be numbers: a NaN there is never meant. The weights have `shape`, rows first.
pub(crate) fn weights(argument: &str, shape: &[usize], values: &[f64]) -> Result<(), ArgumentError> {
    let Some(flat) = values.iter().position(|value| !value.is_finite()) else {
        return Ok(());
    };
    let indices = coordinates(flat, shape).into_iter().map(|index| format!("[{index}]"));
    let key = format!("{argument}{}", indices.collect::<String>());
    Err(ArgumentError::new(key, "a finite number", values[flat]))
}

/// `gamma` of the focal losses.
pub(crate) fn gamma(gamma: f64) -> Result<(), ArgumentError> {
    that(gamma >= 0.0 && gamma.is_finite(), "gamma", gamma, "a number, 0 or above")
}

/// Every element of a float tensor must satisfy `holds`. Reads the tensor back.
pub(crate) fn floats<const D: usize>(
    loss: &'static str,
    argument: &'static str,
    tensor: &Tensor<D>,
    expected: &str,
    holds: impl Fn(f64) -> bool,
) -> Result<(), LossError> {
    let data = tensor.clone().inner().try_into_data().map_err(|source| LossError::Read {
        loss,
        argument,
        source,
    })?;
    let bad = data.iter::<f64>().enumerate().find(|&(_, value)| !holds(value));
    match bad {
        None => Ok(()),
        Some((flat, value)) => Err(LossError::Value {
            loss,
            argument,
            expected: expected.into(),
            got: format!("{value}"),
            index: coordinates(flat, &tensor.dims()),
        }),
    }
}

/// The elements of an integer tensor. Reads the tensor back.
pub(crate) fn read_integers<const D: usize>(
    loss: &'static str,
    argument: &'static str,
    tensor: &Tensor<D, Int>,
) -> Result<Vec<i64>, LossError> {
    let data = tensor.clone().try_into_data().map_err(|source| LossError::Read { loss, argument, source })?;
    Ok(data.iter::<i64>().collect())
}

/// Every element of an integer tensor must be in `range` or be `also`. Reads the tensor back.
pub(crate) fn integers<const D: usize>(
    loss: &'static str,
    argument: &'static str,
    tensor: &Tensor<D, Int>,
    range: RangeInclusive<i64>,
    also: Option<(&'static str, i64)>,
) -> Result<(), LossError> {
    let values = read_integers(loss, argument, tensor)?;
    let fits = |value: i64| range.contains(&value) || also.is_some_and(|(_, other)| other == value);
    let Some(flat) = values.iter().position(|&value| !fits(value)) else {
        return Ok(());
    };
    let or = also.map_or(String::new(), |(name, value)| format!(" or {name} = {value}"));
    Err(LossError::Value {
        loss,
        argument,
        expected: format!("integers in {}..={}{or}", range.start(), range.end()),
        got: values[flat].to_string(),
        index: coordinates(flat, &tensor.dims()),
    })
}

/// The coordinates of the element at a flat index, rows first. There is one, so no size is 0.
pub(crate) fn coordinates(flat: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = flat;
    let mut coordinates = vec![0; shape.len()];
    for (coordinate, &size) in coordinates.iter_mut().zip(shape).rev() {
        *coordinate = rest % size;
        rest /= size;
    }
    coordinates
}
