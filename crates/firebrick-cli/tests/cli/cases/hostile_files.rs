//! Sparse files of 10 GB, files that unpack to as much, and archives in archives: as weights and as data they are refused
//! with less than 400 MB of memory.

#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

use super::case_11_huge_image::deep_png;
use crate::cli::fixtures;
use crate::cli::sandbox::{Ended, Sandbox, TINY};

const TEN_GB: u64 = 10 << 30;
const LIMIT_MIB: u64 = 400;

/// How a binary ended, and the most memory that it held, in MiB: the last value that the system gave before its end.
pub fn peak_of(sandbox: &Sandbox, binary: &str, arguments: &[&str]) -> (Ended, u64) {
    let mut command: Command = sandbox.command(binary);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
        peak_kib = peak_kib.max(kib.unwrap_or(0));
        std::thread::yield_now();
    }
    assert!(peak_kib > 0, "{status} told nothing");
    (Ended::of(child.wait_with_output().unwrap()), peak_kib >> 10)
}

/// Runs `train` on a hostile file: refused with this code, the file named, nothing begun, little memory.
#[track_caller]
fn refused(sandbox: &Sandbox, code: i32, name: &str, set: &[String]) {
    let mut arguments = vec!["--config", "tiny.toml", "--run-dir", "run", "--quiet"];
    set.iter().for_each(|assignment| arguments.extend(["--set", assignment.as_str()]));
    let (ended, peak_mib) = peak_of(sandbox, env!("CARGO_BIN_EXE_train"), &arguments);
    let ended = ended.ends_with(code);
    assert!(ended.stderr.contains(name), "no `{name}`: {ended:#?}");
    assert!(peak_mib < LIMIT_MIB, "{name}: {peak_mib} MiB");
    assert!(!sandbox.path("run").exists());
}

fn refused_weights(name: &str, write: impl FnOnce(File)) {
    let sandbox = Sandbox::with_tiny_config();
    write(File::create(sandbox.path(name)).unwrap());
    refused(&sandbox, 2, name, &[format!("model.weights={name}")]);
}

/// A file that begins with `start` and goes on with zeros that take no room on the disk.
fn sparse(start: &[u8]) -> impl FnOnce(File) {
    let start = start.to_vec();
    move |mut file| {
        file.write_all(&start).unwrap();
        file.set_len(TEN_GB).unwrap();
    }
}

fn whole(bytes: Vec<u8>) -> impl FnOnce(File) {
    move |mut file| file.write_all(&bytes).unwrap()
}

#[test]
fn sparse_files_as_weights() {
    for name in ["zeros.pt", "zeros.safetensors", "zeros.bpk", "zeros.ckpt"] {
        refused_weights(name, sparse(b""));
    }
    refused_weights("zip.pt", sparse(b"PK\x03\x04"));
    refused_weights("pickle.pt", sparse(b"\x80\x02}q\0"));
    let magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
    refused_weights("stream.pt", sparse(magic));
    refused_weights("pack.bpk", sparse(b"NRUB\x01\0\xff\xff\x3f\x06"));
    let mut tar = b"storages".to_vec();
    tar.resize(257, 0);
    refused_weights("old.pt", sparse(&[tar.as_slice(), b"ustar"].concat()));
}

#[test]
fn a_header_that_describes_ten_gigabytes() {
    let json = format!(
        r#"{{"conv1.weight":{{"dtype":"F32","shape":[{0}],"data_offsets":[0,{1}]}}}}"#,
        TEN_GB / 4,
        TEN_GB
    );
    refused_weights("long.safetensors", move |mut file| {
        file.write_all(&(json.len() as u64).to_le_bytes()).unwrap();
        file.write_all(json.as_bytes()).unwrap();
        file.set_len(8 + json.len() as u64 + TEN_GB).unwrap();
    });
    // A header of 16 MiB that is all names.
    let entries =
        (0..230_000).map(|n| format!(r#""{n:06}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#));
    let json = format!("{{{}}}", entries.collect::<Vec<_>>().join(","));
    refused_weights(
        "names.safetensors",
        whole([&(json.len() as u64).to_le_bytes(), json.as_bytes()].concat()),
    );
}

/// A zip archive of one deflated file that claims to unpack to `claimed` bytes.
fn zip(name: &str, contents: impl Read, claimed: u32) -> Vec<u8> {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::fast());
    std::io::copy(&mut { contents }, &mut packed).unwrap();
    let packed = packed.finish().unwrap();
    let mut header = b"\x14\0\0\x08\x08\0\0\0\0\0\0\0\0\0".to_vec();
    header.extend([(packed.len() as u32).to_le_bytes(), claimed.to_le_bytes()].concat());
    header.extend([(name.len() as u16).to_le_bytes(), [0, 0]].concat());
    let mut bytes = [b"PK\x03\x04", header.as_slice(), name.as_bytes(), &packed].concat();
    let start = bytes.len() as u32;
    bytes.extend([b"PK\x01\x02\x14\0", header.as_slice(), &[0; 14], name.as_bytes()].concat());
    let size = bytes.len() as u32 - start;
    bytes.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    bytes.extend([size.to_le_bytes(), start.to_le_bytes()].concat());
    bytes.extend([0, 0]);
    bytes
}

#[test]
fn zip_bombs_as_weights() {
    let zeros = || std::io::repeat(0).take(1 << 30);
    refused_weights("bomb.pt", whole(zip("bomb/data.pkl", zeros(), 1 << 30)));
    refused_weights("liar.pt", whole(zip("liar/data.pkl", zeros(), 1000)));
    let lists = || std::io::repeat(b']').take(16 << 20);
    refused_weights("lists.pt", whole(zip("lists/data.pkl", lists(), 16 << 20)));
    refused_weights(
        "more_than_it_says.pt",
        whole(zip("x/data.pkl", std::io::repeat(b']').take(64 << 20), 100)),
    );
}

#[test]
fn pickles_that_ask_for_memory() {
    refused_weights("lists.pt", whole(b"]".repeat(15 << 20)));
    // As many values as are read at all, each of them twice: on the stack and in the memo.
    let mut memo = b"\x80\x02".to_vec();
    (0..249_990_u32).for_each(|number| {
        memo.extend(b"]r");
        memo.extend(number.to_le_bytes());
    });
    memo.push(b'.');
    refused_weights("memo.pt", whole(memo));
    let mut values = b"\x80\x02](".to_vec();
    values.extend(b"]".repeat(499_990));
    values.extend(b"e.");
    refused_weights("values.pt", whole(values));
    let mut keys = b"\x80\x02}(".to_vec();
    (0..249_990).for_each(|number| keys.extend(format!("U\x08{number:08}N").bytes()));
    keys.extend(b"u.");
    refused_weights("keys.pt", whole(keys));
    // A text of nearly the whole length, put into the memo again and again.
    let mut text = b"\x80\x02X\0\0\xe0\0".to_vec();
    text.extend(vec![b'a'; 0xe0 << 16]);
    text.extend(b"q\0h\0h\0h\0h\0h\0h\0h\0.");
    refused_weights("text.pt", whole(text));
}

#[test]
fn archives_in_archives_as_weights() {
    let inner = zip("inner/data.pkl", b"}.".as_slice(), 2);
    let length = inner.len() as u32;
    refused_weights("outer.pt", whole(zip("inner.pt", inner.as_slice(), length)));
    refused_weights("packed.pt", whole(gzip(&inner, 1)));
    refused_weights("packed.ckpt", whole(gzip(&[0; 1 << 20], 640)));
}

/// `part` again and again, packed.
fn gzip(part: &[u8], times: usize) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(part).unwrap();
    packed.finish().unwrap().repeat(times)
}

/// `train` on a hostile file of a data set below `data`.
fn refused_data(dataset: &str, name: &str, prepare: impl FnOnce(&Sandbox), write: impl FnOnce(File)) {
    let sandbox = Sandbox::new();
    sandbox.write("tiny.toml", TINY);
    prepare(&sandbox);
    let path = sandbox.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    write(File::create(path).unwrap());
    let file = name.rsplit('/').next().unwrap();
    refused(&sandbox, 3, file, &[format!("data.dataset={dataset}"), "model.num_classes=10".to_owned()]);
}

const IDX_IMAGES: &str = "data/mnist/train-images-idx3-ubyte";

#[test]
fn idx_files_of_ten_gigabytes() {
    let header = |count: u32| [0x0803, count, 28, 28].map(u32::to_be_bytes).concat();
    refused_data("mnist", IDX_IMAGES, fixtures::mnist, sparse(b""));
    refused_data("mnist", IDX_IMAGES, fixtures::mnist, sparse(&header(13_695_682)));
    let remove = |sandbox: &Sandbox| {
        fixtures::mnist(sandbox);
        std::fs::remove_file(sandbox.path(IDX_IMAGES)).unwrap();
    };
    let packed = format!("{IDX_IMAGES}.gz");
    refused_data("mnist", &packed, remove, whole(gzip(&[0; 16 << 20], 640)));
    let bomb = [gzip(&header(13_695_682), 1), gzip(&[0; 16 << 20], 640)].concat();
    refused_data("mnist", &packed, remove, whole(bomb));
    refused_data("mnist", &packed, remove, whole(gzip(&gzip(&[0; 1 << 20], 1), 1)));
}

#[test]
fn cifar_files_of_ten_gigabytes() {
    refused_data("cifar10", "data/cifar-10-batches-bin/data_batch_3.bin", fixtures::cifar10, sparse(b""));
    let nothing = |_: &Sandbox| {};
    // A header of tar, and zeros behind it.
    let member = |size: u64| {
        let mut header = b"cifar-10-batches-bin/data_batch_1.bin".to_vec();
        header.resize(512, 0);
        header[124..136].copy_from_slice(format!("{size:011o} ").as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        header
    };
    for size in [0, 30_730_000, (8 << 30) - 1] {
        let bomb = [gzip(&member(size), 1), gzip(&[0; 16 << 20], 640)].concat();
        refused_data("cifar10", "data/cifar-10-binary.tar.gz", nothing, whole(bomb));
    }
    let nested = gzip(&gzip(&member(10), 1), 1);
    refused_data("cifar10", "data/cifar-10-binary.tar.gz", nothing, whole(nested));
}

#[test]
fn image_files_of_ten_gigabytes() {
    let pets = |write: Box<dyn FnOnce(File)>| {
        let sandbox = Sandbox::with_tiny_config();
        fixtures::image_folder(&sandbox);
        write(File::create(sandbox.path("data/pets/train/cat/9.png")).unwrap());
        let set =
            ["data.dataset=image_folder", "data.root=data/pets", "model.num_classes=2", "data.limit={}"];
        for on_bad_image in ["stop", "skip"] {
            let switch = format!("data.on_bad_image={on_bad_image}");
            let set: Vec<String> = set.iter().map(|text| (*text).to_owned()).chain([switch]).collect();
            if on_bad_image == "stop" {
                refused(&sandbox, 3, "train/cat/9.png", &set);
            } else {
                let arguments: Vec<&str> = ["--config", "tiny.toml"]
                    .into_iter()
                    .chain(set.iter().flat_map(|text| ["--set", text]))
                    .collect();
                let (ended, peak_mib) = peak_of(&sandbox, env!("CARGO_BIN_EXE_train"), &arguments);
                assert!(ended.succeeds().stderr.contains("left out 1 of 13 images"));
                assert!(peak_mib < LIMIT_MIB, "{peak_mib} MiB");
            }
        }
    };
    pets(Box::new(sparse(b"\x89PNG\r\n\x1a\n")));
    pets(Box::new(sparse(b"P6 8 8 255\n")));
    pets(Box::new(whole(deep_png(16_384, 16_384))));
    pets(Box::new(whole(zip("1.png", fixtures::png(7).as_slice(), 100))));
}
