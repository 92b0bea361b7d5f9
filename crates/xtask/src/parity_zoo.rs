//! Published networks beside PyTorch's, from full state dicts at the published image size.
//!
//! `crates/firebrick-models/tests/golden/make_zoo.py` is the other side: torchvision's weights for a seed, what they give in
//! f64, and how far PyTorch's own f32 is from that. Or published weights and a recorded training step of them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use burn::module::{Module, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use clap::Args;
use firebrick::models::walk::{ParamRef, Role, Visit, visit};
use firebrick::models::weights::{LoadOptions, MatchedBy, load};
use firebrick::models::{ModelConfig, Network};
use firebrick::train::backend::BackendChoice;
use safetensors::SafeTensors;
use serde_json::json;

use crate::failure::Failure;
use crate::run::root;

/// Of the largest element, after one training step.
const TRAIN_TOLERANCE: f64 = 1e-4;
/// Of the largest element, in evaluation.
const EVAL_TOLERANCE: f64 = 1e-5;
/// Where rounding moves PyTorch's own f32 by more than that: this many times as far as the furthest of its runs.
pub const TIMES_PYTORCH: f64 = 3.0;

#[derive(Args)]
pub struct ParityZooArguments {
    /// Networks to compare; all published ones when absent
    names: Vec<String>,
    /// Sides of the images
    #[arg(long, value_delimiter = ',', default_value = "224,97")]
    sizes: Vec<usize>,
    /// A Python with torch, torchvision, numpy and safetensors (and efficientnet-lite-pytorch for efficientnet_lite0)
    #[arg(long, default_value = "python3")]
    python: String,
}

#[derive(Args)]
pub struct ParityPublishedArguments {
    /// The published file efficientnet-lite0.pth
    weights: PathBuf,
    /// What PyTorch makes of it: efficientnet_lite0.expected.safetensors
    expected: PathBuf,
    /// The folder of the photos that the expected file names
    photos: PathBuf,
    /// A Python with torch, torchvision and safetensors
    #[arg(long, default_value = "python3")]
    python: String,
}

/// Tensors of a file, as f64.
type Tensors = HashMap<String, (Vec<usize>, Vec<f64>)>;

pub fn recipe(arguments: &ParityZooArguments) -> Result<(), Failure> {
    let names = if arguments.names.is_empty() { published_names() } else { arguments.names.clone() };
    println!("{HEADER}");
    let mut failed = Vec::new();
    for name in &names {
        for size in sizes(name, arguments) {
            let folder = tempfile::tempdir()?;
            let mut command = make_zoo(&arguments.python);
            python(command.arg("full").arg(name).arg(folder.path()).arg(size.to_string()))?;
            let expected = read(&folder.path().join(format!("{size}.safetensors")))?;
            let weights = folder.path().join(format!("{size}.state_dict.safetensors"));
            let arguments = json!({ "num_classes": 7, "input_shape": [3, size, size] });
            let compared = compare(name, arguments, &weights, &expected)?;
            println!("{}", compared.row(name, size));
            if compared.fails() {
                failed.push(format!("{name} at {size}"));
            }
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("not within the tolerances: {}", failed.join(", ")).into()),
    }
}

const HEADER: &str = "\
| network | images of | parameters | evaluation | PyTorch's f32 | training step | PyTorch's f32 | beyond 1e-4 | furthest |
|---|---|---|---|---|---|---|---|---|";

/// The networks that PyTorch's side has, too.
pub fn published_names() -> Vec<String> {
    let own = ["tudui", "lenet", "sequential"];
    ModelConfig::NAMES.iter().filter(|name| !own.contains(name)).map(|name| (*name).to_owned()).collect()
}

/// Whether a network has an argument.
pub fn has_argument(name: &str, key: &str) -> Result<bool, Failure> {
    let config = ModelConfig::deserialize_named(name, json!({}))
        .ok_or_else(|| format!("no network is called `{name}`"))?
        .map_err(|error: serde_json::Error| error)?;
    Ok(serde_json::to_value(config)?.get(key).is_some())
}

/// CIFAR's networks have a published size of their own.
fn sizes(name: &str, arguments: &ParityZooArguments) -> Vec<usize> {
    match name {
        "resnet20" | "resnet56" | "resnet110" | "airbench94" => vec![32, 29],
        _ => arguments.sizes.clone(),
    }
}

pub fn published(arguments: &ParityPublishedArguments) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let images = folder.path().join("images.safetensors");
    let mut command = make_zoo(&arguments.python);
    command.arg("photos").arg(&arguments.weights).arg(&arguments.expected);
    python(command.arg(&arguments.photos).arg(&images))?;
    let mut expected = read(&arguments.expected)?;
    expected.extend(read(&images)?);
    // Gradients are compared with f64: a ReLU6 next to its kink moves those of f32 by more than rounding.
    for (given, ours) in [("logits", "logits_eval"), ("loss_train", "loss")] {
        let tensor = expected.remove(given).ok_or_else(|| format!("expected a tensor `{given}`"))?;
        expected.insert(ours.to_owned(), tensor);
    }
    let compared = compare("efficientnet_lite0", json!({}), &arguments.weights, &expected)?;
    let worst = compared.worst();
    println!(
        "efficientnet_lite0 with published weights: evaluation within {:.1e}, training step within {:.1e} ({}) of {} tensors",
        compared.eval.ours,
        worst.ours,
        worst.tensor,
        compared.step.len()
    );
    match worst.ours <= TRAIN_TOLERANCE && compared.eval.ours <= TRAIN_TOLERANCE {
        true => Ok(()),
        false => Err("not within 1e-4".into()),
    }
}

fn make_zoo(python: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(root().join("crates/firebrick-models/tests/golden/make_zoo.py"));
    command
}

fn python(command: &mut Command) -> Result<(), Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("{program}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} ended with {status}").into()) }
}

/// How far a tensor is from PyTorch's f64, of its largest element.
#[derive(Clone, Default)]
struct Distance {
    tensor: String,
    ours: f64,
    /// PyTorch's f32, the furthest of its runs.
    pytorch: f64,
}

impl Distance {
    fn is_within(&self, tolerance: f64) -> bool {
        self.ours <= tolerance.max(TIMES_PYTORCH * self.pytorch)
    }

    /// How much of what it may be off by it is.
    fn share(&self, tolerance: f64) -> f64 {
        let share = self.ours / tolerance.max(TIMES_PYTORCH * self.pytorch);
        if share.is_nan() { f64::INFINITY } else { share }
    }
}

/// How far everything is from PyTorch's f64.
struct Compared {
    num_parameters: usize,
    eval: Distance,
    /// Logits, the loss, all gradients and running statistics of a training step.
    step: Vec<Distance>,
}

impl Compared {
    fn fails(&self) -> bool {
        !self.eval.is_within(EVAL_TOLERANCE) || !self.step.iter().all(|one| one.is_within(TRAIN_TOLERANCE))
    }

    /// The tensor that is furthest of what it may be off by.
    fn worst(&self) -> Distance {
        let by_share =
            |a: &&Distance, b: &&Distance| a.share(TRAIN_TOLERANCE).total_cmp(&b.share(TRAIN_TOLERANCE));
        self.step.iter().max_by(by_share).cloned().unwrap_or_default()
    }

    /// A row of the table.
    fn row(&self, name: &str, size: usize) -> String {
        let largest = |of: fn(&Distance) -> f64| self.step.iter().map(of).fold(0.0, f64::max);
        let (ours, pytorch) = (largest(|one| one.ours), largest(|one| one.pytorch));
        let beyond =
            |of: fn(&Distance) -> f64| self.step.iter().filter(|one| of(one) > TRAIN_TOLERANCE).count();
        let (num_ours, num_pytorch) = (beyond(|one| one.ours), beyond(|one| one.pytorch));
        let worst = self.worst();
        format!(
            "| `{name}` | {size} | {} | {:.1e} | {:.1e} | {ours:.1e} | {pytorch:.1e} | {num_ours} and {num_pytorch} of {} | \
             `{}` {:.1e}, {:.1e} |{}",
            self.num_parameters,
            self.eval.ours,
            self.eval.pytorch,
            self.step.len(),
            worst.tensor,
            worst.ours,
            worst.pytorch,
            if self.fails() { " **fails**" } else { "" },
        )
    }
}

/// One evaluation and one training step from the same weights.
fn compare(
    name: &str,
    mut arguments: serde_json::Value,
    weights: &Path,
    expected: &Tensors,
) -> Result<Compared, Failure> {
    for key in ["dropout", "drop_path"] {
        if has_argument(name, key)? {
            arguments[key] = json!(0.0);
        }
    }
    let config: Option<Result<_, serde_json::Error>> = ModelConfig::deserialize_named(name, arguments);
    let config: ModelConfig = config.ok_or_else(|| format!("no network is called `{name}`"))??;
    let plain = "flex".parse::<BackendChoice>()?.open()?.device;
    let device = plain.clone().autodiff();
    let (model, report) = load(config.init(1, &device), weights, LoadOptions::default())?;
    if !matches!(&report.matched_by, MatchedBy::Name { prefix } if prefix.is_empty()) {
        return Err(format!("{name}: expected every tensor under its own name: {report}").into());
    }
    let num_parameters = model.num_params();
    if let Some((_, theirs)) =
        expected.get("parameters").filter(|(_, theirs)| theirs[0] != num_parameters as f64)
    {
        return Err(format!("{name}: expected {} parameters, got {num_parameters}", theirs[0]).into());
    }
    let evaluated = model.valid().forward(images(expected, &plain)?);
    let eval = distance(expected, "logits_eval", &host(evaluated)?)?;

    let labels: Vec<i64> = tensor(expected, "labels")?.1.iter().map(|label| *label as i64).collect();
    let labels_n = Tensor::<1, Int>::from_data(TensorData::from(labels.as_slice()), &device);
    let logits_nk = model.forward(images(expected, &device)?);
    let mut step = Vec::new();
    if expected.contains_key("logits_train") {
        step.push(distance(expected, "logits_train", &host(logits_nk.clone())?)?);
    }
    let loss = log_softmax(logits_nk, 1).gather(1, labels_n.unsqueeze_dim(1)).mean().neg();
    step.push(distance(expected, "loss", &host(loss.clone())?)?);
    let num_before = step.len();
    let gradients = loss.backward();
    let mut step = Step { gradients: &gradients, expected, distances: step };
    visit::<Network, _>(&model, &mut step);
    let step = step.distances;
    let in_file = expected.keys().filter(|key| key.starts_with("grad.") || key.starts_with("after.")).count();
    if step.len() != in_file + num_before {
        let got = step.len() - num_before;
        return Err(format!("{name}: expected {in_file} gradients and statistics, got {got}").into());
    }
    Ok(Compared { num_parameters, eval, step })
}

/// Compares every gradient and running statistic that the file has.
struct Step<'a> {
    gradients: &'a Gradients,
    expected: &'a Tensors,
    distances: Vec<Distance>,
}

impl Visit for Step<'_> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: &Param<Tensor<D>>) {
        let (key, ours) = match at.role {
            Role::Buffer => (format!("after.{}", at.path), Some(parameter.val())),
            _ => (format!("grad.{}", at.path), parameter.grad(self.gradients)),
        };
        let ours = ours.map(|ours| if at.role.is_transposed() { ours.transpose() } else { ours });
        let ours = ours.and_then(|ours| host(ours).ok()).unwrap_or_default();
        self.distances.extend(distance(self.expected, &key, &ours));
    }
}

/// The largest difference from the tensor `key`, of its largest element, or of the `scale` that the file has for it.
fn distance(expected: &Tensors, key: &str, ours: &[f32]) -> Result<Distance, Failure> {
    let (_, theirs) = tensor(expected, key)?;
    let scale = key.split_once('.').and_then(|(_, path)| expected.get(&format!("scale.{path}")));
    let largest = theirs.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    let scale = scale.filter(|_| key.starts_with("grad.")).map_or(largest, |(_, scale)| scale[0]);
    let pytorch = expected.get(&format!("pytorch.{key}"));
    let pytorch = pytorch.map_or(0.0, |(_, runs)| runs.iter().copied().fold(0.0, f64::max));
    let differences = ours.iter().zip(theirs).map(|(ours, theirs)| (f64::from(*ours) - theirs).abs());
    let worst = differences.fold(0.0, |most: f64, d| if d.is_nan() { f64::INFINITY } else { most.max(d) });
    let ours = if ours.len() == theirs.len() { worst / scale } else { f64::INFINITY };
    Ok(Distance { tensor: key.to_owned(), ours, pytorch: pytorch / scale })
}

fn host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, Failure> {
    tensor.into_data().try_into_vec().map_err(|error| format!("{error:?}").into())
}

fn images(expected: &Tensors, device: &Device) -> Result<Tensor<4>, Failure> {
    let (shape, values) = tensor(expected, "images")?;
    let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
    Ok(Tensor::from_data(TensorData::new(values, shape.clone()), device))
}

fn tensor<'a>(tensors: &'a Tensors, name: &str) -> Result<&'a (Vec<usize>, Vec<f64>), Failure> {
    tensors.get(name).ok_or_else(|| format!("expected a tensor `{name}`").into())
}

fn read(path: &Path) -> Result<Tensors, Failure> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    let tensors = file.iter().map(|(name, view)| {
        let values = match view.dtype() {
            safetensors::Dtype::F32 => {
                view.data().as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()
            }
            safetensors::Dtype::I64 => {
                view.data().as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect()
            }
            other => return Err(format!("{}: {name}: {other:?}", path.display()).into()),
        };
        Ok((name.to_owned(), (view.shape().to_vec(), values)))
    });
    tensors.collect()
}
