//! A run evaluated on other classes.

use crate::cli::fixtures::png;
use crate::cli::sandbox::{Ended, Sandbox};

const CONFIG: &str = r#"
model = { name = "sequential", input_shape = [3, 4, 4], layers = ["flatten", { name = "linear", out_features = 3 }] }
data = { dataset = "image_folder", root = "data", batch_size = 4 }
loss = { name = "cross_entropy" }
optimizer = { name = "sgd", lr = 0.01 }
trainer = { epochs = 1, backend = "flex" }
"#;

/// An image folder of these classes, each picture of a shade of its own.
fn folder(sandbox: &Sandbox, root: &str, classes: &[&str], in_test: u8) {
    for (split, count) in [("train", 2), ("test", in_test)] {
        for (class, name) in classes.iter().enumerate() {
            for number in 0..count {
                sandbox.write(&format!("{root}/{split}/{name}/{number}.png"), png(class as u8 * 80 + number));
            }
        }
    }
}

fn trained() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("net.toml", CONFIG);
    folder(&sandbox, "data", &["ant", "bee", "cow"], 2);
    sandbox.train(&["--config", "net.toml", "--run-dir", "run", "--quiet"]).succeeds();
    sandbox
}

fn evaluate(sandbox: &Sandbox, set: &str) -> Ended {
    sandbox.firebrick(&["evaluate", "run", "--json", "--set", set])
}

#[test]
fn other_classes_are_refused_by_name_and_the_same_ones_are_not() {
    let sandbox = trained();
    let own = sandbox.firebrick(&["evaluate", "run", "--json"]).succeeds();
    assert!(!own.stderr.contains("warning"), "{own:#?}");
    for (root, classes, says) in [
        ("shifted", &["bee", "cow", "doe"][..], "it has a class `doe` and no class `ant`"),
        ("fewer", &["ant", "bee"], "it has no class `cow` (2 classes, expected 3)"),
        ("more", &["ant", "bee", "cow", "doe"], "it has a class `doe` more (4 classes, expected 3)"),
        ("renamed", &["ant", "bee", "kuh"], "it has a class `kuh` and no class `cow`"),
    ] {
        folder(&sandbox, root, classes, 2);
        let ended = evaluate(&sandbox, &format!("data.root={root}")).ends_with(2);
        assert!(ended.stderr.contains(says) && ended.stdout.is_empty(), "{root}: {ended:#?}");
    }
    folder(&sandbox, "larger", &["ant", "bee", "cow"], 3);
    let ended = evaluate(&sandbox, "data.root=larger").succeeds();
    assert_eq!(ended.json()["images"], 9);
    assert!(ended.stderr.contains("fingerprint differs"), "{ended:#?}");
    // Digits have ten classes under other names.
    let ended = evaluate(&sandbox, "data.dataset=digits").ends_with(2);
    assert!(ended.stderr.contains("it has no class `ant` (10 classes, expected 3)"), "{ended:#?}");
}

#[test]
fn a_run_does_not_go_on_with_classes_that_were_renamed() {
    let sandbox = trained();
    for split in ["train", "test"] {
        let folder = |name: &str| sandbox.path(&format!("data/{split}/{name}"));
        std::fs::rename(folder("cow"), folder("kuh")).unwrap();
    }
    let ended = sandbox.train(&["--resume=run", "--set", "trainer.epochs=2"]).ends_with(4);
    assert!(ended.stderr.contains("it has a class `kuh` and no class `cow`"), "{ended:#?}");
    // Nothing of the data is read to predict: the names are those of the run.
    let ended = sandbox.firebrick(&["predict", "run", "data/test/ant/0.png", "--json"]).succeeds();
    assert!(ended.stdout.contains("cow") && !ended.stdout.contains("kuh"), "{ended:#?}");
}

#[test]
fn two_folders_of_validation_images_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("net.toml", CONFIG);
    folder(&sandbox, "data", &["ant", "bee", "cow"], 2);
    for split in ["val", "valid"] {
        sandbox.write(&format!("data/{split}/ant/0.png"), png(1));
    }
    let ended = sandbox.firebrick(&["config", "check", "net.toml"]).ends_with(3);
    assert!(ended.stderr.contains("data/val and data/valid"), "{ended:#?}");
}
