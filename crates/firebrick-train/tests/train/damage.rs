//! Whatever happens to the text of a config, the reader answers and does not panic.

use firebrick_train::Config;
use firebrick_train::config::Override;
use proptest::prelude::*;

const GOOD: &str = r#"# Everything that a config has: tables, dotted keys, arrays of tables, inline tables.
[model]
name = "sequential"
input_shape = [1, 8, 8]
layers = [
    { name = "conv2d", out_channels = 4, kernel_size = [3, 3] },
    { name = "batch_norm2d" },
    { name = "flatten" },
    { name = "linear", out_features = 10 },
]

[data]
dataset = "digits"
limit = { train = 64, test = 32 }
normalize = { mean = [0.5], std = [0.25] }
augment = [{ name = "random_crop", padding = 2 }, { name = "random_horizontal_flip", p = 0.5 }]

[loss]
name = "cross_entropy"
label_smoothing = 0.1

[optimizer]
name = "muon"
lr = 1e-2
adamw.betas = [0.9, 0.99]

[[optimizer.groups]]
match = "*.bias"
weight_decay = 0.0

[schedule]
name = "one_cycle"
warmup = { steps = 3 }

[trainer]
epochs = 2
backend = "flex:0"
ema = { decay = 0.99 }
early_stopping.patience = 3

[output]
name = "größe"
"#;

/// Pieces that break things in interesting places.
const PIECES: [&str; 24] = [
    "[", "]", "{", "}", "\"", "'", "=", ".", ",", "\n", "#", "[[", "]]", "-1", "nan", "inf", "1e400", "true",
    "\"\"\"", "name", "groups", "\u{0}", "\u{feff}", "é",
];

#[derive(Debug, Clone)]
enum Damage {
    Cut(usize, usize),
    Insert(usize, usize),
    Move(usize, usize, usize),
    Replace(usize, char),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), 0..40_usize).prop_map(|(at, length)| Damage::Cut(at, length)),
        (any::<usize>(), 0..PIECES.len()).prop_map(|(at, piece)| Damage::Insert(at, piece)),
        (any::<usize>(), 0..60_usize, any::<usize>())
            .prop_map(|(at, length, to)| Damage::Move(at, length, to)),
        (any::<usize>(), any::<char>()).prop_map(|(at, with)| Damage::Replace(at, with)),
    ]
}

fn damaged(text: &str, damages: &[Damage]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for damage in damages {
        let place = |at: usize, chars: &[char]| at % (chars.len() + 1);
        match *damage {
            Damage::Cut(at, length) => {
                let at = place(at, &chars);
                chars.drain(at..(at + length).min(chars.len()));
            }
            Damage::Insert(at, piece) => {
                let at = place(at, &chars);
                chars.splice(at..at, PIECES[piece].chars());
            }
            Damage::Move(at, length, to) => {
                let at = place(at, &chars);
                let moved: Vec<char> = chars.drain(at..(at + length).min(chars.len())).collect();
                let to = place(to, &chars);
                chars.splice(to..to, moved);
            }
            Damage::Replace(at, with) => {
                if let Some(old) = at.checked_rem(chars.len()).and_then(|at| chars.get_mut(at)) {
                    *old = with;
                }
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn the_text_to_damage_is_good() {
    Config::from_toml("x.toml", GOOD, &[]).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_never_panics(damages in prop::collection::vec(damage(), 1..6)) {
        match Config::from_toml("x.toml", &damaged(GOOD, &damages), &[]) {
            Ok(config) => { config.to_toml().unwrap(); }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn strange_overrides_never_panic(key in "[a-z.\"\\[\\]#= ]{0,12}", table in 0..8_usize, value in "\\PC{0,12}") {
        let tables = ["", "model.", "data.", "loss.", "optimizer.", "schedule.", "trainer.", "optimizer.groups."];
        let change = Override::new(format!("{}{key}", tables[table]), value);
        let _ = Config::from_toml("x.toml", GOOD, &[change]);
    }
}
