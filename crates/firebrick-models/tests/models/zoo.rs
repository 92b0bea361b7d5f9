//! Every published network beside PyTorch's: names and parameter counts, one training step, one evaluation.
//!
//! `golden/make_zoo.py` makes the files and explains them. `cargo xtask parity-zoo` compares full state dicts at the
//! published image size.

use std::collections::HashMap;
use std::path::PathBuf;

use burn::module::{Module, Param};
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use firebrick_models::layer::Init;
use firebrick_models::walk::{ParamRef, Role, Visit, visit};
use firebrick_models::{ModelConfig, NetworkPlan};
use safetensors::tensor::SafeTensors;
use serde_json::{Value, json};

use super::golden::{compare, golden, host, mean_cross_entropy};
use super::support::{fixture, flex, read};
use super::zoo_formula::{Formula, fnv};

/// Of the largest element, after a training step.
const TRAIN_TOLERANCE: f64 = 1e-4;
/// Of the largest element, in evaluation.
const EVAL_TOLERANCE: f64 = 1e-5;
/// Length of the hidden linear layers of VGG and AlexNet, whose own would be 120 million parameters.
const HIDDEN: usize = 64;

type Expected = HashMap<String, (Vec<usize>, Vec<f32>)>;

/// A test of its own for each network, so that they run beside each other and say which one it is.
macro_rules! networks {
    ($($name:ident)*) => {
        $(
            mod $name {
                #[test]
                fn golden_zoo_agrees_with_pytorch() {
                    super::check(stringify!($name));
                }
            }
        )*

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

networks! {
    resnet18 resnet34 resnet50 resnet101 resnext50_32x4d wide_resnet50_2 resnet20 resnet56 resnet110 resnet18_cifar
    vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn alexnet squeezenet1_1 densenet121 mobilenet_v2
    mobilenet_v3_small mobilenet_v3_large shufflenet_v2_x1_0 regnet_y_400mf efficientnet_lite0 efficientnet_b0
    convnext_tiny convnext_small airbench94
}

/// Networks that are written here and not in a library of published ones.
const OWN: [&str; 3] = ["tudui", "lenet", "sequential"];

#[test]
fn every_published_network_is_compared() {
    for name in ModelConfig::NAMES.iter().filter(|name| !OWN.contains(name)) {
        assert!(NAMES.contains(name), "{name}");
    }
}

/// A network of the test's list with these arguments besides.
fn config(name: &str, mut arguments: Value) -> ModelConfig {
    let registered = match name {
        "resnet18_cifar" => {
            arguments["stem"] = json!("cifar");
            "resnet18"
        }
        name => name,
    };
    let config: Result<_, serde_json::Error> =
        ModelConfig::deserialize_named(registered, arguments).unwrap_or_else(|| panic!("{name}"));
    config.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The plan with neither dropout nor stochastic depth, and with short hidden layers.
fn plan(name: &str, [height, width]: [usize; 2]) -> NetworkPlan {
    let shape = json!({ "num_classes": 7, "input_shape": [3, height, width] });
    let written = serde_json::to_value(config(name, shape.clone())).unwrap();
    let mut arguments = shape;
    for (key, value) in
        [("dropout", json!(0.0)), ("drop_path", json!(0.0)), ("hidden_features", json!(HIDDEN))]
    {
        if written.get(key).is_some() {
            arguments[key] = value;
        }
    }
    let plan = config(name, arguments).build().unwrap_or_else(|error| panic!("{name}: {error}"));
    // The formula takes their place: nothing has to be drawn.
    plan.initialised(|_, _| Some(Init::Constant(0.0)))
}

/// Names and shapes of all tensors of the state dict, as one number, and how many numbers training changes.
#[test]
fn names_shapes_and_counts_are_torchvisions() {
    let table: Value = serde_json::from_slice(&std::fs::read(fixture("zoo.json")).unwrap()).unwrap();
    let table = table.as_object().unwrap();
    assert_eq!(table.len(), NAMES.len());
    for name in NAMES {
        let row = &table[*name];
        let plan = config(name, json!({ "num_classes": row["num_classes"] })).build().unwrap();
        let count: usize = plan.layers().iter().map(|layer| layer.num_parameters()).sum();
        assert_eq!(json!(count), row["parameters"], "{name}");
        let tensors = plan.layers().iter().flat_map(|layer| {
            let path = layer.path.clone();
            layer.parameters.iter().map(move |spec| (format!("{path}.{}", spec.name), spec.shape.clone()))
        });
        let mut tensors: Vec<(String, Vec<usize>)> = tensors.collect();
        tensors.sort();
        let lines = tensors.iter().map(|(path, shape)| {
            let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
            format!("{path}:{}\n", sizes.join(","))
        });
        let text: String = lines.collect();
        assert_eq!(format!("{:016x}", fnv(&text)), row["names"], "{name}: one of\n{text}");
    }
}

/// Published networks take the published size and 1000 classes, and refuse images that are too small in words.
#[test]
fn defaults_are_the_published_ones() {
    for name in NAMES {
        let config = config(name, json!({}));
        let is_cifar = ["resnet20", "resnet56", "resnet110", "airbench94"].contains(name);
        let (shape, num_classes) = if is_cifar { ([3, 32, 32], 10) } else { ([3, 224, 224], 1000) };
        assert_eq!((config.input_shape(), config.num_classes()), (shape, num_classes), "{name}");
        let written = serde_json::to_value(&config).unwrap();
        let again: ModelConfig = serde_json::from_value(written).unwrap();
        assert_eq!(again, config);
    }
    let small = config("alexnet", json!({ "input_shape": [3, 32, 32] }));
    insta::assert_snapshot!(small.validate().unwrap_err(), @"input_shape: expected a size that every layer can take (layers[0].layers[12].kernel_size needs at most 1x1, which is an image of 256x1x1 with its padding), got [3, 32, 32], which makes it 3x3");
    let none = config("efficientnet_lite0", json!({ "input_shape": [3, 0, 32] }));
    insta::assert_snapshot!(none.validate().unwrap_err(), @"input_shape: expected [channels, height, width], each 1 to 65536 and 268435456 together at most, got [3, 0, 32]");
    let certain = config("efficientnet_b0", json!({ "drop_path": 1.0 }));
    insta::assert_snapshot!(certain.validate().unwrap_err(), @"drop_path: expected 0 <= value < 1, got 1");
}

fn file(name: &str) -> PathBuf {
    golden(&format!("zoo/{name}.safetensors"))
}

fn metadata(name: &str) -> HashMap<String, String> {
    let bytes = std::fs::read(file(name)).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    header.metadata().clone().unwrap()
}

fn numbers<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> Vec<T> {
    text.split(' ').map(|number| number.parse().unwrap()).collect()
}

fn check(name: &str) {
    let (formula, metadata, expected) = (Formula::new(), metadata(name), read(&file(name)));
    let images = |count: usize, [height, width]: [usize; 2], device: &Device| {
        let values = formula.images(&metadata["images"], count * 3 * height * width);
        Tensor::<4>::from_data(TensorData::new(values, [count, 3, height, width]), device)
    };
    let size = |key: &str| -> [usize; 2] { numbers(&metadata[key]).try_into().unwrap() };

    let eval = size("eval_size");
    let model = Formula::new().for_evaluation().fill(plan(name, eval).init(0, &flex()));
    let logits_nk = host(model.forward(images(2, eval, &flex())));
    compare(name, "logits_eval", &logits_nk, &expected["logits_eval"].1, EVAL_TOLERANCE);
    drop(model);

    let (training, train) = (flex().autodiff(), size("train_size"));
    let model = formula.fill(plan(name, train).init(0, &training));
    let labels: Vec<i64> = numbers(&metadata["labels"]);
    let labels_n = Tensor::<1, Int>::from_data(TensorData::from(labels.as_slice()), &training);
    let logits_nk = model.forward(images(labels.len(), train, &training));
    let loss = mean_cross_entropy(logits_nk.clone(), labels_n);
    compare(name, "logits_train", &host(logits_nk), &expected["logits_train"].1, TRAIN_TOLERANCE);
    compare(name, "loss", &host(loss.clone()), &expected["loss"].1, TRAIN_TOLERANCE);
    let gradients = loss.backward();
    check_tensors(
        name,
        &model,
        &expected,
        "gradients",
        |at| at.role != Role::Buffer,
        Some(&gradients),
        &formula,
    );
    check_tensors(name, &model, &expected, "statistics", |at| at.role == Role::Buffer, None, &formula);
}

/// Each tensor's numbers, in the order of the names; gradients, or the tensors themselves.
fn check_tensors<M: Module>(
    name: &str,
    model: &M,
    expected: &Expected,
    key: &str,
    wanted: fn(&ParamRef) -> bool,
    gradients: Option<&Gradients>,
    formula: &Formula,
) {
    let mut found = Found { wanted, gradients, formula, tensors: Vec::new() };
    visit(model, &mut found);
    found.tensors.sort_by(|left, right| left.0.cmp(&right.0));
    let (shape, rows) = &expected[key];
    assert_eq!(shape[0], found.tensors.len(), "{name}: number of {key}");
    let mut worst = (0.0, String::new());
    for ((path, ours), theirs) in found.tensors.iter().zip(rows.chunks_exact(9)) {
        let theirs: Vec<f64> = theirs.iter().map(|value| f64::from(*value)).collect();
        let [scale, spread, largest, norm, projection, samples @ ..] = theirs.as_slice() else {
            unreachable!()
        };
        let mut errors = vec![(ours[0] - largest).abs() / scale];
        errors.extend([(ours[1] - norm).abs(), (ours[2] - projection).abs()].map(|error| error / spread));
        errors.extend(ours[3..].iter().zip(samples).map(|(ours, theirs)| (ours - theirs).abs() / scale));
        let error = errors
            .into_iter()
            .fold(0.0, |most: f64, error| if error.is_nan() { f64::INFINITY } else { most.max(error) });
        if error >= worst.0 {
            worst = (error, path.clone());
        }
    }
    let (error, path) = worst;
    assert!(error <= TRAIN_TOLERANCE, "{name}: {key}: {path} is off by {error:.1e} of its largest element");
    if std::env::var_os("FIREBRICK_GOLDEN_PRINT").is_some() {
        println!("{name}: {key}: {error:.1e} in {path}");
    }
}

/// Collects each tensor's largest magnitude, norm, projection and four elements, in torch's layout.
struct Found<'a> {
    wanted: fn(&ParamRef) -> bool,
    gradients: Option<&'a Gradients>,
    formula: &'a Formula,
    tensors: Vec<(String, [f64; 7])>,
}

impl Visit for Found<'_> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: &Param<Tensor<D>>) {
        if !(self.wanted)(at) {
            return;
        }
        let tensor = match self.gradients {
            Some(gradients) => {
                parameter.grad(gradients).unwrap_or_else(|| panic!("no gradient of {}", at.path))
            }
            None => parameter.val(),
        };
        let tensor = if at.role.is_transposed() { tensor.transpose() } else { tensor };
        let data = tensor.into_data();
        self.tensors.push((at.path.clone(), seven(data.as_slice::<f32>().unwrap(), self.formula)));
    }
}

fn seven(values: &[f32], formula: &Formula) -> [f64; 7] {
    let start = Formula::start("projection");
    let (mut largest, mut squares, mut projection) = (0.0_f64, 0.0, 0.0);
    for (element, value) in values.iter().enumerate() {
        let value = f64::from(*value);
        largest = largest.max(value.abs());
        squares += value * value;
        projection += value * formula.unit(start, element);
    }
    let sample = |quarter: usize| f64::from(values[values.len() * quarter / 4]);
    [largest, squares.sqrt(), projection, sample(0), sample(1), sample(2), sample(3)]
}
