//! Every operation of every service, there and back, with values made from the schemas.
//!
//! The values come from a small fixed generator, so a failure can be repeated by its seed.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;

use bailiwick_wire::generated::SERVICES;
use bailiwick_wire::schema::{Kind, Operation, Place, Protocol, Sensitivity, Structure, Type};
use bailiwick_wire::{Secret, SecretBytes, Value, audit, json, query, rest, time, validate};
use proptest::prelude::*;

/// A linear congruential generator: no quality is needed, only repeatability.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn text(&mut self) -> String {
        let alphabet: Vec<char> = "aZ09 +&=%.<>\"'/;\r\n\té漢🔑]{}\u{2028}".chars().collect();
        let sides = u64::try_from(alphabet.len()).unwrap();
        let length = self.roll(12);
        (0..length).map(|_| alphabet[usize::try_from(self.roll(sides)).unwrap()]).collect()
    }

    fn structure(&mut self, structure: &Structure, depth: u32) -> Value {
        let slots = structure.members.iter().map(|member| {
            let absent = !member.required && (depth > 4 || self.roll(4) == 0);
            (!absent).then(|| self.value(member.shape, depth + 1))
        });
        Value::Struct(slots.collect())
    }

    fn value(&mut self, shape: &Type, depth: u32) -> Value {
        let secret = shape.sensitivity == Sensitivity::Secret;
        match shape.kind {
            Kind::Boolean => Value::Bool(self.roll(2) == 0),
            Kind::Integer => {
                Value::Integer(i64::from(i32::MIN) + i64::try_from(self.roll(1 << 31)).unwrap())
            }
            Kind::Long => Value::Integer(i64::MIN + i64::try_from(self.roll(1 << 31)).unwrap()),
            Kind::Double => Value::Double(0.25),
            Kind::String(_) if secret => Value::Secret(Secret::from(self.text())),
            Kind::String(_) => Value::String(self.text()),
            Kind::Blob if secret => Value::SecretBlob(SecretBytes::from(self.text().into_bytes())),
            Kind::Blob => Value::Blob(self.text().into_bytes()),
            Kind::Timestamp(_) => {
                let text = format!("20{:02}-11-21T22:00:{:02}Z", self.roll(100), self.roll(60));
                Value::Timestamp(time::parse_iso(&text).unwrap())
            }
            Kind::List(list) => {
                let length = self.roll(12);
                Value::List((0..length).map(|_| self.value(list.shape, depth + 1)).collect())
            }
            Kind::Map(map) => {
                let length = self.roll(4);
                let entries = (0..length).map(|at| {
                    let key = format!("{}{at}", self.text());
                    (key, self.value(map.value, depth + 1))
                });
                Value::Map(entries.collect::<BTreeMap<_, _>>())
            }
            Kind::Structure(inner) => {
                let Value::Struct(mut slots) = self.structure(inner, depth + 1) else {
                    unreachable!()
                };
                // A structure with nothing in it leaves no trace in a form: give it a member.
                if slots.iter().all(Option::is_none)
                    && let Some(member) = inner.members.first()
                {
                    slots[0] = Some(self.value(member.shape, depth + 1));
                }
                Value::Struct(slots)
            }
        }
    }
}

fn operations() -> impl Iterator<Item = &'static Operation> {
    SERVICES.iter().flat_map(|service| service.operations.iter().copied())
}

#[test]
fn every_operation_is_here() {
    let count =
        |name: &str| operations().filter(|operation| operation.service.name == name).count();
    assert_eq!(
        (count("accessanalyzer"), count("iam"), count("sts"), count("bailiwick")),
        (39, 180, 11, 5)
    );
    for service in SERVICES {
        assert!(service.operations.is_sorted_by_key(|operation| operation.name));
        for operation in service.operations {
            assert_eq!(
                service.operation(operation.name).map(|found| found.name),
                Some(operation.name)
            );
        }
    }
}

#[test]
fn requests_and_answers_survive_the_query_protocol() {
    for operation in operations().filter(|operation| operation.service.protocol == Protocol::Query)
    {
        for seed in 0..20 {
            let mut dice = Dice(seed);
            if let Some(input) = operation.input {
                let value = dice.structure(input, 0);
                let body = query::encode_request(operation, &value);
                let form = query::Form::parse(&body).unwrap();
                assert_eq!(form.get("Action"), Some(operation.name));
                let back = query::decode(&form, input).unwrap();
                assert_eq!(back, value, "{} seed {seed}", operation.name);
                // Neither of these may panic, whatever the value.
                let found = validate::check(operation, &value);
                let _ = validate::message(operation.service, &found);
                let _ = audit::parameters(input, &value);
            }
            let value = match operation.output {
                Some(output) => dice.structure(output, 0),
                None => Value::Struct(Vec::new()),
            };
            let body = query::encode_response(operation, &value, "id");
            let back = query::decode_response(operation, &body).unwrap();
            assert_eq!(back, value, "{} seed {seed}", operation.name);
        }
    }
}

#[test]
fn requests_and_answers_survive_json() {
    // The query services too: their schemas are richer than those of our own service.
    for operation in operations().filter(|one| one.service.protocol != Protocol::RestJson) {
        for structure in [operation.input, operation.output].into_iter().flatten() {
            for seed in 0..10 {
                let value = Dice(seed).structure(structure, 0);
                let back = json::decode(&json::encode(structure, &value), structure).unwrap();
                assert_eq!(back, value, "{} seed {seed}", operation.name);
            }
        }
    }
}

#[test]
fn requests_and_answers_survive_rest_json() {
    for operation in operations().filter(|one| one.service.protocol == Protocol::RestJson) {
        for seed in 0..20 {
            let mut dice = Dice(seed);
            if let Some(input) = operation.input {
                let mut value = dice.structure(input, 0);
                settle(input, &mut value);
                let sent = rest::encode_request(operation, &value);
                let mut request = http::Request::builder().method(sent.method).uri(&sent.target);
                for (name, text) in &sent.headers {
                    request = request.header(*name, text);
                }
                let (parts, ()) = request.body(()).unwrap().into_parts();
                let found =
                    rest::operation(operation.service, &parts.method, parts.uri.path()).unwrap();
                assert_eq!(found.name, operation.name);
                let back = rest::decode(operation, &parts, &sent.body).unwrap();
                assert_eq!(back, value, "{} seed {seed}", operation.name);
                // Neither of these may panic, whatever the value.
                let found = validate::check(operation, &value);
                let _ = validate::message(operation.service, &found);
                let _ = audit::parameters(input, &value);
            }
            let Some(output) = operation.output else { continue };
            let value = dice.structure(output, 0);
            let answer = rest::encode_response(operation, &value);
            let headers = http::HeaderMap::new();
            let back =
                rest::decode_response(operation, answer.status, &headers, &answer.body).unwrap();
            assert_eq!(back, value, "{} seed {seed}", operation.name);
        }
    }
}

/// What a path or query string cannot say: an empty label, a segment of dots, an empty list.
fn settle(input: &Structure, value: &mut Value) {
    let Value::Struct(slots) = value else { unreachable!() };
    for (slot, member) in slots.iter_mut().zip(input.members) {
        match (member.place, &*slot) {
            (Place::Label, Some(Value::String(text))) => {
                *slot = Some(Value::String(format!("{text}a")));
            }
            (Place::Query, Some(Value::List(items))) if items.is_empty() => *slot = None,
            _ => {}
        }
    }
}

#[test]
fn no_secret_reaches_an_audit_record_or_a_message() {
    fn fill(structure: &Structure) -> Value {
        let slots = structure.members.iter().map(|member| Some(value(member.shape)));
        Value::Struct(slots.collect())
    }
    fn value(shape: &Type) -> Value {
        let secret = shape.sensitivity == Sensitivity::Secret;
        match shape.kind {
            Kind::String(_) if secret => Value::Secret(Secret::from("CANARY")),
            Kind::Blob if secret => Value::SecretBlob(SecretBytes::from(b"CANARY".to_vec())),
            Kind::Blob => Value::Blob(Vec::new()),
            Kind::String(_) => Value::String("*".to_owned()),
            Kind::Boolean => Value::Bool(true),
            Kind::Integer | Kind::Long => Value::Integer(-1),
            Kind::Double => Value::Double(0.5),
            Kind::Timestamp(_) => {
                Value::Timestamp(time::parse_iso("2026-11-21T22:00:00Z").unwrap())
            }
            Kind::List(list) => Value::List(vec![value(list.shape)]),
            Kind::Map(map) => Value::Map([("*".to_owned(), value(map.value))].into()),
            Kind::Structure(inner) => fill(inner),
        }
    }
    for operation in operations() {
        for structure in [operation.input, operation.output].into_iter().flatten() {
            let value = fill(structure);
            let record = audit::parameters(structure, &value).to_string();
            assert!(!record.contains("CANARY") && !record.contains("***"), "{}", operation.name);
            let found = validate::check_structure(structure, &value);
            let text = validate::message(operation.service, &found);
            assert!(!text.contains("CANARY"), "{}", operation.name);
            assert!(!format!("{value:?}{found:?}").contains("CANARY"), "{}", operation.name);
        }
    }
}

fn form_body() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("UserName"),
        Just("Tags"),
        Just("member"),
        Just("entry"),
        Just("1"),
        Just("2"),
        Just("01"),
        Just("99999"),
        Just("Key"),
        Just("Value"),
        Just("key"),
        Just("value"),
        Just("Properties"),
        Just(""),
    ];
    let key = proptest::collection::vec(part, 1..6).prop_map(|parts| parts.join("."));
    let field = (key, "[a-z0-9%+&=.]{0,6}").prop_map(|(key, value)| format!("{key}={value}"));
    proptest::collection::vec(field, 0..8).prop_map(|fields| fields.join("&"))
}

proptest! {
    #[test]
    fn tm_g02_decoders_never_panic(body in form_body(), at in 0_usize..235) {
        let operation = operations().nth(at).unwrap();
        if let (Ok(form), Some(input)) = (query::Form::parse(body.as_bytes()), operation.input)
            && let Ok(value) = query::decode(&form, input)
        {
            prop_assert_eq!(value.slots().len(), input.members.len());
            let _ = validate::check(operation, &value);
        }
    }

    #[test]
    fn tm_g01_json_never_panics(body in "[\\[\\]{}\":,a-zA-Z0-9.\\\\ -]{0,60}", at in 0_usize..235) {
        let operation = operations().nth(at).unwrap();
        if let Some(input) = operation.input {
            let _ = json::decode(body.as_bytes(), input);
        }
    }

    #[test]
    fn tm_g02_rest_requests_never_panic(
        method in "GET|PUT|POST|DELETE",
        target in "/[a-z0-9%./?&=+-]{0,40}",
        body in "[\\[\\]{}\":,a-zA-Z0-9.\\\\ -]{0,40}",
        at in 0_usize..235,
    ) {
        let operation = operations().nth(at).unwrap();
        if let Ok(request) = http::Request::builder().method(&*method).uri(target).body(()) {
            let (parts, ()) = request.into_parts();
            let _ = rest::operation(operation.service, &parts.method, parts.uri.path());
            if let Ok(value) = rest::decode(operation, &parts, body.as_bytes()) {
                let _ = validate::check(operation, &value);
            }
        }
    }

    #[test]
    fn forms_agree(text in "\\PC{0,20}", key in "\\PC{0,20}") {
        let operation = SERVICES.iter().find_map(|service| service.operation("CreateUser")).unwrap();
        let input = operation.input.unwrap();
        let tag = Value::Struct(vec![Some(Value::String(key)), Some(Value::String(text.clone()))]);
        let mut slots = vec![None; input.members.len()];
        slots[input.member("UserName").unwrap().0] = Some(Value::String(text));
        slots[input.member("Tags").unwrap().0] = Some(Value::List(vec![tag]));
        let value = Value::Struct(slots);
        let form = query::Form::parse(&query::encode_request(operation, &value)).unwrap();
        prop_assert_eq!(query::decode(&form, input).unwrap(), value);
    }
}
