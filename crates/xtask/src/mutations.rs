//! Whether the golden tests of the losses would notice a wrong constant, weight or sign: each is changed
//! in the source, by one part in a thousand where it is a number, and the tests have to fail.
//!
//! Works in a scratch checkout of the last commit, so the sources are never touched. Changes to
//! different losses share a build; a change to what several losses use has one of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use crate::Failure;

const LIST: &str = "crates/firebrick-loss/tests/mutations.tsv";
const SOURCES: &str = "crates/firebrick-loss/src";
const TEST: &str = "cargo test --workspace --test loss -- golden_ --skip wgpu";

/// One change to a source file.
struct Mutation {
    /// The loss it belongs to, `*` if it is part of several.
    loss: String,
    file: String,
    /// Which of several places with this text, from 1.
    place: usize,
    was: String,
    became: String,
}

/// Makes every change of the list and prints the table of what noticed it.
///
/// `test` replaces the command, which runs in the checkout and prints `loss/case: difference` lines.
///
/// # Errors
///
/// If a change is not noticed, or has no place in the source, or does not compile.
pub fn recipe(test: Option<&str>) -> Result<(), Failure> {
    let root = std::env::current_dir()?;
    let mutations = read(&std::fs::read_to_string(root.join(LIST))?)?;
    let scratch = tempfile::tempdir()?;
    let tree = scratch.path().join("tree");
    git(&root, &["worktree", "add", "--quiet", "--detach"], &tree)?;
    let noticed = run_all(&mutations, &tree, &root, test.unwrap_or(TEST));
    git(&root, &["worktree", "remove", "--force"], &tree)?;
    let noticed = noticed?;
    println!("| file | was | became | golden cases that differ |");
    println!("|---|---|---|---|");
    for (mutation, cases) in mutations.iter().zip(&noticed) {
        let Mutation { file, was, became, .. } = mutation;
        println!("| `{file}` | `{was}` | `{became}` | {cases} |");
    }
    let missed = noticed.iter().filter(|cases| **cases == 0).count();
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
            let [loss, file, was, became] = columns[..] else {
                return Err(format!("{LIST}: expected four columns, got: {line}").into());
            };
            let (file, place) = match file.split_once('#') {
                Some((file, place)) => (file, place.parse()?),
                None => (file, 1),
            };
            Ok(Mutation {
                loss: loss.into(),
                file: file.into(),
                place,
                was: was.into(),
                became: became.into(),
            })
        })
        .collect()
}

/// How many cases notice each change.
fn run_all(mutations: &[Mutation], tree: &Path, root: &Path, test: &str) -> Result<Vec<usize>, Failure> {
    let mut noticed = vec![0; mutations.len()];
    let builds = builds(mutations);
    for (number, build) in builds.iter().enumerate() {
        eprintln!("build {} of {}: {} changes", number + 1, builds.len(), build.len());
        let mut originals = BTreeMap::new();
        for &index in build {
            change(&mutations[index], tree, &mut originals)?;
        }
        let failed = failed_cases(tree, root, test)?;
        for &index in build {
            let loss = &mutations[index].loss;
            let is_its = |case: &&String| loss == "*" || case.split('/').next() == Some(loss);
            noticed[index] = failed.iter().filter(is_its).count();
        }
        for (path, text) in originals {
            std::fs::write(path, text)?;
        }
    }
    Ok(noticed)
}

/// Which changes are built together: the n-th of each loss in one build, shared code alone.
fn builds(mutations: &[Mutation]) -> Vec<Vec<usize>> {
    let mut shared: Vec<Vec<usize>> = Vec::new();
    let mut alone = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, mutation) in mutations.iter().enumerate() {
        if mutation.loss == "*" {
            alone.push(vec![index]);
            continue;
        }
        let turn = seen.entry(&mutation.loss).or_default();
        if shared.len() == *turn {
            shared.push(Vec::new());
        }
        shared[*turn].push(index);
        *turn += 1;
    }
    shared.extend(alone);
    shared
}

fn change(
    mutation: &Mutation,
    tree: &Path,
    originals: &mut BTreeMap<std::path::PathBuf, String>,
) -> Result<(), Failure> {
    let path = tree.join(SOURCES).join(&mutation.file);
    let text = std::fs::read_to_string(&path)?;
    let place = text.match_indices(&mutation.was).nth(mutation.place - 1);
    let Some((start, was)) = place else {
        return Err(format!("{}: there is no `{}`", mutation.file, mutation.was).into());
    };
    let changed = [&text[..start], &mutation.became, &text[start + was.len()..]].concat();
    std::fs::write(&path, changed)?;
    originals.entry(path).or_insert(text);
    Ok(())
}

/// The golden cases that the tests name as different, once each.
fn failed_cases(tree: &Path, root: &Path, test: &str) -> Result<BTreeSet<String>, Failure> {
    let output = Command::new("sh")
        .args(["-c", test])
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", root.join("target"))
        .env("RUST_BACKTRACE", "0")
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !text.contains("running ") {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the tests did not run: {errors}").into());
    }
    let cases = text.lines().filter_map(|line| line.split_once(": ")).map(|(case, _)| case);
    Ok(cases.filter(|case| case.contains('/') && !case.starts_with(' ')).map(str::to_owned).collect())
}

fn git(root: &Path, arguments: &[&str], tree: &Path) -> Result<(), Failure> {
    let status = Command::new("git").args(arguments).arg(tree).current_dir(root).status()?;
    if !status.success() {
        return Err(format!("git {} ended with {status}", arguments.join(" ")).into());
    }
    Ok(())
}
