//! From the tables of a config to nodes of a network.

use std::collections::BTreeMap;

use firebrick_component::{Family, ReadError, article, read};
use serde::Deserialize;
use toml::{Table, Value};

use super::block::{Blocks, listed, place};
use crate::layer::LayerConfig;
use crate::network::{MAX_NODES, Named, Node, Origin, ShortcutWhen};

/// How far lists may be inside one another, those of blocks included.
const MAX_DEPTH: usize = 48;

/// The names of the built-in blocks.
pub(super) const BLOCKS: [&str; 6] = ["sequence", "residual", "concat", "split", "gate", "repeat"];

/// The key of a node's own name.
const NAME: &str = "as";

/// Reads the nodes of a config.
pub(super) struct Parser<'a> {
    blocks: &'a Blocks,
    /// The blocks of the config around the list that is being read, and where each is used.
    open: Vec<(String, String)>,
    /// Where something stands for an argument of these blocks, and where its value was given.
    sources: BTreeMap<String, String>,
    depth: usize,
    num_nodes: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sequence {
    layers: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Residual {
    body: Vec<Value>,
    #[serde(default)]
    shortcut: Vec<Value>,
    #[serde(default)]
    after: Vec<Value>,
    #[serde(default)]
    shortcut_when: ShortcutWhen,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Branches {
    branches: Vec<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gate {
    body: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeat {
    times: usize,
    layers: Vec<Value>,
    #[serde(default)]
    first: Table,
}

impl<'a> Parser<'a> {
    pub(super) fn new(blocks: &'a Blocks) -> Self {
        Self { blocks, open: Vec::new(), sources: BTreeMap::new(), depth: 0, num_nodes: 0 }
    }

    /// A list of nodes that is written `at`.
    pub(super) fn list(&mut self, values: &[Value], at: &str) -> Result<Vec<Node>, ReadError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message =
                format!("expected lists of layers inside one another {MAX_DEPTH} deep at most, got more");
            return Err(ReadError::new(at, message));
        }
        let nodes = values.iter().enumerate();
        let nodes = nodes.map(|(index, value)| self.node(value, &format!("{at}[{index}]"))).collect();
        self.depth -= 1;
        nodes
    }

    /// As [`list`](Self::list), for one that must not be empty.
    fn some(&mut self, values: &[Value], at: &str) -> Result<Vec<Node>, ReadError> {
        if values.is_empty() {
            return Err(ReadError::new(at, "expected a layer at least, got none"));
        }
        self.list(values, at)
    }

    fn node(&mut self, value: &Value, at: &str) -> Result<Node, ReadError> {
        self.num_nodes += 1;
        if self.num_nodes > MAX_NODES {
            return Err(ReadError::new(
                at,
                format!("expected at most {MAX_NODES} layers and blocks, got more"),
            ));
        }
        let (name, label, arguments) = parts(value, at)?;
        let node = match name.as_str() {
            "sequence" | "residual" | "concat" | "split" | "gate" | "repeat" => {
                self.block(&name, arguments, at)?
            }
            _ if self.blocks.contains_key(&name) => self.own_block(&name, arguments, at)?,
            _ => match LayerConfig::read_named(&name, arguments) {
                Some(layer) => Node::layer(layer.map_err(|error| error.within(at))?.into_component().into()),
                None => return Err(self.unknown(&name, at)),
            },
        };
        let origin = Origin {
            place: at.to_owned(),
            used_at: self.open.first().map(|(_, used_at)| used_at.clone()),
            block: self.blocks.contains_key(&name).then_some(name),
            sources: self.sources_below(at),
        };
        let node = node.with_origin(origin);
        Ok(match label {
            Some(label) => node.named(label),
            None => node,
        })
    }

    fn block(&mut self, name: &str, arguments: Table, at: &str) -> Result<Node, ReadError> {
        fn arguments_of<T: for<'de> Deserialize<'de>>(table: Table, at: &str) -> Result<T, ReadError> {
            read(Value::Table(table)).map_err(|error| error.within(at))
        }
        Ok(match name {
            "sequence" => {
                let Sequence { layers } = arguments_of(arguments, at)?;
                Node::sequence(self.some(&layers, &format!("{at}.layers"))?)
            }
            "residual" => {
                let Residual { body, shortcut, after, shortcut_when } = arguments_of(arguments, at)?;
                let body = self.some(&body, &format!("{at}.body"))?;
                let shortcut = self.list(&shortcut, &format!("{at}.shortcut"))?;
                let after = self.list(&after, &format!("{at}.after"))?;
                Node::residual(body, shortcut, after, shortcut_when)
            }
            "concat" => Node::concat(self.branches(arguments_of(arguments, at)?, at)?),
            "split" => Node::split(self.branches(arguments_of(arguments, at)?, at)?),
            "gate" => {
                let Gate { body } = arguments_of(arguments, at)?;
                Node::gate(self.some(&body, &format!("{at}.body"))?)
            }
            "repeat" => self.repeat(arguments_of(arguments, at)?, at)?,
            _ => unreachable!("bug: `{name}` is no block"),
        })
    }

    fn branches(&mut self, branches: Branches, at: &str) -> Result<Vec<Vec<Node>>, ReadError> {
        let branches = branches.branches.iter().enumerate();
        branches.map(|(index, branch)| self.list(branch, &format!("{at}.branches[{index}]"))).collect()
    }

    /// The layers several times over: a sequence whose elements are called by their position.
    fn repeat(&mut self, repeat: Repeat, at: &str) -> Result<Node, ReadError> {
        let Repeat { times, layers, first } = repeat;
        if !(1..=MAX_NODES).contains(&times) {
            let message = format!("expected 1 to {MAX_NODES}, got {times}");
            return Err(ReadError::new(format!("{at}.times"), message));
        }
        let key = format!("{at}.layers");
        let mut elements = Vec::new();
        for time in 0..times {
            let mut nodes = match time {
                0 if !first.is_empty() => self.first(&layers, &first, at)?,
                _ => self.some(&layers, &key)?,
            };
            let element = match nodes.pop() {
                // The block itself is the element, so that `print(net)` shows its name.
                Some(only) if nodes.is_empty() && !only.has_name() => only,
                last => Node::sequence(nodes.into_iter().chain(last).collect()),
            };
            elements.push(element.named(time.to_string()));
        }
        Ok(Node::sequence(elements))
    }

    /// The one block in the layers of a `repeat`, with other arguments.
    fn first(&mut self, layers: &[Value], first: &Table, at: &str) -> Result<Vec<Node>, ReadError> {
        let key = format!("{at}.first");
        let [layer] = layers else {
            let got = layers.len();
            return Err(ReadError::new(key, format!("expected one block in `layers`, got {got} layers")));
        };
        let place = format!("{at}.layers[0]");
        let (name, label, mut arguments) = parts(layer, &place)?;
        let Some(block) = self.blocks.get(&name) else {
            let expected = listed(self.blocks.keys());
            let message = format!("expected a block of the config in `layers` ({expected}), got `{name}`");
            return Err(ReadError::new(key, message));
        };
        block.with(&name, first, &key)?;
        arguments.extend(first.clone());
        arguments.insert("name".to_owned(), Value::String(name));
        arguments.extend(label.map(|label| (NAME.to_owned(), Value::String(label))));
        let argument = |argument: &String| (format!("{place}.{argument}"), format!("{key}.{argument}"));
        let sources = first.keys().map(argument).map(|(argument, source)| (argument, self.source(source)));
        let before = self.sources.clone();
        let sources: Vec<_> = sources.collect();
        self.sources.extend(sources);
        let nodes = self.list(&[Value::Table(arguments)], &format!("{at}.layers"));
        self.sources = before;
        nodes
    }

    /// The layers of a block of the config that is used `at`.
    pub(super) fn own_block(&mut self, name: &str, arguments: Table, at: &str) -> Result<Node, ReadError> {
        let Some(block) = self.blocks.get(name) else { unreachable!("bug: `{name}` is no block") };
        if self.open.iter().any(|(open, _)| open == name) {
            return Err(ReadError::new(
                at,
                format!("expected a block that is not inside itself, got `{name}`"),
            ));
        }
        let filled = block.with(name, &arguments, at)?;
        let before = self.sources.clone();
        for (place, argument) in filled.stood {
            let source = match arguments.contains_key(&argument) {
                true => self.source(format!("{at}.{argument}")),
                false => format!("blocks.{name}.arguments.{argument}"),
            };
            self.sources.insert(place, source);
        }
        self.open.push((name.to_owned(), at.to_owned()));
        let nodes = self.some(&filled.layers, &place(name));
        self.open.pop();
        let nodes = nodes.map_err(|error| ReadError::new(self.source(error.path), error.message));
        self.sources = before;
        nodes.map(Node::sequence)
    }

    /// Where the value at `path` was given, if it stands for an argument of a block.
    fn source(&self, path: String) -> String {
        self.sources.get(&path).cloned().unwrap_or(path)
    }

    /// The sources of the arguments of the node at `at`.
    fn sources_below(&self, at: &str) -> Vec<(String, String)> {
        let start = format!("{at}.");
        let sources = self.sources.range(start.clone()..).take_while(|(path, _)| path.starts_with(&start));
        sources.map(|(path, source)| (path.clone(), source.clone())).collect()
    }

    fn unknown(&self, name: &str, at: &str) -> ReadError {
        let own = self.blocks.keys().map(String::as_str);
        let names = LayerConfig::names().into_iter().chain(BLOCKS).chain(own);
        ReadError::new(format!("{at}.name"), format!("unknown layer `{name}`, expected {}", listed(names)))
    }
}

/// A node's table: what it is, its own name, and the arguments.
fn parts(value: &Value, at: &str) -> Result<(String, Option<String>, Table), ReadError> {
    let mut table = match value {
        Value::String(name) => return Ok((name.clone(), None, Table::new())),
        Value::Table(table) => table.clone(),
        other => {
            let got = article(other.type_str());
            let message = format!("expected a layer such as {{ name = \"relu\" }}, got {got}");
            return Err(ReadError::new(at, message));
        }
    };
    let mut text = |key: &str| match table.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => {
            let message = format!("expected a name, got {}", article(other.type_str()));
            Err(ReadError::new(format!("{at}.{key}"), message))
        }
    };
    let (name, label) = (text("name")?, text(NAME)?);
    match name {
        Some(name) => Ok((name, label, table)),
        None => Err(ReadError::new(at, "a layer has no `name`")),
    }
}

/// As [`parts`] found them; layers with every default spelled out, for a config that is written.
pub(super) fn spelled_out(value: Value) -> Value {
    let Ok((name, label, arguments)) = parts(&value, "") else { return value };
    let layer = LayerConfig::read_named(&name, arguments.clone()).and_then(Result::ok);
    let written = layer.and_then(|layer| Table::try_from(&layer).ok());
    let mut table = match written {
        Some(table) => table,
        None => arguments.into_iter().map(|(key, value)| (key, inside(value))).collect(),
    };
    table.insert("name".to_owned(), Value::String(name));
    table.extend(label.map(|label| (NAME.to_owned(), Value::String(label))));
    Value::Table(table)
}

/// The same for lists inside a block.
fn inside(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(inside).collect()),
        table @ Value::Table(_) => spelled_out(table),
        other => other,
    }
}
