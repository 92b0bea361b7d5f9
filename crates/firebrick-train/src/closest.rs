//! "Did you mean ..?"

/// The candidate most like `got`, if one is like it at all: at most a third of it mistyped.
pub(crate) fn closest<'a>(got: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(got, candidate), candidate))
        .filter(|(mistakes, candidate)| *mistakes <= candidate.len().div_ceil(3))
        .min_by_key(|(mistakes, _)| *mistakes)
        .map(|(_, candidate)| candidate)
}
