//! The loss of a split is torch's criterion over it, whatever the loss, its reduction, its weights and the batches.

use serde_json::{Value, json};

use super::definition::{assert_close, numbers, of_pytorch, sandbox, train};

/// A learning rate of 0: every evaluation is of the weights that the run began with.
const NO_STEP: &str = "optimizer.lr=0.0";

fn weight() -> Value {
    json!([1, 2, 0.5, 1, 3, 1, 0.25, 0, 1, 1.5])
}

/// Those of the case, and relatives: sums, a class without weight, elements instead of images.
#[test]
fn the_test_loss_is_torchs_criterion_over_the_split() {
    let sandbox = sandbox();
    let losses = [
        ("cross_entropy", json!({ "reduction": "mean" })),
        ("cross_entropy", json!({ "reduction": "sum" })),
        ("cross_entropy", json!({ "weight": weight(), "reduction": "mean" })),
        ("cross_entropy", json!({ "ignore_index": 3, "reduction": "mean" })),
        ("focal", json!({ "weight": weight(), "reduction": "mean" })),
        ("bce_with_logits", json!({ "reduction": "mean" })),
    ];
    for (index, (name, arguments)) in losses.iter().enumerate() {
        let (run, run_dir) = (of_pytorch(name, arguments), format!("run-{index}"));
        train(&sandbox, &run, &run_dir, &[NO_STEP, "trainer.max_steps=1"]);
        let what = format!("{name} {arguments}");
        assert_close(numbers(&sandbox, &run_dir, "eval", "loss")[0], &run["split"], &what);
        let evaluated = sandbox.firebrick(&["evaluate", &run_dir, "--json"]).succeeds().json();
        assert_close(evaluated["loss"].as_f64().unwrap(), &run["split"], &format!("evaluate: {what}"));
    }
}

/// The loss of the average, and what early stopping and the plateau hear.
#[test]
fn the_average_and_the_monitors_have_the_same_loss() {
    let sandbox = sandbox();
    let run =
        of_pytorch("cross_entropy", &json!({ "weight": weight(), "ignore_index": 3, "reduction": "mean" }));
    let more = [
        NO_STEP,
        "trainer.epochs=4",
        "trainer.ema={ decay = 0.5 }",
        "trainer.early_stopping={ metric = \"loss\", patience = 1 }",
    ];
    train(&sandbox, &run, "run", &more);
    let losses = numbers(&sandbox, "run", "eval", "loss");
    // Weights and average of the first epoch, then of the second, which is no better.
    assert_eq!(losses.len(), 4);
    for loss in losses {
        assert_close(loss, &run["split"], "evaluation");
    }
    assert_close(
        sandbox.read_json("run/summary.json")["ema"]["loss"].as_f64().unwrap(),
        &run["split"],
        "average",
    );
}

/// The same images in one batch and in many: the terminal's two losses of an epoch without a step agree with PyTorch.
#[test]
fn the_train_loss_of_an_epoch_is_weighed_like_the_test_loss() {
    let sandbox = sandbox();
    let run = of_pytorch("cross_entropy", &json!({ "ignore_index": 3, "reduction": "mean" }));
    let arguments = ["--config", "config.toml", "--run-dir", "run", "--set", "optimizer.lr=0.0"];
    let more = ["--set", "loss.ignore_index=3", "--set", "trainer.accumulate_grad_batches=1"];
    let ended = sandbox.train(&[&arguments[..], &more].concat()).succeeds();
    let expected = format!("{:.4}", run["losses"][0].as_f64().unwrap());
    let text = format!("{}{}", ended.stdout, ended.stderr);
    let row =
        text.lines().find(|line| line.trim_start().starts_with("1/2")).unwrap_or_else(|| panic!("{text}"));
    assert_eq!(row.split_whitespace().nth(1), Some(expected.as_str()), "{row}");
}

#[test]
fn a_split_in_which_no_image_counts_is_refused() {
    let sandbox = sandbox();
    let zeros = "loss.weight=[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]";
    let command = ["--config", "config.toml", "--run-dir", "run", "--set", zeros];
    let ended = sandbox.train(&[&command[..], &["--set", "loss.label_smoothing=0.0"]].concat());
    assert_ne!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.stderr.contains("in which no image counts (loss.ignore_index, loss.weight)"), "{ended:#?}");
}
