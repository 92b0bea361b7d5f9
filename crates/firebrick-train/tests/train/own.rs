//! A program's own optimiser and its own schedule: registered by name, named in a config, trained with, resumed.

use burn::tensor::Tensor;
use firebrick_component::{ArgumentError, Component, check};
use firebrick_train::optimizer::{
    GroupConfig, Layouts, Memory, OptimizerConfig, Rule, StepContext, Tunables,
};
use firebrick_train::run_folder::{Resume, RunLocation};
use firebrick_train::schedule::{Curve, LrSchedule, Per, PlateauMetric, ScheduleConfig};
use firebrick_train::weights_hash::weights_sha256;
use firebrick_train::{Config, Control, Event, Plan, fit};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Steps of one size, in the direction of the sign of an averaged gradient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signum {
    lr: f64,
    momentum: f64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<GroupConfig>,
}

impl Component for Signum {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::non_negative("lr", self.lr)?;
        check::below_one("momentum", self.momentum)
    }
}

impl Rule for Signum {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn tunables(&mut self) -> Tunables<'_> {
        Tunables { momentum: Some(&mut self.momentum), ..Tunables::new(&mut self.lr) }
    }

    fn groups(&self) -> &[GroupConfig] {
        &self.groups
    }

    fn tensor_layouts(&self) -> Layouts {
        &[&["average"]]
    }

    fn update(
        &self,
        context: &StepContext<'_>,
        memory: &mut Memory,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
    ) -> Tensor<1> {
        let momentum = context.momentum_or(self.momentum);
        let [average] = memory.take(|| gradient.zeros_like());
        let average = average.mul_scalar(momentum).add(gradient.mul_scalar(1.0 - momentum));
        memory.put([average.clone()]);
        parameter.sub(average.sign().mul_scalar(context.lr))
    }
}

/// Halves the rate whenever the accuracy is no better than in the evaluation before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Halving {
    factor: f64,
}

impl Component for Halving {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::unit_interval("factor", self.factor)
    }
}

impl LrSchedule for Halving {
    fn curve(&self, _base_lr: f64, _length: u64) -> Result<Box<dyn Curve>, ArgumentError> {
        Ok(Box::new(Halved { factor: self.factor, last: None, times: 0 }))
    }

    fn per(&self) -> Per {
        Per::Step
    }

    fn watches(&self) -> Option<PlateauMetric> {
        Some(PlateauMetric::Accuracy)
    }
}

#[derive(Debug)]
struct Halved {
    factor: f64,
    last: Option<f64>,
    times: i32,
}

impl Curve for Halved {
    /// A small fall at each step besides, so that every step has a rate of its own.
    fn lr(&self, base_lr: f64, t: u64) -> f64 {
        base_lr * self.factor.powi(self.times) / (1.0 + t as f64)
    }

    fn observe(&mut self, accuracy: f64) {
        self.times += i32::from(self.last.is_none_or(|last| accuracy <= last));
        self.last = Some(accuracy);
    }

    fn state(&self) -> Option<Value> {
        Some(json!({ "last": self.last, "times": self.times }))
    }

    fn load_state(&mut self, state: Value) -> Result<(), String> {
        #[derive(Deserialize)]
        struct State {
            last: Option<f64>,
            times: i32,
        }
        let state: State = serde_json::from_value(state).map_err(|error| error.to_string())?;
        (self.last, self.times) = (state.last, state.times);
        Ok(())
    }
}

const CONFIG: &str = r#"
model = { name = "lenet" }
data = { dataset = "digits", batch_size = 32, limit = { train = 64, test = 32 } }
loss = { name = "cross_entropy" }
trainer = { epochs = 3, backend = "flex" }

[optimizer]
name = "signum"
lr = 0.01
momentum = 0.5
groups = [{ match = "*.bias", lr = 0.001 }]

[schedule]
name = "halving"
factor = 0.5
"#;

fn register() {
    OptimizerConfig::register::<Signum>("signum").unwrap();
    ScheduleConfig::register::<Halving>("halving").unwrap();
}

fn read(text: &str) -> Result<Config, String> {
    Config::from_toml("x.toml", text, &[]).map_err(|error| error.to_string())
}

/// Trains until `epochs`; gives the weights' hash and every step's learning rate.
fn train(epochs: u64, run_dir: &std::path::Path, resume: Resume) -> (String, Vec<f64>) {
    let mut config = read(CONFIG).unwrap();
    config.trainer.epochs = epochs;
    let plan = Plan::new(config, "own", &()).unwrap();
    let model = plan.initial_model(&plan.backend.device.clone().autodiff()).unwrap();
    let location = RunLocation { run_dir: Some(run_dir.to_owned()), resume };
    let mut rates = Vec::new();
    let outcome = fit(&plan, model, &location, &mut |event: &Event| {
        if let Event::Step(step) = event {
            rates.push(step.lr);
        }
        Control::Continue
    });
    (weights_sha256(&outcome.unwrap().model), rates)
}

#[test]
fn an_own_optimizer_and_an_own_schedule_train_and_resume() {
    register();
    let folder = tempfile::tempdir().unwrap();
    let (whole, rates) = train(3, &folder.path().join("whole"), Resume::Fresh);
    assert_eq!(rates.len(), 6);
    assert_eq!(rates[..2], [0.01, 0.005]);
    assert_eq!(rates[2], 0.01 * 0.5 / 3.0, "the first evaluation has halved the rate");
    let cut = folder.path().join("cut");
    train(1, &cut, Resume::Fresh);
    let (resumed, rest) = train(3, &cut, Resume::Latest);
    assert_eq!(rest, rates[2..]);
    assert_eq!(resumed, whole);
}

#[test]
fn an_own_component_is_written_and_refused_like_the_others() {
    register();
    let config = read(CONFIG).unwrap();
    let text = config.to_toml().unwrap();
    assert_eq!(read(&text).unwrap().to_toml().unwrap(), text);
    assert!(config.optimizer.has_momentum());
    for (from, to, says) in [
        ("lr = 0.01", "lr = -1", "x.toml:9:6: optimizer.lr: expected a finite number >= 0, got -1"),
        ("momentum = 0.5", "momentun = 0.5", "x.toml:10:1: unknown key `momentun`"),
        ("momentum = 0.5\n", "", "x.toml:8:8: optimizer: missing key `momentum`"),
        (
            "lr = 0.001",
            "betas = [0, 0]",
            "x.toml:11:39: optimizer.groups[0].betas: expected an argument that",
        ),
        ("signum", "signun", "x.toml:8:8: unknown optimizer `signun`"),
        ("factor = 0.5", "factor = 2", "x.toml:15:10: schedule.factor: expected a number from 0 to 1, got 2"),
    ] {
        assert_eq!(CONFIG.matches(from).count(), 1, "{from}");
        let message = read(&CONFIG.replace(from, to)).unwrap_err();
        assert!(message.starts_with(says), "expected {says:?}\n     got {message:?}");
    }
    assert!(OptimizerConfig::register::<Signum>("sgd").is_err());
}
