//! `.bpk`, Burn's own container, as checkpoints have it: linear weights stay `[in, out]`.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use burn_store::burn_pack::{Reader, Tensor};

use super::error::WeightsError;
use super::file::{FileTensor, Layout, WeightsFile, file_length, malformed};
use super::format::WeightsFormat;
use super::order::sort_naturally;

pub(crate) fn open(path: &Path) -> Result<WeightsFile, WeightsError> {
    file_length(path)?;
    let mut by_name: HashMap<String, Tensor> = Reader::from_file_exact(path)
        .and_then(Reader::into_tensors)
        .map_err(|error| malformed(path, WeightsFormat::Burnpack, error))?
        .into_iter()
        .map(|tensor| (tensor.name.clone(), tensor))
        .collect();
    let tensors = sort_naturally(by_name.keys().cloned().collect())
        .into_iter()
        .filter_map(|name| by_name.remove(&name).map(file_tensor))
        .collect();
    Ok(WeightsFile::flat(path, WeightsFormat::Burnpack, Layout::Burn, tensors))
}

fn file_tensor(tensor: Tensor) -> FileTensor {
    FileTensor {
        name: tensor.name.clone(),
        shape: tensor.shape.to_vec(),
        dtype: Some(tensor.dtype),
        dtype_name: format!("{:?}", tensor.dtype).to_lowercase(),
        read: Rc::new(move || {
            let bytes = tensor.to_bytes().map_err(|error| error.to_string())?;
            Ok(bytes.to_vec())
        }),
    }
}
