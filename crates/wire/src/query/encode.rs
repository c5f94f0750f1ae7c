//! Answers of the query protocol: XML from a value and its schema.

use super::scalar;
use crate::schema::{Fault, Kind, Operation, Service, Structure, Type};
use crate::value::Value;
use crate::xml::Writer;

/// The content type of every answer.
pub const CONTENT_TYPE: &str = "text/xml";

/// The body of a success: the result, when the operation has an output, then the metadata.
///
/// `value` is what the response struct's `into_value` gave; a slot of the wrong kind is left out.
pub fn encode_response(operation: &Operation, value: &Value, request_id: &str) -> Vec<u8> {
    let mut writer = Writer::with_capacity(512);
    writer.open_root(operation.name, "Response", operation.service.xml_namespace);
    if let Some(output) = operation.output {
        writer.open(operation.result_wrapper);
        structure(&mut writer, output, value);
        writer.close(operation.result_wrapper);
    }
    writer.open("ResponseMetadata");
    writer.leaf("RequestId", request_id);
    writer.close("ResponseMetadata");
    writer.close(&format!("{}Response", operation.name));
    writer.finish()
}

/// The body of a failure. `service` gives the namespace; `None` before the service is known.
pub fn encode_error(
    service: Option<&Service>,
    code: &str,
    message: &str,
    fault: Fault,
    request_id: &str,
) -> Vec<u8> {
    let mut writer = Writer::with_capacity(512);
    writer.open_root("ErrorResponse", "", service.map_or("", |service| service.xml_namespace));
    writer.open("Error");
    writer.leaf("Type", fault.name());
    writer.leaf("Code", code);
    writer.leaf("Message", message);
    writer.close("Error");
    writer.leaf("RequestId", request_id);
    writer.close("ErrorResponse");
    writer.finish()
}

fn structure(writer: &mut Writer, structure: &Structure, value: &Value) {
    let slots = value.slots();
    for (at, member) in structure.members.iter().enumerate() {
        match slots.get(at).and_then(Option::as_ref) {
            Some(value) => element(writer, member.wire, member.shape, value),
            // A required list is always written, even by a handler that set nothing.
            None if member.required
                && matches!(member.shape.kind, Kind::List(_) | Kind::Map(_)) =>
            {
                writer.empty(member.wire);
            }
            None => {}
        }
    }
}

fn element(writer: &mut Writer, name: &str, shape: &Type, value: &Value) {
    match (shape.kind, value) {
        (Kind::Structure(inner), Value::Struct(_)) => {
            writer.open(name);
            structure(writer, inner, value);
            writer.close(name);
        }
        (Kind::List(list), Value::List(items)) if list.flattened => {
            let item_name = if list.item == "member" { name } else { list.item };
            for item in items {
                element(writer, item_name, list.shape, item);
            }
        }
        (Kind::List(_), Value::List(items)) if items.is_empty() => writer.empty(name),
        (Kind::List(list), Value::List(items)) => {
            writer.open(name);
            for item in items {
                element(writer, list.item, list.shape, item);
            }
            writer.close(name);
        }
        (Kind::Map(_), Value::Map(entries)) if entries.is_empty() => writer.empty(name),
        (Kind::Map(map), Value::Map(entries)) => {
            let entry_name = if map.flattened { name } else { "entry" };
            if !map.flattened {
                writer.open(name);
            }
            for (key, value) in entries {
                writer.open(entry_name);
                writer.leaf(map.key_name, key);
                element(writer, map.value_name, map.value, value);
                writer.close(entry_name);
            }
            if !map.flattened {
                writer.close(name);
            }
        }
        _ => {
            if let Some(text) = scalar::write(value) {
                writer.leaf(name, &text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::{iam, sts};
    use crate::shape::{Api as _, Shape as _};

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn responses_have_result_and_metadata() {
        let user = iam::User {
            path: "/".into(),
            user_name: "a<b".into(),
            user_id: "AIDA".into(),
            arn: "arn:aws:iam::123456789012:user/a".into(),
            create_date: crate::time::parse_iso("2026-11-21T22:00:00.75Z").unwrap(),
            ..iam::User::default()
        };
        let value = iam::GetUserResponse { user }.into_value();
        assert_eq!(
            text(encode_response(iam::GetUser::OPERATION, &value, "id-1")),
            "<GetUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetUserResult><User><Path>/</Path>\
             <UserName>a&lt;b</UserName><UserId>AIDA</UserId><Arn>arn:aws:iam::123456789012:user/a</Arn>\
             <CreateDate>2026-11-21T22:00:00Z</CreateDate></User></GetUserResult>\
             <ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GetUserResponse>"
        );
        let value = crate::shape::Empty.into_value();
        assert_eq!(
            text(encode_response(iam::DeleteUser::OPERATION, &value, "id-2")),
            "<DeleteUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
             <ResponseMetadata><RequestId>id-2</RequestId></ResponseMetadata></DeleteUserResponse>"
        );
        let value = iam::ListUsersResponse::default().into_value();
        assert!(
            text(encode_response(iam::ListUsers::OPERATION, &value, "id-3"))
                .contains("<ListUsersResult><Users/></ListUsersResult>")
        );
    }

    #[test]
    fn tm_b09_hostile_session_name_stays_text() {
        let hostile = "</Arn><Arn>arn:aws:sts::1:assumed-role/Admin/x";
        let value =
            sts::GetCallerIdentityResponse { arn: Some(hostile.into()), ..Default::default() }
                .into_value();
        let body = encode_response(sts::GetCallerIdentity::OPERATION, &value, "<x/>");
        let root = crate::xml::read(&body).unwrap();
        let result = root.child("GetCallerIdentityResult").unwrap();
        assert_eq!(result.children.len(), 1);
        assert_eq!(result.child_text("Arn"), Some(hostile));
        assert_eq!(root.child("ResponseMetadata").unwrap().child_text("RequestId"), Some("<x/>"));
        let body = encode_error(Some(&sts::SERVICE), "AccessDenied", hostile, Fault::Sender, "id");
        let root = crate::xml::read(&body).unwrap();
        assert_eq!(root.child("Error").unwrap().child_text("Message"), Some(hostile));
    }
}
