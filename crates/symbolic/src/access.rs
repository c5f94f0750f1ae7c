//! Whether policies grant what must not be granted.

use bailiwick_policy::{Document, DocumentError, DocumentKind};
use serde_json::{Value, json};

use crate::answer::{Answer, Finding};
use crate::claim::Asker;

/// Any of some actions on any of some resources. An empty list stands for all.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Access<'a> {
    /// Actions as in a policy, wildcards included.
    pub actions: &'a [&'a str],
    /// ARNs as in a policy, wildcards included.
    pub resources: &'a [&'a str],
}

impl Access<'_> {
    /// A policy that allows just these.
    ///
    /// # Errors
    /// An action or a resource is none that a policy could have.
    pub(crate) fn document(list: &[Self]) -> Result<Document, DocumentError> {
        let or_all = |list: &[&str]| if list.is_empty() { json!("*") } else { json!(list) };
        let statements: Vec<Value> = list
            .iter()
            .map(|access| {
                let (action, resource) = (or_all(access.actions), or_all(access.resources));
                json!({"Effect": "Allow", "Action": action, "Resource": resource})
            })
            .collect();
        let policy =
            |version: &str| json!({"Version": version, "Statement": statements}).to_string();
        Document::parse_strict(&policy("2012-10-17").replace('$', "x"), DocumentKind::Identity)?;
        // In the old version `${` is plain text, as it is in a list that is no policy.
        Document::parse(&policy("2008-10-17"), DocumentKind::Identity)
    }
}

/// Whether none of these accesses is allowed by the policy, in whatever context.
///
/// ```
/// use bailiwick_policy::{Document, DocumentKind};
/// use bailiwick_symbolic::{Access, not_granted};
///
/// let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
///     "Action": "s3:*", "Resource": "arn:aws:s3:::notes/*"}}"#;
/// let policy = Document::parse(text, DocumentKind::Identity)?;
/// let deletes = Access { actions: &["s3:Delete*"], resources: &[] };
/// let answer = not_granted(&policy, &[deletes])?;
/// assert!(answer.witness().is_some_and(|request| request.action.starts_with("s3:Delete")));
/// let others = Access { actions: &["s3:Delete*"], resources: &["arn:aws:s3:::letters/*"] };
/// assert!(not_granted(&policy, &[others])?.holds());
/// # Ok::<(), bailiwick_policy::DocumentError>(())
/// ```
///
/// # Errors
/// An action or a resource is none that a policy could have.
pub fn not_granted(document: &Document, access: &[Access<'_>]) -> Result<Answer, DocumentError> {
    Asker::default().not_granted(std::slice::from_ref(document), access)
}

impl Asker {
    /// See [`not_granted`].
    ///
    /// # Errors
    /// As there.
    pub fn not_granted(
        &self,
        documents: &[Document],
        access: &[Access<'_>],
    ) -> Result<Answer, DocumentError> {
        Ok(self.meet_access(documents, access, true)?.into_iter().collect())
    }

    /// The Allow statements by which some of the accesses are granted, or by which they may be.
    ///
    /// # Errors
    /// As for [`not_granted`].
    pub fn granting(
        &self,
        documents: &[Document],
        access: &[Access<'_>],
    ) -> Result<Vec<Finding>, DocumentError> {
        self.meet_access(documents, access, false)
    }

    fn meet_access(
        &self,
        documents: &[Document],
        access: &[Access<'_>],
        stop: bool,
    ) -> Result<Vec<Finding>, DocumentError> {
        if access.is_empty() {
            return Ok(Vec::new());
        }
        let asked = Access::document(access)?;
        Ok(self.meeting(documents, std::slice::from_ref(&asked), stop))
    }
}
