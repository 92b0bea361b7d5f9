//! The few vector operations that the kernels are made of, always inlined.

use macerator::{Scalar, Simd, VAdd, VMul, VMulAdd, VSub, Vector};

/// A register of f32.
pub(crate) type F32s<S> = Vector<S, f32>;

/// Floats in a register: a constant once the generic code is compiled for one instruction set.
#[inline(always)]
pub(crate) fn lanes<S: Simd>() -> usize {
    S::lanes32()
}

/// What `of` makes of every index. The library's `from_fn` may become a call, in which the caller's instruction set does not
/// count and from which registers come back through memory.
#[inline(always)]
pub(crate) fn each<T: Copy, const N: usize>(of: impl Fn(usize) -> T) -> [T; N] {
    let mut all = [of(0); N];
    for (index, value) in all.iter_mut().enumerate().skip(1) {
        *value = of(index);
    }
    all
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
        copy_few(lane.as_ptr(), target, count);
    }
}

/// Copy fewer than 16 floats in at most four moves of fixed size.
///
/// # Safety
/// `source` must be readable and `target` writable for `count` floats; they must not overlap.
#[inline(always)]
unsafe fn copy_few(source: *const f32, target: *mut f32, count: usize) {
    let mut at = 0;
    // SAFETY: the parts taken add up to the binary digits of `count`, so `at` never passes it.
    unsafe {
        if count & 8 != 0 {
            target.cast::<[f32; 8]>().write_unaligned(source.cast::<[f32; 8]>().read_unaligned());
            at += 8;
        }
        if count & 4 != 0 {
            target
                .add(at)
                .cast::<[f32; 4]>()
                .write_unaligned(source.add(at).cast::<[f32; 4]>().read_unaligned());
            at += 4;
        }
        if count & 2 != 0 {
            target
                .add(at)
                .cast::<[f32; 2]>()
                .write_unaligned(source.add(at).cast::<[f32; 2]>().read_unaligned());
            at += 2;
        }
        if count & 1 != 0 {
            target.add(at).write(source.add(at).read());
        }
    }
}

/// Copy as many floats as both have, without the call that a copy of a length unknown to the compiler is.
#[inline(always)]
pub(crate) fn copy_floats<S: Simd>(source: &[f32], target: &mut [f32]) {
    let mut sources = source.chunks_exact(lanes::<S>());
    let mut targets = target.chunks_exact_mut(lanes::<S>());
    for (source, target) in sources.by_ref().zip(targets.by_ref()) {
        // SAFETY: both are one register long.
        unsafe { store::<S>(target.as_mut_ptr(), load::<S>(source.as_ptr())) };
    }
    let (source, target) = (sources.remainder(), targets.into_remainder());
    // SAFETY: fewer than a register, and both have them.
    unsafe { copy_few(source.as_ptr(), target.as_mut_ptr(), source.len().min(target.len())) };
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
        copy_few(source, lane.as_mut_ptr(), count);
        load::<S>(lane.as_ptr())
    }
}

/// Prefetch the cache line that lies there, on machines for which we know how; any address will do.
#[inline(always)]
pub(crate) fn prefetch(source: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing that the program could see.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(source.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = source;
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

/// The floats of `values` from `start` on: a whole register where there is one, otherwise zeros at the end. The lanes
/// beyond what the caller wants hold whatever follows.
#[inline(always)]
pub(crate) fn load_from<S: Simd>(values: &[f32], start: usize) -> F32s<S> {
    if start + lanes::<S>() <= values.len() {
        // SAFETY: checked.
        return unsafe { load::<S>(values.as_ptr().add(start)) };
    }
    let left = values.len().saturating_sub(start);
    // SAFETY: at most the `left` floats that exist from `start` on are read (none if `start` is beyond).
    unsafe { load_first::<S>(values.as_ptr().wrapping_add(start), left.min(lanes::<S>())) }
}

/// Write a register to `values` from `start` on, as much of it as there is room for.
#[inline(always)]
pub(crate) fn store_from<S: Simd>(values: &mut [f32], start: usize, value: F32s<S>) {
    if start + lanes::<S>() <= values.len() {
        // SAFETY: checked.
        return unsafe { store::<S>(values.as_mut_ptr().add(start), value) };
    }
    let left = values.len().saturating_sub(start);
    // SAFETY: at most the `left` floats that exist from `start` on are written.
    unsafe { store_first::<S>(values.as_mut_ptr().wrapping_add(start), value, left.min(lanes::<S>())) }
}
