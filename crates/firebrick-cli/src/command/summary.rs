//! `summary`: a network's layers, output shapes and parameters.

use std::path::{Path, PathBuf};

use clap::Args;
use firebrick::component::Family;
use firebrick::models::{LayerSummary, ModelConfig, ModelSummary};
use firebrick::train::backend::BackendChoice;
use firebrick::train::config::in_words;
use firebrick::train::{Config, fine_tuning};
use serde_json::json;

use crate::exit::Exit;
use crate::message::Failure;
use crate::output::{self, Align};
use crate::resolve::{config_beside, cpu_backend, read_config};
use crate::style::{listed, thousands};

/// What `summary` takes.
#[derive(Debug, Args)]
pub struct SummaryArguments {
    /// Name of a network, as in a config's [model]; a config file; or a run's folder
    /// [default: the compiled-in configs/quickstart.toml]
    #[arg(value_name = "NETWORK", conflicts_with = "config")]
    network: Option<String>,

    /// Config whose [model] to show; the same as naming it without the flag
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Classes of a network that is named; a config has its own [default: 10]
    #[arg(long, value_name = "N", requires = "network")]
    num_classes: Option<usize>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Classes of a network that comes without a config.
const NUM_CLASSES: usize = 10;

/// Prints a line for each layer, and what they add up to.
pub fn run(arguments: &SummaryArguments) -> Result<Exit, Failure> {
    let meant = match &arguments.network {
        Some(network) => meant(network, arguments.num_classes)?,
        None => Meant::of(read_config(arguments.config.as_deref(), &[])?.0),
    };
    let backend = cpu_backend().parse::<BackendChoice>()?.open()?;
    let network = match meant {
        Meant::Network(network) => network.init(0, &backend.device),
        Meant::Config(config) => {
            let network = config.model.network.init(0, &backend.device);
            fine_tuning::frozen(&config, network)?
        }
    };
    let summary = ModelSummary::of(&network);
    match arguments.json {
        true => output::json(&json!(summary))?,
        false => output::line(as_text(&summary))?,
    }
    Ok(Exit::Done)
}

/// What is to be shown.
enum Meant {
    /// A network by name.
    Network(ModelConfig),
    /// That of a config, with what is frozen in it.
    Config(Box<Config>),
}

impl Meant {
    fn of(config: Config) -> Self {
        Self::Config(Box::new(config))
    }
}

/// A name that the models know, otherwise a file or folder.
fn meant(network: &str, num_classes: Option<usize>) -> Result<Meant, Failure> {
    let path = Path::new(network);
    let file = if path.is_dir() { config_beside(path) } else { path.is_file().then(|| path.to_owned()) };
    match (named(network, num_classes.unwrap_or(NUM_CLASSES)), file) {
        (Some(model), _) => model.map(Meant::Network),
        (None, Some(file)) if num_classes.is_none() => Ok(Meant::of(read_config(Some(&file), &[])?.0)),
        (None, Some(file)) => {
            let text = format!("--num-classes goes with the name of a network, and {network} has its own");
            Err(Failure::usage(text).hint(format!("change model.num_classes in {}", file.display())))
        }
        (None, None) if path.is_dir() => {
            Err(Failure::usage(format!("{network}: expected a run folder, with config.toml in it")))
        }
        (None, None) => {
            let names = listed(ModelConfig::NAMES.iter().copied());
            Err(Failure::usage(format!(
                "unknown model `{network}`, expected one of {names}, a config file or a run folder"
            )))
        }
    }
}

/// A network of the registry by name alone; none if it has no such name.
pub fn named(name: &str, num_classes: usize) -> Option<Result<ModelConfig, Failure>> {
    let refused = |error: String| {
        Failure::usage(format!("model `{name}`: {error}"))
            .hint("describe it in a config and name that: firebrick summary FILE.toml")
    };
    // More classes than TOML's whole numbers reach are refused as more than a network may have.
    let num_classes = toml::Value::Integer(i64::try_from(num_classes).unwrap_or(i64::MAX));
    let arguments = toml::Table::from_iter([("num_classes".to_owned(), num_classes)]);
    let model = ModelConfig::read_named(name, arguments)?;
    let checked = model.map_err(|error| refused(in_words(&error))).and_then(|model| {
        model.validate().map_err(|error| refused(error.to_string()))?;
        Ok(model)
    });
    Some(checked)
}

/// A column of the table: its title, how its cells stand, and what a layer has there.
type Column = (&'static str, Align, fn(&LayerSummary) -> String);

const COLUMNS: [Column; 5] = [
    ("layer", Align::Left, |layer| layer.path.clone()),
    ("what it is", Align::Left, |layer| layer.repr.clone()),
    ("output", Align::Right, |layer| shape(&layer.output_shape)),
    ("parameters", Align::Right, |layer| count(layer.num_parameters as u64)),
    ("multiply-adds", Align::Right, |layer| count(layer.multiply_adds)),
];

fn as_text(summary: &ModelSummary) -> String {
    let titles = COLUMNS.map(|(title, align, _)| (title, align));
    let input = COLUMNS.map(|(title, ..)| match title {
        "layer" => "input".to_owned(),
        "output" => shape(&summary.input_shape),
        _ => String::new(),
    });
    let layers = summary.layers.iter().flatten().map(|layer| COLUMNS.map(|(_, _, cell)| cell(layer)).into());
    let total = summary.num_parameters as u64;
    format!(
        "{}\n\n{}\n\n{} parameters{}, {:.2} MiB as f32{}",
        summary.name,
        output::table(&titles, std::iter::once(input.into()).chain(layers)),
        thousands(total),
        trained(summary.num_trained as u64, total),
        total as f64 * 4.0 / f64::from(1 << 20),
        summary
            .multiply_adds
            .map_or(String::new(), |sum| format!("; {} multiply-adds an image", thousands(sum)))
    )
}

/// How many are not frozen, where any are.
fn trained(trained: u64, total: u64) -> String {
    if trained == total { String::new() } else { format!(", {} of them trained", thousands(trained)) }
}

/// A number, and nothing for none.
fn count(number: u64) -> String {
    if number == 0 { String::new() } else { thousands(number) }
}

/// Without the batch, as `3x32x32`.
fn shape(sizes: &[usize]) -> String {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    sizes.join("x")
}
