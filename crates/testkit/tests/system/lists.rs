//! Lists kept by tests: what each operation asks, what is not written yet, and which threats have
//! tests. `BLESS=1` writes the files anew; what changed is then to be read before it is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bailiwick_catalog::Catalog;
use bailiwick_testkit::{HOME, World};

use crate::operations::{asks, full_name, implemented, is_answered, missing};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Compares a file with what it should hold, or writes it.
fn kept(path: &Path, expected: &str) {
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, expected).unwrap();
        return;
    }
    let held = std::fs::read_to_string(path).unwrap_or_default();
    let (held, wanted): (BTreeSet<&str>, BTreeSet<&str>) =
        (held.lines().collect(), expected.lines().collect());
    let name = path.file_name().unwrap().to_string_lossy();
    let extra: Vec<_> = held.difference(&wanted).collect();
    let lacking: Vec<_> = wanted.difference(&held).collect();
    assert!(
        extra.is_empty() && lacking.is_empty(),
        "{name}: no longer true: {extra:#?}\nmissing: {lacking:#?}\nrun again with BLESS=1 and read the difference",
    );
}

/// The golden table: an operation, then what it asks, one line each.
#[test]
fn asks_are_the_golden_ones() {
    let (world, one, _) = World::furnished(1);
    let mut table = String::new();
    for operation in implemented() {
        let asked = asks(&world, operation, &one);
        let name = full_name(operation);
        assert!(
            is_answered(operation, &asked.reply),
            "{name}: {}: {}",
            asked.reply.code,
            asked.reply.message
        );
        assert!(!asked.asks.is_empty(), "{name} asks nothing");
        for (action, resource) in asked.asks {
            writeln!(table, "{name} {action} {}", resource.replace(HOME, "${Account}")).unwrap();
        }
    }
    kept(&Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/asks.txt"), &table);
}

/// Actions whose resource is not the one that the service authorization reference names, with the
/// reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("iam:ListUsers", "IN-8"),
    ("iam:ListGroups", "IN-8"),
    ("iam:ListRoles", "IN-8"),
    ("iam:ListInstanceProfiles", "IN-8"),
    ("iam:ListServerCertificates", "IN-8"),
    ("iam:ListVirtualMFADevices", "IN-8"),
    // Of a federated user.
    ("sts:TagSession", "SES-9"),
];

#[test]
fn asks_agree_with_the_catalog() {
    let (world, one, _) = World::furnished(2);
    let catalog = Catalog::embedded();
    let mut used = BTreeSet::new();
    for operation in implemented() {
        for (action, resource) in asks(&world, operation, &one).asks {
            let (prefix, name) = action.split_once(':').unwrap();
            if prefix == "bailiwick" {
                // The server's own actions are in no AWS list.
                assert_eq!(resource, "*", "{action}");
                continue;
            }
            let service = catalog.service(prefix).unwrap();
            let entry =
                catalog.action(prefix, name).unwrap_or_else(|| panic!("no action {action}"));
            assert_eq!(&*entry.name, name, "the case of {action}");
            let types = entry.resource_types.iter();
            let patterns =
                types.map(|held| &*service.resource_type(&held.name).unwrap().arn_pattern);
            let fits = match entry.resource_types.len() {
                0 => resource == "*",
                _ => patterns.into_iter().any(|pattern| matches(pattern, &resource)),
            };
            if fits {
                continue;
            }
            let exception = EXCEPTIONS.iter().find(|(held, _)| *held == action);
            assert!(
                exception.is_some(),
                "{action} is asked on {resource}, which is no resource of it"
            );
            used.insert(action);
        }
    }
    for (action, reason) in EXCEPTIONS {
        assert!(used.contains(*action), "{action} needs no exception ({reason})");
    }
}

/// Whether an ARN is an instance of a pattern such as
/// `arn:${Partition}:iam::${Account}:user/${UserNameWithPath}`.
fn matches(pattern: &str, arn: &str) -> bool {
    let (mut rest, mut pattern) = (arn, pattern);
    loop {
        let Some((literal, tail)) = pattern.split_once("${") else { return rest == pattern };
        let Some(after) = rest.strip_prefix(literal) else { return false };
        let Some((_, tail)) = tail.split_once('}') else { return false };
        let next = tail.split("${").next().unwrap_or_default();
        let end = if next.is_empty() { Some(after.len()) } else { after.find(next) };
        let Some(end) = end.filter(|end| *end > 0) else { return false };
        (rest, pattern) = (&after[end..], tail);
    }
}

#[test]
fn patterns_match_as_written() {
    let user = "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}";
    for (arn, expected) in [
        ("arn:aws:iam::123456789012:user/a", true),
        ("arn:aws:iam::123456789012:user/p/a", true),
        ("arn:aws:iam::123456789012:user/", false),
        ("arn:aws:iam::123456789012:role/a", false),
        ("*", false),
    ] {
        assert_eq!(matches(user, arn), expected, "{arn}");
    }
}

/// `corpus/unimplemented.txt` and the tables say the same, both ways, and each line has its reason.
#[test]
fn unimplemented_operations_are_listed() {
    let path = root().join("corpus/unimplemented.txt");
    let held = std::fs::read_to_string(&path).unwrap();
    let reasons: BTreeMap<&str, &str> =
        held.lines().filter_map(|line| line.split_once(": ")).collect();
    let reason = |name: &str| reasons.get(name).copied().unwrap_or("not built yet");
    let names: BTreeSet<String> = missing().into_iter().map(full_name).collect();
    let text: String = names.iter().map(|name| format!("{name}: {}\n", reason(name))).collect();
    kept(&path, &text);
    assert_eq!(std::fs::read_to_string(path).unwrap(), text, "sorted, one a line, with a reason");
}

/// An operation that is not written says so, whoever may call it, and is recorded.
#[test]
fn unimplemented_operations_say_so() {
    let (world, _, _) = World::furnished(3);
    for operation in missing() {
        let before = world.revision();
        // What is required is given, so that validation has nothing to say.
        let value = crate::operations::least(operation);
        let reply = world.admin.send(operation, &value);
        let name = full_name(operation);
        assert_eq!(
            (reply.status, &*reply.code),
            (400, "NotImplemented"),
            "{name}: {}",
            reply.message
        );
        assert!(reply.message.contains(&name), "{}", reply.message);
        assert_eq!(world.revision(), before);
        let event = world.last_event();
        assert_eq!(event["eventName"], operation.name);
        assert_eq!(event["errorCode"], "NotImplemented");
    }
}

/// The threats whose surface is there. A threat is covered when a test's name holds its id.
const THREATS: &[&str] = &[
    "a01", "a02", "a03", "a04", "a05", "a06", "a07", "a08", "a09", "a10", "a11", "a12", "a13",
    "a14", "b01", "b02", "b03", "b04", "b05", "b06", "b07", "b08", "b09", "c01", "c02", "c05",
    "c07", "c11", "c14", "c17", "g01", "g02", "g03", "g04", "g05", "g06", "g07", "g08", "g09",
    "g10", "k01", "k02", "k03", "k04", "l01", "l02", "l03", "l04", "l05", "l06", "l07", "l08",
];

#[test]
fn threat_ids_have_tests() {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    scan(&root().join("crates"), &mut found);
    let lacking: Vec<_> = THREATS.iter().filter(|id| !found.contains_key(**id)).collect();
    assert!(lacking.is_empty(), "threats without a test: {lacking:?}");
}

/// Counts the ids in the names of test functions below a folder. A name may hold several.
fn scan(folder: &Path, found: &mut BTreeMap<String, usize>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scan(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for line in text.lines().map(str::trim_start) {
                let line = line.strip_prefix("async ").unwrap_or(line);
                let Some(name) = line.strip_prefix("fn tm_") else { continue };
                let name = name.split('(').next().unwrap_or_default();
                for id in format!("tm_{name}").split("tm_").skip(1) {
                    *found.entry(id.chars().take(3).collect()).or_default() += 1;
                }
            }
        }
    }
}
