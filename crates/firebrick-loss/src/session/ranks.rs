//! From a rank that is known at run time to one that the compiler knows.

/// Runs a body with the constant `$rank` set to the rank of `$input`; a single number counts as `[1]`.
macro_rules! with_rank {
    ($session:expr, $input:literal, $rank:ident => $body:expr) => {
        match $session.rank($input) {
            0 | 1 => {
                const $rank: usize = 1;
                $body
            }
            2 => {
                const $rank: usize = 2;
                $body
            }
            3 => {
                const $rank: usize = 3;
                $body
            }
            4 => {
                const $rank: usize = 4;
                $body
            }
            5 => {
                const $rank: usize = 5;
                $body
            }
            6 => {
                const $rank: usize = 6;
                $body
            }
            _ => Err($session.rank_error($input, "at most 6 dimensions")),
        }
    };
}

/// Runs a body with `$rank` set to the rank of `input`, `[N, C, d1, ..]` or `[C]`, and `$target_rank` to the
/// rank of one number a position, `[N, d1, ..]` or `[1]`.
macro_rules! with_class_rank {
    ($session:expr, $rank:ident, $target_rank:ident => $body:expr) => {
        match $session.rank("input") {
            0 => Err($session.rank_error("input", "a dimension of classes")),
            1 => {
                const $rank: usize = 1;
                const $target_rank: usize = 1;
                $body
            }
            2 => {
                const $rank: usize = 2;
                const $target_rank: usize = 1;
                $body
            }
            3 => {
                const $rank: usize = 3;
                const $target_rank: usize = 2;
                $body
            }
            4 => {
                const $rank: usize = 4;
                const $target_rank: usize = 3;
                $body
            }
            5 => {
                const $rank: usize = 5;
                const $target_rank: usize = 4;
                $body
            }
            6 => {
                const $rank: usize = 6;
                const $target_rank: usize = 5;
                $body
            }
            _ => Err($session.rank_error("input", "at most 6 dimensions")),
        }
    };
}

/// Calls `forward` or `forward_unreduced`, as the reduction says, and reads the results. `$shape` is that
/// of the unreduced losses.
macro_rules! run {
    ($session:expr, $loss:expr, $reduction:expr, $shape:expr, $($input:expr),+) => {
        if $reduction == $crate::reduction::Reduction::None {
            let losses = $loss.forward_unreduced($($input),+)?;
            $session.finish(losses, $shape)
        } else {
            let loss = $loss.forward($($input),+)?;
            $session.finish(loss, Vec::new())
        }
    };
}

/// Runs a loss of class indices on an input of any rank, `[N, C, d1..]` or `[C]`, and its indices.
macro_rules! run_on_classes {
    ($session:expr, $loss:expr, $reduction:expr) => {{
        let loss = $loss;
        let mut shape = $session.shape("input");
        $crate::session::ranks::with_class_rank!($session, D, T => {
            shape.remove(usize::from(D > 1));
            let input: burn::tensor::Tensor<D> = $session.float("input", "input")?;
            let target: burn::tensor::Tensor<T, burn::tensor::Int> =
                $session.index("target", "input", &input.dims())?;
            $crate::session::ranks::run!($session, loss, $reduction, shape, input, target)
        })
    }};
}

pub(crate) use {run, run_on_classes, with_class_rank, with_rank};
