//! Blocks of a config, and arguments of blocks, that nothing uses.

use firebrick_component::NoEffect;
use toml::Value;

use super::block::{Blocks, SIGN};

/// All of them, by their paths in the config.
pub(super) fn unused(layers: &[Value], blocks: &Blocks) -> Vec<NoEffect> {
    let mut found = Vec::new();
    for (name, block) in blocks {
        let is_used = |text: &str| text == name;
        let in_other = blocks.iter().filter(|(other, _)| *other != name).any(|(_, other)| {
            mention(&other.layers, &is_used)
                || other.arguments.values().any(|value| mentions(value, &is_used))
        });
        if !mention(layers, &is_used) && !in_other {
            found.push(NoEffect::new(format!("blocks.{name}"), "no layer uses the block"));
            continue;
        }
        for argument in block.arguments.keys() {
            let sign = format!("{SIGN}{argument}");
            if !mention(&block.layers, &|text: &str| text == sign) {
                let reason = format!("no layer of the block uses `{sign}`");
                found.push(NoEffect::new(format!("blocks.{name}.arguments.{argument}"), reason));
            }
        }
    }
    found
}

fn mention(values: &[Value], is_meant: &dyn Fn(&str) -> bool) -> bool {
    values.iter().any(|value| mentions(value, is_meant))
}

/// Whether a text that `is_meant` stands anywhere in the value.
fn mentions(value: &Value, is_meant: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_meant(text),
        Value::Array(items) => mention(items, is_meant),
        Value::Table(table) => table.values().any(|value| mentions(value, is_meant)),
        _ => false,
    }
}
