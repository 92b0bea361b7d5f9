//! `--set`: the override is named, as one line, whatever is wrong with it.

use std::str::FromStr;

use firebrick_train::Config;
use firebrick_train::config::Override;

const GOOD: &str = "model = { name = 'lenet' }\ndata = { dataset = 'digits' }\nloss = { name = 'cross_entropy' }\n\
                    [optimizer]\nname = 'sgd'\nlr = 0.1\nweight_decay = 0.5\n";

fn refused(sets: &[&str]) -> String {
    let overrides: Vec<Override> = sets.iter().map(|set| Override::from_str(set).unwrap()).collect();
    Config::from_toml("x.toml", GOOD, &overrides).unwrap_err().to_string()
}

#[test]
fn the_override_that_is_wrong_is_named() {
    let cases: [(&[&str], &str); 14] = [
        (&["optimizer.lr=-1"], "--set optimizer.lr=-1: optimizer.lr: expected a finite number >= 0, got -1"),
        (&["optimizer.lr=0.2", "optimizer.lr=nan"], "--set optimizer.lr=nan: optimizer.lr: expected"),
        (&["optimizer.lr=fast"], "--set optimizer.lr=fast: optimizer.lr: expected a number, got the string"),
        (&["optimizer.lrr=1"], "--set optimizer.lrr=1: unknown key `lrr`"),
        (&["optimiser.lr=1"], "--set optimiser.lr=1: unknown table `optimiser`"),
        (&["optimizer={ lr = 1 }"], "--set optimizer={ lr = 1 }: optimizer: an optimizer has no `name`"),
        (
            &["optimizer={ name = 'adam', betas = [0.9, 1.0] }"],
            "--set optimizer={ name = 'adam', betas = [0.9, 1.0] }: optimizer.betas[1]: expected",
        ),
        (&["optimizer.name=sdg"], "--set optimizer.name=sdg: unknown optimizer `sdg`"),
        (&["optimizer=3"], "--set optimizer=3: optimizer: expected a"),
        (
            &["schedule.name=step"],
            "--set schedule.name=step: schedule.step_size: expected a whole number >= 1, got nothing",
        ),
        (
            &["trainer.ema.decay=2"],
            "--set trainer.ema.decay=2: trainer.ema.decay: expected a number from 0 to 1, got 2",
        ),
        (&["trainer.backend=felx"], "--set trainer.backend=felx: trainer.backend: expected `auto`"),
        (&["#lr=1"], "--set #lr=1: expected key.path=VALUE"),
        (&["optimizer.lr.x=1"], "--set optimizer.lr.x=1: optimizer.lr: expected a number, got a table"),
    ];
    for (sets, expected) in cases {
        let message = refused(sets);
        assert!(message.starts_with(expected), "expected {expected:?}\n     got {message:?}");
    }
}

#[test]
fn an_argument_of_the_file_that_the_new_component_lacks_is_refused_in_the_file() {
    let message = refused(&["optimizer.name=adagrad", "optimizer.weight_decay=-1"]);
    assert!(message.starts_with("--set optimizer.weight_decay=-1: "), "{message}");
    let text = format!("{GOOD}momentum = 0.9\n");
    let overrides = [Override::new("optimizer.name", "adam")];
    let message = Config::from_toml("x.toml", &text, &overrides).unwrap_err().to_string();
    assert!(message.starts_with("x.toml:8:1: unknown key `momentum`"), "{message}");
}

#[test]
fn a_component_without_arguments_may_be_its_name() {
    let overrides = [Override::new("optimizer", "adam"), Override::new("schedule", "one_cycle")];
    let config = Config::from_toml("x.toml", GOOD, &overrides).unwrap();
    assert_eq!((config.optimizer.name(), config.schedule.name()), ("adam", "one_cycle"));
}
