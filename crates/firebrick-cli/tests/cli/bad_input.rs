//! Wrong input of every kind: a clear message with place, expected and got, the contract's exit
//! code, and nothing left behind.

use super::fixtures::{self, edit, idx};
use super::sandbox::{Sandbox, TINY};

/// One wrong input.
struct Case {
    name: &'static str,
    code: i32,
    /// Makes the input and says how `train` is called on it.
    arguments: fn(&Sandbox) -> Vec<String>,
    /// What the message must hold.
    says: &'static [&'static str],
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A config that is `TINY` with one part replaced.
fn config(sandbox: &Sandbox, from: &str, to: &str) -> Vec<String> {
    assert!(TINY.contains(from), "{from}");
    sandbox.write("bad.toml", TINY.trim_start().replacen(from, to, 1));
    words("--config bad.toml")
}

/// `TINY` on another dataset.
fn dataset(sandbox: &Sandbox, dataset: &str, root: &str) -> Vec<String> {
    let data = format!("dataset = \"{dataset}\"\nroot = \"{root}\"");
    config(sandbox, "dataset = \"digits\"", &data)
}

const CIFAR_FILE: &str = "data/cifar-10-batches-bin/data_batch_3.bin";
const MNIST_IMAGES: &str = "data/mnist/train-images-idx3-ubyte";
const MNIST_LABELS: &str = "data/mnist/train-labels-idx1-ubyte";

fn broken_cifar(sandbox: &Sandbox, file: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<String> {
    fixtures::cifar10(sandbox);
    edit(sandbox, file, change);
    dataset(sandbox, "cifar10", "data")
}

fn broken_mnist(sandbox: &Sandbox, file: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<String> {
    fixtures::mnist(sandbox);
    edit(sandbox, file, change);
    dataset(sandbox, "mnist", "data")
}

/// An image folder of two classes, for a network of two.
fn pets(sandbox: &Sandbox, change: impl FnOnce(&Sandbox)) -> Vec<String> {
    fixtures::image_folder(sandbox);
    change(sandbox);
    dataset(sandbox, "image_folder", "data/pets");
    words("--config bad.toml --set model.num_classes=2")
}

#[rustfmt::skip]
const CONFIGS: &[Case] = &[
    Case { name: "config file that is not there", code: 2, arguments: |_| words("--config nowhere.toml"), says: &["nowhere.toml", "cannot read"] },
    Case { name: "config that is a folder", code: 2, arguments: |_| words("--config ."), says: &["cannot read config ."] },
    Case { name: "config that is no text", code: 2, arguments: |s| { s.write("bad.toml", [0xff, 0xfe, 0x00]); words("--config bad.toml") }, says: &["bad.toml", "UTF-8"] },
    Case { name: "config that is no TOML", code: 2, arguments: |s| config(s, "[model]", "[model"), says: &["bad.toml:1:"] },
    Case { name: "empty config", code: 2, arguments: |s| { s.write("bad.toml", ""); words("--config bad.toml") }, says: &["bad.toml", "[model]"] },
    Case { name: "unknown key", code: 2, arguments: |s| config(s, "epochs = 2", "epoch = 2"), says: &["bad.toml:19:1", "unknown key `epoch`", "did you mean `epochs`?"] },
    Case { name: "unknown table", code: 2, arguments: |s| config(s, "[optimizer]", "[optimiser]"), says: &["bad.toml:13:", "`optimiser`", "did you mean `optimizer`?"] },
    Case { name: "missing table", code: 2, arguments: |s| config(s, "[loss]\nname = \"cross_entropy\"\n", ""), says: &["bad.toml", "[loss]"] },
    Case { name: "key twice", code: 2, arguments: |s| config(s, "epochs = 2", "epochs = 2\nepochs = 3"), says: &["bad.toml:20:1", "duplicate key"] },
    Case { name: "wrong type", code: 2, arguments: |s| config(s, "epochs = 2", "epochs = \"ten\""), says: &["bad.toml:19:10", "string \"ten\"", "expected a whole number from 0"] },
    Case { name: "zero batch size", code: 2, arguments: |s| config(s, "batch_size = 32", "batch_size = 0"), says: &["bad.toml", "data.batch_size", "from 1 to", "got 0"] },
    Case { name: "negative batch size", code: 2, arguments: |s| config(s, "batch_size = 32", "batch_size = -4"), says: &["bad.toml:7:14", "got -4", "expected"] },
    Case { name: "batch size past memory", code: 2, arguments: |s| config(s, "batch_size = 32", "batch_size = 1099511627776"), says: &["data.batch_size", "got 1099511627776"] },
    Case { name: "NaN learning rate", code: 2, arguments: |s| config(s, "lr = 0.02", "lr = nan"), says: &["bad.toml:", "lr", "NaN"] },
    Case { name: "negative learning rate", code: 2, arguments: |s| config(s, "lr = 0.02", "lr = -0.1"), says: &["bad.toml:", "lr", "-0.1"] },
    Case { name: "infinite momentum", code: 2, arguments: |s| config(s, "momentum = 0.9", "momentum = inf"), says: &["bad.toml:", "momentum", "inf"] },
    Case { name: "unknown model", code: 2, arguments: |s| config(s, "\"lenet\"", "\"lanet\""), says: &["bad.toml:2:8", "unknown model `lanet`", "did you mean `lenet`?"] },
    Case { name: "unknown dataset", code: 2, arguments: |s| config(s, "\"digits\"", "\"digit\""), says: &["bad.toml:6:11", "`digit`", "did you mean `digits`?"] },
    Case { name: "unknown optimizer", code: 2, arguments: |s| config(s, "\"sgd\"", "\"sgdm\""), says: &["bad.toml:14:8", "unknown optimizer `sgdm`", "did you mean `sgd`?"] },
    Case { name: "zero epochs", code: 2, arguments: |s| config(s, "epochs = 2", "epochs = 0"), says: &["bad.toml:19:10", "trainer.epochs", "at least 1, got 0"] },
    Case { name: "checkpoint never", code: 2, arguments: |s| config(s, "epochs = 2", "checkpoint_every = \"never\""), says: &["bad.toml:19:20", "\"never\"", "\"epoch\" or a number of steps"] },
    Case { name: "zero classes", code: 2, arguments: |s| config(s, "num_classes = 10", "num_classes = 0"), says: &["bad.toml:", "num_classes", "got 0"] },
    Case { name: "class counts that differ", code: 2, arguments: |s| config(s, "num_classes = 10", "num_classes = 7"), says: &["model.num_classes is 7", "`digits` has 10 classes", "set model.num_classes = 10"] },
    Case { name: "zero standard deviation", code: 2, arguments: |s| config(s, "batch_size", "normalize = { mean = [0.5], std = [0] }\nbatch_size"), says: &["data.normalize.std", "above 0", "[0.0]"] },
    Case { name: "normalize by a word", code: 2, arguments: |s| config(s, "batch_size", "normalize = \"imagenet\"\nbatch_size"), says: &["bad.toml:7:", "\"imagenet\"", "\"none\", \"dataset\""] },
    Case { name: "unknown augmentation", code: 2, arguments: |s| config(s, "batch_size", "augment = [{ name = \"random_flip\" }]\nbatch_size"), says: &["bad.toml:7:", "random_flip", "random_horizontal_flip"] },
    Case { name: "nothing to train on", code: 2, arguments: |s| config(s, "train = 96", "train = 0"), says: &["data.limit.train", "got 0"] },
    Case { name: "training on the test images", code: 2, arguments: |s| config(s, "batch_size", "train_split = \"test\"\nbatch_size"), says: &["data.test_split", "not trained on"] },
    Case { name: "override without a value", code: 2, arguments: |_| words("--set trainer.epochs"), says: &["--set trainer.epochs", "key.path=VALUE"] },
    Case { name: "override of the wrong type", code: 2, arguments: |_| words("--set trainer.epochs=ten"), says: &["--set trainer.epochs=ten: ", "expected a whole number from 0"] },
    Case { name: "misspelt backend", code: 2, arguments: |_| words("--backend ndaray"), says: &["unknown backend `ndaray`", "did you mean `ndarray`?"] },
    Case { name: "backend with a bad index", code: 2, arguments: |_| words("--backend flex:one"), says: &["backend `flex:one`", "`flex:0`"] },
    Case { name: "backend index past the end", code: 2, arguments: |_| words("--backend flex:9"), says: &["backend `flex` has 1 device(s), got index 9"] },
    Case { name: "weights that are not there", code: 2, arguments: |_| words("--set model.weights=nowhere.safetensors"), says: &["nowhere.safetensors"] },
    Case { name: "weights that are something else", code: 2, arguments: |s| { s.write("bad.safetensors", "text"); words("--set model.weights=bad.safetensors") }, says: &["bad.safetensors", "expected"] },
];

#[rustfmt::skip]
const DATA: &[Case] = &[
    Case { name: "missing root", code: 3, arguments: |s| dataset(s, "cifar10", "nowhere"), says: &["nowhere", "cifar-10-batches-bin", "data.download"] },
    Case { name: "CIFAR file one byte short", code: 3, arguments: |s| broken_cifar(s, CIFAR_FILE, |b| { b.pop(); }), says: &[CIFAR_FILE, "record 9", "3073 bytes", "got 3072 bytes"] },
    Case { name: "CIFAR file one byte long", code: 3, arguments: |s| broken_cifar(s, CIFAR_FILE, |b| b.push(0)), says: &[CIFAR_FILE, "record 10", "3073 bytes", "got 1 bytes"] },
    Case { name: "empty CIFAR file", code: 3, arguments: |s| broken_cifar(s, CIFAR_FILE, |b| b.clear()), says: &[CIFAR_FILE, "record 0"] },
    Case { name: "CIFAR file that is missing", code: 3, arguments: |s| { let a = broken_cifar(s, CIFAR_FILE, |_| ()); std::fs::remove_file(s.path(CIFAR_FILE)).unwrap(); a }, says: &["data_batch_3.bin"] },
    Case { name: "label 10 in CIFAR-10", code: 3, arguments: |s| broken_cifar(s, CIFAR_FILE, |b| b[4 * fixtures::CIFAR_RECORD] = 10), says: &[CIFAR_FILE, "4", "0 to 9", "got 10"] },
    Case { name: "archive that is none", code: 3, arguments: |s| { s.write("data/cifar-10-binary.tar.gz", "text"); dataset(s, "cifar10", "data") }, says: &["cifar-10-binary.tar.gz", "a whole tar.gz archive"] },
    Case { name: "wrong IDX magic", code: 3, arguments: |s| broken_mnist(s, MNIST_IMAGES, |b| b[2] = 9), says: &[MNIST_IMAGES, "byte 0", "0x00000803", "0x00000903"] },
    Case { name: "images where labels belong", code: 3, arguments: |s| broken_mnist(s, MNIST_LABELS, |b| *b = idx(0x0803, &[1, 1, 1], [0])), says: &[MNIST_LABELS, "labels"] },
    Case { name: "IDX header that promises 2^40 bytes", code: 3, arguments: |s| broken_mnist(s, MNIST_IMAGES, |b| *b = idx(0x0803, &[1 << 20, 1024, 1024], [])), says: &[MNIST_IMAGES, "byte 4", "1048576 x 1024 x 1024"] },
    Case { name: "IDX file cut short", code: 3, arguments: |s| broken_mnist(s, MNIST_IMAGES, |b| { b.pop(); }), says: &[MNIST_IMAGES, "15696 bytes", "got 15695 bytes"] },
    Case { name: "IDX file with a byte added", code: 3, arguments: |s| broken_mnist(s, MNIST_IMAGES, |b| b.push(0)), says: &[MNIST_IMAGES, "15696 bytes", "got"] },
    Case { name: "IDX counts that differ", code: 3, arguments: |s| broken_mnist(s, MNIST_LABELS, |b| *b = idx(0x0801, &[19], vec![0; 19])), says: &[MNIST_LABELS, "20 labels", "got 19"] },
    Case { name: "label 10 in MNIST", code: 3, arguments: |s| broken_mnist(s, MNIST_LABELS, |b| b[8 + 5] = 10), says: &[MNIST_LABELS, "5", "0 to 9", "got 10"] },
    Case { name: "gzip that is none", code: 3, arguments: |s| { let a = broken_mnist(s, MNIST_IMAGES, |_| ()); std::fs::rename(s.path(MNIST_IMAGES), s.path("data/mnist/train-images-idx3-ubyte.gz")).unwrap(); a }, says: &["train-images-idx3-ubyte.gz", "gzip"] },
    Case { name: "image folder without its halves", code: 2, arguments: |s| pets(s, |s| std::fs::remove_dir_all(s.path("data/pets/test")).unwrap()), says: &["data/pets", "no test split", "data.validation = 0.2"] },
    Case { name: "empty class folder", code: 3, arguments: |s| pets(s, |s| std::fs::create_dir(s.path("data/pets/train/bird")).unwrap()), says: &["data/pets/train/bird", "at least one image", "remove the class from every split"] },
    Case { name: "class that is only tested", code: 3, arguments: |s| pets(s, |s| s.write("data/pets/test/bird/0.png", fixtures::png(9))), says: &["bird"] },
    Case { name: "text file named .png", code: 3, arguments: |s| pets(s, |s| s.write("data/pets/train/cat/1.png", "a cat")), says: &["data/pets/train/cat/1.png", "expected a PNG"] },
    Case { name: "picture that claims to be huge", code: 3, arguments: |s| pets(s, |s| edit(s, "data/pets/train/dog/2.png", |b| b[16] = 0x7f)), says: &["data/pets/train/dog/2.png"] },
    Case { name: "classes that differ from the model's", code: 2, arguments: |s| { pets(s, |_| ()); words("--config bad.toml") }, says: &["model.num_classes is 10", "2 classes (cat, dog)"] },
];

#[rustfmt::skip]
const STORAGE: &[Case] = &[
    Case { name: "run folder that is a file", code: 4, arguments: |s| { s.write("file", ""); words("--run-dir file") }, says: &["file: cannot create the folder: a file of this name"] },
    Case { name: "run folder below a file", code: 4, arguments: |s| { s.write("file", ""); words("--run-dir file/run") }, says: &["file: cannot create the folder: a file of this name"] },
    Case { name: "resume of nothing", code: 4, arguments: |_| words("--resume=nowhere"), says: &["nowhere", "expected a run folder"] },
    Case { name: "two runs named", code: 2, arguments: |_| words("--resume=a --run-dir b"), says: &["--resume=a", "--run-dir b"] },
];

#[test]
fn bad_configs() {
    check(CONFIGS);
}

#[test]
fn bad_data() {
    check(DATA);
}

#[test]
fn bad_places() {
    check(STORAGE);
}

/// Runs every case and reports all that fail, not the first.
fn check(cases: &[Case]) {
    let failures: Vec<String> = cases.iter().filter_map(failure).collect();
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

fn failure(case: &Case) -> Option<String> {
    let sandbox = Sandbox::new();
    let arguments = (case.arguments)(&sandbox);
    let before = sandbox.entries();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = sandbox.train(&arguments);
    let mut wrong = Vec::new();
    if ended.code != Some(case.code) {
        wrong.push(format!("expected exit code {}, got {:?}", case.code, ended.code));
    }
    for part in case.says.iter().filter(|part| !ended.stderr.contains(**part)) {
        wrong.push(format!("does not say {part:?}"));
    }
    if !ended.stderr.contains("error: ") || ended.stderr.contains("panicked") {
        wrong.push("is no proper message".to_owned());
    }
    if sandbox.entries() != before {
        wrong.push(format!("leaves {:?}", sandbox.entries()));
    }
    (!wrong.is_empty()).then(|| format!("- {}: {}\n{}", case.name, wrong.join("; "), ended.stderr))
}

/// Only the headers of pictures are read beforehand, so this one is found when its turn comes.
#[test]
fn a_picture_that_is_cut_short_ends_the_run_that_meets_it() {
    let sandbox = Sandbox::new();
    pets(&sandbox, |s| edit(s, "data/pets/train/dog/2.png", |bytes| bytes.truncate(bytes.len() / 2)));
    let arguments = ["--config", "bad.toml", "--set", "model.num_classes=2", "--run-dir", "run", "--quiet"];
    let ended = sandbox.train(&arguments).ends_with(3);
    for part in ["sample 6", "data/pets/train/dog/2.png", "expected a PNG"] {
        assert!(ended.stderr.contains(part), "{part}: {ended:#?}");
    }
    assert!(!sandbox.entries().iter().any(|name| name.contains(".tmp-")), "{:?}", sandbox.entries());
}

/// What other commands are given instead of a run or an image.
#[test]
fn bad_runs_and_images() {
    let sandbox = Sandbox::with_tiny_config();
    let cases: [(&[&str], i32, &str); 9] = [
        (&["evaluate", "nowhere"], 4, "nowhere: expected a run folder"),
        (&["evaluate", "tiny.toml"], 4, "tiny.toml: expected a run folder"),
        (&["predict", "nowhere", "x.png"], 4, "nowhere: expected a run folder"),
        (&["verify", "nowhere"], 4, "nowhere: expected a run folder"),
        (&["export", "nowhere"], 4, "nowhere: expected a run folder"),
        (&["summary", "vgg"], 2, "unknown model `vgg`, expected one of `tudui`, `lenet`"),
        (&["summary", "lenet", "--num-classes", "0"], 2, "num_classes: expected a whole number from 1 to"),
        (&["data", "info", "imagenette"], 2, "unknown dataset `imagenette`"),
        (&["data", "info", "mnist", "--root", "nowhere"], 3, "nowhere"),
    ];
    for (arguments, code, says) in cases {
        let ended = sandbox.firebrick(arguments).ends_with(code);
        assert!(ended.stderr.contains(says), "{arguments:?}: {ended:#?}");
    }
    assert_eq!(sandbox.entries(), ["tiny.toml"]);
}

#[test]
fn predict_on_what_is_no_image() {
    let sandbox = Sandbox::with_run();
    let ended = sandbox.firebrick(&["predict", "run", "nowhere.png"]).ends_with(3);
    assert!(ended.stderr.contains("nowhere.png"), "{ended:#?}");
}
