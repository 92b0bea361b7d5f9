//! `devices`: every backend, whether this build holds it, what it finds here, what `auto` takes.

use clap::Args;
use firebrick::train::backend::{BackendChoice, BackendName, device_name};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::message::Failure;
use crate::output::{self, Align};

/// What `devices` takes.
#[derive(Debug, Args)]
pub struct DevicesArguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What is known of one backend.
struct Row {
    name: BackendName,
    compiled: bool,
    devices: Vec<String>,
}

/// Prints a line for each device of each backend.
pub fn run(arguments: &DevicesArguments) -> Result<Exit, Failure> {
    let rows: Vec<Row> = BackendName::ALL
        .into_iter()
        .map(|name| Row {
            name,
            compiled: name.is_compiled(),
            devices: name.devices().iter().map(device_name).collect(),
        })
        .collect();
    let auto = BackendChoice::Auto.open().map(|backend| (backend.name, backend.device_name));
    match arguments.json {
        true => {
            let auto = auto.ok().map(|(name, device)| json!({ "backend": name.as_str(), "device": device }));
            output::json(&as_json(&rows, auto))?;
        }
        false => {
            let auto = match auto {
                Ok((name, device)) => format!("auto takes {name} ({device})"),
                Err(error) => format!("auto: {error}"),
            };
            output::line(format!("{}\n\n{auto}", as_text(&rows)))?;
        }
    }
    Ok(Exit::Done)
}

fn as_json(rows: &[Row], auto: Option<Value>) -> Value {
    let backends: Vec<Value> = rows
        .iter()
        .map(|row| json!({ "backend": row.name.as_str(), "compiled": row.compiled, "devices": row.devices }))
        .collect();
    json!({ "backends": backends, "auto": auto })
}

fn as_text(rows: &[Row]) -> String {
    let columns = [("backend", Align::Left), ("in this build", Align::Left), ("devices", Align::Left)];
    output::table(&columns, rows.iter().flat_map(lines))
}

fn lines(row: &Row) -> Vec<Vec<String>> {
    let compiled = if row.compiled { "yes" } else { "no" };
    let line =
        |backend: &str, compiled: &str, device: String| vec![backend.to_owned(), compiled.to_owned(), device];
    let name = row.name.as_str();
    if !row.compiled {
        return vec![line(name, compiled, format!("build with --features {name}"))];
    }
    if row.devices.is_empty() {
        return vec![line(name, compiled, "none found".to_owned())];
    }
    let numbered = row.devices.len() > 1;
    let devices = row.devices.iter().enumerate();
    devices
        .map(|(index, device)| {
            let backend = if numbered { format!("{name}:{index}") } else { name.to_owned() };
            line(&backend, compiled, described(device))
        })
        .collect()
}

/// Names of Mesa's drivers that draw on the CPU: for Vulkan and for OpenGL.
const SOFTWARE_DRIVERS: [&str; 3] = ["llvmpipe", "lavapipe", "softpipe"];

/// A device's name; of Mesa's drivers that draw on the CPU, also that it is no graphics card.
fn described(device: &str) -> String {
    let name = device.to_lowercase();
    match SOFTWARE_DRIVERS.iter().any(|driver| name.contains(driver)) {
        true => format!("{device}: Mesa's software driver, which computes on the CPU"),
        false => device.to_owned(),
    }
}
