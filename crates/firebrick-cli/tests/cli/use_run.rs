//! What is done with a finished run: evaluate, predict, export, verify.

use super::fixtures::{edit, png};
use super::sandbox::Sandbox;

#[test]
fn evaluate_repeats_the_numbers_of_training_to_the_last_digit() {
    let sandbox = Sandbox::with_run();
    let last = sandbox.metrics("run").into_iter().rfind(|record| record["event"] == "eval").unwrap();
    let json = sandbox.firebrick(&["evaluate", "run", "--json"]).succeeds().json();
    assert_eq!(json["accuracy"], last["accuracy"]);
    assert_eq!(json["loss"], last["loss"]);
    assert_eq!(json["images"], 64);
    let text = sandbox.firebrick(&["evaluate", "run"]).succeeds();
    for key in ["loss", "accuracy"] {
        let digits = last[key].to_string();
        assert!(text.stdout.contains(&digits), "{digits}: {text:#?}");
    }
}

#[test]
fn evaluate_takes_the_split_that_is_asked_for() {
    let sandbox = Sandbox::with_tiny_config();
    // Training images are evaluated without their augmentation.
    let sets = ["--set", "data.validation=0.25", "--set", "data.augment=[\"random_horizontal_flip\"]"];
    sandbox
        .train(&[&["--config", "tiny.toml", "--run-dir", "run", "--quiet"], &sets[..]].concat())
        .succeeds();
    let evaluate =
        |split: &str| sandbox.firebrick(&["evaluate", "run", "--json", "--split", split]).succeeds().json();
    let summary = sandbox.read_json("run/summary.json");
    for (split, key, images) in [("validation", "final", 24), ("test", "test", 64)] {
        let json = evaluate(split);
        assert_eq!((&json["split"], &json["images"]), (&split.into(), &images.into()));
        assert_eq!((&json["accuracy"], &json["loss"]), (&summary[key]["accuracy"], &summary[key]["loss"]));
    }
    assert_eq!(evaluate("train")["images"], 72);
    assert_eq!(evaluate("train"), evaluate("train"));
    assert_eq!(sandbox.firebrick(&["evaluate", "run", "--json"]).succeeds().json(), evaluate("test"));
    for set in ["data.validation=0.5", "trainer.seed=9", "data.limit.train=50", "model.num_classes=3"] {
        let ended =
            sandbox.firebrick(&["evaluate", "run", "--split", "validation", "--set", set]).ends_with(2);
        assert!(ended.stderr.contains("the run's"), "{set}: {ended:#?}");
    }
    let text = sandbox.firebrick(&["evaluate", "run", "--split", "validation"]).succeeds();
    assert!(text.stdout.contains("digits, 24 validation images"), "{text:#?}");
    let plain = Sandbox::with_run().firebrick(&["evaluate", "run", "--split", "validation"]).ends_with(2);
    assert!(plain.stderr.contains("the run has no validation split of `digits`"), "{plain:#?}");
}

#[test]
fn evaluate_counts_each_class() {
    let sandbox = Sandbox::with_run();
    let json = sandbox.firebrick(&["evaluate", "run", "--checkpoint", "best", "--json"]).succeeds().json();
    let sum = |key: &str| -> u64 {
        json["classes"].as_array().unwrap().iter().map(|class| class[key].as_u64().unwrap()).sum()
    };
    assert_eq!(sum("images"), 64);
    assert_eq!(Some(sum("correct")), json["correct"].as_u64());
}

/// Learns all of the digits in some seconds.
const ADAM: &str = r#"
model = { name = "lenet", num_classes = 10 }
data = { dataset = "digits", batch_size = 32 }
loss = { name = "cross_entropy" }
optimizer = { name = "adam", lr = 0.003 }
trainer = { epochs = 5, backend = "flex" }
"#;

#[test]
fn predict_gives_a_saved_test_image_its_class() {
    let sandbox = Sandbox::new();
    sandbox.write("adam.toml", ADAM);
    sandbox.train(&["--config", "adam.toml", "--run-dir", "run", "--quiet"]).succeeds();
    let accuracy = sandbox.read_json("run/summary.json")["best"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{accuracy}");
    let mut right = 0;
    for index in 0..10 {
        let index = index.to_string();
        let out = format!("digit-{index}.png");
        let said =
            sandbox.firebrick(&["data", "export", "digits", "--index", &index, "--out", &out]).succeeds();
        let json =
            sandbox.firebrick(&["predict", "run", &out, "--checkpoint", "best", "--json"]).succeeds().json();
        let name = json["predictions"][0]["name"].as_str().unwrap();
        right += u32::from(said.stdout.contains(&format!("({name})")));
    }
    assert!(right >= 9, "{right} of 10");
}

#[test]
fn predict_shows_as_many_classes_as_asked_and_their_probabilities_add_up() {
    let sandbox = Sandbox::with_run();
    sandbox.write("picture.png", png(40));
    let json =
        sandbox.firebrick(&["predict", "run", "picture.png", "--top", "99", "--json"]).succeeds().json();
    let predictions = json["predictions"].as_array().unwrap();
    let sum: f64 = predictions.iter().map(|prediction| prediction["probability"].as_f64().unwrap()).sum();
    assert_eq!(predictions.len(), 10);
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    let text = sandbox.firebrick(&["predict", "run", "picture.png", "--top", "2"]).succeeds();
    assert_eq!(text.stdout.lines().count(), 2, "{text:#?}");
}

#[test]
fn predict_passes_over_what_is_no_image() {
    let sandbox = Sandbox::with_run();
    sandbox.write("picture.png", png(40));
    sandbox.write("text.png", "not a picture");
    let ended = sandbox.firebrick(&["predict", "run", "text.png", "picture.png", "--top", "1"]).ends_with(3);
    assert!(ended.stderr.contains("text.png: image contents: expected a PNG"), "{ended:#?}");
    assert!(ended.stdout.starts_with("picture.png"), "{ended:#?}");
}

#[test]
fn predict_takes_the_images_in_a_folder_sorted_by_name() {
    let sandbox = Sandbox::with_run();
    for name in ["b.png", "a/z.png", "a/y.PNG", "a/.hidden.png"] {
        sandbox.write(&format!("photos/{name}"), png(40));
    }
    sandbox.write("photos/notes.txt", "not a picture");
    let ended = sandbox.firebrick(&["predict", "run", "photos", "--top", "1"]).succeeds();
    let images: Vec<&str> = ended.stdout.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(images, ["photos/a/y.PNG", "photos/a/z.png", "photos/b.png"], "{ended:#?}");
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    let ended = sandbox.firebrick(&["predict", "run", "empty"]).ends_with(3);
    insta::assert_snapshot!(ended.stderr, @"error: empty: expected images in this folder, got none");
}

#[test]
fn export_writes_weights_that_a_run_can_start_from() {
    let sandbox = Sandbox::with_run();
    for names in ["firebrick", "torch-sequential", "torch-named"] {
        let out = format!("{names}.safetensors");
        sandbox.firebrick(&["export", "run", "--names", names, "--out", &out]).succeeds();
        let run = format!("from-{names}");
        let weights = format!("model.weights={out}");
        let arguments = ["--config", "tiny.toml", "--run-dir", &run, "--set", &weights, "--quiet"];
        sandbox.train(&[&arguments[..], &["--set", "trainer.max_steps=1"]].concat()).succeeds();
        let first = sandbox.metrics(&run)[0]["loss"].as_f64().unwrap();
        let fresh = sandbox.metrics("run")[0]["loss"].as_f64().unwrap();
        assert!(first < fresh, "{names}: {first} {fresh}");
    }
    sandbox.firebrick(&["export", "run", "--out", "firebrick.safetensors"]).ends_with(4);
}

#[test]
fn verify_finds_the_damaged_checkpoint() {
    let sandbox = Sandbox::with_run();
    let good = sandbox.firebrick(&["verify", "run"]).succeeds();
    assert_eq!(good.stdout.lines().count(), 9, "{good:#?}");
    edit(&sandbox, "run/checkpoints/step-000000006/model.bpk", |bytes| bytes[100] ^= 1);
    let damaged = sandbox.firebrick(&["verify", "run"]).ends_with(4);
    assert!(damaged.stderr.contains("step-000000006: model.bpk: expected sha256"), "{damaged:#?}");
    assert!(damaged.stderr.contains("summary.json: expected at most the 3 steps"), "{damaged:#?}");
    assert_eq!(damaged.stdout.lines().count(), 7, "{damaged:#?}");
    // The whole one before it still serves, with a warning.
    let ended = sandbox.firebrick(&["evaluate", "run"]).succeeds();
    assert!(ended.stderr.contains("warning") && ended.stdout.contains("step-000000003"), "{ended:#?}");
}
