//! Documents: places, sizes, keys and binding. What is refused at write stands in
//! `corpus/documents`.

use super::*;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
 "Principal":{"AWS":["arn:aws:iam::123456789012:user/a","arn:aws:sts::123456789012:assumed-role/R/s"],"Service":"ec2.amazonaws.com"},
 "Action":"sts:AssumeRole"}}"#;

// SIM-5
#[test]
fn statements_are_reported_where_the_simulator_says() {
    let statement = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let at = |text: &str| -> Vec<(u32, u32)> {
        let document = Document::parse(text, DocumentKind::Identity).unwrap();
        let column = |byte| document.position(byte).column;
        let bytes = document.statements().iter().map(Statement::reported_bytes);
        bytes.map(|bytes| (column(bytes.start), column(bytes.end))).collect()
    };
    let head = r#"{"Version":"2012-10-17","Statement":"#;
    let length = u32::try_from(statement.len()).unwrap();
    assert_eq!(at(&format!("{head}[{statement}]}}")), [(38, 38 + length)]);
    assert_eq!(at(&format!("{head}{statement}}}")), [(38, 37 + length)]);
    let two = at(&format!("{head}[{statement}, {statement}]}}"));
    assert_eq!(two, [(38, 38 + length), (38 + length, 40 + 2 * length)]);
}

#[test]
fn quotas_do_not_count_white_space_outside_strings() {
    for (text, expected) in
        [("", 0), ("{ \"a b\" : \"c\\\" d\" }\n\t", 15), ("\"\\\\\" \" \"", 7), ("é é", 2)]
    {
        assert_eq!(Document::size_without_white_space(text), expected, "{text}");
    }
}

#[test]
fn the_keys_in_use_are_found_once() {
    let document = Document::parse(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*",
        "Resource":"arn:aws:s3:::b/${aws:username}/${aws:PrincipalTag/t, 'x'}",
        "Condition":{"StringLike":{"AWS:userName":"${aws:userid}"},"Bool":{"aws:SecureTransport":true}}}]}"#,
        DocumentKind::Identity,
    )
    .unwrap();
    let expected = ["aws:username", "aws:PrincipalTag/t", "aws:userid", "aws:SecureTransport"];
    assert_eq!(document.uses_keys(), expected);
}

// PR-12, C11
#[test]
fn principals_are_listed_and_bound() {
    let document = Document::parse_strict(TRUST, DocumentKind::Trust).unwrap();
    let found: Vec<_> = document.principals().map(|p| (p.kind, p.text, p.position)).collect();
    assert_eq!(found.len(), 3);
    assert_eq!(found[0].0, PrincipalType::Aws);
    assert_eq!(found[0].1, "arn:aws:iam::123456789012:user/a");
    assert_eq!(found[0].2, Position { line: 2, column: 22 });
    assert_eq!(found[2].0, PrincipalType::Service);

    let asked = std::cell::RefCell::new(Vec::new());
    let bound = document.bind(&|arn| {
        asked.borrow_mut().push(arn.to_owned());
        "AIDAAAAAAAAAAAAAAAAAA".parse().ok()
    });
    let expected = ["arn:aws:iam::123456789012:user/a", "arn:aws:iam::123456789012:role/R"];
    assert_eq!(*asked.borrow(), expected);
    assert_eq!(bound.source(), document.source());
    assert_ne!(bound, document);
    assert_eq!(bound.principals().count(), 3);
}

// GR-2, GR-3
#[test]
fn an_absent_version_is_the_old_one() {
    let text = r#"{"Statement":[]}"#;
    assert_eq!(Document::parse(text, DocumentKind::Identity).unwrap().version(), Version::V2008);
}

// threat G01
#[test]
fn tm_g01_deep_and_broad_documents_end() {
    for text in ["[".repeat(100_000), "{\"Statement\":".repeat(100_000)] {
        assert!(Document::parse(&text, DocumentKind::Identity).is_err());
    }
    let broad = format!(
        "{{\"Statement\":[{}]}}",
        vec![r#"{"Effect":"Allow","Action":"a:b","Resource":"*"}"#; 10_000].join(",")
    );
    assert_eq!(Document::parse(&broad, DocumentKind::Identity).unwrap().statements().len(), 10_000);
    let keys: Vec<String> = (0..50_000).map(|n| format!("\"k{n}\":\"v\"")).collect();
    let keys = keys.join(",");
    let many = format!(
        "{{\"Statement\":{{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\
         \"Condition\":{{\"Bool\":{{{keys}}}}}}}}}"
    );
    assert!(Document::parse(&many, DocumentKind::Identity).is_ok());
}
