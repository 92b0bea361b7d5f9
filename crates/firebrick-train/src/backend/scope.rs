//! What the kernels want of a program: its threads, its memory, and how it is compiled.

use burn::tensor::Device;

/// Runs `work`, a training step or an evaluated batch on `device`, where it costs least: on a thread of the kernels'
/// pool if the device has one, right here otherwise.
pub fn scope<T: Send>(device: &Device, work: impl FnOnce() -> T + Send) -> T {
    firebrick_kernels::near_kernels(device, work)
}

/// Tells the kernels that this process does nothing but train, and that the calling thread is the one that does:
/// the thread joins the kernels' pool, so that [`scope`] need not change threads, and freed memory is kept for the
/// next step (with the feature `mimalloc`, whose allocator must then be the program's). For `main`; a library must
/// not decide that for its program.
pub fn own_process() {
    firebrick_kernels::join_kernel_threads();
    #[cfg(feature = "mimalloc")]
    firebrick_kernels::keep_freed_memory();
}

/// What to say of a build whose kernels are slow on `device`; nothing where they are not.
pub(crate) fn slow_build(device: &Device) -> Option<String> {
    firebrick_kernels::is_unoptimized(device).then(|| {
        "the kernels were compiled without optimisation, which makes them some fifty times slower: the program's \
         Cargo.toml needs the table [profile.dev.package.\"*\"] with opt-level = 3"
            .to_owned()
    })
}
