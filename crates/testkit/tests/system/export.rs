//! The account that GetAccountAuthorizationDetails shows is the account that decides.

use bailiwick_catalog::Catalog;
use bailiwick_model::export::{ExportFile, NoteKind, read};
use bailiwick_model::{Account, Effective, ManagedPolicies};
use bailiwick_policy::{
    Attached, Context, Decision, Principal, Request, Source, SourceKind, decide,
};
use bailiwick_testkit::{Client, Dice, HOME, Rights, World, allow, allow_all, deny, trust};
use bailiwick_wire::generated::iam as api;
use bailiwick_wire::{Api as _, json};

/// The pages of the account, as a client writes them down.
fn pages(admin: &Client, size: &str) -> Vec<Vec<u8>> {
    let mut pages = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let more = marker.as_deref().map(|marker| ("Marker", marker));
        let parameters: Vec<_> = [("MaxItems", size)].into_iter().chain(more).collect();
        let reply = admin.iam("GetAccountAuthorizationDetails", &parameters).ok();
        let output = api::GetAccountAuthorizationDetails::OPERATION.output.unwrap();
        pages.push(json::encode(output, reply.value().unwrap()));
        if reply.at("Marker").is_none() {
            return pages;
        }
        marker = Some(reply.text("Marker"));
    }
}

/// What the policies of one of its principals say in an account.
fn ask(
    account: &Account,
    managed: &ManagedPolicies,
    who: &Principal,
    action: &str,
    assumed: Option<&str>,
) -> Decision {
    let role = assumed.map(|name| account.role_named(name).unwrap());
    let resource = role.map_or_else(|| "*".to_owned(), |role| account.role_arn(role).to_string());
    let effective = match who {
        Principal::User { id, .. } => Effective::of_user(account, managed, *id),
        Principal::Role { id, .. } => Effective::of_role(account, managed, *id),
        _ => Effective::default(),
    };
    let source = Source::new("trust", SourceKind::Trust);
    let mut applicable = effective.applicable();
    let document = role.map(|role| role.trust.document().unwrap());
    applicable.resource = document.map(|document| Attached { source: &source, document });
    let mut context = Context::new();
    context.put_principal(who);
    let request = Request {
        principal: who,
        action,
        resource: &resource,
        resource_account: Some(account.id()),
        context: &context,
        delegated: role.is_some(),
    };
    decide(&request, &applicable)
}

fn principals(account: &Account) -> Vec<Principal> {
    let users = account.users().map(|user| Principal::User {
        arn: account.user_arn(user).as_str().into(),
        id: user.id,
        account: account.id(),
        name: user.name.as_str().into(),
    });
    let roles = account.roles().map(|role| Principal::Role {
        arn: account.role_arn(role).as_str().into(),
        id: role.id,
        account: account.id(),
        name: role.name.as_str().into(),
    });
    users.chain(roles).collect()
}

const ACTIONS: &[&str] =
    &["iam:ListUsers", "iam:CreateUser", "s3:GetObject", "sts:AssumeRole", "sqs:SendMessage"];

/// A world with users, groups and roles whose rights come in every way.
fn furnish(world: &World, dice: &mut Dice) {
    let admin = &world.admin;
    let documents = [
        allow_all(),
        allow(&["iam:List*", "s3:*"]),
        allow(&["sts:AssumeRole"]),
        deny(&["iam:CreateUser"]),
        deny(&["s3:GetObject"]),
    ];
    let mut policies = vec!["arn:aws:iam::aws:policy/AmazonSQSFullAccess".to_owned()];
    for number in 0..3 {
        let name = format!("policy-{number}");
        let document = dice.pick(&documents).clone();
        let parameters = [("PolicyName", &*name), ("PolicyDocument", &*document)];
        let arn = admin.iam("CreatePolicy", &parameters).ok().text("Policy.Arn");
        if dice.roll(2) == 0 {
            let document = dice.pick(&documents).clone();
            let more =
                [("PolicyArn", &*arn), ("PolicyDocument", &*document), ("SetAsDefault", "true")];
            admin.iam("CreatePolicyVersion", &more).ok();
        }
        policies.push(arn);
    }
    let mut trusted = vec![HOME.to_owned()];
    for (kind, count) in [("Group", 2), ("User", 4), ("Role", 4)] {
        for number in 0..count {
            let name = format!("{kind}-{number}");
            let member = format!("{kind}Name");
            let owner = (&*member, &*name);
            let path = *dice.pick(&["/", "/team/"]);
            let document = trust(dice.pick::<String>(&trusted));
            let more = (kind == "Role").then_some(("AssumeRolePolicyDocument", &*document));
            let bound = (kind != "Group" && dice.roll(4) == 0)
                .then(|| ("PermissionsBoundary", &**dice.pick(&policies)));
            let parameters: Vec<_> =
                [owner, ("Path", path)].into_iter().chain(more).chain(bound).collect();
            let made = admin.iam(&format!("Create{kind}"), &parameters).ok();
            if kind != "Group" {
                trusted.push(made.text(&format!("{kind}.Arn")));
            }
            for inline in 0..dice.roll(3) {
                let policy = format!("inline-{inline}");
                let document = dice.pick(&documents).clone();
                let parameters = [owner, ("PolicyName", &policy), ("PolicyDocument", &document)];
                admin.iam(&format!("Put{kind}Policy"), &parameters).ok();
            }
            for _ in 0..dice.roll(3) {
                let parameters = [owner, ("PolicyArn", &**dice.pick(&policies))];
                admin.iam(&format!("Attach{kind}Policy"), &parameters).ok();
            }
            if kind == "User" && dice.roll(2) == 0 {
                let group = format!("Group-{}", dice.roll(2));
                let parameters = [owner, ("GroupName", &*group)];
                admin.iam("AddUserToGroup", &parameters).ok();
            }
        }
    }
}

#[test]
fn an_export_of_the_server_decides_as_the_server() {
    let managed = ManagedPolicies::new(Catalog::embedded());
    let mut allowed = [0, 0];
    for seed in 0..8 {
        let world = World::new(950 + seed);
        furnish(&world, &mut Dice::new(seed));
        // PR-12: one role trusts a user of whom nothing but the id is left.
        world.user("Gone", Rights::None);
        let gone = format!("arn:aws:iam::{HOME}:user/Gone");
        world.role("Waiting", &gone, Rights::None);
        let key = world.admin.iam("ListAccessKeys", &[("UserName", "Gone")]).ok();
        let key = key.text("AccessKeyMetadata.0.AccessKeyId");
        world.admin.iam("DeleteAccessKey", &[("UserName", "Gone"), ("AccessKeyId", &key)]).ok();
        world.admin.iam("DeleteUser", &[("UserName", "Gone")]).ok();
        world.user("Gone", Rights::Inline(&allow(&["s3:GetObject"])));

        let pages = pages(&world.admin, "5");
        assert!(pages.len() > 2);
        let files: Vec<_> = pages.iter().map(|bytes| ExportFile { name: "page", bytes }).collect();
        let imported = read(&files, Catalog::embedded()).unwrap();
        assert!(
            imported.notes.iter().all(|note| note.kind == NoteKind::Catalog),
            "{:?}",
            imported.notes
        );
        let live = world.node.account(HOME.parse().unwrap()).unwrap();
        let (before, after) = (principals(&live), principals(&imported.account));
        assert_eq!(before, after);
        for who in &before {
            let roles = live.roles().map(|role| Some(role.name.to_string()));
            for assumed in roles.chain([None]) {
                for action in ACTIONS {
                    let assumed = assumed.as_deref();
                    if assumed.is_some() != (*action == "sts:AssumeRole") {
                        continue;
                    }
                    let live = ask(&live, &managed, who, action, assumed);
                    let read = ask(&imported.account, &imported.managed, who, action, assumed);
                    assert_eq!(read, live, "seed {seed}: {who:?} {action} {assumed:?}");
                    allowed[usize::from(live.is_allowed())] += 1;
                }
            }
        }
    }
    let [denied, allowed] = allowed;
    assert!(allowed > 100 && denied > 100, "{allowed} allowed, {denied} denied");
}
