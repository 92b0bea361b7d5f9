//! `summary`: a network's layers, output shapes and parameters.

use firebrick::models::{ModelConfig, ModelSummary};
use firebrick::train::backend::BackendChoice;
use serde_json::json;

use crate::args::SummaryArguments;
use crate::exit::Exit;
use crate::message::Failure;
use crate::output::{self, Align};
use crate::resolve::{cpu_backend, read_config};
use crate::style::{listed, thousands};

/// Prints a line for each layer, and what they add up to.
pub fn run(arguments: &SummaryArguments) -> Result<Exit, Failure> {
    let network = match &arguments.model {
        Some(name) => named(name, arguments.num_classes)?,
        None => read_config(arguments.config.as_deref(), &[])?.0.model.network,
    };
    let backend = cpu_backend().parse::<BackendChoice>()?.open()?;
    let summary = ModelSummary::of(&network.init(0, &backend.device));
    match arguments.json {
        true => output::json(&json!(summary))?,
        false => output::line(as_text(&summary))?,
    }
    Ok(Exit::Done)
}

/// A network of the registry by name alone.
fn named(name: &str, num_classes: usize) -> Result<ModelConfig, Failure> {
    let refused = |error: String| {
        Failure::usage(format!("model `{name}`: {error}"))
            .hint("describe it in a config and use --config FILE")
    };
    let arguments = json!({ "num_classes": num_classes });
    let Some(model) = ModelConfig::deserialize_named(name, arguments) else {
        let names = listed(ModelConfig::NAMES.iter().copied());
        return Err(Failure::usage(format!("unknown model `{name}`, expected one of {names}")));
    };
    let model = model.map_err(|error| refused(error.to_string()))?;
    model.validate().map_err(|error| refused(error.to_string()))?;
    Ok(model)
}

fn as_text(summary: &ModelSummary) -> String {
    let columns = [
        ("layer", Align::Left),
        ("what it is", Align::Left),
        ("output", Align::Right),
        ("parameters", Align::Right),
        ("multiply-adds", Align::Right),
    ];
    let input =
        vec!["input".to_owned(), String::new(), shape(&summary.input_shape), String::new(), String::new()];
    let number = |number: u64| match number {
        0 => String::new(),
        number => thousands(number),
    };
    let layers = summary.layers.iter().flatten().map(|layer| {
        vec![
            layer.path.clone(),
            layer.repr.clone(),
            shape(&layer.output_shape),
            number(layer.num_parameters as u64),
            number(layer.multiply_adds),
        ]
    });
    let total = summary.num_parameters as u64;
    format!(
        "{}\n\n{}\n\n{} parameters, {:.2} MiB as f32{}",
        summary.name,
        output::table(&columns, std::iter::once(input).chain(layers)),
        thousands(total),
        total as f64 * 4.0 / f64::from(1 << 20),
        summary
            .multiply_adds
            .map_or(String::new(), |sum| format!("; {} multiply-adds an image", thousands(sum)))
    )
}

/// Without the batch, as `3x32x32`.
fn shape(sizes: &[usize]) -> String {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    sizes.join("x")
}
