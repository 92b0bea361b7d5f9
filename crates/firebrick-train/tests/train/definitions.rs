//! The loss of a split and the step of several batches, beside PyTorch's criterion over all images at once.
//!
//! `golden/make_definitions.py` says what network and which images.

use firebrick_data::{HostBatch, HostPixels, HostTargets};
use firebrick_models::parameters::named_parameters;
use firebrick_train::step::{StepReport, Verdict};
use firebrick_train::{Config, Plan, Split, TrainState};
use serde_json::{Value, json};

use crate::parity::golden;

const COUNT: usize = 46;
const NUM_CLASSES: usize = 10;

fn runs() -> Vec<Value> {
    let document: Value =
        serde_json::from_slice(&std::fs::read(golden("definitions.json")).unwrap()).unwrap();
    document["runs"].as_array().unwrap().clone()
}

/// The weights to begin with, in a file that goes away with this value.
struct Start {
    _folder: tempfile::TempDir,
    path: String,
}

fn start() -> Start {
    let folder = tempfile::tempdir().unwrap();
    let weight = (0..640).map(|index| (f64::from(index) * 0.37).sin() / 4.0);
    let values = weight.chain((0..10).map(|index| f64::from(index).sin()));
    let header = json!({
        "1.weight": { "dtype": "F32", "shape": [10, 64], "data_offsets": [0, 2560] },
        "1.bias": { "dtype": "F32", "shape": [10], "data_offsets": [2560, 2600] },
    })
    .to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(values.flat_map(|value| (value as f32).to_le_bytes()));
    let path = folder.path().join("start.safetensors");
    std::fs::write(&path, bytes).unwrap();
    Start { path: path.display().to_string(), _folder: folder }
}

/// A run of `definitions.json` in batches of `batch_size`, a step of which takes all 46 images.
fn plan_of(start: &Start, run: &Value, batch_size: usize) -> Plan {
    let last = run["last"].as_str().map_or(String::new(), |last| format!(", {{ name = \"{last}\" }}"));
    let arguments = run["arguments"].as_object().unwrap();
    let arguments: String = arguments.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    let text = format!(
        "[model]\nname = \"sequential\"\ninput_shape = [1, 8, 8]\nweights = {:?}\n\
         layers = [{{ name = \"flatten\" }}, {{ name = \"linear\", out_features = 10 }}{last}]\n\
         [data]\ndataset = \"digits\"\nshuffle = false\nnormalize = \"none\"\nbatch_size = {batch_size}\n\
         train_split = \"train[:46]\"\ntest_split = \"test[:46]\"\n\
         [loss]\nname = {}\n{arguments}\
         [optimizer]\nname = \"sgd\"\nlr = {}\n\
         [trainer]\nepochs = 2\nbackend = \"flex\"\naccumulate_grad_batches = {}\nema = {{ decay = 0.0 }}\n",
        start.path,
        run["name"],
        run["lr"],
        COUNT.div_ceil(batch_size),
    );
    let config =
        Config::from_toml("definitions", &text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Plan::new(config, "definitions", &()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn state(plan: &Plan) -> TrainState<'_, firebrick_models::Network> {
    TrainState::new(plan, plan.initial_model(&plan.backend.device).unwrap()).unwrap()
}

fn applied(verdict: Verdict) -> StepReport {
    match verdict {
        Verdict::Applied(report) => report,
        Verdict::Refused(refusal) => panic!("{refusal:?}"),
    }
}

#[track_caller]
fn assert_close(got: f64, want: &Value, what: &str) {
    let want = want.as_f64().unwrap();
    assert!((got - want).abs() <= 1e-5 * want.abs().max(1.0), "{what}: {got}, PyTorch {want}");
}

#[test]
fn the_loss_of_a_split_is_torchs_criterion_over_it_also_in_batches() {
    let (start, runs) = (start(), runs());
    assert!(runs.len() >= 60);
    for run in &runs {
        for batch_size in [16, 7] {
            let plan = plan_of(&start, run, batch_size);
            let evaluation = state(&plan).evaluate(Split::Test).unwrap();
            assert_close(evaluation.score.loss, &run["split"], &format!("{run} in batches of {batch_size}"));
        }
    }
}

/// With batches of one image some of them have no image that counts.
#[test]
fn a_step_of_several_batches_is_torchs_step_of_all_their_images() {
    let start = start();
    for run in &runs() {
        for batch_size in [46, 16, 1] {
            let what = format!("{run} in batches of {batch_size}");
            let plan = plan_of(&start, run, batch_size);
            let mut state = state(&plan);
            for step in 0..2 {
                let batches = state.batches().next().unwrap().unwrap();
                let report = applied(state.step(batches).unwrap());
                assert_eq!(report.images, COUNT);
                assert_close(report.loss, &run["losses"][step], &what);
                assert_close(report.grad_norm, &run["grad_norms"][step], &what);
            }
            for model in [state.trained(), state.averaged().unwrap()] {
                let values = named_parameters(&model).into_iter().map(|parameter| parameter.data);
                let squares = values.map(|data| data.iter::<f64>().map(|value| value * value).sum::<f64>());
                assert_close(squares.sum(), &run["squares"], &what);
            }
        }
    }
}

/// A small generator: the numbers of a seed are the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % end as u64) as usize
    }
}

/// The images from `start` to `end` of a batch.
fn cut(batch: &HostBatch, start: usize, end: usize) -> HostBatch {
    let [_, channels, height, width] = batch.shape;
    let size = channels * height * width;
    let floats = batch.pixels.clone().into_floats(size);
    HostBatch {
        pixels: HostPixels::Floats(floats[start * size..end * size].to_vec()),
        shape: [end - start, channels, height, width],
        targets: match &batch.targets {
            HostTargets::Classes(labels) => HostTargets::Classes(labels[start..end].to_vec()),
            HostTargets::Probabilities { values, num_classes } => HostTargets::Probabilities {
                values: values[start * num_classes..end * num_classes].to_vec(),
                num_classes: *num_classes,
            },
        },
        labels: batch.labels[start..end].to_vec(),
        sample_indices: batch.sample_indices[start..end].to_vec(),
    }
}

/// Each image's class has `share` of the probability, the next class the rest.
fn soften(batch: &mut HostBatch, share: f32) {
    let mut values = vec![0.0; batch.labels.len() * NUM_CLASSES];
    for (row, label) in values.chunks_mut(NUM_CLASSES).zip(&batch.labels) {
        row[*label as usize] += share;
        row[(*label as usize + 1) % NUM_CLASSES] += 1.0 - share;
    }
    batch.targets = HostTargets::Probabilities { values, num_classes: NUM_CLASSES };
}

/// One step of `batches`: what it reports, and the weights after it.
fn step(plan: &Plan, batches: Vec<HostBatch>) -> (StepReport, Vec<f64>) {
    let mut state = state(plan);
    let report = applied(state.step(batches).unwrap());
    let weights = named_parameters(state.model());
    (report, weights.iter().flat_map(|parameter| parameter.data.iter::<f64>().collect::<Vec<_>>()).collect())
}

fn check_same(plan: &Plan, whole: HostBatch, pieces: Vec<HostBatch>, what: &str) {
    let (one, several) = (step(plan, vec![whole]), step(plan, pieces));
    let is_close = |a: f64, b: f64| (a - b).abs() <= 2e-5 * a.abs().max(1.0);
    let (a, b) = (one.0, several.0);
    assert_eq!((a.images, a.correct), (b.images, b.correct), "{what}");
    assert!(is_close(a.loss, b.loss) && is_close(a.grad_norm, b.grad_norm), "{what}: {a:?}, {b:?}");
    assert!(one.1.iter().zip(&several.1).all(|(a, b)| is_close(*a, *b)), "{what}: the weights");
}

#[test]
fn any_cut_of_a_batch_is_the_same_step() {
    let (start, runs) = (start(), runs());
    let mut random = Random(7);
    for _ in 0..60 {
        let run = &runs[random.below(runs.len())];
        let plan = plan_of(&start, run, COUNT);
        let whole = state(&plan).batches().next().unwrap().unwrap().remove(0);
        let mut ends: Vec<usize> = (0..random.below(6)).map(|_| random.below(COUNT + 1)).collect();
        ends.extend([0, COUNT]);
        ends.sort_unstable();
        // Some pieces are empty.
        let pieces = ends.windows(2).map(|ends| cut(&whole, ends[0], ends[1])).collect();
        check_same(&plan, whole, pieces, &format!("{run} cut at {ends:?}"));
    }
}

/// Mixup mixes some batches and leaves others: then the one batch has probabilities throughout.
#[test]
fn soft_targets_count_alike_beside_class_weights_and_beside_batches_of_classes() {
    let takes_soft = |run: &Value| {
        let classes_alone = ["nll", "focal", "multi_margin", "multilabel_margin", "hinge_embedding"];
        !classes_alone.iter().any(|name| run["name"] == *name) && run["arguments"]["ignore_index"].is_null()
    };
    let start = start();
    for run in runs().iter().filter(|run| takes_soft(run)) {
        let plan = plan_of(&start, run, COUNT);
        let hard = state(&plan).batches().next().unwrap().unwrap().remove(0);
        let mut soft = hard.clone();
        soften(&mut soft, 0.75);
        let pieces = [(0, 5), (5, 30), (30, 46)].map(|(start, end)| cut(&soft, start, end));
        check_same(&plan, soft.clone(), pieces.to_vec(), &format!("soft targets: {run}"));

        let mut whole = hard.clone();
        soften(&mut whole, 1.0);
        let mut first = cut(&hard, 0, 20);
        soften(&mut first, 1.0);
        check_same(&plan, whole, vec![first, cut(&hard, 20, 46)], &format!("soft beside hard: {run}"));
    }
}

#[test]
fn what_no_image_counts_in_is_refused_and_says_so() {
    let start = start();
    let none = json!({ "name": "cross_entropy", "last": null, "lr": 0.1,
        "arguments": { "weight": vec![0.0; NUM_CLASSES] } });
    for batch_size in [COUNT, 16] {
        let plan = plan_of(&start, &none, batch_size);
        let mut state = state(&plan);
        let error = state.evaluate(Split::Test).unwrap_err().to_string();
        assert!(error.starts_with("none of the 46 images of the split counts in the loss"), "{error}");
        let before = named_parameters(state.model());
        let batches = state.batches().next().unwrap().unwrap();
        let Verdict::Refused(refusal) = state.step(batches).unwrap() else { panic!("a step was taken") };
        assert!(refusal.what.starts_with("the loss of a step in which no image counts"), "{refusal:?}");
        let after = named_parameters(state.model());
        assert!(before.iter().zip(&after).all(|(before, after)| before.data == after.data));
    }
}
