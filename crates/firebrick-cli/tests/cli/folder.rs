//! `train FOLDER`: what is found, what is refused and how it is said, and that the run is one like any other.

use super::fixtures::{cifar10, mnist, png};
use super::sandbox::{Ended, Sandbox};

/// `train` without the network and without anybody's cache.
fn train(sandbox: &Sandbox, arguments: &[&str]) -> Ended {
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_train"));
    command.env("FIREBRICK_OFFLINE", "1").env("FIREBRICK_CACHE", sandbox.path("cache"));
    sandbox.run(&mut command, arguments)
}

fn images(sandbox: &Sandbox, folder: &str, count: u8) {
    for number in 0..count {
        let shade = folder.bytes().fold(number, u8::wrapping_add);
        sandbox.write(&format!("{folder}/{number}.png"), png(shade));
    }
}

/// `photos/<class>/*`, five images of each of two classes.
fn flat() -> Sandbox {
    let sandbox = Sandbox::new();
    images(&sandbox, "photos/ant", 5);
    images(&sandbox, "photos/bee", 5);
    sandbox
}

fn refused(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let ended = train(sandbox, arguments);
    assert!([Some(2), Some(3)].contains(&ended.code), "{ended:#?}");
    assert!(!sandbox.path("runs").exists(), "{ended:#?}");
    ended.stderr
}

#[test]
fn a_folder_is_trained_on_and_its_run_is_like_any_other() {
    let sandbox = flat();
    let ended = train(&sandbox, &["photos", "--set", "trainer.epochs=1", "--backend", "flex"]).succeeds();
    for part in
        ["photos: 2 classes, shorter side 12 pixels", "[model]", "epochs", "and --set trainer.epochs=1"]
    {
        assert!(ended.stderr.contains(part), "no {part}: {}", ended.stderr);
    }
    for part in
        ["most often mistaken for", "firebrick evaluate runs/photos-001", "firebrick export runs/photos-001"]
    {
        assert!(ended.stdout.contains(part), "no {part}: {}", ended.stdout);
    }
    let config = sandbox.read("runs/photos-001/config.toml");
    assert!(config.contains("dataset = \"image_folder\"") && config.contains("epochs = 1"), "{config}");
    sandbox.firebrick(&["evaluate", "runs/photos-001"]).succeeds();
    sandbox.firebrick(&["predict", "runs/photos-001", "photos/ant/0.png"]).succeeds();
    sandbox.firebrick(&["export", "runs/photos-001"]).succeeds();
    sandbox.train(&["--resume=runs/photos-001", "--set", "trainer.epochs=2"]).succeeds();
    assert!(sandbox.metrics("runs/photos-001").iter().any(|record| record["epoch"] == 2));
}

#[test]
fn splits_are_found_in_any_case_and_one_folder_down() {
    let sandbox = Sandbox::new();
    for (split, count) in [("Train", 4), ("VALID", 2), ("test", 2)] {
        images(&sandbox, &format!("pets/set/{split}/cat"), count);
        images(&sandbox, &format!("pets/set/{split}/dog"), count);
    }
    let ended = train(&sandbox, &["pets", "--set", "trainer.max_steps=1"]).succeeds();
    insta::assert_snapshot!(ended.stderr.split("\n\nthe network").next().unwrap().trim_end(), @r"
    pets/set: 2 classes, shorter side 12 pixels

    class   Train   VALID   test
    ──────────────────────────────
    cat         4       2      2
    dog         4       2      2
    ");
    assert!(!ended.stderr.contains("validation ="), "{}", ended.stderr);
    assert!(ended.stderr.contains("root = \"pets/set\""), "{}", ended.stderr);
}

#[test]
fn json_has_nothing_between_the_events() {
    let sandbox = flat();
    let ended =
        train(&sandbox, &["photos", "--log-format", "json", "--set", "trainer.max_steps=1"]).succeeds();
    for line in ended.stdout.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    assert_eq!(ended.stderr, "");
}

#[test]
fn what_holds_no_photos_is_said() {
    let sandbox = Sandbox::new();
    sandbox.write("empty/.keep", "");
    sandbox.write("notes/a/read.txt", "");
    sandbox.write("notes/b/read.txt", "");
    images(&sandbox, "loose", 3);
    images(&sandbox, "one/bees", 2);
    images(&sandbox, "deep/animals/cat", 1);
    images(&sandbox, "deep/plants/oak", 1);
    images(&sandbox, "several/one/ant", 1);
    images(&sandbox, "several/one/bee", 1);
    images(&sandbox, "several/two/ant", 1);
    images(&sandbox, "several/two/bee", 1);
    images(&sandbox, "beside", 1);
    images(&sandbox, "beside/ant", 1);
    images(&sandbox, "beside/bee", 1);
    images(&sandbox, "tested/test/ant", 1);
    images(&sandbox, "tested/test/bee", 1);
    images(&sandbox, "kaggle/train", 2);
    sandbox.write("packed/photos.tar.gz", "");
    sandbox.write("hollow/ant/.keep", "");
    sandbox.write("hollow/bee/.keep", "");
    let folders = [
        "missing", "empty", "notes", "loose", "one", "deep", "several", "beside", "tested", "kaggle",
        "packed", "hollow",
    ];
    let said: Vec<String> = folders.iter().map(|folder| refused(&sandbox, &[folder])).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    error: unexpected argument `missing`
    hint: expected a folder of photos, such as photos/ with one folder for each class

    error: empty: folder: expected one folder for each class, got nothing; put the images of each class in a folder of its name

    error: notes: folder: expected images in the class folders, got 2 folders with 2 files that are no images (2 .txt); PNG, JPEG, BMP, GIF, PNM, TIFF and WebP can be read; convert others

    error: loose: folder: expected one folder for each class, got 3 image files and no folder; make a folder for each class and move its images there: the folders' names are what is learned

    error: one: folder: expected two class folders or more, got one, `bees`; add a folder with images of something else: a classifier tells at least two classes apart

    error: deep: folder: expected one folder for each class, with images in it, got images two folders down: deep/animals/cat; the classes have to be the first folders: name the folder that holds them, or move the images up

    error: several: folder: expected one folder for each class, or a folder `train` that has them, got folders that hold folders themselves: `one`, `two`; choose one of them, such as several/one

    error: beside: folder: expected one folder for each class and no image beside them, got 1 image file beside 2 folders; move each image into the folder of its class, or out of here

    error: tested: folder: expected a folder `train` beside the folders of the other splits, got `test`, and no `train`; put the images to learn from in train/<class>/*; if these are the names of classes, rename them

    error: kaggle/train: folder: expected one folder for each class, got 2 image files and no folder; make a folder for each class and move its images there: the folders' names are what is learned

    error: packed: folder: expected one folder for each class, got packed/photos.tar.gz; unpack it first, as in: tar -xf photos.tar.gz

    error: hollow: folder: expected images in the class folders, got 2 folders without a file in them; PNG, JPEG, BMP, GIF, PNM, TIFF and WebP can be read; convert others
    ");
}

#[test]
fn what_is_no_folder_of_photos_is_named_by_its_flag() {
    let sandbox = Sandbox::with_tiny_config();
    sandbox.write("photos.zip", "");
    sandbox.write("photo.jpg", png(1));
    sandbox.write("weights.pth", "");
    images(&sandbox, "photos/ant", 2);
    images(&sandbox, "photos/bee", 2);
    sandbox.train(&["--config", "tiny.toml", "--run-dir", "run", "--quiet"]).succeeds();
    let cases: [&[&str]; 9] = [
        &["tiny.toml"],
        &["missing.toml"],
        &["photos.zip"],
        &["photo.jpg"],
        &["weights.pth"],
        &["run"],
        &["--resume", "run"],
        &["photos", "--config", "tiny.toml"],
        &["photos", "--resume=run"],
    ];
    let said: Vec<String> = cases.iter().map(|arguments| refused(&sandbox, arguments)).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    error: unexpected argument `tiny.toml`
    hint: a config is named by its flag: --config tiny.toml

    error: unexpected argument `missing.toml`
    hint: a config is named by its flag: --config missing.toml

    error: unexpected argument `photos.zip`
    hint: unpack it first, then name the folder

    error: unexpected argument `photo.jpg`
    hint: expected a folder; to ask a trained run: firebrick predict RUN photo.jpg

    error: unexpected argument `weights.pth`
    hint: weights are named by a key: --set model.weights=weights.pth, beside a folder of photos

    error: `run` is a run, and no folder of photos
    hint: to go on with it: firebrick train --resume=run

    error: `run` is a run, and no folder of photos
    hint: a run is named with an equals sign: --resume=run

    error: --config and the folder photos both say what is trained, expected one of them
    hint: to train by the config on this folder: --set data.root=photos

    error: --resume=RUN and the folder photos both say what is trained, expected one of them
    hint: a run goes on with its own data: leave the folder out
    ");
}

#[test]
fn a_published_data_set_has_its_own_config() {
    let sandbox = Sandbox::new();
    cifar10(&sandbox);
    let ended = train(&sandbox, &["data", "--set", "trainer.max_steps=1"]).succeeds();
    assert!(
        ended.stderr.contains("data: the data set cifar10, trained on by configs/tudui-cifar10.toml"),
        "{ended:#?}"
    );
    let inside = ["data/cifar-10-batches-bin", "--set", "trainer.max_steps=1"];
    train(&sandbox, &inside).succeeds();
    let sandbox = Sandbox::new();
    mnist(&sandbox);
    let ended = train(&sandbox, &["data/mnist", "--set", "trainer.max_steps=1"]).succeeds();
    assert!(ended.stderr.contains("the data set mnist"), "{ended:#?}");
}

#[test]
fn what_is_set_decides_what_is_chosen() {
    let sandbox = flat();
    let ended = train(
        &sandbox,
        &[
            "photos",
            "--set",
            "optimizer.name=sgd",
            "--set",
            "model.name=lenet",
            "--set",
            "trainer.max_steps=1",
        ],
    )
    .succeeds();
    let config = sandbox.read("runs/photos-001/config.toml");
    assert!(config.contains("name = \"lenet\"") && config.contains("momentum = 0.9"), "{config}");
    assert!(ended.stderr.contains("and --set optimizer.name=sgd --set model.name=lenet"), "{ended:#?}");
}
