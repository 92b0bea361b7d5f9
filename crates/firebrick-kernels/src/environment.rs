//! The environment variables that the kernels listen to, checked: a value that means nothing is said and not ignored.

use std::env;
use std::ffi::OsStr;

use crate::cpu::{Broadcast, ISA_VARIABLE, Isa, TILES_VARIABLE, WINOGRAD_VARIABLE};

/// The environment variable that leaves everything to Burn's own operations when it is `0`: to compare
/// with, and to find out whose a wrong number is.
pub(crate) const KERNELS_VARIABLE: &str = "FIREBRICK_KERNELS";

/// The environment variable that says how many threads the kernels have; rayon's own.
pub(crate) const THREADS_VARIABLE: &str = "RAYON_NUM_THREADS";

/// The names of all of them.
pub const VARIABLES: [&str; 5] =
    [ISA_VARIABLE, TILES_VARIABLE, WINOGRAD_VARIABLE, KERNELS_VARIABLE, THREADS_VARIABLE];

/// An environment variable with a value that it cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongVariable {
    /// Its name.
    pub variable: &'static str,
    /// What it may be.
    pub expected: String,
    /// What it is.
    pub got: String,
}

/// Checks the variables of this process. One that is empty counts as unset.
///
/// # Errors
///
/// The first with a value that it cannot have.
pub fn check_environment() -> Result<(), WrongVariable> {
    VARIABLES.into_iter().try_for_each(|variable| match env::var_os(variable) {
        Some(value) if !value.is_empty() => check(variable, &value),
        Some(_) | None => Ok(()),
    })
}

fn check(variable: &'static str, value: &OsStr) -> Result<(), WrongVariable> {
    let text = value.to_str().map(str::trim);
    let is_one_of = |names: &[&str]| text.is_some_and(|text| names.contains(&text));
    let (is_allowed, expected) = match variable {
        ISA_VARIABLE => {
            let available: Vec<&str> = Isa::available().into_iter().map(Isa::name).collect();
            (is_one_of(&available), format!("one of {}, which this machine has", available.join(", ")))
        }
        TILES_VARIABLE => {
            let is_known = text.is_some_and(|text| Broadcast::from_name(text).is_some());
            (is_known, Broadcast::ALL.map(Broadcast::name).join(" or "))
        }
        WINOGRAD_VARIABLE | KERNELS_VARIABLE => {
            (is_one_of(&["0", "1"]), "0 (off) or 1 (on, as without the variable)".to_owned())
        }
        _ => (
            text.is_some_and(|text| text.parse::<usize>().is_ok()),
            "a number of threads, or 0 for as many as there are cores".to_owned(),
        ),
    };
    match is_allowed {
        true => Ok(()),
        false => Err(WrongVariable { variable, expected, got: value.to_string_lossy().into_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(variable: &'static str, value: &str) -> bool {
        check(variable, OsStr::new(value)).is_ok()
    }

    #[test]
    fn what_a_variable_cannot_be_is_refused() {
        for variable in VARIABLES {
            for value in ["maybe", "x", "-1", "2.5", "0 1", "Ä"] {
                let Err(error) = check(variable, OsStr::new(value)) else {
                    panic!("{variable}={value} is let through")
                };
                assert_eq!((error.variable, error.got.as_str()), (variable, value));
                assert!(!error.expected.is_empty());
            }
        }
        assert!(!is_allowed(KERNELS_VARIABLE, "2"));
        assert!(!is_allowed(ISA_VARIABLE, "AVX2"));
        let lacking = Isa::ALL.into_iter().find(|isa| !isa.is_available());
        assert!(lacking.is_none_or(|isa| !is_allowed(ISA_VARIABLE, isa.name())));
    }

    #[test]
    fn what_a_variable_can_be_is_let_through() {
        let good = [
            (ISA_VARIABLE, "portable"),
            (TILES_VARIABLE, "embedded"),
            (TILES_VARIABLE, " wide "),
            (WINOGRAD_VARIABLE, "0"),
            (KERNELS_VARIABLE, "1"),
            (THREADS_VARIABLE, "0"),
            (THREADS_VARIABLE, "16"),
        ];
        for (variable, value) in good {
            assert!(is_allowed(variable, value), "{variable}={value}");
        }
    }
}
