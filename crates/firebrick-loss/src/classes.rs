//! What the losses over classes share: the layout of `[N, C, d1..]`, the shape of its targets, and
//! the bookkeeping of `weight` and `ignore_index`.

use burn::tensor::{Bool, DType, Int, Tensor};
use firebrick_component::ArgumentError;

use crate::error::LossError;
use crate::reduction::Reduction;
use crate::{check, numeric};

/// `[N, C, d1..]` as rows of classes, `[N * d1 * .., C]`; `[C]` is one row.
pub(crate) fn rows<const D: usize>(input: Tensor<D>) -> Tensor<2> {
    let dims = input.dims();
    match D {
        1 => input.reshape([1, dims[0]]),
        2 => input.reshape([dims[0], dims[1]]),
        _ => {
            let positions: usize = dims[2..].iter().product();
            let batch_classes_positions = input.reshape([dims[0], dims[1], positions]);
            batch_classes_positions.swap_dims(1, 2).reshape([dims[0] * positions, dims[1]])
        }
    }
}

/// How many classes an input of this shape has.
pub(crate) fn num_classes(shape: &[usize]) -> usize {
    match shape {
        [classes] => *classes,
        [_, classes, ..] => *classes,
        [] => unreachable!("bug: an input without dimensions has no classes"),
    }
}

/// The shape of one number a position: `[N, C, d1..]` gives `[N, d1..]`, `[C]` gives `[1]`.
pub(crate) fn positions_shape(shape: &[usize]) -> Vec<usize> {
    match shape {
        [] => unreachable!("bug: an input without dimensions has no positions"),
        [_] => vec![1],
        [batch, _, rest @ ..] => [&[*batch], rest].concat(),
    }
}

/// Class indices must have the input's shape without the class dimension.
pub(crate) fn check_target_shape(
    loss: &'static str,
    input: &[usize],
    target: &[usize],
) -> Result<(), LossError> {
    let expected = positions_shape(input);
    check::not_empty(loss, "input", input)?;
    if target == expected {
        return Ok(());
    }
    Err(check::shape(loss, ("target", target), format!("{expected:?}"), ("input", input)))
}

/// A weight must have one number a class.
pub(crate) fn check_weight(
    loss: &'static str,
    weight: Option<&Vec<f64>>,
    input: &[usize],
) -> Result<(), LossError> {
    let classes = num_classes(input);
    match weight {
        Some(weight) if weight.len() != classes => {
            Err(check::shape(loss, ("weight", &[weight.len()]), format!("[{classes}]"), ("input", input)))
        }
        _ => Ok(()),
    }
}

/// A weight must have one number for each of the classes that a classifier tells apart.
pub(crate) fn check_weight_argument(
    weight: Option<&Vec<f64>>,
    num_classes: usize,
) -> Result<(), ArgumentError> {
    match weight {
        Some(weight) if weight.len() != num_classes => {
            let expected = format!("{num_classes} numbers, one a class");
            Err(ArgumentError::new("weight", expected, format!("{} numbers", weight.len())))
        }
        _ => Ok(()),
    }
}

/// How much an image of the class `label` counts in the mean, as [`FlatTargets`] has it on the device: class weights
/// there are numbers of 32 bits.
pub(crate) fn weight_of(label: usize, weight: Option<&Vec<f64>>, ignore_index: i64) -> f64 {
    if i64::try_from(label) == Ok(ignore_index) {
        return 0.0;
    }
    weight.map_or(1.0, |weight| f64::from(weight[label] as f32))
}

/// Class indices must be in `0..C` or be `ignore_index`. Reads the target back.
pub(crate) fn check_target_values<const T: usize>(
    loss: &'static str,
    target: &Tensor<T, Int>,
    classes: usize,
    ignore_index: Option<i64>,
) -> Result<(), LossError> {
    let last = classes as i64 - 1;
    let also = ignore_index.map(|index| ("ignore_index", index));
    check::integers(loss, "target", target, 0..=last, also)
}

/// Class indices as a flat tensor of the device's own integer type: gathers want that type, and a
/// `u8` label cannot be compared with -100.
pub(crate) fn flat_indices<const T: usize>(target: Tensor<T, Int>) -> Tensor<1, Int> {
    let count = target.dims().iter().product::<usize>();
    let wanted = target.device().settings().int_dtype;
    let target = if target.dtype() == DType::from(wanted) { target } else { target.cast(wanted) };
    target.reshape([count])
}

/// Where a column is the class of its row, `[N, C]`.
pub(crate) fn is_class(index: Tensor<1, Int>, num_classes: usize) -> Tensor<2, Bool> {
    let [count] = index.dims();
    let of_row = index.reshape([count, 1]).expand([count, num_classes]);
    Tensor::<1, Int>::arange(0..num_classes as i64, &of_row.device())
        .reshape([1, num_classes])
        .expand([count, num_classes])
        .equal(of_row)
}

/// The class indices of a batch in one row, ready to gather with.
pub(crate) struct FlatTargets {
    /// Class indices, with 0 where the target is ignored.
    pub(crate) index: Tensor<1, Int>,
    /// Where the target is ignored.
    pub(crate) ignored: Tensor<1, Bool>,
    /// The weight of each target: the class's, or 1; 0 where it is ignored.
    pub(crate) weight: Tensor<1>,
    /// Whether `weight` is anything but 0 and 1.
    pub(crate) is_weighted: bool,
}

impl FlatTargets {
    pub(crate) fn new(
        target: Tensor<1, Int>,
        weight: Option<&Vec<f64>>,
        ignore_index: i64,
        like: &Tensor<2>,
    ) -> Self {
        let ignored = target.clone().equal_scalar(ignore_index);
        let index = target.mask_fill(ignored.clone(), 0);
        let weight_of_target = match weight {
            None => Tensor::ones(index.dims(), (&like.device(), like.dtype())),
            Some(weight) => {
                let classes = numeric::constant::<1, 2>(weight, [weight.len()], like);
                classes.gather(0, index.clone())
            }
        };
        Self {
            index,
            weight: weight_of_target.mask_fill(ignored.clone(), 0.0),
            ignored,
            is_weighted: weight.is_some(),
        }
    }

    /// One number a row: the column that the target names.
    pub(crate) fn pick(&self, rows: Tensor<2>) -> Tensor<1> {
        let [count] = self.index.dims();
        let column = self.index.clone().reshape([count, 1]);
        rows.gather(1, column).reshape([count])
    }

    /// Applies the weights to one loss a row, and 0 where the target is ignored.
    pub(crate) fn apply(&self, losses: Tensor<1>) -> Tensor<1> {
        let losses = if self.is_weighted { losses * self.weight.clone() } else { losses };
        losses.mask_fill(self.ignored.clone(), 0.0)
    }

    /// Reduces losses that `apply` has seen; the mean is over the weights, as torch has it, so it is
    /// NaN when every target is ignored.
    pub(crate) fn reduce(
        &self,
        loss: &'static str,
        reduction: Reduction,
        losses: Tensor<1>,
    ) -> Result<Tensor<1>, LossError> {
        match reduction {
            Reduction::Mean => Ok(losses.sum() / self.weight.clone().sum()),
            other => other.reduce(loss, losses),
        }
    }
}

/// Losses in the shape of the target.
pub(crate) fn unflatten<const T: usize>(losses: Tensor<1>, shape: [usize; T]) -> Tensor<T> {
    losses.reshape(shape)
}
