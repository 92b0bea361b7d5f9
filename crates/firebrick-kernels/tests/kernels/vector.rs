//! What optimisers do to whole parameters: the bits of separate operations, however computed.

use firebrick_kernels::cpu::{Engine, Isa, transpose};

use crate::reference::{values, with_threads};

/// Lengths below and above what threads share, none a multiple of a register.
const LENGTHS: [usize; 4] = [1, 37, 100_003, 300_007];

fn engines() -> impl Iterator<Item = Engine> {
    Isa::available().into_iter().map(|isa| Engine { isa, ..Engine::current() })
}

#[test]
fn a_scaled_sum_has_the_bits_of_separate_operations() {
    for len in LENGTHS {
        let (a, b) = (values(1, len), values(2, len));
        let (alpha, beta) = (0.9f32, -0.01f32);
        let expected: Vec<f32> = a
            .iter()
            .zip(&b)
            .map(|(a, b)| {
                let (a, b) = (std::hint::black_box(a * alpha), std::hint::black_box(b * beta));
                a + b
            })
            .collect();
        for engine in engines() {
            for threads in 1..=3 {
                let mut found = a.clone();
                with_threads(threads, || engine.scaled_sum(&mut found, alpha, &b, beta));
                assert!(found == expected, "{engine:?}, {threads} threads, {len} values");
            }
        }
    }
}

#[test]
fn two_scaled_sums_have_the_bits_of_one_after_the_other() {
    let [alpha, beta, gamma, delta] = [0.99f32, 0.9, 0.7, -0.01];
    for len in LENGTHS {
        let [a, b, c] = [1, 2, 3].map(|seed| values(seed, len));
        let (mut expected_a, mut expected_b) = (a.clone(), b.clone());
        Engine::current().scaled_sum(&mut expected_b, beta, &c, gamma);
        Engine::current().scaled_sum(&mut expected_a, alpha, &expected_b, delta);
        for engine in engines() {
            for threads in 1..=3 {
                let (mut a, mut b) = (a.clone(), b.clone());
                let factors = [alpha, beta, gamma, delta];
                with_threads(threads, || engine.two_scaled_sums(&mut a, &mut b, &c, factors));
                assert!(a == expected_a && b == expected_b, "{engine:?}, {threads} threads, {len} values");
            }
        }
    }
}

#[test]
fn a_norm_is_exact_enough_and_always_the_same() {
    for len in LENGTHS {
        let values = values(3, len);
        let expected = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        let first = engines().next().unwrap().l2_norm(&values);
        assert!((f64::from(first) - expected).abs() <= 1e-6 * expected, "{first} is not {expected}");
        for engine in engines() {
            for threads in 1..=3 {
                let found = with_threads(threads, || engine.l2_norm(&values));
                assert_eq!(found.to_bits(), first.to_bits(), "{engine:?}, {threads} threads");
            }
        }
    }
    assert_eq!(Engine::current().l2_norm(&[]).to_bits(), 0.0f32.to_bits());
    assert!(Engine::current().l2_norm(&[1.0, f32::NAN]).is_nan());
}

#[test]
fn a_transpose_moves_every_value_for_every_number_of_threads() {
    for (matrices, rows, columns) in [(1, 1, 1), (3, 3, 5), (2, 4, 8), (7, 9, 1), (2, 130, 1_031), (0, 4, 4)]
    {
        let source = values(3, matrices * rows * columns);
        let mut expected = vec![0.0; source.len()];
        for index in 0..source.len() {
            let (matrix, place) = (index / (rows * columns), index % (rows * columns));
            let (row, column) = (place / columns, place % columns);
            expected[matrix * rows * columns + column * rows + row] = source[index];
        }
        for threads in 1..=3 {
            let found = with_threads(threads, || transpose(&source, [rows, columns]));
            assert_eq!(found, expected, "{matrices} of {rows} x {columns}, {threads} threads");
        }
    }
}
