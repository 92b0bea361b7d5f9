//! Wrong values in every table: each is refused with the line and the column of its own key or value.
//!
//! In the tables below `@` stands where the error points; it is taken out before the config is read.

use firebrick_loss::LossConfig;
use firebrick_train::Config;

const TABLES: [(&str, &str); 5] = [
    ("model", "name = 'lenet'\nnum_classes = 10"),
    ("data", "dataset = 'digits'"),
    ("loss", "name = 'cross_entropy'"),
    ("optimizer", "name = 'sgd'\nlr = 0.1\nmomentum = 0.9"),
    ("trainer", "epochs = 2"),
];

/// A good config, but for the table `name`, which is left out.
fn without(name: &str) -> String {
    let tables = TABLES.iter().filter(|(table, _)| *table != name);
    tables.map(|(table, body)| format!("[{table}]\n{body}\n\n")).collect()
}

/// What is wrong with `marked`, a config in which a `@` marks where the error must point.
fn refused(marked: &str, says: &str) -> Option<String> {
    let before = marked.split_once('@').map_or(marked, |(before, _)| before);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let expected = format!("x.toml:{line}:{column}: {says}");
    match Config::from_toml("x.toml", &marked.replacen('@', "", 1), &[]) {
        Ok(_) => Some(format!("{marked}\n  is accepted, expected: {expected}")),
        Err(error) if error.to_string().starts_with(&expected) => None,
        Err(error) => Some(format!("  expected: {expected}\n  got:      {error}")),
    }
}

/// Every row is the body of the table `name` and what is said of it. All that fail are shown, not the first.
#[track_caller]
fn check(name: &str, rows: &[(&str, &str)]) {
    assert!(rows.len() >= 40, "{} rows for {name}", rows.len());
    let rest = without(name);
    check_texts(rows.iter().map(|(body, says)| (format!("{rest}[{name}]\n{body}\n"), *says)));
}

#[track_caller]
fn check_texts<'a>(texts: impl Iterator<Item = (String, &'a str)>) {
    let failures: Vec<String> = texts.filter_map(|(text, says)| refused(&text, says)).collect();
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
}

#[rustfmt::skip]
const OPTIMIZER: &[(&str, &str)] = &[
    ("name = 'sgd'\nlr = @-1.0", "optimizer.lr: expected a finite number >= 0, got -1"),
    ("name = 'sgd'\nlr = @nan", "optimizer.lr: expected a finite number >= 0, got NaN"),
    ("name = 'sgd'\nlr = @'fast'", "optimizer.lr: expected a number, got the string \"fast\""),
    ("name = 'sgd'\nlr = @[0.1]", "optimizer.lr: expected a number, got a list"),
    ("name = 'sgd'\nlr = @{ x = 1 }", "optimizer.lr: expected a number, got a table"),
    ("name = 'sgd'\nlr = @true", "optimizer.lr: expected a number, got true"),
    ("name = 'sgd'\nlr = @2020-01-01", "optimizer.lr: expected a number, got the"),
    ("name = 'sgd'\n@lrr = 0.1", "unknown key `lrr`, expected one of `lr`, `momentum`"),
    ("name = 'sgd'\n@momentun = 0.1", "unknown key `momentun`"),
    ("name = 'sgd'\nmomentum = @-0.5", "optimizer.momentum: expected a finite number >= 0, got -0.5"),
    ("name = 'sgd'\nmomentum = @inf", "optimizer.momentum: expected a finite number >= 0, got inf"),
    ("name = 'sgd'\ndampening = @nan", "optimizer.dampening: expected a finite number, got NaN"),
    ("name = 'sgd'\nweight_decay = @-1", "optimizer.weight_decay: expected a finite number >= 0, got -1"),
    ("name = 'sgd'\nnesterov = @true", "optimizer.nesterov: expected false, or momentum > 0 with dampening = 0, got true"),
    ("name = 'sgd'\nnesterov = @'yes'", "optimizer.nesterov: expected true or false, got the string \"yes\""),
    ("name = 'sgd'\nmaximize = @1", "optimizer.maximize: expected true or false, got 1"),
    ("name = 'sgd'\ngroups = @3", "optimizer.groups: expected a list, got 3"),
    ("name = 'sgd'\ngroups = [@3]", "optimizer.groups[0]: expected a table, got 3"),
    ("name = 'sgd'\ngroups = [@{ lr = 0.1 }]", "optimizer.groups[0]: missing key `match`"),
    ("name = 'sgd'\ngroups = [{ match = '*', lr = @-1 }]", "optimizer.groups[0].lr: expected a finite number >= 0, got -1"),
    ("name = 'sgd'\ngroups = [{ match = '*' }, { match = '*', lr = @'x' }]", "optimizer.groups[1].lr: expected a number, got the string \"x\""),
    ("name = 'sgd'\ngroups = [{ match = '*', betas = @[0.9, 0.9] }]", "optimizer.groups[0].betas: expected an argument that a group of sgd may set (`lr`, `weight_decay`, `momentum`)"),
    ("name = 'sgd'\ngroups = [{ match = '*', @mometum = 0.9 }]", "unknown key `mometum`"),
    ("name = 'sgd'\n\n[[optimizer.groups]]\nmatch = '*'\n\n[[optimizer.groups]]\nmatch = 'x'\nweight_decay = @-1", "optimizer.groups[1].weight_decay: expected a finite number >= 0"),
    ("name = 'sgd'\n\n@[[optimizer.groups]]\nlr = 1.0", "optimizer.groups[0]: missing key `match`"),
    ("name = 'adam'\nbetas = [0.9, @1.0]", "optimizer.betas[1]: expected 0 <= value < 1, got 1"),
    ("name = 'adam'\nbetas = [@-0.1, 0.9]", "optimizer.betas[0]: expected 0 <= value < 1, got -0.1"),
    ("name = 'adam'\nbetas = [@'a', 0.9]", "optimizer.betas[0]: expected a number, got the string \"a\""),
    ("name = 'adam'\nbetas = @[0.9]", "optimizer.betas: expected a list of 2 values, got a list of 1"),
    ("name = 'adam'\nbetas = @[0.9, 0.9, 0.9]", "optimizer.betas: expected a list of 2 values, got a list of 3"),
    ("name = 'adam'\nbetas = @0.9", "optimizer.betas: expected a list of 2 values, got 0.9"),
    ("name = 'adam'\neps = @-1.0", "optimizer.eps: expected a finite number >= 0, got -1"),
    ("name = 'adam'\n@momentum = 0.9", "unknown key `momentum`"),
    ("name = 'adamw'\nweight_decay = @nan", "optimizer.weight_decay: expected"),
    ("name = 'rmsprop'\nalpha = @-1.0", "optimizer.alpha: expected"),
    ("name = 'adagrad'\nlr_decay = @-1.0", "optimizer.lr_decay: expected"),
    ("name = 'adagrad'\ninitial_accumulator_value = @-1.0", "optimizer.initial_accumulator_value: expected"),
    ("name = 'adadelta'\nrho = @1.5", "optimizer.rho: expected a number from 0 to 1, got 1.5"),
    ("name = 'adamax'\neps = @-1.0", "optimizer.eps: expected"),
    ("name = 'nadam'\nmomentum_decay = @-1.0", "optimizer.momentum_decay: expected"),
    ("name = 'radam'\nweight_decay = @-1.0", "optimizer.weight_decay: expected"),
    ("name = 'lion'\nbetas = [0.9, @2.0]", "optimizer.betas[1]: expected"),
    ("name = 'muon'\nns_steps = @100", "optimizer.ns_steps: expected a whole number from 0 to 99, got 100"),
    ("name = 'muon'\nns_steps = @-1", "optimizer.ns_steps: expected a whole number from 0, got -1"),
    ("name = 'muon'\nns_steps = @2.5", "optimizer.ns_steps: expected a whole number from 0, got 2.5"),
    ("name = 'muon'\nns_coefficients = [1.0, @nan, 1.0]", "optimizer.ns_coefficients[1]: expected a finite number, got NaN"),
    ("name = 'muon'\nadjust_lr_fn = @'orignal'", "optimizer.adjust_lr_fn: expected one of `original`, `match_rms_adamw`, `spectral_unclamped`, got `orignal`; did you mean `original`?"),
    ("name = 'muon'\nadjust_lr_fn = @3", "optimizer.adjust_lr_fn: expected a name, got 3"),
    ("name = 'muon'\nadamw = { lr = @-1.0 }", "optimizer.adamw.lr: expected a finite number >= 0, got -1"),
    ("name = 'muon'\nadamw.betas = [0.9, @3]", "optimizer.adamw.betas[1]: expected"),
    ("name = 'muon'\nadamw = { @lrr = 1.0 }", "unknown key `lrr`"),
    ("name = 'muon'\nadamw = { groups = @[{ match = '*' }] }", "optimizer.adamw.groups: expected no groups here"),
    ("name = 'muon'\n[optimizer.adamw]\nno_decay_on_bias_and_norm = @true", "optimizer.adamw.no_decay_on_bias_and_norm: expected"),
    ("name = 'muon'\nadamw = @[0.1]", "optimizer.adamw: expected a table, got a list"),
    ("name = 'muon'\nadamw = @3", "optimizer.adamw: expected a table, got 3"),
    ("name = 'muon'\nmomentum = @1.5", "optimizer.momentum: expected a number from 0 to 1, got 1.5"),
    ("name = 'muon'\neps = @0.0", "optimizer.eps: expected a finite number > 0, got 0"),
    ("name = @'sdg'", "unknown optimizer `sdg`, expected one of `sgd`, `adam`"),
    ("name = @'SGD'", "unknown optimizer `SGD`"),
    ("name = @3", "optimizer.name: expected the name of an optimizer, got an integer"),
    ("name = @['sgd']", "optimizer.name: expected the name of an optimizer, got an array"),
];

#[test]
fn forty_wrong_optimizers() {
    check("optimizer", OPTIMIZER);
}

#[rustfmt::skip]
const SCHEDULE: &[(&str, &str)] = &[
    ("name = @'cosin'", "unknown schedule `cosin`, expected one of `none`, `step`"),
    ("name = @true", "schedule.name: expected the name of a schedule, got a boolean"),
    ("name = @'step'", "schedule.step_size: expected a whole number >= 1, got nothing"),
    ("name = 'step'\nstep_size = @0", "schedule.step_size: expected a whole number >= 1, got 0"),
    ("name = 'step'\nstep_size = @-1", "schedule.step_size: expected a whole number from 0, got -1"),
    ("name = 'step'\nstep_size = @1.5", "schedule.step_size: expected a whole number from 0, got 1.5"),
    ("name = 'step'\nstep_size = 1\ngamma = @nan", "schedule.gamma: expected a finite number, got NaN"),
    ("name = 'step'\nstep_size = 1\ngamma = @'x'", "schedule.gamma: expected a number, got the string \"x\""),
    ("name = 'step'\n@stepsize = 1", "unknown key `stepsize`"),
    ("name = 'step'\nstep_size = 1\nper = @'batch'", "schedule.per: expected `step` or `epoch`, got `batch`"),
    ("name = 'step'\nstep_size = 1\nper = @1", "schedule.per: expected a name, got 1"),
    ("name = @'multistep'", "schedule.milestones: expected a list of whole numbers, got nothing"),
    ("name = 'multistep'\nmilestones = @3", "schedule.milestones: expected a list, got 3"),
    ("name = 'multistep'\nmilestones = [1, @-2]", "schedule.milestones[1]: expected a whole number from 0, got -2"),
    ("name = 'multistep'\nmilestones = [1, @'2']", "schedule.milestones[1]: expected a whole number from 0, got the string \"2\""),
    ("name = 'multistep'\nmilestones = [1]\ngamma = @inf", "schedule.gamma: expected a finite number, got inf"),
    ("name = @'exponential'", "schedule.gamma: expected a finite number, got nothing"),
    ("name = 'exponential'\ngamma = @nan", "schedule.gamma: expected a finite number, got NaN"),
    ("name = 'cosine'\nT_max = @0", "schedule.T_max: expected a whole number >= 1, got 0"),
    ("name = 'cosine'\n@t_max = 3", "unknown key `t_max`"),
    ("name = 'cosine'\neta_min = @nan", "schedule.eta_min: expected a finite number, got NaN"),
    ("name = 'cosine_warm_restarts'\nT_mult = @0", "schedule.T_mult: expected a whole number >= 1, got 0"),
    ("name = 'cosine_warm_restarts'\nT_0 = @0", "schedule.T_0: expected a whole number >= 1, got 0"),
    ("name = 'one_cycle'\nmax_lr = @-1.0", "schedule.max_lr: expected a finite number >= 0, got -1"),
    ("name = 'one_cycle'\ntotal_steps = @1", "schedule.total_steps: expected a whole number >= 2, got 1"),
    ("name = 'one_cycle'\npct_start = @1.5", "schedule.pct_start: expected a number from 0 to 1, got 1.5"),
    ("name = 'one_cycle'\ndiv_factor = @0.0", "schedule.div_factor: expected a finite number > 0, got 0"),
    ("name = 'one_cycle'\nfinal_div_factor = @-1.0", "schedule.final_div_factor: expected a finite number > 0, got -1"),
    ("name = 'one_cycle'\nbase_momentum = @2.0", "schedule.base_momentum: expected a number from 0 to 1, got 2"),
    ("name = 'one_cycle'\nmax_momentum = @-1.0", "schedule.max_momentum: expected a number from 0 to 1, got -1"),
    ("name = 'one_cycle'\nanneal_strategy = @'cosine'", "schedule.anneal_strategy: expected `cos` or `linear`, got `cosine`"),
    ("name = 'one_cycle'\nthree_phase = @0", "schedule.three_phase: expected true or false, got 0"),
    ("name = 'linear'\nstart_factor = @0.0", "schedule.start_factor: expected 0 < start_factor <= 1, got 0"),
    ("name = 'linear'\nend_factor = @1.1", "schedule.end_factor: expected a number from 0 to 1, got 1.1"),
    ("name = 'linear'\ntotal_iters = @0", "schedule.total_iters: expected a whole number >= 1, got 0"),
    ("name = 'polynomial'\ntotal_iters = @0", "schedule.total_iters: expected a whole number >= 1, got 0"),
    ("name = 'polynomial'\npower = @0.0", "schedule.power: expected a finite number > 0, got 0"),
    ("name = 'constant'\nfactor = @2.0", "schedule.factor: expected a number from 0 to 1, got 2"),
    ("name = @'cyclic'\nmax_lr = 1.0", "schedule.base_lr: expected a finite number >= 0, got nothing"),
    ("name = 'cyclic'\nbase_lr = 0.1\nmax_lr = @nan", "schedule.max_lr: expected a finite number >= 0, got NaN"),
    ("name = 'cyclic'\nbase_lr = 0.1\nmax_lr = 1.0\nstep_size_up = @0", "schedule.step_size_up: expected a whole number >= 1, got 0"),
    ("name = 'cyclic'\nbase_lr = 0.1\nmax_lr = 1.0\nmode = @'triangle'", "schedule.mode: expected one of `triangular`, `triangular2`, `exp_range`, got `triangle`; did you mean `triangular`?"),
    ("name = 'plateau'\nfactor = @1.0", "schedule.factor: expected 0 <= value < 1, got 1"),
    ("name = 'plateau'\nmetric = @'acuracy'", "schedule.metric: expected `loss` or `accuracy`, got `acuracy`; did you mean `accuracy`?"),
    ("name = 'plateau'\npatience = @-1", "schedule.patience: expected a whole number from 0, got -1"),
    ("name = 'plateau'\nmin_lr = @-1.0", "schedule.min_lr: expected a finite number >= 0, got -1"),
    ("name = 'plateau'\n@per = 'epoch'", "unknown key `per`"),
    ("name = 'none'\nwarmup = @{}", "schedule.warmup: expected either `steps` or `epochs`, got neither"),
    ("name = 'none'\nwarmup = @{ steps = 1, epochs = 1 }", "schedule.warmup: expected either `steps` or `epochs`, got both"),
    ("name = 'none'\nwarmup = { steps = 1, start_factor = @0 }", "schedule.warmup.start_factor: expected 0 < start_factor <= 1, got 0"),
    ("name = 'none'\nwarmup.steps = 1\nwarmup.start_factor = @2", "schedule.warmup.start_factor: expected 0 < start_factor <= 1, got 2"),
    ("name = 'none'\n\n[schedule.warmup]\nsteps = @-3", "schedule.warmup.steps: expected a whole number from 0, got -3"),
    ("name = 'none'\nwarmup = { @step = 1 }", "unknown key `step`"),
    ("name = 'none'\nwarmup = @[5]", "schedule.warmup: expected a table such as warmup = { steps = 500 }, got a list"),
    ("name = 'none'\nwarmup = @5", "schedule.warmup: expected a table such as warmup = { steps = 500 }, got 5"),
];

#[test]
fn forty_wrong_schedules() {
    check("schedule", SCHEDULE);
}

#[rustfmt::skip]
const TRAINER: &[(&str, &str)] = &[
    ("epochs = @0", "trainer.epochs: expected at least 1, got 0"),
    ("epochs = @-1", "trainer.epochs: expected a whole number from 0, got -1"),
    ("epochs = @1.5", "trainer.epochs: expected a whole number from 0, got 1.5"),
    ("epochs = @'ten'", "trainer.epochs: expected a whole number from 0, got the string \"ten\""),
    ("epochs = @[1]", "trainer.epochs: expected a whole number from 0, got a list"),
    ("epochs = @99999999999999999999", ""),
    ("@epoch = 1", "unknown key `epoch`, expected one of `epochs`"),
    ("@Epochs = 1", "unknown key `Epochs`"),
    ("@\"epochs \" = 1", "unknown key `epochs `"),
    ("max_steps = @0", "trainer.max_steps: expected at least 1, got 0"),
    ("max_steps = @-5", "trainer.max_steps: expected a whole number from 0, got -5"),
    ("max_steps = @'all'", "trainer.max_steps: expected a whole number from 0, got the string \"all\""),
    ("checkpoint_every = @0", "trainer.checkpoint_every: expected \"epoch\" or a number of steps from 1, got 0"),
    ("checkpoint_every = @-1", "trainer.checkpoint_every: expected \"epoch\" or a number of steps, got -1"),
    ("checkpoint_every = @'never'", "trainer.checkpoint_every: expected \"epoch\" or a number of steps, got the string \"never\""),
    ("checkpoint_every = @1.5", "trainer.checkpoint_every: expected \"epoch\" or a number of steps, got 1.5"),
    ("checkpoint_every = @true", "trainer.checkpoint_every: expected \"epoch\" or a number of steps, got true"),
    ("checkpoint_every_minutes = @0", "trainer.checkpoint_every_minutes: expected a finite number > 0, got 0"),
    ("checkpoint_every_minutes = @inf", "trainer.checkpoint_every_minutes: expected a finite number > 0, got inf"),
    ("checkpoint_every_minutes = @'5m'", "trainer.checkpoint_every_minutes: expected a number, got the string \"5m\""),
    ("keep_last = @0", "trainer.keep_last: expected at least 1"),
    ("keep_last = @-1", "trainer.keep_last: expected a whole number from 0, got -1"),
    ("keep_best = @0", "trainer.keep_best: expected at least 1, got 0"),
    ("keep_best = @'all'", "trainer.keep_best: expected a whole number from 0"),
    ("accumulate_grad_batches = @0", "trainer.accumulate_grad_batches: expected at least 1, got 0"),
    ("accumulate_grad_batches = @1e3", "trainer.accumulate_grad_batches: expected a whole number from 0, got"),
    ("seed = @-1", "trainer.seed: expected a whole number from 0, got -1"),
    ("seed = @'x'", "trainer.seed: expected a whole number from 0, got the string \"x\""),
    ("clip_grad_norm = @0", "trainer.clip_grad_norm: expected a finite number > 0, got 0"),
    ("clip_grad_norm = @nan", "trainer.clip_grad_norm: expected a finite number > 0, got NaN"),
    ("clip_grad_value = @-0.5", "trainer.clip_grad_value: expected a finite number > 0, got -0.5"),
    ("clip_grad_value = @false", "trainer.clip_grad_value: expected a number, got false"),
    ("ema = { decay = @1.5 }", "trainer.ema.decay: expected a number from 0 to 1, got 1.5"),
    ("ema = { decay = @nan }", "trainer.ema.decay: expected a number from 0 to 1, got NaN"),
    ("ema = { @deccay = 0.9 }", "unknown key `deccay`"),
    ("ema = @[0.9]", "trainer.ema: expected a table such as ema = { decay = 0.999 }, got a list"),
    ("ema = @true", "trainer.ema: expected a table such as ema = { decay = 0.999 }, got true"),
    ("[trainer.ema]\ndecay = @-1", "trainer.ema.decay: expected a number from 0 to 1, got -1"),
    ("early_stopping = { patience = @0 }", "trainer.early_stopping.patience: expected at least 1, got 0"),
    ("early_stopping.min_delta = @-1", "trainer.early_stopping.min_delta: expected a finite number >= 0, got -1"),
    ("early_stopping = { min_delta = @inf }", "trainer.early_stopping.min_delta: expected a finite number >= 0, got inf"),
    ("early_stopping = { metric = @'f1' }", "trainer.early_stopping.metric: expected `loss` or `accuracy`, got `f1`"),
    ("early_stopping = { @patient = 3 }", "unknown key `patient`"),
    ("on_divergence = @'skip'", "trainer.on_divergence: expected one of `stop`, `skip_batch`, `restore_last`, got `skip`"),
    ("on_divergence = @0", "trainer.on_divergence: expected a name, got 0"),
    ("max_recoveries = @-1", "trainer.max_recoveries: expected a whole number from 0, got -1"),
    ("backend = @3", "trainer.backend: expected a string, got 3"),
];

#[test]
fn forty_wrong_trainers() {
    check("trainer", TRAINER);
}

#[test]
fn forty_wrong_backend_names() {
    let names = "ndaray flexx Flex FLEX wgp webgpu gpu cud cuda0 nvidia vulcan opengl metall mps rocmm hip amd cpus \
                 CPU auto0 autoo automatic torch burn tch candle flex- flex, .flex flex.0 wgpu/1 default none null \
                 - _ ? 0 1 -1";
    let names: Vec<&str> =
        names.split_whitespace().chain(["", " ", " flex", "flex ", "flex wgpu", ":", ":0"]).collect();
    let indexed = [
        "flex:",
        "flex:x",
        "flex:-1",
        "wgpu:0x",
        "wgpu: 1",
        "auto:0",
        "cuda:1.5",
        "cuda:0:1",
        "flex:99999999999999999999999",
    ];
    assert!(names.len() + indexed.len() >= 40);
    let rest = without("trainer");
    let text = |name: &&str| format!("{rest}[trainer]\nbackend = @{name:?}\n");
    check_texts(
        names.iter().map(|name| (text(name), "trainer.backend: expected `auto` or one of `ndarray`, `flex`")),
    );
    check_texts(
        indexed
            .iter()
            .filter(|name| !name.starts_with("auto"))
            .map(|name| (text(name), "trainer.backend: expected a device number after the colon, as in ")),
    );
    check_texts([(text(&"flexx"), "trainer.backend: expected `auto` or one of `ndarray`, `flex`, `wgpu`, `cuda`, `vulkan`, `metal`, `rocm`, `cpu`, got `flexx`; did you mean `flex`?")].into_iter());
}

/// Two for each loss.
#[test]
fn forty_wrong_losses() {
    let rest = without("loss");
    let texts = LossConfig::NAMES.iter().flat_map(|name| {
        [
            (format!("{rest}[loss]\nname = '{name}'\n@redution = 'mean'\n"), "unknown key `redution`"),
            (
                format!("{rest}[loss]\nname = '{name}'\nreduction = @'avg'\n"),
                "loss.reduction: argument `reduction` must be",
            ),
        ]
    });
    assert!(LossConfig::NAMES.len() >= 20);
    check_texts(texts);
}

/// Three wrong values for each key of `[data]`.
#[test]
fn forty_wrong_values_of_data() {
    let keys: [(&str, [&str; 3]); 15] = [
        ("root", ["3", "true", "['a']"]),
        ("download", ["3", "'yes'", "[]"]),
        ("batch_size", ["'many'", "-1", "0"]),
        ("shuffle", ["1", "'no'", "[]"]),
        ("normalize", ["3", "'imagenet'", "[]"]),
        ("augment", ["3", "'flip'", "true"]),
        ("batch_augment", ["3", "'mixup'", "true"]),
        ("workers", ["'two'", "-1", "99999"]),
        ("drop_last", ["1", "'no'", "[]"]),
        ("limit", ["3", "'all'", "true"]),
        ("train_split", ["3", "'all'", "'train[5:2]'"]),
        ("test_split", ["3", "'all'", "'test[5:2]'"]),
        ("validation", ["'some'", "-0.1", "1.5"]),
        ("validation_split", ["3", "'all'", "'train[5:2]'"]),
        ("resize", ["3", "'crop'", "true"]),
    ];
    let rest = without("data");
    for (key, values) in keys {
        let says = format!("data.{key}: expected");
        let text = |value: &str| format!("{rest}[data]\ndataset = 'digits'\n{key} = @{value}\n");
        check_texts(values.iter().map(|value| (text(value), says.as_str())));
    }
}

/// In the lists of a config: augmentations, batch transforms, metrics.
#[test]
fn forty_wrong_items_of_lists() {
    let lists = [
        (
            "data",
            "dataset = 'digits'\naugment",
            "data.augment",
            "augmentation",
            "{ name = 'random_horizontal_flip', p",
        ),
        (
            "data",
            "dataset = 'digits'\nbatch_augment",
            "data.batch_augment",
            "batch transform",
            "{ name = 'mixup', p",
        ),
        ("trainer", "metrics", "trainer.metrics", "metric", "{ name = 'top_k', k"),
    ];
    for (table, key, path, kind, number) in lists {
        let rest = without(table);
        let item = |item: &str| format!("{rest}[{table}]\n{key} = [\n    {item},\n]\n");
        let an = if kind.starts_with('a') { "an" } else { "a" };
        let name = number.split('\'').nth(1).unwrap();
        let rows = [
            ("@3".to_owned(), format!("{path}[0]: expected {an} {kind}")),
            ("@true".to_owned(), format!("{path}[0]: expected {an} {kind}")),
            ("@[1]".to_owned(), format!("{path}[0]: expected {an} {kind}")),
            ("@{ p = 1 }".to_owned(), format!("{path}[0]: {an} {kind} has no `name`")),
            ("@'nothing'".to_owned(), format!("unknown {kind} `nothing`, expected one of")),
            ("{ name = @'nothing' }".to_owned(), format!("unknown {kind} `nothing`")),
            ("{ name = @3 }".to_owned(), format!("{path}[0].name: expected the name of {an} {kind}")),
            (format!("{number} = @'x' }}"), format!("{path}[0].")),
            (format!("{number} = @-1 }}"), format!("{path}[0].")),
            (format!("{number} = @[1] }}"), format!("{path}[0].")),
            (format!("{number} = @true }}"), format!("{path}[0].")),
            (format!("{{ name = '{name}', @q = 1 }}"), "unknown key `q`".to_owned()),
            (format!("{{ name = '{name}' }}, {{ name = '{name}', @q = 1 }}"), "unknown key `q`".to_owned()),
            (format!("{{ name = '{name}' }},\n    @7"), format!("{path}[1]: expected {an} {kind}")),
        ];
        check_texts(rows.iter().map(|(text, says)| (item(text), says.as_str())));
    }
}

/// Whole tables that are wrong, or in the wrong place.
#[test]
fn forty_wrong_tables() {
    let mut texts: Vec<(String, String)> = Vec::new();
    for (name, body) in TABLES {
        let rest = without(name);
        let misspelt = &name[1..];
        texts.push((format!("{rest}[@{misspelt}]\n{body}\n"), format!("unknown table `{misspelt}`, expected one of `model`, `data`, `loss`, `optimizer`, `schedule`, `trainer`, `output`")));
        texts.push((format!("{rest}[@{name}s]\n{body}\n"), format!("unknown table `{name}s`")));
        texts.push((format!("@{name}_ = 1\n{rest}[{name}]\n{body}\n"), format!("unknown table `{name}_`")));
        texts.push((
            format!("{rest}[{name}]\n{body}\n\n[{name}.@extra]\nx = 1\n"),
            "unknown key `extra`".to_owned(),
        ));
        texts.push((format!("{rest}[{name}]\n{body}\n@extra.x = 1\n"), "unknown key `extra`".to_owned()));
        texts.push((format!("{rest}[{name}]\n{body}\n\n[@{name}]\n"), "duplicate key".to_owned()));
        texts.push((format!("{name} = @3\n{rest}"), format!("{name}: expected a")));
        texts.push((format!("{name} = @true\n{rest}"), format!("{name}: expected a")));
        texts.push((format!("@[[{name}]]\n{body}\n\n{rest}"), format!("{name}: expected a")));
        if name != "trainer" {
            texts.push((format!("@{rest}"), format!("missing table `[{name}]`; add `[{name}]`")));
            let key =
                if name == "data" { "data: missing key `dataset`".to_owned() } else { format!("{name}: a") };
            texts.push((format!("{rest}@[{name}]\n"), key));
        }
    }
    texts.push((
        format!("{}@[optimizer]\nlr = 0.1\n", without("optimizer")),
        "optimizer: an optimizer has no `name`".to_owned(),
    ));
    texts.push((
        format!("optimizer = @'sdg'\n{}", without("optimizer")),
        "unknown optimizer `sdg`".to_owned(),
    ));
    texts.push((
        format!("{}[output]\n@rot = 'x'\n", without("")),
        "unknown key `rot`, expected `root` or `name`; did you mean `root`?".to_owned(),
    ));
    for name in ["", "..", ".", "a/b", "/a"] {
        texts.push((
            format!("{}[output]\nname = @'{name}'\n", without("")),
            format!("output.name: expected the name of one folder inside output.root, got `{name}`"),
        ));
    }
    for number in ["18446744073709551615", "99999999999999999999999"] {
        texts.push((
            format!("{}[output]\nroot = @{number}\n", without("")),
            "expected a whole number below 9223372036854775808".to_owned(),
        ));
    }
    texts.push((
        format!("{}[output]\nroot = @3\n", without("")),
        "output.root: expected a path, got 3".to_owned(),
    ));
    texts.push((
        format!("{}[output]\nname = @['a']\n", without("")),
        "output.name: expected a string, got a list".to_owned(),
    ));
    texts.push((
        format!("{}[model]\nname = 'lenet'\n@weigths = 'x'\n", without("model")),
        "unknown key `weigths`, expected one of `num_classes`, `weights`, `weights_key`, `strict`, `freeze`; did you mean `weights`?"
            .to_owned(),
    ));
    texts.push((
        format!("{}[model]\nname = 'lenet'\nweights = @3\n", without("model")),
        "model.weights: expected a path, got 3".to_owned(),
    ));
    texts.push((
        format!("{}[model]\nname = 'lenet'\nstrict = @'no'\n", without("model")),
        "model.strict: expected true or false, got the string \"no\"".to_owned(),
    ));
    assert!(texts.len() >= 40, "{}", texts.len());
    check_texts(texts.iter().map(|(text, says)| (text.clone(), says.as_str())));
}

#[test]
fn a_schedule_that_cycles_a_momentum_which_the_optimizer_lacks_is_refused_in_the_file() {
    let rest = without("optimizer");
    check_texts(
        [
            "[optimizer]\nname = 'adagrad'\n[schedule]\nname = 'one_cycle'\ncycle_momentum = @true\n",
            "[optimizer]\nname = 'adagrad'\n[schedule]\nname = @'one_cycle'\n",
        ]
        .into_iter()
        .map(|text| {
            (
                format!("{rest}{text}"),
                "schedule.cycle_momentum: expected false, or an optimizer with momentum",
            )
        }),
    );
}
