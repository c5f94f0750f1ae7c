//! Command lines that are to be pasted into a shell.
//!
//! Paths of ARNs may hold any printable character, `;` and `$(` too, and whoever may make a policy chooses
//! them: no word of a line may be read as anything but itself.

/// A word as a POSIX shell reads it back.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The words of a line. One that begins with a quote is as [`quoted`] writes it and may hold spaces; all
/// others are taken letter by letter.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'').and_then(unquoted) {
            Some(split) => split,
            None => match rest.split_once(|c: char| c.is_ascii_whitespace()) {
                Some((word, after)) => (word.to_owned(), after),
                None => (rest.to_owned(), ""),
            },
        };
        found.push(word);
        rest = after.trim_start();
    }
    found
}

/// What stands after an opening quote: the word, and the rest of the line. None without its end.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('\'')?;
        word.push_str(part);
        let Some(more) = after.strip_prefix("\\''") else {
            let ends = after.is_empty() || after.starts_with(|c: char| c.is_ascii_whitespace());
            return ends.then_some((word, after));
        };
        word.push('\'');
        rest = more;
    }
}

/// A line with each word as a shell reads it back.
pub(crate) fn line(line: &str) -> String {
    words(line).iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_word_is_more_than_itself() {
        let plain =
            "aws iam put-user-policy --user-name a.b+c=d,e@f --policy-document file://policy.json";
        assert_eq!(line(plain), plain);
        let arn = "arn:aws:iam::123456789012:policy/;curl${IFS}x|sh;'/p";
        let found = line(&format!("aws iam delete-policy --policy-arn {arn}"));
        assert_eq!(
            found,
            r"aws iam delete-policy --policy-arn 'arn:aws:iam::123456789012:policy/;curl${IFS}x|sh;'\''/p'"
        );
        assert_eq!(words(&found).last().unwrap(), arn);
        assert_eq!(
            line(&format!("x {}", quoted("an alarm's `name`"))),
            r"x 'an alarm'\''s `name`'"
        );
        assert_eq!(words("'open end"), ["'open", "end"]);
    }

    proptest! {
        #[test]
        fn words_come_back(all in prop::collection::vec(".{1,12}", 1..4)) {
            let text: Vec<String> = all.iter().map(|word| quoted(word)).collect();
            prop_assert_eq!(words(&text.join(" ")), all);
        }

        #[test]
        fn a_line_stays_as_it_is(text in ".{0,40}") {
            let once = line(&text);
            prop_assert_eq!(line(&once), once);
        }
    }
}
