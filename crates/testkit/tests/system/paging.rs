//! Threat C17: lists and their markers tell nothing of others; and pages have an end.

use bailiwick_testkit::{Client, Furniture, HOME, Rights, World, allow_all, trust};

const NEIGHBOUR: &str = "210987654321";

#[test]
fn tm_c17_markers_are_good_for_their_own_list_only() {
    let world = World::new(114);
    let neighbour = world.account(NEIGHBOUR);
    for name in ["Ann", "Bob", "Cid", "secretive-name"] {
        world.admin.iam("CreateUser", &[("UserName", name)]).ok();
        neighbour.iam("CreateUser", &[("UserName", name)]).ok();
        world.role(name, HOME, Rights::None);
    }
    let page = world.admin.iam("ListUsers", &[("MaxItems", "1")]).ok();
    let marker = page.text("Marker");
    let next = world.admin.iam("ListUsers", &[("MaxItems", "1"), ("Marker", &marker)]).ok();
    assert_ne!(page.text("Users.0.UserName"), next.text("Users.0.UserName"));
    assert!(!marker.to_lowercase().contains("admin"), "{marker}");
    let invalid = |client: &Client, operation: &str, marker: &str, more: &[(&str, &str)]| {
        let parameters: Vec<_> = [("Marker", marker)].iter().chain(more).copied().collect();
        let reply = client.iam(operation, &parameters);
        assert_eq!(
            (reply.status, &*reply.code),
            (400, "ValidationError"),
            "{operation}: {}",
            reply.text_body()
        );
    };
    // Every edit of one character, and every cut.
    for (at, letter) in marker.char_indices() {
        let other = if letter == 'A' { 'B' } else { 'A' };
        let mut edited = marker.clone();
        edited.replace_range(at..=at, &other.to_string());
        invalid(&world.admin, "ListUsers", &edited, &[]);
        if at > 0 {
            invalid(&world.admin, "ListUsers", &marker[..at], &[]);
        }
    }
    invalid(&world.admin, "ListUsers", &format!("{marker}A"), &[]);
    // Another account, principal, operation or filter.
    invalid(&neighbour, "ListUsers", &marker, &[]);
    let other = world.user("Other", Rights::Inline(&allow_all()));
    invalid(&other, "ListUsers", &marker, &[]);
    invalid(&world.admin, "ListRoles", &marker, &[]);
    invalid(&world.admin, "ListUsers", &marker, &[("PathPrefix", "/team/")]);
}

/// Walking a list shows each entity of the own account once, and nothing else.
#[test]
fn tm_c17_lists_show_the_own_account_only() {
    let (world, _, _) = World::furnished(115);
    let neighbour = world.account(NEIGHBOUR);
    Furniture::set_as(&neighbour, NEIGHBOUR, "Their");
    for (operation, items) in [
        ("ListUsers", "Users"),
        ("ListGroups", "Groups"),
        ("ListRoles", "Roles"),
        ("ListInstanceProfiles", "InstanceProfiles"),
        ("ListPolicies", "Policies"),
    ] {
        for (client, foreign) in [(&world.admin, "Their"), (&neighbour, HOME)] {
            let mut seen = std::collections::BTreeSet::new();
            let mut marker = None;
            loop {
                let mut parameters = vec![("MaxItems", "1")];
                parameters.extend((operation == "ListPolicies").then_some(("Scope", "Local")));
                parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
                let page = client.iam(operation, &parameters).ok();
                assert!(!page.text_body().contains(foreign), "{operation}: {}", page.text_body());
                assert_eq!(page.len(items), 1, "{operation}");
                assert!(seen.insert(page.text(&format!("{items}.0.Arn"))), "{operation} repeats");
                if page.at("Marker").is_none() {
                    break;
                }
                marker = Some(page.text("Marker"));
            }
            assert!(seen.len() >= 2, "{operation}: {seen:?}");
        }
    }
}

/// Documents may hold much white space, which counts against no quota: a page ends by its bytes.
#[test]
fn tm_g06_pages_of_large_documents_are_short() {
    let world = World::new(116);
    let padded = trust(HOME).replacen('{', &format!("{{{}", " ".repeat(100_000)), 1);
    let names: Vec<String> = (0..10).map(|number| format!("Large{number}")).collect();
    for name in &names {
        world.role_trusting(name, &padded, Rights::None);
    }
    for (operation, items, more) in [
        ("ListRoles", "Roles", None),
        ("GetAccountAuthorizationDetails", "RoleDetailList", Some(("Filter.member.1", "Role"))),
    ] {
        let (mut seen, mut pages, mut marker) = (Vec::new(), 0, None::<String>);
        loop {
            let mut parameters = vec![("MaxItems", "1000")];
            parameters.extend(more);
            parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
            let page = world.admin.iam(operation, &parameters).ok();
            pages += 1;
            assert!(page.body.len() < 3 << 19, "{operation}: {} bytes", page.body.len());
            assert!(page.len(items) > 0, "{operation}: an empty page");
            let shown = 0..page.len(items);
            seen.extend(shown.map(|at| page.text(&format!("{items}.{at}.RoleName"))));
            let truncated = page.at("IsTruncated") == Some(&bailiwick_wire::Value::Bool(true));
            assert_eq!(truncated, page.at("Marker").is_some(), "{operation}");
            if !truncated {
                break;
            }
            marker = Some(page.text("Marker"));
        }
        assert_eq!(seen, names, "{operation}");
        assert_eq!(pages, 4, "{operation}");
    }
}
