//! The sources of all crates.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::token::{Token, tokens};

/// All crates of the repository.
#[derive(Debug)]
pub struct Workspace {
    /// By name.
    pub crates: Vec<Crate>,
}

/// One crate.
#[derive(Debug)]
pub struct Crate {
    /// The name of its folder in `crates/`.
    pub name: String,
    /// Its folder `src`.
    pub src: PathBuf,
    /// Every file in `src`, by path.
    pub files: Vec<SourceFile>,
}

/// One file of a crate's `src`.
#[derive(Debug)]
pub struct SourceFile {
    /// Its path from the crate's `src` on, with `/` between the parts.
    pub path: String,
    /// Its code without comments and tests.
    pub tokens: Vec<Token>,
    /// Lines of the whole file.
    pub num_lines: usize,
}

impl Workspace {
    /// Reads `crates/*/src` under `root`.
    ///
    /// # Errors
    ///
    /// A folder or file that cannot be read.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut crates = Vec::new();
        for folder in sorted(&root.join("crates"))? {
            let src = folder.join("src");
            if src.is_dir() {
                let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
                crates.push(Crate::read(
                    &name.unwrap_or_else(|| unreachable!("bug: a listed folder has a name")),
                    src,
                )?);
            }
        }
        Ok(Self { crates })
    }

    /// The crate with this name.
    pub fn get(&self, name: &str) -> Option<&Crate> {
        self.crates.iter().find(|member| member.name == name)
    }
}

impl Crate {
    /// Reads every `.rs` file in `src`.
    ///
    /// # Errors
    ///
    /// A folder or file that cannot be read.
    pub fn read(name: &str, src: PathBuf) -> io::Result<Self> {
        let mut files = Vec::new();
        collect(&src, &src, &mut files)?;
        Ok(Self { name: name.to_owned(), src, files })
    }

    /// The file with this path in `src`.
    pub fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }
}

fn collect(src: &Path, folder: &Path, files: &mut Vec<SourceFile>) -> io::Result<()> {
    for path in sorted(folder)? {
        if path.is_dir() {
            collect(src, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            let inner = path.strip_prefix(src).unwrap_or(&path);
            let parts: Vec<_> = inner.iter().map(|part| part.to_string_lossy()).collect();
            files.push(SourceFile {
                path: parts.join("/"),
                tokens: tokens(&text),
                num_lines: text.lines().count(),
            });
        }
    }
    Ok(())
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    Ok(paths)
}
