//! Threats G: hostile sizes, shapes and numbers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bailiwick_testkit::{Client, Dice, HOME, Reply, Rights, World, allow_all, plausible};
use bailiwick_wire::generated;
use bailiwick_wire::schema::{Kind, Member, Operation, Place, Protocol};
use bytes::Bytes;

use crate::operations::{all, full_name, implemented, least, parallel};

/// Sends a form as it is, signed, to IAM.
fn form(client: &Client, body: impl Into<Bytes>) -> Reply {
    client.exchange(client.request_with(&generated::iam::SERVICE, "", body))
}

/// Sends a JSON body as it is, signed.
fn body(client: &Client, operation: &str, body: impl Into<Bytes>) -> Reply {
    client.exchange(client.request_with(&generated::bailiwick::SERVICE, operation, body))
}

#[track_caller]
fn refused(reply: &Reply, what: &str) {
    assert!((400..500).contains(&reply.status), "{what}: {} {}", reply.status, reply.text_body());
    assert!(reply.body.len() < 100_000, "{what}: an answer of {} bytes", reply.body.len());
}

/// Policies that are deep, broad or both, and documents that are none.
#[test]
fn tm_g01_deep_and_broad_policies() {
    let world = World::new(700);
    let deep =
        |open: &str, close: &str, times: usize| open.repeat(times) + "1" + &close.repeat(times);
    let wide: Vec<String> = (0..20_000).map(|at| format!("\"s3:{at}\"")).collect();
    let keys: Vec<String> = (0..20_000).map(|at| format!("\"k{at}\":\"v\"")).collect();
    let statement = |inside: &str| format!("{{\"Version\":\"2012-10-17\",\"Statement\":{inside}}}");
    let condition = |inside: &str| {
        statement(&format!(
            "{{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{inside}}}"
        ))
    };
    let documents = [
        deep("[", "]", 20_000),
        deep("{\"a\":", "}", 20_000),
        statement(&deep("[", "]", 20_000)),
        statement(&deep("{\"a\":", "}", 10_000)),
        condition(&deep("{\"a\":", "}", 10_000)),
        statement(&format!(
            "{{\"Effect\":\"Allow\",\"Resource\":\"*\",\"Action\":[{}]}}",
            wide.join(",")
        )),
        condition(&format!("{{\"StringEquals\":{{{}}}}}", keys.join(","))),
        format!("{{{}}}", keys.join(",")),
        "[".repeat(100_000),
        "{\"Version\":".repeat(10_000),
        "\"".repeat(50_000),
        "1".repeat(100_000),
        format!("{{\"Version\":\"{}\"}}", "x".repeat(120_000)),
        statement("[]"),
        statement("{}"),
        "null".into(),
        "{}".into(),
        "[]".into(),
        "\u{feff}{}".into(),
        "tru".into(),
        "{\"a\":1,}".into(),
        "//".into(),
    ];
    for document in &documents {
        let shown: String = document.chars().take(60).collect();
        for (operation, member, name) in [
            ("CreatePolicy", "PolicyDocument", ("PolicyName", "p")),
            ("CreateRole", "AssumeRolePolicyDocument", ("RoleName", "r")),
            ("PutUserPolicy", "PolicyDocument", ("UserName", "admin")),
        ] {
            let mut parameters = vec![name, (member, document)];
            parameters.extend((operation == "PutUserPolicy").then_some(("PolicyName", "p")));
            refused(&world.admin.iam(operation, &parameters), &shown);
        }
        let role = format!("arn:aws:iam::{HOME}:role/r");
        let assume = [("RoleArn", &*role), ("RoleSessionName", "s1"), ("Policy", document)];
        refused(&world.admin.sts("AssumeRole", &assume), &shown);
    }
    world.admin.iam("ListUsers", &[]).ok();
}

#[test]
fn tm_g01_deep_and_broad_bodies() {
    let world = World::new(701);
    let keys: Vec<String> = (0..100_000).map(|at| format!("\"k{at}\":1")).collect();
    for text in [
        "[".repeat(1_000_000),
        "{\"a\":".repeat(200_000),
        format!("{{\"EventName\":{}1{}}}", "[".repeat(9_999), "]".repeat(9_999)),
        format!("{{\"x\":{}1{}}}", "{\"y\":".repeat(9_999), "}".repeat(9_999)),
        "[]".into(),
        "1".into(),
        "nul".into(),
        "{\"MaxResults\":\"1\"}".into(),
        "{\"MaxResults\":1e400}".into(),
        "{\"EventName\":null".into(),
    ] {
        let shown: String = text.chars().take(40).collect();
        refused(&body(&world.admin, "ListEvents", text), &shown);
    }
    // Unknown members are left alone, within the limits.
    let reply = body(&world.admin, "ListEvents", format!("{{{}}}", keys.join(",")));
    assert!(reply.status < 500, "{}", reply.status);
    // The longest form that there may be, and one byte more.
    for length in [16 << 20, (16 << 20) + 1] {
        let mut text = b"Action=ListUsers&Version=2010-05-08&Marker=".to_vec();
        text.resize(length, b'a');
        refused(&form(&world.admin, text), "a long form");
    }
}

#[test]
fn tm_g02_forms_at_their_limits() {
    let world = World::new(702);
    let head = "Action=TagUser&Version=2010-05-08&UserName=admin";
    for tail in [
        "&UserName=admin",
        "&Action=ListUsers",
        "&Version=2011-06-15",
        "&Tags.member.1=x",
        "&Tags=x",
        "&Tags.member.99999999999999999999.Key=a",
        "&Tags.member.-1.Key=a",
        "&Tags.member.0.Key=a",
        "&Tags.member.01.Key=a&Tags.member.1.Key=b",
        "&Tags.member.4294967297.Key=a",
        "&Tags.member.x.Key=a",
        "&Tags.member.2147483647.Key=a&Tags.member.2147483647.Value=b",
        "&Tags.member.1.Key.Key=a",
        "&Tags.member.1.Key=a&Tags.entry.1.Value=b",
        "&Tags.member.1.Key=a&Tags.member.3.Key=c",
        "&%",
        "&%4",
        "&%zz=1",
        "&%ff=1",
        "&a=%ff",
        "&=&=",
        "&Tags.member.1.Key=%00",
        "&Tags..member.1.Key=a",
        "&.=a",
        "&Tags.member=",
    ] {
        let reply = form(&world.admin, format!("{head}{tail}"));
        assert!(reply.status < 500, "{tail}: {}", reply.status);
        assert_ne!(reply.status, 200, "{tail} was taken");
    }
    for (what, tail) in [
        ("many fields", (0..20_001).map(|at| format!("&a{at}=1")).collect::<String>()),
        (
            "many tags",
            (1..=5_000)
                .map(|at| format!("&Tags.member.{at}.Key=k{at}&Tags.member.{at}.Value=v"))
                .collect(),
        ),
        ("a long name", format!("&{}=1", "a".repeat(2_000))),
        ("a deep name", format!("&{}=1", vec!["a"; 500].join("."))),
        ("a long value", format!("&Tags.member.1.Key={}", "a".repeat(1_000_000))),
    ] {
        refused(&form(&world.admin, format!("{head}{tail}")), what);
    }
    let tags = world.admin.iam("ListUserTags", &[("UserName", "admin")]).ok();
    assert_eq!(tags.len("Tags"), 0);
}

/// Twenty thousand requests that are wrong in some way: no failure of ours, one event each.
#[test]
fn tm_g02_malformed_requests_never_fail_us() {
    const REQUESTS: usize = 20_000;
    let (world, one, _) = World::furnished(703);
    let before = world.events(HOME).len();
    let names = all();
    let sent = AtomicUsize::new(0);
    parallel(4, |thread| {
        let mut dice = Dice::new(700 + u64::try_from(thread).unwrap());
        let written = implemented();
        loop {
            let operation =
                if dice.roll(4) == 0 { *dice.pick(&names) } else { *dice.pick(&written) };
            // Those that hash take their time: a few are enough.
            let hashes =
                operation.name.contains("Password") || operation.name.contains("LoginProfile");
            if hashes && dice.roll(20) > 0 {
                continue;
            }
            if sent.fetch_add(1, Ordering::SeqCst) >= REQUESTS {
                return;
            }
            let is_written = written.iter().any(|held| std::ptr::eq(*held, operation));
            let value = if is_written { plausible(operation, &one) } else { least(operation) };
            let request = world.anonymous().request_of(operation, &value);
            let mut bytes = request.body().to_vec();
            let damages = 1 + dice.roll(3);
            for _ in 0..damages {
                damage(&mut bytes, &mut dice, operation.service.protocol);
            }
            let signed = world.admin.request_with(operation.service, operation.name, bytes.clone());
            let reply = world.admin.exchange(signed);
            let shown = String::from_utf8_lossy(&bytes);
            assert!(reply.status < 500, "{}: {} {shown}", full_name(operation), reply.text_body());
        }
    });
    assert_eq!(world.events(HOME).len(), before + REQUESTS);
    world.admin.sts("GetCallerIdentity", &[]).ok();
}

/// One act of vandalism.
fn damage(bytes: &mut Vec<u8>, dice: &mut Dice, protocol: Protocol) {
    let at = dice.roll(bytes.len().max(1));
    match dice.roll(12) {
        0 => bytes.truncate(at),
        1 if !bytes.is_empty() => bytes[at] ^= 1 << dice.roll(8),
        2 if !bytes.is_empty() => bytes[at] = u8::try_from(dice.roll(256)).unwrap(),
        3 => drop(bytes.drain(at..(at + dice.roll(20)).min(bytes.len()))),
        4 => {
            let copy = bytes[at..].to_vec();
            bytes.extend(copy);
        }
        5 => {
            let index = *dice.pick(&ODD_INDICES);
            *bytes = String::from_utf8_lossy(bytes).replace("member.1", index).into_bytes();
        }
        6 => {
            let odd = *dice.pick(&ODD_TEXTS);
            let piece = String::from_utf8_lossy(bytes).into_owned();
            let pieces: Vec<&str> = piece.split('&').collect();
            let chosen = dice.roll(pieces.len());
            let changed =
                pieces.iter().enumerate().map(|(place, held)| match held.split_once('=') {
                    Some((key, _)) if place == chosen => format!("{key}={odd}"),
                    _ => (*held).to_owned(),
                });
            *bytes = changed.collect::<Vec<_>>().join("&").into_bytes();
        }
        7 => {
            let key = *dice.pick(&[
                "UserName",
                "RoleName",
                "Tags",
                "MaxItems",
                "PolicyDocument",
                "Path",
                "Marker",
            ]);
            let odd = *dice.pick(&ODD_TEXTS);
            if protocol == Protocol::Query {
                bytes.extend(format!("&{key}={odd}").into_bytes());
            } else {
                *bytes = format!("{{\"{key}\":{odd}}}").into_bytes();
            }
        }
        8 => {
            let long = "a".repeat(1 + dice.roll(3_000));
            let text = String::from_utf8_lossy(bytes).replace("team", &long);
            *bytes = text.into_bytes();
        }
        9 => {
            let pieces = [&b"&"[..], b"=", b"%", b"%00", b".", b"\"", b"{", b"\n", b"\xff"];
            drop(bytes.splice(at..at, dice.pick(&pieces).iter().copied()));
        }
        10 => *bytes = String::from_utf8_lossy(bytes).replace('=', "%3D").into_bytes(),
        _ => *bytes = String::from_utf8_lossy(bytes).replace(".member", "").into_bytes(),
    }
}

const ODD_INDICES: [&str; 8] = [
    "member.0",
    "member.-1",
    "member.99999999999999999999",
    "member.2147483647",
    "member.01",
    "entry.1",
    "1",
    "member.x",
];

const ODD_TEXTS: [&str; 16] = [
    "",
    "%00",
    "%F0%9F%94%91",
    "%ED%A0%80",
    "%C0%AF",
    "%E2%80%AE",
    "e%CC%81",
    "%EF%BB%BF",
    "-1",
    "1e9",
    "true",
    "null",
    "%7B%7D",
    "%5B%5D",
    "9223372036854775808",
    "arn%3Aaws%3Aiam%3A%3A123456789012%3Auser%2F..%2F..%2Froot",
];

/// Keys that would fall into one bucket of a weak hash table cost no more than others.
#[test]
fn tm_g03_colliding_keys_cost_no_more() {
    let world = World::new(704);
    // Texts with one sum and one polynomial: pairs that collide for a multiplier of 31.
    let colliding = |count: usize| {
        let names = (0..count).map(|at| {
            let pairs = (0..17).map(|bit| if at >> bit & 1 == 1 { "Aa" } else { "BB" });
            pairs.collect::<String>()
        });
        names.map(|name| format!("&{name}=1")).collect::<String>()
    };
    let plain =
        |count: usize| (0..count).map(|at| format!("&key-number-{at:024}=1")).collect::<String>();
    let head = "Action=ListUsers&Version=2010-05-08";
    let time = |tail: String| {
        let begun = Instant::now();
        assert!(form(&world.admin, format!("{head}{tail}")).status < 500);
        begun.elapsed()
    };
    time(plain(100));
    let (ordinary, hostile) = (time(plain(19_000)), time(colliding(19_000)));
    assert!(
        hostile < ordinary * 10 + Duration::from_millis(500),
        "{hostile:?} against {ordinary:?}"
    );
    // A hundred thousand are refused at the door.
    refused(&form(&world.admin, format!("{head}{}", colliding(100_000))), "100,000 keys");
    let members: Vec<String> =
        (0..100_000).map(|at| format!("\"{}{at}\":1", "Aa".repeat(8))).collect();
    let begun = Instant::now();
    assert!(body(&world.admin, "ListEvents", format!("{{{}}}", members.join(","))).status < 500);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

/// Hashing passwords is done apart: others are answered meanwhile.
#[test]
fn tm_g06_hashing_does_not_hold_up_others() {
    let world = World::new(705);
    for number in 0..32 {
        world.admin.iam("CreateUser", &[("UserName", &format!("user-{number}"))]).ok();
    }
    let slowest = parking_lot::Mutex::new(Vec::new());
    let done = AtomicUsize::new(0);
    parallel(34, |number| {
        if number < 32 {
            let name = format!("user-{number}");
            let login = [("UserName", &*name), ("Password", "Correct-Horse-7x")];
            let reply = world.admin.iam("CreateLoginProfile", &login);
            done.fetch_add(1, Ordering::SeqCst);
            assert!(
                reply.is_ok() || reply.code == "Throttling",
                "{}: {}",
                reply.code,
                reply.message
            );
            return;
        }
        while done.load(Ordering::SeqCst) < 32 {
            let begun = Instant::now();
            world.admin.iam("GetUser", &[("UserName", "admin")]).ok();
            world
                .admin
                .iam(
                    "TagUser",
                    &[
                        ("UserName", "admin"),
                        ("Tags.member.1.Key", "a"),
                        ("Tags.member.1.Value", "b"),
                    ],
                )
                .ok();
            slowest.lock().push(begun.elapsed());
        }
    });
    let mut times = slowest.into_inner();
    times.sort();
    let p99 = times[times.len() * 99 / 100];
    assert!(times.len() > 20 && p99 < Duration::from_secs(2), "{} calls, p99 {p99:?}", times.len());
}

/// Every number of every request, at and beyond its edges.
#[test]
fn tm_g09_numbers_at_their_edges() {
    let (world, one, _) = World::furnished(709);
    let mut seen = 0;
    for operation in all() {
        let Some(input) = operation.input else { continue };
        for member in input.members {
            let long = match member.shape.kind {
                Kind::Integer => false,
                Kind::Long => true,
                _ => continue,
            };
            seen += 1;
            let is_written = implemented().iter().any(|held| std::ptr::eq(*held, operation));
            let value = if is_written { plausible(operation, &one) } else { least(operation) };
            let plain = world.anonymous().request_of(operation, &value);
            let bounds = member.shape.constraints;
            let within = |number: i128| {
                bounds.min.is_none_or(|min| number >= i128::from(min))
                    && bounds.max.is_none_or(|max| number <= i128::from(max))
                    && (long || i32::try_from(number).is_ok())
            };
            let edges = [bounds.min, bounds.max]
                .into_iter()
                .flatten()
                .flat_map(|edge| [edge - 1, edge, edge + 1]);
            let numbers = edges.map(|edge| edge.to_string()).chain(ODD_NUMBERS.map(str::to_owned));
            for text in numbers {
                let reply = if operation.service.protocol == Protocol::Query {
                    let held = String::from_utf8_lossy(plain.body()).into_owned();
                    let prefix = format!("{}=", member.wire);
                    let kept: Vec<&str> =
                        held.split('&').filter(|piece| !piece.starts_with(&prefix)).collect();
                    let escaped = text.replace('%', "%25").replace('+', "%2B").replace(' ', "%20");
                    let body = format!("{}&{prefix}{escaped}", kept.join("&"));
                    let fork = world.admin.request_with(operation.service, operation.name, body);
                    world.admin.exchange(fork)
                } else if operation.service.protocol == Protocol::RestJson {
                    world.admin.exchange(with_number(
                        &world.admin,
                        operation,
                        &plain,
                        member,
                        &text,
                    ))
                } else {
                    body(&world.admin, operation.name, format!("{{\"{}\":{text}}}", member.wire))
                };
                let name = format!("{}.{} = {text:?}", full_name(operation), member.wire);
                assert!(reply.status < 500, "{name}: {}", reply.text_body());
                match text.parse::<i128>() {
                    Ok(number) if number.to_string() == text => {
                        assert!(within(number) || reply.status != 200, "{name} was taken");
                    }
                    // White space around a value is JSON's own.
                    _ if operation.service.protocol != Protocol::Query && text.trim() != text => {}
                    _ if is_written => assert_ne!(reply.status, 200, "{name} was taken"),
                    _ => {}
                }
            }
        }
    }
    assert!(seen > 30, "{seen}");
}

/// A request to a REST-JSON service with any text in place of one number.
fn with_number(
    client: &Client,
    operation: &Operation,
    plain: &http::Request<Bytes>,
    member: &Member,
    text: &str,
) -> http::Request<Bytes> {
    let path = plain.uri().path();
    let (target, body) = if member.place == Place::Query {
        let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        (format!("{path}?{}={escaped}", member.wire), plain.body().clone())
    } else {
        (path.to_owned(), format!("{{\"{}\":{text}}}", member.wire).into())
    };
    let request = http::Request::builder().method(plain.method().clone()).uri(target);
    let request = request.header("host", "localhost:4680").body(body).unwrap();
    client.sign(operation.service.signing_name, request)
}

const ODD_NUMBERS: [&str; 20] = [
    "-1",
    "0",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999999999",
    "1e9",
    "1.0",
    "0x10",
    "٣",
    " 5",
    "5 ",
    "NaN",
    "--1",
    "1_000",
];

/// Rights to everything do not make a malformed session possible.
#[test]
fn tm_g09_durations_are_checked_before_use() {
    let world = World::new(710);
    let role = world.role("Worker", HOME, Rights::Inline(&allow_all()));
    for seconds in [
        "",
        "-900",
        "900.5",
        "9e2",
        "0x384",
        "00900",
        "+900",
        "9223372036854775807",
        "18446744073709552516",
    ] {
        let parameters =
            [("RoleArn", &*role), ("RoleSessionName", "s1"), ("DurationSeconds", seconds)];
        let reply = world.admin.sts("AssumeRole", &parameters);
        if reply.is_ok() {
            // Leading zeros and a sign are read as the number that they are, or not at all.
            let life = reply.instant("Credentials.Expiration")
                - bailiwick_services::Clock::now(&*world.clock);
            assert!(matches!(seconds, "00900" | "+900"), "{seconds:?} was taken");
            assert_eq!(life.get_seconds(), 900, "{seconds:?}");
        } else {
            assert_eq!(reply.status, 400, "{seconds:?}");
        }
    }
}
