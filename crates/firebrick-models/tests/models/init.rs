//! The first weights: torch's bounds and distribution, the same bits everywhere.

use firebrick_models::ModelConfig;
use firebrick_models::init::kaiming_bound;
use firebrick_models::weights::named_parameters;

use super::support::{SMALL, all_bits, config, flex, ndarray, values};

/// fan_in of each layer, counted by hand.
const FAN_IN: [(&str, &str, usize); 10] = [
    ("tudui", "conv1", 75),
    ("tudui", "conv2", 800),
    ("tudui", "conv3", 800),
    ("tudui", "fc1", 1024),
    ("tudui", "fc2", 64),
    ("lenet", "conv1", 25),
    ("lenet", "conv2", 150),
    ("lenet", "fc1", 400),
    ("lenet", "fc2", 120),
    ("lenet", "fc3", 84),
];

#[test]
fn values_fill_torchs_bounds_evenly() {
    for (name, layer, fan_in) in FAN_IN {
        let model = config(name).init(1, &flex());
        let bound = 1.0 / (fan_in as f64).sqrt();
        for parameter in named_parameters(&model) {
            if parameter.name.split_once('.').unwrap().0 != layer {
                continue;
            }
            let values = values(&parameter);
            let what = format!("{name} {}", parameter.name);
            assert!(values.iter().all(|v| f64::from(v.abs()) <= bound * (1.0 + 1e-6)), "{what}");
            if values.len() >= 1000 {
                check_uniform(&what, &values, bound);
            }
        }
    }
}

/// Mean and variance within five standard errors, and each tenth of the range with its share.
fn check_uniform(what: &str, values: &[f32], bound: f64) {
    let n = values.len() as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let variance = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / n;
    let sigma = bound / 3_f64.sqrt();
    assert!(mean.abs() < 5.0 * sigma / n.sqrt(), "{what}: mean {mean}");
    // The variance of x^2 for x in U(-b, b) is b^4 (1/5 - 1/9).
    let spread = bound.powi(2) * (4.0 / 45.0 / n).sqrt();
    assert!((variance - sigma.powi(2)).abs() < 5.0 * spread, "{what}: variance {variance}");
    let mut tenths = [0_f64; 10];
    for value in values {
        let place = (f64::from(*value) / bound + 1.0) * 5.0;
        tenths[(place as usize).min(9)] += 1.0;
    }
    let share = n / 10.0;
    let chi_squared: f64 = tenths.iter().map(|count| (count - share).powi(2) / share).sum();
    assert!(chi_squared < 33.7, "{what}: chi squared {chi_squared} of 9 degrees, p < 1e-4");
}

#[test]
fn the_bound_is_torchs_kaiming_bound() {
    // gain * sqrt(3 / fan_in) with the gain of leaky_relu for a slope of sqrt(5)
    let gain = (2.0_f64 / (1.0 + 5.0)).sqrt();
    for fan_in in [1, 25, 75, 400, 800, 1024] {
        let torch = gain * (3.0 / fan_in as f64).sqrt();
        assert!((f64::from(kaiming_bound(fan_in)) - torch).abs() < 1e-7 * torch);
    }
}

#[test]
fn every_backend_starts_from_the_same_bits() {
    for name in SMALL {
        let on_flex = all_bits(&config(name).init(5, &flex()));
        assert_eq!(on_flex, all_bits(&config(name).init(5, &ndarray())));
        assert_eq!(on_flex, all_bits(&config(name).init(5, &flex().autodiff())));
    }
}

#[test]
fn seeds_and_parameters_have_streams_of_their_own() {
    let first = all_bits(&config("tudui").init(0, &flex()));
    let second = all_bits(&config("tudui").init(1, &flex()));
    for ((name, bits), (_, other)) in first.iter().zip(&second) {
        assert_ne!(bits, other, "{name} does not depend on the seed");
    }
    // conv2 and conv3 have the same bounds; the same stream would give them the same first values.
    assert_ne!(first[2].1[..32], first[4].1[..32]);
}

#[test]
fn golden_first_weights_of_a_seed() {
    let model = config("lenet").init(0, &flex());
    let parameters = named_parameters(&model);
    let start = |i: usize| values(&parameters[i])[..3].to_vec();
    // Computed from ChaCha8's definition in another language, with the key that `TorchInit` documents.
    assert_eq!(start(0), [-0.15754819, -0.17966698, 0.050040856]);
    assert_eq!(start(1), [0.11306681, 0.08198075, 0.18586527]);
    assert_eq!(start(4), [0.045701925, 0.019233678, 0.020267654]);
}

#[test]
fn another_head_leaves_the_other_layers_as_they_are() {
    let ten = all_bits(&config("tudui").init(3, &flex()));
    let two = all_bits(&config("tudui").with_num_classes(2).init(3, &flex()));
    assert_eq!(ten[..8], two[..8]);
}

/// airbench94's convolutions: as many filters as there are inputs hand one channel each on; the others are drawn.
#[test]
fn dirac_filters_hand_their_channel_on() {
    let arguments = serde_json::json!({ "widths": [30, 16, 16] });
    let config: Result<_, serde_json::Error> =
        ModelConfig::deserialize_named("airbench94", arguments).unwrap();
    let parameters = named_parameters(&config.unwrap().init(0, &flex()));
    for (name, outputs, inputs) in [("2.conv1.weight", 30, 24), ("3.conv1.weight", 16, 30)] {
        let parameter = parameters.iter().find(|parameter| parameter.name == name).unwrap();
        let values = values(parameter);
        for (filter, values) in values.chunks(inputs * 9).enumerate() {
            let ones: Vec<usize> = (0..values.len()).filter(|at| values[*at] == 1.0).collect();
            let others = values.iter().filter(|value| **value != 0.0).count();
            match filter < inputs {
                true => assert_eq!((ones, others), (vec![filter * 9 + 4], 1), "{name} {filter}"),
                false => assert!(others > inputs * 8 && ones.is_empty(), "{name} {filter}"),
            }
        }
        assert_eq!(values.len(), outputs * inputs * 9);
    }
}
