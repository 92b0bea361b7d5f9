//! A network of your own with a layer of your own, under a name that a config can use: trained on the bundled
//! digits, resumed, evaluated, asked about an image, and exported.
//!
//! `cargo run --example custom_model`

#![allow(clippy::print_stdout)]

use burn::tensor::activation::silu;
use firebrick::component::{ArgumentError, Component};
use firebrick::data::{Image, open};
use firebrick::models::layer::{Activations, Conv2d, Flatten, Layer, Linear, MaxPool2d, Parameters};
use firebrick::models::weights::{NameStyle, save_safetensors};
use firebrick::models::{Named, NetworkConfig, NetworkPlan, Shape};
use firebrick::prelude::*;
use firebrick::train::evaluate::{EvaluationOptions, evaluate};
use firebrick::train::{backend::BackendChoice, checkpoint::Which, event::WeightsKind};
use firebrick::train::{run_folder::Resume, trained::TrainedRun};

/// `x * sigmoid(x)`.
#[derive(Debug)]
struct Silu;

impl Component for Silu {}
#[rustfmt::skip]
impl Layer for Silu {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> { input.image().map(Shape::Image) }
    fn forward(&self, _: &Parameters, x: Activations) -> Activations { silu(x.images()).into() }
    fn repr(&self, _: Shape) -> String { "SiLU()".to_owned() }
}

/// `[model] name = "small"`.
#[rustfmt::skip]
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Small { width: usize, num_classes: usize }
#[rustfmt::skip]
impl Component for Small {
    fn validate(&self) -> Result<(), ArgumentError> { self.build().map(drop) }
}
#[rustfmt::skip]
impl NetworkConfig for Small {
    fn input_shape(&self) -> [usize; 3] { [1, 16, 16] }
    fn num_classes(&self) -> usize { self.num_classes }
    fn set_num_classes(&mut self, num_classes: usize) { self.num_classes = num_classes; }
    fn build(&self) -> Result<NetworkPlan, ArgumentError> {
        NetworkPlan::new("Small", self.input_shape(), vec![
            Conv2d::new(self.width, 3).padding(1).named("conv"), // [n, width, 16, 16]
            Silu.named("act"),
            MaxPool2d::new(2).named("pool"), //                     [n, width, 8, 8]
            Flatten {}.named("flatten"),
            Linear::new(self.num_classes).named("fc"), //           [n, num_classes]
        ])
    }
}

const CONFIG: &str = r#"model = { name = "small", width = 8, num_classes = 10 }
data = { dataset = "digits", batch_size = 32 }
loss = { name = "cross_entropy" }
optimizer = { name = "sgd", lr = 0.05, momentum = 0.9 }
trainer = { epochs = 1, backend = "flex" }"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    ModelConfig::register::<Small>("small")?;
    let (folder, backend) = (tempfile::tempdir()?, "flex".parse::<BackendChoice>()?.open()?);
    let run_dir = folder.path().join("run");
    Trainer::new(Config::from_toml("custom", CONFIG, &[])?).run_dir(&run_dir).run()?;
    let longer = Config::from_toml("custom", CONFIG, &["trainer.epochs=4".parse()?])?;
    let outcome = Trainer::new(longer).run_dir(&run_dir).resume(Resume::Latest).run()?;
    println!("{}\n{:?}", outcome.model, outcome.status);
    let run = TrainedRun::open(&run_dir, Which::Latest, WeightsKind::Raw, &backend.device)?;
    let test = open(&run.config.data, run.state.preprocess.input, 0, &())?.test;
    let (loss, options) =
        (run.config.loss.for_classes(10)?, EvaluationOptions { batch_size: 32, workers: 0 });
    let evaluation = evaluate(&run.model, test, &loss, &backend, options, &mut |_| false)?;
    println!("test accuracy: {:?}", evaluation.map(|evaluation| evaluation.score.accuracy));
    let blank = Image { channels: 1, height: 8, width: 8, pixels: vec![0; 64].into() };
    println!("a blank image: {:?}", run.predict(&blank, &backend.device)?.first());
    Ok(save_safetensors(&run.model, &run_dir.join("small.safetensors"), NameStyle::Firebrick, &[].into())?)
}
