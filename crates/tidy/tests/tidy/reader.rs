//! The reader of sources itself, on crates made up for it.

use std::fs;
use std::path::Path;

use tidy::{Crate, Imports, circles};

/// A crate of these files, as `path: text`.
fn crate_of(name: &str, files: &[(&str, &str)]) -> Crate {
    let src = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).join("src");
    for (path, text) in files {
        let path = src.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Crate::read(name, src).unwrap()
}

fn arrows(name: &str, files: &[(&str, &str)]) -> Vec<String> {
    let imports = Imports::of(&crate_of(name, files));
    imports.arrows.iter().map(|arrow| format!("{}:{} -> {}", arrow.from, arrow.line, arrow.to)).collect()
}

#[test]
fn a_circle_is_told_with_its_lines() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\npub use a::A;\n"),
        ("a.rs", "//! A.\nuse crate::b::B;\npub struct A(B);\n"),
        ("b.rs", "pub enum B { One }\n\nfn f() {\n    let _ = crate::A::new();\n}\n"),
    ];
    let found = circles(&Imports::of(&crate_of("circle", &files)).arrows);
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["a.rs:2 -> b.rs:4 -> a.rs"]);
}

#[test]
fn a_parent_that_reexports_imports_nothing_and_one_that_calls_does() {
    let files = [
        ("lib.rs", "pub mod parent;\n"),
        (
            "parent/mod.rs",
            "mod child;\nmod other;\npub use child::{Child, make};\npub use other::Other;\n\nfn f() {\n    child::g();\n    other(Other);\n}\npub struct Own;\n",
        ),
        ("parent/child.rs", "use super::{Other, Own as Mine};\npub struct Child;\npub fn make() {}\n"),
        ("parent/other.rs", "pub struct Other;\n"),
    ];
    let expected = [
        "parent/child.rs:1 -> parent/mod.rs",
        "parent/child.rs:1 -> parent/other.rs",
        "parent/mod.rs:7 -> parent/child.rs",
        "parent/mod.rs:8 -> parent/other.rs",
    ];
    assert_eq!(arrows("parent", &files), expected);
}

#[test]
fn comments_texts_tests_and_other_crates_do_not_count() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\nmod vec { pub use std::vec::Vec; }\n"),
        (
            "a.rs",
            "/// [`crate::b::B`]\n/* use crate::b::B; /* x */ */\nuse std::fmt;\nconst T: &str = r#\"use crate::b::\"B;\"#;\n\
             const C: char = '\"';\nconst Q: char = '\\'';\nfn f<'a>(x: &'a str) -> fmt::Result { x.b::<u8>() }\n\
             #[cfg(test)]\nmod tests {\n    use crate::b::B;\n}\n#[cfg(test)]\nuse crate::b::B;\n",
        ),
        ("b.rs", "pub struct B;\n"),
    ];
    assert_eq!(arrows("quiet", &files), [] as [&str; 0]);
}

#[test]
fn globs_macros_and_items_made_by_macros_are_followed() {
    let files = [
        ("lib.rs", "#[macro_use]\nmod rules;\nmod family;\nmod user;\nmod glob;\n"),
        ("rules.rs", "macro_rules! twice {\n    ($x:expr) => { $crate::family::help($x) };\n}\n"),
        ("family.rs", "list! {\n    pub enum Family { A(u8) }\n}\npub fn help() {}\n"),
        ("user.rs", "use crate::family::Family as F;\nfn f() { twice!(1); }\n"),
        ("glob.rs", "use crate::family::*;\nfn f() {\n    help();\n}\n"),
    ];
    let expected = [
        "glob.rs:3 -> family.rs",
        "rules.rs:2 -> family.rs",
        "user.rs:1 -> family.rs",
        "user.rs:2 -> rules.rs",
    ];
    assert_eq!(arrows("globs", &files), expected);
}
