//! An account written out and read again.

use std::sync::Arc;
use std::time::Instant;

use bailiwick_catalog::Catalog;
use bailiwick_identifiers::{AccountId, IdKind, Partition, Path, Tag, TagSet, UniqueId};
use bailiwick_model::export::details;
use bailiwick_model::{
    Account, AccountInfo, Attachment, Binding, Group, IdentityText, InlinePolicy, InstanceProfile,
    ManagedPolicies, Membership, Policy, PolicyVersion, Record, Role, RoleUse, TrustText, User,
};
use bailiwick_policy::{Document, DocumentKind};
use jiff::Timestamp;

use crate::{ACCOUNT, arn, as_role, as_user, ask, ask_in, good, pretty};

/// Numbers that look random, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    fn id(&mut self, kind: IdKind) -> UniqueId {
        let mut random = [0; 11];
        random.fill_with(|| u8::try_from(self.roll(256)).unwrap());
        UniqueId::from_random(kind, random)
    }
}

const ACTIONS: &[&str] = &["s3:GetObject", "s3:PutObject", "iam:PassRole", "sqs:SendMessage"];

fn statement(dice: &mut Dice) -> String {
    let effect = dice.pick(&["Allow", "Allow", "Allow", "Deny"]);
    let action = dice.pick(&["s3:*", "s3:Get*", "s3:PutObject", "iam:*", "*", "sqs:SendMessage"]);
    let condition = dice.pick(&[
        "",
        "",
        r#","Condition":{"StringLike":{"aws:PrincipalArn":"*/u*"}}"#,
        r#","Condition":{"DateLessThan":{"aws:CurrentTime":"2026-05-05T00:00:00Z"}}"#,
        r#","Condition":{"NoSuchOperator":{"aws:username":"ü"}}"#,
    ]);
    format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"*"{condition}}}"#)
}

fn document(dice: &mut Dice) -> IdentityText {
    let statements: Vec<_> = (0..dice.roll(3)).map(|_| statement(dice)).collect();
    let text =
        format!("{{\"Version\":\"2012-10-17\",\n\t\"Statement\":[{}]}}", statements.join(", "));
    let text = if dice.roll(40) == 0 { "{ %7B not json".to_owned() } else { text };
    IdentityText::from(text)
}

fn random_account(seed: u64, users: usize) -> Account {
    let dice = &mut Dice(seed);
    let partition = if dice.roll(4) == 0 { Partition::AwsCn } else { Partition::Aws };
    let id: AccountId = ACCOUNT.parse().unwrap();
    let created: Timestamp = "2026-03-04T05:06:07Z".parse().unwrap();
    let mut account = Account::new(AccountInfo {
        id,
        name: None,
        partition,
        created: Timestamp::UNIX_EPOCH,
        alias: None,
    });
    let mut policies = vec![arn(&format!("arn:{partition}:iam::aws:policy/ReadOnlyAccess"))];
    for number in 0..=dice.roll(4) {
        let policy = Policy {
            id: dice.id(IdKind::Policy),
            name: format!("policy{number}").parse().unwrap(),
            path: dice.pick(&["/", "/a/b/"]).parse().unwrap(),
            description: (dice.roll(2) == 0).then(|| "of \"use\"".to_owned()),
            created,
            updated: created,
            default_version: 1 + u32::try_from(dice.roll(2)).unwrap(),
            newest_version: 2,
            tags: TagSet::default(),
        };
        for number in 1..=2 {
            let document = document(dice);
            account.put(Record::PolicyVersion(Arc::new(PolicyVersion {
                policy: policy.id,
                number,
                created,
                document,
            })));
        }
        policies.push(account.policy_arn(&policy));
        account.put(Record::Policy(Arc::new(policy)));
    }
    let furnish = |account: &mut Account, dice: &mut Dice, owner: UniqueId| {
        for number in 0..dice.roll(3) {
            let name = format!("inline{number}").parse().unwrap();
            let document = document(dice);
            account.put(Record::InlinePolicy(Arc::new(InlinePolicy { owner, name, document })));
        }
        for _ in 0..dice.roll(3) {
            let policy = policies[dice.roll(policies.len())].clone();
            account.put(Record::Attachment(Attachment { owner, policy }));
        }
    };
    let boundary =
        |dice: &mut Dice| (dice.roll(4) == 0).then(|| policies[dice.roll(policies.len())].clone());
    let tags = |dice: &mut Dice| {
        let key = dice.pick(&["Dept", "team", "é"]).parse().unwrap();
        TagSet::new((dice.roll(2) == 0).then(|| Tag { key, value: "x y".parse().unwrap() }))
            .unwrap()
    };
    let mut groups = Vec::new();
    for number in 0..dice.roll(4) {
        let group = dice.id(IdKind::Group);
        let name = format!("Group{number}").parse().unwrap();
        account.put(Record::Group(Arc::new(Group {
            id: group,
            name,
            path: Path::root(),
            created,
        })));
        furnish(&mut account, dice, group);
        groups.push(group);
    }
    let mut arns = Vec::new();
    for number in 0..users {
        let user = User {
            id: dice.id(IdKind::User),
            name: format!("u{number}").parse().unwrap(),
            path: dice.pick(&["/", "/team/"]).parse().unwrap(),
            created,
            tags: tags(dice),
            boundary: boundary(dice),
        };
        let id = user.id;
        arns.push((account.user_arn(&user), id));
        account.put(Record::User(Arc::new(user)));
        furnish(&mut account, dice, id);
        if !groups.is_empty() && dice.roll(2) == 0 {
            let group = groups[dice.roll(groups.len())];
            account.put(Record::Membership(Membership { user: id, group }));
        }
    }
    for number in 0..=users / 2 {
        let (trusted, trusted_id) = arns[dice.roll(arns.len())].clone();
        let gone = dice.id(IdKind::User);
        let principal = match dice.roll(4) {
            0 => trusted.to_string(),
            1 => arn(&format!("arn:{partition}:iam::{id}:root")).to_string(),
            2 => gone.to_string(),
            _ => "*".to_owned(),
        };
        let text = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"}}}}"#
        );
        let document = Document::parse(&text, DocumentKind::Trust).unwrap();
        let bindings = vec![Binding { arn: trusted, id: trusted_id }];
        let bindings = if principal.contains(":user/") { bindings } else { Vec::new() };
        let role = Role {
            id: dice.id(IdKind::Role),
            name: format!("role{number}").parse().unwrap(),
            path: dice.pick(&["/", "/svc/"]).parse().unwrap(),
            created,
            description: None,
            max_session_seconds: 3600,
            trust: TrustText::of(&document, bindings),
            tags: tags(dice),
            boundary: boundary(dice),
        };
        let role_id = role.id;
        account.put(Record::Role(Arc::new(role)));
        furnish(&mut account, dice, role_id);
        if dice.roll(3) == 0 {
            account.put(Record::RoleUse(Arc::new(RoleUse {
                role: role_id,
                at: created,
                region: "eu-west-1".to_owned(),
            })));
            account.put(Record::InstanceProfile(Arc::new(InstanceProfile {
                id: dice.id(IdKind::InstanceProfile),
                name: format!("profile{number}").parse().unwrap(),
                path: Path::root(),
                created,
                tags: TagSet::default(),
                role: Some(role_id),
            })));
        }
    }
    account
}

/// What an account holds, written out and read again, is the same and decides the same.
#[test]
fn the_round_trip_keeps_accounts_and_decisions() {
    let managed = ManagedPolicies::new(Catalog::embedded());
    let mut allowed = 0;
    let mut asked = 0;
    for seed in 0..60 {
        let account = random_account(seed, 6);
        let written = details(&account);
        let text = if seed % 2 == 0 { written.to_string() } else { pretty(&written) };
        let imported = good(&[&text]);
        assert_eq!(details(&imported.account), written, "seed {seed}");
        let users = account.users().map(|user| as_user(&account, user));
        let roles = account.roles().map(|role| as_role(&account, role));
        for who in users.chain(roles) {
            for action in ACTIONS {
                let before = ask_in(&account, &managed, &who, action, "*", None);
                assert_eq!(ask(&imported, &who, action), before, "seed {seed} {who:?} {action}");
                allowed += usize::from(before.is_allowed());
                asked += 1;
            }
            for role in account.roles() {
                let arn = account.role_arn(role);
                let again = imported.account.role_with_arn(&arn).unwrap();
                let ask = |account, managed, role| {
                    ask_in(account, managed, &who, "sts:AssumeRole", arn.as_str(), Some(role))
                };
                let before = ask(&account, &managed, role);
                let after = ask(&imported.account, &imported.managed, again);
                assert_eq!(after, before, "seed {seed} {who:?} {arn}");
            }
        }
    }
    let share = allowed * 100 / asked;
    assert!((10..90).contains(&share), "{share} % of {asked} are allowed");
}

/// Prints how long an export of 10,000 principals takes; the time depends on machine and build.
#[test]
fn reads_ten_thousand_principals() {
    let text = pretty(&details(&random_account(7, 6_666)));
    let start = Instant::now();
    let imported = good(&[&text]);
    let took = start.elapsed();
    let principals = imported.account.users().len() + imported.account.roles().len();
    assert_eq!(principals, 10_000);
    let megabytes = text.len() / 1_000_000;
    println!("{principals} principals, {megabytes} MB, read in {took:?}");
}
