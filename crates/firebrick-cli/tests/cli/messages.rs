//! Messages as people see them, to the letter.

use super::sandbox::{Ended, Sandbox, TINY};

/// What `train` says to a config that is `TINY` with one part replaced.
fn with(from: &str, to: &str) -> Ended {
    assert!(TINY.contains(from));
    let sandbox = Sandbox::new();
    sandbox.write("run.toml", TINY.trim_start().replacen(from, to, 1));
    sandbox.train(&["--config", "run.toml"])
}

#[test]
fn misspelt_key() {
    let ended = with("epochs = 2", "epoch = 2").ends_with(2);
    insta::assert_snapshot!(ended.stderr, @r#"
    error: unknown key `epoch`, expected one of `epochs`, `max_steps`, `checkpoint_every`, `checkpoint_every_minutes`, `keep_last`, `keep_best`, `accumulate_grad_batches`, `seed`, `backend`, `clip_grad_norm`, `clip_grad_value`, `ema`, `early_stopping`, `metrics`, `on_divergence`, `max_recoveries`
        ╭─[run.toml:19:1]
     18 │ [trainer]
     19 │ epoch = 2
        · ─────
     20 │ backend = "flex"
        ╰────
    hint: did you mean `epochs`?
    "#);
}

#[test]
fn misspelt_table() {
    let ended = with("[trainer]", "[trainr]").ends_with(2);
    insta::assert_snapshot!(ended.stderr, @r#"
    error: unknown table `trainr`, expected one of `model`, `data`, `loss`, `optimizer`, `schedule`, `trainer`, `output`
        ╭─[run.toml:18:2]
     17 │
     18 │ [trainr]
        ·  ──────
     19 │ epochs = 2
        ╰────
    hint: did you mean `trainer`?
    "#);
}

#[test]
fn misspelt_component() {
    let ended = with("\"cross_entropy\"", "\"cross_entrpy\"").ends_with(2);
    insta::assert_snapshot!(ended.stderr, @r#"
    error: unknown loss `cross_entrpy`, expected one of `l1`, `mse`, `smooth_l1`, `huber`, `bce`, `bce_with_logits`, `cross_entropy`, `nll`, `kl_div`, `poisson_nll`, `gaussian_nll`, `hinge_embedding`, `cosine_embedding`, `margin_ranking`, `multi_margin`, `multilabel_margin`, `multilabel_soft_margin`, `soft_margin`, `triplet_margin`, `ctc`, `focal`, `sigmoid_focal`
        ╭─[run.toml:11:8]
     10 │ [loss]
     11 │ name = "cross_entrpy"
        ·        ──────────────
     12 │
        ╰────
    hint: did you mean `cross_entropy`?
    "#);
}

#[test]
fn wrong_type() {
    let ended = with("batch_size = 32", "batch_size = \"many\"").ends_with(2);
    insta::assert_snapshot!(ended.stderr, @r#"
    error: data.batch_size: expected a whole number from 0, got the string "many"
       ╭─[run.toml:7:14]
     6 │ dataset = "digits"
     7 │ batch_size = "many"
       ·              ──────
     8 │ limit = { train = 96, test = 64 }
       ╰────
    "#);
}

#[test]
fn value_out_of_range() {
    let ended = with("lr = 0.02", "lr = nan").ends_with(2);
    insta::assert_snapshot!(ended.stderr, @r#"
    error: optimizer.lr: expected a finite number >= 0, got NaN
        ╭─[run.toml:15:6]
     14 │ name = "sgd"
     15 │ lr = nan
        ·      ───
     16 │ momentum = 0.9
        ╰────
    "#);
}

#[test]
fn no_toml_at_all() {
    let ended = with("[model]\n", "[model\n").ends_with(2);
    insta::assert_snapshot!(ended.stderr, @r#"
    error: unclosed table, expected `]`
       ╭─[run.toml:1:7]
     1 │ [model
       ·       ─
     2 │ name = "lenet"
     3 │ num_classes = 10
       ╰────
    "#);
}

#[test]
fn misspelt_override() {
    let ended = Sandbox::new().train(&["--set", "optimizer.lrr=0.1"]).ends_with(2);
    insta::assert_snapshot!(ended.stderr, @r#"
    error: --set optimizer.lrr=0.1: unknown key `lrr`, expected one of `lr`, `momentum`, `dampening`, `weight_decay`, `nesterov`, `maximize`, `groups`, `no_decay_on_bias_and_norm`, `lr_decay_by_depth`
    hint: did you mean `lr`?
    "#);
}

#[test]
fn misspelt_backend() {
    let ended = Sandbox::new().train(&["--backend", "felx"]).ends_with(2);
    insta::assert_snapshot!(ended.stderr, @"error: unknown backend `felx`, expected `auto` or one of `ndarray`, `flex`, `wgpu`, `cuda`, `vulkan`, `metal`, `rocm`, `cpu`; did you mean `flex`?");
}

#[test]
fn class_counts_that_differ() {
    let ended = with("num_classes = 10", "num_classes = 7").ends_with(2);
    insta::assert_snapshot!(ended.stderr, @r#"
    error: model.num_classes is 7, but dataset `digits` has 10 classes (0, 1, 2, 3, ...); set model.num_classes = 10
       ╭─[run.toml:3:15]
     2 │ name = "lenet"
     3 │ num_classes = 7
       ·               ─
     4 │
       ╰────
    "#);
}

#[test]
fn missing_config() {
    let ended = Sandbox::new().train(&["--config", "nowhere.toml"]).ends_with(2);
    insta::assert_snapshot!(ended.stderr, @"error: cannot read config nowhere.toml: No such file or directory (os error 2)");
}

/// A build with the default features holds no CUDA.
#[test]
fn backend_that_was_not_compiled_in() {
    let ended = Sandbox::new().train(&["--backend", "cuda"]);
    if cfg!(feature = "cuda") {
        return;
    }
    let ended = ended.ends_with(2);
    for part in ["backend `cuda` is not part of this build", "`flex`", "--features cuda"] {
        assert!(ended.stderr.contains(part), "{ended:#?}");
    }
}

/// No driver is found where these variables point, so wgpu has nothing to run on.
#[test]
#[cfg(target_os = "linux")]
fn wgpu_without_an_adapter() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_train"));
    for name in ["VK_ICD_FILENAMES", "VK_DRIVER_FILES", "VK_ADD_DRIVER_FILES"] {
        command.env(name, "/nowhere/icd.json");
    }
    for name in ["__EGL_VENDOR_LIBRARY_FILENAMES", "LIBGL_DRIVERS_PATH", "GBM_BACKENDS_PATH"] {
        command.env(name, "/nowhere");
    }
    let ended = sandbox.run(&mut command, &["--backend", "wgpu"]).ends_with(2);
    for part in ["backend `wgpu` finds no device", "mesa-vulkan-drivers", "--backend flex"] {
        assert!(ended.stderr.contains(part), "{ended:#?}");
    }
    assert!(sandbox.entries().is_empty());
}

#[test]
fn a_run_in_use_names_its_owner() {
    let sandbox = Sandbox::with_run();
    let lock = std::fs::File::options().write(true).open(sandbox.path("run/.lock")).unwrap();
    lock.try_lock().unwrap();
    std::fs::write(sandbox.path("run/.lock"), "pid 4711 on elsewhere\n").unwrap();
    let ended = sandbox.train(&["--resume=run", "--set", "trainer.epochs=3"]).ends_with(4);
    assert!(ended.stderr.contains("run: in use by pid 4711 on elsewhere"), "{ended:#?}");
}
