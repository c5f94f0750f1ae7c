#![allow(clippy::needless_pass_by_value, reason = "JSON is written in place")]

use serde_json::{Value as Json, json};

use super::super::fixture::{
    ACCOUNT, Case, Folder, allow, aws, folder, group, merged, organization, policy, role,
};

const VENDOR: &str = "210987654321";
const GITHUB: &str = "token.actions.githubusercontent.com";

/// An account with one role of this trust, and what else the role has.
fn trusting(trust: Json, more: Json) -> Folder {
    folder(|f| {
        let own = json!({"AssumeRolePolicyDocument": policy(trust.clone())});
        let role = role("worker", merged(own, more.clone()));
        f.details(json!([]), json!([]), json!([role]), json!([]));
    })
}

fn lets(principal: Json, action: &str, condition: Json) -> Json {
    let base = json!({"Effect": "Allow", "Principal": principal, "Action": action});
    if condition.is_null() { base } else { merged(base, json!({"Condition": condition})) }
}

fn assume(principal: Json, condition: Json) -> Json {
    lets(principal, "sts:AssumeRole", condition)
}

fn cases_of(id: &'static str, more: &Json, clean: &[Json], spoiled: &[Json]) -> Vec<Case> {
    let folders: Vec<Folder> =
        spoiled.iter().map(|trust| trusting(trust.clone(), more.clone())).collect();
    let clean = clean.iter().map(|trust| trusting(trust.clone(), more.clone()));
    Case::against(id, clean, &folders)
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = accounts();
    cases.extend(services());
    cases.extend(federated());
    cases.extend(standing());
    cases
}

fn accounts() -> Vec<Case> {
    let none = json!({});
    let root = |id: &str| json!({"AWS": format!("arn:aws:iam::{id}:root")});
    let of = |operator: &str, key: &str, value: &str| json!({operator: {key: value}});
    let external = |operator: &str, value: &str| of(operator, "sts:ExternalId", value);
    let own = assume(root(ACCOUNT), Json::Null);
    let mut cases = cases_of(
        "TRU-01",
        &none,
        &[
            json!([own]),
            json!([assume(json!("*"), of("StringEquals", "aws:PrincipalOrgID", "o-1"))]),
            json!([assume(
                json!({"AWS": "*"}),
                of("StringEquals", "aws:PrincipalAccount", ACCOUNT)
            )]),
            json!([assume(json!("*"), Json::Null),
                   {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition":
                    {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}]),
        ],
        &[
            json!([assume(json!("*"), Json::Null)]),
            json!([assume(json!({"AWS": ["*"]}), of("StringLike", "aws:PrincipalOrgID", "o-*"))]),
            json!([assume(json!("*"), of("StringNotEquals", "aws:PrincipalAccount", VENDOR))]),
            json!([{"Effect": "Allow", "NotPrincipal": root(VENDOR), "Action": "sts:AssumeRole"}]),
        ],
    );
    cases.extend(cases_of(
        "TRU-02",
        &none,
        &[
            json!([own]),
            json!([assume(root(VENDOR), external("StringEquals", "our-secret"))]),
            json!([assume(root(VENDOR), external("StringLike", "our-secret-*"))]),
            json!([assume(root(VENDOR), Json::Null),
                   {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition":
                    {"StringNotEquals": {"sts:ExternalId": "our-secret"}}}]),
        ],
        &[
            json!([assume(root(VENDOR), Json::Null)]),
            json!([assume(json!({"AWS": VENDOR}), Json::Null)]),
            json!([assume(
                json!({"AWS": [format!("arn:aws:iam::{VENDOR}:role/agent")]}),
                Json::Null
            )]),
            json!([assume(root(VENDOR), external("StringLike", "*"))]),
            json!([assume(root(VENDOR), external("StringEqualsIfExists", "our-secret"))]),
            json!([assume(root(VENDOR), external("StringNotEquals", "our-secret"))]),
            json!([assume(root(VENDOR), of("Bool", "aws:MultiFactorAuthPresent", "true"))]),
        ],
    ));
    let vendor = trusting(json!([assume(root(VENDOR), Json::Null)]), json!({}));
    let mut known = vendor.clone();
    known.settings.vendor_accounts.insert(VENDOR.to_owned());
    let mut ours = vendor.clone();
    ours.settings.own_accounts.insert(VENDOR.to_owned());
    cases.push(Case::new("TRU-03", &known, &[&|f| *f = vendor.clone()]));
    cases.push(Case::new("TRU-03", &ours, &[&|f| *f = vendor.clone()]));
    cases.push(Case::new("TRU-02", &ours, &[&|f| *f = vendor.clone()]));
    // An account of the organization is no stranger once the organization is known.
    let sister = trusting(json!([assume(root("999999999999"), Json::Null)]), json!({}));
    let mut within = sister.clone();
    let full = policy(json!([allow("*", "*")]));
    organization(&mut within, &[("p-full", &full, &["r-1", ACCOUNT])]);
    cases.push(Case::new("TRU-02", &within, &[&|f| *f = sister.clone()]));
    cases.push(Case::new("TRU-03", &within, &[&|f| *f = sister.clone()]));
    let admin = json!({"AttachedManagedPolicies": [aws("AdministratorAccess")]});
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/pipeline");
    cases.extend(cases_of(
        "TRU-07",
        &admin,
        &[
            json!([assume(json!({"AWS": arn}), Json::Null)]),
            json!([assume(root(ACCOUNT), of("ArnLike", "aws:PrincipalArn", &arn))]),
            json!([assume(root(ACCOUNT), of("StringEquals", "aws:PrincipalTag/team", "core"))]),
        ],
        &[
            json!([own]),
            json!([assume(json!({"AWS": ACCOUNT}), Json::Null)]),
            json!([assume(root(ACCOUNT), of("Bool", "aws:MultiFactorAuthPresent", "true"))]),
        ],
    ));
    cases.extend(cases_of("TRU-07", &none, &[json!([own])], &[]).into_iter().map(|mut case| {
        case.spoiled = vec![trusting(json!([own]), admin.clone())];
        case
    }));
    let two = json!({"AWS": [format!("arn:aws:iam::{ACCOUNT}:root"), "AIDAAAAAAAAAAAAAAAAAA"]});
    cases.extend(cases_of(
        "TRU-08",
        &none,
        &[json!([own])],
        &[
            json!([assume(json!({"AWS": "AROAAAAAAAAAAAAAAAAAA"}), Json::Null)]),
            json!([assume(two, Json::Null)]),
        ],
    ));
    cases
}

fn services() -> Vec<Case> {
    let states = |condition: Json| assume(json!({"Service": "states.amazonaws.com"}), condition);
    let arn = |value: &str| json!({"ArnLike": {"aws:SourceArn": value}});
    cases_of(
        "TRU-04",
        &json!({}),
        &[
            json!([states(json!({"StringEquals": {"aws:SourceAccount": ACCOUNT}}))]),
            json!([states(arn("arn:aws:states:*:123456789012:stateMachine:*"))]),
            json!([states(Json::Null), {"Effect": "Deny", "Principal": {"Service": "states.amazonaws.com"},
                   "Action": "sts:AssumeRole",
                   "Condition": {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}}}]),
        ],
        &[
            json!([states(Json::Null)]),
            json!([states(json!({"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}))]),
            json!([states(arn("arn:aws:states:*:*:stateMachine:*"))]),
            json!([assume(
                json!({"Service": ["ec2.amazonaws.com", "states.amazonaws.com"]}),
                Json::Null
            )]),
        ],
    )
}

fn federated() -> Vec<Case> {
    let provider = json!({"Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}")});
    let token = |sub_operator: &str, sub: Json| {
        let (aud, key) = (format!("{GITHUB}:aud"), format!("{GITHUB}:sub"));
        let mut condition = json!({"StringEquals": {aud: "sts.amazonaws.com"}});
        let tests = condition[sub_operator].take();
        let tests = if tests.is_null() { json!({}) } else { tests };
        condition[sub_operator] = merged(tests, json!({key: sub}));
        lets(provider.clone(), "sts:AssumeRoleWithWebIdentity", condition)
    };
    let of = |condition: Json| lets(provider.clone(), "sts:AssumeRoleWithWebIdentity", condition);
    let main = "repo:org/app:ref:refs/heads/main";
    let pool = |condition: Json| {
        let provider = json!({"Federated": "cognito-identity.amazonaws.com"});
        lets(provider, "sts:AssumeRoleWithWebIdentity", condition)
    };
    let mut cases = cases_of(
        "TRU-05",
        &json!({}),
        &[
            json!([token("StringEquals", json!(main))]),
            json!([token("StringLike", json!("repo:org/*"))]),
            json!([token("StringLike", json!(["repo:org/app:*", "repo:org/web:*"]))]),
            json!([token("StringLike", json!("repo:*")), {"Effect": "Deny",
                   "Principal": provider, "Action": "sts:AssumeRoleWithWebIdentity",
                   "Condition": {"StringNotLike": {format!("{GITHUB}:sub"): "repo:org/*"}}}]),
            json!([pool(
                json!({"StringEquals": {"cognito-identity.amazonaws.com:aud": "eu-west-1:1"}})
            )]),
        ],
        &[
            json!([token("StringLike", json!("repo:*"))]),
            json!([token("StringLike", json!("*"))]),
            json!([token("StringLike", json!("repo:org*"))]),
            json!([token("StringLike", json!("repo:*/app:*"))]),
            json!([token("StringLike", json!([main, "repo:*:ref:refs/heads/main"]))]),
            json!([token("StringNotEquals", json!(main))]),
            json!([of(json!({"StringEquals": {format!("{GITHUB}:aud"): "sts.amazonaws.com"}}))]),
            json!([of(json!({"StringEquals": {format!("{GITHUB}:sub"): main}}))]),
            json!([of(Json::Null)]),
            json!([pool(Json::Null)]),
        ],
    );
    let saml = |condition: Json| {
        let provider = json!({"Federated": format!("arn:aws:iam::{ACCOUNT}:saml-provider/corp")});
        json!([lets(provider, "sts:AssumeRoleWithSAML", condition)])
    };
    let audience = |operator: &str, value: &str| json!({operator: {"SAML:aud": value}});
    cases.extend(cases_of(
        "TRU-06",
        &json!({}),
        &[saml(audience("StringEquals", "https://signin.aws.amazon.com/saml"))],
        &[
            saml(Json::Null),
            saml(audience("StringLike", "*")),
            saml(audience("StringEqualsIfExists", "https://signin.aws.amazon.com/saml")),
        ],
    ));
    let provider = |end: &str| {
        folder(|f| {
            let arn = format!("arn:aws:iam::{ACCOUNT}:saml-provider/corp");
            let list =
                json!([{"Arn": arn, "ValidUntil": end, "CreateDate": "2025-01-01T00:00:00Z"}]);
            f.put("saml-providers.json", &json!({"SAMLProviderList": list}));
        })
    };
    cases.push(Case::new(
        "TRU-14",
        &provider("2027-01-01T00:00:00Z"),
        &[&|f| *f = provider("2026-06-20T00:00:00Z"), &|f| *f = provider("2026-01-01T00:00:00Z")],
    ));
    cases
}

fn standing() -> Vec<Case> {
    let admin = json!({"AttachedManagedPolicies": [aws("AdministratorAccess")]});
    let lasting = |seconds: u32| {
        folder(|f| {
            f.details(json!([]), json!([]), json!([role("worker", admin.clone())]), json!([]));
            let list = json!([merged(
                role("worker", json!({})),
                json!({
                "MaxSessionDuration": seconds})
            )]);
            f.put("roles.json", &json!({"Roles": list}));
        })
    };
    let used = |last: Json, created: &str| {
        folder(|f| {
            let role = role("worker", json!({"RoleLastUsed": last, "CreateDate": created}));
            f.details(json!([]), json!([]), json!([role]), json!([]));
        })
    };
    let recently = used(
        json!({"LastUsedDate": "2026-05-30T00:00:00Z", "Region": "x"}),
        "2025-01-01T00:00:00Z",
    );
    let long_ago = used(
        json!({"LastUsedDate": "2026-01-30T00:00:00Z", "Region": "x"}),
        "2025-01-01T00:00:00Z",
    );
    let held = |name: &str| {
        folder(|f| {
            let holder = role("worker", json!({"AttachedManagedPolicies": [aws(name)]}));
            f.details(json!([]), json!([]), json!([holder]), json!([]));
        })
    };
    let by_group = folder(|f| {
        let crew = group("crew", json!({"AttachedManagedPolicies": [aws("AWSSupportAccess")]}));
        f.details(json!([]), json!([crew]), json!([]), json!([]));
    });
    let never = used(json!({}), "2025-01-01T00:00:00Z");
    vec![
        Case::new("TRU-09", &lasting(3_600), &[&|f| *f = lasting(43_200)]),
        Case::new("TRU-11", &recently, &[&|f| *f = long_ago.clone(), &|f| *f = never.clone()]),
        Case::new("TRU-11", &used(json!({}), "2026-05-20T00:00:00Z"), &[&|f| *f = never.clone()]),
        Case::new("TRU-12", &held("AWSSupportAccess"), &[&|f| *f = held("SecurityAudit")]),
        Case::new("TRU-12", &by_group, &[&|f| *f = held("SecurityAudit")]),
        Case::new("TRU-13", &held("SecurityAudit"), &[&|f| *f = by_group.clone()]),
    ]
}

#[test]
fn cases_turn() {
    super::super::fixture::turns(&cases());
}
