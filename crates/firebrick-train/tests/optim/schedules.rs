//! Units, warm-up, derived lengths, checkpoints and refusals of schedules.

use firebrick_train::schedule::{PlateauMetric, Schedule, ScheduleConfig, ScheduleError, ScheduleState};
use serde_json::{Value, json};

use crate::support::optimizer_config;

fn config(name: &str, arguments: Value) -> ScheduleConfig {
    ScheduleConfig::deserialize_named(name, arguments).unwrap().unwrap()
}

/// A run of 6 epochs of 10 steps, at 0.1.
fn schedule(name: &str, arguments: Value) -> Schedule {
    Schedule::new(&config(name, arguments), 0.1, 60, 10).unwrap()
}

fn assert_near(actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-12, "got {actual}, expected {expected}");
}

#[test]
fn epochs_are_the_unit_unless_torchs_examples_go_by_steps() {
    let stairs = schedule("step", json!({ "step_size": 2 }));
    assert_near(stairs.lr(19), 0.1);
    assert_near(stairs.lr(20), 0.01);
    let stairs = schedule("step", json!({ "step_size": 2, "per": "step" }));
    assert_near(stairs.lr(1), 0.1);
    assert_near(stairs.lr(2), 0.01);
    let cycle = schedule("cyclic", json!({ "base_lr": 0.0, "max_lr": 1.0, "step_size_up": 4 }));
    assert_near(cycle.lr(2), 0.5);
    let cycle = schedule("one_cycle", json!({}));
    assert!(cycle.lr(1) > cycle.lr(0));
}

#[test]
fn lengths_left_out_are_those_of_the_run() {
    let per_epoch = schedule("cosine", json!({}));
    assert_near(per_epoch.lr(30), 0.05);
    assert_near(per_epoch.lr(39), 0.05);
    assert_near(per_epoch.lr(60), 0.0);
    let per_step = schedule("cosine", json!({ "per": "step", "eta_min": 0.02 }));
    assert_near(per_step.lr(30), 0.06);
    assert_near(per_step.lr(60), 0.02);
    let cycle = schedule("one_cycle", json!({ "max_lr": 1.0 }));
    assert_near(cycle.lr(59), 1.0 / 25.0 / 1e4);
    let waves = schedule("cosine_warm_restarts", json!({}));
    assert_near(waves.lr(30), 0.05);
    // A last epoch that max_steps cuts short counts as one.
    let cut = Schedule::new(&config("cosine", json!({})), 0.1, 55, 10).unwrap();
    assert_near(cut.lr(30), 0.05);
}

#[test]
fn one_cycle_takes_the_optimizers_rate_as_its_top() {
    let cycle = schedule("one_cycle", json!({}));
    assert_near(cycle.lr(17), 0.1);
    assert_near(cycle.lr(0), 0.004);
}

#[test]
fn rates_stay_where_they_end_behind_the_run() {
    let cycle = schedule("one_cycle", json!({}));
    assert_near(cycle.lr(60), cycle.lr(59));
    assert_near(cycle.lr(1_000_000), cycle.lr(59));
    assert_near(schedule("polynomial", json!({})).lr(u64::MAX), 0.0);
    assert_near(schedule("linear", json!({})).lr(u64::MAX), 0.1);
}

#[test]
fn warmup_in_steps_before_a_schedule_by_epochs() {
    let warm = json!({ "step_size": 1, "gamma": 0.5, "warmup": { "steps": 5, "start_factor": 0.2 } });
    let warm = schedule("step", warm);
    assert_near(warm.lr(0), 0.02);
    assert_near(warm.lr(1), 0.036);
    assert_near(warm.lr(4), 0.084);
    assert_near(warm.lr(5), 0.1);
    assert_near(warm.lr(14), 0.1);
    assert_near(warm.lr(15), 0.05);
}

#[test]
fn warmup_in_epochs_rises_at_every_step() {
    let warm = schedule("cosine", json!({ "warmup": { "epochs": 2, "start_factor": 0.5 } }));
    assert_near(warm.lr(0), 0.05);
    assert_near(warm.lr(10), 0.075);
    assert_near(warm.lr(20), 0.1);
    // The cosine has the four epochs that are left.
    assert_near(warm.lr(40), 0.05);
    assert_near(warm.lr(60), 0.0);
}

#[test]
fn warmup_rises_to_where_its_schedule_begins() {
    for (name, arguments) in [
        ("none", json!({})),
        ("one_cycle", json!({})),
        ("constant", json!({})),
        ("plateau", json!({})),
        ("cyclic", json!({ "base_lr": 0.3, "max_lr": 0.5 })),
    ] {
        let plain = schedule(name, arguments.clone());
        let mut arguments = arguments;
        arguments["warmup"] = json!({ "steps": 4, "start_factor": 0.5 });
        let warm = schedule(name, arguments);
        assert_near(warm.lr(0), 0.5 * plain.lr(0));
        assert_near(warm.lr(2), 0.75 * plain.lr(0));
        assert_near(warm.lr(4), plain.lr(0));
        assert_eq!(warm.momentum(2), plain.momentum(0), "the momentum waits with the rate");
    }
}

#[test]
fn plateau_goes_on_from_a_checkpoint() {
    let arguments = json!({ "patience": 1, "cooldown": 1, "factor": 0.5 });
    let metrics = [1.0, 0.9, 0.9, 0.9, 0.9, f64::NAN, 0.9, 0.9, 0.9, 0.2, 0.3, 0.3, 0.3];
    let mut whole = schedule("plateau", arguments.clone());
    let mut stopped = schedule("plateau", arguments.clone());
    assert_eq!(whole.watches(), Some(PlateauMetric::Loss));
    for metric in metrics {
        whole.observe(metric);
        stopped.observe(metric);
        let text = serde_json::to_string(&stopped.state()).unwrap();
        stopped = schedule("plateau", arguments.clone());
        stopped.load_state(serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(whole.lr(0).to_bits(), stopped.lr(0).to_bits());
        assert_eq!(whole.state(), stopped.state());
    }
    assert_near(whole.lr(0), 0.0125);
}

#[test]
fn plateau_on_accuracy_wants_more() {
    let mut schedule = schedule("plateau", json!({ "metric": "accuracy", "patience": 0 }));
    assert_eq!(schedule.watches(), Some(PlateauMetric::Accuracy));
    schedule.observe(0.5);
    schedule.observe(0.6);
    assert_near(schedule.lr(0), 0.1);
    schedule.observe(0.6);
    assert_near(schedule.lr(0), 0.01);
}

#[test]
fn state_of_another_schedule_is_refused() {
    let mut cosine = schedule("cosine", json!({}));
    assert_eq!(cosine.state(), ScheduleState::default());
    assert_eq!(cosine.watches(), None);
    cosine.load_state(ScheduleState::default()).unwrap();
    let mut plateau = schedule("plateau", json!({}));
    assert_eq!(
        cosine.load_state(plateau.state()).unwrap_err().to_string(),
        "the saved state has the counters of plateau, but the schedule cosine expects none"
    );
    assert!(plateau.load_state(ScheduleState::default()).is_err());
}

#[test]
fn cycling_a_momentum_that_is_not_there_is_refused() {
    let cycle = config("one_cycle", json!({}));
    cycle.validate_with(&optimizer_config("sgd", json!({}))).unwrap();
    cycle.validate_with(&optimizer_config("radam", json!({}))).unwrap();
    let error = cycle.validate_with(&optimizer_config("adagrad", json!({}))).unwrap_err();
    assert!(matches!(error, ScheduleError::NoMomentum { .. }));
    assert!(error.to_string().contains("adagrad has neither: set cycle_momentum = false"), "{error}");
    let still = config("one_cycle", json!({ "cycle_momentum": false }));
    still.validate_with(&optimizer_config("adagrad", json!({}))).unwrap();
}

#[test]
fn arguments_out_of_range_are_named() {
    let refused = [
        ("step", json!({}), "step_size", "nothing"),
        ("step", json!({ "step_size": 0 }), "step_size", "0"),
        ("multistep", json!({}), "milestones", "nothing"),
        ("exponential", json!({}), "gamma", "nothing"),
        ("cosine", json!({ "T_max": 0 }), "T_max", "0"),
        ("cosine_warm_restarts", json!({ "T_mult": 0 }), "T_mult", "0"),
        ("one_cycle", json!({ "pct_start": 1.5 }), "pct_start", "1.5"),
        ("one_cycle", json!({ "div_factor": 0.0 }), "div_factor", "0"),
        ("one_cycle", json!({ "total_steps": 1 }), "total_steps", "1"),
        ("linear", json!({ "start_factor": 0.0 }), "start_factor", "0"),
        ("linear", json!({ "end_factor": 1.1 }), "end_factor", "1.1"),
        ("polynomial", json!({ "total_iters": 0 }), "total_iters", "0"),
        ("constant", json!({ "factor": 2.0 }), "factor", "2"),
        ("cyclic", json!({ "max_lr": 1.0 }), "base_lr", "nothing"),
        ("cyclic", json!({ "base_lr": 0.1, "max_lr": 1.0, "step_size_up": 0 }), "step_size_up", "0"),
        ("plateau", json!({ "factor": 1.0 }), "factor", "1"),
        ("none", json!({ "warmup": {} }), "warmup", "neither"),
        ("none", json!({ "warmup": { "steps": 1, "epochs": 1 } }), "warmup", "both"),
        ("none", json!({ "warmup": { "steps": 1, "start_factor": 0.0 } }), "warmup.start_factor", "0"),
    ];
    for (name, arguments, key, got) in refused {
        let message = config(name, arguments).validate().unwrap_err().to_string();
        let is_right =
            message.starts_with(&format!("{key}: expected ")) && message.ends_with(&format!(", got {got}"));
        assert!(is_right, "{name}: {message}");
    }
}

#[test]
fn nan_is_refused_everywhere() {
    for name in ScheduleConfig::NAMES {
        let required = required(name);
        let default = serde_json::to_value(config(name, required.clone())).unwrap();
        for (argument, value) in default.as_object().unwrap() {
            if value.is_f64() {
                let mut table: toml::Table = toml::from_str(&toml::to_string(&required).unwrap()).unwrap();
                table.insert(argument.clone(), toml::Value::Float(f64::NAN));
                let config = ScheduleConfig::deserialize_named(name, table).unwrap().unwrap();
                let message = config.validate().unwrap_err().to_string();
                assert!(
                    message.starts_with(&format!("{argument}: expected")) && message.ends_with("got NaN"),
                    "{message}"
                );
            }
        }
    }
}

fn required(name: &str) -> Value {
    match name {
        "step" => json!({ "step_size": 3 }),
        "multistep" => json!({ "milestones": [3] }),
        "exponential" => json!({ "gamma": 0.5 }),
        "cyclic" => json!({ "base_lr": 0.125, "max_lr": 0.25 }),
        _ => json!({}),
    }
}

#[test]
fn unknown_arguments_and_names_are_refused() {
    assert!(ScheduleConfig::deserialize_named("cosinus", json!({})).is_none());
    for name in ScheduleConfig::NAMES {
        let error = ScheduleConfig::deserialize_named(name, json!({ "t_max": 1 })).unwrap().unwrap_err();
        assert!(error.to_string().contains("unknown field `t_max`"), "{error}");
    }
}

#[test]
fn config_survives_toml() {
    for name in ScheduleConfig::NAMES {
        let mut arguments = required(name);
        arguments["warmup"] = json!({ "steps": 3 });
        let config = config(name, arguments);
        let mut table: toml::Table = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(table.remove("name").unwrap().as_str(), Some(*name));
        assert_eq!(ScheduleConfig::deserialize_named(name, table).unwrap().unwrap(), config);
        assert_eq!(config.name(), *name);
    }
}
