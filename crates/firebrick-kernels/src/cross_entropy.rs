//! Cross-entropy of class indices on Burn's tensors, in one step of the graph instead of some twenty.

use burn::tensor::{DType, Int, Tensor};

use crate::backend::Native;
use crate::operation::{Classes, Total};

/// `log(sum(exp(logits))) - logits[target]` of every row whose target is not `ignore_index`, in total.
///
/// `None` where the kernels do not do it: on other backends, for other element types, and when a target is no class.
///
/// # Shapes
/// `logits` `[n, classes]`, `target` `[n]`, the result `[1]`.
///
/// # Source
/// `torch.nn.functional.cross_entropy`.
pub fn cross_entropy(
    logits: &Tensor<2>,
    target: &Tensor<1, Int>,
    ignore_index: i64,
    total: Total,
) -> Option<Tensor<1>> {
    if logits.dtype() != DType::F32 {
        return None;
    }
    let native = Native::of(&logits.device())?;
    let [rows, classes] = logits.dims();
    let target = target.to_data().convert::<i64>();
    let target = target.as_slice::<i64>().ok().filter(|target| target.len() == rows)?;
    let class = |&index: &i64| match usize::try_from(index) {
        _ if index == ignore_index => Some(None),
        Ok(class) if class < classes => Some(Some(class)),
        _ => None,
    };
    let of_rows = target.iter().map(class).collect::<Option<_>>()?;
    Some(native.cross_entropy(logits.clone(), Classes { of_rows, total }))
}
