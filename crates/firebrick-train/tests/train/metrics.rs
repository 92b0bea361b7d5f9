//! Metrics beside loss and accuracy, one of them this program's own.

use firebrick_component::Component;
use firebrick_train::config::Override;
use firebrick_train::image_record::ImageRecord;
use firebrick_train::metric::{Metric, MetricConfig};
use firebrick_train::run_folder::RunLocation;
use firebrick_train::{Config, Control, Event, Plan, Split, TrainState, fit};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const CONFIG: &str = r#"
    model = { name = "lenet" }
    data = { dataset = "digits", batch_size = 16, limit = { train = 48, test = 40 } }
    loss = { name = "cross_entropy" }
    optimizer = { name = "sgd", lr = 0.05 }
    trainer = { epochs = 1, backend = "flex" }
"#;

/// The mean probability of the right class, of the images that it is at least `least` for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Confidence {
    least: f32,
}

impl Component for Confidence {}

impl Metric for Confidence {
    fn label(&self) -> String {
        "confidence".to_owned()
    }

    fn compute(&self, images: &[ImageRecord], _num_classes: usize) -> f64 {
        let probabilities = images.iter().map(|image| image.label_probability);
        let found: Vec<f64> = probabilities.filter(|p| *p >= self.least).map(f64::from).collect();
        found.iter().sum::<f64>() / found.len() as f64
    }
}

fn config(metrics: Option<&str>) -> Result<Config, String> {
    MetricConfig::register::<Confidence>("confidence").unwrap();
    let sets: Vec<Override> =
        metrics.map(|list| Override::new("trainer.metrics", list)).into_iter().collect();
    Config::from_toml("metrics", CONFIG, &sets).map_err(|error| error.to_string())
}

const LIST: &str = "[\"accuracy\", { name = \"top_k\", k = 2 }, \"top_k\", \"macro_f1\", \
                    { name = \"confidence\", least = 0.0 }]";

#[test]
fn the_metrics_that_are_listed_are_in_every_record_of_an_evaluation() {
    let plan = Plan::new(config(Some(LIST)).unwrap(), "metrics", &()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let location = RunLocation { run_dir: Some(folder.path().join("run")), ..RunLocation::default() };
    let mut heard = Vec::new();
    let mut observer = |event: &Event| {
        if let Event::Eval(eval) = event {
            heard.push(eval.metrics.clone());
        }
        Control::Continue
    };
    let model = plan.initial_model(&plan.backend.device).unwrap();
    let outcome = fit(&plan, model, &location, &mut observer).unwrap();
    assert_eq!(heard.len(), 1);
    let labels: Vec<&str> = heard[0].keys().map(String::as_str).collect();
    assert_eq!(labels, ["confidence", "macro_f1", "top_2", "top_5"]);
    assert_eq!(outcome.summary.metrics, heard[0]);
    let [top_2, top_5] = ["top_2", "top_5"].map(|label| heard[0][label]);
    let accuracy = outcome.summary.last.unwrap().accuracy;
    assert!(accuracy <= top_2 && top_2 <= top_5 && top_5 <= 1.0, "{accuracy} {heard:?}");
    let summary = std::fs::read_to_string(outcome.run_dir.join("summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["metrics"]["top_2"], top_2);
    // What is written is read back to the same list.
    let text = std::fs::read_to_string(outcome.run_dir.join("config.toml")).unwrap();
    let again = Config::from_toml("again", &text, &[]).unwrap();
    assert_eq!(again.trainer.metrics, plan.config.trainer.metrics);
}

#[test]
fn the_default_list_leaves_no_trace() {
    let text = config(None).unwrap().to_toml().unwrap();
    assert!(!text.contains("metrics"), "{text}");
    assert_eq!(config(Some("[\"accuracy\"]")).unwrap().to_toml().unwrap(), text);
}

#[test]
fn wrong_lists_are_refused() {
    for (list, expected) in [
        ("[\"top_k\", { name = \"top_k\", k = 5 }]", "expected each metric once, got `top_5` twice"),
        ("[{ name = \"top_k\", k = 6 }]", "k: expected a whole number from 1 to 5, got 6"),
        ("[\"acuracy\"]", "unknown metric `acuracy`"),
    ] {
        let message = config(Some(list)).unwrap_err();
        assert!(message.contains(expected), "{list}: {message}");
    }
}

#[test]
fn records_add_up_to_the_score() {
    let plan = Plan::new(config(None).unwrap(), "metrics", &()).unwrap();
    let model = plan.initial_model(&plan.backend.device).unwrap();
    let evaluation = TrainState::new(&plan, model).unwrap().evaluate(Split::Test).unwrap();
    assert_eq!(evaluation.images(), 40);
    assert!(evaluation.records.iter().enumerate().all(|(index, record)| record.index == index));
    let correct = evaluation.records.iter().filter(|record| record.is_correct()).count();
    assert_eq!(evaluation.score.accuracy, correct as f64 / 40.0);
    let mean = evaluation.records.iter().map(|record| record.loss).sum::<f64>() / 40.0;
    assert!((evaluation.score.loss - mean).abs() < 1e-9);
    for record in &evaluation.records {
        // Cross-entropy is minus the logarithm of the label's probability.
        let expected = -f64::from(record.label_probability).ln();
        assert!((record.loss - expected).abs() < 1e-4, "{record:?}");
        assert!(record.top().windows(2).all(|pair| pair[0].probability >= pair[1].probability));
    }
    let confusion = evaluation.confusion();
    assert_eq!(confusion.iter().flatten().sum::<u64>(), 40);
    assert_eq!((0..10).map(|class| confusion[class][class]).sum::<u64>(), correct as u64);
}
