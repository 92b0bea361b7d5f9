//! `model.freeze` and `optimizer.lr_decay_by_depth`: what stays, what moves, how fast, and what is said of it.

use std::collections::BTreeMap;
use std::path::Path;

use firebrick_models::Network;
use firebrick_models::parameters::named_parameters;
use firebrick_train::checkpoint::{Checkpoint, Which};
use firebrick_train::config::{FreezeConfig, Override};
use firebrick_train::event::WeightsKind;
use firebrick_train::run_folder::{Resume, RunLocation};
use firebrick_train::step::Verdict;
use firebrick_train::trained::TrainedRun;
use firebrick_train::weights_hash::weights_sha256;
use firebrick_train::{Config, Control, Event, Plan, TrainState, fit_network};

/// Layers `0`, `1`, `4`, `5` and `8` have parameters. Everything that could move a tensor is there: momentum, weight decay,
/// accumulation, clipping, an average. No dropout: it has one generator in a process, and tests run beside each other.
const CONFIG: &str = r#"[model]
name = "sequential"
input_shape = [1, 8, 8]
layers = [
    { name = "conv2d", out_channels = 4, kernel_size = 3, padding = 1 },
    { name = "batch_norm2d" },
    { name = "relu" },
    { name = "max_pool2d", kernel_size = 2 },
    { name = "conv2d", out_channels = 4, kernel_size = 3 },
    { name = "batch_norm2d" },
    { name = "flatten" },
    { name = "relu" },
    { name = "linear", out_features = 10 },
]
[data]
dataset = "digits"
batch_size = 8
limit = { train = 40, test = 20 }
[loss]
name = "cross_entropy"
[optimizer]
name = "adamw"
lr = 0.01
weight_decay = 0.1
[trainer]
epochs = 4
backend = "flex"
accumulate_grad_batches = 2
clip_grad_norm = 0.5
ema = { decay = 0.5 }
keep_last = 100
"#;

fn config(sets: &[(&str, &str)]) -> Result<Config, String> {
    let sets: Vec<Override> = sets.iter().map(|(key, value)| Override::new(*key, *value)).collect();
    Config::from_toml("x.toml", CONFIG, &sets).map_err(|error| error.to_string())
}

fn plan(sets: &[(&str, &str)]) -> Plan {
    Plan::new(config(sets).unwrap(), "x", &()).unwrap()
}

fn state(plan: &Plan) -> TrainState<'_, Network> {
    TrainState::new(plan, plan.initial_model(&plan.backend.device).unwrap()).unwrap()
}

/// Every tensor of a network, to the bit.
fn bits(model: &Network) -> BTreeMap<String, Vec<u8>> {
    named_parameters(model).into_iter().map(|p| (p.name, p.data.as_bytes().to_vec())).collect()
}

/// Names of the tensors that differ.
fn moved(before: &Network, after: &Network) -> Vec<String> {
    let (before, after) = (bits(before), bits(after));
    before.into_iter().filter(|(name, values)| after[name] != *values).map(|(name, _)| name).collect()
}

fn train_epoch(state: &mut TrainState<'_, Network>) {
    for batches in state.batches() {
        assert!(matches!(state.step(batches.unwrap()).unwrap(), Verdict::Applied(_)));
    }
}

const HEAD: [&str; 2] = ["8.bias", "8.weight"];
const ALL_BUT_HEAD: &str = r#"["*", "!8.*"]"#;

#[test]
fn frozen_tensors_keep_every_bit_and_all_others_move() {
    let cases: [(&str, &[&str]); 4] = [
        (ALL_BUT_HEAD, &HEAD),
        // In front of it a layer is trained: gradients pass through what is frozen.
        (
            r#"["4.*", "5.*"]"#,
            &[
                "0.bias",
                "0.weight",
                "1.bias",
                "1.running_mean",
                "1.running_var",
                "1.weight",
                "8.bias",
                "8.weight",
            ],
        ),
        // The last pattern that matches decides.
        (
            r#"["*", "!*", "*.weight"]"#,
            &[
                "0.bias",
                "1.bias",
                "1.running_mean",
                "1.running_var",
                "4.bias",
                "5.bias",
                "5.running_mean",
                "5.running_var",
                "8.bias",
            ],
        ),
        (
            r#"["?.*", "!8.*", "8.bias", "!1.bias"]"#,
            &["1.bias", "1.running_mean", "1.running_var", "8.weight"],
        ),
    ];
    for (freeze, expected) in cases {
        for optimizer in ["adamw", "sgd"] {
            let momentum = ("optimizer.momentum", "0.9");
            let sets = [("model.freeze", freeze), ("optimizer.name", optimizer), momentum];
            let plan = plan(&sets[..if optimizer == "sgd" { 3 } else { 2 }]);
            let mut state = state(&plan);
            let before = state.trained();
            (0..2).for_each(|_| train_epoch(&mut state));
            assert_eq!(moved(&before, &state.trained()), expected, "{freeze} {optimizer}");
            let average = state.averaged().unwrap();
            assert_eq!(moved(&before, &average), expected, "{freeze} {optimizer}, the average");
        }
    }
}

#[test]
fn frozen_parameters_have_no_optimiser_state_and_no_average() {
    let folder = tempfile::tempdir().unwrap();
    let sizes = |name: &str, sets: &[(&str, &str)]| {
        let plan = plan(sets);
        let mut state = state(&plan);
        train_epoch(&mut state);
        let saved = state.save(&folder.path().join(name)).unwrap();
        ["optimizer.bpk", "ema.bpk"].map(|name| std::fs::metadata(saved.path.join(name)).unwrap().len())
    };
    let [all, all_averages] = sizes("all", &[]);
    let [few, few_averages] = sizes("few", &[("model.freeze", ALL_BUT_HEAD)]);
    // 204 of 374 numbers, two of AdamW's and the average of each.
    assert!(all - few >= 2 * 4 * 204, "{all} {few}");
    assert!(all_averages - few_averages >= 4 * 204, "{all_averages} {few_averages}");
}

#[test]
fn thawed_parameters_move_from_the_next_epoch_on() {
    let plan = plan(&[("model.freeze.parameters", ALL_BUT_HEAD), ("model.freeze.until_epoch", "2")]);
    let mut state = state(&plan);
    let before = state.trained();
    (0..2).for_each(|_| train_epoch(&mut state));
    assert_eq!(moved(&before, &state.trained()), HEAD);
    assert_eq!(moved(&before, &state.averaged().unwrap()), HEAD);
    train_epoch(&mut state);
    assert_eq!(moved(&before, &state.trained()).len(), 14);
    // The average of what was thawed has begun with what it was: half of the way behind after one step of 0.5.
    assert_eq!(moved(&before, &state.averaged().unwrap()).len(), 14);
    let first = |model: &Network| named_parameters(model)[0].data.iter::<f64>().next().unwrap();
    let mut state = self::state(&plan);
    (0..2).for_each(|_| train_epoch(&mut state));
    let batches = state.batches().next().unwrap().unwrap();
    state.step(batches).unwrap();
    let [start, now, average] = [&before, &state.trained(), &state.averaged().unwrap()].map(first);
    assert!((average - (start + now) / 2.0).abs() < 1e-7 && start != now, "{start} {now} {average}");
}

/// Saved and restored at every step, before, at and behind the thaw.
#[test]
fn a_restored_state_goes_on_with_the_same_bits() {
    for freeze in [
        &[("model.freeze", ALL_BUT_HEAD)][..],
        &[("model.freeze.parameters", ALL_BUT_HEAD), ("model.freeze.until_epoch", "2")],
        &[("model.freeze.parameters", r#"["4.*", "5.*"]"#), ("model.freeze.until_epoch", "1")],
    ] {
        let plan = plan(freeze);
        let folder = tempfile::tempdir().unwrap();
        let mut whole = state(&plan);
        let mut parts = state(&plan);
        while !whole.is_finished() {
            let batches = || whole.batches().next().unwrap().unwrap();
            let (for_whole, for_parts) = (batches(), batches());
            whole.step(for_whole).unwrap();
            let saved = parts.save(folder.path()).unwrap();
            parts = state(&plan);
            parts.restore(&Checkpoint::read(&saved.path).unwrap()).unwrap();
            parts.step(for_parts).unwrap();
            let step = whole.progress().position.step;
            assert_eq!(
                weights_sha256(&whole.trained()),
                weights_sha256(&parts.trained()),
                "{freeze:?} {step}"
            );
            let averages = [&whole, &parts].map(|state| weights_sha256(&state.averaged().unwrap()));
            assert_eq!(averages[0], averages[1], "{freeze:?} {step}");
        }
    }
}

fn run(sets: &[(&str, &str)], run_dir: &Path, last_step: Option<u64>) -> (String, Vec<String>) {
    let plan = plan(sets);
    let location = RunLocation { run_dir: Some(run_dir.to_owned()), resume: Resume::Latest };
    let mut told = Vec::new();
    let mut listen = |event: &Event| {
        if let Event::Notice { message } = event {
            told.push(message.clone());
        }
        match event {
            Event::Step(record) if Some(record.step) == last_step => Control::Stop,
            _ => Control::Continue,
        }
    };
    let summary = fit_network(&plan, &location, &mut listen).unwrap().summary;
    let last = summary.last.map(|score| score.loss.to_bits());
    (format!("{} {:?} {:?} {last:?}", summary.steps, summary.weights_sha256, summary.ema_sha256), told)
}

/// With and without kept outputs, stopped in any step, and with `cache_mb` changed while it was stopped.
#[test]
fn outputs_that_are_kept_change_no_bit_nor_does_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    for (name, freeze) in [("end", ""), ("thawed", ", until_epoch = 3")] {
        let with = |cache: &str| format!("{{ parameters = {ALL_BUT_HEAD}{freeze}{cache} }}");
        let (kept, anew) = (with(""), with(", cache_mb = 0"));
        let (expected, told) =
            run(&[("model.freeze", &anew)], &folder.path().join(format!("{name}-anew")), None);
        assert!(told.iter().any(|told| told.ends_with("is computed anew each time")), "{told:?}");
        let (whole, told) =
            run(&[("model.freeze", &kept)], &folder.path().join(format!("{name}-kept")), None);
        assert_eq!(whole, expected, "{name}");
        let is_told =
            |told: &String| told.contains("what the first 8 layers give is computed once for each image");
        assert!(told.iter().any(is_told), "{told:?}");
        let parts = folder.path().join(format!("{name}-parts"));
        for (step, freeze) in (1..12).zip([&kept, &anew, &kept].into_iter().cycle()) {
            run(&[("model.freeze", freeze)], &parts, Some(step));
        }
        assert_eq!(run(&[("model.freeze", &kept)], &parts, None).0, expected, "{name}, stopped");
    }
}

#[test]
fn random_images_are_computed_anew_and_those_that_are_evaluated_once() {
    let folder = tempfile::tempdir().unwrap();
    let augment = ("data.augment", r#"[{ name = "random_crop", padding = 1 }]"#);
    let kept = run(&[("model.freeze", ALL_BUT_HEAD), augment], &folder.path().join("kept"), None);
    assert!(
        kept.1.iter().any(|told| told.contains("for each image of the test split")
            && told.ends_with("and anew for training images, which are changed at random")),
        "{:?}",
        kept.1
    );
    let anew = format!("{{ parameters = {ALL_BUT_HEAD}, cache_mb = 0 }}");
    assert_eq!(run(&[("model.freeze", &anew), augment], &folder.path().join("anew"), None).0, kept.0);
    // A crop that is always the same is no reason.
    let fixed =
        ("data.augment", r#"[{ name = "resize", size = [9, 9] }, { name = "center_crop", size = 8 }]"#);
    let kept = run(&[("model.freeze", ALL_BUT_HEAD), fixed], &folder.path().join("fixed"), None);
    assert!(kept.1.iter().any(|told| told.contains("once for each image and kept")), "{:?}", kept.1);
}

#[test]
fn a_finished_run_is_opened_with_its_average_before_and_behind_the_thaw() {
    let folder = tempfile::tempdir().unwrap();
    let freeze = format!("{{ parameters = {ALL_BUT_HEAD}, until_epoch = 2 }}");
    run(&[("model.freeze", &freeze)], folder.path(), None);
    let device = plan(&[]).backend.device;
    let mut hashes = Vec::new();
    for step in [3, 6, 9, 12] {
        let checkpoint = folder.path().join(format!("checkpoints/step-{step:09}"));
        let open = |weights| {
            let which = Which::Folder(checkpoint.clone());
            TrainedRun::open(&checkpoint, which, weights, &device).unwrap().model
        };
        hashes.push([WeightsKind::Raw, WeightsKind::Ema].map(|weights| weights_sha256(&open(weights))));
    }
    assert!(hashes.windows(2).all(|pair| pair[0] != pair[1]), "{hashes:?}");
}

#[test]
fn what_freezes_nothing_or_everything_is_refused_with_its_place() {
    let cases = [
        (r#"["*"]"#, "patterns that freeze all of them, so that nothing is left to train"),
        (r#"["8.*", "!*"]"#, "patterns that freeze none"),
        (
            r#"["*", "!9.*"]"#,
            "model.freeze[1]: expected a pattern for a parameter of the network, such as `0.weight`, `0.bias`, got `!9.*`",
        ),
        (r#"["*", "!8.wieght"]"#, "such as `8.weight`, `8.bias`, got `!8.wieght`; did you mean `8.weight`?"),
        (r#"["running_mean"]"#, "model.freeze[0]: expected a pattern for a parameter"),
        (r#"{ parameters = ["8.*", "7.weight"] }"#, "model.freeze.parameters[1]: expected a pattern"),
    ];
    for (freeze, expected) in cases {
        let plan = plan(&[("model.freeze", freeze)]);
        let model = plan.initial_model(&plan.backend.device).unwrap();
        let error = TrainState::new(&plan, model).map(drop).unwrap_err().to_string();
        assert!(error.contains(expected), "{freeze}: {error}");
        assert!(error.contains("model.freeze"), "{freeze}: {error}");
        let checked = firebrick_train::check(&plan.config, &()).unwrap_err().to_string();
        assert_eq!(checked, error);
    }
    let file = CONFIG.replace("layers = [", "freeze = [\"*\",\n  \"!fc.*\"]\nlayers = [");
    let plan = Plan::new(Config::from_toml("x.toml", &file, &[]).unwrap(), "x", &()).unwrap();
    let model = plan.initial_model(&plan.backend.device).unwrap();
    let error = TrainState::new(&plan, model).map(drop).unwrap_err().to_string();
    assert!(error.starts_with("x.toml:5:3: model.freeze[1]: "), "{error}");
}

#[test]
fn wrong_arguments_are_refused_by_the_reader() {
    let cases = [
        ("model.freeze", "[]", "model.freeze.parameters: expected patterns over the parameters' paths"),
        ("model.freeze", "\"*\"", "model.freeze: expected a list of patterns such as"),
        ("model.freeze", "[1]", "model.freeze[0]: expected "),
        ("model.freeze", "{ until_epoch = 3 }", "model.freeze: missing key `parameters`"),
        (
            "model.freeze",
            "{ parameters = [\"*\"], until = 3 }",
            "unknown key `until`, expected one of `parameters`, `until_epoch`, `cache_mb`",
        ),
        (
            "model.freeze",
            "{ parameters = [\"*\"], until_epoch = 0 }",
            "model.freeze.until_epoch: expected a number of epochs from 1 on, got 0",
        ),
        (
            "optimizer.lr_decay_by_depth",
            "0",
            "optimizer.lr_decay_by_depth: expected a number above 0, at most 1, got 0",
        ),
        (
            "optimizer.lr_decay_by_depth",
            "1.5",
            "optimizer.lr_decay_by_depth: expected a number above 0, at most 1, got 1.5",
        ),
    ];
    for (key, value, expected) in cases {
        let error = config(&[(key, value)]).err().unwrap_or_else(|| panic!("{key} = {value} is accepted"));
        assert!(error.contains(expected), "{key} = {value}: {error}");
    }
}

#[test]
fn the_table_is_written_and_read_again() {
    let config = config(&[("model.freeze", ALL_BUT_HEAD)]).unwrap();
    assert_eq!(config.model.freeze, Some(FreezeConfig::new(["*", "!8.*"])));
    let text = config.to_toml().unwrap();
    assert!(text.contains("cache_mb = 1024") && !text.contains("until_epoch"), "{text}");
    assert_eq!(Config::from_toml("again", &text, &[]).unwrap().model.freeze, config.model.freeze);
    let network = config.model.network.build().unwrap();
    assert_eq!(FreezeConfig::all_but_last(&network), FreezeConfig::new(["*", "!8.*"]));
}

#[test]
fn what_is_hardly_meant_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let told = |name: &str, sets: &[(&str, &str)]| run(sets, &folder.path().join(name), Some(1)).1;
    let groups = ("optimizer.groups", r#"[{ match = "0.*", lr = 0.1 }, { match = "8.*", lr = 0.1 }]"#);
    let all = told("groups", &[("model.freeze", ALL_BUT_HEAD), groups]);
    let expected = "optimizer.groups[0] has no effect: all parameters that match \"0.*\" are frozen";
    assert!(
        all.iter().any(|told| told == expected) && !all.iter().any(|told| told.contains("groups[1]")),
        "{all:?}"
    );
    let freeze = format!("{{ parameters = {ALL_BUT_HEAD}, until_epoch = 4 }}");
    let all = told("until", &[("model.freeze", &freeze)]);
    let expected = "204 of 374 parameters are frozen to the end: model.freeze.until_epoch = 4 thaws nothing in a run of 4";
    assert!(all.iter().any(|told| told.starts_with(expected)), "{all:?}");
    let all = told("depth", &[("optimizer.lr_decay_by_depth", "0.5")]);
    let expected = "learning rates by depth (optimizer.lr_decay_by_depth = 0.5): from 0.0025 to 0.01 in 3 groups of layers";
    assert!(all.iter().any(|told| told == expected), "{all:?}");
}

#[test]
fn a_run_that_goes_on_may_have_another_cache_but_not_another_freeze() {
    let folder = tempfile::tempdir().unwrap();
    run(&[("model.freeze", ALL_BUT_HEAD)], folder.path(), Some(2));
    let plan = plan(&[("model.freeze", r#"["0.*"]"#)]);
    let run_dir = Some(folder.path().to_owned());
    let location = RunLocation { run_dir, resume: Resume::Latest };
    let error = fit_network(&plan, &location, &mut |_: &Event| Control::Continue).err().unwrap().to_string();
    assert!(error.contains("model.freeze.parameters"), "{error}");
    let anew = format!("{{ parameters = {ALL_BUT_HEAD}, cache_mb = 0 }}");
    run(&[("model.freeze", &anew)], folder.path(), None);
}

/// A plain step of SGD shows each parameter's rate: what it moved by, over its gradient.
#[test]
fn rates_fall_with_the_distance_from_the_end() {
    let rates = |sets: &[(&str, &str)]| -> BTreeMap<String, f64> {
        let plain = [
            ("optimizer.name", "sgd"),
            ("optimizer.weight_decay", "0"),
            ("optimizer.lr", "1"),
            ("trainer.clip_grad_norm", "1e9"),
        ];
        let step = |sets: &[(&str, &str)]| {
            let plan = plan(sets);
            let mut state = state(&plan);
            let before = named_parameters(&state.trained());
            let batches = state.batches().next().unwrap().unwrap();
            state.step(batches).unwrap();
            let after = named_parameters(&state.trained());
            let norm = |(before, after): (&_, &_)| distance(before, after);
            before
                .iter()
                .zip(&after)
                .map(|pair| (pair.0.name.clone(), norm(pair)))
                .collect::<BTreeMap<_, _>>()
        };
        let base = step(&plain);
        let all: Vec<(&str, &str)> = plain.iter().chain(sets).copied().collect();
        let found = step(&all).into_iter().filter(|(name, _)| !name.contains("running") && base[name] > 1e-5);
        found
            .map(|(name, moved)| {
                let rate = moved / base[&name];
                (name, rate)
            })
            .collect()
    };
    let near = |rates: &BTreeMap<String, f64>, name: &str, expected: f64| {
        assert!((rates[name] / expected - 1.0).abs() < 1e-3, "{name}: {} and not {expected}", rates[name]);
    };
    let decay = ("optimizer.lr_decay_by_depth", "0.5");
    let found = rates(&[decay]);
    for (name, expected) in
        [("0.weight", 0.25), ("1.weight", 0.25), ("4.weight", 0.5), ("5.bias", 0.5), ("8.bias", 1.0)]
    {
        near(&found, name, expected);
    }
    // A group that sets a rate sets it; one that does not leaves the depth's.
    let groups =
        ("optimizer.groups", r#"[{ match = "0.*", lr = 0.125 }, { match = "4.*", momentum = 0.9 }]"#);
    let found = rates(&[decay, groups]);
    for (name, expected) in [("0.weight", 0.125), ("1.weight", 0.25), ("4.weight", 0.5), ("8.bias", 1.0)] {
        near(&found, name, expected);
    }
}

fn distance(
    before: &firebrick_models::parameters::NamedParameter,
    after: &firebrick_models::parameters::NamedParameter,
) -> f64 {
    let pairs = before.data.iter::<f64>().zip(after.data.iter::<f64>());
    pairs.map(|(before, after)| (after - before).powi(2)).sum::<f64>().sqrt()
}
