//! Backend names.

use firebrick_train::backend::{BackendChoice, BackendError};

fn parse(text: &str) -> Result<BackendChoice, BackendError> {
    text.parse()
}

#[test]
fn a_name_may_carry_an_index() {
    assert_eq!(parse("auto"), Ok(BackendChoice::Auto));
    assert_eq!(parse("wgpu:1"), Ok(BackendChoice::Named { name: "wgpu".parse().unwrap(), index: Some(1) }));
}

#[test]
fn a_misspelt_name_is_refused_with_a_suggestion() {
    let message = parse("flexx").unwrap_err().to_string();
    assert!(
        message.contains("unknown backend `flexx`") && message.contains("did you mean `flex`?"),
        "{message}"
    );
    assert!(parse("wgpu:x").unwrap_err().to_string().contains("`wgpu:0`"));
}

#[test]
fn a_backend_that_is_not_compiled_in_says_how_to_get_it() {
    let message = parse("rocm").unwrap().open().unwrap_err().to_string();
    assert!(message.contains("not part of this build") && message.contains("--features rocm"), "{message}");
}

#[test]
fn an_index_beyond_the_last_device_is_refused() {
    let message = parse("flex:3").unwrap().open().unwrap_err().to_string();
    assert!(message.contains("has 1 device(s), got index 3"), "{message}");
}

#[test]
fn the_cpu_backends_are_there() {
    for name in ["flex", "ndarray"] {
        assert_eq!(parse(name).unwrap().open().unwrap().name.as_str(), name);
    }
}
