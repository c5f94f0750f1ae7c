//! A command line of the AWS CLI, as checks write them.

use crate::shell;

/// A call of the AWS CLI: service, operation and flags.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Command {
    /// Such as `iam`.
    pub service: String,
    /// Such as `put-user-policy`.
    pub operation: String,
    flags: Vec<(String, Vec<String>)>,
}

impl Command {
    /// Reads a line. None if it is no call of the AWS CLI.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = shell::words(line).into_iter();
        if words.next()? != "aws" {
            return None;
        }
        let (service, operation) = (words.next()?, words.next()?);
        let mut flags: Vec<(String, Vec<String>)> = Vec::new();
        for word in words {
            if let Some(flag) = word.strip_prefix("--") {
                flags.push((flag.to_owned(), Vec::new()));
            } else if let Some((_, values)) = flags.last_mut() {
                values.push(word);
            }
        }
        Some(Self { service, operation, flags })
    }

    /// The value of a flag, its first if it has several.
    pub fn value(&self, flag: &str) -> Option<&str> {
        self.values(flag)?.first().map(String::as_str)
    }

    /// All values of a flag; none of a switch.
    pub fn values(&self, flag: &str) -> Option<&[String]> {
        self.flags.iter().find(|(name, _)| *name == flag).map(|(_, values)| values.as_slice())
    }

    /// Whether a flag is there.
    pub fn has(&self, flag: &str) -> bool {
        self.values(flag).is_some()
    }

    /// The kind of whom an IAM call is about, and its name: `("user", "ann")`.
    pub fn holder(&self) -> Option<(&'static str, &str)> {
        [("user", "user-name"), ("group", "group-name"), ("role", "role-name")]
            .into_iter()
            .find_map(|(kind, flag)| Some((kind, self.value(flag)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_flags_with_their_values() {
        let line = "aws iam tag-user --user-name ann --tags Key=a,Value=b Key=c,Value=d --debug";
        let found = Command::parse(line).unwrap();
        assert_eq!((&*found.service, &*found.operation), ("iam", "tag-user"));
        assert_eq!(found.holder(), Some(("user", "ann")));
        assert_eq!(found.values("tags").unwrap(), ["Key=a,Value=b", "Key=c,Value=d"]);
        assert!(found.has("debug") && found.value("debug").is_none() && !found.has("name"));
        assert_eq!(Command::parse("bailiwick escalate EXPORT"), None);
        assert_eq!(Command::parse("aws iam"), None);
    }
}
