//! `loss`: one loss on numbers from the command line or from NumPy files: its value, its gradient, and
//! the arithmetic in steps.

mod array;
mod npy;

use std::path::Path;

use clap::Args;
use clap::builder::PossibleValuesParser;
use firebrick::component::{Family, text};
use firebrick::loss::{
    DType, Evaluation, InputKind, InputSlot, Inputs, LossConfig, LossError, TensorData, evaluate, explain,
};
use firebrick::train::backend::BackendChoice;
use firebrick::train::config::in_words;
use serde_json::{Map, Value, json};

use crate::command::loss::array::Array;
use crate::console::say;
use crate::exit::Exit;
use crate::message::Failure;
use crate::output;
use crate::resolve::cpu_backend;

/// What `loss` takes.
#[derive(Debug, Args)]
pub struct LossArguments {
    /// Name of a loss, as in a config's [loss]
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(LossConfig::NAMES))]
    pub name: String,

    /// Input of the loss: numbers in brackets, as in '[[0.1, 0.2, 0.3]]', or a file X.npy
    #[arg(long, value_name = "NUMBERS", allow_hyphen_values = true)]
    pub input: Option<String>,

    /// Target of the loss, in the same forms
    #[arg(long, value_name = "NUMBERS", allow_hyphen_values = true)]
    pub target: Option<String>,

    /// An input with another name, as in --tensor var='[1, 2]' or --tensor anchor=a.npy
    #[arg(long, value_name = "NAME=NUMBERS")]
    pub tensor: Vec<String>,

    /// How the losses become one number: none, mean, sum; for kl_div also batchmean
    #[arg(long, value_name = "HOW")]
    pub reduction: Option<String>,

    /// An argument of the loss, as in --set beta=0.5 or --set weight='[1, 2, 0]'; may be repeated
    #[arg(long, value_name = "ARGUMENT=VALUE")]
    pub set: Vec<String>,

    /// Show the gradient too
    #[arg(long)]
    pub backward: bool,

    /// Show the arithmetic in steps, where there is a short one
    #[arg(long)]
    pub explain: bool,

    /// Print one JSON object: {"loss": .., "gradient": ..}
    #[arg(long)]
    pub json: bool,

    /// Where to compute [default: flex]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
}

/// Prints the loss, and what else was asked for.
pub fn run(arguments: &LossArguments) -> Result<Exit, Failure> {
    let config = arguments.config()?;
    let inputs = arguments.inputs(&config)?;
    let backend = arguments.backend.clone().unwrap_or_else(cpu_backend);
    let backend = backend.parse::<BackendChoice>()?.open()?;
    let result = evaluate(&config, &inputs, arguments.backward, &backend.device).map_err(refused)?;
    let steps = match arguments.explain {
        true => explain(&config, &inputs),
        false => None,
    };
    if arguments.explain && steps.is_none() {
        say(&format!("{}: no short explanation of this loss with these numbers", arguments.name));
    }
    match arguments.json {
        true => output::json(&as_json(&result, steps))?,
        false => print(&result, steps)?,
    }
    Ok(Exit::Done)
}

fn refused(error: LossError) -> Failure {
    Failure::usage(error.to_string())
}

impl LossArguments {
    /// The loss with the arguments of `--set` and `--reduction`.
    fn config(&self) -> Result<LossConfig, Failure> {
        let mut arguments = Map::new();
        for set in &self.set {
            let (name, value) = named("--set", "ARGUMENT=VALUE", set)?;
            // What is no JSON is text, so that `--set reduction=sum` needs no quotes.
            let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
            arguments.insert(name.into(), value);
        }
        if let Some(reduction) = &self.reduction {
            if let Some(other) = arguments.get("reduction") {
                let text = format!("--set reduction={other} has no effect beside --reduction");
                return Err(Failure::usage(text).hint("say it once"));
            }
            arguments.insert("reduction".into(), json!(reduction));
        }
        let name = &self.name;
        let arguments = toml::Table::try_from(Value::Object(arguments))
            .map_err(|error| Failure::usage(format!("{name}: {}", text::one_line(&error.to_string()))))?;
        let config = LossConfig::read_named(name, arguments)
            .ok_or_else(|| Failure::usage(format!("unknown loss `{name}`")))?
            .map_err(|error| Failure::usage(format!("{name}: {}", in_words(&error))))?;
        config.check().map_err(refused)?;
        Ok(config)
    }

    /// The inputs in the element types that the loss takes.
    fn inputs(&self, config: &LossConfig) -> Result<Inputs, Failure> {
        let arrays = self.arrays()?;
        let has_f64 = arrays.iter().any(|(_, array)| array.is_f64());
        let float = if has_f64 { DType::F64 } else { DType::F32 };
        let first = config.inputs().first().map(|slot| slot.name);
        let shape_of = |wanted: Option<&str>| {
            let found = arrays.iter().find(|(name, _)| Some(name.as_str()) == wanted);
            found.map(|(_, array)| array.shape.clone())
        };
        let input_shape = shape_of(first);
        arrays
            .iter()
            .map(|(name, array)| {
                let slot = config.inputs().iter().find(|slot| slot.name == name);
                let is_float = slot.is_none_or(|slot| takes_floats(slot, array, input_shape.as_deref()));
                let data = if is_float { array.floats(float) } else { array.integers(name)? };
                Ok((name.clone(), data))
            })
            .collect()
    }

    /// What was given, by name.
    fn arrays(&self) -> Result<Vec<(String, Array)>, Failure> {
        let mut given: Vec<(&str, &str)> = Vec::new();
        given.extend(self.input.as_deref().map(|text| ("input", text)));
        given.extend(self.target.as_deref().map(|text| ("target", text)));
        for tensor in &self.tensor {
            given.push(named("--tensor", "NAME=NUMBERS", tensor)?);
        }
        let mut arrays: Vec<(String, Array)> = Vec::new();
        for (name, text) in given {
            if arrays.iter().any(|(other, _)| other == name) {
                return Err(Failure::usage(format!("input `{name}` is given twice, expected once")));
            }
            let array = match text.ends_with(".npy") {
                true => npy::read(Path::new(text))?,
                false => Array::parse(name, text)?,
            };
            arrays.push((name.into(), array));
        }
        Ok(arrays)
    }
}

/// Probabilities and class indices are told apart as a person would: by a decimal point, or by having
/// the shape of the input.
fn takes_floats(slot: &InputSlot, array: &Array, input_shape: Option<&[usize]>) -> bool {
    match slot.kind {
        InputKind::Float => true,
        InputKind::Index => false,
        InputKind::FloatOrIndex => !array.is_integer() || Some(&array.shape[..]) == input_shape,
    }
}

/// `NAME=VALUE` in its two halves.
fn named<'a>(flag: &str, form: &str, argument: &'a str) -> Result<(&'a str, &'a str), Failure> {
    match argument.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim(), value.trim())),
        _ => Err(Failure::usage(format!("{flag} {argument}: expected {form}, got no `=`"))),
    }
}

fn print(result: &Evaluation, steps: Option<Vec<String>>) -> Result<(), Failure> {
    for step in steps.into_iter().flatten() {
        output::line(step)?;
    }
    output::line(as_text(&result.output))?;
    let is_one = result.gradients.len() == 1;
    for (name, gradient) in &result.gradients {
        let of = if is_one { String::new() } else { format!(" of {name}") };
        output::line(format!("gradient{of} {}", as_text(gradient)))?;
    }
    Ok(())
}

fn as_text(data: &TensorData) -> String {
    array::nested(data, &array::short).to_string().replace('"', "").replace(',', ", ")
}

fn as_json(result: &Evaluation, steps: Option<Vec<String>>) -> Value {
    let exact = |data: &TensorData| array::nested(data, &array::exact);
    let mut object = json!({ "loss": exact(&result.output) });
    let gradients: Map<String, Value> =
        result.gradients.iter().map(|(name, data)| (name.clone(), exact(data))).collect();
    match gradients.values().next() {
        None => {}
        Some(only) if gradients.len() == 1 => object["gradient"] = only.clone(),
        Some(_) => object["gradient"] = Value::Object(gradients),
    }
    if let Some(steps) = steps {
        object["steps"] = json!(steps);
    }
    object
}
