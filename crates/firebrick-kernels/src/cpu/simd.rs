//! The few vector operations that the kernels are made of, always inlined.

use macerator::{Scalar, Simd, VAdd, VMul, VMulAdd, VSub, Vector};

/// A register of f32.
pub(crate) type F32s<S> = Vector<S, f32>;

/// Floats in a register: a constant once the generic code is compiled for one instruction set.
#[inline(always)]
pub(crate) fn lanes<S: Simd>() -> usize {
    S::lanes32()
}

/// Read one register from any address.
///
/// # Safety
/// `source` must be readable for [`lanes`] floats.
#[inline(always)]
pub(crate) unsafe fn load<S: Simd>(source: *const f32) -> F32s<S> {
    // SAFETY: forwarded to the caller.
    unsafe { f32::vload_unaligned::<S>(source) }
}

/// Write one register to any address.
///
/// # Safety
/// `target` must be writable for [`lanes`] floats.
#[inline(always)]
pub(crate) unsafe fn store<S: Simd>(target: *mut f32, value: F32s<S>) {
    // SAFETY: forwarded to the caller.
    unsafe { f32::vstore_unaligned::<S>(target, value) }
}

/// Write the first `count` lanes of a register.
///
/// # Safety
/// `target` must be writable for `count` floats, and `count` at most [`lanes`].
#[inline(always)]
pub(crate) unsafe fn store_first<S: Simd>(target: *mut f32, value: F32s<S>, count: usize) {
    if count == lanes::<S>() {
        // SAFETY: the caller grants `count` = one register.
        unsafe { store::<S>(target, value) };
        return;
    }
    let mut lane = [0.0f32; 16];
    // SAFETY: no register has more than 16 lanes, and the caller grants `count` of them.
    unsafe {
        store::<S>(lane.as_mut_ptr(), value);
        for (index, &value) in lane.iter().enumerate().take(count) {
            target.add(index).write(value);
        }
    }
}

/// Read the first `count` floats, zero in the other lanes.
///
/// # Safety
/// `source` must be readable for `count` floats, and `count` at most [`lanes`].
#[inline(always)]
pub(crate) unsafe fn load_first<S: Simd>(source: *const f32, count: usize) -> F32s<S> {
    if count == lanes::<S>() {
        // SAFETY: the caller grants `count` = one register.
        return unsafe { load::<S>(source) };
    }
    let mut lane = [0.0f32; 16];
    // SAFETY: no register has more than 16 lanes, and the caller grants `count` floats.
    unsafe {
        for (index, value) in lane.iter_mut().enumerate().take(count) {
            *value = source.add(index).read();
        }
        load::<S>(lane.as_ptr())
    }
}

/// The same value in every lane.
#[inline(always)]
pub(crate) fn splat<S: Simd>(value: f32) -> F32s<S> {
    value.splat::<S>()
}

/// `a * b + c`: one rounding where the hardware fuses it, two in the portable version (where a
/// fused one would be a library call for each lane).
#[inline(always)]
pub(crate) fn mul_add<S: Simd>(a: F32s<S>, b: F32s<S>, c: F32s<S>) -> F32s<S> {
    if lanes::<S>() <= 2 { add::<S>(mul::<S>(a, b), c) } else { f32::vmul_add(a, b, c) }
}

/// `a + b`.
#[inline(always)]
pub(crate) fn add<S: Simd>(a: F32s<S>, b: F32s<S>) -> F32s<S> {
    f32::vadd(a, b)
}

/// `a - b`.
#[inline(always)]
pub(crate) fn sub<S: Simd>(a: F32s<S>, b: F32s<S>) -> F32s<S> {
    f32::vsub(a, b)
}

/// `a * b`.
#[inline(always)]
pub(crate) fn mul<S: Simd>(a: F32s<S>, b: F32s<S>) -> F32s<S> {
    f32::vmul(a, b)
}
