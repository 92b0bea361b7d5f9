//! `train`: the same command as `firebrick train`.

use std::process::ExitCode;

/// The step allocates and frees many large buffers; mimalloc keeps their pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    firebrick_cli::train()
}
