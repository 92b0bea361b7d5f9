//! Numbers that come back from the device. A device can fail while it computes, which shows when its results
//! are read.

use burn::tensor::{Tensor, TensorData};
use thiserror::Error;

/// A tensor that the device did not give back.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what} cannot be read back from the device: {reason}")]
pub struct DeviceError {
    /// Which tensor.
    pub what: String,
    /// What the backend said.
    pub reason: String,
}

/// A tensor's values on the host, in the device's own float type.
pub(crate) fn read_back<const D: usize>(tensor: Tensor<D>, what: &str) -> Result<TensorData, DeviceError> {
    tensor
        .try_into_data()
        .map_err(|error| DeviceError { what: what.to_owned(), reason: format!("{error:?}") })
}

/// A tensor's values on the host as f32; [`f32_values`] looks at them.
pub(crate) fn read_back_f32<const D: usize>(
    tensor: Tensor<D>,
    what: &str,
) -> Result<TensorData, DeviceError> {
    Ok(read_back(tensor, what)?.convert::<f32>())
}

/// The values of what [`read_back_f32`] gave.
pub(crate) fn f32_values(data: &TensorData) -> &[f32] {
    data.as_slice::<f32>()
        .unwrap_or_else(|error| unreachable!("bug: data that was converted to f32 is not f32: {error:?}"))
}
