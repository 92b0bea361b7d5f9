//! Whatever is written in the place of any value, the message is about configs and never about Rust.

use firebrick_train::Config;
use toml::{Table, Value};

/// Words of Rust and of serde that mean nothing to who writes a config.
const RUST: [&str; 24] = [
    "struct",
    "enum",
    "variant",
    "Config",
    "usize",
    "u64",
    "u32",
    "u16",
    "u8",
    "i64",
    "i32",
    "i128",
    "f64",
    "f32",
    "Vec",
    "Option",
    "tuple",
    "newtype",
    "untagged",
    "visitor",
    "a sequence",
    "a map",
    "field ",
    "integer `",
];

/// Between them, every table with every key.
const TEXTS: [&str; 3] = [
    r#"
    model = { name = "lenet", num_classes = 10, weights = "x.pt", strict = false }
    data = { dataset = "digits", root = "data", download = false, batch_size = 8, shuffle = true, normalize = { mean = [0.1], std = [0.2] }, resize = { name = "shorter", size = 40 }, augment = [{ name = "random_crop", padding = 1, fill = 3, padding_mode = "edge" }, { name = "random_horizontal_flip", p = 0.5 }], batch_augment = [{ name = "mixup", alpha = 0.2, p = 0.5 }], workers = 1, drop_last = false, limit = { train = 9, validation = 9, test = 9 }, train_split = "train", test_split = "test", validation_split = "train[:9]" }
    loss = { name = "cross_entropy", weight = [1.0, 2.0], ignore_index = 3, label_smoothing = 0.1, reduction = "mean" }
    optimizer = { name = "sgd", lr = 0.1, momentum = 0.9, dampening = 0.0, weight_decay = 0.1, nesterov = true, maximize = false, groups = [{ match = "*.bias", lr = 0.1, weight_decay = 0.1, momentum = 0.1 }], no_decay_on_bias_and_norm = true }
    schedule = { name = "multistep", milestones = [3, 5], gamma = 0.1, per = "step", warmup = { steps = 3, start_factor = 0.1 } }
    trainer = { epochs = 3, max_steps = 9, checkpoint_every = 3, checkpoint_every_minutes = 1.0, keep_last = 2, keep_best = 2, accumulate_grad_batches = 2, seed = 3, backend = "flex", clip_grad_norm = 1.0, clip_grad_value = 1.0, ema = { decay = 0.9 }, early_stopping = { metric = "loss", patience = 2, min_delta = 0.1 }, metrics = ["accuracy", { name = "top_k", k = 3 }], on_divergence = "stop", max_recoveries = 3 }
    output = { root = "runs", name = "x" }
    "#,
    r#"
    model = { name = "sequential", input_shape = [1, 8, 8], num_classes = 10, layers = [{ name = "conv2d", out_channels = 4, kernel_size = [3, 3], stride = 1, padding = 1, bias = true }, { name = "batch_norm2d", eps = 0.1 }, { name = "residual", body = ["relu"], shortcut_when = "always" }, { name = "repeat", times = 2, layers = [{ name = "b", n = 4 }] }, { name = "max_pool2d", kernel_size = 2 }, { name = "dropout", p = 0.1 }, "flatten", { name = "linear", out_features = 10, as = "fc" }], blocks = { b = { arguments = { n = 4 }, layers = [{ name = "conv2d", out_channels = "$n", kernel_size = 1 }] } } }
    data = { dataset = { name = "synthetic", train = 20, test = 20 }, validation = 0.1 }
    loss = { name = "bce_with_logits", pos_weight = [1.0, 2.0], reduction = "mean" }
    optimizer = { name = "muon", lr = 0.1 }
    schedule = { name = "plateau", factor = 0.1, patience = 3 }
    "#,
    r#"
    model = "tudui"
    data = { dataset = "synthetic", synthetic = { train = 20, test = 20 }, validation = { count = 20 } }
    loss = { name = "multi_margin", p = 1, margin = 1.0 }
    optimizer = { name = "adam", lr = 0.1, betas = [0.9, 0.99], amsgrad = true }
    schedule = { name = "one_cycle", max_lr = 0.1, anneal_strategy = "cos" }
    "#,
];

fn wrong_values() -> Vec<Value> {
    let date = "x = 2020-01-01".parse::<Table>().unwrap().remove("x").unwrap();
    vec![
        Value::Boolean(true),
        Value::Integer(-1),
        Value::Integer(300),
        Value::Integer(i64::MAX),
        Value::Float(1.5),
        Value::Float(-1e300),
        Value::Float(f64::NAN),
        Value::String("x".to_owned()),
        Value::String("a\nb".to_owned()),
        date,
        Value::Array(vec![]),
        Value::Array(vec![Value::Boolean(true), Value::String("x".to_owned())]),
        Value::Table(Table::new()),
        Value::Table([("name".to_owned(), Value::Integer(3))].into_iter().collect()),
    ]
}

/// Every place in a value, as the steps that lead there.
fn places(value: &Value, here: &[String], found: &mut Vec<Vec<String>>) {
    let below = |step: String| [here, &[step]].concat();
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                found.push(below(key.clone()));
                places(value, &below(key.clone()), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                found.push(below(index.to_string()));
                places(value, &below(index.to_string()), found);
            }
        }
        _ => {}
    }
}

fn at<'a>(value: &'a mut Value, steps: &[String]) -> &'a mut Value {
    steps.iter().fold(value, |value, step| match value {
        Value::Table(table) => &mut table[step.as_str()],
        Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
        other => panic!("{other} has no {step}"),
    })
}

#[test]
fn no_message_speaks_rust() {
    let (mut failures, mut messages) = (Vec::new(), 0);
    for text in TEXTS {
        let whole = Value::Table(text.parse().unwrap());
        let mut found = Vec::new();
        places(&whole, &[], &mut found);
        for steps in found {
            for wrong in wrong_values() {
                let mut changed = whole.clone();
                *at(&mut changed, &steps) = wrong;
                let Err(error) = Config::from_toml("x", &changed.to_string(), &[]) else { continue };
                messages += 1;
                let message = error.to_string();
                let speaks_rust = RUST.iter().any(|word| message.contains(word));
                if speaks_rust
                    || message.contains(char::is_control)
                    || message.contains("00000000000000000000")
                {
                    failures.push(format!("{}: {message}", steps.join(".")));
                }
            }
        }
    }
    failures.dedup();
    assert!(messages > 1000, "{messages}");
    assert!(failures.is_empty(), "{} of {messages}:\n{}", failures.len(), failures.join("\n"));
}
