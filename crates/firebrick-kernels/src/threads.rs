//! Where the work around the kernels runs.

use burn::tensor::Device;

/// Run `work` on a thread of the pool that the kernels of `device` share their work with, or right here
/// if the device has none.
///
/// A kernel that is called from outside the pool must put the calling thread to sleep and wake another, each
/// time; a training step calls dozens, so one change of threads for the step pays.
pub fn near_kernels<T: Send>(device: &Device, work: impl FnOnce() -> T + Send) -> T {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if crate::backend::is_native(device) {
        return rayon::scope(|_| work());
    }
    #[cfg(not(any(feature = "flex", feature = "ndarray")))]
    let _ = device;
    work()
}
