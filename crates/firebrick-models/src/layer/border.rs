//! One value around a tensor: what layers share that pad on one side more than on the other.

use burn::tensor::Tensor;

/// `x` with so many more places before and behind it along `axis`, which hold `value`.
pub(super) fn bordered(x: Tensor<4>, axis: usize, [before, behind]: [usize; 2], value: f32) -> Tensor<4> {
    let (dims, device) = (x.dims(), x.device());
    let border = |count: usize| {
        let mut dims = dims;
        dims[axis] = count;
        (count > 0).then(|| Tensor::full(dims, value, &device))
    };
    let parts: Vec<Tensor<4>> = [border(before), Some(x), border(behind)].into_iter().flatten().collect();
    Tensor::cat(parts, axis)
}
