//! USR: users, groups and direct grants.

use crate::evidence::Data;
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};
use crate::posture::finding::Place;
use crate::posture::settings::fits;

const DETAILS: &[Need] = &[Need::Of(Data::AuthorizationDetails)];
const REPORT: &[Need] = &[Need::Of(Data::CredentialReport)];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "USR-01",
        needs: DETAILS,
        remedy: "move the policy to a group or a role, and detach it from the user",
        run: no_direct_policy,
    },
    Check {
        id: "USR-02",
        needs: DETAILS,
        remedy: "put the user in the group of its job",
        run: in_a_group,
    },
    Check { id: "USR-03", needs: DETAILS, remedy: "delete the group", run: has_members },
    Check {
        id: "USR-04",
        needs: &[
            Need::Of(Data::CredentialReport),
            Need::Any(&[Data::SamlProviders, Data::OidcProviders, Data::IdentityCenter]),
        ],
        remedy: "let people sign in by Identity Center or a provider, and take their passwords away",
        run: federated,
    },
    Check {
        id: "USR-05",
        needs: REPORT,
        remedy: "let the person use short-term credentials, and delete the key",
        run: no_key_of_people,
    },
    Check {
        id: "USR-07",
        needs: REPORT,
        remedy: "delete the key; make one when it is needed",
        run: no_key_at_birth,
    },
    Check {
        id: "USR-08",
        needs: DETAILS,
        remedy: "tag it with its owner and purpose, or describe it",
        run: owned,
    },
    Check {
        id: "USR-10",
        needs: &[Need::Of(Data::OtherCredentials)],
        remedy: "delete the credential, or make a new one",
        run: other_credentials,
    },
    Check {
        id: "USR-11",
        needs: REPORT,
        remedy: "delete the signing certificate",
        run: no_certificates,
    },
];

/// USR-01: neither an inline nor an attached policy.
fn no_direct_policy(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    for user in account.users() {
        let arn = account.user_arn(user);
        let mut clean = true;
        for policy in account.inline_policies(user.id) {
            clean = false;
            let place = Place { policy: policy.name.as_str().to_owned(), ..Place::default() };
            let why = format!("the inline policy `{}` is the user's own", policy.name);
            results.fail(Found::new(arn.as_str(), why).at(place).cli(format!(
                "aws iam delete-user-policy --user-name {} --policy-name {}",
                user.name, policy.name
            )));
        }
        for policy in account.attached(user.id) {
            clean = false;
            let place = Place { policy: policy.as_str().to_owned(), ..Place::default() };
            let why = format!("`{policy}` is attached to the user");
            results.fail(Found::new(arn.as_str(), why).at(place).cli(format!(
                "aws iam detach-user-policy --user-name {} --policy-arn {policy}",
                user.name
            )));
        }
        if clean {
            results.pass();
        }
    }
}

/// USR-02: a user without any permission needs no group.
fn in_a_group(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    for user in account.users() {
        let grouped = account.groups_of(user.id).next().is_some();
        let bare = account.inline_policies(user.id).next().is_none()
            && account.attached(user.id).next().is_none();
        results.judge(grouped || bare, || {
            Found::new(account.user_arn(user).as_str(), "the user is in no group").cli(format!(
                "aws iam add-user-to-group --user-name {} --group-name GROUP",
                user.name
            ))
        });
    }
}

/// USR-03.
fn has_members(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    for group in account.groups() {
        results.judge(account.members_of(group.id).next().is_some(), || {
            Found::new(account.group_arn(group).as_str(), "the group has no member")
                .cli(format!("aws iam delete-group --group-name {}", group.name))
        });
    }
}

/// USR-04: there is a way in by federation, and nobody but the listed has a password.
fn federated(audit: &Audit<'_>, results: &mut Results) {
    let evidence = audit.evidence;
    let saml = evidence.saml_providers.known().map(|list| !list.is_empty());
    let oidc = evidence.oidc_providers.known().map(|list| !list.is_empty());
    let center = evidence.identity_center.known().map(Option::is_some);
    let known = [saml, oidc, center];
    if known.contains(&Some(true)) {
        results.pass();
    } else if known.contains(&None) {
        let missing = "whether people come by federation: SAML providers, OIDC providers and \
                       Identity Center are not all known";
        results.not_assessed(&audit.account, missing);
    } else {
        let why = "there is no SAML provider, no OIDC provider and no Identity Center";
        results.fail(Found::new(&audit.account, why));
    }
    let Some(report) = evidence.credential_report.known() else { return };
    for row in report.users() {
        let arn = row.arn.as_str();
        let listed = audit.settings.console_users.iter().any(|pattern| fits(pattern, arn));
        results.judge(!row.has_password() || listed, || {
            Found::new(arn, "the user signs in with a password of its own")
                .when(row.password_last_used.at())
                .cli(format!("aws iam delete-login-profile --user-name {}", row.user))
        });
    }
}

/// USR-05.
fn no_key_of_people(audit: &Audit<'_>, results: &mut Results) {
    let Some(report) = audit.evidence.credential_report.known() else { return };
    for row in report.users() {
        let keys = row.keys.iter().filter(|key| key.active).count();
        results.judge(!(row.has_password() && keys > 0), || {
            let why = format!("the user has a console password and {keys} active keys");
            Found::new(row.arn.as_str(), why)
                .when(row.keys.iter().filter_map(|key| key.used.at()).max())
                .cli(format!("aws iam list-access-keys --user-name {}", row.user))
        });
    }
}

/// USR-07: made within a minute of the user, and never used since.
fn no_key_at_birth(audit: &Audit<'_>, results: &mut Results) {
    let Some(report) = audit.evidence.credential_report.known() else { return };
    for row in report.users() {
        let born = row.created.at();
        let twin = row.keys.iter().position(|key| {
            let (Some(born), Some(made)) = (born, key.rotated.at()) else { return false };
            key.active && key.used.at().is_none() && made.duration_since(born).as_secs().abs() <= 60
        });
        results.judge(twin.is_none(), || {
            let number = twin.unwrap_or_default() + 1;
            let why = format!("key {number} was made together with the user and was never used");
            Found::new(row.arn.as_str(), why)
                .detail(format!("key {number}"))
                .when(born)
                .cli(format!("aws iam list-access-keys --user-name {}", row.user))
        });
    }
}

/// USR-08: the tags that are asked for, or a description.
fn owned(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    let usual = || ["owner".to_owned(), "purpose".to_owned()].into();
    let required = &audit.settings.required_tags;
    let required = if required.is_empty() { usual() } else { required.clone() };
    let lacks = |tags: &bailiwick_identifiers::TagSet| {
        let held: Vec<String> = tags.iter().map(|tag| tag.key.folded()).collect();
        let lacking = required.iter().filter(|key| !held.contains(&key.to_lowercase()));
        lacking.cloned().collect::<Vec<_>>()
    };
    let why = |lacking: &[String]| format!("it has no tag {}", lacking.join(", "));
    for user in account.users() {
        let lacking = lacks(&user.tags);
        results.judge(lacking.is_empty(), || {
            Found::new(account.user_arn(user).as_str(), why(&lacking)).cli(format!(
                "aws iam tag-user --user-name {} --tags Key=owner,Value=NAME Key=purpose,Value=TEXT",
                user.name
            ))
        });
    }
    for role in account.roles().filter(|role| !crate::estate::is_service_linked(role)) {
        let lacking = lacks(&role.tags);
        let arn = account.role_arn(role);
        if lacking.is_empty() {
            results.pass();
            continue;
        }
        let Some(roles) = audit.evidence.roles.known() else {
            results.not_assessed(arn.as_str(), "the description of the role: list of roles");
            continue;
        };
        let detail = roles.get(role.name.as_str());
        let said = detail.and_then(|detail| detail.description.as_deref());
        results.judge(said.is_some_and(|text| !text.trim().is_empty()), || {
            Found::new(arn.as_str(), format!("{}, and no description", why(&lacking)))
                .cli(format!("aws iam update-role --role-name {} --description TEXT", role.name))
        });
    }
}

/// USR-10: SSH keys and service-specific credentials; certificates are USR-11's.
fn other_credentials(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    let Some(list) = audit.evidence.other_credentials.known() else { return };
    let limit = audit.settings.limits.other_credential_age;
    let mut any = false;
    for credential in list.iter().filter(|credential| credential.kind != "signing certificate") {
        any = true;
        let user = account.user_named(&credential.user);
        let subject = user.map_or_else(
            || format!("{} (user)", credential.user),
            |user| account.user_arn(user).to_string(),
        );
        let old = credential.created.is_some_and(|made| audit.is_older(made, limit));
        results.judge(credential.active && !old, || {
            let why = if credential.active {
                let days = credential.created.map_or(0, |made| audit.days_since(made));
                format!("the {} {} is {days} days old", credential.kind, credential.id)
            } else {
                format!("the {} {} is inactive and still there", credential.kind, credential.id)
            };
            Found::new(subject, why).detail(&*credential.id).when(credential.created)
        });
    }
    if !any {
        results.not_applicable();
    }
}

/// USR-11.
fn no_certificates(audit: &Audit<'_>, results: &mut Results) {
    let Some(report) = audit.evidence.credential_report.known() else { return };
    for row in report.users() {
        results.judge(!row.certificates.contains(&true), || {
            Found::new(row.arn.as_str(), "the user has an active signing certificate")
                .cli(format!("aws iam list-signing-certificates --user-name {}", row.user))
        });
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "JSON is written in place")]
pub(super) mod tests {
    use super::super::fixture::{
        Case, Folder, allow, attached, folder, group, managed, policy, report, role, user,
    };
    use serde_json::{Value as Json, json};

    fn users(users: Json, groups: Json) -> Folder {
        let document = policy(json!([allow("s3:GetObject", "arn:aws:s3:::b/*")]));
        folder(|f| {
            f.details(
                users.clone(),
                groups.clone(),
                json!([]),
                json!([managed("p", document.clone())]),
            );
        })
    }

    fn rows(columns: &[(&str, &str)]) -> Folder {
        folder(|f| {
            f.text("credential-report.csv", &report(&[("alice", columns)]));
        })
    }

    pub(crate) fn cases() -> Vec<Case> {
        let document = policy(json!([allow("s3:GetObject", "arn:aws:s3:::b/*")]));
        let inline = json!({"UserPolicyList": [{"PolicyName": "own", "PolicyDocument": document}]});
        let direct = json!({"AttachedManagedPolicies": [attached("p")]});
        let alone = users(json!([user("alice", json!({}))]), json!([]));
        let mut cases = vec![Case::new(
            "USR-01",
            &alone,
            &[&|f| *f = users(json!([user("alice", inline.clone())]), json!([])), &|f| {
                *f = users(json!([user("alice", direct.clone())]), json!([]));
            }],
        )];
        let grouped = users(
            json!([user(
                "alice",
                json!({
                    "GroupList": ["g"], "AttachedManagedPolicies": [attached("p")],
                })
            )]),
            json!([group("g", json!({}))]),
        );
        let ungrouped =
            users(json!([user("alice", direct.clone())]), json!([group("g", json!({}))]));
        cases.push(Case::new("USR-02", &grouped, &[&|f| *f = ungrouped.clone()]));
        cases.push(Case::new("USR-03", &grouped, &[&|f| *f = ungrouped.clone()]));

        let signed_in = |password: &str, provider: bool| {
            let mut f = rows(&[("password_enabled", password)]);
            let arn = "arn:aws:iam::123456789012:saml-provider/idp";
            let list = if provider { json!([{"Arn": arn}]) } else { json!([]) };
            f.put("saml-providers.json", &json!({"SAMLProviderList": list}));
            f.put("oidc-providers.json", &json!({"OpenIDConnectProviderList": []}));
            f.put("identity-center/instances.json", &json!({"Instances": []}));
            f
        };
        cases.push(Case::new(
            "USR-04",
            &signed_in("false", true),
            &[&|f| *f = signed_in("true", true), &|f| *f = signed_in("false", false)],
        ));
        let both = [("password_enabled", "true"), ("access_key_1_active", "true")];
        cases.push(Case::new(
            "USR-05",
            &rows(&[("password_enabled", "true")]),
            &[&|f| *f = rows(&both)],
        ));
        let twin = |used: &str, made: &str| {
            rows(&[
                ("access_key_1_active", "true"),
                ("access_key_1_last_rotated", made),
                ("access_key_1_last_used_date", used),
            ])
        };
        let born = "2025-01-01T00:00:05+00:00";
        cases.push(Case::new(
            "USR-07",
            &twin("2026-01-01T00:00:00+00:00", born),
            &[&|f| *f = twin("N/A", born)],
        ));
        let tagged = |tags: Json, description: Json| {
            folder(|f| {
                let users = json!([user("alice", json!({"Tags": tags}))]);
                f.details(users, json!([]), json!([role("r", json!({}))]), json!([]));
                let one = json!({"RoleName": "r", "Description": description});
                f.put("roles.json", &json!({"Roles": [one]}));
            })
        };
        let tags = json!([{"Key": "Owner", "Value": "a"}, {"Key": "purpose", "Value": "b"}]);
        cases.push(Case::new(
            "USR-08",
            &tagged(tags.clone(), json!("builds")),
            &[&|f| *f = tagged(json!([]), json!("builds")), &|f| {
                *f = tagged(tags.clone(), json!(""));
            }],
        ));
        let ssh = |status: &str, date: &str| {
            folder(|f| {
                let one = json!({
                    "UserName": "alice", "SSHPublicKeyId": "APKAEXAMPLE", "Status": status,
                    "UploadDate": date,
                });
                f.put("ssh-public-keys/alice.json", &json!({"SSHPublicKeys": [one]}));
            })
        };
        cases.push(Case::new(
            "USR-10",
            &ssh("Active", "2026-05-01T00:00:00Z"),
            &[&|f| *f = ssh("Inactive", "2026-05-01T00:00:00Z"), &|f| {
                *f = ssh("Active", "2026-01-01T00:00:00Z");
            }],
        ));
        cases.push(Case::new(
            "USR-11",
            &rows(&[]),
            &[&|f| *f = rows(&[("cert_2_active", "true")])],
        ));
        cases
    }
}
