//! `data.class_weights`: the sizes of the training split's classes become the loss's `weight`.

use firebrick_component::text;
use firebrick_data::Datasets;
use firebrick_loss::LossConfig;
use toml::{Table, Value};

use crate::config::Config;
use crate::error::TrainError;

const KEY: &str = "data.class_weights";

/// Puts the weights that `data.class_weights` asks for into `config.loss`, where they stay: the run's config has the numbers. Gives
/// a sentence that tells them; none where no weights are asked for.
///
/// # Errors
///
/// [`TrainError::Config`] for a loss that has weights already, or that takes none for classes; [`TrainError::Data`] for a class without
/// images.
pub(crate) fn resolve(config: &mut Config, datasets: &Datasets) -> Result<Option<String>, TrainError> {
    let Some(class_weights) = config.data.class_weights else { return Ok(None) };
    let counts = datasets.train_class_counts.as_ref();
    let counts = counts.unwrap_or_else(|| unreachable!("bug: the classes were not counted"));
    let names = &datasets.info.class_names;
    let weights = class_weights.resolve(counts, names)?;
    config.loss = with_weights(config, &weights).map_err(|message| config.refused_at(KEY, message))?;
    config.data.class_weights = None;
    Ok(Some(format!("class weights (balanced): {}", told(names, &weights))))
}

/// The loss with these weights, if it counts the images of a class by them.
fn with_weights(config: &Config, weights: &[f64]) -> Result<LossConfig, String> {
    let name = config.loss.name();
    let none = || {
        format!(
            "{KEY}: the loss `{name}` takes no weights of classes; use one that does, such as `cross_entropy`"
        )
    };
    let mut table = Table::try_from(&config.loss).map_err(|_| none())?;
    if table.contains_key("weight") {
        return Err(format!(
            "{KEY}: expected nothing beside `loss.weight`, got \"balanced\"; leave one of them out"
        ));
    }
    let numbers = weights.iter().copied().map(Value::Float).collect();
    table.insert("weight".to_owned(), Value::Array(numbers));
    let loss: LossConfig = Value::Table(table).try_into().map_err(|_| none())?;
    // Some losses have a weight of another meaning.
    let trained = loss.for_classes(weights.len()).map_err(|_| none())?;
    // It computes with 32 bits.
    let counts_so =
        weights.iter().enumerate().all(|(class, weight)| trained.weight(class) as f32 == *weight as f32);
    if counts_so { Ok(loss) } else { Err(none()) }
}

/// The weights of the first classes.
fn told(names: &[String], weights: &[f64]) -> String {
    const SHOWN: usize = 10;
    let pairs = names.iter().zip(weights).take(SHOWN);
    let mut shown: Vec<String> =
        pairs.map(|(name, weight)| format!("{} {weight:.4}", text::one_line(name))).collect();
    if weights.len() > SHOWN {
        shown.push(format!("and {} more (loss.weight in the run's config)", weights.len() - SHOWN));
    }
    shown.join(", ")
}
