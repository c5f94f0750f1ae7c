//! KMS grants (DLG-5).

use crate::PrincipalType;
use crate::document::Entry;

/// A live grant on a KMS key: an Allow to its grantee for its operations, beside the key policy.
#[derive(Clone, Debug)]
pub struct Grant {
    pub(crate) grantee: Entry,
    /// In lower case, such as `kms:decrypt`.
    operations: Box<[Box<str>]>,
}

impl Grant {
    /// A grant to a principal, by ARN or by the name of a service, for operations named as the KMS API does, such as
    /// `Decrypt`.
    pub fn new<'o>(grantee: &str, operations: impl IntoIterator<Item = &'o str>) -> Self {
        let operations = operations.into_iter().map(|operation| {
            let name = operation.to_ascii_lowercase();
            if name.starts_with("kms:") { name.into() } else { format!("kms:{name}").into() }
        });
        let arn = grantee.starts_with("arn:");
        let kind = if arn { PrincipalType::Aws } else { PrincipalType::Service };
        let grantee = match Entry::new(kind, grantee) {
            // A grant is to somebody.
            Entry::Wild { .. } => Entry::Nobody,
            other => other,
        };
        Self { grantee, operations: operations.collect() }
    }

    /// Whether it is for this action, given in lower case.
    pub(crate) fn covers(&self, action: &str) -> bool {
        self.operations.iter().any(|operation| **operation == *action)
    }
}
