//! Every command block of README and docs, run as it stands in a folder with stand-ins for a user's own files.
//!
//! A block marked `sh` must succeed. A block marked `console` shows commands behind `$ ` and what they print: each line of
//! that must be among what the command prints, where `...` stands for anything. A block is passed over only when the line
//! in front of it gives a reason, `<!-- not run: reason -->`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::fixtures::{edit, png};
use super::sandbox::{Ended, Sandbox, TINY};

const MARK: &str = "<!-- not run: ";

struct Block {
    is_console: bool,
    text: String,
    place: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The blocks of a page that are to be run.
fn blocks(name: &str) -> Vec<Block> {
    let text = std::fs::read_to_string(root().join(name)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mut blocks = Vec::new();
    let mut number = 0;
    while number < lines.len() {
        let kind = lines[number].strip_prefix("```");
        number += 1;
        let Some(kind) = kind else { continue };
        let length = lines[number..].iter().position(|line| *line == "```").unwrap();
        let body = lines[number..number + length].join("\n");
        let before = number.checked_sub(2).map_or("", |before| lines[before]);
        let reason = before.strip_prefix(MARK).and_then(|rest| rest.strip_suffix(" -->"));
        assert!(
            !before.starts_with(MARK) || reason.is_some_and(|reason| reason.len() > 10),
            "{name}:{number}"
        );
        if ["sh", "console"].contains(&kind) && reason.is_none() {
            blocks.push(Block {
                is_console: kind == "console",
                text: body,
                place: format!("{name}:{number}"),
            });
        }
        number += length + 1;
    }
    blocks
}

/// What a reader has: the configs, a config of his own, photos of two classes, and a finished run.
fn prepared() -> Sandbox {
    let sandbox = Sandbox::new();
    for entry in std::fs::read_dir(root().join("configs")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let short: Vec<&str> = text
            .lines()
            .map(|line| if line.starts_with("epochs = ") { "epochs = 1" } else { line })
            .collect();
        sandbox.write(&format!("configs/{}", path.file_name().unwrap().display()), short.join("\n"));
    }
    sandbox.write("my.toml", TINY);
    for (split, count) in [("train", 4_u8), ("val", 2), ("test", 2)] {
        for (class, name) in ["cat", "dog"].iter().enumerate() {
            for number in 0..count {
                sandbox.write(&format!("pets/{split}/{name}/{number}.png"), png(class as u8 * 100 + number));
            }
        }
    }
    sandbox.write("photo.jpg", png(7));
    sandbox.write("only-train/train/cat/1.png", png(1));
    sandbox.write("with-notes/train/cat/notes.txt", "hello");
    sandbox.write("with-notes/test/cat/1.png", png(1));
    sandbox.train(&["--config", "my.toml", "--run-dir", "runs/my-001", "--quiet"]).succeeds();
    sandbox
        .train(&[
            "--config",
            "my.toml",
            "--run-dir",
            "runs/damaged",
            "--quiet",
            "--set",
            "trainer.max_steps=2",
        ])
        .succeeds();
    edit(&sandbox, "runs/damaged/checkpoints/step-000000002/model.bpk", |bytes| bytes[100] ^= 1);
    sandbox
}

/// A shell that finds our binaries; what is written for cargo runs them, too.
fn shell(sandbox: &Sandbox, script: &str) -> Ended {
    let script = ["train", "firebrick"].iter().fold(script.to_owned(), |script, name| {
        script.replace(&format!("cargo run --bin {name} -- "), &format!("{name} "))
    });
    let binaries = Path::new(env!("CARGO_BIN_EXE_train")).parent().unwrap();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let paths =
        std::env::join_paths(std::iter::once(binaries.to_path_buf()).chain(std::env::split_paths(&paths)));
    let mut command: Command = sandbox.command("sh");
    // Nothing is fetched in a test: where weights would be, a run begins without them.
    command.env("PATH", paths.unwrap()).env("FIREBRICK_OFFLINE", "1");
    sandbox.run(&mut command, &["-euc", &script])
}

/// Runs the commands of a console block one by one and looks for what they are said to print.
fn run_console(sandbox: &Sandbox, block: &Block) {
    for part in block.text.split("$ ").skip(1) {
        let (command, expected) = part.split_once('\n').unwrap_or((part, ""));
        let ended = shell(sandbox, command);
        let printed = format!("{}{}", ended.stdout, ended.stderr);
        for line in expected.lines() {
            let mut rest = printed.as_str();
            for piece in line.split("...") {
                let found = rest.split_once(piece).map(|(_, behind)| behind);
                rest = found
                    .unwrap_or_else(|| panic!("{}: {command}\nsays no `{line}` but\n{printed}", block.place));
            }
        }
    }
}

#[cfg(unix)]
fn run_page(name: &str) {
    let sandbox = prepared();
    for block in blocks(name) {
        if block.is_console {
            run_console(&sandbox, &block);
        } else {
            let ended = shell(&sandbox, &block.text);
            assert_eq!(ended.code, Some(0), "{}: {ended:#?}", block.place);
        }
    }
}

#[cfg(unix)]
#[test]
fn the_commands_of_the_readmes_work() {
    assert!(blocks("README.md").len() >= 2);
    run_page("README.md");
    run_page("README.zh-CN.md");
}

#[cfg(unix)]
#[test]
fn the_commands_of_the_docs_work_and_say_what_is_written_there() {
    assert!(blocks("docs/troubleshooting.md").len() >= 10);
    let mut pages: Vec<String> = std::fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    pages.extend(["data/README.md".to_owned(), "crates/firebrick-loss/README.md".to_owned()]);
    for page in pages.iter().filter(|page| !blocks(page).is_empty()) {
        run_page(page);
    }
}

#[test]
fn the_readme_has_200_lines_at_most() {
    for name in ["README.md", "README.zh-CN.md"] {
        let lines = std::fs::read_to_string(root().join(name)).unwrap().lines().count();
        assert!(lines <= 200, "{name}: {lines} lines");
    }
}
