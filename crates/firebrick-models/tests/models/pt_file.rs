//! Writes what `torch.save` writes: a pickle of dictionaries, tensors and numbers in an archive whose folder is called
//! as the file, with a zip64 record behind its directory.

use std::path::Path;

/// A value as Python has it.
#[derive(Clone, Debug)]
pub enum Python {
    Int(i32),
    /// Shape and values.
    Tensor(Vec<usize>, Vec<f32>),
    Dict(Vec<(String, Python)>),
    List(Vec<Python>),
}

pub fn dict<const N: usize>(entries: [(&str, Python); N]) -> Python {
    Python::Dict(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// `torch.save(root, path)`.
pub fn save(path: &Path, root: &Python) {
    let stem = path.file_stem().unwrap().to_str().unwrap();
    std::fs::write(path, archive(stem, root)).unwrap();
}

/// The bytes of an archive whose folder is `stem`.
pub fn archive(stem: &str, root: &Python) -> Vec<u8> {
    let mut storages = Vec::new();
    let mut pickle = b"\x80\x02".to_vec();
    push(root, &mut pickle, &mut storages);
    pickle.push(b'.');
    let mut files = vec![("data.pkl".to_owned(), pickle), ("byteorder".to_owned(), b"little".to_vec())];
    files.extend(storages.into_iter().enumerate().map(|(key, bytes)| (format!("data/{key}"), bytes)));
    files.push(("version".to_owned(), b"3\n".to_vec()));
    zip(&files.into_iter().map(|(name, bytes)| (format!("{stem}/{name}"), bytes)).collect::<Vec<_>>())
}

fn push(value: &Python, pickle: &mut Vec<u8>, storages: &mut Vec<Vec<u8>>) {
    match value {
        Python::Int(number) => push_int(*number, pickle),
        Python::List(items) => {
            pickle.extend(b"](");
            items.iter().for_each(|item| push(item, pickle, storages));
            pickle.push(b'e');
        }
        Python::Dict(entries) => {
            pickle.extend(b"}(");
            for (key, value) in entries {
                push_text(key, pickle);
                push(value, pickle, storages);
            }
            pickle.push(b'u');
        }
        Python::Tensor(shape, values) => {
            pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
            push_text("storage", pickle);
            pickle.extend(b"ctorch\nFloatStorage\n");
            push_text(&storages.len().to_string(), pickle);
            push_text("cpu", pickle);
            push_int(values.len() as i32, pickle);
            pickle.extend(b"tQ");
            push_int(0, pickle);
            let strides = (0..shape.len()).map(|axis| shape[axis + 1..].iter().product::<usize>());
            push_sizes(shape.iter().copied(), pickle);
            push_sizes(strides, pickle);
            pickle.extend(b"\x89ccollections\nOrderedDict\n)RtR");
            storages.push(values.iter().flat_map(|value| value.to_le_bytes()).collect());
        }
    }
}

fn push_int(number: i32, pickle: &mut Vec<u8>) {
    pickle.push(b'J');
    pickle.extend(number.to_le_bytes());
}

fn push_text(text: &str, pickle: &mut Vec<u8>) {
    pickle.push(b'X');
    pickle.extend((text.len() as u32).to_le_bytes());
    pickle.extend(text.as_bytes());
}

fn push_sizes(sizes: impl Iterator<Item = usize>, pickle: &mut Vec<u8>) {
    pickle.push(b'(');
    sizes.for_each(|size| push_int(size as i32, pickle));
    pickle.push(b't');
}

/// Stored files without checksums, which PyTorch writes with `compute_crc32 = False`.
fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, contents) in files {
        let start = bytes.len() as u32;
        let mut header = b"\0\0\0\x08\0\0\0\0\0\0\0\0\0\0".to_vec(); // version, flag of UTF-8, stored, time, checksum
        header.extend([(contents.len() as u32).to_le_bytes(); 2].concat());
        header.extend([(name.len() as u16).to_le_bytes(), [0, 0]].concat());
        bytes.extend([b"PK\x03\x04", header.as_slice(), name.as_bytes(), contents].concat());
        directory.extend(
            [b"PK\x01\x02\0\0", header.as_slice(), &[0; 10], &start.to_le_bytes(), name.as_bytes()].concat(),
        );
    }
    let (start, size, count) = (bytes.len() as u64, directory.len() as u64, files.len() as u64);
    bytes.extend(directory);
    let record = bytes.len() as u64;
    bytes.extend(b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x1e\x03\x2d\0\0\0\0\0\0\0\0\0");
    bytes.extend([count, count, size, start].iter().flat_map(|number| number.to_le_bytes()));
    bytes.extend([b"PK\x06\x07\0\0\0\0".as_slice(), &record.to_le_bytes(), &[1, 0, 0, 0]].concat());
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([(count as u16).to_le_bytes(); 2].concat());
    bytes.extend([(size as u32).to_le_bytes(), (start as u32).to_le_bytes()].concat());
    bytes.extend([0, 0]);
    bytes
}
