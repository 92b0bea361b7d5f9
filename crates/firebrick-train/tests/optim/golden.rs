//! PyTorch's own numbers: every optimiser and setting, every schedule.

use firebrick_train::optimizer::Rates;
use firebrick_train::schedule::{Schedule, ScheduleConfig};
use serde::Deserialize;
use serde_json::Value;

use crate::support::{Bag, assert_close, bound, devices, golden, optimizer_config};

const OPTIMIZER_TOLERANCE: f32 = 1e-6;
const SCHEDULE_TOLERANCE: f64 = 1e-9;

#[derive(Deserialize)]
struct OptimizerCase {
    optimizer: String,
    args: Value,
    start: Vec<Vec<f32>>,
    shapes: Vec<Vec<usize>>,
    gradients: Vec<Vec<Vec<f32>>>,
    parameters: Vec<Vec<Vec<f32>>>,
}

#[derive(Deserialize)]
struct OptimizerCases {
    cases: Vec<OptimizerCase>,
}

#[derive(Deserialize)]
struct ScheduleCase {
    schedule: String,
    args: Value,
    base_lr: f64,
    lr: Vec<f64>,
    metric: Option<Vec<f64>>,
}

#[derive(Deserialize)]
struct ScheduleCases {
    cases: Vec<ScheduleCase>,
}

/// A schedule with everything that a case of `optim_extras.json` says about it.
#[derive(Deserialize)]
struct GroupScheduleCase {
    schedule: String,
    args: Value,
    base_lrs: Vec<f64>,
    lrs: Vec<Vec<f64>>,
    momentum: Vec<f64>,
    metric: Option<Vec<f64>>,
    warmup: Option<Value>,
}

#[derive(Deserialize)]
struct Extras {
    optimizers: Vec<OptimizerCase>,
    schedules: Vec<GroupScheduleCase>,
}

fn check_optimizer(case: &OptimizerCase) {
    let config = optimizer_config(&case.optimizer, case.args.clone());
    for (backend, device) in devices() {
        let mut model = Bag::new(&case.shapes, &case.start, &device);
        let mut optimizer = bound(&config, &model);
        for (step, gradients) in case.gradients.iter().enumerate() {
            let gradients = model.gradients(gradients);
            model = optimizer.step(config.lr(), model, gradients);
            for (index, actual) in model.values().iter().enumerate() {
                let what = format!(
                    "{} {} on {backend}, step {}, tensor {index}",
                    case.optimizer,
                    case.args,
                    step + 1
                );
                assert_close(actual, &case.parameters[step][index], OPTIMIZER_TOLERANCE, &what);
            }
        }
    }
}

fn golden_optimizers(names: &[&str]) {
    let cases: OptimizerCases = golden("optimizers.json");
    let extras: Extras = golden("optim_extras.json");
    let all = cases.cases.iter().chain(&extras.optimizers);
    let mine: Vec<_> = all.filter(|case| names.contains(&case.optimizer.as_str())).collect();
    assert!(!mine.is_empty(), "no golden case is called one of {names:?}");
    mine.into_iter().for_each(check_optimizer);
}

macro_rules! golden_optimizer {
    ($($test:ident: $name:literal),* $(,)?) => {
        const TESTED: &[&str] = &[$($name),*];
        $(#[test] fn $test() { golden_optimizers(&[$name]); })*
    };
}

golden_optimizer! {
    golden_optimizers_sgd: "sgd",
    golden_optimizers_adam: "adam",
    golden_optimizers_adamw: "adamw",
    golden_optimizers_rmsprop: "rmsprop",
    golden_optimizers_adagrad: "adagrad",
    golden_optimizers_adadelta: "adadelta",
    golden_optimizers_adamax: "adamax",
    golden_optimizers_nadam: "nadam",
    golden_optimizers_radam: "radam",
    golden_optimizers_lion: "lion",
    golden_optimizers_muon: "muon",
}

#[test]
fn golden_optimizers_leave_no_case_out() {
    let cases: OptimizerCases = golden("optimizers.json");
    for case in &cases.cases {
        assert!(TESTED.contains(&case.optimizer.as_str()), "{} has no test", case.optimizer);
    }
    assert!(!cases.cases.is_empty());
}

/// `one_cycle_linear` and the like are called after their arguments.
fn schedule_name(name: &str) -> &'static str {
    let mut names = ScheduleConfig::NAMES.to_vec();
    names.sort_by_key(|known| std::cmp::Reverse(known.len()));
    let known = names.into_iter().find(|known| name.starts_with(known));
    known.unwrap_or_else(|| panic!("no schedule is called {name}"))
}

fn schedule(name: &str, mut args: Value, warmup: Option<&Value>, base_lr: f64, num_steps: usize) -> Schedule {
    if let Some(warmup) = warmup {
        args["warmup"] = warmup.clone();
    }
    let config = ScheduleConfig::deserialize_named(schedule_name(name), args)
        .unwrap_or_else(|| panic!("no schedule is called {name}"))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    // One step an epoch, so that both units are the same.
    Schedule::new(&config, base_lr, num_steps as u64, 1).unwrap()
}

fn assert_near(actual: f64, expected: f64, what: &str) {
    let difference = (actual - expected).abs();
    assert!(
        difference <= SCHEDULE_TOLERANCE,
        "{what}: got {actual}, expected {expected}, difference {difference:e}"
    );
}

fn check_schedule(case: &ScheduleCase) {
    let mut schedule = schedule(&case.schedule, case.args.clone(), None, case.base_lr, case.lr.len());
    for (step, expected) in case.lr.iter().enumerate() {
        let what = format!("{} {}, step {step}", case.schedule, case.args);
        assert_near(schedule.lr(step as u64), *expected, &what);
        if let Some(metric) = &case.metric {
            schedule.observe(metric[step]);
        }
    }
}

fn check_group_schedule(case: &GroupScheduleCase) {
    let (name, num_steps) = (&case.schedule, case.lrs.len());
    let warmup = case.warmup.as_ref();
    let mut schedule = schedule(name, case.args.clone(), warmup, case.base_lrs[0], num_steps);
    for step in 0..num_steps {
        let what = format!("{name} {}, step {step}", case.args);
        let at = schedule.at(step as u64);
        for (base_lr, expected) in case.base_lrs.iter().zip(&case.lrs[step]) {
            assert_near(at.lr(*base_lr), *expected, &format!("{what}, group {base_lr}"));
        }
        if let Some(momentum) = at.momentum() {
            assert_near(momentum, case.momentum[step], &format!("{what}, momentum"));
        } else {
            assert_near(case.momentum[step], case.momentum[0], &format!("{what} leaves the momentum alone"));
        }
        if let Some(metric) = &case.metric {
            schedule.observe(metric[step]);
        }
    }
}

fn golden_schedules(name: &str) {
    let cases: ScheduleCases = golden("schedules.json");
    let extras: Extras = golden("optim_extras.json");
    let cases: Vec<_> = cases.cases.iter().filter(|case| schedule_name(&case.schedule) == name).collect();
    let extras: Vec<_> = extras.schedules.iter().filter(|case| case.schedule == name).collect();
    assert!(cases.len() + extras.len() > 0, "no golden case is called {name}");
    cases.into_iter().for_each(check_schedule);
    extras.into_iter().for_each(check_group_schedule);
}

macro_rules! golden_schedule {
    ($($test:ident: $name:literal),* $(,)?) => {
        const SCHEDULES_TESTED: &[&str] = &[$($name),*];
        $(#[test] fn $test() { golden_schedules($name); })*
    };
}

golden_schedule! {
    golden_schedules_step: "step",
    golden_schedules_multistep: "multistep",
    golden_schedules_exponential: "exponential",
    golden_schedules_cosine: "cosine",
    golden_schedules_cosine_warm_restarts: "cosine_warm_restarts",
    golden_schedules_one_cycle: "one_cycle",
    golden_schedules_linear: "linear",
    golden_schedules_polynomial: "polynomial",
    golden_schedules_constant: "constant",
    golden_schedules_cyclic: "cyclic",
    golden_schedules_plateau: "plateau",
}

#[test]
fn golden_schedules_leave_no_case_out() {
    let cases: ScheduleCases = golden("schedules.json");
    for case in &cases.cases {
        let name = schedule_name(&case.schedule);
        assert!(SCHEDULES_TESTED.contains(&name), "{name} has no test");
    }
    assert!(!cases.cases.is_empty());
}
