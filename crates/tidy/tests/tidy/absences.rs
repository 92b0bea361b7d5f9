//! What ARCHITECTURE.md calls absent, as far as reading the sources can tell.

use tidy::{Kind, SourceFile, Token};

use super::WORKSPACE;

/// Words that stand in a few places only.
struct Absence {
    /// What the sources keep to.
    rule: &'static str,
    /// Tokens in a row, separated by blanks; any of these.
    words: &'static [&'static str],
    /// Begins of the paths where they are at home. Each has to be needed.
    only_in: &'static [&'static str],
}

const ABSENCES: &[Absence] = &[
    Absence {
        rule: "unsafe code is in the kernels alone",
        words: &["unsafe"],
        only_in: &["firebrick-kernels/"],
    },
    Absence {
        rule: "nothing prints but through the command line's own functions; the recipes print their tables",
        words: &["println !", "print !", "eprintln !", "eprint !", "dbg !", "io :: stdout", "io :: stderr"],
        only_in: &["firebrick-cli/src/", "xtask/src/"],
    },
    Absence {
        rule: "clap, indicatif, miette and signal-hook are in the binaries alone",
        words: &["clap", "indicatif", "miette", "signal_hook"],
        only_in: &["firebrick-cli/src/", "xtask/src/"],
    },
    Absence {
        rule: "nobody ends the process, installs a panic hook or a logger, or changes the environment",
        words: &[
            "process :: exit",
            "process :: abort",
            "set_hook",
            "set_logger",
            "set_global_default",
            "set_var",
        ],
        only_in: &[],
    },
    Absence {
        rule: "Burn's own generators and the system's randomness are not used: random choices are functions of the seed",
        words: &["thread_rng", "StdRng", "SmallRng", "from_os_rng", "rand :: rng", "rand :: random", "OsRng"],
        only_in: &[],
    },
    Absence {
        rule: "nothing keys on Burn's random ParamId: parameters go by path",
        words: &["ParamId"],
        // Where a tensor becomes a parameter, it has to have one.
        only_in: &["firebrick-models/src/layer/running.rs", "firebrick-train/src/optimizer/update.rs"],
    },
    Absence { rule: "no model shares state with its clone", words: &["RunningState"], only_in: &[] },
    Absence {
        rule: "what changes a run's files goes through storage/operation.rs",
        words: &[
            "fs :: write",
            "fs :: rename",
            "fs :: copy",
            "fs :: remove_file",
            "fs :: remove_dir",
            "fs :: remove_dir_all",
            "fs :: create_dir",
            "fs :: create_dir_all",
            "File :: create",
            "create_new",
            "OpenOptions",
        ],
        only_in: &[
            "firebrick-storage/src/operation.rs",
            // The lock file is nobody's data; a file that exists is opened to be appended to or flushed.
            "firebrick-storage/src/lock.rs",
            "firebrick-storage/src/append.rs",
            "firebrick-storage/src/folder.rs",
            // Not a run's files: data sets that are fetched, pictures and charts that were asked for, recipes.
            "firebrick-data/src/download",
            "firebrick-cli/src/command/",
            "xtask/src/",
        ],
    },
    Absence {
        rule: "which thread calls the kernels, and what becomes of freed memory, is settled in train/backend.rs",
        words: &[
            "join_kernel_threads",
            "near_kernels",
            "with_spinning_worker",
            "keep_freed_memory",
            "firebrick_kernels :: threads",
        ],
        only_in: &[
            "firebrick-kernels/",
            "firebrick-train/src/backend",
            // It measures kernels by themselves.
            "xtask/src/bench_kernels.rs",
        ],
    },
    Absence {
        rule: "which kernel runs is decided in the kernels: others call the functions of functional.rs",
        words: &["firebrick_kernels :: cpu", "KERNELS_VARIABLE"],
        only_in: &["firebrick-kernels/", "xtask/src/bench_kernels.rs"],
    },
    Absence {
        rule: "Burn's devices and backends are named in train/backend.rs and kernels/backend/ alone",
        words: &[
            "Device :: flex",
            "Device :: ndarray",
            "Device :: wgpu",
            "Device :: cuda",
            "Device :: vulkan",
            "Device :: metal",
            "Device :: rocm",
            "Device :: cpu",
            "Device :: enumerate",
            "DeviceType",
            "DispatchDevice",
        ],
        only_in: &["firebrick-kernels/src/backend/", "firebrick-train/src/backend"],
    },
];

#[test]
fn what_is_absent_stays_absent() {
    let mut wrong = Vec::new();
    for absence in ABSENCES {
        let places = places(absence.words, |_| true);
        let is_allowed = |place: &str| absence.only_in.iter().any(|start| place.starts_with(start));
        for (path, line, word) in &places {
            if !is_allowed(path) {
                wrong.push(format!("crates/{path}:{line}: `{word}`: {}", absence.rule));
            }
        }
        for start in absence.only_in {
            if !places.iter().any(|(path, ..)| path.starts_with(start)) {
                wrong.push(format!("crates/{start} does not need its exception: {}", absence.rule));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn burn_is_named_in_one_file_of_the_data_crate() {
    let places = places(&["burn ::"], |path| path.starts_with("firebrick-data/"));
    let wrong: Vec<_> = places.iter().filter(|(path, ..)| path != "firebrick-data/src/batch.rs").collect();
    assert!(wrong.is_empty() && !places.is_empty(), "{wrong:?}");
}

/// They lose the place of an error.
#[test]
fn no_tagged_enum_is_read() {
    let mut wrong = Vec::new();
    for member in &WORKSPACE.crates {
        // Its macro writes with a tag, and reads by itself.
        for file in member.files.iter().filter(|_| member.name != "firebrick-component") {
            let path = format!("{}/src/{}", member.name, file.path);
            wrong.extend(tagged_and_read(file).iter().map(|line| format!("crates/{path}:{line}")));
        }
    }
    assert!(wrong.is_empty(), "make these a family, with `components!`:\n{}", wrong.join("\n"));
}

/// The lines of `#[serde(tag = ..)]` whose item derives `Deserialize`.
fn tagged_and_read(file: &SourceFile) -> Vec<usize> {
    let mut lines = Vec::new();
    let (mut is_read, mut tag) = (false, None);
    let mut tokens = file.tokens.as_slice();
    while let [first, rest @ ..] = tokens {
        if first.is("#") && rest.first().is_some_and(|token| token.is("[")) {
            let end = rest.iter().position(|token| token.is("]")).unwrap_or(rest.len());
            let has = |word: &str| rest[..end].iter().any(|token| token.is(word));
            is_read |= has("derive") && has("Deserialize");
            if has("serde") && has("tag") {
                tag = Some(first.line);
            }
            tokens = &rest[end..];
        } else {
            if first.is("enum") || first.is("struct") {
                lines.extend(tag.filter(|_| is_read));
                (is_read, tag) = (false, None);
            }
            tokens = rest;
        }
    }
    lines
}

/// Where any of `words` stands, in the files that `of` wants: path from `crates/` on, line, word.
fn places(words: &[&'static str], of: impl Fn(&str) -> bool) -> Vec<(String, usize, &'static str)> {
    let mut places = Vec::new();
    for member in &WORKSPACE.crates {
        for file in &member.files {
            let path = format!("{}/src/{}", member.name, file.path);
            if !of(&path) {
                continue;
            }
            for word in words {
                let lines = lines_of(&file.tokens, word);
                places.extend(lines.into_iter().map(|line| (path.clone(), line, *word)));
            }
        }
    }
    places
}

fn lines_of(tokens: &[Token], words: &str) -> Vec<usize> {
    let words: Vec<&str> = words.split(' ').collect();
    let found = tokens.windows(words.len()).filter(|window| {
        window.iter().zip(&words).all(|(token, word)| token.kind != Kind::Literal && token.text == *word)
    });
    found.map(|window| window[0].line).collect()
}
