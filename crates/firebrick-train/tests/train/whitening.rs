//! airbench94's first filters, which are made from the training images.

use firebrick_data::window_moments;
use firebrick_models::Network;
use firebrick_models::weights::named_parameters;
use firebrick_train::config::Override;
use firebrick_train::step::Verdict;
use firebrick_train::{Config, Plan, TrainState};

const CONFIG: &str = r#"
    model = { name = "airbench94", input_shape = [1, 25, 25], widths = [8, 8, 8] }
    data = { dataset = "digits", batch_size = 16, limit = { train = 64, test = 16 } }
    loss = { name = "cross_entropy", label_smoothing = 0.2 }
    trainer = { epochs = 1, backend = "flex" }
    [optimizer]
    name = "sgd"
    lr = 0.1
    momentum = 0.85
    nesterov = true
    groups = [{ match = "0.weight", lr = 0.0 }, { match = "*.norm?.weight", lr = 0.0 }]
"#;

fn plan(sets: &[(&str, &str)]) -> Plan {
    let sets: Vec<Override> = sets.iter().map(|(key, value)| Override::new(*key, *value)).collect();
    Plan::new(Config::from_toml("whitening", CONFIG, &sets).unwrap(), "whitening", &()).unwrap()
}

fn tensor(model: &Network, name: &str) -> Vec<f32> {
    let found = named_parameters(model).into_iter().find(|parameter| parameter.name == name).unwrap();
    found.data.try_to_vec().unwrap()
}

fn filters(plan: &Plan) -> Vec<f32> {
    tensor(&plan.initial_model(&plan.backend.device).unwrap(), "0.weight")
}

#[test]
fn filters_whiten_the_windows_of_the_training_images() {
    const LENGTH: usize = 4;
    let plan = plan(&[]);
    let moments = window_moments(&plan.datasets.train, 64, [2, 2]).unwrap();
    let filters = filters(&plan);
    assert_eq!(filters.len(), 2 * LENGTH * LENGTH);
    for (i, first) in filters.chunks(LENGTH).take(LENGTH).enumerate() {
        for (j, second) in filters.chunks(LENGTH).take(LENGTH).enumerate() {
            let terms = (0..LENGTH * LENGTH)
                .map(|at| f64::from(first[at / LENGTH]) * moments[at] * f64::from(second[at % LENGTH]));
            let product: f64 = terms.sum();
            if i == j {
                // A direction of little variance is left below 1.
                assert!((0.5..1.001).contains(&product), "{i}: {product}");
            } else {
                assert!(product.abs() < 1e-4, "{i}, {j}: {product}");
            }
        }
    }
}

#[test]
fn filters_depend_on_the_images_alone() {
    let expected = filters(&plan(&[]));
    let flipped = "[{ name = \"random_horizontal_flip\" }]";
    assert_eq!(filters(&plan(&[("trainer.seed", "5"), ("data.augment", flipped)])), expected);
    assert_ne!(filters(&plan(&[("data.limit", "{ train = 32, test = 16 }")])), expected);
}

#[test]
fn what_has_no_rate_stays() {
    let plan = plan(&[]);
    let initial = plan.initial_model(&plan.backend.device).unwrap();
    let mut state = TrainState::new(&plan, initial.clone()).unwrap();
    for batches in state.batches() {
        assert!(matches!(state.step(batches.unwrap()).unwrap(), Verdict::Applied(_)));
    }
    for name in ["0.weight", "2.norm1.weight", "4.norm2.weight"] {
        assert_eq!(tensor(state.model(), name), tensor(&initial, name), "{name}");
    }
    for name in ["0.bias", "2.conv1.weight", "2.norm1.bias", "7.weight"] {
        assert_ne!(tensor(state.model(), name), tensor(&initial, name), "{name}");
    }
}
