//! Forward and backward pass of pooling on a CPU backend's tensors.

use std::sync::Arc;

use super::native_floats::{NativeFloats, checked, dims};
use crate::cpu::{Engine, MaxPooled, PoolShape};
use crate::operation::{PoolKind, Pooling};

/// What pooling keeps for its backward pass.
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    shape: PoolShape,
    kind: PoolKind,
    /// For the maximum: which pixel of each window it was.
    codes: Arc<Vec<f32>>,
}

/// Pool and keep what the backward pass needs; the caller has checked shape and type.
pub(crate) fn forward<B: NativeFloats>(
    input: B::FloatTensorPrimitive,
    pooling: Pooling,
) -> (B::FloatTensorPrimitive, Saved) {
    let shape = pooling.shape(dims::<B>(&input));
    let input = B::to_nhwc(input);
    let (engine, x) = (Engine::current(), B::values(&input));
    let (values, codes) = match pooling.kind {
        PoolKind::Max => {
            let MaxPooled { values, codes } = checked(engine.max_pool(&shape, x));
            (values, codes)
        }
        PoolKind::Average { count_padding } => {
            (checked(engine.average_pool(&shape, x, count_padding)), Vec::new())
        }
    };
    let [height, width] = shape.output();
    let output = B::from_nhwc(values, [shape.batch, shape.channels, height, width]);
    (output, Saved { shape, kind: pooling.kind, codes: Arc::new(codes) })
}

/// The gradient of pooling's input, given that of its result.
pub(crate) fn backward<B: NativeFloats>(
    saved: &Saved,
    gradient: B::FloatTensorPrimitive,
) -> B::FloatTensorPrimitive {
    let Saved { shape, kind, codes } = saved;
    let gradient = B::to_nhwc(gradient);
    let (engine, gradient) = (Engine::current(), B::values(&gradient));
    let values = match *kind {
        PoolKind::Max => engine.max_pool_gradient(shape, gradient, codes),
        PoolKind::Average { count_padding } => engine.average_pool_gradient(shape, gradient, count_padding),
    };
    let [height, width] = shape.input;
    B::from_nhwc(checked(values), [shape.batch, shape.channels, height, width])
}
