//! A step of several batches is the step of one batch that holds them all, for every reduction and weight.

use serde_json::{Value, json};

use super::definition::{assert_close, numbers, of_pytorch, sandbox, train};
use crate::cli::sandbox::Sandbox;

fn check(sandbox: &Sandbox, name: &str, arguments: &Value, batch_size: usize) {
    let what = format!("{name} {arguments} in batches of {batch_size}");
    let (run, run_dir) =
        (of_pytorch(name, arguments), what.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    let batch = format!("data.batch_size={batch_size}");
    let several = format!("trainer.accumulate_grad_batches={}", 46_usize.div_ceil(batch_size));
    train(sandbox, &run, &run_dir, &[&batch, &several]);
    let losses = numbers(sandbox, &run_dir, "step", "loss");
    let norms = numbers(sandbox, &run_dir, "step", "grad_norm");
    assert_eq!((losses.len(), norms.len()), (2, 2), "{what}");
    for step in 0..2 {
        assert_close(losses[step], &run["losses"][step], &what);
        assert_close(norms[step], &run["grad_norms"][step], &what);
    }
}

/// The case's: sums, and a last batch of 14.
#[test]
fn sums_are_not_divided() {
    check(&sandbox(), "cross_entropy", &json!({ "reduction": "sum" }), 16);
}

#[test]
fn a_mean_weighs_a_short_last_batch_by_its_images() {
    check(&sandbox(), "cross_entropy", &json!({ "reduction": "mean" }), 16);
    check(&sandbox(), "mse", &json!({ "reduction": "mean" }), 9);
}

#[test]
fn class_weights_divide_by_their_sum_over_the_step() {
    let weight = json!([1, 2, 0.5, 1, 3, 1, 0.25, 0, 1, 1.5]);
    check(&sandbox(), "cross_entropy", &json!({ "weight": weight, "reduction": "mean" }), 16);
    check(&sandbox(), "focal", &json!({ "weight": weight, "reduction": "mean" }), 5);
}

/// In batches of one image, some of the step's batches have no image that counts.
#[test]
fn batches_that_are_ignored_as_a_whole_leave_the_step_as_it_is() {
    check(&sandbox(), "cross_entropy", &json!({ "ignore_index": 3, "reduction": "mean" }), 1);
}

/// The recording of the one batch is followed; that of torch's idiom, which divides each batch's loss by the number of
/// batches, is not, and the message says what was expected.
#[test]
fn verify_follows_the_one_batch_and_explains_the_idiom() {
    let sandbox = sandbox();
    let run = of_pytorch("cross_entropy", &json!({ "reduction": "sum" }));
    let losses: Vec<f64> = (0..2).map(|step| run["losses"][step].as_f64().unwrap()).collect();
    let trace = |divisor: f64| {
        let step = |index: usize| json!({ "step": index + 1, "loss": losses[index] / divisor });
        json!({ "format": "firebrick-trace-1", "made_with": "torch", "steps": [step(0), step(1)] })
            .to_string()
    };
    sandbox.write("one-batch.json", trace(1.0));
    sandbox.write("idiom.json", trace(3.0));
    let rate = format!("optimizer.lr={}", run["lr"]);
    let against = |trace: &str| {
        let sets = ["--set", "loss.reduction=sum", "--set", rate.as_str()];
        let command = ["verify", "--against", trace, "--config", "config.toml"];
        sandbox.firebrick(&[&command[..], &sets].concat())
    };
    against("one-batch.json").succeeds();
    let ended = against("idiom.json").ends_with(1);
    assert!(ended.stdout.contains("first at step 1, by "), "{ended:#?}");
    assert!(ended.stdout.contains("trainer.accumulate_grad_batches = 3"), "{ended:#?}");
    assert!(ended.stdout.contains("one batch that holds them all"), "{ended:#?}");
}
