//! Arguments and keys that change nothing: refused on the command line, told of in a config.

use firebrick::train::config::Override;
use firebrick::train::{Config, check};

use crate::cli::sandbox::{Sandbox, TINY};

#[test]
fn evaluate_refuses_what_it_does_not_look_at() {
    let sandbox = Sandbox::with_run();
    for set in [
        "model.num_classes=5",
        "model={name=\"tudui\"}",
        "optimizer.lr=1.0",
        "schedule.name=cosine",
        "trainer.epochs=9",
        "trainer.ema={decay=0.5}",
        "output.root=elsewhere",
        "data.augment=[\"random_crop\"]",
        "data.batch_augment=[\"mixup\"]",
        "data.shuffle=false",
        "data.drop_last=true",
        "data.limit.train=5",
        "data={dataset=\"digits\"}",
    ] {
        let ended = sandbox.firebrick(&["evaluate", "run", "--set", set]).ends_with(2);
        assert!(ended.stderr.contains(&format!("--set {set} has no effect: ")), "{ended:#?}");
        assert!(ended.stdout.is_empty());
    }
    // These do change something.
    let json = |arguments: &[&str]| {
        sandbox.firebrick(&[&["evaluate", "run", "--json"], arguments].concat()).succeeds().json()
    };
    assert_eq!(json(&["--set", "trainer.backend=ndarray"])["backend"], "ndarray");
    assert_eq!(json(&["--backend", "ndarray"])["backend"], "ndarray");
    assert_eq!(json(&["--set", "data.limit.test=10"])["images"], 10);
    let ended = sandbox
        .firebrick(&["evaluate", "run", "--backend", "flex", "--set", "trainer.backend=ndarray"])
        .ends_with(2);
    assert!(ended.stderr.contains("has no effect beside --backend"), "{ended:#?}");
}

#[test]
fn a_checkpoint_is_named_once_and_is_the_runs_own() {
    let sandbox = Sandbox::with_run();
    let (own, other) = ("run/checkpoints/step-000000003", "other/checkpoints/step-000000003");
    sandbox
        .train(&["--config", "tiny.toml", "--run-dir", "other", "--quiet", "--set", "trainer.max_steps=3"])
        .succeeds();
    sandbox.write("x.png", crate::cli::fixtures::png(9));
    for command in [&["evaluate"][..], &["export"], &["predict"]] {
        let image: &[&str] = if command == ["predict"] { &["x.png"] } else { &[] };
        let run = |more: &[&str]| sandbox.firebrick(&[command, &more[..1], image, &more[1..]].concat());
        for which in ["best", "latest", own] {
            let ended = run(&[own, "--checkpoint", which]).ends_with(2);
            assert!(ended.stderr.contains("which is a checkpoint itself"), "{ended:#?}");
        }
        let ended = run(&["run", "--checkpoint", other]).ends_with(4);
        assert!(ended.stderr.contains("expected a checkpoint of run, got one of other"), "{ended:#?}");
    }
    let ended = sandbox.firebrick(&["evaluate", "run", "--checkpoint", own, "--json"]).succeeds();
    assert_eq!(ended.json()["step"], 3);
}

#[test]
fn arguments_that_exclude_each_other_are_refused() {
    let sandbox = Sandbox::with_tiny_config();
    for (arguments, says) in [
        (
            &["--run-dir", "x", "--set", "output.name=y"][..],
            "--set output.name=y has no effect beside --run-dir",
        ),
        (&["--resume=x", "--set", "output.root=y"], "--set output.root=y has no effect beside --resume"),
        (&["--backend", "flex", "--set", "trainer.backend=ndarray"], "has no effect beside --backend"),
    ] {
        let ended = sandbox.train(&[&["--config", "tiny.toml"], arguments].concat()).ends_with(2);
        assert!(ended.stderr.contains(says), "{ended:#?}");
    }
    for (arguments, says) in [
        (
            &["data", "info", "digits", "--root", "x"][..],
            "--root x has no effect: data set `digits` has no files",
        ),
        (
            &[
                "loss",
                "mse",
                "--reduction",
                "sum",
                "--set",
                "reduction=mean",
                "--input",
                "[1]",
                "--target",
                "[2]",
            ],
            "has no effect beside --reduction",
        ),
    ] {
        let ended = sandbox.firebrick(arguments).ends_with(2);
        assert!(ended.stderr.contains(says), "{ended:#?}");
    }
}

/// What a check of `TINY` with these overrides tells.
fn told(sets: &[&str]) -> Vec<String> {
    let sets: Vec<Override> = sets.iter().map(|set| set.parse().unwrap()).collect();
    check(&Config::from_toml("tiny.toml", TINY, &sets).unwrap(), &()).unwrap().notices
}

#[test]
fn keys_without_effect_are_told() {
    #[rustfmt::skip]
    let rows: &[(&[&str], &str)] = &[
        (&["data.root=/mnt/data"], "data.root has no effect: data set `digits` has no files"),
        (&["data.download=true"], "data.download has no effect"),
        (&["data.augment=[\"random_crop\"]"], "data.augment[0] has no effect: without padding"),
        (&["data.augment=[{name=\"random_crop\",padding=1,fill=9,padding_mode=\"edge\"}]"], "data.augment[0].fill has no effect"),
        (&["data.augment=[{name=\"random_horizontal_flip\",p=0.0}]"], "data.augment[0] has no effect: p = 0"),
        (&["data.batch_augment=[{name=\"mixup\",p=0.0}]"], "data.batch_augment[0] has no effect: p = 0"),
        (&["model.strict=false"], "model.strict has no effect"),
        (&["loss={name=\"poisson_nll\",eps=0.5}"], "loss.eps has no effect"),
        (&["optimizer.momentum=0.0", "optimizer.dampening=0.5"], "optimizer.dampening has no effect"),
        (&["optimizer.no_decay_on_bias_and_norm=true"], "optimizer.no_decay_on_bias_and_norm has no effect"),
        (&["schedule={name=\"cyclic\",base_lr=0.1,max_lr=0.2,gamma=0.5}"], "schedule.gamma has no effect"),
        (&["trainer.epochs=5", "schedule={name=\"step\",step_size=30}"], "schedule has no effect: `step` never changes"),
        (&["trainer.max_recoveries=3"], "trainer.max_recoveries has no effect"),
        (&["trainer.early_stopping={patience=20}"], "trainer.early_stopping has no effect"),
        (&["data.batch_size=500"], "data.batch_size = 500, and the training split holds 96 images"),
        (&["trainer.accumulate_grad_batches=50"], "trainer.accumulate_grad_batches = 50, and an epoch has 3"),
        (&["optimizer.lr=1e30"], "the learning rate is 1e30"),
    ];
    assert_eq!(told(&[]), Vec::<String>::new());
    for (sets, says) in rows {
        let told = told(sets);
        assert!(told.len() == 1 && told[0].starts_with(says), "{sets:?}: {told:?}");
    }
}

const BLOCKS: &str = r#"
[model]
name = "sequential"
input_shape = [1, 8, 8]
num_classes = 10
layers = [{ name = "body", width = 4 }, "flatten", { name = "linear", out_features = 7 }]
[model.blocks.body]
arguments = { width = 2, depth = 3 }
layers = [{ name = "conv2d", out_channels = "$width", kernel_size = 3 }]
[model.blocks.spare]
layers = ["relu"]
[data]
dataset = "digits"
[loss]
name = "cross_entropy"
[optimizer]
name = "sgd"
"#;

#[test]
fn blocks_and_class_counts_without_effect_are_told() {
    let told = check(&Config::from_toml("blocks.toml", BLOCKS, &[]).unwrap(), &()).unwrap().notices;
    assert_eq!(
        told,
        [
            "model.blocks.body.arguments.depth has no effect: no layer of the block uses `$depth`",
            "model.blocks.spare has no effect: no layer uses the block",
            "model.layers[2].out_features = 7 has no effect: model.num_classes = 10 takes its place",
        ]
    );
    // On the command line it is meant.
    let text = BLOCKS.replacen("num_classes = 10\n", "", 1);
    let sets = [Override::new("model.num_classes", "10")];
    let told = check(&Config::from_toml("blocks.toml", &text, &sets).unwrap(), &()).unwrap().notices;
    assert_eq!(told.len(), 2, "{told:?}");
}

/// A config that is trained by as it is shipped, or with a change that people make every day, has nothing to tell.
#[test]
fn shipped_configs_say_nothing() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    assert!(files.len() >= 7);
    for file in files {
        for sets in [&[][..], &["trainer.epochs=1"], &["trainer.max_steps=3", "data.batch_size=8"]] {
            let sets: Vec<Override> = sets.iter().map(|set| set.parse().unwrap()).collect();
            let checked = check(&Config::from_file(&file, &sets).unwrap(), &()).unwrap();
            assert_eq!(checked.notices, Vec::<String>::new(), "{}", file.display());
        }
    }
}

/// What training refuses, an evaluation refuses, too: the number would mean nothing.
#[test]
fn evaluate_checks_the_loss_against_the_network_as_training_does() {
    let sandbox = Sandbox::with_run();
    for loss in ["nll", "kl_div", "bce"] {
        let ended = sandbox
            .firebrick(&["evaluate", "run", "--set", &format!("loss={{ name = \"{loss}\" }}")])
            .ends_with(2);
        assert!(ended.stderr.contains(&format!("the loss `{loss}` takes")), "{ended:#?}");
    }
}

/// Images of another data set are prepared as the network has learnt them, and the data set is called by its name.
#[test]
fn evaluate_on_another_data_set_prepares_images_as_predict_does() {
    let sandbox = Sandbox::with_run();
    let names = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    for (index, split) in ["train", "test"].iter().enumerate() {
        for (class, name) in names.iter().enumerate() {
            let out = format!("digits/{split}/{name}/a.png");
            std::fs::create_dir_all(sandbox.path(&format!("digits/{split}/{name}"))).unwrap();
            let index = (10 * index + class).to_string();
            sandbox.firebrick(&["data", "export", "digits", "--index", &index, "--out", &out]).succeeds();
        }
    }
    let elsewhere = ["--set", "data.dataset=image_folder", "--set", "data.root=digits", "--json"];
    let found = sandbox.firebrick(&[["evaluate", "run"].as_slice(), &elsewhere].concat()).succeeds().json();
    assert_eq!(found["dataset"], "image_folder");
    let predicted = |name: &str| {
        let image = format!("digits/test/{name}/a.png");
        let arguments = ["predict", "run", &image, "--top", "10", "--json"];
        let found = sandbox.firebrick(&arguments).succeeds().json();
        let all = found["predictions"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap()["probability"].as_f64().unwrap()
    };
    let expected = names.iter().map(|name| -predicted(name).ln()).sum::<f64>() / 10.0;
    let loss = found["loss"].as_f64().unwrap();
    assert!((loss - expected).abs() < 1e-5, "evaluate {loss}, from predict {expected}");
}

/// Training and validation images are drawn from the files that are there: with other files some that were trained on could
/// be taken for validation images.
#[test]
fn evaluate_refuses_seen_splits_of_changed_data() {
    let sandbox = Sandbox::new();
    super::super::fixtures::image_folder(&sandbox);
    let config = TINY.replace("\"digits\"", "\"image_folder\"\nroot = \"data/pets\"\nvalidation = 0.25");
    let config = config
        .replace("limit = { train = 96, test = 64 }", "")
        .replace("num_classes = 10", "num_classes = 2");
    sandbox.write("pets.toml", config);
    sandbox.train(&["--config", "pets.toml", "--run-dir", "run", "--quiet"]).succeeds();
    sandbox.firebrick(&["evaluate", "run", "--split", "validation"]).succeeds();
    std::fs::remove_file(sandbox.path("data/pets/train/cat/0.png")).unwrap();
    sandbox.firebrick(&["evaluate", "run"]).succeeds();
    for split in ["validation", "train"] {
        let ended = sandbox.firebrick(&["evaluate", "run", "--split", split]).ends_with(2);
        assert!(ended.stderr.contains("its fingerprint differs"), "{ended:#?}");
    }
}

#[test]
fn one_value_a_channel_for_batch_normalisation_is_told() {
    let sandbox = Sandbox::new();
    let layers = r#"layers = [{ name = "adaptive_avg_pool2d", output_size = 1 }, { name = "batch_norm2d" }, { name = "flatten" },
        { name = "linear", out_features = 10 }]"#;
    let network = format!("name = \"sequential\"\ninput_shape = [1, 8, 8]\n{layers}");
    let config =
        TINY.replace("name = \"lenet\"\nnum_classes = 10", &network).replace("train = 96", "train = 97");
    sandbox.write("norm.toml", config);
    let ended = sandbox.train(&["--config", "norm.toml", "--run-dir", "run", "--quiet"]).succeeds();
    assert!(ended.stderr.contains("gives batch normalisation 1 one value a channel"), "{ended:#?}");
    let whole = ["--config", "norm.toml", "--run-dir", "whole", "--quiet", "--set", "data.drop_last=true"];
    let ended = sandbox.train(&whole).succeeds();
    assert!(!ended.stderr.contains("one value a channel"), "{ended:#?}");
}
