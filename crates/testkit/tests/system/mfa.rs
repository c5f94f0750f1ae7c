//! MFA devices: how they are made, whose they are, and what becomes of them.

use bailiwick_services::operator;
use bailiwick_testkit::{Client, Device, HOME, Reply, Rights, World, allow, allow_all};
use serde_json::json;

pub(crate) const INVALID: &str =
    "MultiFactorAuthentication failed with invalid MFA one time pass code.";
pub(crate) const NOT_OWN: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.";

/// A user with rights and a device, whose code of the present step was used to enable it.
pub(crate) fn equipped(world: &World, name: &str, rights: Rights<'_>) -> (Client, Device) {
    let user = world.user(name, rights);
    let device = Device::new(&world.admin, "/", &format!("{name}-phone"));
    device.enable(&world.admin, name);
    (user, device)
}

pub(crate) fn policy(statements: &serde_json::Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

#[track_caller]
pub(crate) fn denied(reply: Reply, message: &str) {
    let reply = reply.refused("AccessDenied");
    assert_eq!((reply.status, &*reply.message), (403, message));
}

#[test]
fn a_device_from_birth_to_death() {
    let world = World::new(900);
    let admin = &world.admin;
    let bob = world.user("Bob", Rights::None);
    let made = admin
        .iam("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "Phone"), ("Path", "/a/")])
        .ok();
    let device = Device::shown(&made);
    assert_eq!(device.serial, format!("arn:aws:iam::{HOME}:mfa/a/Phone"));
    assert_eq!(device.seed.len(), 64);
    assert!(device.picture.starts_with(b"\x89PNG"));
    for name in ["Phone", "phone"] {
        let again = [("VirtualMFADeviceName", name), ("Path", "/a/")];
        let again = admin.iam("CreateVirtualMFADevice", &again).refused("EntityAlreadyExists");
        assert_eq!(again.message, "MFADevice entity at the same path and name already exists.");
    }
    let listed =
        |status: &str| admin.iam("ListVirtualMFADevices", &[("AssignmentStatus", status)]).ok();
    let count = |status: &str| listed(status).len("VirtualMFADevices");
    assert_eq!(["Assigned", "Unassigned", "Any"].map(count), [0, 1, 1]);
    let ghost = [
        ("UserName", "Bob"),
        ("SerialNumber", "arn:aws:iam::123456789012:mfa/ghost"),
        ("AuthenticationCode1", "123456"),
        ("AuthenticationCode2", "789012"),
    ];
    admin.iam("EnableMFADevice", &ghost).refused("NoSuchEntity");
    admin.iam("ResyncMFADevice", &ghost).refused("NoSuchEntity");
    let of_bob = [("UserName", "Bob"), ("SerialNumber", &*device.serial)];
    admin.iam("DeactivateMFADevice", &of_bob).refused("NoSuchEntity");
    admin.iam("GetMFADevice", &of_bob).refused("NoSuchEntity");
    device.enable_with(admin, "ghost", [-1, 0]).refused("NoSuchEntity");

    device.enable(admin, "bob");
    assert_eq!(["Assigned", "Unassigned", "Any"].map(count), [1, 0, 1]);
    let shown = listed("Assigned");
    assert_eq!(shown.text("VirtualMFADevices.0.User.UserName"), "Bob");
    assert!(shown.at("VirtualMFADevices.0.Base32StringSeed").is_none());
    assert!(shown.at("VirtualMFADevices.0.QRCodePNG").is_none());
    let taken = device.enable_with(admin, "admin", [1, 2]).refused("EntityAlreadyExists");
    assert_eq!(taken.status, 409);
    for (who, parameters) in [(admin, vec![("UserName", "Bob")]), (&bob, Vec::new())] {
        let may = allow(&["iam:*"]);
        world
            .admin
            .iam(
                "PutUserPolicy",
                &[("UserName", "Bob"), ("PolicyName", "p"), ("PolicyDocument", &may)],
            )
            .ok();
        let devices = who.iam("ListMFADevices", &parameters).ok();
        assert_eq!(devices.text("MFADevices.0.SerialNumber"), device.serial);
        assert_eq!(devices.text("MFADevices.0.UserName"), "Bob");
        let with_serial = [&parameters[..], &[("SerialNumber", &*device.serial)]].concat();
        assert_eq!(who.iam("GetMFADevice", &with_serial).ok().text("UserName"), "Bob");
    }
    let summary = admin.iam("GetAccountSummary", &[]).ok().text_body();
    for (key, value) in [("MFADevices", 1), ("MFADevicesInUse", 1), ("AccountMFAEnabled", 0)] {
        let entry = format!("<key>{key}</key><value>{value}</value>");
        assert!(summary.contains(&entry), "{entry} is not in {summary}");
    }
    let serial = [("SerialNumber", &*device.serial)];
    let conflict = admin.iam("DeleteVirtualMFADevice", &serial).refused("DeleteConflict");
    assert_eq!(conflict.message, "MFA VirtualDevice in use. Must deactivate first.");
    // What hangs on Bob besides goes first.
    admin.iam("DeleteUserPolicy", &[("UserName", "Bob"), ("PolicyName", "p")]).ok();
    admin.iam("DeleteAccessKey", &[("UserName", "Bob"), ("AccessKeyId", bob.key())]).ok();
    let hanging = admin.iam("DeleteUser", &[("UserName", "Bob")]).refused("DeleteConflict");
    assert_eq!(hanging.message, "Cannot delete entity, must delete MFA device first.");
    admin.iam("DeactivateMFADevice", &of_bob).ok();
    admin.iam("DeactivateMFADevice", &of_bob).refused("NoSuchEntity");
    admin.iam("DeleteVirtualMFADevice", &serial).ok();
    admin.iam("DeleteVirtualMFADevice", &serial).refused("NoSuchEntity");
    admin.iam("DeleteUser", &[("UserName", "Bob")]).ok();
}

#[test]
fn only_two_new_codes_in_a_row_enable_a_device() {
    let world = World::new(901);
    let device = Device::new(&world.admin, "/", "phone");
    for steps in [[0, 0], [0, -1], [-2, 0], [-1, 1], [60, 61], [-61, -60], [0, 2]] {
        // Another world each time: here it is not about how many guesses are free.
        let fork = world.fork();
        let admin = fork.adopt(&world.admin);
        let reply = device.enable_with(&admin, "admin", steps);
        let reply = reply.refused("InvalidAuthenticationCode");
        assert_eq!(reply.status, 403, "{steps:?}");
        assert_eq!(reply.message, "Authentication code for device is not valid.");
    }
    for steps in [[-1, 0], [0, 1], [-9, -8], [8, 9]] {
        let fork = world.fork();
        device.enable_with(&fork.adopt(&world.admin), "admin", steps).ok();
    }
    // What was used before is used up for the next owner too.
    device.enable(&world.admin, "admin");
    let session = world.admin.as_issued(&device.session(&world.admin, 1).ok());
    let own = [("UserName", "admin"), ("SerialNumber", &*device.serial)];
    session.iam("DeactivateMFADevice", &own).ok();
    device.enable_with(&world.admin, "admin", [0, 1]).refused("InvalidAuthenticationCode");
    device.enable_with(&world.admin, "admin", [1, 2]).refused("InvalidAuthenticationCode");
    device.enable_with(&world.admin, "admin", [2, 3]).ok();
}

#[test]
fn eight_devices_a_user() {
    let world = World::new(902);
    world.user("Bob", Rights::None);
    for number in 0..8 {
        Device::new(&world.admin, "/", &format!("d{number}")).enable(&world.admin, "Bob");
    }
    let ninth = Device::new(&world.admin, "/", "d8");
    let refused = ninth.enable_with(&world.admin, "Bob", [-1, 0]).refused("LimitExceeded");
    assert_eq!(refused.message, "Cannot exceed quota for MFADevicesPerUser: 8");
    let devices = world.admin.iam("ListMFADevices", &[("UserName", "Bob")]).ok();
    assert_eq!(devices.len("MFADevices"), 8);
}

/// Mission row M1: root's own devices, which AWS has in its console alone.
#[test]
fn m1_root_has_devices_of_its_own() {
    let world = World::new(912);
    let root = world.root(HOME);
    let serial = format!("arn:aws:iam::{HOME}:mfa/root-account-mfa-device");
    let printed = |client: &Client| {
        let parameters = [
            ("UserName", "root"),
            ("SerialNumber", &*serial),
            ("AuthenticationCode1", "123456"),
            ("AuthenticationCode2", "789012"),
        ];
        client.iam("EnableMFADevice", &parameters)
    };
    printed(&root).refused("NoSuchEntity");
    printed(&world.admin).refused("NoSuchEntity");
    let made = [("VirtualMFADeviceName", "root-account-mfa-device")];
    let device = Device::shown(&root.iam("CreateVirtualMFADevice", &made).ok());
    assert_eq!(device.serial, serial);
    // Nobody but root can mean root by that name.
    printed(&world.admin).refused("NoSuchEntity");
    assert_eq!(printed(&root).refused("InvalidAuthenticationCode").status, 403);
    device.enable(&root, "root");
    let summary = world.admin.iam("GetAccountSummary", &[]).ok().text_body();
    assert!(summary.contains("<key>AccountMFAEnabled</key><value>1</value>"), "{summary}");
    let listed = world.admin.iam("ListVirtualMFADevices", &[]).ok();
    let arn = listed.text("VirtualMFADevices.0.User.Arn");
    assert_eq!(arn, format!("arn:aws:iam::{HOME}:root"));
    let own = root.iam("ListMFADevices", &[]).ok();
    assert_eq!(own.text("MFADevices.0.SerialNumber"), serial);
    // What root has it cannot lose to a stolen key of root.
    root.iam("DeactivateMFADevice", &[("SerialNumber", &serial)]).refused("AccessDenied");
    let shown = root.as_issued(&device.session(&root, 1).ok());
    shown.iam("DeactivateMFADevice", &[("UserName", "root"), ("SerialNumber", &serial)]).ok();
    // A user of that name is meant, if there is one.
    let user = world.user("root", Rights::None);
    world.advance(300);
    device.enable(&root, "root");
    device.session(&user, 1).ok();
}

/// C13, F06: who has a device changes them with it alone; others by permission, which is the way
/// back for who lost one.
#[test]
fn tm_f06_a_stolen_key_neither_adds_nor_removes_a_device() {
    let world = World::new(913);
    let (bob, device) = equipped(&world, "Bob", Rights::Inline(&allow_all()));
    let second = Device::new(&bob, "/", "second");
    world.advance(300);
    let refused = second.enable_with(&bob, "Bob", [-1, 0]).refused("AccessDenied");
    assert_eq!(refused.status, 403);
    let own = [("UserName", "Bob"), ("SerialNumber", &*device.serial)];
    bob.iam("DeactivateMFADevice", &own).refused("AccessDenied");
    bob.iam("DeactivateMFADevice", &own[1..]).refused("AccessDenied");
    bob.iam("DeleteVirtualMFADevice", &own[1..]).refused("DeleteConflict");
    bob.iam("DeleteUser", &[("UserName", "Bob")]).refused("DeleteConflict");
    let plain = bob.as_issued(&bob.sts("GetSessionToken", &[]).ok());
    plain.iam("DeactivateMFADevice", &own).refused("InvalidClientTokenId");
    let shown = bob.as_issued(&device.session(&bob, 0).ok());
    second.enable_with(&shown, "Bob", [-1, 0]).ok();
    shown.iam("DeactivateMFADevice", &own).ok();
    // Another administrator needs none of Bob's devices.
    let left = [("UserName", "Bob"), ("SerialNumber", &*second.serial)];
    world.admin.iam("DeactivateMFADevice", &left).ok();
    // And without a device there is none to show.
    world.advance(300);
    second.enable_with(&bob, "Bob", [-1, 0]).ok();
}

/// L01, L05, K04: a seed is shown once, and neither it nor a code is in the store or in an event.
#[test]
fn tm_l01_seeds_and_codes_are_in_no_record() {
    let world = World::new(914);
    let (bob, device) = equipped(&world, "Bob", Rights::None);
    let used = [device.code(&bob, -1), device.code(&bob, 0), device.code(&bob, 1)];
    device.session(&bob, 1).ok();
    denied(device.session(&bob, 0), INVALID);
    world.node.flush();
    let secret = device.seed.as_bytes();
    let holds = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    let mut seen = 0;
    for (key, value) in world.records() {
        assert!(!holds(&value, secret), "{}", String::from_utf8_lossy(&key));
        seen += usize::from(holds(&key, b"/mfa-device/"));
    }
    assert_eq!(seen, 1);
    for event in world.events(HOME) {
        let text = event.to_string();
        let name = event["eventName"].as_str().unwrap();
        assert!(!text.contains(&device.seed) && !text.contains("QRCode"), "{name}");
        for code in &used {
            // Digits alone could stand in an id.
            assert!(!text.contains(&format!("\"{code}\"")), "{name}");
        }
        assert!(!text.to_lowercase().contains("authenticationcode"), "{name}");
        assert!(!text.to_lowercase().contains("tokencode"), "{name}");
    }
    let account = format!("{:?}", world.node.account(HOME.parse().unwrap()).unwrap());
    assert!(!account.contains(&device.seed));
}

/// L02: the sealed secret of another device is no secret here.
#[test]
fn tm_l02_a_swapped_seed_does_not_open() {
    let world = World::new(915);
    let (bob, _) = equipped(&world, "Bob", Rights::None);
    let (_, anns) = equipped(&world, "Ann", Rights::None);
    world.advance(300);
    let swapped = world.fork_edited(|records| {
        let places: Vec<_> = records
            .keys()
            .filter(|key| String::from_utf8_lossy(key).contains("/mfa-device/"))
            .cloned()
            .collect();
        let read = |value: &[u8]| serde_json::from_slice::<serde_json::Value>(&value[1..]).unwrap();
        let sealed = |place: &Vec<u8>| read(&records[place])["MfaDevice"]["sealed_seed"].clone();
        let seeds = [sealed(&places[1]), sealed(&places[0])];
        for (place, seed) in places.iter().zip(seeds) {
            let mut record = read(&records[place]);
            record["MfaDevice"]["sealed_seed"] = seed;
            let form = records[place][0];
            let value = [vec![form], record.to_string().into_bytes()].concat();
            records.insert(place.clone(), value);
        }
    });
    let bob = swapped.adopt(&bob);
    // The code that Ann's device shows, with the serial number of Bob's.
    let code = anns.code(&bob, 0);
    let serial = format!("arn:aws:iam::{HOME}:mfa/Bob-phone");
    let reply = bob.sts("GetSessionToken", &[("SerialNumber", &serial), ("TokenCode", &code)]);
    assert!(!reply.is_ok());
}

/// Another account's devices are not to be found, whatever serial number is named.
#[test]
fn tm_c02_devices_of_another_account() {
    let world = World::new(916);
    let other = world.account("210987654321");
    let device = Device::new(&world.admin, "/", "phone");
    device.enable_with(&other, "admin", [-1, 0]).refused("NoSuchEntity");
    for name in ["DeleteVirtualMFADevice", "ListMFADeviceTags"] {
        other.iam(name, &[("SerialNumber", &device.serial)]).refused("NoSuchEntity");
    }
    let asked = world.admin.iam("DeleteVirtualMFADevice", &[("SerialNumber", "mfa-without-arn")]);
    asked.refused("NoSuchEntity");
    let asked = world.last_asks();
    assert_eq!(asked[0].1, format!("arn:aws:iam::{HOME}:mfa/mfa-without-arn"));
}

/// Names and paths that make no serial number are refused.
#[test]
fn names_that_make_no_serial_number() {
    let world = World::new(917);
    let long = "n".repeat(300);
    let deep = format!("/{}/", "p".repeat(400));
    for (name, path) in
        [("", "/"), ("a b", "/"), ("é", "/"), ("a", "//"), ("a", "x"), (&*long, "/"), ("a", &deep)]
    {
        let parameters = [("VirtualMFADeviceName", name), ("Path", path)];
        let reply = world.admin.iam("CreateVirtualMFADevice", &parameters);
        assert_eq!(reply.refused("ValidationError").status, 400, "{name} {path}");
    }
}

/// Tags are the device's own, seen by policies, and go with it.
#[test]
fn tags_of_devices() {
    let world = World::new(918);
    let device = Device::new(&world.admin, "/", "phone");
    let serial = ("SerialNumber", &*device.serial);
    let tags = |client: &Client| client.iam("ListMFADeviceTags", &[serial]).ok();
    assert_eq!(tags(&world.admin).text("Tags.0.Key"), "team");
    let tag = [serial, ("Tags.member.1.Key", "Stage"), ("Tags.member.1.Value", "x")];
    world.admin.iam("TagMFADevice", &tag).ok();
    assert_eq!(tags(&world.admin).len("Tags"), 2);
    let only_blue = policy(&json!([{"Effect": "Allow", "Action": "iam:*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/team": "blue"}}}]));
    let bob = world.user("Bob", Rights::Inline(&only_blue));
    tags(&bob);
    world.admin.iam("UntagMFADevice", &[serial, ("TagKeys.member.1", "team")]).ok();
    bob.iam("ListMFADeviceTags", &[serial]).refused("AccessDenied");
    assert_eq!(tags(&world.admin).text("Tags.0.Key"), "Stage");
}

/// Mission row M63: tokens with a display, whose seeds the operator imports. They count presses or
/// time, and no serial number but an imported one is a device.
#[test]
fn m63_hardware_tokens() {
    let world = World::new(919);
    let home = HOME.parse().unwrap();
    let bob = world.user("Bob", Rights::None);
    // The seed of RFC 4226, whose first ten codes are in its appendix D.
    let file = b"serial number,secret key,type\nGAHT12345678,3132333435363738393031323334353637383930,hotp\nTIME-00001,3132333435363738393031323334353637383930,totp\n";
    let pair = |serial: &str, one: &str, two: &str| {
        let parameters = [
            ("UserName", "Bob"),
            ("SerialNumber", serial),
            ("AuthenticationCode1", one),
            ("AuthenticationCode2", two),
        ];
        world.admin.iam("EnableMFADevice", &parameters)
    };
    pair("GAHT12345678", "755224", "287082").refused("NoSuchEntity");
    let tokens = operator::read_mfa_tokens(file).unwrap();
    assert_eq!(operator::import_mfa_tokens(&world.node, home, &tokens).unwrap(), (2, 0));
    assert_eq!(operator::import_mfa_tokens(&world.node, home, &tokens).unwrap(), (0, 2));
    assert_eq!(world.last_event()["eventName"], "ImportMFADevices");
    pair("GAHT12345678", "755224", "359152").refused("InvalidAuthenticationCode");
    pair("GAHT12345678", "287082", "359152").ok();
    let session = |code: &str| {
        bob.sts("GetSessionToken", &[("SerialNumber", "GAHT12345678"), ("TokenCode", code)])
    };
    // Pressed twice in vain; then no code of before is taken.
    session("287922").ok();
    for used in ["287922", "254676", "755224"] {
        denied(session(used), INVALID);
    }
    session("162583").ok();
    // Hardware is no virtual device, and is not deleted with one.
    let serial = [("SerialNumber", "GAHT12345678")];
    assert_eq!(world.admin.iam("ListVirtualMFADevices", &[]).ok().len("VirtualMFADevices"), 0);
    world.admin.iam("DeleteVirtualMFADevice", &serial).refused("NoSuchEntity");
    world
        .admin
        .iam("TagMFADevice", &[serial[0], ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")])
        .refused("NoSuchEntity");
    let devices = world.admin.iam("ListMFADevices", &[("UserName", "Bob")]).ok();
    assert_eq!(devices.text("MFADevices.0.SerialNumber"), "GAHT12345678");
    world.admin.iam("DeactivateMFADevice", &[("UserName", "Bob"), serial[0]]).ok();
    denied(session("399871"), NOT_OWN);
    // It can be given to another, whom no used code helps.
    pair("GAHT12345678", "287082", "359152").refused("InvalidAuthenticationCode");
    pair("GAHT12345678", "399871", "520489").ok();
    let seed = b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    for (key, value) in world.records() {
        let holds = |text: &[u8]| value.windows(text.len()).any(|part| part == text);
        let clear = holds(seed) || holds(b"31323334353637383930") || holds(b"12345678901234567890");
        assert!(!clear, "{}", String::from_utf8_lossy(&key));
    }
}

/// The operator of the host frees a device that nobody can: root's own.
#[test]
fn a_lost_device_of_root_is_freed_on_the_host() {
    let world = World::new(920);
    let home = HOME.parse().unwrap();
    let root = world.root(HOME);
    let device = Device::new(&root, "/", "root-account-mfa-device");
    assert!(operator::deactivate_mfa_device(&world.node, home, &device.serial).is_err());
    device.enable(&root, "root");
    world
        .admin
        .iam("DeactivateMFADevice", &[("UserName", "root"), ("SerialNumber", &device.serial)])
        .refused("NoSuchEntity");
    let whose = operator::deactivate_mfa_device(&world.node, home, &device.serial).unwrap();
    assert_eq!(whose, "root");
    let event = world.last_event();
    assert_eq!(
        (&event["eventName"], &event["userIdentity"]["type"]),
        (&json!("DeactivateMFADevice"), &json!("Operator"))
    );
    assert_eq!(root.iam("ListMFADevices", &[]).ok().len("MFADevices"), 0);
    let fork = world.fork();
    assert_eq!(fork.adopt(&root).iam("ListMFADevices", &[]).ok().len("MFADevices"), 0);
    assert!(operator::deactivate_mfa_device(&world.node, home, "GAHT12345678").is_err());
}
