//! The environment: what it says to us, and what the libraries below us expect of it, so that they keep quiet.

use firebrick::train::backend::{check_environment, misspelt_variables};

use crate::console::say;
use crate::message::{Failure, warning};
use crate::style::Style;

/// Checks the variables that Firebrick listens to, and tells of those that almost have the name of one.
///
/// # Errors
///
/// A variable with a value that it cannot have.
pub fn check() -> Result<(), Failure> {
    check_environment()?;
    for (name, meant) in misspelt_variables() {
        let text = format!("environment variable {name} has no effect; did you mean {meant}?");
        say(&warning(&text, Style::stderr()));
    }
    Ok(())
}

/// Gives the process the variable `XDG_RUNTIME_DIR` if it has none, as in a container or over ssh.
///
/// Mesa's Vulkan driver asks a Wayland server which GPU shows the screen, whenever somebody looks for a GPU, and
/// libwayland prints "error: XDG_RUNTIME_DIR is invalid" if it does not know where to look. A program may not
/// change its own environment without unsafe code, so it starts itself again with the variable; nothing has been
/// done yet that would be lost. Where that fails the program goes on with one line too many.
#[cfg(target_os = "linux")]
pub fn complete() {
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::Command;

    const VARIABLE: &str = "XDG_RUNTIME_DIR";
    // libwayland asks only for an absolute path. Nobody can make this one, so no server of somebody else's is found there.
    const NOWHERE: &str = "/nonexistent";
    if std::env::var_os(VARIABLE).is_some_and(|folder| Path::new(&folder).is_absolute()) {
        return;
    }
    let mut arguments = std::env::args_os();
    if let (Some(name), Ok(program)) = (arguments.next(), std::env::current_exe()) {
        let mut again = Command::new(program);
        again.arg0(name).args(arguments).env(VARIABLE, NOWHERE);
        // It comes back only if it could not be done.
        let _ = again.exec();
    }
}

/// Elsewhere nothing is missing.
#[cfg(not(target_os = "linux"))]
pub fn complete() {}
