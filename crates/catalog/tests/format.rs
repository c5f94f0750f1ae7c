//! The data file's format: what is written is read again, the same facts give the same bytes, and a file whose
//! checksum fits but whose content is bad is refused without a panic.

use bailiwick_catalog::encode::{
    ActionFacts, ActionResourceFacts, EncodeError, Facts, PolicyFacts, ResourceTypeFacts,
    ServiceFacts, VersionFacts, encode,
};
use bailiwick_catalog::{Catalog, ConditionKey, KeyType, Source};
use jiff::Timestamp;
use jiff::civil::date;

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}

fn document(actions: usize, spare: usize) -> String {
    let list: Vec<String> = (0..actions)
        .filter(|at| *at != spare)
        .map(|at| format!("                \"service:Action{at}\""))
        .collect();
    format!(
        "{{\n    \"Version\": \"2012-10-17\",\n    \"Statement\": [\n        {{\n            \"Effect\": \"Allow\",\n            \
         \"Action\": [\n{}\n            ],\n            \"Resource\": \"*\",\n            \"Condition\": {{}}\n        }}\n    ]\n}}",
        list.join(",\n")
    )
}

fn facts() -> Facts {
    let action = |name: &str, levels: &str| ActionFacts {
        name: name.into(),
        levels: levels.parse().unwrap_or_default(),
        resources: vec![ActionResourceFacts {
            name: "door".into(),
            required: true,
            condition_keys: strings(&["house:Colour"]),
            dependent_actions: strings(&["iam:PassRole"]),
        }],
        condition_keys: strings(&["house:Owner", "aws:TagKeys"]),
        dependent_actions: Vec::new(),
    };
    Facts {
        date: date(2026, 10, 27),
        sources: vec![Source { name: "tables".into(), version: "1".into() }],
        services: vec![
            ServiceFacts {
                prefix: "house".into(),
                name: "House".into(),
                resource_control_policies: true,
                condition_keys: strings(&["house:Owner", "house:Colour"]),
                resource_types: vec![ResourceTypeFacts {
                    name: "door".into(),
                    arn_pattern: "arn:${Partition}:house:::door/${Door}".into(),
                    condition_keys: Vec::new(),
                }],
                actions: vec![action("Open", "Write"), action("Look", "List, Read")],
            },
            ServiceFacts {
                prefix: "garden".into(),
                name: "Garden".into(),
                resource_control_policies: false,
                condition_keys: Vec::new(),
                resource_types: Vec::new(),
                actions: Vec::new(),
            },
        ],
        condition_keys: vec![
            ConditionKey { name: "house:Owner".into(), kind: KeyType::Arn, multivalued: true },
            ConditionKey { name: "house:Colour".into(), kind: KeyType::String, multivalued: false },
        ],
        policies: vec![PolicyFacts {
            name: "HouseAccess".into(),
            path: "/job-function/".into(),
            id: String::new(),
            created: second(1_000),
            updated: second(2_000),
            default_version: 60,
            attachable: true,
            versions: (1..=60)
                .map(|number| VersionFacts {
                    number,
                    created: second(1_000 + i64::from(number)),
                    document: document(40 + number as usize % 7, number as usize % 11),
                })
                .collect(),
        }],
    }
}

#[test]
fn what_is_written_is_read_again() {
    let facts = facts();
    let catalog = Catalog::from_bytes(&encode(facts.clone()).expect("encodes")).expect("opens");
    assert_eq!(catalog.date(), facts.date);
    assert_eq!(catalog.sources(), facts.sources);
    let prefixes: Vec<_> = catalog.services().map(bailiwick_catalog::Service::prefix).collect();
    assert_eq!(prefixes, ["garden", "house"]);

    let house = catalog.service("HOUSE").expect("found");
    assert!(house.supports_resource_control_policies());
    assert_eq!(house.condition_keys().collect::<Vec<_>>(), ["house:Colour", "house:Owner"]);
    let look = house.action("look").expect("found");
    assert_eq!(look.levels.to_string(), "List, Read");
    assert_eq!(
        look.condition_keys.iter().map(|key| &**key).collect::<Vec<_>>(),
        ["aws:TagKeys", "house:Owner"]
    );
    let door = look.resource_type("DOOR").expect("found");
    assert!(
        door.required
            && &*door.dependent_actions[0] == "iam:PassRole"
            && &*door.condition_keys[0] == "house:Colour"
    );
    let owner = catalog.condition_key("house:owner").expect("found");
    assert_eq!((owner.kind, owner.multivalued), (KeyType::Arn, true));

    let policy = catalog.managed_policy("HouseAccess").expect("found");
    assert_eq!(&*policy.arn, "arn:aws:iam::aws:policy/job-function/HouseAccess");
    assert_eq!((policy.created, policy.updated), (second(1_000), second(2_000)));
    assert_eq!(policy.versions.iter().map(|version| &*version.id).next(), Some("v60"));
    for version in &facts.policies[0].versions {
        let read = policy.version(&format!("v{}", version.number)).expect("found");
        assert_eq!(read.document(), version.document, "v{}", version.number);
        assert_eq!(read.created, version.created);
    }
}

#[test]
fn the_same_facts_give_the_same_bytes() {
    let first = encode(facts()).expect("encodes");
    let mut shuffled = facts();
    shuffled.services.reverse();
    shuffled.condition_keys.reverse();
    shuffled.services[1].actions.reverse();
    shuffled.services[1].actions[0].condition_keys.reverse();
    shuffled.policies[0].versions.reverse();
    assert_eq!(encode(shuffled).expect("encodes"), first);
}

#[test]
fn facts_that_contradict_themselves_are_refused() {
    let spoil = |change: fn(&mut Facts)| {
        let mut facts = facts();
        change(&mut facts);
        encode(facts).expect_err("refused")
    };
    let twice = spoil(|facts| facts.services[0].actions[1].name = "OPEN".into());
    assert_eq!(twice, EncodeError::Twice("OPEN".into()));
    let missing = spoil(|facts| facts.services[0].resource_types.clear());
    assert!(matches!(missing, EncodeError::ResourceType { .. }));
    let default = spoil(|facts| facts.policies[0].default_version = 99);
    assert_eq!(default, EncodeError::DefaultVersion("HouseAccess".into()));
    let foreign = spoil(|facts| facts.services[0].prefix = "häuser".into());
    assert_eq!(foreign, EncodeError::NotAscii("häuser".into()));
    let layout = spoil(|facts| {
        facts.policies[0].versions[0].document = "{\n  \"Version\": \"2012-10-17\"\n}".into();
    });
    assert_eq!(layout, EncodeError::Layout("HouseAccess v1".into()));
}

/// Someone who can compute the checksum can still hand in nonsense: every byte changed in turn, checksum mended.
#[test]
fn nonsense_with_a_good_checksum_never_panics() {
    let good = encode(facts()).expect("encodes");
    let mut refused = 0;
    for at in 22..good.len() {
        for bits in [0x01, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[at] ^= bits;
            let mut crc = flate2::Crc::new();
            crc.update(&bad[22..]);
            bad[18..22].copy_from_slice(&crc.sum().to_le_bytes());
            match Catalog::from_bytes(&bad) {
                Ok(catalog) => drop(
                    catalog
                        .managed_policies()
                        .map(|policy| policy.default_document().len())
                        .sum::<usize>(),
                ),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > good.len(), "{refused} of {}", good.len());
}
