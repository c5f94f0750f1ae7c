//! Callers from outside whom the policy of a resource may let in: those whom it names, and, where
//! it names everybody, everybody.

use std::collections::BTreeSet;

use bailiwick_identifiers::AccountId;
use bailiwick_model::Found;
use bailiwick_policy::{
    Context, Document, DocumentKind, Levels, Policies, PolicyKind, Principal, PrincipalType,
    Source, SourceKind,
};

use crate::estate::Subject;

use super::answer::Access;
use super::judge::{Case, Judged, Standing};
use super::who::{Kind, Reach};

/// What the account of a foreign caller is taken to have.
const ASSUMED: &str = "policies of its own account";

/// A caller from outside.
pub(super) struct Outsider {
    /// Its ARN, account or name.
    pub(super) name: String,
    pub(super) kind: Kind,
    standing: Standing,
    subject: Subject,
    context: Context,
    /// For whom this one stands it is not of this account.
    outside: Option<AccountId>,
}

impl Outsider {
    /// Whether its own account has to allow as well.
    pub(super) fn is_assumed(&self) -> bool {
        self.subject.principal.has_identity()
    }

    /// The answer without what is only assumed.
    pub(super) fn without_assumption(mut access: Access) -> Access {
        for way in &mut access.ways {
            way.by.retain(|place| place.kind != PolicyKind::Identity || place.policy != ASSUMED);
        }
        access
    }
}

impl Reach<'_> {
    /// Whom the policy of a resource may let in from outside.
    pub(super) fn outsiders(&self, action: &str, resource: &str) -> Vec<Outsider> {
        let nobody = self.estate.caller(Principal::Anonymous);
        let applicable = self.estate.applicable(&nobody, action, resource);
        let Some(policy) = applicable.resource else { return Vec::new() };
        let mut seen = BTreeSet::new();
        let mut out = Vec::new();
        for entry in policy.document.principals() {
            if seen.insert((entry.kind as u8, entry.text)) {
                self.named(entry.kind, entry.text, &mut out);
            }
        }
        out
    }

    fn named(&self, kind: PrincipalType, text: &str, out: &mut Vec<Outsider>) {
        let own = self.account();
        match kind {
            PrincipalType::Bare => self.everybody(out),
            PrincipalType::Aws if text == "*" => self.everybody(out),
            PrincipalType::Aws => {
                let account = text.parse::<AccountId>().ok();
                if let Some(account) = account.filter(|account| *account != own) {
                    self.whole_account(account, out);
                } else if let Some(principal) = Principal::from_arn(text) {
                    match principal {
                        Principal::Root { account, .. } if account != own => {
                            self.whole_account(account, out);
                        }
                        _ if principal.account() == Some(own) => {}
                        _ => out.push(self.outsider(
                            text.to_owned(),
                            Kind::Foreign,
                            principal,
                            Standing::Known,
                        )),
                    }
                }
            }
            PrincipalType::Service => {
                let principal = Principal::Service { names: [text.into()].into() };
                out.push(self.outsider(text.to_owned(), Kind::Service, principal, Standing::Known));
            }
            PrincipalType::Federated => {
                let principal = Principal::Federated { provider: text.into() };
                let kind = Kind::Provider;
                out.push(self.outsider(text.to_owned(), kind, principal, Standing::Known));
            }
            // Of S3 alone, and told of nobody else.
            PrincipalType::CanonicalUser => {}
        }
    }

    fn everybody(&self, out: &mut Vec<Outsider>) {
        if out.iter().any(|held| held.kind == Kind::Everybody) {
            return;
        }
        let own = self.account();
        let ids = ["999999999999", "888888888888"].into_iter();
        let mut ids = ids.filter_map(|id| id.parse::<AccountId>().ok());
        if let Some(stranger) = ids.find(|id| *id != own).and_then(|id| self.somebody(id)) {
            let name = "everybody with an AWS account".to_owned();
            let mut found = self.outsider(name, Kind::Everybody, stranger, Standing::Anyone);
            found.outside = Some(own);
            out.push(found);
        }
        let name = "everybody, unsigned".to_owned();
        let anonymous = Principal::Anonymous;
        out.push(self.outsider(name, Kind::Anonymous, anonymous, Standing::Known));
    }

    fn whole_account(&self, account: AccountId, out: &mut Vec<Outsider>) {
        let name = account.to_string();
        if out.iter().any(|held| held.name == name) {
            return;
        }
        if let Some(somebody) = self.somebody(account) {
            out.push(self.outsider(name, Kind::Account, somebody, Standing::OfAccount));
        }
    }

    /// Somebody of an account whom no policy names.
    fn somebody(&self, account: AccountId) -> Option<Principal> {
        let partition = self.estate.account.partition();
        Principal::from_arn(&format!("arn:{partition}:iam::{account}:user/example"))
    }

    fn outsider(
        &self,
        name: String,
        kind: Kind,
        principal: Principal,
        standing: Standing,
    ) -> Outsider {
        let mut subject = self.estate.caller(principal);
        let mut context = subject.context();
        match standing {
            Standing::Known => {}
            Standing::OfAccount | Standing::Anyone => {
                let facts = context;
                context = Context::new();
                let kept: &[&str] = if standing == Standing::OfAccount {
                    &["aws:principalaccount", "aws:principalisawsservice"]
                } else {
                    &["aws:principalisawsservice"]
                };
                for key in kept {
                    for value in facts.values(key) {
                        context.put(*key, value);
                    }
                }
            }
        }
        if subject.principal.has_identity() {
            subject.effective.identity.extend(everything());
        }
        Outsider { name, kind, standing, subject, context, outside: None }
    }

    pub(super) fn judge_outsider(
        &self,
        outsider: &Outsider,
        action: &str,
        resource: &str,
    ) -> Judged {
        let mut applicable = self.estate.applicable(&outsider.subject, action, resource);
        // SCP-1: those of the caller's own organization are not known.
        applicable.scps = Levels::default();
        if outsider.subject.principal.has_identity() {
            applicable.identity = outsider
                .subject
                .effective
                .identity
                .iter()
                .map(Found::attached)
                .collect::<Policies<'_>>();
        }
        let case = Case {
            principal: &outsider.subject.principal,
            standing: outsider.standing,
            applicable,
            context: &outsider.context,
            action,
            resource,
            owner: self.estate.owner(resource).or(Some(self.account()).filter(|_| {
                // Of a resource whose ARN names no account the estate is the owner.
                resource.split(':').nth(4).is_some_and(str::is_empty)
            })),
            organization: false,
            outside: outsider.outside,
        };
        case.judge()
    }
}

fn everything() -> Option<Found> {
    let text = r#"{"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let document = Document::parse(text, DocumentKind::Identity).ok()?;
    Some(Found { source: Source::new(ASSUMED, SourceKind::UserInline), document: document.into() })
}
