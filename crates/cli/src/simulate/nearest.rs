//! The name that may be meant by one that is not known.

/// The nearest of the known names, if it is near: a third of the letters may differ.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded: Vec<char> = name.to_lowercase().chars().take(LONGEST).collect();
    let reach = (folded.len() / 3).clamp(1, 4);
    known
        .into_iter()
        .filter(|known| known.len().abs_diff(name.len()) <= 2 * reach)
        .map(|known| (distance(&folded, known, reach), known))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// `did you mean ...?`
pub(crate) fn advice<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|found| format!("did you mean `{found}`?"))
}

/// Longer names are compared by their heads.
const LONGEST: usize = 128;

/// The edits between two names without regard to case; exchanging neighbours counts as one. What
/// is beyond `reach` is just beyond.
fn distance(name: &[char], known: &str, reach: usize) -> usize {
    let known: Vec<char> = known.to_lowercase().chars().take(LONGEST).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=known.len()).collect();
    for (row, letter) in name.iter().enumerate() {
        let mut line = Vec::with_capacity(above.len());
        line.push(row + 1);
        for (column, other) in known.iter().enumerate() {
            let at = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut fewest = (at(&above, column + 1) + 1)
                .min(at(&line, column) + 1)
                .min(at(&above, column) + usize::from(letter != other));
            let crossed = row > 0
                && column > 0
                && name.get(row - 1) == Some(other)
                && known.get(column - 1) == Some(letter);
            if crossed {
                fewest = fewest.min(at(&before, column - 1) + 1);
            }
            line.push(fewest);
        }
        if line.iter().all(|edits| *edits > reach) {
            return usize::MAX;
        }
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["Effect", "Action", "NotAction", "Resource", "Condition"];
        for (name, expected) in [
            ("Efect", Some("Effect")),
            ("effect", Some("Effect")),
            ("Acton", Some("Action")),
            ("Actoin", Some("Action")),
            ("Resources", Some("Resource")),
            ("NotActions", Some("NotAction")),
            ("Principal", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
        let long = "x".repeat(100_000);
        assert_eq!(nearest(&long, known), None);
    }
}
