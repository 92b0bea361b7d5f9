//! Rust's types and doc comments in the words of the page.

use syn::{Expr, GenericArgument, Lit, PathArguments, Type};

use super::sources::{Documented, Sources};
use crate::failure::Failure;

/// Types that read themselves, as a config writes them.
const WRITTEN: &[(&str, &str)] = &[
    ("Pair", "whole number, or `[height, width]`"),
    ("StartWeights", "`\"imagenet\"`, `\"imagenet1k_v1\"`, `\"imagenet1k_v2\"`, or a path"),
    ("CheckpointEvery", "`\"epoch\"`, or a number of steps"),
    ("HoldOut", "fraction, a number of images, or `{ fold = [2, 5] }`"),
    ("SplitSpec", "split, or a part of one"),
    ("Normalize", "`\"dataset\"`, `\"none\"` or `{ mean = [..], std = [..] }`"),
    ("Resize", "`\"squash\"`, `\"letterbox\"` or `{ shorter = 256, crop = 224 }`"),
    ("Sides", "whole number, or `[height, width]`"),
    ("Fill", "whole number, or `[red, green, blue]`"),
    ("EraseValue", "whole number, `[red, green, blue]` or `\"random\"`"),
    ("BroadcastWeight", "number, or nested lists of numbers"),
    ("DatasetChoice", "name of a [data set](#data-sets), or a table with `name` and its arguments"),
    ("Blocks", "tables, see [blocks](#blocks)"),
    ("Value", "[layer](#layers) or block"),
    ("ModelConfig", "name of a [network](#networks)"),
    ("Table", "table"),
];

/// Families, and where the page has them.
const FAMILIES: [(&str, &str); 5] = [
    ("TransformConfig", "[augmentation](#augmentations)"),
    ("BatchTransformConfig", "[batch transform](#batch-transforms)"),
    // What the steps that hold steps call them.
    ("Step", "[augmentation](#augmentations)"),
    ("BatchStep", "[batch transform](#batch-transforms)"),
    ("MetricConfig", "[metric](#metrics)"),
];

/// The name of a type that is a path, and of its argument if it has one.
pub fn parts(kind: &Type) -> Option<(String, Option<&Type>)> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last()?;
    let argument = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(kind) => Some(kind),
                _ => None,
            })
        }
        _ => None,
    };
    Some((last.ident.to_string(), argument))
}

/// The table that a type is or holds, and whether it holds a list of them.
pub fn table(kind: &Type, sources: &Sources) -> Option<(String, bool)> {
    let (name, argument) = parts(kind)?;
    match (name.as_str(), argument) {
        ("Option", Some(inner)) => table(inner, sources),
        ("Vec", Some(inner)) => table(inner, sources).map(|(name, _)| (name, true)),
        _ => (sources.has_structure(&name) && special(&name).is_none()).then_some((name, false)),
    }
}

/// A type as the page calls it.
pub fn kind(kind: &Type, key: &str, sources: &Sources) -> Result<String, Failure> {
    if let Type::Array(array) = kind {
        let inner = self::kind(&array.elem, key, sources)?;
        return Ok(format!("list of {} {}", length(&array.len)?, plural(&inner)));
    }
    let (name, argument) = parts(kind).ok_or_else(|| format!("{key}: the page knows no such type"))?;
    Ok(match (name.as_str(), argument) {
        ("Option", Some(inner)) => self::kind(inner, key, sources)?,
        ("Vec", Some(inner)) => format!("list of {}", plural(&self::kind(inner, key, sources)?)),
        ("Numbers", Some(inner)) => {
            let inner = self::kind(inner, key, sources)?;
            format!("{inner}, or list of {}", plural(&inner))
        }
        ("f32" | "f64", _) => "number".to_owned(),
        ("usize" | "u64" | "u32" | "i64" | "u8", _) => "whole number".to_owned(),
        ("bool", _) => "true or false".to_owned(),
        ("String", _) => "text".to_owned(),
        ("PathBuf", _) => "path".to_owned(),
        _ => match (special(&name), sources.values(&name)) {
            (Some(written), _) => written.to_owned(),
            (None, Some(values)) => choice(values),
            (None, None) if sources.has_structure(&name) => format!("[table `{key}`](#{key})"),
            (None, None) => {
                return Err(format!("{key}: say in words.rs how a config writes a {name}").into());
            }
        },
    })
}

fn special(name: &str) -> Option<&'static str> {
    let found = WRITTEN.iter().chain(&FAMILIES).find(|(known, _)| *known == name);
    found.map(|(_, written)| *written)
}

fn length(length: &Expr) -> Result<String, Failure> {
    match length {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => Ok(number.base10_digits().to_owned()),
            _ => Err("a list whose length is no number".into()),
        },
        _ => Err("a list whose length is no number".into()),
    }
}

fn plural(word: &str) -> String {
    if let Some(table) = word.strip_prefix("[table ") {
        return format!("tables [{table}");
    }
    match word.find(']').filter(|_| word.starts_with('[') && !word.contains(" or ")) {
        // A link: `[metric](#metrics)`.
        Some(_) => word.replacen(']', "s]", 1),
        None if word.contains(" or ") => {
            word.replacen("](", "s](", 1).replace(" or block", " and [blocks](#blocks)")
        }
        None => format!("{word}s"),
    }
}

/// `"min"`, `"max"`.
fn choice(values: &[Documented]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("`\"{}\"`", value.name)).collect();
    match values.as_slice() {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        _ => values.join(""),
    }
}

/// The name of the enum that a type may be.
pub fn choices(kind: &Type) -> Option<String> {
    match parts(kind)? {
        (name, Some(inner)) if name == "Option" => choices(inner),
        (name, _) => Some(name),
    }
}

/// What the values of an enum mean, for the end of its key's meaning.
pub fn meanings(kind: &Type, sources: &Sources) -> String {
    match parts(kind) {
        Some((name, Some(inner))) if name == "Option" => meanings(inner, sources),
        Some((name, _)) => {
            let values = sources.values(&name).unwrap_or_default();
            values
                .iter()
                .map(|value| format!(" `\"{}\"`: {}", value.name, lower(&prose(&value.doc))))
                .collect()
        }
        None => String::new(),
    }
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        // A name in capitals stays.
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

/// The first paragraph of a doc comment in one line, its links to items of the code as plain code.
pub fn prose(doc: &str) -> String {
    let paragraph: Vec<&str> = doc.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    unlinked(&paragraph.join(" "))
}

/// What stands under `# Source` in a doc comment: its first paragraph. Otherwise the function of PyTorch that the
/// comment begins with.
pub fn source(doc: &str) -> Option<String> {
    let lines = doc.lines().map(str::trim).skip_while(|line| !line.starts_with("# Source")).skip(1);
    let paragraph: Vec<&str> =
        lines.skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty()).collect();
    let text = unlinked(&paragraph.join(" "));
    if text.is_empty() {
        let mut code = doc.split('`').skip(1).step_by(2);
        return code.find(|code| code.starts_with("torch")).map(|name| format!("`{name}`."));
    }
    Some(text.strip_suffix(':').map_or_else(|| text.clone(), |text| format!("{text}.")))
}

/// `` [`X`](path) `` and `` [`X`] `` to `` `X` ``, `[x](self)` to `x`; links to pages stay.
fn unlinked(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('[') {
        let Some((label, after)) = behind.split_once(']') else { break };
        let target = after.strip_prefix('(').and_then(|target| target.split_once(')'));
        result.push_str(before);
        match target {
            Some((target, _)) if target.starts_with("http") => {
                result.push_str(&format!("[{label}]"));
                rest = after;
            }
            Some((_, after)) => {
                result.push_str(label);
                rest = after;
            }
            None if label.starts_with('`') && label.ends_with('`') && label.len() > 1 => {
                result.push_str(label);
                rest = after;
            }
            None => {
                result.push_str(&format!("[{label}]"));
                rest = after;
            }
        }
    }
    result + rest
}
