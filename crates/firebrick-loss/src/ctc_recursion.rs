//! The forward and backward recursions of CTC in log space, and its gradient.
//!
//! Everything here is a constant of the graph: the gradient is computed by hand, as torch does, and
//! attached at the end. `L = 2 S + 1` is the length of a target with blanks between its labels; `S` is
//! at least 1.

use burn::tensor::{Bool, IndexingUpdateOp, Int, Tensor, TensorData};

/// One batch laid out for the recursions.
pub(crate) struct Alignment<'a> {
    log_probs: Tensor<3>,
    /// Classes at each place of the stretched targets, `[N, L]`.
    symbols: Tensor<2, Int>,
    /// `log_probs` of those classes, `[T, N, L]`.
    log_probs_of_symbols: Tensor<3>,
    /// Whether a place may be reached from two places before it, `[N, L]`.
    can_skip: Tensor<2, Bool>,
    /// Places where an alignment may begin, and end, `[N, L]`.
    starts: Tensor<2, Bool>,
    ends: Tensor<2, Bool>,
    /// Places beyond the end of a target, `[N, L]`.
    beyond: Tensor<2, Bool>,
    input_lengths: &'a [usize],
}

impl<'a> Alignment<'a> {
    pub(crate) fn new(
        log_probs: Tensor<3>,
        targets: Tensor<2, Int>,
        input_lengths: &'a [usize],
        target_lengths: &[usize],
        blank: i64,
    ) -> Self {
        let [steps, batch, _] = log_probs.dims();
        let [_, width] = targets.dims();
        let places = 2 * width + 1;
        let device = log_probs.device();
        let mask = |holds: &dyn Fn(usize, usize) -> bool| {
            let flags = (0..batch).flat_map(|row| (0..places).map(move |place| (row, place)));
            let flags: Vec<bool> = flags.map(|(row, place)| holds(row, place)).collect();
            Tensor::<2, Bool>::from_data(TensorData::new(flags, [batch, places]), &device)
        };
        let last = |row: usize| 2 * target_lengths[row];
        let beyond = mask(&|row, place| place > last(row));
        let symbols = stretch(targets, blank).mask_fill(beyond.clone(), blank);
        let gathered = symbols.clone().reshape([1, batch, places]).expand([steps, batch, places]);
        Self {
            log_probs_of_symbols: log_probs.clone().gather(2, gathered),
            can_skip: differs_from_two_before(&symbols),
            starts: mask(&|row, place| place <= 1 && place <= last(row)),
            ends: mask(&|row, place| place <= last(row) && place + 1 >= last(row)),
            beyond,
            symbols,
            log_probs,
            input_lengths,
        }
    }

    /// The log-probability of having produced the symbols up to each place after each step.
    pub(crate) fn alpha(&self) -> Vec<Tensor<2>> {
        let steps = self.log_probs.dims()[0];
        let mut rows: Vec<Tensor<2>> = Vec::with_capacity(steps);
        for step in 0..steps {
            let emitted = self.emitted(step);
            let row = match rows.last() {
                None => emitted.mask_fill(self.starts.clone().bool_not(), f64::NEG_INFINITY),
                Some(previous) => {
                    let skip =
                        shift(previous, 2).mask_fill(self.can_skip.clone().bool_not(), f64::NEG_INFINITY);
                    log_sum_exp([previous.clone(), shift(previous, 1), skip]) + emitted
                }
            };
            rows.push(row.mask_fill(self.beyond.clone(), f64::NEG_INFINITY));
        }
        rows
    }

    /// The log-probability of producing the rest from each place on, that place's step included.
    fn beta(&self) -> Vec<Tensor<2>> {
        let [steps, batch, _] = self.log_probs.dims();
        let places = self.symbols.dims()[1];
        let mut next = self.nowhere();
        let mut rows = Vec::with_capacity(steps);
        // A place may be left for two places on where that one may be reached from two before.
        let not_left = shift_mask_back(&self.can_skip).bool_not();
        for step in (0..steps).rev() {
            let skip = shift(&next, -2).mask_fill(not_left.clone(), f64::NEG_INFINITY);
            let inner = log_sum_exp([next.clone(), shift(&next, -1), skip]) + self.emitted(step);
            let last = self.emitted(step).mask_fill(self.ends.clone().bool_not(), f64::NEG_INFINITY);
            let is_last = self.rows_where(|length| length == step + 1);
            let is_after = self.rows_where(|length| length <= step);
            next = inner
                .mask_where(is_last.expand([batch, places]), last)
                .mask_fill(is_after.expand([batch, places]), f64::NEG_INFINITY);
            rows.push(next.clone());
        }
        rows.reverse();
        rows
    }

    /// One loss a sample: minus the log-probability of having reached an end at its last step.
    pub(crate) fn losses(&self, alpha: &[Tensor<2>]) -> Tensor<1> {
        let [batch, places] = self.symbols.dims();
        // Before the first step an empty target is already produced, and nothing else is.
        let mut reached = self.nowhere().mask_fill(self.empty_targets(), 0.0);
        for (step, row) in alpha.iter().enumerate() {
            let is_last = self.rows_where(|length| length == step + 1);
            reached = reached.mask_where(is_last.expand([batch, places]), row.clone());
        }
        let reached = reached.mask_fill(self.ends.clone().bool_not(), f64::NEG_INFINITY);
        let largest = reached.clone().max_dim(1);
        let impossible = largest.clone().equal_scalar(f64::NEG_INFINITY);
        let shift = largest.mask_fill(impossible, 0.0);
        let sum = (reached - shift.clone()).exp().sum_dim(1);
        (sum.log() + shift).neg().reshape([batch])
    }

    /// torch's gradient, `exp(log_probs) - posterior`, `[T, N, C]`, 0 after the end of each input.
    pub(crate) fn gradient(&self, alpha: &[Tensor<2>], losses: Tensor<1>) -> Tensor<3> {
        let [steps, batch, _] = self.log_probs.dims();
        let places = self.symbols.dims()[1];
        let cube = [steps, batch, places];
        let alpha = Tensor::stack::<3>(alpha.to_vec(), 0);
        let beta = Tensor::stack::<3>(self.beta(), 0);
        let losses = losses.reshape([1, batch, 1]);
        // alpha and beta both count the step's own symbol, so it is taken out once.
        let beyond = self.beyond.clone().reshape([1, batch, places]).expand(cube);
        let posterior =
            (alpha + beta - self.log_probs_of_symbols.clone() + losses.clone()).exp().mask_fill(beyond, 0.0);
        let symbols = self.symbols.clone().reshape([1, batch, places]).expand(cube);
        // An infinite loss makes the sample's gradient NaN, and so does a class of probability 0 its
        // own, also for classes that no place names: infinity times 0.
        let poison = losses.mul_scalar(0.0) + self.log_probs.clone().mul_scalar(0.0);
        let gradient = (self.log_probs.clone().exp() + poison).scatter(
            2,
            symbols,
            posterior.neg(),
            IndexingUpdateOp::Add,
        );
        let after_end = self.steps_after_end(self.log_probs.dims());
        gradient.mask_fill(after_end, 0.0)
    }

    fn emitted(&self, step: usize) -> Tensor<2> {
        let [batch, places] = self.symbols.dims();
        self.log_probs_of_symbols.clone().narrow(0, step, 1).reshape([batch, places])
    }

    fn nowhere(&self) -> Tensor<2> {
        let like = &self.log_probs;
        Tensor::full(self.symbols.dims(), f64::NEG_INFINITY, (&like.device(), like.dtype()))
    }

    /// Place 0 of targets of length 0: the only place that is both a start and the last end.
    fn empty_targets(&self) -> Tensor<2, Bool> {
        let [batch, places] = self.symbols.dims();
        let second_is_beyond = self.beyond.clone().narrow(1, 1, 1).expand([batch, places]);
        self.ends.clone().bool_and(second_is_beyond)
    }

    /// A column that says for which samples the input's length satisfies `holds`, `[N, 1]`.
    fn rows_where(&self, holds: impl Fn(usize) -> bool) -> Tensor<2, Bool> {
        let flags: Vec<bool> = self.input_lengths.iter().map(|&l| holds(l)).collect();
        let data = TensorData::new(flags, [self.input_lengths.len(), 1]);
        Tensor::from_data(data, &self.log_probs.device())
    }

    fn steps_after_end(&self, shape: [usize; 3]) -> Tensor<3, Bool> {
        let [steps, batch, _] = shape;
        let lengths = self.input_lengths;
        let flags = (0..steps).flat_map(|step| lengths.iter().map(move |&length| step >= length));
        let data = TensorData::new(flags.collect::<Vec<bool>>(), [steps, batch, 1]);
        Tensor::<3, Bool>::from_data(data, &self.log_probs.device()).expand(shape)
    }
}

/// `[blank, t1, blank, t2, .., blank]` for each row.
fn stretch(targets: Tensor<2, Int>, blank: i64) -> Tensor<2, Int> {
    let [batch, width] = targets.dims();
    let first = Tensor::<2, Int>::full([batch, 1], blank, (&targets.device(), targets.dtype()));
    let blanks = targets.full_like(blank);
    let pairs = Tensor::stack::<3>(vec![targets, blanks], 2).reshape([batch, 2 * width]);
    Tensor::cat(vec![first, pairs], 1)
}

/// Where a symbol differs from the one two places before it; never at the first two places.
fn differs_from_two_before(symbols: &Tensor<2, Int>) -> Tensor<2, Bool> {
    let [_, places] = symbols.dims();
    let nowhere = symbols.clone().not_equal(symbols.clone());
    let here = symbols.clone().narrow(1, 2, places - 2);
    let before = symbols.clone().narrow(1, 0, places - 2);
    Tensor::cat(vec![nowhere.narrow(1, 0, 2), here.not_equal(before)], 1)
}

/// Moves the places by `by` (1 or 2) to the right, left where negative, filling with minus infinity.
fn shift(row: &Tensor<2>, by: isize) -> Tensor<2> {
    let [batch, places] = row.dims();
    let distance = by.unsigned_abs();
    let nothing = Tensor::full([batch, distance], f64::NEG_INFINITY, (&row.device(), row.dtype()));
    let kept = places - distance;
    if by > 0 {
        return Tensor::cat(vec![nothing, row.clone().narrow(1, 0, kept)], 1);
    }
    Tensor::cat(vec![row.clone().narrow(1, distance, kept), nothing], 1)
}

/// Moves a mask two places to the left; the last two become false.
fn shift_mask_back(mask: &Tensor<2, Bool>) -> Tensor<2, Bool> {
    let [_, places] = mask.dims();
    // The first two places of this mask are always false: they serve as the filling.
    let first = mask.clone().narrow(1, 0, 2);
    Tensor::cat(vec![mask.clone().narrow(1, 2, places - 2), first], 1)
}

/// `log(exp(a) + exp(b) + exp(c))`, minus infinity where all three are.
fn log_sum_exp(terms: [Tensor<2>; 3]) -> Tensor<2> {
    let [a, b, c] = terms;
    let largest = a.clone().max_pair(b.clone()).max_pair(c.clone());
    let impossible = largest.clone().equal_scalar(f64::NEG_INFINITY);
    let shift = largest.mask_fill(impossible, 0.0);
    let sum = (a - shift.clone()).exp() + (b - shift.clone()).exp() + (c - shift.clone()).exp();
    sum.log() + shift
}

/// Losses with a gradient computed by hand.
///
/// The value must not change, so the gradient goes through terms that are exactly 0. Where it is a
/// number that is `(x - x) gradient`; where it is NaN, a product would spoil the value, so it goes
/// through `exp(log(exp(x) - exp(x)))`, which is 0 and has no derivative.
pub(crate) fn attach(losses: Tensor<1>, log_probs: Tensor<3>, gradient: Tensor<3>) -> Tensor<1> {
    let [_, batch, _] = log_probs.dims();
    let constant = log_probs.clone().inner();
    let is_nan = gradient.clone().is_nan();
    let finite = gradient.mask_fill(is_nan.clone(), 0.0);
    let infinite_input = constant.clone().is_inf();
    let zero = (log_probs.clone() - constant.clone()).mask_fill(infinite_input, 0.0);
    let is_number = is_nan.bool_not();
    let zero_without_derivative = (log_probs.exp() - constant.exp())
        .mask_fill(is_number.clone(), 1.0)
        .log()
        .exp()
        .mask_fill(is_number, 0.0);
    let terms = zero * finite + zero_without_derivative;
    losses + terms.sum_dim(0).sum_dim(2).reshape([batch])
}
