//! Images that a download or a crash has cut.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage};

use crate::cli::fixtures::{self, edit};
use crate::cli::sandbox::{Ended, Sandbox};

const PETS: &str = r#"
[model]
name = "sequential"
input_shape = [3, 4, 4]
layers = [{ name = "flatten" }, { name = "linear", out_features = 2 }]

[data]
dataset = "image_folder"
root = "data/pets"
batch_size = 2
workers = 2

[loss]
name = "cross_entropy"

[optimizer]
name = "sgd"

[trainer]
epochs = 1
backend = "flex"
"#;

/// A picture in which every row is another.
fn encoded(format: ImageFormat) -> Vec<u8> {
    let picture =
        RgbImage::from_fn(120, 90, |x, y| image::Rgb([(x * 6) as u8, (y * 8) as u8, (x * y) as u8]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The damaged files, each with its name.
fn damaged() -> Vec<(&'static str, Vec<u8>)> {
    let half = |format| {
        let bytes = encoded(format);
        bytes[..bytes.len() / 2].to_vec()
    };
    let jpeg = encoded(ImageFormat::Jpeg);
    let mut zero_tail = jpeg.clone();
    zero_tail[jpeg.len() / 2..].fill(0);
    let mut bad_checksum = encoded(ImageFormat::Png);
    let middle = bad_checksum.len() / 2;
    bad_checksum[middle] ^= 0x55;
    vec![
        ("half.jpg", half(ImageFormat::Jpeg)),
        ("no_end.jpg", jpeg[..jpeg.len() - 2].to_vec()),
        ("zero_tail.jpg", zero_tail),
        ("half.png", half(ImageFormat::Png)),
        ("checksum.png", bad_checksum),
        ("half.webp", half(ImageFormat::WebP)),
        ("half.gif", half(ImageFormat::Gif)),
        ("half.tif", half(ImageFormat::Tiff)),
        ("half.bmp", half(ImageFormat::Bmp)),
        ("half.ppm", half(ImageFormat::Pnm)),
        ("empty.jpg", Vec::new()),
        ("page.jpg", b"<!DOCTYPE html><html><body>404 Not Found</body></html>".to_vec()),
    ]
}

/// The pets with these files among the cats that are trained on.
fn pets(files: &[(&str, Vec<u8>)]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("pets.toml", PETS);
    fixtures::image_folder(&sandbox);
    for (name, bytes) in files {
        sandbox.write(&format!("data/pets/train/cat/{name}"), bytes);
    }
    sandbox
}

fn train(sandbox: &Sandbox, more: &[&str]) -> Ended {
    let arguments = ["--config", "pets.toml", "--run-dir", "run", "--quiet"];
    sandbox.train(&[&arguments, more].concat())
}

#[test]
fn every_damaged_image_is_found_and_named() {
    for (name, bytes) in damaged() {
        let sandbox = pets(&[(name, bytes)]);
        let ended = sandbox.firebrick(&["data", "info", "image_folder", "--root", "data/pets"]).ends_with(3);
        assert!(ended.stderr.contains(&format!("data/pets/train/cat/{name}")), "{ended:#?}");
        assert!(ended.stderr.contains("data.on_bad_image = \"skip\""), "{ended:#?}");
    }
}

#[test]
fn training_stops_at_one_and_names_it() {
    for workers in ["0", "2"] {
        for (name, bytes) in damaged().into_iter().filter(|(name, _)| name.starts_with("half.")) {
            let sandbox = pets(&[(name, bytes)]);
            let ended = train(&sandbox, &["--set", &format!("data.workers={workers}")]).ends_with(3);
            assert!(ended.stderr.contains(&format!("data/pets/train/cat/{name}")), "{ended:#?}");
        }
    }
}

#[test]
fn skipped_ones_are_counted_named_and_kept_out() {
    let sandbox = pets(&damaged());
    let ended = train(&sandbox, &["--set", "data.on_bad_image=skip"]).succeeds();
    assert!(ended.stderr.contains("left out 12 of 24 images that cannot be read:"), "{ended:#?}");
    assert!(
        ended.stderr.contains("train/cat/half.jpg: expected a whole JPEG image, got a file that was cut off")
    );
    assert!(ended.stderr.contains("and 2 more"), "{ended:#?}");
    // The run is the one on the folder without them.
    let clean = pets(&[]);
    train(&clean, &[]).succeeds();
    let summary = |sandbox: &Sandbox| sandbox.read_json("run/summary.json")["weights_sha256"].clone();
    assert_eq!(summary(&sandbox), summary(&clean));
    let evaluated = sandbox.firebrick(&["evaluate", "run", "--json"]).succeeds();
    assert!(evaluated.stderr.contains("left out 12 of 24 images"), "{evaluated:#?}");
    assert_eq!(
        evaluated.json()["images"],
        clean.firebrick(&["evaluate", "run", "--json"]).succeeds().json()["images"]
    );
}

#[test]
fn data_info_counts_what_is_left() {
    let sandbox = pets(&damaged());
    sandbox.write("skip.toml", PETS.replace("batch_size", "on_bad_image = \"skip\"\nbatch_size"));
    let ended = sandbox.firebrick(&["data", "info", "skip.toml", "--json"]).succeeds();
    let info = ended.json();
    assert_eq!(info["skipped"]["count"], 12);
    assert_eq!(info["skipped"]["first"].as_array().unwrap().len(), 10);
    assert_eq!((info["train"].as_u64(), info["classes"][0]["train"].as_u64()), (Some(8), Some(4)));
    let whole =
        pets(&[]).firebrick(&["data", "info", "image_folder", "--root", "data/pets", "--json"]).succeeds();
    assert_eq!(whole.json()["fingerprint"], info["fingerprint"]);
    assert!(whole.json().get("skipped").is_none());
}

#[test]
fn a_class_without_a_readable_image_and_a_data_set_without_files() {
    let sandbox = pets(&[]);
    for number in 0..2 {
        edit(&sandbox, &format!("data/pets/test/dog/{number}.png"), |bytes| bytes.truncate(60));
    }
    let ended = train(&sandbox, &["--set", "data.on_bad_image=skip"]).ends_with(3);
    assert!(ended.stderr.contains("data/pets/test/dog"), "{ended:#?}");
    let sandbox = Sandbox::with_tiny_config();
    let ended = sandbox.train(&["--config", "tiny.toml", "--set", "data.on_bad_image=skip"]).ends_with(2);
    assert!(ended.stderr.contains("`digits` does not lie in image files"), "{ended:#?}");
    let ended = sandbox.train(&["--config", "tiny.toml", "--set", "data.on_bad_image=maybe"]).ends_with(2);
    assert!(ended.stderr.contains("`stop` or `skip`"), "{ended:#?}");
}

#[test]
fn an_image_that_is_predicted_is_whole_too() {
    let sandbox = pets(&[]);
    train(&sandbox, &[]).succeeds();
    for (name, bytes) in damaged() {
        sandbox.write(name, bytes);
        let ended = sandbox.firebrick(&["predict", "run", name]).ends_with(3);
        assert!(ended.stderr.contains(name), "{ended:#?}");
    }
}
