//! What no compiler checks, held by reading the sources.
#![allow(clippy::unwrap_used, missing_docs)]

mod tidy {
    mod absences;
    mod circles;
    mod lengths;
    mod reader;

    use std::path::Path;
    use std::sync::LazyLock;

    use ::tidy::Workspace;

    /// The sources of this repository.
    static WORKSPACE: LazyLock<Workspace> =
        LazyLock::new(|| Workspace::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap());
}
