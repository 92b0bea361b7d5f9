//! Published networks beside PyTorch's, from full state dicts at the published image size.
//!
//! `crates/firebrick-models/tests/golden/make_zoo.py` is the other side: torchvision's weights for a seed, and what
//! they give, in f64. Or published weights and a recorded training step of them.

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

#[derive(Args)]
pub struct ParityZooArguments {
    /// Networks to compare; all published ones when absent
    names: Vec<String>,
    /// Sides of the images
    #[arg(long, value_delimiter = ',', default_value = "224,193")]
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
    let own = ["tudui", "lenet", "sequential"];
    let all = ModelConfig::NAMES.iter().copied().filter(|name| !own.contains(name));
    let names: Vec<String> = match arguments.names.is_empty() {
        true => all.map(str::to_owned).collect(),
        false => arguments.names.clone(),
    };
    let mut failed = Vec::new();
    for name in &names {
        let folder = tempfile::tempdir()?;
        let sizes: Vec<String> = sizes(name, arguments).iter().map(usize::to_string).collect();
        let mut command = make_zoo(&arguments.python);
        python(command.arg("full").arg(name).arg(folder.path()).args(&sizes))?;
        for size in sizes {
            let expected = read(&folder.path().join(format!("{size}.safetensors")))?;
            let weights = folder.path().join("state_dict.safetensors");
            let side: usize = size.parse()?;
            let arguments = json!({ "num_classes": 7, "input_shape": [3, side, side] });
            let compared = compare(name, arguments, &weights, &expected)?;
            println!("{name} at {size}: {compared}");
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

/// CIFAR's networks have a published size of their own.
fn sizes(name: &str, arguments: &ParityZooArguments) -> Vec<usize> {
    match name {
        "resnet20" | "resnet56" | "resnet110" => vec![32, 29],
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
    println!("efficientnet_lite0 with published weights: {compared}");
    match compared.step > TRAIN_TOLERANCE || compared.eval > TRAIN_TOLERANCE {
        true => Err("not within 1e-4".into()),
        false => Ok(()),
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

/// The largest errors, each of the largest element of its tensor.
struct Compared {
    eval: f64,
    step: f64,
    worst: String,
    num_tensors: usize,
}

impl Compared {
    fn fails(&self) -> bool {
        self.eval.is_nan() || self.eval > EVAL_TOLERANCE || self.step > TRAIN_TOLERANCE
    }
}

impl std::fmt::Display for Compared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { eval, step, worst, num_tensors } = self;
        write!(
            f,
            "evaluation within {eval:.1e}, training step within {step:.1e} ({worst}) of {num_tensors} tensors"
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
    let named = |arguments| {
        ModelConfig::deserialize_named(name, arguments)
            .ok_or_else(|| format!("no network is called `{name}`"))
    };
    let written = serde_json::to_value(named(arguments.clone())??)?;
    for key in ["dropout", "drop_path"].into_iter().filter(|key| written.get(key).is_some()) {
        arguments[key] = json!(0.0);
    }
    let config: ModelConfig = named(arguments)?.map_err(|error: serde_json::Error| error)?;
    let plain = "flex".parse::<BackendChoice>()?.open()?.device;
    let device = plain.clone().autodiff();
    let (model, report) = load(config.init(1, &device), weights, LoadOptions::default())?;
    if !matches!(&report.matched_by, MatchedBy::Name { prefix } if prefix.is_empty()) {
        return Err(format!("{name}: expected every tensor under its own name: {report}").into());
    }
    let evaluated = model.valid().forward(images(expected, &plain)?);
    let eval = error(&host(evaluated)?, &tensor(expected, "logits_eval")?.1, None);

    let labels: Vec<i64> = tensor(expected, "labels")?.1.iter().map(|label| *label as i64).collect();
    let labels_n = Tensor::<1, Int>::from_data(TensorData::from(labels.as_slice()), &device);
    let logits_nk = model.forward(images(expected, &device)?);
    let loss = log_softmax(logits_nk, 1).gather(1, labels_n.unsqueeze_dim(1)).mean().neg();
    let loss_error = error(&host(loss.clone())?, &tensor(expected, "loss")?.1, None);
    let gradients = loss.backward();
    let mut step =
        Step { gradients: &gradients, expected, worst: (loss_error, "loss".to_owned()), num_tensors: 2 };
    visit::<Network, _>(&model, &mut step);
    let Step { worst: (error, worst), num_tensors, .. } = step;
    let in_file = expected.keys().filter(|key| key.starts_with("grad.") || key.starts_with("after.")).count();
    if num_tensors != in_file + 2 {
        return Err(
            format!("{name}: expected {in_file} gradients and statistics, got {}", num_tensors - 2).into()
        );
    }
    Ok(Compared { eval, step: error, worst, num_tensors })
}

/// Compares every gradient and running statistic that the file has.
struct Step<'a> {
    gradients: &'a Gradients,
    expected: &'a Tensors,
    worst: (f64, String),
    num_tensors: usize,
}

impl Visit for Step<'_> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: &Param<Tensor<D>>) {
        let (key, ours) = match at.role {
            Role::Buffer => (format!("after.{}", at.path), Some(parameter.val())),
            _ => (format!("grad.{}", at.path), parameter.grad(self.gradients)),
        };
        let Some((_, theirs)) = self.expected.get(&key) else { return };
        let ours = ours.map(|ours| if at.role.is_transposed() { ours.transpose() } else { ours });
        let ours = ours.and_then(|ours| host(ours).ok()).unwrap_or_default();
        let scale = self.expected.get(&format!("scale.{}", at.path)).map(|(_, scale)| scale[0]);
        let error = error(&ours, theirs, scale);
        self.num_tensors += 1;
        if error.is_nan() || error > self.worst.0 {
            self.worst = (error, key);
        }
    }
}

/// The largest difference, of the largest element or of `scale`.
fn error(ours: &[f32], theirs: &[f64], scale: Option<f64>) -> f64 {
    if ours.len() != theirs.len() {
        return f64::INFINITY;
    }
    let largest = theirs.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    let differences = ours.iter().zip(theirs).map(|(ours, theirs)| (f64::from(*ours) - theirs).abs());
    let worst = differences.fold(0.0, |most: f64, d| if d.is_nan() { f64::INFINITY } else { most.max(d) });
    worst / scale.unwrap_or(largest)
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
