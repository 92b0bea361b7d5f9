//! MNIST's IDX files, plain or gzipped: a magic number that names the element type and the number of
//! axes, the axes' lengths, then the elements. The header is a promise: it is compared with what the
//! file holds before memory is given to it.
//!
//! # Source
//! LeCun, Cortes, Burges, "The MNIST database of handwritten digits"; the format is described at
//! <http://yann.lecun.com/exdb/mnist/>.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use firebrick_component::text;
use firebrick_storage::{
    Sha256Hasher, StorageError, gunzip_bounded, gunzip_prefix, read_bounded, read_prefix,
};

use super::interface::{OpenRequest, SharedDataset, Source, Wanted, check_cancelled, owned};
use super::records::{Part, Records};
use crate::bad_image::SkippedImages;
use crate::download::{Checksum, RemoteFile, RemoteFiles};
use crate::error::DataError;
use crate::shape::InputShape;

/// The most bytes of one unpacked file; EMNIST's largest has 547 MB.
const MAX_FILE_BYTES: u64 = 1 << 30;
/// The largest width or height of an image.
const MAX_SIDE: usize = 4096;
/// `u8` elements on 3 axes: images, rows, columns.
const IMAGES_MAGIC: u32 = 0x0803;
/// `u8` elements on 1 axis.
const LABELS_MAGIC: u32 = 0x0801;

/// What distinguishes the data sets that come as IDX files.
#[derive(Debug)]
pub(super) struct Variant {
    /// The data set's name as the config spells it.
    pub(super) name: &'static str,
    /// Folders under `data.root` in which its files may lie, the most telling first.
    pub(super) folders: &'static [&'static str],
    /// Class names.
    pub(super) class_names: &'static [&'static str],
    /// The address of the folder in which the four files are published; empty where they are not.
    pub(super) base_url: &'static str,
    /// Published MD5 sums of training images, training labels, test images and test labels.
    pub(super) md5: [&'static str; 4],
    /// The images and labels of the training split, in this order, and of the test split.
    pub(super) files: [[&'static str; 2]; 2],
}

/// What MNIST and its relatives call their files.
pub(super) const MNIST_FILES: [[&str; 2]; 2] = [
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
    ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
];
/// As they are published: training images and labels, test images and labels.
const REMOTE_FILES: [&str; 4] = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
];

/// Finds `variant` under `root` and reads the wanted splits.
///
/// # Errors
/// [`DataError::Missing`] names the files that were looked for; [`DataError::Malformed`] and others for
/// files that are not what their headers say.
pub(super) fn open(variant: &'static Variant, request: &OpenRequest) -> Result<Source, DataError> {
    let OpenRequest { root, wanted, progress, .. } = *request;
    let mut hasher = Sha256Hasher::new();
    let num_classes = variant.class_names.len();
    let mut read = |names: [&'static str; 2]| -> Result<Records, DataError> {
        let [images, labels] = locate(variant, root, names, wanted)?;
        let stage = format!("reading {}", text::path(&images));
        progress.stage(&stage, None);
        check_cancelled(progress, &stage)?;
        let (images, labels) = (IdxFile::read(&images)?, IdxFile::read(&labels)?);
        hasher.field(names[0], &images.bytes);
        hasher.field(names[1], &labels.bytes);
        progress.advance((images.bytes.len() + labels.bytes.len()) as u64);
        join(images, labels, num_classes)
    };
    let [train_files, test_files] = variant.files;
    let train = if wanted.train { Some(read(train_files)?) } else { None };
    let test = if wanted.test { Some(read(test_files)?) } else { None };
    Ok(Source {
        origin: text::path(root),
        class_names: owned(variant.class_names),
        shape: common_shape(&train, &test),
        train: train.map(shared),
        validation: None,
        test: test.map(shared),
        fingerprint: hasher.finish(),
        skipped: SkippedImages::default(),
    })
}

/// The four files, which a download fetches into the first of the folders.
pub(super) fn remote_files(variant: &Variant) -> RemoteFiles {
    let file = |(name, md5)| RemoteFile { base_url: variant.base_url, name, checksum: Checksum::Md5(md5) };
    let files = REMOTE_FILES.into_iter().zip(variant.md5).map(file).collect();
    RemoteFiles { folder: PathBuf::from(variant.folders[0]), files }
}

/// A wanted split is not there, or everything lies where a download puts it.
pub(super) fn wants_download(variant: &Variant, request: &OpenRequest) -> bool {
    let OpenRequest { root, wanted, .. } = *request;
    let mut splits = [wanted.train, wanted.test].into_iter().zip(variant.files);
    let lacking = |(needed, names)| needed && locate(variant, root, names, wanted).is_err();
    let official = root.join(variant.folders[0]);
    let official_is_whole = REMOTE_FILES.iter().all(|name| official.join(name).is_file());
    splits.any(lacking) || official_is_whole
}

fn shared(records: Records) -> SharedDataset {
    Arc::new(records)
}

/// The shape of both splits, or of the only one; `None` when they differ.
fn common_shape(train: &Option<Records>, test: &Option<Records>) -> Option<InputShape> {
    let (train, test) = (train.as_ref().map(Records::shape), test.as_ref().map(Records::shape));
    match (train, test) {
        (Some(train), Some(test)) => (train == test).then_some(train),
        (one, other) => one.or(other),
    }
}

/// The file that is published as `name`, as archives leave it: with a dot in place of the hyphen, gzipped or not, or in a
/// folder of its own that is called like one of these. Plain before gzipped, because torchvision leaves both.
fn file_called(folder: &Path, name: &str) -> Option<PathBuf> {
    let dotted = name.replacen("-idx", ".idx", 1);
    let spelled = [name.to_owned(), dotted.clone(), format!("{name}.gz"), format!("{dotted}.gz")];
    let inside = |folder: &Path| spelled.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    inside(folder).or_else(|| spelled.iter().find_map(|name| inside(&folder.join(name))))
}

/// The paths of a split's images and labels: in the first folder that has one of them.
fn locate(
    variant: &Variant,
    root: &Path,
    names: [&str; 2],
    wanted: Wanted,
) -> Result<[PathBuf; 2], DataError> {
    let find = |folder: &str, name: &str| {
        let folder = if folder.is_empty() { root.to_path_buf() } else { root.join(folder) };
        file_called(&folder, name)
    };
    for folder in variant.folders {
        match names.map(|name| find(folder, name)) {
            [Some(images), Some(labels)] => return Ok([images, labels]),
            [None, None] => {}
            [_, labels] => {
                let missing = names[usize::from(labels.is_none())];
                return Err(missing_error(variant, root, &[missing], folder_name(folder), wanted));
            }
        }
    }
    let folders: Vec<&str> = variant.folders.iter().copied().map(folder_name).collect();
    Err(missing_error(variant, root, &names, &folders.join(" or "), wanted))
}

/// What messages call a folder of [`Variant::folders`].
fn folder_name(folder: &'static str) -> &'static str {
    if folder.is_empty() { "the folder itself" } else { folder }
}

fn missing_error(variant: &Variant, root: &Path, names: &[&str], folders: &str, wanted: Wanted) -> DataError {
    let looked_for = names.iter().map(|name| format!("{name}[.gz] (in {folders})")).collect();
    let mut hint = match variant.base_url {
        "" => "fetch the files and put them there".to_owned(),
        _ => "put the files there or set data.download = true".to_owned(),
    };
    if names[0] == variant.files[0][0] && wanted.test {
        hint.push_str(
            "; with the test files alone, split them: data.train_split = \"test[:8000]\", \
             data.test_split = \"test[8000:]\"",
        );
    }
    DataError::missing(variant.name, root, looked_for, hint)
}

/// A file whose contents are as long as its header says.
pub(super) struct IdxFile {
    path: PathBuf,
    axes: Vec<usize>,
    first: usize,
    bytes: Vec<u8>,
}

impl IdxFile {
    /// Reads a file, gzipped if its name ends in `.gz`.
    fn read(path: &Path) -> Result<Self, DataError> {
        const LONGEST_HEADER: usize = 16;
        let gzipped = path.extension().is_some_and(|extension| extension == "gz");
        let (start, length) = if gzipped {
            (gunzip_prefix(path, LONGEST_HEADER)?, None)
        } else {
            let (start, length) = read_prefix(path, LONGEST_HEADER)?;
            (start, Some(length))
        };
        let (_, promised) = header(path, &start)?;
        if let Some(length) = length.filter(|length| *length != promised) {
            return Err(wrong_length(path, promised, length));
        }
        let read = if gzipped { gunzip_bounded } else { read_bounded };
        match read(path, promised) {
            Ok(bytes) => Self::parse(path, bytes),
            Err(StorageError::TooLong { .. }) => Err(wrong_length(path, promised, promised + 1)),
            Err(error) => Err(error.into()),
        }
    }

    /// Checks the contents of a file against their header; `path` is for messages.
    pub(super) fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, DataError> {
        let (axes, promised) = header(path, &bytes)?;
        if bytes.len() as u64 != promised {
            return Err(wrong_length(path, promised, bytes.len() as u64));
        }
        Ok(Self { path: path.to_path_buf(), first: 4 + 4 * axes.len(), axes, bytes })
    }
}

/// The axes' lengths, and the length of a file that keeps the header's promise.
fn header(path: &Path, start: &[u8]) -> Result<(Vec<usize>, u64), DataError> {
    let hint = "this is not an unpacked MNIST file, or it is damaged: fetch it again";
    let mut words = start.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word));
    let magic = words.next();
    let num_axes = match magic {
        Some(IMAGES_MAGIC) => 3,
        Some(LABELS_MAGIC) => 1,
        _ => {
            let got = magic.map_or("the end of the file".to_owned(), |word| format!("0x{word:08x}"));
            let expected = "magic number 0x00000803 (images) or 0x00000801 (labels)";
            return Err(DataError::malformed(path, "byte 0", expected, got, hint));
        }
    };
    let axes: Vec<usize> = words.take(num_axes).map(|length| length as usize).collect();
    if axes.len() < num_axes {
        let expected = format!("a header of {} bytes", 4 + 4 * num_axes);
        let got = format!("{} bytes", start.len());
        return Err(DataError::malformed(path, "header", expected, got, hint));
    }
    let header_bytes = 4 + 4 * num_axes as u64;
    let promised = axes
        .iter()
        .try_fold(1_u64, |product, axis| product.checked_mul(*axis as u64))
        .and_then(|elements| elements.checked_add(header_bytes))
        .filter(|length| *length <= MAX_FILE_BYTES);
    let sides_fit = axes.iter().skip(1).all(|side| (1..=MAX_SIDE).contains(side));
    match promised {
        Some(promised) if axes[0] > 0 && sides_fit => Ok((axes, promised)),
        _ => {
            let axes: Vec<String> = axes.iter().map(usize::to_string).collect();
            let expected = format!(
                "1 or more images of 1 to {MAX_SIDE} pixels a side, {} MiB in all at most",
                MAX_FILE_BYTES >> 20
            );
            Err(DataError::malformed(path, "byte 4", expected, axes.join(" x "), hint))
        }
    }
}

fn wrong_length(path: &Path, promised: u64, got: u64) -> DataError {
    let (place, hint) = if got < promised {
        (format!("byte {got}"), "the file is cut short: fetch it again")
    } else {
        (format!("byte {promised}"), "the file has something added: fetch it again")
    };
    let got = if got > promised { "more".to_owned() } else { format!("{got} bytes") };
    let expected = format!("{promised} bytes, as the header says");
    DataError::malformed(path, place, expected, got, hint)
}

/// Images and their labels as one table.
pub(super) fn join(images: IdxFile, labels: IdxFile, num_classes: usize) -> Result<Records, DataError> {
    let &[count, height, width] = images.axes.as_slice() else {
        return Err(wrong_kind(&images.path, "images (magic number 0x00000803)", "labels"));
    };
    let &[label_count] = labels.axes.as_slice() else {
        return Err(wrong_kind(&labels.path, "labels (magic number 0x00000801)", "images"));
    };
    if label_count != count {
        return Err(DataError::malformed(
            &labels.path,
            "byte 4",
            format!("{count} labels, one for each image of {}", text::path(&images.path)),
            label_count,
            "the two files do not belong together: fetch both again",
        ));
    }
    let shape = InputShape { channels: 1, height, width };
    let labels_n = labels.bytes[labels.first..].iter().copied().map(u32::from).collect();
    let part = Part { first: images.first, stride: shape.len(), bytes: images.bytes, labels: labels_n };
    let mut records = Records::new(shape);
    records.push(&labels.path, part, num_classes)?;
    Ok(records)
}

fn wrong_kind(path: &Path, expected: &str, got: &str) -> DataError {
    let hint = "two files may have changed names: fetch both again";
    DataError::malformed(path, "byte 0", expected, got, hint)
}
