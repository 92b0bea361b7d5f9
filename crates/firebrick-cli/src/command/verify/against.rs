//! `verify --against TRACE`: a training run step for step beside a recorded one.

use std::path::{Path, PathBuf};

use clap::Args;
use firebrick::train::replay::replay;
use firebrick::train::trace::{StepDifference, Trace, TraceError};
use firebrick::train::{Control, Plan};

use crate::attended::Attended;
use crate::console::Format;
use crate::exit::Exit;
use crate::message::Failure;
use crate::output::{self, Align};
use crate::resolve::{overrides, read_config};
use crate::style::{Style, counted};

/// What `verify --against` takes.
#[derive(Debug, Args)]
pub struct AgainstArguments {
    /// Train by --config and compare each step with this recording, as of PyTorch
    #[arg(long, value_name = "TRACE", requires = "config")]
    pub against: Option<PathBuf>,

    /// Config to train by
    #[arg(long, value_name = "FILE", requires = "against")]
    pub config: Option<PathBuf>,

    /// Change a key of the config, as in --set trainer.backend=flex; may be repeated
    #[arg(long, value_name = "KEY.PATH=VALUE", conflicts_with = "run")]
    pub set: Vec<String>,

    /// Largest difference of two losses, or of two norms relative to norms above 1, that counts as none
    #[arg(long, value_name = "X", default_value_t = 2e-4, requires = "against")]
    pub tolerance: f64,
}

/// Replays and compares.
pub fn run(trace: &Path, arguments: &AgainstArguments) -> Result<Exit, Failure> {
    let tolerance = arguments.tolerance;
    if tolerance.is_nan() || tolerance < 0.0 {
        return Err(Failure::usage(format!("--tolerance: expected a number from 0, got {tolerance}")));
    }
    let (config, name) = read_config(arguments.config.as_deref(), &overrides(&arguments.set)?)?;
    let recording = Trace::read(trace)?;
    let attended = Attended::new(Format::for_people())?;
    let plan = attended.finish(Plan::new(config, &name, &attended.progress()))?;
    let model = plan.config.model.network.init(0, &plan.backend.device);
    let recording = recording.with_names_of(&model, trace)?;
    let num_steps = recording.steps.len() as u64;
    let mut differences = Vec::with_capacity(recording.steps.len());
    let refused = attended.finish(replay(&plan, num_steps, &mut |step, loss, model| {
        differences.extend(recording.compare(step, loss, model, tolerance));
        match attended.signals.received() {
            Some(_) => Control::Stop,
            None => Control::Continue,
        }
    }))?;
    attended.go_on()?;
    output::line(table(&differences))?;
    let verdict = match refused {
        Some(refusal) => Err(format!(
            "step {} cannot be taken: {} is {}",
            differences.len() + 1,
            refusal.what,
            refusal.value
        )),
        None => verdict(&differences, tolerance),
    };
    let style = Style::stdout();
    let made_with = recording.made_with.map_or_else(String::new, |made_with| format!(" ({made_with})"));
    let recorded = format!("{}{made_with}", trace.display());
    match verdict {
        Ok(agreement) => {
            output::line(format!("\n{} with {recorded}: {agreement}", style.green("equal")))?;
            Ok(Exit::Done)
        }
        Err(difference) => {
            output::line(format!("\n{} from {recorded}: {difference}", style.red("different")))?;
            if let Some(note) = about_accumulation(plan.config.trainer.accumulate_grad_batches) {
                output::line(note)?;
            }
            Ok(Exit::Failed)
        }
    }
}

/// What a recording of a run with several batches in a step has to be.
fn about_accumulation(batches: usize) -> Option<String> {
    (batches > 1).then(|| {
        format!(
            "trainer.accumulate_grad_batches = {batches}: a step is that of one batch that holds them all. torch's \
             (loss / {batches}).backward() for each batch is the same only for equal batches and a plain mean; \
             examples/pytorch/record_trace.py shows how to record the one batch"
        )
    })
}

fn table(differences: &[StepDifference]) -> String {
    let columns = [
        ("step", Align::Right),
        ("loss", Align::Right),
        ("recorded", Align::Right),
        ("difference", Align::Right),
        ("tensor that differs", Align::Left),
    ];
    let rows = differences.iter().map(|step| {
        vec![
            step.step.to_string(),
            format!("{:.6}", step.loss),
            format!("{:.6}", step.recorded),
            format!("{:.1e}", step.loss_difference()),
            step.tensor.as_ref().map_or_else(String::new, |tensor| tensor.name.clone()),
        ]
    });
    output::table(&columns, rows)
}

/// What is the same, or what differs first.
fn verdict(differences: &[StepDifference], tolerance: f64) -> Result<String, String> {
    let Some(first) = differences.iter().find(|step| !step.agrees(tolerance)) else {
        let worst = differences.iter().map(StepDifference::loss_difference).fold(0.0, f64::max);
        let steps = counted(differences.len() as u64, "step");
        return Ok(format!("the losses of {steps} are within {worst:.1e}"));
    };
    let mut text = format!("first at step {}", first.step);
    if first.loss_difference() > tolerance {
        text.push_str(&format!(", by {:.1e} in the loss", first.loss_difference()));
    }
    let with_tensor = differences.iter().find_map(|step| Some((step.step, step.tensor.as_ref()?)));
    if let Some((step, tensor)) = with_tensor {
        text.push_str(&format!(
            "; first tensor {} after step {step}, norm {:.6}, recorded {:.6}",
            tensor.name, tensor.norm, tensor.recorded
        ));
    }
    Err(text)
}

impl From<TraceError> for Failure {
    fn from(error: TraceError) -> Self {
        Self::Refused { exit: Exit::Data, text: error.to_string(), hint: None }
    }
}
