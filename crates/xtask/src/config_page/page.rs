//! The page, section by section.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use firebrick::component::Family;
use firebrick::data::batch_transform::BatchTransformConfig;
use firebrick::data::{DataConfig, DatasetConfig, TransformConfig};
use firebrick::loss::LossConfig;
use firebrick::models::{LayerConfig, ModelConfig};
use firebrick::train::config::{ModelSection, OutputConfig, TrainerConfig};
use firebrick::train::metric::MetricConfig;
use firebrick::train::optimizer::OptimizerConfig;
use firebrick::train::schedule::ScheduleConfig;
use serde::Serialize;
use toml::{Table, Value};

use super::asked::{Asked, Default};
use super::sources::{Field, Member, Sources, Struct};
use super::words;
use crate::failure::Failure;

const HEAD: &str = "# Configs: every key

<!-- Made of the sources by `cargo xtask config-page`; change the doc comments there, not this page. -->

A config is a TOML file with seven tables. `[model]`, `[data]`, `[loss]` and `[optimizer]` must be there; `[schedule]`,
`[trainer]` and `[output]` may be left out. Names and defaults of arguments are PyTorch's where PyTorch has them. An unknown
key, a value of the wrong type and one outside its range are errors with line and column.

A component is written as a table with its `name` and its arguments, `{ name = \"top_k\", k = 5 }`, or as its name alone where
no argument is required, `\"top_k\"`. On the command line `--set trainer.epochs=3` changes any key;
`--set 'data.augment=[{ name = \"random_crop\", padding = 4 }]'` shows how lists and tables are given. `firebrick config show
FILE` prints a config with its defaults, `firebrick config check FILE` looks for mistakes.

\"required\" in the column of defaults: the key must be there. \"not set\": without the key, what it describes does not happen.

";

/// Values of keys that are not written when they have their default; that they are it is checked.
fn unwritten(key: &str) -> Option<Value> {
    match key {
        "batch_augment" | "groups" => Some(Value::Array(Vec::new())),
        "metrics" => Some(Value::Array(vec![Value::String("accuracy".to_owned())])),
        "strict" => Some(Value::Boolean(true)),
        "alternate" => Some(Value::Boolean(false)),
        "repeated_augmentation" => Some(Value::Integer(1)),
        _ => None,
    }
}

/// Makes the page of the repository at `root`.
pub fn page(root: &Path) -> Result<String, Failure> {
    let mut page = Page {
        sources: Sources::read(root)?,
        text: HEAD.to_owned(),
        tables: BTreeSet::new(),
        explained: BTreeSet::new(),
    };
    page.model()?;
    let data = Table::from_iter([("dataset".to_owned(), Value::String("digits".to_owned()))]);
    page.heading(2, "[data]");
    page.table("DataConfig", &Asked::table::<DataConfig>().given(data))?;
    page.family::<DatasetConfig>("Data sets", "DatasetConfig", "`data.dataset`.")?;
    page.family::<TransformConfig>(
        "Augmentations",
        "TransformConfig",
        "A list, `data.augment`: changes to training images, in this order.",
    )?;
    page.family::<BatchTransformConfig>(
        "Batch transforms",
        "BatchTransformConfig",
        "A list, `data.batch_augment`: changes to whole training batches.",
    )?;
    page.family::<LossConfig>(
        "[loss]",
        "LossConfig",
        "What is minimised. [Its README](../crates/firebrick-loss/README.md) says which losses train a classifier.",
    )?;
    page.family::<OptimizerConfig>("[optimizer]", "OptimizerConfig", "The update rule.")?;
    page.family::<ScheduleConfig>(
        "[schedule]",
        "ScheduleConfig",
        "The learning rate over time. Without the table: `none`.",
    )?;
    page.heading(2, "[trainer]");
    page.table("TrainerConfig", &Asked::table::<TrainerConfig>())?;
    page.family::<MetricConfig>(
        "Metrics",
        "MetricConfig",
        "A list, `trainer.metrics`: what an evaluation says beside the loss.",
    )?;
    page.heading(2, "[output]");
    page.table("OutputConfig", &Asked::table::<OutputConfig>())?;
    Ok(page.text.trim_end().to_owned() + "\n")
}

struct Page {
    sources: Sources,
    text: String,
    /// Tables inside of tables that have their section.
    tables: BTreeSet<String>,
    /// Enums whose values have been explained.
    explained: BTreeSet<String>,
}

/// A table whose section follows that of the table it stands in.
struct Inner {
    key: String,
    structure: String,
    is_list: bool,
}

impl Page {
    fn model(&mut self) -> Result<(), Failure> {
        self.heading(2, "[model]");
        self.line("`name` is a [network](#networks), whose arguments stand beside it; and these keys:");
        let given = Table::from_iter([("name".to_owned(), Value::String("lenet".to_owned()))]);
        let asked = Asked::table::<ModelSection>().given(given.clone());
        let own = |key: &String| ["weights", "weights_key", "strict"].contains(&key.as_str());
        let keys = asked.keys_beside(&given)?.into_iter().filter(own).collect::<Vec<_>>();
        let section = self.sources.structure("ModelSection")?;
        // The network's own keys, and what follows from them, are not the section's.
        let is_key = |field: &&Field| !["network", "counts_classes"].contains(&field.key.as_str());
        let fields: Vec<Field> = section.fields.iter().filter(is_key).cloned().collect();
        let rows = self.rows(&fields, &keys, &asked, "[model]")?;
        self.line(&rows);
        self.family::<ModelConfig>("Networks", "ModelConfig", "`model.name`.")?;
        self.family::<LayerConfig>(
            "Layers",
            "LayerConfig",
            "What `layers` of a `sequential` network lists. What torch calls `in_channels`, `num_features` and \
             `in_features` follows from the shapes. Beside its arguments a layer or a block may have the key `as`, its \
             name, with which the names of its parameters begin.",
        )?;
        self.blocks()
    }

    /// Blocks have no structs: their table stands in the comment at the top of the file that reads them.
    fn blocks(&mut self) -> Result<(), Failure> {
        self.heading(3, "Blocks");
        let top = self.sources.top("firebrick-models/src/zoo/sequential/mod.rs")?;
        let is_row = |line: &&str| line.starts_with("| ") || line.starts_with("|--");
        let table: Vec<&str> = top.lines().skip_while(|line| !is_row(line)).take_while(is_row).collect();
        let rows: Vec<&str> = table.iter().filter(|row| !row.starts_with("| a layer's")).copied().collect();
        let text = rows.join("\n");
        for name in block_names()? {
            if !text.contains(&format!("| `{name}` |")) {
                return Err(format!("the table of blocks in sequential/mod.rs lacks `{name}`").into());
            }
        }
        self.line(
            "What `layers` may list besides layers, and `body`, `shortcut`, `after` and `branches`, too:",
        );
        self.line(&text);
        self.line(
            "A block of the config's own is a table `[model.blocks.NAME]` with `arguments`, a table of their defaults, and \
             `layers`, in which `\"$channels\"` stands for the argument `channels`; \
             [configs/resnet20-cifar10.toml](../configs/resnet20-cifar10.toml) has one.",
        );
        Ok(())
    }

    /// A family: each of its components with its arguments.
    fn family<F: Family + Serialize>(&mut self, title: &str, list: &str, text: &str) -> Result<(), Failure> {
        self.heading(if title.starts_with('[') { 2 } else { 3 }, title);
        self.line(text);
        let names = F::names();
        let members = self.sources.family(list)?.iter().map(Member::clone).collect::<Vec<_>>();
        let listed: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        if names != listed {
            return Err(format!("{list}: the sources list {listed:?}, the code has {names:?}").into());
        }
        for member in &members {
            self.heading(4, &format!("`{}`", member.name));
            let structure = if member.arguments == "SequentialConfig" { "Given" } else { &member.arguments };
            let Struct { top, .. } = self.sources.structure(structure)?;
            let source = words::source(top).map(|source| format!(" Source: {source}"));
            let doc = words::prose(&member.doc);
            // Where the list says no more than torch's name, the file says what it does.
            let doc = if doc.starts_with('`') && doc.ends_with("`.") { words::prose(top) } else { doc };
            self.line(&format!("{doc}{}", source.unwrap_or_default()));
            let asked = Asked::component::<F>(&member.name).given(given(F::KIND, &member.name)?);
            self.table(structure, &asked)?;
        }
        Ok(())
    }

    /// The keys of a struct, then the tables that stand in it for the first time.
    fn table(&mut self, structure: &str, asked: &Asked<'_>) -> Result<(), Failure> {
        let found = self.sources.structure(structure)?;
        let fields = found.fields.clone();
        if fields.is_empty() {
            self.line("No arguments.");
            return Ok(());
        }
        let keys = asked.keys()?;
        let rows = self.rows(&fields, &keys, asked, structure)?;
        let inner: Vec<Inner> = fields
            .iter()
            .filter_map(|field| {
                let (structure, is_list) = words::table(&field.kind, &self.sources)?;
                let is_component = self.is_component(&structure);
                (!is_component).then(|| Inner { key: field.key.clone(), structure, is_list })
            })
            .collect();
        self.line(&rows);
        for Inner { key, structure, is_list } in inner {
            if self.tables.insert(structure.clone()) {
                self.heading(5, &format!("`{key}`"));
                let doc = words::prose(&self.sources.structure(&structure)?.doc);
                self.line(&doc);
                self.table(&structure, &asked.inside(&key, is_list))?;
            }
        }
        Ok(())
    }

    fn is_component(&self, structure: &str) -> bool {
        let lists = ["OptimizerConfig", "ScheduleConfig", "LossConfig"];
        let members = lists.iter().filter_map(|list| self.sources.family(list).ok());
        members.flatten().any(|member| member.arguments == structure)
    }

    /// The table of `fields`, which must be the code's `keys`.
    fn rows(
        &mut self,
        fields: &[Field],
        keys: &[String],
        asked: &Asked<'_>,
        what: &str,
    ) -> Result<String, Failure> {
        let of_sources: BTreeSet<&str> = fields.iter().map(|field| field.key.as_str()).collect();
        let of_code: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
        if of_sources != of_code {
            return Err(format!("{what}: the sources have {of_sources:?}, the code reads {of_code:?}").into());
        }
        let defaults = asked.defaults(keys, &unwritten)?;
        let mut text = "| key | value | default | meaning |\n|---|---|---|---|\n".to_owned();
        for field in fields {
            let meaning = words::prose(&field.doc);
            let default = match &defaults[&field.key] {
                Default::Required => "required".to_owned(),
                // Without it the arguments can be read, but are refused.
                Default::Nothing if meaning.contains("; required") => "required".to_owned(),
                Default::Nothing => "not set".to_owned(),
                Default::Value(value) => format!("`{}`", inline(value)),
            };
            let kind = match words::table(&field.kind, &self.sources) {
                Some((structure, _)) if self.is_component(&structure) => {
                    format!("table of the arguments of [`{0}`](#{0})", field.key)
                }
                _ => words::kind(&field.kind, &field.key, &self.sources)?,
            };
            let default = if default.len() > 60 { "its defaults".to_owned() } else { default };
            let meaning =
                meaning.replace(&format!(" Written `{}`.", field.key), "").replace("; required", "");
            let explanation = match words::choices(&field.kind) {
                Some(name) if self.explained.insert(name.clone()) => {
                    words::meanings(&field.kind, &self.sources)
                }
                _ => String::new(),
            };
            let meaning = meaning + &explanation;
            let row =
                [format!("`{}`", field.key), kind, default, meaning].map(|cell| cell.replace('|', "\\|"));
            writeln!(text, "| {} |", row.join(" | "))?;
        }
        Ok(text.trim_end().to_owned())
    }

    fn heading(&mut self, level: usize, title: &str) {
        let title = if title.starts_with('[') { format!("`{title}`") } else { title.to_owned() };
        self.line(&format!("{} {title}", "#".repeat(level)));
    }

    fn line(&mut self, text: &str) {
        if !text.is_empty() {
            self.text += text;
            self.text += "\n\n";
        }
    }
}

/// What a component must be given that is not content with stand-ins.
fn given(family: &str, name: &str) -> Result<Table, Failure> {
    Ok(match (family, name) {
        ("batch transform", "random_choice") => "transforms = [\"mixup\"]".parse()?,
        (_, "random_apply" | "random_choice") => "transforms = [\"random_invert\"]".parse()?,
        (_, "sequential") => {
            "input_shape = [1, 1, 1]\nlayers = [{ name = \"flatten\" }, { name = \"linear\", out_features = 1 }]"
                .parse()?
        }
        _ => Table::new(),
    })
}

/// The blocks that a config may list beside layers, as the message for an unknown one names them.
fn block_names() -> Result<Vec<String>, Failure> {
    let table: Table = "input_shape = [1, 1, 1]\nlayers = [\"no such layer\"]".parse()?;
    let Some(Err(error)) = ModelConfig::read_named("sequential", table) else {
        return Err("a layer that does not exist was read".into());
    };
    let layers = LayerConfig::names();
    let names = error.message.split('`').skip(1).step_by(2).skip(1);
    Ok(names.filter(|name| !layers.contains(name)).map(str::to_owned).collect())
}

/// A value in one line, numbers as short as people write them.
fn inline(value: &Value) -> String {
    match value {
        Value::Float(number) => format!("{number:?}"),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Table(table) => {
            let pairs: Vec<String> =
                table.iter().map(|(key, value)| format!("{key} = {}", inline(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}
