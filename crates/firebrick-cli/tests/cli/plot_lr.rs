//! `config plot-lr`: drawings of the learning rate.

use super::sandbox::Sandbox;

#[test]
fn the_rate_is_drawn_over_the_steps_of_the_run() {
    let sandbox = Sandbox::with_tiny_config();
    let cosine = "schedule={ name = \"cosine\", per = \"step\", warmup = { steps = 1 } }";
    let set = ["--set", cosine, "--set", "trainer.epochs=20"];
    // 96 images in batches of 32: counted in the data.
    let ended = sandbox.firebrick(&[&["config", "plot-lr", "tiny.toml"], &set[..]].concat()).succeeds();
    insta::assert_snapshot!(ended.stdout, @r"
    cosine schedule, 60 steps, 3 steps an epoch

            learning rate
       0.02 ┤  ╭───────╮
            ┤  │       ╰──────╮
            ┤  │              ╰───╮
            ┤  │                  ╰───╮
            ┤  │                      ╰──╮
            ┤  │                         ╰──╮
       0.01 ┤  │                            ╰────╮
            ┤  │                                 ╰──╮
            ┤──╯                                    ╰──╮
            ┤                                          ╰───╮
            ┤                                              ╰────╮
            ┤                                                   ╰─────╮
    1.42e-5 ┤                                                         ╰──────
            └────────────────────────────────────────────────────────────────
            1                             step                             60
    ");
    let given = ["config", "plot-lr", "tiny.toml", "--steps-per-epoch", "3"];
    let given = sandbox.firebrick(&[&given[..], &set[..]].concat()).succeeds();
    assert_eq!(given.stdout, ended.stdout);
    assert_eq!(sandbox.entries(), ["tiny.toml"]);
}

#[test]
fn a_plateau_is_drawn_as_a_line_with_a_warning() {
    let sandbox = Sandbox::with_tiny_config();
    let arguments = ["config", "plot-lr", "tiny.toml", "--set", "schedule.name=plateau"];
    let ended = sandbox.firebrick(&arguments).succeeds();
    assert!(ended.stderr.contains("warning") && ended.stderr.contains("evaluations"), "{ended:#?}");
    let drawn: Vec<&str> = ended.stdout.lines().filter(|line| line.contains("┤─")).collect();
    assert_eq!(drawn.len(), 1, "{}", ended.stdout);
}

#[test]
fn svg_goes_into_the_file_that_was_named() {
    let sandbox = Sandbox::with_tiny_config();
    let ended = sandbox.firebrick(&["config", "plot-lr", "tiny.toml", "--output", "lr.svg"]).succeeds();
    assert_eq!(ended.stdout, "lr.svg\n");
    let svg = sandbox.read("lr.svg");
    assert!(svg.starts_with("<svg") && svg.contains("learning rate"), "{svg}");
    sandbox.firebrick(&["config", "plot-lr", "tiny.toml", "--output", "nowhere/lr.svg"]).ends_with(4);
}

#[test]
fn without_data_the_steps_have_to_be_said() {
    let sandbox = Sandbox::with_tiny_config();
    let set = ["--set", "data.dataset=cifar10", "--set", "model.name=tudui", "--set", "data.download=true"];
    let plot = ["config", "plot-lr", "tiny.toml"];
    let ended = sandbox.firebrick(&[&plot[..], &set[..]].concat()).ends_with(3);
    assert!(ended.stderr.contains("hint: say them with --steps-per-epoch N"), "{ended:#?}");
    sandbox.firebrick(&[&plot[..], &set[..], &["--steps-per-epoch", "782"]].concat()).succeeds();
}
