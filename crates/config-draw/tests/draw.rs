//! Every draw is a config that Firebrick takes, and every component is drawn.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use config_draw::{FAMILIES, Known, What, draw, register};
use firebrick::data::{BatchTransformConfig, DatasetConfig, TransformConfig};
use firebrick::loss::LossConfig;
use firebrick::models::ModelConfig;
use firebrick::models::layer::LayerConfig;
use firebrick::prelude::*;
use firebrick::train::metric::MetricConfig;
use firebrick::train::optimizer::OptimizerConfig;
use firebrick::train::schedule::ScheduleConfig;

const SEEDS: u64 = 300;

fn texts(what: What) -> impl Iterator<Item = (u64, String)> {
    (0..SEEDS).map(move |seed| (seed, draw(seed, what)))
}

#[track_caller]
fn good<T, E: std::fmt::Display>(result: Result<T, E>, place: &str) -> T {
    result.unwrap_or_else(|error| panic!("{error}\n{place}"))
}

#[test]
fn three_hundred_seeds_are_configs_with_a_plan_and_a_network() {
    register();
    for what in [What::Everything, What::Binaries, What::Pytorch] {
        for (seed, text) in texts(what) {
            let place = format!("seed {seed} of {what:?}:\n{text}");
            let config = good(Config::from_toml("drawn", &text, &[]), &place);
            let plan = good(Plan::new(config, "drawn", &()), &place);
            let model = good(plan.initial_model(&plan.backend.device), &place);
            good(TrainState::new(&plan, model).map(drop), &place);
            assert!(what != What::Pytorch || plan.total_steps >= 8, "{text}");
        }
    }
}

#[test]
fn the_same_seed_is_the_same_config_and_another_one_another() {
    let distinct: BTreeSet<String> = texts(What::Everything).map(|(_, text)| text).collect();
    assert_eq!(distinct.len() as u64, SEEDS);
    assert!(texts(What::Everything).all(|(seed, text)| text == draw(seed, What::Everything)));
}

fn names(family: &str) -> Vec<&'static str> {
    match family {
        "model" => ModelConfig::NAMES.to_vec(),
        "layer" => LayerConfig::NAMES.to_vec(),
        "dataset" => DatasetConfig::NAMES.to_vec(),
        "augmentation" => TransformConfig::NAMES.to_vec(),
        "batch transform" => BatchTransformConfig::NAMES.to_vec(),
        "loss" => LossConfig::NAMES.to_vec(),
        "optimizer" => OptimizerConfig::NAMES.to_vec(),
        "schedule" => ScheduleConfig::NAMES.to_vec(),
        "metric" => MetricConfig::NAMES.to_vec(),
        other => panic!("no family is called {other}"),
    }
}

#[test]
fn every_component_is_drawn_or_left_out_with_a_reason() {
    for Known { family, drawn, left_out } in FAMILIES {
        let known: BTreeSet<&str> =
            drawn.iter().copied().chain(left_out.iter().map(|(name, _)| *name)).collect();
        let there: BTreeSet<&str> = names(family).into_iter().collect();
        let missing: Vec<&&str> = there.difference(&known).collect();
        assert!(
            missing.is_empty(),
            "{family}: let config-draw draw {missing:?}, or say in families.rs why not"
        );
        let gone: Vec<&&str> = known.difference(&there).collect();
        assert!(gone.is_empty(), "{family}: {gone:?} are no components any more");
        assert_eq!(known.len(), drawn.len() + left_out.len(), "{family}: drawn and left out");
    }
}

#[test]
fn no_loss_is_left_out_that_can_train_a_classifier() {
    let losses = FAMILIES.iter().find(|known| known.family == "loss").map(|known| known.drawn);
    let can_train: BTreeSet<&str> = LossConfig::names_for_classes().into_iter().collect();
    assert_eq!(losses.unwrap_or_default().iter().copied().collect::<BTreeSet<&str>>(), can_train);
}

#[test]
fn what_is_drawn_occurs_in_three_hundred_seeds() {
    let all: String = texts(What::Everything).map(|(_, text)| text).collect();
    let occurs = |name: &str| all.contains(&format!("\"{name}\""));
    for Known { family, drawn, .. } in FAMILIES {
        let absent: Vec<&&str> = drawn.iter().filter(|name| !occurs(name)).collect();
        assert!(absent.is_empty(), "{family}: {absent:?} never occur");
    }
    let keys = [
        "label_smoothing",
        "ignore_index",
        "pos_weight",
        "groups",
        "clip_grad_norm",
        "clip_grad_value",
        "ema",
        "early_stopping",
        "checkpoint_every_minutes",
        "validation",
        "validation_split",
        "drop_last",
        "warmup",
        "accumulate_grad_batches",
        "body",
        "branches",
        "not_a_number",
    ];
    assert!(keys.iter().all(|key| all.contains(key)), "one of {keys:?} never occurs");
}

#[test]
fn draws_for_pytorch_hold_nothing_random() {
    for (seed, text) in texts(What::Pytorch) {
        for absent in ["dropout", "random_", "mixup", "shuffle = true", "\"lion\"", "not_a_number"] {
            assert!(!text.contains(absent), "seed {seed} has {absent}:\n{text}");
        }
    }
    assert!(texts(What::Binaries).all(|(_, text)| !text.contains("not_a_number")));
}

#[test]
fn each_family_of_components_is_known() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let uses = ["data", "loss", "models", "train"].map(|name| {
        let folder = crates.join(format!("firebrick-{name}/src"));
        uses_of_macro(&folder)
    });
    assert_eq!(uses.iter().sum::<usize>(), FAMILIES.len(), "components! in {uses:?} files; list each family");
}

/// Files below `folder` that make a family of a list.
fn uses_of_macro(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let uses = entries.map(|path| match path.is_dir() {
        true => uses_of_macro(&path),
        false => usize::from(std::fs::read_to_string(path).unwrap().contains("components! {")),
    });
    uses.sum()
}
