//! Damaged checkpoints, as the binary meets them.

use super::super::sandbox::Sandbox;
use super::{uninterrupted, victim};

#[test]
fn a_restart_passes_over_a_damaged_checkpoint_and_says_so() {
    let sandbox = Sandbox::new();
    let expected = uninterrupted(&sandbox);
    for (number, damage) in ["cut", "flipped", "removed"].into_iter().enumerate() {
        let name = format!("run-{number}");
        let stopped = victim(&sandbox, &name, &["trainer.max_steps=7"]);
        stopped.to_end().unwrap();
        let model = format!("{name}/checkpoints/step-000000007/model.bpk");
        let mut bytes = std::fs::read(sandbox.path(&model)).unwrap();
        match damage {
            "cut" => bytes.truncate(1000),
            "flipped" => bytes[1000] ^= 1,
            _ => std::fs::remove_file(sandbox.path(&model)).unwrap(),
        }
        if damage != "removed" {
            sandbox.write(&model, bytes);
        }
        sandbox.firebrick(&["verify", &name]).ends_with(4);
        let named = format!("--resume={name}/checkpoints/step-000000007");
        let ended = sandbox.train(&["--config", "crash.toml", &named]).ends_with(4);
        assert!(ended.stderr.contains("model.bpk"), "{ended:#?}");
        let ended = sandbox.train(&["--config", "crash.toml", "--run-dir", &name, "--resume"]).succeeds();
        assert!(
            ended.stderr.contains("passed over") && ended.stderr.contains("step-000000006"),
            "{ended:#?}"
        );
        victim(&sandbox, &name, &[]).ends_as(&expected).unwrap();
    }
}
