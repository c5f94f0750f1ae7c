//! A command line of the AWS CLI, as checks write them.

/// A call of the AWS CLI: service, operation and flags.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Command<'c> {
    /// Such as `iam`.
    pub service: &'c str,
    /// Such as `put-user-policy`.
    pub operation: &'c str,
    flags: Vec<(&'c str, Vec<&'c str>)>,
}

impl<'c> Command<'c> {
    /// Reads a line. None if it is no call of the AWS CLI.
    pub fn parse(line: &'c str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        if words.next()? != "aws" {
            return None;
        }
        let (service, operation) = (words.next()?, words.next()?);
        let mut flags: Vec<(&str, Vec<&str>)> = Vec::new();
        for word in words {
            if let Some(flag) = word.strip_prefix("--") {
                flags.push((flag, Vec::new()));
            } else if let Some((_, values)) = flags.last_mut() {
                values.push(word);
            }
        }
        Some(Self { service, operation, flags })
    }

    /// The value of a flag, its first if it has several.
    pub fn value(&self, flag: &str) -> Option<&'c str> {
        self.values(flag)?.first().copied()
    }

    /// All values of a flag; none of a switch.
    pub fn values(&self, flag: &str) -> Option<&[&'c str]> {
        self.flags.iter().find(|(name, _)| *name == flag).map(|(_, values)| values.as_slice())
    }

    /// Whether a flag is there.
    pub fn has(&self, flag: &str) -> bool {
        self.values(flag).is_some()
    }

    /// The kind of whom an IAM call is about, and its name: `("user", "ann")`.
    pub fn holder(&self) -> Option<(&'static str, &'c str)> {
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
        assert_eq!((found.service, found.operation), ("iam", "tag-user"));
        assert_eq!(found.holder(), Some(("user", "ann")));
        assert_eq!(found.values("tags").unwrap(), ["Key=a,Value=b", "Key=c,Value=d"]);
        assert!(found.has("debug") && found.value("debug").is_none() && !found.has("name"));
        assert_eq!(Command::parse("bailiwick escalate EXPORT"), None);
        assert_eq!(Command::parse("aws iam"), None);
    }
}
