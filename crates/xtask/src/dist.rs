//! `cargo xtask dist`: one archive for people without Rust.
//!
//! It holds both binaries, configs, docs, man pages, shell completions and the licences of everything that was compiled in;
//! a Dockerfile and the checksums lie beside it. The binaries are linked by zig against an old glibc (`binaries.rs`), so
//! that they run on any x86-64 Linux of the last ten years.

mod archive;
mod binaries;
mod licences;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;
use crate::run::root;

/// How the archive is made.
#[derive(Debug, Args)]
pub struct DistArguments {
    /// Folder for the archive
    #[arg(long, value_name = "DIR", default_value = "target/dist")]
    out: PathBuf,

    /// Profile that the binaries are built with
    #[arg(long, value_name = "NAME", default_value = "release", conflicts_with = "binaries")]
    profile: String,

    /// Pack the binaries in this folder instead of building them
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,

    /// Command that runs zig [default: zig, otherwise python3 -m ziglang]
    #[arg(long, value_name = "COMMAND", conflicts_with = "binaries")]
    zig: Option<String>,

    /// Newest glibc that the binaries may need
    #[arg(long, value_name = "VERSION", default_value = "2.17")]
    glibc: binaries::Glibc,
}

/// The largest archive that is worth a download.
const MAX_BYTES: u64 = 120_000_000;

/// Folders that the archive takes over as they are.
const FOLDERS: [&str; 3] = ["configs", "docs", "examples/pytorch"];

/// Files that the archive takes over as they are.
const FILES: [&str; 7] = [
    "README.md",
    "README.zh-CN.md",
    "CHANGELOG.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "data/README.md",
    "crates/firebrick-loss/README.md",
];

/// Makes the archive, its checksum and the Dockerfile.
pub fn recipe(arguments: &DistArguments) -> Result<(), Failure> {
    let built = match &arguments.binaries {
        Some(folder) => folder.clone(),
        None => binaries::build(&arguments.profile, arguments.zig.as_deref(), arguments.glibc)?,
    };
    let name = format!("firebrick-{}-x86_64-linux", env!("CARGO_PKG_VERSION"));
    let out = root().join(&arguments.out);
    let folder = out.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    for binary in binaries::NAMES {
        binaries::pack(&built.join(binary), &folder.join("bin").join(binary), arguments.glibc)?;
    }
    copies(&folder)?;
    manuals(&folder)?;
    fs::write(folder.join("THIRD-PARTY.md"), licences::page()?)?;
    fs::write(folder.join("INSTALL.md"), install(arguments.glibc))?;
    archive::checksums(&folder)?;
    let archive = archive::pack(&folder, &out.join(format!("{name}.tar.gz")))?;
    fs::write(out.join("Dockerfile"), dockerfile(&name))?;
    let bytes = fs::metadata(&archive)?.len();
    println!("{} {bytes} bytes", archive.display());
    if bytes > MAX_BYTES {
        return Err(format!("expected an archive of {MAX_BYTES} bytes at most").into());
    }
    Ok(())
}

fn copies(folder: &Path) -> Result<(), Failure> {
    for name in FOLDERS {
        archive::copy_folder(&root().join(name), &folder.join(name))?;
    }
    for name in FILES {
        archive::copy(&root().join(name), &folder.join(name))?;
    }
    Ok(())
}

/// Man pages and completions of both binaries, from the command lines themselves.
fn manuals(folder: &Path) -> Result<(), Failure> {
    let man = folder.join("share/man/man1");
    let completions = folder.join("share/completions");
    fs::create_dir_all(&man)?;
    fs::create_dir_all(&completions)?;
    for mut command in firebrick_cli::command_lines() {
        let name = command.get_name().to_owned();
        for shell in [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish] {
            clap_complete::generate_to(shell, &mut command, &name, &completions)?;
        }
        clap_mangen::generate_to(command, &man)?;
    }
    // clap gives the subcommand `help` a page for each of the others once more.
    for entry in fs::read_dir(&man)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().contains("-help")) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn install(glibc: binaries::Glibc) -> String {
    format!(
        "# Firebrick without Rust

This folder is the whole program: it needs no installation. `bin/train` trains a first network, in seconds, on data that is
inside of it; README.md goes on from there (leave out what it says about cargo).

- It runs on x86-64 Linux with glibc {glibc} or newer. On an older system the loader says
  `version 'GLIBC_{glibc}' not found`; on one without glibc, such as Alpine, the shell says `not found`: take a container
  (the Dockerfile beside the archive), or build from source.
- It uses AVX-512 or AVX2 where the processor has them; none of them is needed.
- A GPU is used through Vulkan (`bin/firebrick devices` says what is found), which comes with the GPU's driver. The backends
  cuda and rocm are not inside: they are built from source, `--features cuda`.
- To have both commands everywhere: `export PATH=\"$PWD/bin:$PATH\" MANPATH=\"$PWD/share/man:\"`. For completion, source
  `share/completions/train.bash` and `firebrick.bash`; for zsh put `_train` and `_firebrick` into a folder of `$fpath`; for
  fish copy `train.fish` and `firebrick.fish` to `~/.config/fish/completions`.
- `sha256sum --check SHA256SUMS` checks every file. THIRD-PARTY.md has the licences of what was compiled in.
"
    )
}

fn dockerfile(name: &str) -> String {
    format!(
        "# docker build -t firebrick .
# docker run --rm --user \"$(id -u):$(id -g)\" -v \"$PWD:/work\" firebrick train --config my.toml
FROM debian:stable-slim
ADD {name}.tar.gz /opt
RUN ln -s /opt/{name}/bin/train /opt/{name}/bin/firebrick /usr/local/bin/
# Published weights that were fetched lie beside the runs, so that the next container has them.
ENV FIREBRICK_CACHE=/work/.firebrick-cache
WORKDIR /work
CMD [\"train\"]
"
    )
}
