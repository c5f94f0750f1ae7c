//! `bailiwick policy lint`: what is legal in a policy and still not meant.
//!
//! What IAM would refuse is an error with its place; all else are warnings and notes.

use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::sync::Arc;

use bailiwick_catalog::Catalog;
use bailiwick_policy::{Document, DocumentKind, Documents, Effect, Statement};
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;

use crate::access::AccessArgs;
use crate::iam::{Iam, is_code};
use crate::policies::details;
use crate::simulate::account::World;
use crate::simulate::facts;
use crate::simulate::fault::{Findings, read};
use crate::{Format, terminal};

/// The longest policy file, in bytes.
const MAX_POLICY: u64 = 1 << 20;
/// What a user must be able to do before a device is there, and to get in with a password that must be
/// changed. Source: IAM user guide, AWS: allows MFA-authenticated IAM users to manage their own
/// credentials.
const SELF_SERVICE: &[&str] = &[
    "iam:ChangePassword",
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:GetAccountPasswordPolicy",
    "iam:GetMFADevice",
    "iam:GetUser",
    "iam:ListMFADevices",
    "iam:ListVirtualMFADevices",
    "iam:ResyncMFADevice",
    "sts:GetSessionToken",
];
/// Without these a user whose password must be changed cannot sign in.
const NEEDED: &[&str] = &["iam:ChangePassword", "iam:GetAccountPasswordPolicy"];

/// What kind of policy a file holds.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum PolicyKind {
    /// A policy of a user, group or role.
    #[default]
    Identity,
    /// A permissions boundary.
    Boundary,
    /// A policy of a resource.
    Resource,
    /// A trust policy of a role.
    Trust,
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
}

impl From<PolicyKind> for DocumentKind {
    fn from(kind: PolicyKind) -> Self {
        match kind {
            PolicyKind::Identity => Self::Identity,
            PolicyKind::Boundary => Self::Boundary,
            PolicyKind::Resource => Self::Resource,
            PolicyKind::Trust => Self::Trust,
            PolicyKind::ServiceControl => Self::ServiceControl,
            PolicyKind::ResourceControl => Self::ResourceControl,
        }
    }
}

/// Flags of `policy lint`.
#[derive(Args, Debug)]
pub struct LintArgs {
    /// Policies
    #[arg(value_name = "FILE", required_unless_present_any = ["account", "live"])]
    pub files: Vec<PathBuf>,
    /// What kind of policies the files hold
    #[arg(long, value_name = "KIND", default_value = "identity")]
    pub kind: PolicyKind,
    /// The policies of an account export (its pages in order)
    #[arg(long, value_name = "EXPORT", num_args = 1.., conflicts_with_all = ["files", "live"])]
    pub account: Vec<PathBuf>,
    /// The policies of a live account, and who of its users is locked out
    #[arg(long, conflicts_with = "files")]
    pub live: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Which server, with which key
    #[command(flatten)]
    pub access: AccessArgs,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    /// IAM refuses it.
    Error,
    /// It does what is hardly meant.
    Warning,
    /// Worth to know.
    Note,
}

/// Something to say about a policy.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    severity: Severity,
    /// The rule, for programs.
    code: &'static str,
    /// The file, policy or user.
    place: String,
    line: Option<u32>,
    column: Option<u32>,
    message: String,
    /// What to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

pub(crate) fn run(args: &LintArgs) -> anyhow::Result<()> {
    let mut found = Vec::new();
    for path in &args.files {
        let policy = read(path, MAX_POLICY)?;
        lint(&path.display().to_string(), &policy, args.kind.into(), &mut found);
    }
    if !args.account.is_empty() {
        account(&Arc::new(World::read(&args.account)?), None, &mut found)?;
    }
    if args.live {
        let iam = Iam::find(&args.access)?;
        let export = details(&iam)?.into_export();
        account(&Arc::new(World::of_json("the account", &export)?), Some(&iam), &mut found)?;
    }
    let mut out = stdout().lock();
    match args.format {
        Format::Json => {
            let told = json!({"findings": found});
            writeln!(out, "{}", terminal::json(&format!("{told:#}")))?;
        }
        Format::Table => {
            for finding in &found {
                let mut place = finding.place.clone();
                for number in [finding.line, finding.column].into_iter().flatten() {
                    let _ = write!(place, ":{number}");
                }
                let severity = format!("{:?}", finding.severity).to_lowercase();
                let line = format!("{place}: {severity}: {} [{}]", finding.message, finding.code);
                writeln!(out, "{}", terminal::text(&line))?;
                if let Some(fix) = &finding.fix {
                    writeln!(out, "  {}", terminal::text(fix))?;
                }
            }
        }
    }
    out.flush()?;
    let bad = found.iter().any(|finding| finding.severity != Severity::Note);
    if bad { Err(Findings.into()) } else { Ok(()) }
}

/// What there is to say about one policy.
fn lint(place: &str, policy: &str, kind: DocumentKind, found: &mut Vec<Finding>) {
    let document = match Document::parse_strict(policy, kind) {
        Ok(document) => document,
        Err(error) => {
            found.push(Finding {
                severity: Severity::Error,
                code: "refused",
                place: place.to_owned(),
                line: Some(error.line),
                column: Some(error.column),
                message: error.problem.to_string(),
                fix: None,
            });
            return;
        }
    };
    for statement in document.statements() {
        let at = document.position(statement.bytes().start);
        let mut say = |severity, code, message: String, fix: Option<String>| {
            found.push(Finding {
                severity,
                code,
                place: place.to_owned(),
                line: Some(at.line),
                column: Some(at.column),
                message,
                fix,
            });
        };
        for action in statement.actions().filter(|action| !action.contains(['*', '?'])) {
            if let Err(message) = facts::known_action(action) {
                say(Severity::Warning, "unknown-action", message, None);
            }
        }
        for condition in statement.conditions() {
            let key = &*condition.key;
            if key.get(..10).is_some_and(|head| head.eq_ignore_ascii_case("bailiwick:")) {
                let known = Catalog::embedded().condition_key(key).is_some();
                let (severity, word) = if known {
                    (Severity::Note, "an extension of this server, not portable to AWS")
                } else {
                    (Severity::Warning, "no condition key of this server")
                };
                say(severity, "extension-key", format!("`{key}` is {word}"), None);
            } else if let Some(message) = facts::unknown_key(key) {
                say(Severity::Warning, "unknown-key", message, None);
            }
        }
        if let Some(missing) = locks_out(statement) {
            let message = format!(
                "a user who must change the password at the next sign-in is locked out: the list of \
                 what is free before MFA lacks {}",
                missing.join(" and ")
            );
            say(Severity::Warning, "password-lock-out", message, Some(fuller(statement)));
        }
    }
}

/// What a statement that forces MFA keeps from users before they can sign in (mission row M13).
fn locks_out(statement: &Statement) -> Option<Vec<&'static str>> {
    let forces = statement.effect() == Effect::Deny
        && statement.is_not_action()
        && statement.conditions().any(|condition| {
            condition.key.eq_ignore_ascii_case("aws:MultiFactorAuthPresent")
                && condition.values.iter().any(|value| {
                    !value.eq_ignore_ascii_case("true") || condition.operator.starts_with("Null")
                })
        });
    if !forces {
        return None;
    }
    let free = |needed: &str| {
        statement.actions().any(|action| {
            let (action, needed) = (action.to_ascii_lowercase(), needed.to_ascii_lowercase());
            super::sample::like(&action, &needed)
        })
    };
    let missing: Vec<_> = NEEDED.iter().copied().filter(|needed| !free(needed)).collect();
    (!missing.is_empty()).then_some(missing)
}

/// The list of the statement with what AWS lists beside it.
fn fuller(statement: &Statement) -> String {
    let mut list: Vec<&str> = statement.actions().collect();
    list.extend(
        SELF_SERVICE
            .iter()
            .filter(|action| !statement.actions().any(|held| held.eq_ignore_ascii_case(action))),
    );
    format!("\"NotAction\": {}", json!(list))
}

/// Every policy of an account, and users who cannot change a password that must be changed.
fn account(world: &Arc<World>, iam: Option<&Iam>, found: &mut Vec<Finding>) -> anyhow::Result<()> {
    for (place, policy, kind) in world.policy_texts() {
        lint(&place, &policy, kind, found);
    }
    let everybody = match iam {
        Some(iam) => may_all_change(iam)?,
        None => false,
    };
    let mut documents = Documents::default();
    for (name, arn) in world.users() {
        // A live account tells who has to; an export does not tell who has a password at all, so there
        // it is asked of those whom a policy keeps from it.
        if let Some(iam) = iam {
            let told = iam.maybe("GetLoginProfile", &[("UserName", &name)])?;
            let must = told
                .as_ref()
                .and_then(|told| told.get("LoginProfile")?.get("PasswordResetRequired")?.as_bool());
            if must != Some(true) || everybody {
                continue;
            }
        }
        let setting = world.caller(&arn)?;
        let answer = setting
            .decide("iam:ChangePassword", &arn, &mut documents)
            .map_err(|problem| anyhow::anyhow!("{problem}"))?;
        let locked = match iam {
            Some(_) => answer.decision != "allowed",
            None => answer.decision == "explicitDeny",
        };
        if locked {
            found.push(Finding {
                severity: Severity::Warning,
                code: "password-lock-out",
                place: arn.clone(),
                line: None,
                column: None,
                message: format!(
                    "{name} must change the password at the next sign-in and may not: no \
                     iam:ChangePassword ({})",
                    answer.decision
                ),
                fix: Some(format!(
                    "aws iam attach-user-policy --user-name {name} --policy-arn \
                     arn:aws:iam::aws:policy/IAMUserChangePassword, or free before MFA: {}",
                    json!(SELF_SERVICE)
                )),
            });
        }
    }
    Ok(())
}

/// Whether the account's password policy lets every user change the own password.
fn may_all_change(iam: &Iam) -> anyhow::Result<bool> {
    match iam.call("GetAccountPasswordPolicy", &[]) {
        Ok(told) => Ok(told
            .get("PasswordPolicy")
            .and_then(|policy| policy.get("AllowUsersToChangePassword")?.as_bool())
            .unwrap_or(false)),
        Err(error) if is_code(&error, "NoSuchEntity") => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(policy: &str) -> Vec<&'static str> {
        let mut found = Vec::new();
        lint("p", policy, DocumentKind::Identity, &mut found);
        found.iter().map(|finding| finding.code).collect()
    }

    fn forcing(actions: &str, operator: &str, value: &str) -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","NotAction":{actions},"Resource":"*","Condition":{{"{operator}":{{"aws:MultiFactorAuthPresent":"{value}"}}}}}}}}"#
        )
    }

    // Mission row M13.
    #[test]
    fn m13_a_policy_that_forces_mfa_leaves_the_password() {
        for (actions, operator, value, expected) in [
            (r#"["iam:EnableMFADevice","sts:GetSessionToken"]"#, "BoolIfExists", "false", true),
            (
                r#"["iam:ChangePassword","iam:GetAccountPasswordPolicy"]"#,
                "BoolIfExists",
                "false",
                false,
            ),
            (r#""iam:*""#, "Bool", "false", false),
            (r#"["iam:changepassword","iam:Get*"]"#, "Bool", "false", false),
            (r#"["iam:ChangePassword"]"#, "Bool", "false", true),
            (r#"["sts:*"]"#, "Null", "true", true),
            // It binds those who have MFA, not those who have none yet.
            (r#"["sts:*"]"#, "Bool", "true", false),
        ] {
            let found = codes(&forcing(actions, operator, value)).contains(&"password-lock-out");
            assert_eq!(found, expected, "{actions} {operator} {value}");
        }
        let mut found = Vec::new();
        lint(
            "p",
            &forcing(r#"["iam:GetUser"]"#, "Bool", "false"),
            DocumentKind::Identity,
            &mut found,
        );
        let fix = found[0].fix.clone().unwrap();
        assert!(SELF_SERVICE.iter().all(|action| fix.matches(action).count() == 1), "{fix}");
        // The fix is what it asks for.
        let list = fix.strip_prefix("\"NotAction\": ").unwrap();
        assert!(codes(&forcing(list, "Bool", "false")).is_empty());
    }

    // Mission row M19.
    #[test]
    fn m19_extensions_are_told() {
        let policy = |key: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{{"NumericLessThan":{{"{key}":"170000"}}}}}}}}"#
            )
        };
        for (key, expected) in [
            ("bailiwick:TimeOfDay", &["extension-key"][..]),
            ("Bailiwick:timeofday", &["extension-key"]),
            ("bailiwick:Nothing", &["extension-key"]),
            ("aws:EpochTime", &[]),
            ("aws:EpochTim", &["unknown-key"]),
        ] {
            assert_eq!(codes(&policy(key)), expected, "{key}");
        }
        assert_eq!(
            codes(
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObjct","Resource":"*"}}"#
            ),
            ["unknown-action"]
        );
        assert_eq!(codes("{"), ["refused"]);
    }
}
