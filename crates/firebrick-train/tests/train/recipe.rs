//! The config that is made for a folder of photos.

use std::path::Path;

use firebrick_models::ModelConfig;
use firebrick_models::weights::{NameStyle, save_safetensors};
use firebrick_train::recipe::{Found, RecipeOptions};
use firebrick_train::{Recipe, TrainError};

/// No test fetches anything.
struct Offline;

impl firebrick_data::Progress for Offline {
    fn stage(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn is_offline(&self) -> bool {
        true
    }
}

const SCRATCH: RecipeOptions = RecipeOptions { from_scratch: true };

fn images(root: &Path, folder: &str, count: usize, [height, width]: [usize; 2]) {
    let folder = root.join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let mut picture = format!("P6\n{width} {height}\n255\n").into_bytes();
    picture.resize(picture.len() + height * width * 3, 100);
    for number in 0..count {
        std::fs::write(folder.join(format!("{number}.ppm")), &picture).unwrap();
    }
}

fn recipe(root: &Path, set: &[&str], options: RecipeOptions) -> Result<Recipe, TrainError> {
    let overrides: Vec<_> = set.iter().map(|one| one.parse().unwrap()).collect();
    Recipe::for_folder(root, &overrides, options, &Offline)
}

/// The value of a choice as a config writes it; empty where there is none.
fn chosen(recipe: &Recipe, key: &str) -> String {
    let choice = recipe.choices.iter().find(|choice| choice.key == key);
    choice.map_or_else(String::new, |choice| choice.value.to_string())
}

#[test]
fn a_flat_folder_gives_a_fifth_of_each_class_to_the_test() {
    let folder = tempfile::tempdir().unwrap();
    images(folder.path(), "ant", 10, [120, 100]);
    images(folder.path(), "bee", 10, [100, 150]);
    let recipe = recipe(folder.path(), &[], SCRATCH).unwrap();
    assert_eq!(chosen(&recipe, "data.validation"), "0.2");
    assert_eq!(chosen(&recipe, "model.name"), "\"resnet18\"");
    assert_eq!(chosen(&recipe, "model.input_shape"), "[3, 128, 128]");
    assert!(recipe.notice.is_some());
    let Found::Photos(survey) = &recipe.found else { panic!("{:?}", recipe.found) };
    assert_eq!(survey.splits[0].counts, [10, 10]);
    assert_eq!((survey.sizes.smallest, survey.sizes.looked_at), (100, 20));
}

#[test]
fn what_is_held_out_follows_the_splits() {
    for (splits, expected) in [
        (&["train"][..], "0.2"),
        (&["train", "val"], ""),
        (&["train", "Validation"], ""),
        (&["train", "test"], "0.2"),
        (&["TRAIN", "valid", "test"], ""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for split in splits {
            images(folder.path(), &format!("{split}/ant"), 5, [40, 40]);
            images(folder.path(), &format!("{split}/bee"), 5, [40, 40]);
        }
        let recipe = recipe(folder.path(), &[], SCRATCH).unwrap();
        assert_eq!(chosen(&recipe, "data.validation"), expected, "{splits:?}");
        firebrick_data::open(
            &recipe.config.data,
            firebrick_data::InputShape { channels: 3, height: 32, width: 32 },
            0,
            &(),
        )
        .unwrap_or_else(|error| panic!("{splits:?}: {error}"));
    }
}

#[test]
fn few_images_train_the_last_layer_and_many_train_everything() {
    let folder = tempfile::tempdir().unwrap();
    images(folder.path(), "train/ant", 100, [8, 8]);
    images(folder.path(), "train/bee", 100, [8, 8]);
    images(folder.path(), "val/ant", 1, [8, 8]);
    images(folder.path(), "val/bee", 1, [8, 8]);
    let set = ["model.name=mobilenet_v2", "model.weights=some.pth"];
    let few = recipe(folder.path(), &set, RecipeOptions::default()).unwrap();
    assert_eq!(chosen(&few, "model.freeze"), r#"["*", "!classifier.1.*"]"#);
    assert_eq!(chosen(&few, "trainer.epochs"), "19");
    assert_eq!(chosen(&few, "model.name"), "", "what is set is not chosen");
    images(folder.path(), "train/ant", 1000, [8, 8]);
    let many = recipe(folder.path(), &set, RecipeOptions::default()).unwrap();
    assert!(chosen(&many, "model.freeze").contains("until_epoch = 1"), "{}", many.text);
    assert_eq!(chosen(&many, "optimizer.lr_decay_by_depth"), "0.75");
}

#[test]
fn a_file_of_weights_tells_its_network() {
    let folder = tempfile::tempdir().unwrap();
    images(folder.path(), "photos/ant", 4, [8, 8]);
    images(folder.path(), "photos/bee", 4, [8, 8]);
    let table: toml::Table = "name = 'squeezenet1_1'".parse().unwrap();
    let network: ModelConfig = firebrick_component::read(toml::Value::Table(table)).unwrap();
    let device = burn::tensor::Device::flex();
    let weights = folder.path().join("weights.safetensors");
    save_safetensors(&network.init(0, &device), &weights, NameStyle::Firebrick, &Default::default()).unwrap();
    let set = format!("model.weights={}", weights.display());
    let found = recipe(&folder.path().join("photos"), &[&set], RecipeOptions::default()).unwrap();
    assert_eq!(chosen(&found, "model.name"), "\"squeezenet1_1\"");
    images(folder.path(), "no-weights", 1, [8, 8]);
    let other = format!("model.weights={}", folder.path().join("no-weights/0.ppm").display());
    let error = recipe(&folder.path().join("photos"), &[&other], RecipeOptions::default()).unwrap_err();
    assert!(matches!(error, TrainError::Weights(_)), "{error}");
}

#[test]
fn the_text_of_a_recipe_is_its_config() {
    let folder = tempfile::tempdir().unwrap();
    images(folder.path(), "ant", 3, [30, 30]);
    images(folder.path(), "bee", 3, [30, 30]);
    for set in [
        &[][..],
        &["model.name=resnet50", "model.weights=x.pth"],
        &["optimizer.name=sgd"],
        &["optimizer.name=lion"],
    ] {
        let recipe = recipe(folder.path(), set, RecipeOptions::default());
        let recipe = recipe.unwrap_or_else(|error| panic!("{set:?}: {error}"));
        let overrides: Vec<_> = set.iter().map(|one| one.parse().unwrap()).collect();
        let again = firebrick_train::Config::from_toml("again", &recipe.text, &overrides).unwrap();
        assert_eq!(again.to_toml().unwrap(), recipe.config.to_toml().unwrap(), "{set:?}");
        assert!(recipe.config.without_effect().is_empty(), "{:?}", recipe.config.without_effect());
    }
}
