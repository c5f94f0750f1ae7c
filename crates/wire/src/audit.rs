//! Requests and responses as an audit record shows them: CloudTrail's `requestParameters` and
//! `responseElements`.
//!
//! CloudTrail lowers the first letter of each member and nothing else (*observed* in public detection
//! rules: `userName`, `sAMLProviderArn`), keeps policy documents as the text that was sent, and prints
//! instants as `Nov 21, 2026 10:00:00 PM`. Absent members are left out; a record with nothing in it is
//! `null`.
//!
//! What is secret or marked as not for logs is left out, and so are blobs.
//! `Deviation:` CloudTrail shows the session token of an AssumeRole; we do not.

use serde_json::{Map, Value as Json};

use crate::schema::{Kind, Sensitivity, Structure, Type};
use crate::time::write_cloudtrail;
use crate::value::Value;

/// The members of `value` that an audit record may show; `null` when there are none.
pub fn parameters(structure: &Structure, value: &Value) -> Json {
    let shown = members(structure, value);
    if shown.is_empty() { Json::Null } else { Json::Object(shown) }
}

/// A member's name in an audit record.
pub fn name(wire: &str) -> String {
    let mut chars = wire.chars();
    chars.next().map_or_else(String::new, |first| {
        let mut out = String::with_capacity(wire.len());
        out.push(first.to_ascii_lowercase());
        out.push_str(chars.as_str());
        out
    })
}

fn members(structure: &Structure, value: &Value) -> Map<String, Json> {
    let slots = value.slots().iter();
    let set = structure.members.iter().zip(slots).filter_map(|(member, slot)| {
        Some((name(member.wire), show(member.shape, slot.as_ref()?)?))
    });
    set.collect()
}

/// `None` for what may not be shown.
fn show(shape: &Type, value: &Value) -> Option<Json> {
    if shape.sensitivity != Sensitivity::Open {
        return None;
    }
    Some(match (shape.kind, value) {
        (_, Value::Bool(flag)) => Json::from(*flag),
        (_, Value::Integer(number)) => Json::from(*number),
        (_, Value::Double(number)) => Json::from(*number),
        (_, Value::String(text)) => Json::from(text.as_str()),
        (_, Value::Timestamp(instant)) => Json::from(write_cloudtrail(*instant)),
        (Kind::List(list), Value::List(items)) => {
            // A list of secrets is left out whole, so that its length does not show either.
            if list.shape.sensitivity != Sensitivity::Open {
                return None;
            }
            items.iter().filter_map(|item| show(list.shape, item)).collect()
        }
        (Kind::Map(map), Value::Map(entries)) => {
            if map.key.sensitivity != Sensitivity::Open
                || map.value.sensitivity != Sensitivity::Open
            {
                return None;
            }
            let shown = entries
                .iter()
                .filter_map(|(key, held)| Some((key.clone(), show(map.value, held)?)));
            Json::Object(shown.collect())
        }
        (Kind::Structure(inner), Value::Struct(_)) => Json::Object(members(inner, value)),
        // Secrets, blobs, and values that are not what their type says.
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::generated::{iam, sts};
    use crate::shape::Shape;
    use crate::time::parse_iso;

    fn record<T: Shape>(value: T) -> Json {
        parameters(T::SCHEMA, &value.into_value())
    }

    #[test]
    fn names_are_cloudtrails() {
        for (wire, expected) in [
            ("RoleArn", "roleArn"),
            ("AssumeRolePolicyDocument", "assumeRolePolicyDocument"),
            ("VirtualMFADeviceName", "virtualMFADeviceName"),
            ("SAMLMetadataDocument", "sAMLMetadataDocument"),
            ("SSHPublicKeyId", "sSHPublicKeyId"),
            ("AWSServiceName", "aWSServiceName"),
            ("arn", "arn"),
        ] {
            assert_eq!(name(wire), expected);
        }
    }

    #[test]
    fn request_parameters() {
        let tag = iam::Tag { key: "a".into(), value: "b".into() };
        let request = iam::CreateRoleRequest {
            role_name: "r".into(),
            assume_role_policy_document: "{\"Version\":\"2012-10-17\"}".into(),
            max_session_duration: Some(3600),
            tags: Some(vec![tag]),
            ..Default::default()
        };
        assert_eq!(
            record(request),
            json!({
                "roleName": "r",
                "assumeRolePolicyDocument": "{\"Version\":\"2012-10-17\"}",
                "maxSessionDuration": 3600,
                "tags": [{"key": "a", "value": "b"}],
            })
        );
        assert_eq!(record(iam::ListUsersRequest::default()), Json::Null);
    }

    #[test]
    fn secrets_and_codes_are_left_out() {
        let request = iam::CreateLoginProfileRequest {
            user_name: Some("u".into()),
            password: Some("hunter2!".into()),
            password_reset_required: Some(true),
        };
        assert_eq!(record(request), json!({"userName": "u", "passwordResetRequired": true}));
        let request =
            iam::ChangePasswordRequest { old_password: "a".into(), new_password: "b".into() };
        assert_eq!(record(request), Json::Null);
        let request = iam::EnableMFADeviceRequest {
            user_name: "u".into(),
            serial_number: "arn:aws:iam::123456789012:mfa/u".into(),
            authentication_code1: "123456".into(),
            authentication_code2: "654321".into(),
        };
        assert_eq!(
            record(request),
            json!({"userName": "u", "serialNumber": "arn:aws:iam::123456789012:mfa/u"})
        );
        let credentials = sts::Credentials {
            access_key_id: "ASIA".into(),
            secret_access_key: "s".into(),
            session_token: "t".into(),
            expiration: parse_iso("2026-11-21T22:00:00Z").unwrap(),
        };
        let response =
            sts::AssumeRoleResponse { credentials: Some(credentials), ..Default::default() };
        assert_eq!(
            record(response),
            json!({"credentials": {"accessKeyId": "ASIA", "expiration": "Nov 21, 2026 10:00:00 PM"}})
        );
        let device = iam::VirtualMFADevice {
            serial_number: "arn".into(),
            base32_string_seed: Some(vec![1].into()),
            qr_code_png: Some(vec![2].into()),
            ..Default::default()
        };
        let response = iam::CreateVirtualMFADeviceResponse { virtual_mfa_device: device };
        assert_eq!(record(response), json!({"virtualMFADevice": {"serialNumber": "arn"}}));
    }
}
