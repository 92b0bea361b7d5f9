//! The environment variables that Firebrick listens to.

use super::error::BackendError;
use crate::closest::closest;

/// What the names of our own begin with.
const PREFIX: &str = "FIREBRICK_";

/// Checks the environment variables that the kernels listen to. Opening a backend does it, too; a program that opens none
/// may ask here.
///
/// # Errors
///
/// [`BackendError::Environment`] for the first with a value that it cannot have.
pub fn check_environment() -> Result<(), BackendError> {
    Ok(firebrick_kernels::check_environment()?)
}

/// Variables of this process that look like one of ours and are none, each with the one that was probably meant:
/// `FIREBRICK_KERNEL` and `FIREBRICK_KERNELS`.
pub fn misspelt_variables() -> Vec<(String, &'static str)> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter_map(misspelt).collect()
}

fn misspelt(name: String) -> Option<(String, &'static str)> {
    let variables = firebrick_kernels::VARIABLES;
    let own = name.strip_prefix(PREFIX).filter(|_| !variables.contains(&name.as_str()))?;
    let known = variables.into_iter().filter_map(|variable| variable.strip_prefix(PREFIX));
    let meant = closest(own, known)?;
    let variable = variables.into_iter().find(|variable| variable.ends_with(meant))?;
    Some((name, variable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_almost_ours_are_found() {
        let meant = |name: &str| misspelt(name.to_owned()).map(|(_, meant)| meant);
        assert_eq!(meant("FIREBRICK_KERNEL"), Some("FIREBRICK_KERNELS"));
        assert_eq!(meant("FIREBRICK_WINOGARD"), Some("FIREBRICK_WINOGRAD"));
        for other in ["FIREBRICK_KERNELS", "FIREBRICK_GOLDEN_DIR", "FIREBRICK_HOME", "KERNEL", "PATH"] {
            assert_eq!(meant(other), None, "{other}");
        }
    }
}
