//! One number that says whether two networks are the same to the last bit.

use burn::module::Module;
use firebrick_models::parameters::{NamedParameter, named_parameters};
use firebrick_storage::Sha256Hasher;

/// SHA-256, in hexadecimal, over every parameter: name, shape and f32 bytes, in the model's order.
///
/// The lengths go in too, so that no two lists of parameters look alike.
pub fn weights_sha256<M: Module>(model: &M) -> String {
    parameters_sha256(&named_parameters(model))
}

/// As [`weights_sha256`], of parameters already copied off the device.
pub(crate) fn parameters_sha256(parameters: &[NamedParameter]) -> String {
    let mut hasher = Sha256Hasher::new();
    for parameter in parameters {
        let shape: Vec<u8> = parameter.shape.iter().flat_map(|axis| (*axis as u64).to_le_bytes()).collect();
        hasher.field(&parameter.name, &shape);
        hasher.field("data", parameter.data.as_bytes());
    }
    hasher.finish()
}
