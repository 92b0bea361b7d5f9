//! A check that several optimisers share.

use firebrick_component::{ArgumentError, check};

/// Both decay rates are from 0 to below 1.
pub(super) fn check_betas(betas: [f64; 2]) -> Result<(), ArgumentError> {
    check::below_one("betas[0]", betas[0])?;
    check::below_one("betas[1]", betas[1])
}
