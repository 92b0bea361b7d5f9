//! Long recipes behind `cargo xtask NAME`: what takes minutes and so is not a test.
//!
//! Each trains through the real `train` binary of the same build and prints what it compared.

// A recipe's table is its result.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod backends;
mod bench_cpu;
mod bench_cpu_arguments;
mod bench_kernels;
mod bench_photos;
mod beside_pytorch;
mod config_page;
mod convergence;
#[cfg(unix)]
mod crash;
#[cfg(unix)]
mod dist;
mod embedded;
mod failure;
mod layouts;
mod mutations;
mod parity;
mod parity_draw;
mod parity_zoo;
mod run;
mod same_bits;
mod sanitize;
mod verify_zoo;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;

/// As the `train` binary has it: it lays large arrays at cache lines, where a register is read in one piece.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Firebrick's long recipes")]
struct Arguments {
    #[command(subcommand)]
    recipe: Recipe,
}

#[derive(Subcommand)]
enum Recipe {
    /// Ten epochs of the course's run on real CIFAR-10, beside PyTorch's accuracy band
    Convergence {
        /// Folder with a CIFAR-10 layout
        data: PathBuf,
        /// Where to train
        #[arg(long, default_value = "flex")]
        backend: String,
    },
    /// Ten epochs of the course's run beside PyTorch's, from the same weights in the same order
    BesidePytorch {
        /// Folder with cifar-10-batches-bin
        data: PathBuf,
        /// Folder for the results of the single runs, which are not run again, and the plot
        #[arg(long, default_value = "target/beside-pytorch")]
        out: PathBuf,
        /// Where to train
        #[arg(long, default_value = "flex")]
        backend: String,
        /// Passes over the training split
        #[arg(long, default_value_t = 10)]
        epochs: usize,
    },
    /// Runs that are killed, stopped and starved of disk: each must end with the uninterrupted run's bits
    #[cfg(unix)]
    Crash(crash::CrashArguments),
    /// The same five steps from every CIFAR-10 layout and every other format: equal losses to the last digit
    Layouts {
        /// Folder with cifar-10-batches-bin, cifar-10-batches-py and cifar-10-binary.tar.gz
        data: PathBuf,

        /// Folder with the same images in other formats, as examples/pytorch/write_layouts.py writes them
        #[arg(long, value_name = "DIR")]
        made: Option<PathBuf>,
    },
    /// Training steps and forward passes: ours, plain Burn, PyTorch, PyTorch channels_last, in turns
    BenchCpu(bench_cpu_arguments::BenchCpuArguments),
    /// Writes docs/config.md: every key and every component, from the sources
    ConfigPage,
    /// One archive for people without Rust: binaries for any x86-64 Linux, configs, docs, licences
    #[cfg(unix)]
    Dist(dist::DistArguments),
    /// examples/embedded-program, a project of its own: builds and runs it
    Embedded,
    /// Each convolution layer by itself, as a part of the measured multiply-add peak
    BenchKernels {
        /// Turns of each
        #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..))]
        rounds: u64,
        /// Layers whose name contains this
        #[arg(long)]
        only: Option<String>,
        /// PyTorch's channels_last takes turns with ours
        #[arg(long)]
        pytorch: bool,
    },
    /// An older `train` binary beside this one: the same weights to the last bit, the same losses
    SameBits(same_bits::SameBitsArguments),
    /// The kernels' tests under AddressSanitizer
    Sanitize,
    /// The same five steps on every backend: losses within 1e-4
    Backends {
        /// Folder with a CIFAR-10 layout
        data: PathBuf,
        /// Backends to compare
        #[arg(long, value_delimiter = ',', default_value = "flex,ndarray,wgpu")]
        backends: Vec<String>,
    },
    /// Every listed change to the sources, one by one: the golden tests must notice each
    Mutations {
        /// Whose golden tests
        suite: mutations::Suite,
    },
    /// Published networks from torchvision's state dicts: logits, loss, every gradient, running statistics
    ParityZoo(parity_zoo::ParityZooArguments),
    /// `firebrick verify --against` three recorded training steps of each published network
    VerifyZoo(verify_zoo::VerifyZooArguments),
    /// EfficientNet-Lite0 with its published weights beside what PyTorch makes of them
    ParityPublished(parity_zoo::ParityPublishedArguments),
    /// Twenty steps from PyTorch's weights, beside PyTorch's losses and final weights; or random configs beside PyTorch
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Parity {
        #[command(subcommand)]
        other: Option<ParityOf>,
        /// Folder with cifar-10-batches-bin
        #[arg(required = true)]
        data: Option<PathBuf>,
        /// Where to train
        #[arg(long, default_value = "flex")]
        backend: String,
    },
}

#[derive(Subcommand)]
enum ParityOf {
    /// Random configs, eight steps each, taken by both sides from the same weights on the same batches
    Draw(parity_draw::DrawArguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().recipe {
        Recipe::Convergence { data, backend } => convergence::recipe(&data, &backend),
        #[cfg(unix)]
        Recipe::Dist(arguments) => dist::recipe(&arguments),
        Recipe::Embedded => embedded::recipe(),
        Recipe::ConfigPage => config_page::recipe(),
        Recipe::BenchCpu(arguments) => bench_cpu::recipe(&arguments),
        Recipe::BenchKernels { rounds, only, pytorch } => {
            bench_kernels::recipe(rounds, only.as_deref(), pytorch)
        }
        Recipe::SameBits(arguments) => same_bits::recipe(&arguments),
        Recipe::Sanitize => sanitize::recipe(),
        Recipe::BesidePytorch { data, out, backend, epochs } => {
            beside_pytorch::recipe(&data, &out, &backend, epochs)
        }
        #[cfg(unix)]
        Recipe::Crash(arguments) => crash::recipe(&arguments).map_err(|error| -> Failure { error }),
        Recipe::Layouts { data, made } => layouts::recipe(&data, made.as_deref()),
        Recipe::Backends { data, backends } => backends::recipe(&data, &backends),
        Recipe::Mutations { suite } => mutations::recipe(suite),
        Recipe::ParityZoo(arguments) => parity_zoo::recipe(&arguments),
        Recipe::VerifyZoo(arguments) => verify_zoo::recipe(&arguments),
        Recipe::ParityPublished(arguments) => parity_zoo::published(&arguments),
        Recipe::Parity { other: Some(ParityOf::Draw(arguments)), .. } => parity_draw::recipe(&arguments),
        Recipe::Parity { other: None, data: Some(data), backend } => parity::recipe(&data, &backend),
        Recipe::Parity { other: None, data: None, .. } => {
            unreachable!("bug: clap lets `parity` begin without a folder")
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
