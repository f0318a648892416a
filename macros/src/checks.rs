//! What unit tests of both attributes share.

/// Checks the errors of what was read: each message, and the text it points at.
#[track_caller]
pub(crate) fn check_errors<T>(read: syn::Result<T>, expected: &[(&str, &str)], input: &str) {
    let errors: Vec<(String, String)> = read
        .err()
        .into_iter()
        .flatten()
        .map(|error| (error.to_string(), error.span().source_text().unwrap()))
        .collect();
    let errors: Vec<(&str, &str)> =
        errors.iter().map(|(message, place)| (message.as_str(), place.as_str())).collect();
    assert_eq!(errors, expected, "in `{input}`");
}
