//! What the config reader accepts, and how it says what it does not.

use std::str::FromStr;

use firebrick_train::Config;
use firebrick_train::config::{CheckpointEvery, Override};

const GOOD: &str = r#"[model]
name = "tudui"
num_classes = 10

[data]
dataset = "digits"

[loss]
name = "cross_entropy"

[optimizer]
name = "sgd"
lr = 0.01
momentum = 0.9
"#;

fn read(text: &str, sets: &[&str]) -> Result<Config, String> {
    let overrides: Vec<Override> = sets.iter().map(|set| Override::from_str(set).unwrap()).collect();
    Config::from_toml("x.toml", text, &overrides).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(text: &str, sets: &[&str], parts: &[&str]) {
    let message = read(text, sets).unwrap_err();
    for part in parts {
        assert!(message.contains(part), "expected {part:?} in {message:?}");
    }
}

#[test]
fn defaults_are_filled_in_and_written_out() {
    let config = read(GOOD, &[]).unwrap();
    assert_eq!(config.trainer.epochs, 10);
    assert_eq!(config.schedule.name(), "none", "torch's ConstantLR is no constant rate");
    assert_eq!(config.trainer.checkpoint_every, CheckpointEvery::Epoch);
    let text = config.to_toml().unwrap();
    let again = read(&text, &[]).unwrap().to_toml().unwrap();
    assert_eq!(text, again, "what is written reads back the same");
}

#[test]
fn every_config_of_the_repository_reads() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let config = Config::from_file(&path, &[]).unwrap();
        let text = config.to_toml().unwrap();
        assert_eq!(read(&text, &[]).unwrap().to_toml().unwrap(), text, "{}", path.display());
        count += 1;
    }
    assert!(count >= 5, "found {count} configs");
}

#[test]
fn an_unknown_key_is_refused_with_its_place_and_a_suggestion() {
    let text = GOOD.replace("momentum", "momentun");
    refused(&text, &[], &["x.toml:14:1", "unknown key `momentun`", "did you mean `momentum`?"]);
}

#[test]
fn an_unknown_table_is_refused() {
    refused(
        &GOOD.replace("[optimizer]", "[optimiser]"),
        &[],
        &["x.toml:11:2", "`optimiser`", "did you mean `optimizer`?"],
    );
}

#[test]
fn an_unknown_component_is_refused() {
    refused(
        &GOOD.replace("\"sgd\"", "\"sdg\""),
        &[],
        &["x.toml:12:8", "unknown optimizer `sdg`", "did you mean `sgd`?"],
    );
}

#[test]
fn a_wrong_type_is_refused_at_the_value() {
    refused(&GOOD.replace("0.01", "\"fast\""), &[], &["x.toml:13:6", "expected a number", "fast"]);
}

#[test]
fn a_missing_table_and_a_missing_name_are_refused() {
    refused(&GOOD.replace("[loss]\nname = \"cross_entropy\"\n", ""), &[], &["missing table `[loss]`"]);
    refused(&GOOD.replace("name = \"cross_entropy\"\n", ""), &[], &["x.toml:8:1", "a loss has no `name`"]);
}

#[test]
fn broken_toml_is_refused_with_its_place() {
    refused("[model\n", &[], &["x.toml:1:7"]);
}

#[test]
fn numbers_out_of_range_are_refused() {
    for (set, part) in [
        ("optimizer.lr=nan", "lr"),
        ("optimizer.lr=-1.0", "lr"),
        ("data.batch_size=0", "batch_size"),
        ("trainer.epochs=0", "trainer.epochs: expected at least 1, got 0"),
        ("trainer.max_steps=0", "max_steps"),
        ("trainer.checkpoint_every=0", "checkpoint_every"),
        ("trainer.keep_last=0", "keep_last"),
        ("trainer.clip_grad_norm=nan", "clip_grad_norm"),
        ("trainer.epochs=-3", "epochs"),
        ("model.num_classes=0", "num_classes"),
        ("loss.label_smoothing=1.5", "label_smoothing"),
    ] {
        refused(GOOD, &[set], &[part]);
    }
}

#[test]
fn an_override_wins_and_needs_no_quotes() {
    let config =
        read(GOOD, &["optimizer.lr=0.5", "data.root=/tmp/some where", "trainer.checkpoint_every=100"])
            .unwrap();
    assert_eq!(config.optimizer.lr(), 0.5);
    assert_eq!(config.data.root.to_str(), Some("/tmp/some where"));
    assert_eq!(config.trainer.checkpoint_every, CheckpointEvery::Steps(100));
}

#[test]
fn an_override_of_a_whole_table_replaces_it() {
    let config = read(GOOD, &["optimizer={ name = \"adam\", lr = 0.001 }"]).unwrap();
    assert_eq!(config.optimizer.name(), "adam");
}

#[test]
fn a_bad_override_is_named_as_it_was_given() {
    refused(GOOD, &["optimizer.lrr=0.5"], &["--set optimizer.lrr=0.5", "did you mean `lr`?"]);
    refused(GOOD, &["optimizer.lr=fast"], &["--set optimizer.lr=fast:", "expected a number"]);
    assert!(Override::from_str("optimizer.lr").unwrap_err().to_string().contains("expected key.path=VALUE"));
    assert!(Override::from_str("=3").is_err());
}
