//! Runs that `trainer.max_steps`, stops and resumes cut into pieces: their end is that of the run that nothing cut.

use std::path::Path;

use firebrick_train::config::Override;
use firebrick_train::run_folder::{Resume, RunLocation};
use firebrick_train::{Config, Control, Event, Outcome, Plan, Split, Status, fit};
use serde_json::Value;

/// Five steps an epoch, of two batches each but the last. Everything that remembers something from step to step, but
/// dropout: its generator is shared by all tests of this process.
const CONFIG: &str = r#"
    [model]
    name = "sequential"
    input_shape = [1, 8, 8]
    layers = [
        { name = "conv2d", out_channels = 4, kernel_size = 3, padding = 1 },
        { name = "batch_norm2d" }, { name = "relu" },
        { name = "flatten" }, { name = "linear", out_features = 10 },
    ]
    [data]
    dataset = "digits"
    batch_size = 10
    limit = { train = 88, test = 40 }
    augment = [{ name = "random_crop", padding = 1 }]
    [loss]
    name = "cross_entropy"
    [optimizer]
    name = "adamw"
    lr = 0.01
    [trainer]
    epochs = 6
    backend = "flex"
    accumulate_grad_batches = 2
    ema = { decay = 0.9 }
    checkpoint_every = 3
"#;

const PLATEAU: &str = "{ name = \"plateau\", patience = 0, threshold = 0.3, factor = 0.5 }";
const EARLY: &str = "{ patience = 2, min_delta = 0.4 }";

fn train(run_dir: &Path, sets: &[(&str, &str)], stop_at: Option<u64>) -> Outcome<firebrick_models::Network> {
    let sets: Vec<Override> = sets.iter().map(|(key, value)| Override::new(*key, *value)).collect();
    let plan = Plan::new(Config::from_toml("cuts", CONFIG, &sets).unwrap(), "cuts", &()).unwrap();
    let model = plan.initial_model(&plan.backend.device).unwrap();
    let location = RunLocation { run_dir: Some(run_dir.to_owned()), resume: Resume::Latest };
    let mut observer = |event: &Event| match event {
        Event::Step(step) if Some(step.step) == stop_at => Control::Stop,
        _ => Control::Continue,
    };
    fit(&plan, model, &location, &mut observer).unwrap()
}

/// A JSON object without what differs between equal runs.
fn timeless(text: &str) -> Value {
    let mut value: Value = serde_json::from_str(text).unwrap();
    let object = value.as_object_mut().unwrap();
    object.remove("seconds");
    object.remove("images_per_second");
    value
}

/// Everything that a run leaves, but times: its summary, its lines and the checkpoint that is the best.
fn end(run_dir: &Path) -> (Value, Vec<Value>, String) {
    let read = |name: &str| std::fs::read_to_string(run_dir.join(name)).unwrap();
    let lines = read("metrics.jsonl").lines().map(timeless).collect();
    (timeless(&read("summary.json")), lines, read("checkpoints/BEST"))
}

#[track_caller]
fn assert_ends_alike(sets: &[(&str, &str)], last_step: Option<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let expected = train(&whole, sets, None);
    assert_eq!(expected.status, Status::Completed);
    if let Some(last_step) = last_step {
        assert_eq!(expected.summary.steps, last_step, "{:?}", expected.summary);
    }
    // Inside an epoch, at its end (5), twice at the same step, and a stop between.
    for max_steps in ["1", "2", "4", "4", "5", "7", "8", "9", "11"] {
        let outcome = train(&parts, &[sets, &[("trainer.max_steps", max_steps)]].concat(), None);
        let is_over = outcome.summary.steps < max_steps.parse().unwrap();
        assert!(!is_over || Some(outcome.summary.steps) == last_step, "{:?}", outcome.summary);
    }
    train(&parts, sets, Some(13));
    train(&parts, sets, None);
    let (summary, lines, best) = end(&parts);
    let (expected_summary, expected_lines, expected_best) = end(&whole);
    assert_eq!(summary, expected_summary);
    assert_eq!(lines, expected_lines);
    assert_eq!(best, expected_best);
}

#[test]
fn early_stopping_and_plateau_count_epochs_and_nothing_else() {
    let sets = [("schedule", PLATEAU), ("trainer.early_stopping", EARLY)];
    assert_ends_alike(&sets, None);
    // Hopeless: the first epoch is the best, and two more end the run.
    assert_ends_alike(&[("optimizer.lr", "1e-9"), sets[0], sets[1]], Some(15));
}

#[test]
fn a_validation_split_decides_and_the_test_split_is_evaluated_at_the_end_alone() {
    // Four steps an epoch, of 70 images.
    let validation = ("data.validation", "0.2");
    assert_ends_alike(&[validation, ("schedule", PLATEAU)], Some(24));
    // Hopeless, as above.
    let hopeless = [validation, ("optimizer.lr", "1e-9"), ("trainer.early_stopping", EARLY)];
    assert_ends_alike(&hopeless, Some(12));
}

#[test]
fn a_schedule_as_long_as_the_run_is_as_long_as_all_its_epochs() {
    for schedule in ["{ name = \"cosine\", per = \"step\" }", "{ name = \"one_cycle\", max_lr = 0.02 }"] {
        assert_ends_alike(&[("schedule", schedule)], Some(30));
    }
}

#[test]
fn more_epochs_that_change_the_rates_of_steps_that_are_done_are_told() {
    for (schedule, is_told) in
        [("{ name = \"cosine\" }", true), ("{ name = \"step\", step_size = 1 }", false)]
    {
        let folder = tempfile::tempdir().unwrap();
        let run_dir = folder.path().join("run");
        train(&run_dir, &[("schedule", schedule), ("trainer.epochs", "2")], None);
        let sets =
            [("schedule", schedule), ("trainer.epochs", "4")].map(|(key, value)| Override::new(key, value));
        let plan = Plan::new(Config::from_toml("cuts", CONFIG, &sets).unwrap(), "cuts", &()).unwrap();
        let model = plan.initial_model(&plan.backend.device).unwrap();
        let location = RunLocation { run_dir: Some(run_dir), resume: Resume::Latest };
        let mut notices = Vec::new();
        let mut observer = |event: &Event| {
            if let Event::Notice { message } = event {
                notices.push(message.clone());
            }
            Control::Continue
        };
        fit(&plan, model, &location, &mut observer).unwrap();
        let told =
            notices.iter().any(|message| message.starts_with("trainer.epochs: 2 -> 4 makes the schedule"));
        assert_eq!(told, is_told, "{schedule}: {notices:?}");
    }
}

#[test]
fn the_weights_at_the_end_inside_an_epoch_are_evaluated_and_no_monitor_hears() {
    let folder = tempfile::tempdir().unwrap();
    let run_dir = folder.path().join("run");
    let cut = [("trainer.max_steps", "7"), ("schedule", PLATEAU)];
    let outcome = train(&run_dir, &cut, None);
    assert_eq!((outcome.status, outcome.summary.steps), (Status::Completed, 7));
    let (summary, lines, best) = end(&run_dir);
    let evals: Vec<&Value> = lines.iter().filter(|line| line["event"] == "eval").collect();
    let steps: Vec<u64> = evals.iter().map(|eval| eval["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [5, 5, 7, 7], "the weights and their average");
    assert_eq!((&summary["best"]["step"], best.trim()), (&Value::from(5), "step-000000005"));
    for key in ["loss", "accuracy"] {
        assert_eq!(summary["final"][key], evals[2][key]);
        assert_eq!(summary["ema"][key], evals[3][key]);
    }
    // The same command once more changes nothing.
    let files = || ["summary.json", "metrics.jsonl"].map(|name| std::fs::read(run_dir.join(name)).unwrap());
    let before = files();
    assert_eq!(train(&run_dir, &cut, None).summary, outcome.summary);
    assert_eq!(files(), before);
}

#[test]
fn a_stop_in_the_evaluation_at_the_end_leaves_it_to_the_next_process() {
    let cut = Override::new("trainer.max_steps", "7");
    stops_in_the_test_split_and_goes_on(std::slice::from_ref(&cut));
    // Here the validation split has been evaluated before the stop.
    stops_in_the_test_split_and_goes_on(&[cut, Override::new("data.validation", "0.2")]);
}

#[track_caller]
fn stops_in_the_test_split_and_goes_on(sets: &[Override]) {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let run = |run_dir: &Path, stops: bool| {
        let plan = Plan::new(Config::from_toml("cuts", CONFIG, sets).unwrap(), "cuts", &()).unwrap();
        let model = plan.initial_model(&plan.backend.device).unwrap();
        let location = RunLocation { run_dir: Some(run_dir.to_owned()), resume: Resume::Latest };
        let mut last = 0;
        let mut observer = |event: &Event| {
            if let Event::Step(step) = event {
                last = step.step;
            }
            let is_in_last =
                stops && last == 7 && matches!(event, Event::Evaluating { split: Split::Test, .. });
            if is_in_last { Control::Stop } else { Control::Continue }
        };
        fit(&plan, model, &location, &mut observer).unwrap()
    };
    run(&whole, false);
    assert_eq!(run(&parts, true).status, Status::Stopped);
    assert_eq!(run(&parts, false).status, Status::Completed);
    assert_eq!(end(&parts), end(&whole));
}
