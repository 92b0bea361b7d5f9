//! One side of `cargo xtask bench-cpu`: a network, a batch, and as many steps as the other side asks for.
//!
//! Says `ready` after its first step, then answers each line with a number of steps by the seconds
//! that they took.

#![allow(clippy::print_stdout)]

mod failure;
mod resnet;
mod sequential;

use std::io::BufRead;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use firebrick::data::{HostBatch, HostPixels, HostTargets};
use firebrick::loss::{CrossEntropyLossConfig, LossConfig};
use firebrick::models::{ImageClassifier, LeNetConfig, ModelConfig, NetworkConfig, TuduiConfig};
use firebrick::train::backend::{Backend, BackendChoice, own_process};
use firebrick::train::optimizer::{Optimizer, OptimizerConfig, Rates, SgdConfig};
use firebrick::train::step::{Clipping, StepRules, Verdict};
use firebrick::train::{Config, Criterion};

use failure::Failure;
use resnet::ResNet;

/// As the `train` binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    /// A network that is written here, `zoo:NAME`, or a config that names one
    #[arg(long, value_parser = network)]
    network: Network,
    #[arg(long)]
    batch: usize,
    #[arg(long)]
    pass: Pass,
    #[arg(long, default_value = "flex")]
    backend: String,
}

#[derive(Clone)]
enum Network {
    Named(Name),
    /// As `model.name` of a config has it, with that network's own arguments.
    Zoo(ModelConfig),
    FromConfig(PathBuf),
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    Tudui,
    Lenet,
    /// Its `forward` is written by hand.
    Resnet18,
    Resnet20,
    /// The same as data.
    Resnet18Data,
    Mobilenet,
    Mlp,
}

fn network(text: &str) -> Result<Network, String> {
    if let Some(name) = text.strip_prefix("zoo:") {
        let read = ModelConfig::deserialize_named(name, serde_json::json!({}));
        let read = read.ok_or_else(|| format!("no network is called `{name}`"))?;
        return read.map(Network::Zoo).map_err(|error: serde_json::Error| error.to_string());
    }
    match text.ends_with(".toml") {
        true => Ok(Network::FromConfig(text.into())),
        false => Name::from_str(text, false).map(Network::Named),
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Pass {
    /// Forward, loss, backward, finite check, SGD with momentum.
    Train,
    /// Forward without gradients.
    Forward,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    // As the `train` binary does.
    own_process();
    let backend = arguments.backend.parse::<BackendChoice>()?.open()?;
    let device = &backend.device;
    let name = match &arguments.network {
        Network::Named(name) => *name,
        Network::Zoo(network) => return serve(network.init(0, device), &arguments, &backend),
        Network::FromConfig(file) => {
            let network = Config::from_file(file, &[])?.model.network;
            return serve(network.init(0, device), &arguments, &backend);
        }
    };
    match name {
        Name::Tudui => serve(TuduiConfig { num_classes: 10 }.init(0, device), &arguments, &backend),
        Name::Lenet => serve(LeNetConfig { num_classes: 10 }.init(0, device), &arguments, &backend),
        Name::Resnet18 => serve(ResNet::resnet18(0, device)?, &arguments, &backend),
        Name::Resnet20 => serve(ResNet::resnet20(0, device)?, &arguments, &backend),
        Name::Resnet18Data => serve(sequential::resnet18()?.init(0, device), &arguments, &backend),
        Name::Mobilenet => serve(sequential::mobilenet()?.init(0, device), &arguments, &backend),
        Name::Mlp => serve(sequential::mlp()?.init(0, device), &arguments, &backend),
    }
}

fn serve<M: ImageClassifier>(model: M, arguments: &Arguments, backend: &Backend) -> Result<(), Failure> {
    let mut bench = Bench::new(model, arguments.batch, backend)?;
    let mut pass = |steps: usize| -> Result<f64, Failure> {
        let begun = Instant::now();
        for _ in 0..steps {
            match arguments.pass {
                Pass::Train => bench.train()?,
                Pass::Forward => bench.forward(),
            }
        }
        Ok(begun.elapsed().as_secs_f64())
    };
    pass(1)?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        println!("{}", pass(line?.trim().parse()?)?);
    }
    Ok(())
}

/// Every parameter's own rate, always.
struct Unscheduled;

impl Rates for Unscheduled {
    fn lr(&self, base_lr: f64) -> f64 {
        base_lr
    }
}

struct Bench<M> {
    model: Option<M>,
    trained: M,
    batch: HostBatch,
    loss: Criterion,
    optimizer: Optimizer,
    backend: Backend,
}

impl<M: ImageClassifier> Bench<M> {
    fn new(model: M, batch: usize, backend: &Backend) -> Result<Self, Failure> {
        let [channels, height, width] = model.input_shape();
        // Any numbers do: the kernels do not look at them.
        let images = (0..batch * channels * height * width).map(|i| (i % 251) as f32 / 251.0).collect();
        let labels: Vec<i64> = (0..batch as i64).map(|i| i % 10).collect();
        let batch = HostBatch {
            pixels: HostPixels::Floats(images),
            shape: [batch, channels, height, width],
            targets: HostTargets::Classes(labels.clone()),
            labels,
            sample_indices: (0..batch).collect(),
        };
        let sgd = SgdConfig { lr: 1e-3, momentum: 0.9, ..SgdConfig::default() };
        let num_classes = model.num_classes();
        let loss = LossConfig::CrossEntropy(CrossEntropyLossConfig::default()).for_classes(num_classes)?;
        let model = model.train();
        let trained = model.valid();
        let optimizer = Optimizer::new(&OptimizerConfig::Sgd(sgd))?;
        Ok(Self { model: Some(model), trained, batch, loss, optimizer, backend: backend.clone() })
    }

    fn train(&mut self) -> Result<(), Failure> {
        let Some(model) = self.model.take() else { return Err("the model is gone".into()) };
        let batch = self.batch.clone();
        let rules = StepRules { backend: &self.backend, loss: &self.loss, clipping: Clipping::default() };
        let (model, verdict) = rules.step(model, vec![batch], &mut self.optimizer, &Unscheduled)?;
        self.model = Some(model);
        match verdict {
            Verdict::Applied(_) => Ok(()),
            Verdict::Refused(refusal) => Err(format!("{} is {}", refusal.what, refusal.value).into()),
        }
    }

    fn forward(&self) {
        let batch = self.batch.clone().to_tensors(&self.backend.device);
        // Reading the logits waits for them.
        let _ = self.trained.forward(batch.images_nchw).into_data();
    }
}
