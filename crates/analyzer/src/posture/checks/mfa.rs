//! MFA: who has it, and whether policies ask for it so that it binds.

use std::collections::HashMap;
use std::sync::Arc;

use bailiwick_policy::{
    Applicable, Attached, Context, Document, DocumentKind, Effect, Principal, PrincipalType,
    Request, Source, SourceKind, Statement, decide,
};
use bailiwick_symbolic::Asker;

use crate::evidence::{CredentialRow, Data};
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};
use crate::posture::facts::{
    Access, Administrative, HolderKind, Origin, excerpt, is_every_resource, satisfy,
};
use crate::posture::finding::Place;

const REPORT: &[Need] = &[Need::Of(Data::CredentialReport)];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "MFA-01",
        needs: REPORT,
        remedy: "let the user register a passkey or an authenticator, or take the password away",
        run: console_users,
    },
    Check { id: "MFA-02", needs: REPORT, remedy: "register an MFA device", run: all_users },
    Check {
        id: "MFA-03",
        needs: &[Need::Of(Data::AuthorizationDetails), Need::Of(Data::CredentialReport)],
        remedy: "register a passkey or a security key, or take the rights away",
        run: administrators,
    },
    Check {
        id: "MFA-04",
        needs: &[Need::Of(Data::AuthorizationDetails), Need::Of(Data::VirtualMfaDevices)],
        remedy: "register a passkey or a security key, and take the virtual device away",
        run: hardware,
    },
    Check {
        id: "MFA-05",
        needs: &[Need::Of(Data::AuthorizationDetails)],
        remedy: "attach a policy that denies all but self-enrolment where \
                 BoolIfExists aws:MultiFactorAuthPresent is false",
        run: enforced,
    },
    Check {
        id: "MFA-06",
        needs: &[Need::Of(Data::AuthorizationDetails)],
        remedy: "add the condition Bool aws:MultiFactorAuthPresent true to the statement of the trust \
                 policy",
        run: trusted_with_mfa,
    },
    Check {
        id: "MFA-07",
        needs: &[Need::Of(Data::AuthorizationDetails)],
        remedy: "deny with BoolIfExists false, allow with Bool true: the key is absent where no MFA \
                 was possible",
        run: binding,
    },
];

fn device_of(name: &str) -> String {
    format!("aws iam list-mfa-devices --user-name {name}")
}

/// MFA-01.
fn console_users(audit: &Audit<'_>, results: &mut Results) {
    let Some(report) = audit.evidence.credential_report.known() else { return };
    for row in report.users().filter(|row| row.has_password()) {
        results.judge(row.mfa_active, || {
            Found::new(row.arn.as_str(), "the user signs in to the console without MFA")
                .when(row.password_last_used.at())
                .cli(device_of(&row.user))
        });
    }
    if !report.users().any(CredentialRow::has_password) {
        results.pass();
    }
}

/// MFA-02.
fn all_users(audit: &Audit<'_>, results: &mut Results) {
    let Some(report) = audit.evidence.credential_report.known() else { return };
    for row in report.users() {
        results.judge(row.mfa_active, || {
            Found::new(row.arn.as_str(), "the user has no MFA device").cli(device_of(&row.user))
        });
    }
    if report.users().next().is_none() {
        results.pass();
    }
}

/// The users who are administrators by what they may do; those of whom it is not known are told.
fn privileged_users<'a>(
    audit: &'a Audit<'_>,
    results: &mut Results,
) -> impl Iterator<Item = &'a Access> + use<'a> {
    let users = || audit.principals().iter().filter(|a| a.holder.kind == HolderKind::User);
    for access in users() {
        if let Administrative::Unknown(why) = &access.administrative {
            results.not_assessed(&access.holder.arn, why.clone());
        }
    }
    users().filter(|access| access.administrative.is())
}

/// MFA-03: by effective access, not by the name of a policy.
fn administrators(audit: &Audit<'_>, results: &mut Results) {
    let mut any = false;
    for access in privileged_users(audit, results) {
        any = true;
        let arn = &access.holder.arn;
        let Some(row) = audit.credentials(arn) else {
            results.not_assessed(arn, "the user's row in the credential report");
            continue;
        };
        results.judge(row.mfa_active, || {
            Found::new(arn, "the user may change what anybody may do, and has no MFA device")
                .cli(device_of(&access.holder.name))
        });
    }
    if !any {
        results.pass();
    }
}

/// MFA-04: no device at all is no hardware device either.
fn hardware(audit: &Audit<'_>, results: &mut Results) {
    let devices = audit.evidence.virtual_mfa_devices.known().map_or(&[][..], Vec::as_slice);
    let mut any = false;
    for access in privileged_users(audit, results) {
        any = true;
        let Access { holder, .. } = access;
        if devices.iter().any(|device| device.owner.as_deref() == Some(&*holder.arn)) {
            let why = "the user may change what anybody may do, and its MFA device is virtual";
            results.fail(Found::new(&holder.arn, why).cli(device_of(&holder.name)));
            continue;
        }
        let listed = audit.evidence.mfa_devices.known().and_then(|all| all.get(&holder.name));
        let has = audit
            .credentials(&holder.arn)
            .map(|row| row.mfa_active)
            .or(listed.map(|list| !list.is_empty()));
        match has {
            Some(true) => results.pass(),
            Some(false) => {
                let why = "the user may change what anybody may do, and has no MFA device at all";
                results.fail(Found::new(&holder.arn, why).cli(device_of(&holder.name)));
            }
            None => results.not_assessed(&holder.arn, "whether the user has an MFA device"),
        }
    }
    if !any {
        results.pass();
    }
}

/// What a user may need before it has MFA: to see itself, to set its password, to enrol.
const ENROLMENT: &str = r#"{"Version": "2012-10-17", "Statement": {
    "Effect": "Allow",
    "Action": [
        "iam:CreateVirtualMFADevice", "iam:DeleteVirtualMFADevice", "iam:EnableMFADevice",
        "iam:ResyncMFADevice", "iam:ListMFADevices", "iam:ListVirtualMFADevices", "iam:GetMFADevice",
        "iam:GetUser", "iam:GetLoginProfile", "iam:ChangePassword", "iam:GetAccountPasswordPolicy",
        "iam:GetAccountSummary", "iam:ListUsers", "iam:ListAccountAliases", "iam:ListAccessKeys",
        "iam:ListSigningCertificates", "iam:ListSSHPublicKeys", "iam:ListServiceSpecificCredentials",
        "sts:GetSessionToken", "sts:GetCallerIdentity"
    ],
    "Resource": "*"
}}"#;

/// Denies whatever comes with the key: what is left is allowed where MFA is absent.
const WITH_MFA: &str = r#"{"Version": "2012-10-17", "Statement": {
    "Effect": "Deny", "Action": "*", "Resource": "*",
    "Condition": {"Null": {"aws:MultiFactorAuthPresent": "false"}}
}}"#;

/// MFA-05: what a user may do while MFA is absent lies within self-enrolment. First by examples,
/// then for all requests.
fn enforced(audit: &Audit<'_>, results: &mut Results) {
    let read = |text| Document::parse(text, DocumentKind::Identity);
    let (Ok(enrolment), Ok(with_mfa)) = (read(ENROLMENT), read(WITH_MFA)) else { return };
    let mut proven: HashMap<Vec<*const Document>, bool> = HashMap::new();
    let users = audit.principals().iter().filter(|a| a.holder.kind == HolderKind::User);
    for access in users {
        let arn = &access.holder.arn;
        if let Some(source) = &access.subject.effective.unreadable {
            results.not_assessed(arn, format!("the policy `{}` cannot be read", source.id));
            continue;
        }
        if let Some(row) = audit.credentials(arn)
            && !row.has_password()
            && !row.keys.iter().any(|key| key.active)
        {
            results.not_applicable();
            continue;
        }
        if let Some(found) = example(audit, access, &enrolment) {
            results.fail(found);
            continue;
        }
        let identity = &access.subject.effective.identity;
        let key = identity.iter().map(|found| Arc::as_ptr(&found.document)).collect();
        let holds = *proven.entry(key).or_insert_with(|| {
            let mut documents: Vec<Document> =
                identity.iter().map(|found| Document::clone(&found.document)).collect();
            documents.push(with_mfa.clone());
            Asker::default().implies(std::slice::from_ref(&enrolment), &documents).holds()
        });
        // Boundary and SCPs may hold what the identity policies leave open; whoever cannot show it
        // fails.
        results.judge(holds, || {
            let why = "not everything but self-enrolment is shown to be refused without MFA";
            Found::new(arn, why)
        });
    }
    if audit.evidence.estate.account.users().len() == 0 {
        results.pass();
    }
}

/// An action that is allowed without MFA, asked of the engine with all layers.
fn example(audit: &Audit<'_>, access: &Access, enrolment: &Document) -> Option<Found> {
    let estate = &audit.evidence.estate;
    let catalog = estate.managed.catalog();
    for found in &access.subject.effective.identity {
        for (number, statement) in found.document.statements().iter().enumerate() {
            if statement.effect() == Effect::Deny {
                continue;
            }
            let mut context = access.subject.context();
            satisfy(&mut context, statement, &audit.now.to_string());
            context.remove("aws:MultiFactorAuthPresent");
            context.remove("aws:MultiFactorAuthAge");
            for action in examples_of(statement, catalog) {
                let on = statement.resources().next().filter(|_| !statement.is_not_resource());
                let resource = on.unwrap_or("*").replace(['*', '?'], "x");
                let resource = if on.is_none_or(is_every_resource) { "*" } else { &resource };
                let enrols = enrolment
                    .statements()
                    .iter()
                    .flat_map(Statement::actions)
                    .any(|own| own.eq_ignore_ascii_case(&action));
                if !enrols
                    && estate.decide(&access.subject, &action, resource, &context).is_allowed()
                {
                    let why = format!("the user may call {action} without MFA");
                    let place = Place {
                        policy: found.source.id.to_string(),
                        statement: Some(number),
                        sid: statement.sid().map(ToOwned::to_owned),
                        text: excerpt(&found.document, statement),
                        version: None,
                    };
                    return Some(Found {
                        place: Some(place),
                        ..Found::new(&access.holder.arn, why)
                    });
                }
            }
        }
    }
    None
}

/// A few actions that a statement speaks of: its own, with patterns filled from the catalog.
fn examples_of(statement: &Statement, catalog: &bailiwick_catalog::Catalog) -> Vec<String> {
    if statement.is_not_action() {
        return ["s3:ListAllMyBuckets", "ec2:DescribeInstances", "iam:ListRoles"]
            .map(Into::into)
            .into();
    }
    let mut found = Vec::new();
    for entry in statement.actions().take(20) {
        if !entry.contains(['*', '?']) {
            found.push(entry.to_owned());
            continue;
        }
        let (prefix, rest) = entry.split_once(':').unwrap_or(("iam", "*"));
        let prefix = if prefix.contains('*') { "iam" } else { prefix };
        let head = rest.split(['*', '?']).next().unwrap_or_default().to_lowercase();
        let Some(service) = catalog.service(prefix) else { continue };
        let fits = |name: &str| {
            let name = name.to_lowercase();
            name.starts_with(&head) && rest.ends_with('*') || {
                let tail = rest.rsplit('*').next().unwrap_or_default().to_lowercase();
                name.starts_with(&head) && name.ends_with(&tail)
            }
        };
        let actions = service.actions().filter(|action| fits(&action.name)).take(3);
        found.extend(actions.map(|action| format!("{prefix}:{}", action.name)));
    }
    found
}

/// MFA-06: users and accounts that a privileged role trusts are let in without MFA, by the engine.
fn trusted_with_mfa(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    let roles = audit.principals().iter().filter(|a| a.holder.kind == HolderKind::Role);
    let mut any = false;
    for access in roles {
        if let Administrative::Unknown(why) = &access.administrative {
            results.not_assessed(&access.holder.arn, why.clone());
        }
        if !access.administrative.is() || access.holder.linked {
            continue;
        }
        let Some(role) = account.role(&access.holder.id) else { continue };
        let Ok(trust) = role.trust.document() else {
            results.not_assessed(&access.holder.arn, "the trust policy cannot be read");
            continue;
        };
        any = true;
        let open = trust.statements().iter().enumerate().find(|(_, statement)| {
            statement.effect() == Effect::Allow
                && lets_in_without_mfa(audit, access, trust, statement)
        });
        results.judge(open.is_none(), || {
            let why = "the role may change what anybody may do, and users get in without MFA";
            let mut found = Found::new(&access.holder.arn, why);
            if let Some((number, statement)) = open {
                found = found.at(Place {
                    policy: "trust policy".to_owned(),
                    version: None,
                    statement: Some(number),
                    sid: statement.sid().map(ToOwned::to_owned),
                    text: excerpt(trust, statement),
                });
                found = found.diff(
                    "+ \"Condition\": {\"Bool\": {\"aws:MultiFactorAuthPresent\": \"true\"}}",
                );
            }
            found
        });
    }
    if !any {
        results.pass();
    }
}

fn lets_in_without_mfa(
    audit: &Audit<'_>,
    access: &Access,
    trust: &Document,
    statement: &Statement,
) -> bool {
    let estate = &audit.evidence.estate;
    let bytes = statement.bytes();
    let (start, end) = (trust.position(bytes.start), trust.position(bytes.end));
    let inside = |at: bailiwick_policy::Position| {
        (at.line, at.column) >= (start.line, start.column)
            && (at.line, at.column) <= (end.line, end.column)
    };
    let named: Vec<_> = trust.principals().filter(|entry| inside(entry.position)).collect();
    let allow_all = r#"{"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let Ok(all) = Document::parse(allow_all, DocumentKind::Identity) else { return false };
    let own = Source::new("any", SourceKind::UserInline);
    let by = Source::new("trust policy", SourceKind::Trust);
    named.iter().any(|entry| {
        if !matches!(entry.kind, PrincipalType::Aws | PrincipalType::Bare) {
            return false;
        }
        let Some(principal) = user_of(audit, entry.text) else { return false };
        let mut context = Context::new();
        satisfy(&mut context, statement, &audit.now.to_string());
        context.remove("aws:MultiFactorAuthPresent");
        context.remove("aws:MultiFactorAuthAge");
        context.put_principal(&principal);
        let applicable = Applicable {
            identity: [Attached { source: &own, document: &all }].into_iter().collect(),
            resource: Some(Attached { source: &by, document: trust }),
            ..Applicable::default()
        };
        let request = Request {
            principal: &principal,
            action: "sts:AssumeRole",
            resource: &access.holder.arn,
            resource_account: Some(estate.account.id()),
            context: &context,
            delegated: true,
        };
        decide(&request, &applicable).is_allowed()
    })
}

/// A user that an entry of a trust policy means: itself, or one of the account.
fn user_of(audit: &Audit<'_>, entry: &str) -> Option<Principal> {
    let account = &audit.evidence.estate.account;
    if entry.contains(":user/") {
        let arn = entry.parse().ok()?;
        if let Some(user) = account.user_with_arn(&arn) {
            return Some(audit.evidence.estate.user(user).principal);
        }
    } else if entry.contains(":role/") || entry.contains(":assumed-role/") {
        return None;
    }
    let id = match entry {
        "*" => account.id(),
        text => text.parse().ok().or_else(|| text.split(':').nth(4)?.parse().ok())?,
    };
    let arn = if entry.contains(":user/") {
        entry.to_owned()
    } else {
        format!("arn:{}:iam::{id}:user/any", account.partition().as_str())
    };
    let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
    Some(Principal::User {
        arn: arn.as_str().into(),
        id: bailiwick_identifiers::UniqueId::from_random(
            bailiwick_identifiers::IdKind::User,
            [0; 11],
        ),
        account: id,
        name: name.as_str().into(),
    })
}

/// MFA-07: a Deny by Bool false passes by whoever has no such key; an Allow by `BoolIfExists` true
/// lets them in.
fn binding(audit: &Audit<'_>, results: &mut Results) {
    let weak = |statement: &Statement| {
        statement.conditions().any(|condition| {
            let is =
                |word: &str| condition.values.iter().any(|value| value.eq_ignore_ascii_case(word));
            condition.key.eq_ignore_ascii_case("aws:MultiFactorAuthPresent")
                && match statement.effect() {
                    Effect::Deny => condition.operator.eq_ignore_ascii_case("Bool") && is("false"),
                    Effect::Allow => {
                        condition.operator.eq_ignore_ascii_case("BoolIfExists") && is("true")
                    }
                }
        })
    };
    let change = |effect: Effect| match effect {
        Effect::Deny => {
            "- \"Bool\": {\"aws:MultiFactorAuthPresent\": \"false\"}\n\
             + \"BoolIfExists\": {\"aws:MultiFactorAuthPresent\": \"false\"}"
        }
        Effect::Allow => {
            "- \"BoolIfExists\": {\"aws:MultiFactorAuthPresent\": \"true\"}\n\
             + \"Bool\": {\"aws:MultiFactorAuthPresent\": \"true\"}"
        }
    };
    let why = |effect: Effect| match effect {
        Effect::Deny => "the Deny passes by calls without the key, such as those of access keys",
        Effect::Allow => "the Allow lets in calls without the key, such as those of access keys",
    };
    for policy in audit.policies().iter().filter(|policy| policy.origin != Origin::Aws) {
        if policy.document.is_none() {
            let missing = format!("the policy `{}` cannot be read", policy.policy);
            results.not_assessed(policy.subject(), missing);
            continue;
        }
        let mut clean = true;
        for (number, statement) in policy.statements().filter(|(_, statement)| weak(statement)) {
            clean = false;
            let effect = statement.effect();
            let found = Found::new(policy.subject(), why(effect)).at(policy.place(number));
            results.fail(found.diff(change(effect)));
        }
        if clean {
            results.pass();
        }
    }
    let account = &audit.evidence.estate.account;
    for role in account.roles() {
        let arn = account.role_arn(role);
        let Ok(trust) = role.trust.document() else {
            results.not_assessed(arn.as_str(), "the trust policy cannot be read");
            continue;
        };
        let weak = trust.statements().iter().enumerate().find(|(_, statement)| weak(statement));
        results.judge(weak.is_none(), || {
            let effect = weak.map_or(Effect::Allow, |(_, statement)| statement.effect());
            let place = Place {
                policy: "trust policy".to_owned(),
                version: None,
                statement: weak.map(|(number, _)| number),
                sid: None,
                text: weak.map(|(_, statement)| excerpt(trust, statement)).unwrap_or_default(),
            };
            Found::new(arn.as_str(), why(effect)).at(place).diff(change(effect))
        });
    }
    if audit.policies().is_empty() && account.roles().len() == 0 {
        results.pass();
    }
}

#[cfg(test)]
pub(super) mod tests;
