//! Configs as Windows and editors write them, and text from outside in messages.

use crate::cli::sandbox::{Sandbox, TINY};

fn checked(text: &str) -> crate::cli::sandbox::Ended {
    let sandbox = Sandbox::new();
    sandbox.write("c.toml", text);
    sandbox.firebrick(&["config", "check", "c.toml"])
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    let tiny = TINY.trim_start();
    checked(&format!("\u{feff}{}", tiny.replace('\n', "\r\n"))).succeeds();
    for (from, to, place) in [
        ("name = \"lenet\"", "nam = \"lenet\"", "c.toml:2:1]"),
        ("[model]", "[modle]", "c.toml:1:2]"),
        ("lr = 0.02", "lr = -1.0", "c.toml:15:6]"),
    ] {
        for mark in ["", "\u{feff}"] {
            let ended = checked(&format!("{mark}{}", tiny.replacen(from, to, 1))).ends_with(2);
            assert!(ended.stderr.contains(place), "{ended:#?}");
        }
    }
}

#[test]
fn a_misspelt_name_of_a_component_is_found() {
    let ended = checked(&TINY.replacen("name = \"sgd\"", "nmae = \"sgd\"", 1)).ends_with(2);
    assert!(
        ended.stderr.contains("unknown key `nmae`") && ended.stderr.contains("did you mean `name`?"),
        "{ended:#?}"
    );
    assert!(ended.stderr.contains("c.toml:15:1]"), "{ended:#?}");
}

/// Backslashes in double quotes become line breaks, tabs and worse; messages show them spelled out.
#[test]
fn control_characters_are_spelled_out() {
    let folder = |root: &str| TINY.replacen("\"digits\"", &format!("\"image_folder\"\nroot = {root}"), 1);
    let sandbox = Sandbox::new();
    for (root, says) in [
        (r#""data\new\train""#, r"data\new\train: no image_folder data here"),
        (r#""\u001b[31mred""#, r"\u{1b}[31mred: no image_folder data here"),
        (r#""a\rb""#, r"a\rb: no image_folder data here"),
    ] {
        sandbox.write("c.toml", folder(root));
        let ended = sandbox.train(&["--config", "c.toml", "--quiet"]).ends_with(3);
        assert!(ended.stderr.contains(says), "{ended:#?}");
        assert_eq!(ended.stderr.trim_end().lines().count(), 1, "{ended:#?}");
    }
    // Names of components, of weights and of configs, too.
    let model = TINY.replacen("\"lenet\"", r#""le\nnet\u001b""#, 1);
    let ended = checked(&model).ends_with(2);
    assert!(ended.stderr.contains(r"unknown model `le\nnet\u{1b}`"), "{ended:#?}");
    for (arguments, says) in [
        (&["config", "check", "no\nwhere.toml"][..], r"cannot read config no\nwhere.toml"),
        (&["evaluate", "no\nwhere"], r"no\nwhere: expected a run folder"),
        (
            &["config", "show", "--set", "trainer.backend=a\nb"],
            r"--set trainer.backend=a\nb: trainer.backend:",
        ),
    ] {
        let ended = sandbox.firebrick(arguments);
        assert!(ended.code != Some(0) && ended.stderr.contains(says), "{ended:#?}");
        assert!(!ended.stderr.contains('\u{1b}'), "{ended:#?}");
    }
}
