//! `firebrick verify`: every file of a run, and resuming itself.

use super::super::sandbox::Sandbox;
use super::victim;

#[test]
fn every_file_of_a_good_run_is_listed() {
    let sandbox = Sandbox::new();
    victim(&sandbox, "run", &[]).to_end().unwrap();
    let ended = sandbox.firebrick(&["verify", "run"]).succeeds();
    for line in [
        "run/checkpoints/step-000000012: good, step 12",
        "run/checkpoints/LATEST: good, names step-000000012",
        "run/checkpoints/BEST: good, names step-",
        "run/config.toml: good",
        "run/metrics.jsonl: good, 12 steps, each once",
        "run/environment.json: good",
        "run/summary.json: good, completed at step 12",
    ] {
        assert!(ended.stdout.contains(line), "{line}: {ended:#?}");
    }
}

#[test]
fn each_wrong_file_is_named_with_what_is_wrong() {
    let sandbox = Sandbox::new();
    victim(&sandbox, "run", &[]).to_end().unwrap();
    let metrics = sandbox.read("run/metrics.jsonl");
    let without_line_3: String = metrics
        .lines()
        .enumerate()
        .map(|(index, line)| if index == 2 { " ".repeat(line.len()) } else { line.to_owned() } + "\n")
        .collect();
    let another_step = metrics.replacen("\"step\":3", "\"step\":4", 1);
    let summary = sandbox.read("run/summary.json");
    let sha256 = sandbox.read_json("run/summary.json")["weights_sha256"].as_str().unwrap().to_owned();
    let wrongs: [(&str, String, &[&str]); 9] = [
        ("run/metrics.jsonl", metrics[..metrics.len() / 2].to_owned(), &["expected at least", "bytes"]),
        ("run/metrics.jsonl", without_line_3, &["expected JSON", "line 3"]),
        ("run/metrics.jsonl", another_step, &["expected step 3, got step 4 in line 3"]),
        ("run/summary.json", summary.replace(&sha256, "another"), &["weights_sha256", "got another"]),
        ("run/summary.json", "{".to_owned(), &["expected JSON"]),
        ("run/environment.json", String::new(), &["expected JSON"]),
        (
            "run/checkpoints/LATEST",
            "step-000000099\n".to_owned(),
            &["the name of a checkpoint", "step-000000099"],
        ),
        ("run/checkpoints/BEST", "../../etc".to_owned(), &["the name of a checkpoint"]),
        ("run/config.toml", "[trainer]\nepoch = 3\n".to_owned(), &["config.toml"]),
    ];
    for (name, wrong, parts) in wrongs {
        let good = sandbox.read(name);
        sandbox.write(name, wrong);
        let ended = sandbox.firebrick(&["verify", "run"]).ends_with(4);
        for part in [&[name], parts].concat() {
            assert!(ended.stderr.contains(part), "no `{part}`: {ended:#?}");
        }
        sandbox.write(name, good);
    }
    sandbox.firebrick(&["verify", "run"]).succeeds();
}

#[test]
fn a_replay_proves_resuming_on_a_short_run() {
    let sandbox = Sandbox::new();
    victim(&sandbox, "unused", &[]);
    let ended =
        sandbox.firebrick(&["verify", "--replay", "crash.toml", "--set", "trainer.max_steps=8"]).succeeds();
    let hashes: Vec<&str> = ended
        .stdout
        .lines()
        .filter(|line| line.contains("step    8"))
        .map(|line| line.split("weights ").nth(1).unwrap())
        .collect();
    // Never stopped, stopped in the evaluation at the end, resumed.
    assert_eq!(hashes.len(), 3, "{ended:#?}");
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{ended:#?}");
    assert!(hashes[0].contains("average"), "{ended:#?}");
    assert!(ended.stdout.matches("\nstopped").count() == 4, "{ended:#?}");
    assert_eq!(sandbox.entries(), ["crash.toml"]);
}
