//! The formulas of EV-4, EV-5 and DLG-2, written down once more and compared with the engine over
//! every combination of what the kinds of policy say (family 1).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use bailiwick_identifiers::Partition;
use bailiwick_policy::{
    Applicable, Attached, Context, Document, DocumentKind, Endpoint, Policies, Principal, Request,
    Source, SourceKind, Verdict, decide,
};

/// What a kind of policy says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Says {
    Absent,
    Nothing,
    Allow,
    Deny,
}
use Says::{Absent, Allow, Deny, Nothing};

impl Says {
    fn passes(self) -> bool {
        matches!(self, Absent | Allow)
    }
}

struct Texts {
    source: Source,
    plain: [Document; 3],
    /// By grade: account, parent, direct.
    resource: [[Document; 3]; 3],
    everyone: [Document; 3],
}

const CALLER: &str = "arn:aws:sts::123456789012:assumed-role/Dev/s";

impl Texts {
    fn new(delegated: bool) -> Self {
        let body = |says: Says, principal: &str| {
            let allow = if says == Nothing { "none:None" } else { "*" };
            let effect = if says == Deny { "Deny" } else { "Allow" };
            format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}",{principal}"Action":"{allow}","Resource":"*"}}]}}"#
            )
        };
        let three = |principal: &str, kind| {
            [Nothing, Allow, Deny]
                .map(|says| Document::parse(&body(says, principal), kind).unwrap())
        };
        let kind = if delegated { DocumentKind::Trust } else { DocumentKind::Resource };
        let named = |name: &str| three(&format!(r#""Principal":{{"AWS":"{name}"}},"#), kind);
        Self {
            source: Source::new("p", SourceKind::UserInline),
            plain: three("", DocumentKind::Identity),
            resource: [
                named("123456789012"),
                named("arn:aws:iam::123456789012:role/Dev"),
                named(CALLER),
            ],
            everyone: three(r#""Principal":"*","#, DocumentKind::Resource),
        }
    }

    fn one<'a>(&'a self, documents: &'a [Document; 3], says: Says) -> Option<Attached<'a>> {
        let at = match says {
            Absent => return None,
            Nothing => 0,
            Allow => 1,
            Deny => 2,
        };
        Some(Attached { source: &self.source, document: &documents[at] })
    }
}

#[test]
fn every_combination_follows_the_formulas() {
    let principal = Principal::Session {
        role_arn: "arn:aws:iam::123456789012:role/Dev".into(),
        role_id: "AROAAAAAAAAAAAAAAAAAA".parse().unwrap(),
        role_name: "Dev".into(),
        session_name: "s".into(),
        account: "123456789012".parse().unwrap(),
        session_arn: CALLER.into(),
    };
    let context = Context::new();
    let all = [Absent, Nothing, Allow, Deny];
    let mut count = 0u32;
    for delegated in [false, true] {
        let texts = Texts::new(delegated);
        for (own, owner) in [(true, "123456789012"), (false, "210987654321")] {
            for grade in 0..3 {
                for action in ["s3:Y", "sts:AssumeRole"] {
                    let request = Request {
                        principal: &principal,
                        action,
                        resource: "arn:aws:x:::r",
                        resource_account: Some(owner.parse().unwrap()),
                        context: &context,
                        delegated,
                    };
                    let mut digits = [0usize; 7];
                    loop {
                        let [r, i, pb, sp, scp, rcp, ep] = digits.map(|digit| all[digit]);
                        let applicable = Applicable {
                            identity: texts.one(&texts.plain, i).into_iter().collect(),
                            boundary: texts.one(&texts.plain, pb),
                            session: texts.one(&texts.plain, sp).map(|p| [p].into_iter().collect()),
                            resource: texts.one(&texts.resource[grade], r),
                            scps: texts
                                .one(&texts.plain, scp)
                                .map(|p| Policies::from_iter([p]))
                                .into_iter()
                                .collect(),
                            rcps: texts
                                .one(&texts.everyone, rcp)
                                .map(|p| Policies::from_iter([p]))
                                .into_iter()
                                .collect(),
                            endpoints: texts
                                .one(&texts.everyone, ep)
                                .map(|policy| Endpoint { policy, gateway: false })
                                .into_iter()
                                .collect(),
                            ..Applicable::default()
                        };
                        let expected = if [r, i, pb, sp, scp, rcp, ep].contains(&Deny) {
                            Verdict::ExplicitDeny
                        } else {
                            let (account, parent, direct) =
                                (r == Allow, r == Allow && grade >= 1, r == Allow && grade == 2);
                            let pb_ = pb.passes();
                            let limits = pb_ && sp.passes();
                            // TR-5
                            let direct_ = direct && (pb_ || action != "sts:AssumeRole");
                            let granted = match (own, delegated) {
                                (true, false) => {
                                    direct_ || (parent && limits) || (i == Allow && limits)
                                }
                                (true, true) => {
                                    direct_
                                        || (parent && limits)
                                        || (account && i == Allow && limits)
                                }
                                (false, _) => account && i == Allow && limits,
                            };
                            if granted && scp.passes() && ep.passes() {
                                Verdict::Allow
                            } else {
                                Verdict::ImplicitDeny
                            }
                        };
                        let found = decide(&request, &applicable);
                        assert_eq!(
                            found.verdict, expected,
                            "own {own}, delegated {delegated}, grade {grade}, {action}, \
                             R {r:?} I {i:?} PB {pb:?} SP {sp:?} SCP {scp:?} RCP {rcp:?} EP {ep:?}: {found:?}"
                        );
                        count += 1;
                        let Some(at) = digits.iter().position(|digit| *digit < 3) else { break };
                        digits[at] += 1;
                        digits[..at].fill(0);
                    }
                }
            }
        }
    }
    assert_eq!(count, 2 * 2 * 3 * 2 * 4u32.pow(7));
}

// ROOT-1, ROOT-3, ROOT-4
#[test]
fn root_needs_no_identity_policy_but_delegation() {
    let account = "123456789012".parse().unwrap();
    let root = Principal::Root { partition: Partition::Aws, account };
    let context = Context::new();
    let texts = Texts::new(true);
    for (grade, says, delegated, expected) in [
        (0, Absent, false, Verdict::Allow),
        (0, Absent, true, Verdict::ImplicitDeny),
        (0, Allow, true, Verdict::Allow),
        (1, Allow, true, Verdict::ImplicitDeny),
        (0, Deny, false, Verdict::ExplicitDeny),
    ] {
        let request = Request {
            principal: &root,
            action: "kms:Decrypt",
            resource: "arn:aws:kms:r:123456789012:key/k",
            resource_account: None,
            context: &context,
            delegated,
        };
        let resource = texts.one(&texts.resource[grade], says);
        let applicable = Applicable { resource, ..Applicable::default() };
        assert_eq!(decide(&request, &applicable).verdict, expected, "{grade} {says:?} {delegated}");
    }
}
