//! The validation split decides, and the test split has no say: what is in it changes nothing but its own numbers.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Tensor;
use firebrick_loss::{ClassificationLoss, Counted, LossError, Targets};
use firebrick_train::config::Override;
use firebrick_train::run_folder::RunLocation;
use firebrick_train::{Config, Control, Event, Plan, Split, Status, TrainError, fit};
use serde_json::{Value, json};

use crate::watched::{WatchedDigits, reads, unlock};

/// Eight steps an epoch with the validation split. Learns fast and then no more, so that everybody who
/// listens to evaluations has something to decide.
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
    dataset = { name = "watched_digits", watch = "none", poison = "none" }
    batch_size = 20
    limit = { train = 200, test = 60 }
    validation = 0.2
    [loss]
    name = "cross_entropy"
    [optimizer]
    name = "adamw"
    lr = 0.03
    [schedule]
    name = "plateau"
    patience = 0
    threshold = 0.05
    factor = 0.5
    [trainer]
    epochs = 20
    backend = "flex"
    keep_best = 2
    early_stopping = { patience = 3, min_delta = 0.02 }
"#;

const AVERAGE: (&str, &str) = ("trainer.ema", "{ decay = 0.9 }");

fn plan(sets: &[(&str, &str)]) -> Plan {
    plan_of(CONFIG, sets)
}

fn plan_of(text: &str, sets: &[(&str, &str)]) -> Plan {
    WatchedDigits::register();
    let sets: Vec<Override> = sets.iter().map(|(key, value)| Override::new(*key, *value)).collect();
    Plan::new(Config::from_toml("validation", text, &sets).unwrap(), "validation", &()).unwrap()
}

/// The override that opens the data under this name, poisoned in this way.
fn dataset(watch: &str, poison: &str) -> String {
    format!("{{ name = \"watched_digits\", watch = \"{watch}\", poison = \"{poison}\" }}")
}

/// What a run leaves.
struct Left {
    summary: Value,
    lines: Vec<Value>,
    /// Everything that the run decided: its summary but for the test split, its lines but for the test split's, and
    /// which checkpoints stay.
    decisions: Value,
}

impl Left {
    fn of(run_dir: &Path) -> Self {
        let read = |name: &str| std::fs::read_to_string(run_dir.join(name)).unwrap();
        let timeless = |text: &str| {
            let mut value: Value = serde_json::from_str(text).unwrap();
            let object = value.as_object_mut().unwrap();
            object.remove("seconds");
            object.remove("images_per_second");
            value
        };
        let summary = timeless(&read("summary.json"));
        let lines: Vec<Value> = read("metrics.jsonl").lines().map(timeless).collect();
        let mut of_decisions = summary.clone();
        of_decisions.as_object_mut().unwrap().remove("test");
        let decided: Vec<&Value> = lines.iter().filter(|line| line["split"] != "test").collect();
        let files = std::fs::read_dir(run_dir.join("checkpoints")).unwrap();
        let files: BTreeSet<String> =
            files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let decisions = json!({
            "summary": of_decisions, "lines": decided, "files": files, "best": read("checkpoints/BEST"),
        });
        Self { summary, lines, decisions }
    }

    fn of_test(&self) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["split"] == "test").collect()
    }
}

/// Trains; test images are unlocked with step `last`.
fn train(watch: &str, poison: &str, sets: &[(&str, &str)], last: Option<u64>) -> Left {
    let dataset = dataset(watch, poison);
    let plan = plan(&[sets, &[("data.dataset", &dataset)]].concat());
    let folder = tempfile::tempdir().unwrap();
    let location = RunLocation { run_dir: Some(folder.path().join("run")), ..RunLocation::default() };
    let mut observer = |event: &Event| {
        if matches!(event, Event::Step(step) if Some(step.step) == last) {
            unlock(watch);
        }
        Control::Continue
    };
    let model = plan.initial_model(&plan.backend.device).unwrap();
    let outcome = fit(&plan, model, &location, &mut observer).unwrap();
    assert_eq!(outcome.status, Status::Completed);
    Left::of(&outcome.run_dir)
}

#[test]
fn a_poisoned_test_split_changes_no_decision() {
    let sets = [AVERAGE];
    let clean = train("clean", "none", &sets, None);
    let summary = &clean.summary;
    let (last, best) = (summary["steps"].as_u64().unwrap(), summary["best"]["step"].as_u64().unwrap());
    assert!(last < 160 && best < last, "early stopping and the best checkpoint decide nothing: {summary}");
    let rates: BTreeSet<String> = clean
        .lines
        .iter()
        .filter(|line| line["event"] == "step")
        .map(|line| line["lr"].to_string())
        .collect();
    assert!(rates.len() > 1, "the schedule decides nothing: {rates:?}");
    for poison in ["labels", "noise"] {
        let poisoned = train(poison, poison, &sets, None);
        assert_eq!(poisoned.decisions, clean.decisions, "{poison}");
        let accuracy = |left: &Left| left.summary["test"]["accuracy"].as_f64().unwrap();
        assert!(
            accuracy(&poisoned) < 0.5 && accuracy(&clean) > 0.7,
            "{} {}",
            poisoned.summary,
            clean.summary
        );
    }
    // Nor is it looked at before the last step.
    let locked = train("lock", "lock", &sets, Some(last));
    assert_eq!(locked.lines, clean.lines);
    assert_eq!(locked.summary, clean.summary);
}

#[test]
fn where_the_test_split_decides_a_poison_shows() {
    let text = CONFIG.replace("validation = 0.2", "");
    let left = |poison: &str| {
        let dataset = dataset("decides", poison);
        let plan = plan_of(&text, &[("data.dataset", &dataset)]);
        let folder = tempfile::tempdir().unwrap();
        let location = RunLocation { run_dir: Some(folder.path().join("run")), ..RunLocation::default() };
        let mut observer = |_: &Event| Control::Continue;
        let model = plan.initial_model(&plan.backend.device).unwrap();
        let outcome = fit(&plan, model, &location, &mut observer).unwrap();
        Left::of(&outcome.run_dir)
    };
    let (clean, poisoned) = (left("none"), left("noise"));
    assert_ne!(poisoned.decisions["best"], clean.decisions["best"]);
    assert_ne!(poisoned.summary["weights_sha256"], clean.summary["weights_sha256"]);
    for key in ["split", "test"] {
        assert!(clean.summary.get(key).is_none(), "{key}: {}", clean.summary);
    }
}

#[test]
fn the_test_split_is_evaluated_once_at_the_end_and_every_image_is_read_once() {
    // At the end of an epoch, and inside one.
    for (watch, max_steps) in [("once-16", "16"), ("once-13", "13")] {
        for average in [false, true] {
            let mut sets = vec![("trainer.max_steps", max_steps)];
            sets.extend(average.then_some(AVERAGE));
            let step: u64 = max_steps.parse().unwrap();
            let watch = &format!("{watch}-{average}");
            let left = train(watch, "lock", &sets, Some(step));
            let lines = left.of_test();
            assert_eq!(lines.len(), 1 + usize::from(average));
            assert!(lines.iter().all(|line| line["step"] == step && line["images"] == 60), "{lines:?}");
            let kinds: Vec<&Value> = lines.iter().map(|line| &line["weights"]).collect();
            assert_eq!(kinds, [&Value::Null, &json!("ema")][..lines.len()]);
            assert_eq!(left.summary["split"], "validation");
            for key in ["loss", "accuracy"] {
                assert_eq!(left.summary["test"][key], lines[0][key]);
                assert_eq!(left.summary["test"]["ema"].get(key), lines.get(1).map(|line| &line[key]));
            }
            let [_, test] = reads(watch);
            let expected: Vec<usize> = (0..60).flat_map(|image| vec![image; lines.len()]).collect();
            assert_eq!(test, expected);
        }
    }
}

/// The stored images that epoch 0 trains on, and those of the validation part.
fn parts(watch: &str, sets: &[(&str, &str)]) -> [Vec<usize>; 2] {
    let dataset = dataset(watch, "lock");
    let plan = plan(&[sets, &[("data.dataset", &dataset)]].concat());
    reads(watch);
    for batches in plan.training_batches(0, 0) {
        batches.unwrap();
    }
    let [train, _] = reads(watch);
    let validation = plan.datasets.validation.as_ref().unwrap();
    (0..validation.len()).for_each(|index| drop(validation.get(0, index).unwrap()));
    let [validation, _] = reads(watch);
    [train, validation]
}

#[test]
fn no_image_of_the_validation_part_is_trained_on_and_the_seed_alone_chooses_it() {
    let parted = parts("parts", &[]);
    let [train, validation] = &parted;
    let mut together = [&train[..], validation].concat();
    together.sort_unstable();
    assert_eq!(together, (0..200).collect::<Vec<usize>>());
    assert_eq!(validation.len(), 40);
    let labels = plan_of(&CONFIG.replace("validation = 0.2", ""), &[]).datasets.train.clone();
    let count = |part: &mut dyn Iterator<Item = usize>, class: u32| {
        part.filter(|index| labels.get(0, *index).unwrap().1 == class).count() as f64
    };
    for class in 0..10 {
        let share = 0.2 * count(&mut (0..200), class);
        let held_out = count(&mut validation.iter().copied(), class);
        assert!((held_out - share).abs() < 1.0, "class {class}: {held_out} held out of a share of {share}");
    }
    let others = [
        [("data.batch_size", "7"), ("optimizer.lr", "0.1"), ("data.workers", "0")],
        [("data.shuffle", "false"), ("trainer.backend", "\"ndarray\""), ("trainer.epochs", "3")],
        [("data.augment", "[\"random_horizontal_flip\"]"), AVERAGE, ("data.limit.test", "9")],
    ];
    for sets in others {
        assert_eq!(parts("parts-again", &sets), parted, "{sets:?}");
    }
    assert_ne!(parts("parts-again", &[("trainer.seed", "1")])[1], *validation);
}

#[test]
fn a_named_validation_split_decides_like_a_held_out_one() {
    let text = CONFIG.replace("validation = 0.2", "");
    let plan = plan_of(
        &text,
        &[
            ("data.validation_split", "\"test[:60]\""),
            ("data.test_split", "\"test[60:]\""),
            ("data.limit", "{ train = 200 }"),
        ],
    );
    assert_eq!(plan.deciding_split(), Split::Validation);
    let info = &plan.datasets.info;
    assert_eq!((info.train_count, info.validation_count, info.test_count), (200, 60, 295));
}

/// The plan's loss, but infinite where nine images are evaluated.
#[derive(Debug)]
struct InfiniteOfNine(Arc<dyn ClassificationLoss>);

impl ClassificationLoss for InfiniteOfNine {
    fn forward(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        self.0.forward(outputs_nk, targets)
    }

    fn per_image(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        let factor = if outputs_nk.dims()[0] == 9 { f64::INFINITY } else { 1.0 };
        Ok(self.0.per_image(outputs_nk, targets)? * factor)
    }

    fn divisor(&self, counted: Counted) -> f64 {
        self.0.divisor(counted)
    }
}

#[test]
fn a_test_loss_that_is_not_finite_brings_no_other_weights_back() {
    let mut plan = plan(&[
        ("data.limit.test", "9"),
        ("trainer.max_steps", "13"),
        ("trainer.on_divergence", "restore_last"),
    ]);
    plan.loss = Arc::new(InfiniteOfNine(plan.loss));
    let folder = tempfile::tempdir().unwrap();
    let run_dir = folder.path().join("run");
    let location = RunLocation { run_dir: Some(run_dir.clone()), ..RunLocation::default() };
    let model = plan.initial_model(&plan.backend.device).unwrap();
    let error = fit(&plan, model, &location, &mut |_: &Event| Control::Continue).err().unwrap();
    let TrainError::Diverged { step: 13, what, .. } = &error else { panic!("{error}") };
    assert_eq!(what, "the loss on the test split");
    let report: Value =
        serde_json::from_slice(&std::fs::read(run_dir.join("diverged.json")).unwrap()).unwrap();
    assert_eq!(report["recoveries"], 0, "{report}");
}
