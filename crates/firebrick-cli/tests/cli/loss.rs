//! `firebrick loss`: the lessons on losses as a person types them.

use super::sandbox::{Ended, Sandbox};

const ONES: &str = "[[1, 1], [1, 1]]";
const SQUARE: &str = "[[0, 1], [2, 3]]";

fn loss(arguments: &[&str]) -> Ended {
    Sandbox::new().firebrick(&[&["loss"], arguments].concat())
}

#[test]
fn lessons_print_their_numbers() {
    let lessons: [(&[&str], &str); 9] = [
        (&["l1", "--input", ONES, "--target", SQUARE], "1\n"),
        (&["smooth_l1", "--input", ONES, "--target", SQUARE], "0.625\n"),
        (&["mse", "--input", ONES, "--target", SQUARE], "1.5\n"),
        (&["l1", "--input", "[1,2,3]", "--target", "[1,2,5]"], "0.6667\n"),
        (&["l1", "--input", "[1,2,3]", "--target", "[1,2,5]", "--reduction", "sum"], "2\n"),
        (&["mse", "--input", "[1,2,3]", "--target", "[1,2,5]"], "1.3333\n"),
        (&["mse", "--input", "[1,2,3]", "--target", "[1,2,5]", "--set", "reduction=sum"], "4\n"),
        (&["cross_entropy", "--input", "[[0.1,0.2,0.3]]", "--target", "[1]"], "1.1019\n"),
        (&["cross_entropy", "--input", "[0.1,0.2,0.3]", "--target", "1"], "1.1019\n"),
    ];
    for (arguments, printed) in lessons {
        assert_eq!(loss(arguments).succeeds().stdout, printed, "{arguments:?}");
    }
}

#[test]
fn arithmetic_and_gradient_are_shown() {
    let ended = loss(&["l1", "--input", ONES, "--target", SQUARE, "--explain", "--backward"]).succeeds();
    insta::assert_snapshot!(ended.stdout, @r"
    |0-1| + |1-1| + |2-1| + |3-1| = 4
    4 / 4 = 1
    1
    gradient [[0.25, 0], [-0.25, -0.25]]
    ");
    let arguments = ["cross_entropy", "--input", "[[0.1,0.2,0.3]]", "--target", "[1]", "--explain"];
    insta::assert_snapshot!(loss(&arguments).succeeds().stdout, @r"
    (-0.2 + log(exp(0.1) + exp(0.2) + exp(0.3))) = 1.1019
    1.1019
    ");
}

#[test]
fn json_holds_loss_and_gradient() {
    let arguments = ["mse", "--input", "[1,2,3]", "--target", "[1,2,5]", "--backward", "--json"];
    let json = loss(&arguments).succeeds().json();
    assert_eq!(json["loss"].as_f64().map(|loss| (loss * 1e4).round()), Some(13333.0));
    assert_eq!(json["gradient"][1], 0.0);
    assert!(json["gradient"][2].as_f64().is_some_and(|slope| (slope + 4.0 / 3.0).abs() < 1e-6));
    let several = ["margin_ranking", "--tensor", "input1=[1]", "--tensor", "input2=[3]", "--target", "[1]"];
    let json = loss(&[&several[..], &["--backward", "--json"]].concat()).succeeds().json();
    assert_eq!(json["gradient"]["input1"], serde_json::json!([-1.0]));
    let overflow = ["soft_margin", "--input", "[-200]", "--target", "[1]", "--json"];
    assert_eq!(loss(&overflow).succeeds().json()["loss"], "inf");
}

#[test]
fn numpy_files_are_inputs() {
    let sandbox = Sandbox::new();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }";
    let mut file = [&b"\x93NUMPY\x01\x00"[..], &118u16.to_le_bytes()].concat();
    file.extend(format!("{header:117}\n").bytes());
    file.extend([0.1f32, 0.2, 0.3].iter().flat_map(|number| number.to_le_bytes()));
    sandbox.write("x.npy", &file);
    let arguments = ["loss", "cross_entropy", "--input", "x.npy", "--target", "[1]"];
    assert_eq!(sandbox.firebrick(&arguments).succeeds().stdout, "1.1019\n");
    sandbox.write("x.npy", &file[..file.len() - 1]);
    let ended = sandbox.firebrick(&arguments).ends_with(3);
    assert_eq!(ended.stderr, "error: x.npy: expected 3 numbers of 4 bytes, got 11 bytes\n");
}

#[test]
fn what_is_wrong_is_said_with_both_values() {
    let wrong: [(&[&str], &str); 7] = [
        (&["l1", "--input", "[1, 2]", "--target", "[[1]]"], "`target` has shape [1, 1], expected [2]"),
        (&["bce", "--input", "[1]", "--target", "[2]"], "0..=1 (for logits use bce_with_logits), got 2"),
        (&["cross_entropy", "--input", "[[1, 2]]", "--target", "[2]"], "0..=1 or ignore_index = -100, got 2"),
        (
            &["huber", "--input", "[1]", "--target", "[1]", "--set", "delta=0"],
            "`delta` must be a number above 0, got 0",
        ),
        (&["l1", "--input", "[1]", "--target", "[1]", "--reduction", "average"], "got \"average\""),
        (&["l1", "--input", "[1]"], "input `target` is missing"),
        (&["l1", "--input", "[1, a]", "--target", "[1]"], "expected numbers in brackets"),
    ];
    for (arguments, said) in wrong {
        let ended = loss(arguments).ends_with(2);
        assert!(ended.stderr.contains(said), "{arguments:?}: {ended:#?}");
        assert!(ended.stdout.is_empty(), "{ended:#?}");
    }
}
