//! Which actions policies grant: allowed by one of them, on whatever resource and under whatever
//! condition, and denied everywhere by none. No other kind of policy counts. Source: IAM API,
//! GenerateServiceLastAccessedDetails.

use std::collections::BTreeSet;
use std::sync::Arc;

use bailiwick_policy::{Document, Effect, Statement};

use super::super::service_access::denies_everywhere;

/// The statements that matter.
pub(super) struct Granted<'a> {
    allowing: Vec<&'a Statement>,
    denying: Vec<&'a Statement>,
}

impl<'a> Granted<'a> {
    /// What these policies grant together.
    pub(super) fn by(documents: &'a [Arc<Document>]) -> Self {
        let statements = || documents.iter().flat_map(|document| document.statements());
        Self {
            allowing: statements().filter(|held| held.effect() == Effect::Allow).collect(),
            denying: statements().filter(|held| denies_everywhere(held)).collect(),
        }
    }

    /// Whether any action of a service is granted. Prefix and actions are in lower case, the actions
    /// with the prefix.
    pub(super) fn any(&self, prefix: &str, actions: &[String]) -> bool {
        let denied = self.denied(prefix, actions);
        let allowed = |held: &&Statement| {
            held.meant_of(prefix, actions).any(|action| !denied.contains(action))
        };
        self.allowing.iter().any(allowed)
    }

    /// The actions of a service that are granted.
    pub(super) fn all<'b>(&self, prefix: &'b str, actions: &'b [String]) -> BTreeSet<&'b str>
    where
        'a: 'b,
    {
        let meant = self.allowing.iter().flat_map(|held| held.meant_of(prefix, actions));
        let mut granted: BTreeSet<&str> = meant.collect();
        for action in self.denied(prefix, actions) {
            granted.remove(action);
        }
        granted
    }

    fn denied<'b>(&self, prefix: &'b str, actions: &'b [String]) -> BTreeSet<&'b str>
    where
        'a: 'b,
    {
        self.denying.iter().flat_map(|held| held.meant_of(prefix, actions)).collect()
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_policy::DocumentKind;

    use super::*;

    fn document(statements: &str) -> Arc<Document> {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
        Arc::new(Document::parse(&text, DocumentKind::Identity).unwrap())
    }

    /// A denial in one policy takes away what another allows.
    #[test]
    fn policies_grant_together() {
        let allow = |action: &str| {
            document(&format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}"#))
        };
        let deny = |action: &str, rest: &str| {
            document(&format!(r#"{{"Effect": "Deny", "Action": "{action}", {rest}}}"#))
        };
        let everywhere = r#""Resource": "*""#;
        let somewhere = r#""Resource": "arn:aws:s3:::b""#;
        let actions = ["s3:getobject", "s3:listbucket", "s3:putobject"].map(String::from);
        for (documents, expected) in [
            (vec![], &[][..]),
            (vec![allow("s3:Get*")], &["s3:getobject"]),
            (vec![allow("s3:Get*"), allow("S3:PutObject")], &["s3:getobject", "s3:putobject"]),
            (vec![allow("*"), deny("s3:*", everywhere)], &[]),
            (vec![allow("*"), deny("s3:P*", everywhere)], &["s3:getobject", "s3:listbucket"]),
            (vec![allow("s3:Get*"), deny("s3:*", somewhere)], &["s3:getobject"]),
            (vec![allow("ec2:*")], &[]),
        ] {
            let granted = Granted::by(&documents);
            let found = granted.all("s3", &actions);
            assert!(found.iter().eq(expected), "{found:?} is not {expected:?}");
            assert_eq!(granted.any("s3", &actions), !expected.is_empty());
        }
    }
}
