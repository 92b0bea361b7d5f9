//! `data preview`: the picture of a training batch.

use super::fixtures;
use super::sandbox::Sandbox;

/// Shows the first images of the CIFAR-10 fixture, with these lines in `[data]`; gives the picture.
fn preview(sandbox: &Sandbox, data: &str, count: usize) -> image::RgbImage {
    let config = format!(
        "[model]\nname = \"tudui\"\n[data]\ndataset = \"cifar10\"\nbatch_size = 2\nshuffle = false\n{data}\n\
         [loss]\nname = \"cross_entropy\"\n[optimizer]\nname = \"sgd\"\nlr = 0.1\n"
    );
    sandbox.write("preview.toml", config);
    let count = count.to_string();
    let arguments = ["data", "preview", "preview.toml", "--out", "out.png", "--count", &count];
    let said = sandbox.firebrick(&arguments).succeeds();
    assert!(said.stdout.starts_with(&format!("out.png: {count} images of epoch 1")), "{said:#?}");
    image::open(sandbox.path("out.png")).unwrap().into_rgb8()
}

#[test]
fn preview_shows_originals_and_what_is_trained_on() {
    let sandbox = Sandbox::new();
    fixtures::cifar10(&sandbox);
    let flip = "augment = [{ name = \"random_horizontal_flip\", p = 1.0 }]";
    let picture = preview(&sandbox, flip, 3);
    // Enlarged by 3, with 8 pixels round the cells and 2 between the images; a line of text below.
    assert_eq!(picture.dimensions(), (8 + 3 * (2 * 96 + 10), 8 + 96 + 20));
    let bytes = std::fs::read(sandbox.path("data/cifar-10-batches-bin/data_batch_1.bin")).unwrap();
    for (number, record) in bytes.chunks_exact(fixtures::CIFAR_RECORD).take(3).enumerate() {
        let left = 8 + number as u32 * 202;
        for (x, y) in (0..32_u32).flat_map(|x| (0..32_u32).map(move |y| (x, y))) {
            let stored = |channel: u32| record[(1 + channel * 1024 + y * 32 + x) as usize];
            let stored = [stored(0), stored(1), stored(2)];
            assert_eq!(picture.get_pixel(left + 3 * x, 8 + 3 * y).0, stored, "original {number}: {x}, {y}");
            let flipped = picture.get_pixel(left + 98 + 3 * (31 - x) + 2, 8 + 3 * y + 2).0;
            assert_eq!(flipped, stored, "trained {number}: {x}, {y}");
        }
    }
    let is_text = |y: u32| (0..picture.width()).any(|x| picture.get_pixel(x, y).0 == [235; 3]);
    assert!((107..115).any(is_text), "the class is written below");
}

#[test]
fn preview_writes_the_shares_of_mixed_images_below() {
    let sandbox = Sandbox::new();
    fixtures::cifar10(&sandbox);
    let picture = preview(&sandbox, "batch_augment = [\"mixup\"]", 2);
    assert_eq!(picture.height(), 8 + 96 + 30, "two lines of text");
}

#[test]
fn preview_refuses_what_it_cannot_show_and_overwrites_nothing() {
    let sandbox = Sandbox::with_tiny_config();
    sandbox.write("mine.png", "precious");
    let preview =
        |arguments: &[&str]| sandbox.firebrick(&[&["data", "preview", "tiny.toml"], arguments].concat());
    preview(&["--out", "mine.png"]).ends_with(4);
    assert_eq!(sandbox.read("mine.png"), "precious");
    assert!(preview(&["--count", "0"]).ends_with(2).stderr.contains("--count 0: expected 1 to 1024"));
    assert!(preview(&["--epoch", "0"]).ends_with(2).stderr.contains("counted from 1"));
    let wrong =
        preview(&["--set", "data.augment=[{ name = \"random_resized_crop\", size = 5 }]"]).ends_with(2);
    assert!(wrong.stderr.contains("data.augment: expected steps that end with the size"), "{wrong:#?}");
}
