//! Whether the golden tests would notice a wrong constant, weight or sign: each is changed in the source,
//! by one part in a thousand where it is a number, and the tests have to fail.
//!
//! Works in a scratch checkout of the last commit, so the sources are never touched. Changes that
//! different tests have to notice share a build.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use clap::ValueEnum;

use crate::failure::Failure;

/// Whose golden tests are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// Every loss: which cases of the golden files differ
    Loss,
    /// Optimisers, schedules, clipping, averaging, accumulation: which golden tests fail
    Train,
    /// Networks, first weights, matching of names: which golden tests fail
    Models,
}

impl Suite {
    fn owner(self) -> &'static str {
        match self {
            Self::Loss => "crates/firebrick-loss",
            Self::Train => "crates/firebrick-train",
            Self::Models => "crates/firebrick-models",
        }
    }

    fn test(self) -> &'static str {
        match self {
            Self::Loss => "cargo test --workspace --test loss -- golden_ --skip wgpu",
            Self::Train => "cargo test --workspace --test optim -- golden_",
            Self::Models => "cargo test --workspace --test models -- golden_ --skip wgpu",
        }
    }

    fn noticed_by(self) -> &'static str {
        match self {
            Self::Loss => "golden cases that differ",
            Self::Train | Self::Models => "golden tests that fail",
        }
    }

    /// What a line of the tests' output says to have noticed.
    fn noticed(self, line: &str) -> Option<&str> {
        match self {
            // `loss/case: difference`
            Self::Loss => {
                let (case, _) = line.split_once(": ")?;
                (case.contains('/') && !case.starts_with(' ')).then_some(case)
            }
            // `test module::golden_name ... FAILED`
            Self::Train | Self::Models => {
                let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
                name.rsplit("::").next()?.strip_prefix("golden_")
            }
        }
    }
}

/// One change to a source file.
struct Mutation {
    /// The loss, or the golden test, that has to notice it; with a `*` at its end any that begins so.
    group: String,
    file: String,
    /// Which of several places with this text, from 1.
    place: usize,
    was: String,
    became: String,
}

/// Makes every change of the suite's `tests/mutations.tsv` and prints the table of what noticed it.
///
/// # Errors
///
/// If a change is not noticed, or has no place in the source, or does not compile.
pub fn recipe(suite: Suite) -> Result<(), Failure> {
    let root = std::env::current_dir()?;
    let list = root.join(suite.owner()).join("tests/mutations.tsv");
    let mutations = read(&std::fs::read_to_string(list)?)?;
    let scratch = tempfile::tempdir()?;
    let tree = scratch.path().join("tree");
    git(&root, &["worktree", "add", "--quiet", "--detach"], &tree)?;
    let noticed = run_all(suite, &mutations, &tree, &root);
    git(&root, &["worktree", "remove", "--force"], &tree)?;
    let noticed = noticed?;
    println!("| file | was | became | {} |", suite.noticed_by());
    println!("|---|---|---|---|");
    for (mutation, by) in mutations.iter().zip(&noticed) {
        let Mutation { file, was, became, .. } = mutation;
        println!("| `{file}` | `{was}` | `{became}` | {by} |");
    }
    let missed = noticed.iter().filter(|by| **by == 0).count();
    println!("\n{} changes, {missed} missed.", mutations.len());
    if missed > 0 {
        return Err(format!("{missed} changes were not noticed").into());
    }
    Ok(())
}

fn read(list: &str) -> Result<Vec<Mutation>, Failure> {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [group, file, was, became] = columns[..] else {
                return Err(format!("mutations.tsv: expected four columns, got: {line}").into());
            };
            let (file, place) = match file.split_once('#') {
                Some((file, place)) => (file, place.parse()?),
                None => (file, 1),
            };
            Ok(Mutation {
                group: group.into(),
                file: file.into(),
                place,
                was: was.into(),
                became: became.into(),
            })
        })
        .collect()
}

/// How many cases or tests notice each change.
fn run_all(suite: Suite, mutations: &[Mutation], tree: &Path, root: &Path) -> Result<Vec<usize>, Failure> {
    let sources = tree.join(suite.owner()).join("src");
    // A place that is not there is found before the first build, not after the last.
    for mutation in mutations {
        changed(mutation, &sources)?;
    }
    let mut noticed = vec![0; mutations.len()];
    let builds = builds(mutations);
    for (number, build) in builds.iter().enumerate() {
        eprintln!("build {} of {}: {} changes", number + 1, builds.len(), build.len());
        let mut originals = BTreeMap::new();
        for &index in build {
            let path = sources.join(&mutations[index].file);
            let (text, changed) = changed(&mutations[index], &sources)?;
            std::fs::write(&path, changed)?;
            originals.entry(path).or_insert(text);
        }
        let failed = failed(suite, tree, root)?;
        for &index in build {
            let group = &mutations[index].group;
            let is_its = |name: &&String| {
                overlap(group, name.split_once('/').map_or(name.as_str(), |(group, _)| group))
            };
            noticed[index] = failed.iter().filter(is_its).count();
            eprintln!("  {} `{}`: {}", mutations[index].file, mutations[index].became, noticed[index]);
        }
        for (path, text) in originals {
            std::fs::write(path, text)?;
        }
    }
    Ok(noticed)
}

/// Which changes are built together: as many as no test could take for another.
fn builds(mutations: &[Mutation]) -> Vec<Vec<usize>> {
    let mut builds: Vec<Vec<usize>> = Vec::new();
    for (index, mutation) in mutations.iter().enumerate() {
        let is_free = |build: &&mut Vec<usize>| {
            build.iter().all(|other| !overlap(&mutation.group, &mutations[*other].group))
        };
        match builds.iter_mut().find(is_free) {
            Some(build) => build.push(index),
            None => builds.push(vec![index]),
        }
    }
    builds
}

/// Whether a test can belong to both groups.
fn overlap(a: &str, b: &str) -> bool {
    match (a.strip_suffix('*'), b.strip_suffix('*')) {
        (None, None) => a == b,
        (Some(start), None) => b.starts_with(start),
        (None, Some(start)) => a.starts_with(start),
        (Some(a), Some(b)) => a.starts_with(b) || b.starts_with(a),
    }
}

/// The file's text as it is and as it becomes.
fn changed(mutation: &Mutation, sources: &Path) -> Result<(String, String), Failure> {
    let text = std::fs::read_to_string(sources.join(&mutation.file))?;
    let place = text.match_indices(&mutation.was).nth(mutation.place - 1);
    let Some((start, was)) = place else {
        return Err(format!("{}: there is no `{}`", mutation.file, mutation.was).into());
    };
    let changed = [&text[..start], &mutation.became, &text[start + was.len()..]].concat();
    Ok((text, changed))
}

/// What the tests name as different or failed, once each.
fn failed(suite: Suite, tree: &Path, root: &Path) -> Result<BTreeSet<String>, Failure> {
    let output = Command::new("sh")
        .args(["-c", suite.test()])
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", root.join("target"))
        .env("RUST_BACKTRACE", "0")
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !text.contains("running ") {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the tests did not run: {errors}").into());
    }
    Ok(text.lines().filter_map(|line| suite.noticed(line)).map(str::to_owned).collect())
}

fn git(root: &Path, arguments: &[&str], tree: &Path) -> Result<(), Failure> {
    let status = Command::new("git").args(arguments).arg(tree).current_dir(root).status()?;
    if !status.success() {
        return Err(format!("git {} ended with {status}", arguments.join(" ")).into());
    }
    Ok(())
}
