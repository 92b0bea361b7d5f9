//! Whether a network gives what the loss takes: losses of log-probabilities and of probabilities are numbers without
//! meaning on a network's scores, and nothing in training would show it.

use firebrick_loss::{LossConfig, Takes};
use firebrick_models::ImageClassifier;
use firebrick_models::layer::Gives;

/// The key that is wrong where network and loss do not fit.
pub(crate) const KEY: &str = "loss.name";

/// What is known of a network's outputs.
pub(crate) fn of<M: ImageClassifier>(model: &M) -> Gives {
    match model.network() {
        Some(network) => network.plan().gives(),
        None if model.gives_probabilities() => Gives::Probabilities,
        None => Gives::Unknown,
    }
}

/// Checks outputs against the loss; what cannot be known, or is hardly meant, comes back as a sentence to tell.
///
/// # Errors
///
/// What is wrong with `loss.name`, where the outputs are known to be something else than what the loss takes.
pub(crate) fn check(loss: &LossConfig, gives: Gives) -> Result<Option<String>, String> {
    let (takes, name) = (loss.takes(), loss.name());
    match (takes, gives) {
        (Takes::Scores, Gives::Probabilities | Gives::LogProbabilities) if !is_harmless(loss, gives) => {
            let last = if gives == Gives::Probabilities { "probabilities" } else { "log-probabilities" };
            Ok(Some(format!(
                "the network ends in {last}, and the loss `{name}` takes scores, of which it makes probabilities by itself: \
                 it will hardly learn; leave the network's last activation out"
            )))
        }
        (Takes::Anything | Takes::Scores, _)
        | (Takes::LogProbabilities, Gives::LogProbabilities)
        | (Takes::Probabilities, Gives::Probabilities)
        | (Takes::NonNegative, Gives::NonNegative | Gives::Probabilities) => Ok(None),
        (_, Gives::Unknown | Gives::SameAsInput) => Ok(Some(format!(
            "the loss `{name}` takes {}, and whether this network gives them cannot be known",
            wanted(takes)
        ))),
        (_, Gives::Scores | Gives::NonNegative | Gives::Probabilities | Gives::LogProbabilities) => {
            Err(format!(
                "{KEY}: the loss `{name}` takes {}, and the network ends in {}; {}",
                wanted(takes),
                what(gives),
                instead(takes)
            ))
        }
    }
}

/// The softmax of log-probabilities gives the probabilities back: for a loss that begins with one, nothing is lost.
fn is_harmless(loss: &LossConfig, gives: Gives) -> bool {
    gives == Gives::LogProbabilities && loss.begins_with_softmax()
}

fn wanted(takes: Takes) -> &'static str {
    match takes {
        Takes::Anything => "any numbers",
        Takes::Scores => "scores",
        Takes::Probabilities => "probabilities, from 0 to 1",
        Takes::LogProbabilities => "log-probabilities",
        Takes::NonNegative => "numbers from 0",
    }
}

/// What mends it: another loss, or a layer.
fn instead(takes: Takes) -> &'static str {
    match takes {
        Takes::LogProbabilities => {
            "use `cross_entropy`, which is `nll` behind a log_softmax, or add { name = \"log_softmax\" } as the last layer"
        }
        Takes::Probabilities => {
            "use `bce_with_logits`, which is `bce` behind a sigmoid, or add { name = \"sigmoid\" } as the last layer"
        }
        Takes::NonNegative | Takes::Anything | Takes::Scores => {
            "set loss.log_input = true, or let the network end in a `relu`"
        }
    }
}

fn what(gives: Gives) -> &'static str {
    match gives {
        Gives::Probabilities => "probabilities",
        Gives::LogProbabilities => "log-probabilities",
        Gives::NonNegative => "numbers from 0",
        Gives::Scores | Gives::Unknown | Gives::SameAsInput => "scores of any sign",
    }
}
