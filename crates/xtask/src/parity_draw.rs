//! Random configs beside PyTorch: the same start weights and the same batches give the same losses, gradient norms, rates,
//! weights, averages and evaluations.
//!
//! `config-draw` draws the configs. This side takes the steps and leaves, in a folder for each draw, the resolved config,
//! the start weights and the batches; `pytorch/parity_draw.py` reads those and takes the steps again, in one process for
//! all draws: in f32, in f64, and in f32 with other orders of the additions.
//!
//! Ours must be within 2e-5 of the f32 run. Where a step makes much of little (Adam divides a gradient that is nothing but
//! rounding by its own size) PyTorch's runs are further apart than that; there ours must be as near to one of them as they are to
//! one another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use config_draw::{What, draw};
use firebrick::data::{HostBatch, HostTargets};
use firebrick::models::weights::{NamedParameter, named_parameters};
use firebrick::prelude::*;
use firebrick::train::event::WeightsKind;
use firebrick::train::step::Verdict;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::run::{number, numbers, root};

const SCRIPT: &str = "crates/xtask/pytorch/parity_draw.py";
/// The way that ours is compared with first.
const F32: &str = "float";
const STEPS: usize = 8;
/// Of numbers up to 1; of larger ones this part of them.
const TOLERANCE: f64 = 2e-5;

/// What `cargo xtask parity draw` takes.
#[derive(Args)]
pub struct DrawArguments {
    /// The first draw's seed; the others follow it
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many configs
    #[arg(long, default_value_t = 300)]
    draws: u64,
    /// A Python with torch, torchvision and safetensors
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Folder for what both sides computed
    #[arg(long, default_value = "target/parity-draw")]
    out: PathBuf,
}

/// Takes the steps, lets PyTorch take them, and compares.
pub fn recipe(arguments: &DrawArguments) -> Result<(), Failure> {
    let seeds = arguments.seed..arguments.seed + arguments.draws;
    let mut ours = BTreeMap::new();
    for seed in seeds {
        let folder = arguments.out.join(seed.to_string());
        std::fs::create_dir_all(&folder)?;
        let taken = take(seed, &folder).map_err(|error| format!("draw {seed}: {error}"))?;
        std::fs::write(folder.join("firebrick.json"), serde_json::to_string(&taken.0)?)?;
        ours.insert(folder, taken);
    }
    pytorch(&arguments.python, ours.keys())?;
    let mut verdict = Judgement::default();
    for (folder, ours) in &ours {
        match Quantities::of_pytorch(folder)? {
            Ok(pytorch) => verdict.add(folder, ours, &pytorch),
            Err(reason) => println!("{}: not compared, for PyTorch refuses it: {reason}", folder.display()),
        }
    }
    verdict.tell()
}

/// The numbers of a run by what they are.
struct Quantities(BTreeMap<String, Vec<f64>>);

/// Draws a config, writes what PyTorch needs, and takes the steps.
fn take(seed: u64, folder: &Path) -> Result<Quantities, Failure> {
    let text = draw(seed, What::Pytorch);
    let config = Config::from_toml("drawn", &text, &[])?;
    std::fs::write(folder.join("config.toml"), config.to_toml()?)?;
    let plan = Plan::new(config, "drawn", &())?;
    let mut state = TrainState::new(&plan, plan.initial_model(&plan.backend.device)?)?;
    let mut tensors = Tensors::default();
    let start = named_parameters(state.model());
    tensors.parameters(&start);
    let mut of_steps: [Vec<f64>; 3] = Default::default();
    let mut num_batches = Vec::new();
    let mut epoch = state.batches();
    while num_batches.len() < STEPS {
        let Some(batches) = epoch.next() else {
            epoch = state.batches();
            continue;
        };
        let batches = batches?;
        for (index, batch) in batches.iter().enumerate() {
            tensors.batch(&format!("batch.{}.{index}", num_batches.len()), batch)?;
        }
        let lr = state.lr(num_batches.len() as u64);
        num_batches.push(batches.len());
        let Verdict::Applied(report) = state.step(batches)? else {
            return Err(format!("step {} was refused", num_batches.len()).into());
        };
        for (list, number) in of_steps.iter_mut().zip([report.loss, report.grad_norm, lr]) {
            list.push(number);
        }
    }
    let num_test = tensors.test_split(&plan)?;
    tensors.write(&folder.join("start.safetensors"))?;
    let names: Vec<&str> = start.iter().map(|parameter| parameter.name.as_str()).collect();
    let run = json!({
        "seed": seed, "parameters": names, "batches": num_batches, "test_batches": num_test,
        "steps_per_epoch": plan.steps_per_epoch, "schedule_steps": plan.schedule_steps,
    });
    std::fs::write(folder.join("run.json"), run.to_string())?;
    ours(&state, of_steps)
}

/// What the run came to.
fn ours(
    state: &TrainState<'_, Network>,
    [losses, grad_norms, rates]: [Vec<f64>; 3],
) -> Result<Quantities, Failure> {
    let mut quantities = BTreeMap::from([
        ("losses".to_owned(), losses),
        ("gradient norms".to_owned(), grad_norms),
        ("learning rates".to_owned(), rates),
    ]);
    let mut kinds = vec![(WeightsKind::Raw, "weights", state.trained())];
    kinds.extend(state.averaged().map(|model| (WeightsKind::Ema, "average", model)));
    for (kind, what, model) in kinds {
        let weights = named_parameters(&model);
        let values = weights.iter().flat_map(|parameter| parameter.data.iter::<f64>().collect::<Vec<_>>());
        quantities.insert(what.to_owned(), values.collect());
        let evaluation = state.evaluate_until(Split::Test, kind, &mut |_| false)?;
        let evaluation = evaluation.ok_or("an evaluation ended early")?;
        quantities.insert(format!("test loss of the {what}"), vec![evaluation.score.loss]);
    }
    Ok(Quantities(quantities))
}

/// Tensors on their way into a file.
#[derive(Default)]
struct Tensors(BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>);

impl Tensors {
    fn add<'a>(&mut self, name: String, shape: &[usize], values: impl IntoIterator<Item = &'a f32>) {
        let bytes = values.into_iter().flat_map(|value| value.to_le_bytes()).collect();
        self.0.insert(name, (Dtype::F32, shape.to_vec(), bytes));
    }

    fn parameters(&mut self, parameters: &[NamedParameter]) {
        for NamedParameter { name, shape, data } in parameters {
            let values: Vec<f32> = data.iter::<f32>().collect();
            self.add(format!("weight.{name}"), shape, &values);
        }
    }

    fn batch(&mut self, name: &str, batch: &HostBatch) -> Result<(), Failure> {
        let HostTargets::Classes(labels) = &batch.targets else {
            return Err("expected classes, got probabilities".into());
        };
        let [_, channels, height, width] = batch.shape;
        let values = batch.pixels.clone().into_floats(channels * height * width);
        self.add(format!("{name}.images"), &batch.shape, &values);
        let bytes = labels.iter().flat_map(|label| label.to_le_bytes()).collect();
        self.0.insert(format!("{name}.labels"), (Dtype::I64, vec![labels.len()], bytes));
        Ok(())
    }

    /// The test split image by image; gives their number.
    fn test_split(&mut self, plan: &Plan) -> Result<usize, Failure> {
        let [channels, height, width] = plan.config.model.network.input_shape();
        let split = plan.split(Split::Test)?;
        for index in 0..split.len() {
            let (values, label) = split.get(0, index)?;
            self.add(format!("test.{index}.images"), &[1, channels, height, width], &values);
            let bytes = i64::from(label).to_le_bytes().to_vec();
            self.0.insert(format!("test.{index}.labels"), (Dtype::I64, vec![1], bytes));
        }
        Ok(split.len())
    }

    fn write(&self, path: &Path) -> Result<(), Failure> {
        let views: Result<Vec<_>, _> = self
            .0
            .iter()
            .map(|(name, (dtype, shape, bytes))| Ok((name, TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect();
        let views = views.map_err(|error: safetensors::SafeTensorError| error.to_string())?;
        std::fs::write(path, safetensors::serialize(views, None)?)?;
        Ok(())
    }
}

fn pytorch<'a>(python: &Path, folders: impl Iterator<Item = &'a PathBuf>) -> Result<(), Failure> {
    let mut command = Command::new(python);
    command.arg(root().join(SCRIPT)).args(folders);
    let status = command.status().map_err(|error| format!("{}: {error}", python.display()))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{SCRIPT} ended with {status}").into()),
    }
}

impl Quantities {
    /// PyTorch's runs by the way in which they were computed; or why it refuses the config.
    fn of_pytorch(folder: &Path) -> Result<Result<BTreeMap<String, Self>, String>, Failure> {
        let document: BTreeMap<String, Value> =
            serde_json::from_str(&std::fs::read_to_string(folder.join("torch.json"))?)?;
        if let Some(Value::String(reason)) = document.get("refused") {
            return Ok(Err(reason.clone()));
        }
        let weights = std::fs::read(folder.join("torch.safetensors"))?;
        let weights = SafeTensors::deserialize(&weights)?;
        let read = |(way, document): (&String, &Value)| -> Result<(String, Self), Failure> {
            let mut quantities = BTreeMap::new();
            for what in ["losses", "gradient norms", "learning rates"] {
                quantities.insert(what.to_owned(), numbers(document, what)?);
            }
            for what in ["weights", "average"] {
                let Ok(view) = weights.tensor(&format!("{way}.{what}")) else { continue };
                let (values, _) = view.data().as_chunks::<8>();
                let values = values.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
                quantities.insert(what.to_owned(), values);
                let what = format!("test loss of the {what}");
                let loss = number(document, &what)?;
                quantities.insert(what, vec![loss]);
            }
            Ok((way.clone(), Self(quantities)))
        };
        document.iter().map(read).collect::<Result<_, _>>().map(Ok)
    }
}

/// The largest differences over all draws.
#[derive(Default)]
struct Judgement {
    rows: BTreeMap<String, Row>,
    draws: u64,
    failures: Vec<String>,
}

#[derive(Default)]
struct Row {
    of_ours: f64,
    of_pytorch: f64,
    /// Draws in which all numbers were within the tolerance; in the others PyTorch's own distance counted.
    within_tolerance: u64,
}

impl Judgement {
    fn add(&mut self, folder: &Path, ours: &Quantities, pytorch: &BTreeMap<String, Quantities>) {
        self.draws += 1;
        if pytorch.values().any(|run| !run.0.keys().eq(ours.0.keys())) {
            self.failures.push(format!("{}: other numbers than PyTorch's", folder.display()));
            return;
        }
        for (what, ours) in &ours.0 {
            let of_pytorch = largest_distance(pytorch.values().map(|run| &run.0[what]));
            let of_ours = distance(ours, &pytorch[F32].0[what]);
            let nearest =
                pytorch.values().map(|run| distance(ours, &run.0[what])).fold(f64::INFINITY, f64::min);
            let row = self.rows.entry(what.clone()).or_default();
            row.of_ours = row.of_ours.max(of_ours);
            row.of_pytorch = row.of_pytorch.max(of_pytorch);
            if of_ours <= TOLERANCE {
                row.within_tolerance += 1;
            } else if nearest > of_pytorch {
                self.failures.push(format!(
                    "{}: the {what} differ by {of_ours:.1e}, from PyTorch's nearest run by {nearest:.1e}, PyTorch's runs \
                     from one another by {of_pytorch:.1e}",
                    folder.display()
                ));
            }
        }
    }

    fn tell(self) -> Result<(), Failure> {
        println!(
            "| {} draws of {STEPS} steps | largest difference from PyTorch | PyTorch's runs from one another | draws within \
             {TOLERANCE:.0e} |",
            self.draws
        );
        println!("|---|---|---|---|");
        for (what, row) in &self.rows {
            let Row { of_ours, of_pytorch, within_tolerance } = row;
            println!("| {what} | {of_ours:.1e} | {of_pytorch:.1e} | {within_tolerance} |");
        }
        if self.failures.is_empty() {
            return Ok(());
        }
        Err(format!("{} differences:\n{}", self.failures.len(), self.failures.join("\n")).into())
    }
}

/// The largest distance between two of some runs.
fn largest_distance<'a>(runs: impl Iterator<Item = &'a Vec<f64>>) -> f64 {
    let runs: Vec<_> = runs.collect();
    let pairs = runs.iter().enumerate().flat_map(|(index, a)| runs[index + 1..].iter().map(move |b| (a, b)));
    pairs.map(|(a, b)| distance(a, b)).fold(0.0, f64::max)
}

/// The largest difference between two lists, as a part of numbers above 1; infinite when their lengths differ or one of
/// them is not a number.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    let each = a.iter().zip(b).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    each.fold(0.0, |largest, each| if each.is_nan() { f64::INFINITY } else { each.max(largest) })
}
