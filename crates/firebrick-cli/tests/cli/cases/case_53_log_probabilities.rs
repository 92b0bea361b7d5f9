//! Losses of log-probabilities and of probabilities on networks that give neither.

use firebrick::train::{Config, check};

const TEXT: &str = "[model]
name = 'sequential'
input_shape = [1, 8, 8]
layers = [LAYERS]
[data]
dataset = 'digits'
LIMIT
[loss]
LOSS
[optimizer]
name = 'sgd'
lr = 0.01
";

/// What is said of a network that ends in these layers behind its `linear`, with this loss.
fn said(behind: &str, loss: &str) -> Result<Vec<String>, String> {
    let layers = format!("'flatten', {{ name = 'linear', out_features = 10 }}{behind}");
    let text = TEXT
        .replace("LAYERS", &layers)
        .replace("LOSS", loss)
        .replace("LIMIT", "batch_size = 20\nlimit = { train = 20, test = 20 }");
    let config = Config::from_toml("t.toml", &text, &[]).map_err(|error| error.to_string())?;
    check(&config, &()).map(|checked| checked.notices).map_err(|error| error.to_string())
}

#[test]
fn losses_of_log_probabilities_want_a_log_softmax() {
    for loss in ["nll", "kl_div"] {
        let loss = format!("name = '{loss}'");
        let refused = said("", &loss).unwrap_err();
        // The ninth line is [loss], the tenth its name.
        assert!(refused.starts_with("t.toml:10:8: loss.name: the loss `"), "{refused}");
        assert!(
            refused.contains("takes log-probabilities, and the network ends in scores of any sign"),
            "{refused}"
        );
        assert!(refused.contains("add { name = \"log_softmax\" } as the last layer"), "{refused}");
        assert!(said(", 'sigmoid'", &loss).unwrap_err().contains("ends in probabilities"));
        assert!(said(", 'relu'", &loss).unwrap_err().contains("ends in numbers from 0"));
        assert_eq!(said(", 'log_softmax'", &loss), Ok(vec![]));
        assert_eq!(said(", 'log_softmax', { name = 'dropout', p = 0.1 }", &loss), Ok(vec![]));
    }
}

#[test]
fn losses_of_probabilities_want_a_sigmoid() {
    let refused = said("", "name = 'bce'").unwrap_err();
    assert!(
        refused.contains("takes probabilities, from 0 to 1") && refused.contains("bce_with_logits"),
        "{refused}"
    );
    assert!(said(", 'log_softmax'", "name = 'bce'").is_err());
    assert_eq!(said(", 'sigmoid'", "name = 'bce'"), Ok(vec![]));
    let poisson = "name = 'poisson_nll'\nlog_input = false";
    assert!(said("", poisson).unwrap_err().contains("set loss.log_input = true"));
    assert_eq!(said(", 'relu'", poisson), Ok(vec![]));
    assert_eq!(said("", "name = 'poisson_nll'"), Ok(vec![]));
}

#[test]
fn a_second_softmax_is_told() {
    let told = said(", 'sigmoid'", "name = 'cross_entropy'").unwrap();
    assert!(told.len() == 1 && told[0].contains("leave the network's last activation out"), "{told:?}");
    assert_eq!(said(", 'sigmoid'", "name = 'bce_with_logits'").unwrap().len(), 1);
    // The softmax of log-probabilities gives the probabilities back.
    assert_eq!(said(", 'log_softmax'", "name = 'cross_entropy'"), Ok(vec![]));
    for loss in ["cross_entropy", "mse", "multi_margin", "focal", "bce_with_logits"] {
        assert_eq!(said("", &format!("name = '{loss}'")), Ok(vec![]), "{loss}");
    }
}

#[test]
fn what_is_dangerous_is_told_and_what_is_ordinary_is_not() {
    use crate::cli::sandbox::{Sandbox, TINY};
    let sandbox = Sandbox::new();
    sandbox.write("t.toml", TINY.replacen("epochs = 2", "epochs = 2\nmax_steps = 1", 1));
    let run = |run: &str, set: &str| {
        sandbox.train(&["--config", "t.toml", "--run-dir", run, "--quiet", "--set", set]).stderr
    };
    let told = run("lr", "optimizer.lr=50.0");
    assert!(told.contains("the learning rate is 50: one above 10 hardly ever trains anything"), "{told}");
    // A thousandth of the spread makes the images a thousand times as large.
    let told = run("scale", "data.normalize={mean=[0.3], std=[0.0001]}");
    assert!(told.contains("the first loss is") && told.contains("has about 2.3026"), "{told}");
    assert_eq!(run("plain", "optimizer.lr=0.5"), "");
}
