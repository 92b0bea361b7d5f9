//! Wrong values of `[data]`: each is refused with the path of its own key, before any file is touched.

use firebrick_component::{ReadError, read};
use firebrick_data::{DataConfig, DataError, InputShape, open};
use toml::{Table, Value};

const INPUT: InputShape = InputShape { channels: 3, height: 32, width: 32 };

/// `text` behind a data set that is nowhere.
fn parse(text: &str) -> Result<DataConfig, ReadError> {
    let text =
        if text.starts_with("dataset") { text.to_owned() } else { format!("dataset = 'cifar10'\n{text}") };
    read(Value::Table(format!("root = '/nowhere'\n{text}").parse::<Table>().unwrap()))
}

/// Values of the right type that are out of range: text, key, a part of what was expected, a part of what came.
const OUT_OF_RANGE: &[(&str, &str, &str, &str)] = &[
    ("batch_size = 0", "batch_size", "from 1 to", "0"),
    ("batch_size = 2000000", "batch_size", "to 1048576", "2000000"),
    ("workers = 1025", "workers", "from 0 to 1024", "1025"),
    ("limit = { train = 0 }", "limit.train", "at least 1", "0"),
    ("limit = { test = 0 }", "limit.test", "at least 1", "0"),
    ("limit = { validation = 0 }", "limit.validation", "at least 1", "0"),
    ("validation = 5\nlimit = { validation = 3 }", "limit.validation", "no limit beside", "3"),
    ("normalize = { mean = [0.5, 0.5], std = [1, 1] }", "normalize.mean", "1 or 3 values", "2 values"),
    ("normalize = { mean = [], std = [] }", "normalize.mean", "1 or 3 values", "0 values"),
    ("normalize = { mean = [nan], std = [1] }", "normalize.mean", "finite", "NaN"),
    ("normalize = { mean = [0.5], std = [0] }", "normalize.std", "above 0", "[0.0]"),
    ("normalize = { mean = [0.5], std = [-1] }", "normalize.std", "above 0", "[-1.0]"),
    ("normalize = { mean = [0.5], std = [inf] }", "normalize.std", "finite", "[inf]"),
    ("normalize = { mean = [0.5], std = [1, 1] }", "normalize.std", "1 values", "[1.0, 1.0]"),
    ("resize = { shorter = 0 }", "resize.shorter", "from 1 to 16384", "0"),
    ("resize = { shorter = 99999 }", "resize.shorter", "from 1 to 16384", "99999"),
    ("resize = { shorter = 40, crop = 0 }", "resize.crop", "from 1 to 40", "0"),
    ("resize = { shorter = 40, crop = 41 }", "resize.crop", "from 1 to 40", "41"),
    ("resize = { shorter = 40, crop = 28 }", "resize.crop", "the size of the model's input, 32x32", "28"),
    ("resize = { shorter = 30 }", "resize.shorter", "at least 32", "30"),
    ("augment = [{ name = 'random_crop', padding = 65537 }]", "augment[0].padding", "at most 65536", "65537"),
    (
        "augment = ['random_horizontal_flip', { name = 'random_crop', padding = 32, padding_mode = 'reflect' }]",
        "augment[1].padding",
        "at most 31 pixels to mirror images of 32x32",
        "32",
    ),
    (
        "augment = [{ name = 'random_crop', padding = 33, padding_mode = 'symmetric' }]",
        "augment[0].padding",
        "at most 32",
        "33",
    ),
    ("augment = [{ name = 'random_horizontal_flip', p = 1.5 }]", "augment[0].p", "from 0 to 1", "1.5"),
    ("augment = [{ name = 'random_horizontal_flip', p = -0.1 }]", "augment[0].p", "from 0 to 1", "-0.1"),
    ("augment = [{ name = 'random_horizontal_flip', p = nan }]", "augment[0].p", "from 0 to 1", "NaN"),
    ("augment = ['resize']", "augment[0].size", "`shorter`", "neither"),
    ("augment = [{ name = 'resize', size = [0, 5] }]", "augment[0].size", "1 to 16384", "0x5"),
    ("augment = [{ name = 'resize', size = [5, 99999] }]", "augment[0].size", "1 to 16384", "5x99999"),
    ("augment = [{ name = 'resize', shorter = 0 }]", "augment[0].shorter", "from 1", "0"),
    (
        "augment = [{ name = 'resize', size = [32, 32], shorter = 32 }]",
        "augment[0].shorter",
        "not both",
        "32",
    ),
    ("augment = [{ name = 'center_crop', size = 0 }]", "augment[0].size", "1 to 16384", "0x0"),
    ("augment = [{ name = 'center_crop', size = [32, 0] }]", "augment[0].size", "1 to 16384", "32x0"),
    ("augment = [{ name = 'center_crop', size = 28 }]", "augment", "the model's input, 32x32", "28x28"),
    (
        "augment = [{ name = 'resize', shorter = 32 }]",
        "augment",
        "the model's input, 32x32",
        "different sizes",
    ),
    ("batch_augment = [{ name = 'mixup', alpha = 0 }]", "batch_augment[0].alpha", "> 0", "0"),
    ("batch_augment = [{ name = 'mixup', alpha = inf }]", "batch_augment[0].alpha", "finite", "inf"),
    ("batch_augment = ['mixup', { name = 'mixup', alpha = nan }]", "batch_augment[1].alpha", "finite", "NaN"),
    ("batch_augment = [{ name = 'mixup', p = 2 }]", "batch_augment[0].p", "from 0 to 1", "2"),
    ("batch_augment = [{ name = 'mixup', p = -1 }]", "batch_augment[0].p", "from 0 to 1", "-1"),
    ("validation = 0.0", "validation", "above 0 and below 1", "0.0"),
    ("validation = 1.0", "validation", "above 0 and below 1", "1.0"),
    ("validation = nan", "validation", "above 0 and below 1", "NaN"),
    ("validation = 0", "validation", "from 1 on", "0"),
    ("dataset = 'digits'\nvalidation = 1442", "validation", "leaves some to both", "1442"),
    ("dataset = 'digits'\nvalidation = 0.0001", "validation", "leaves some to both", "takes 0"),
    (
        "validation = 0.1\nvalidation_split = 'train[5:]'\ntrain_split = 'train[:5]'",
        "validation_split",
        "not both",
        "train[5:]",
    ),
    ("validation_split = 'train[40000:]'", "validation_split", "not trained on", "train[40000:]"),
    ("validation_split = 'test[:5]'", "validation_split", "not tested on", "test[:5]"),
    ("train_split = 'test[:5]'", "test_split", "not trained on", "\"test\""),
    ("train_split = 'train[5:5]'", "train_split", "at least one sample", "train[5:5]"),
    ("test_split = 'test[9:3]'", "test_split", "at least one sample", "test[9:3]"),
    ("dataset = 'image_folder'\ntrain_split = 'train[:5]'", "train_split", "ordered by class", "train[:5]"),
    (
        "dataset = 'image_folder'\nvalidation_split = 'test[5:]'",
        "validation_split",
        "ordered by class",
        "test[5:]",
    ),
    ("dataset = 'synthetic'\nsynthetic = { num_classes = 0 }", "synthetic.num_classes", "from 1", "0"),
    ("dataset = 'synthetic'\nsynthetic = { train = 0 }", "synthetic.train", "from 1", "0"),
    ("dataset = 'synthetic'\nsynthetic = { test = 0 }", "synthetic.test", "from 1", "0"),
    ("dataset = 'synthetic'\nsynthetic = { channels = 2 }", "synthetic.channels", "1 or 3", "2"),
    ("dataset = 'synthetic'\nsynthetic = { height = 3 }", "synthetic.height", "from 4", "3"),
    ("dataset = { name = 'synthetic', width = 5000 }", "dataset.width", "to 4096", "5000"),
];

#[test]
fn values_out_of_range_name_their_key() {
    for (text, key, expected, got) in OUT_OF_RANGE {
        let config = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        match open(&config, INPUT, 0, &()) {
            Err(DataError::Argument(error)) => {
                assert_eq!(error.key, *key, "{text}: {error}");
                assert!(error.expected.contains(expected), "{text}: {error}");
                assert!(error.got.contains(got), "{text}: {error}");
            }
            Err(other) => panic!("{text}: {other}"),
            Ok(_) => panic!("{text}: accepted"),
        }
    }
}

/// Values that cannot be read at all: text, path, a part of the message.
const UNREADABLE: &[(&str, &str, &str)] = &[
    ("dataset = 'cifar'", "dataset.name", "unknown dataset `cifar`"),
    ("dataset = 3", "dataset", "expected a dataset such as"),
    ("dataset = { train = 3 }", "dataset", "a dataset has no `name`"),
    ("dataset = { name = 'digits', size = 3 }", "dataset.size", "unknown field `size`"),
    ("dataset = 'synthetic'\nsynthetic = { trian = 3 }", "synthetic.trian", "unknown field `trian`"),
    ("dataset = 'synthetic'\nsynthetic = { train = 'x' }", "synthetic.train", "invalid type"),
    ("synthetic = {}", "synthetic", "no such table unless dataset = \"synthetic\""),
    ("dataset = { name = 'synthetic' }\nsynthetic = {}", "synthetic", "got both"),
    ("batchsize = 3", "batchsize", "unknown field `batchsize`"),
    ("batch_size = '3'", "batch_size", "invalid type"),
    ("batch_size = -1", "batch_size", "invalid value"),
    ("download = 1", "download", "invalid type"),
    ("normalize = 'imagenet'", "normalize", "\"none\", \"dataset\" or { mean"),
    ("normalize = { mean = [0.5] }", "normalize", "missing field `std`"),
    ("normalize = { mean = ['x'], std = [1] }", "normalize.mean[0]", "invalid type"),
    ("normalize = { mean = [0.5], std = [1], x = 1 }", "normalize.x", "unknown field `x`"),
    ("resize = 'crop'", "resize", "\"squash\", \"letterbox\" or"),
    ("resize = { crop = 3 }", "resize", "missing field `shorter`"),
    ("resize = { shorter = 3, corp = 3 }", "resize.corp", "unknown field `corp`"),
    ("augment = [{ padding = 3 }]", "augment[0]", "has no `name`"),
    ("augment = ['random_flip']", "augment[0].name", "unknown augmentation `random_flip`"),
    (
        "augment = ['resize', { name = 'random_crop', sizes = 4 }]",
        "augment[1].sizes",
        "unknown field `sizes`",
    ),
    ("augment = [{ name = 'random_crop', padding = 'x' }]", "augment[0].padding", "invalid type"),
    (
        "augment = [{ name = 'random_crop', padding_mode = 'mirror' }]",
        "augment[0].padding_mode",
        "unknown variant",
    ),
    ("augment = [{ name = 'resize', size = 224 }]", "augment[0].size", "invalid type"),
    ("augment = [{ name = 'center_crop' }]", "augment[0]", "missing field `size`"),
    ("augment = [{ name = 'center_crop', size = [1, 2, 3] }]", "augment[0].size", "invalid length 3"),
    ("augment = [{ name = 'center_crop', size = -4 }]", "augment[0].size", "invalid value"),
    ("batch_augment = ['mixdown']", "batch_augment[0].name", "unknown batch transform `mixdown`"),
    ("batch_augment = [{ name = 'mixup', alfa = 1 }]", "batch_augment[0].alfa", "unknown field `alfa`"),
    ("limit = { train = 5, tset = 5 }", "limit.tset", "unknown field `tset`"),
    ("train_split = 'all'", "train_split", "test[:8000]"),
    ("validation = 'some'", "validation", "a fraction such as 0.1"),
    ("validation = -3", "validation", "invalid value"),
    ("validation_split = 'train[5]'", "validation_split", "test[:8000]"),
];

#[test]
fn values_that_cannot_be_read_name_their_key() {
    for (text, path, message) in UNREADABLE {
        let error = parse(text).err().unwrap_or_else(|| panic!("{text}: accepted"));
        assert_eq!(error.path, *path, "{text}: {error}");
        assert!(error.message.contains(message), "{text}: {error}");
    }
}
