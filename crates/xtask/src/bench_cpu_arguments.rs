//! The arguments of `cargo xtask bench-cpu`.

use std::path::PathBuf;

use clap::Args;

/// What to measure.
#[derive(Debug, Args)]
pub struct BenchCpuArguments {
    /// Turns of each
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..))]
    pub rounds: u64,

    /// Numbers of threads
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    pub threads: Vec<usize>,

    /// One network alone: tudui, lenet, resnet18, mobilenet or mlp; with `--photos` resnet18, resnet50, mobilenet_v2,
    /// efficientnet_lite0 or convnext_tiny
    #[arg(long)]
    pub only: Option<String>,

    /// Leave plain Burn out, which takes longest
    #[arg(long)]
    pub without_burn: bool,

    /// Instead of PyTorch and Burn, the `bench_worker` of an older build takes turns with this one's
    #[arg(long, value_name = "OLD_BENCH_WORKER", conflicts_with = "from_config")]
    pub against: Option<PathBuf>,

    /// Instead of PyTorch and Burn, networks from configs take turns with the same written by hand
    #[arg(long)]
    pub from_config: bool,

    /// Instead: training steps of the zoo's networks on batches of 16 photos of 224 by 224 pixels, beside PyTorch's f32,
    /// channels_last, torch.compile and bf16 autocast, with peak memory
    #[arg(long, conflicts_with_all = ["from_config", "against"])]
    pub photos: bool,

    /// With `--photos`, these of PyTorch's modes alone: f32, channels_last, compile, bf16
    #[arg(long, value_delimiter = ',', requires = "photos")]
    pub modes: Option<Vec<String>>,

    /// A Python with torch (and for `--photos` torchvision and efficientnet-lite-pytorch)
    #[arg(long, default_value = "python3")]
    pub python: String,
}
