//! Times training steps of Tudui and LeNet: `step NET BATCH KERNELS STEPS`, with NET `tudui` or
//! `lenet`, KERNELS `ours`, `unfused` (ours without fused pooling) or `burn`.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::time::Instant;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Distribution, Int, Tensor};
use firebrick_kernels::{Activation, Conv2dOptions, Pool, conv2d_block};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Clone, Copy, PartialEq)]
enum Kernels {
    Ours,
    Unfused,
    Burn,
}

#[derive(Module, Debug)]
struct Net {
    convs: Vec<Conv2d>,
    linears: Vec<Linear>,
    #[module(skip)]
    relu: bool,
}

impl Net {
    fn new(name: &str, device: &Device) -> Self {
        let conv = |i, o, p| {
            Conv2dConfig::new([i, o], [5, 5]).with_padding(PaddingConfig2d::Explicit(p, p, p, p)).init(device)
        };
        let linear = |i, o| LinearConfig::new(i, o).init(device);
        match name {
            "tudui" => Self {
                convs: vec![conv(3, 32, 2), conv(32, 32, 2), conv(32, 64, 2)],
                linears: vec![linear(1024, 64), linear(64, 10)],
                relu: false,
            },
            _ => Self {
                convs: vec![conv(1, 6, 0), conv(6, 16, 0)],
                linears: vec![linear(400, 120), linear(120, 84), linear(84, 10)],
                relu: true,
            },
        }
    }

    fn forward(&self, mut x: Tensor<4>, kernels: Kernels) -> Tensor<2> {
        let activation = if self.relu { Activation::Relu } else { Activation::None };
        for conv in &self.convs {
            if kernels == Kernels::Burn {
                x = conv.forward(x);
                x = if self.relu { relu(x) } else { x };
                x = max_pool2d(x, MaxPoolOptions::new([2, 2]));
                continue;
            }
            let padding = if self.relu { [0, 0] } else { [2, 2] };
            let options = Conv2dOptions { padding, ..Conv2dOptions::default() };
            let bias = conv.bias.as_ref().map(|bias| bias.val());
            let pool = if kernels == Kernels::Ours { Pool::Max2x2 } else { Pool::None };
            x = conv2d_block(x, conv.weight.val(), bias, options, activation, pool);
            if kernels == Kernels::Unfused {
                x = max_pool2d(x, MaxPoolOptions::new([2, 2]));
            }
        }
        let mut x = x.flatten(1, 3);
        for (index, linear) in self.linears.iter().enumerate() {
            x = linear.forward(x);
            if self.relu && index + 1 < self.linears.len() {
                x = relu(x);
            }
        }
        x
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let name = arguments.get(1).map_or("tudui", String::as_str);
    let batch: usize = arguments.get(2).map_or(64, |n| n.parse().unwrap());
    let kernels = match arguments.get(3).map(String::as_str) {
        Some("burn") => Kernels::Burn,
        Some("unfused") => Kernels::Unfused,
        _ => Kernels::Ours,
    };
    let steps: usize = arguments.get(4).map_or(50, |n| n.parse().unwrap());
    #[allow(deprecated)]
    let device = if arguments.get(5).is_some_and(|name| name == "ndarray") {
        Device::ndarray()
    } else {
        Device::flex()
    };
    device.seed(1);
    let training = device.clone().autodiff();
    let mut net = Net::new(name, &training);
    let mut optimizer = SgdConfig::new().init();
    let channels = if name == "tudui" { 3 } else { 1 };
    let images = Tensor::<4>::random([batch, channels, 32, 32], Distribution::Default, &device);
    let labels = Tensor::<1, Int>::from_data(
        burn::tensor::TensorData::new((0..batch as i64).map(|i| i % 10).collect::<Vec<_>>(), [batch]),
        &device,
    );
    let loss_function = CrossEntropyLossConfig::new().init(&training);
    let mut times = Vec::new();
    let mut last = 0.0f32;
    for _ in 0..steps {
        let start = Instant::now();
        let x = Tensor::<4>::from_inner(images.clone());
        let y = Tensor::<1, Int>::from_inner(labels.clone());
        let logits = net.forward(x, kernels);
        let loss = loss_function.forward(logits, y);
        last = loss.clone().into_scalar::<f32>();
        let gradients = GradientsParams::from_grads(loss.backward(), &net);
        net = optimizer.step(0.01, net, gradients);
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let (best, median) = (times[0], times[times.len() / 2]);
    println!(
        "{name} batch {batch} {}: best {:.3} ms = {:.0} images/s, median {:.3} ms = {:.0} images/s, loss {last}",
        arguments.get(3).map_or("ours", String::as_str),
        best * 1e3,
        batch as f64 / best,
        median * 1e3,
        batch as f64 / median
    );
}
