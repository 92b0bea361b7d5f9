//! The licences of everything that is compiled into the binaries: names, versions, and the texts that the crates come with.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::failure::Failure;
use crate::run::root;

/// The crate of both binaries.
const TOP: &str = "firebrick-cli";

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// How the names of files with licences begin, in capitals.
const FILES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE"];

/// The page: a list of packages, then each text once with those that it belongs to.
pub fn page() -> Result<String, Failure> {
    let metadata = metadata()?;
    let packages = compiled(&metadata)?;
    let mut text = "# What Firebrick is built of\n\nEvery package that is compiled into `train` and `firebrick`, with its \
        licence as the package states it; below that, the texts that the packages come with. The binaries also hold \
        Rust's standard library (MIT or Apache-2.0) and LLVM's libunwind (Apache-2.0 with LLVM exception).\n\n\
        | package | version | licence | source |\n|---|---|---|---|\n"
        .to_owned();
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without = Vec::new();
    for package in &packages {
        let (name, version) = (text_of(package, "name")?, text_of(package, "version")?);
        let licence = package["license"].as_str().or(package["license_file"].as_str());
        let licence = licence.ok_or_else(|| format!("{name} {version} states no licence"))?;
        let source = package["repository"].as_str().unwrap_or_default();
        writeln!(text, "| {name} | {version} | {licence} | {source} |")?;
        let found = licence_texts(Path::new(text_of(package, "manifest_path")?))?;
        if found.is_empty() {
            without.push(format!("{name} ({licence})"));
        }
        for licence in found {
            texts.entry(licence).or_default().push(format!("{name} {version}"));
        }
    }
    if !without.is_empty() {
        writeln!(
            text,
            "\nWithout a text of their own (<https://spdx.org/licenses/> has their licences): {}.",
            without.join(", ")
        )?;
    }
    for (licence, owners) in texts {
        writeln!(text, "\n## {}\n\n```text\n{licence}\n```", owners.join(", "))?;
    }
    Ok(text)
}

fn metadata() -> Result<Value, Failure> {
    Ok(serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--filter-platform", TARGET])?)?)
}

fn cargo(arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

/// Packages that are compiled into the binaries, ours left out, by name. `cargo tree` knows which those are; the metadata
/// also lists optional ones that no feature turns on.
fn compiled(metadata: &Value) -> Result<Vec<&Value>, Failure> {
    let tree = cargo(&[
        "tree",
        "--package",
        TOP,
        "--edges",
        "normal",
        "--target",
        TARGET,
        "--prefix",
        "none",
        "--format",
        "{p}",
    ])?;
    // `name v1.2.3`, and behind it perhaps where it comes from.
    let names: BTreeSet<(&str, &str)> = tree
        .lines()
        .filter_map(|line| line.split_once(" v"))
        .map(|(name, rest)| (name, rest.split(' ').next().unwrap_or(rest)))
        .collect();
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let is_theirs = |package: &&Value| {
        let [name, version] = ["name", "version"].map(|key| package[key].as_str().unwrap_or_default());
        package["source"].is_string() && names.contains(&(name, version))
    };
    let mut found: Vec<&Value> = packages.iter().filter(is_theirs).collect();
    found.sort_by_key(|package| (package["name"].to_string(), package["version"].to_string()));
    Ok(found)
}

fn text_of<'a>(value: &'a Value, key: &str) -> Result<&'a str, Failure> {
    value[key].as_str().ok_or_else(|| format!("cargo metadata: expected `{key}`, got {}", value[key]).into())
}

/// The texts beside a package's manifest.
fn licence_texts(manifest: &Path) -> Result<Vec<String>, Failure> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(manifest.parent().unwrap_or(manifest))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if entry.file_type()?.is_file() && FILES.iter().any(|start| name.starts_with(start)) {
            let text = String::from_utf8_lossy(&fs::read(entry.path())?).replace("\r\n", "\n");
            texts.push(text.trim().to_owned());
        }
    }
    texts.sort();
    Ok(texts)
}
