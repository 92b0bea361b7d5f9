//! A data set of files with these bytes, opened and read.

use firebrick_data::{DataConfig, InputShape, open};

pub fn read(dataset: &str, names: &[&str], bytes: &[u8]) {
    let root = tempfile::tempdir().expect("a folder");
    for name in names {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, bytes).expect("a file");
    }
    let text = format!("dataset = {dataset}\nvalidation = 0.5");
    let mut config: DataConfig = toml::from_str(&text).expect("a config");
    config.root = root.path().to_path_buf();
    let input = InputShape { channels: 3, height: 8, width: 8 };
    let Ok(datasets) = open(&config, input, 0, &()) else { return };
    for split in [&datasets.train, &datasets.test] {
        for index in 0..split.len().min(64) {
            let _ = split.get(0, index);
        }
    }
}
