//! JSON 1.0 and 1.1, both directions.
//!
//! Server: [`decode`] a request, [`encode`] a response, [`encode_error`]. Client: [`encode`] a
//! request, [`decode`] a response, [`decode_error`]; the two are the same codec.
//!
//! Reading is strict: a key stands once, at any depth, known or not (two readers must never see two
//! values); depth is at most [`MAX_DEPTH`]; numbers are checked before they are narrowed. A `null`
//! member is absent, an unknown member is ignored, as AWS does. Instants are epoch seconds, blobs
//! base64.

mod decode;
mod encode;

pub use decode::{ErrorReply, JsonError, MAX_DEPTH, decode, decode_error};
pub use encode::{content_type, encode, encode_error};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::bailiwick::{ListEventsRequest, ListEventsResponse};
    use crate::generated::iam::{CreateUserRequest, PutAccountPropertiesRequest};
    use crate::schema::Protocol;
    use crate::shape::Shape;
    use crate::value::Value;

    fn read<T: Shape>(body: &str) -> Result<T, String> {
        let value = decode(body.as_bytes(), T::SCHEMA).map_err(|error| error.message)?;
        T::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn members_and_nulls() {
        let request: ListEventsRequest =
            read(r#"{"StartTime": 1793570700.5, "MaxResults": 7, "UserName": null, "Other": {"x": [1, {}]}, "Forward": true}"#)
                .unwrap();
        assert_eq!(request.start_time.unwrap().as_millisecond(), 1_793_570_700_500);
        assert_eq!(
            (request.max_results, request.user_name, request.forward),
            (Some(7), None, Some(true))
        );
        assert_eq!(read::<ListEventsRequest>("").unwrap(), ListEventsRequest::default());
        assert_eq!(read::<ListEventsRequest>(" {} ").unwrap(), ListEventsRequest::default());
    }

    #[test]
    fn tm_g09_wrong_kinds_are_refused() {
        for (body, expected) in [
            ("[]", "Start of list found where not expected"),
            ("3", "NUMBER_VALUE can not be converted to a Structure"),
            ("{", "the body is not well-formed JSON"),
            ("{} x", "the body is not well-formed JSON"),
            (r#"{"MaxResults": "7"}"#, "STRING_VALUE can not be converted to an Integer"),
            (r#"{"MaxResults": 1.5}"#, "DECIMAL_VALUE can not be converted to an Integer"),
            (r#"{"MaxResults": 1e3}"#, "DECIMAL_VALUE can not be converted to an Integer"),
            (r#"{"MaxResults": 2147483648}"#, "NUMBER_VALUE can not be converted to an Integer"),
            (
                r#"{"MaxResults": 99999999999999999999999}"#,
                "DECIMAL_VALUE can not be converted to an Integer",
            ),
            (
                r#"{"MaxResults": -99999999999999999999999}"#,
                "DECIMAL_VALUE can not be converted to an Integer",
            ),
            (r#"{"MaxResults": 007}"#, "the body is not well-formed JSON"),
            (r#"{"UserName": 7}"#, "NUMBER_VALUE can not be converted to a String"),
            (r#"{"UserName": {}}"#, "Start of structure or map found where not expected"),
            (r#"{"UserName": ["a"]}"#, "Start of list found where not expected"),
            (r#"{"Forward": "true"}"#, "STRING_VALUE can not be converted to a Boolean"),
            (r#"{"Forward": 1}"#, "NUMBER_VALUE can not be converted to a Boolean"),
            (r#"{"StartTime": "yesterday"}"#, "STRING_VALUE can not be converted to a Timestamp"),
            (r#"{"StartTime": 1e300}"#, "DECIMAL_VALUE can not be converted to a Timestamp"),
        ] {
            assert_eq!(read::<ListEventsRequest>(body).unwrap_err(), expected, "{body}");
        }
    }

    #[test]
    fn tm_g02_keys_stand_once() {
        for body in [
            r#"{"UserName": "a", "UserName": "b"}"#,
            r#"{"UserName": null, "UserName": "b"}"#,
            r#"{"Other": 1, "Other": 2}"#,
            r#"{"Other": {"x": 1, "x": 2}}"#,
            r#"{"Other": [[{"x": 1, "\u0078": 2}]]}"#,
        ] {
            assert_eq!(
                read::<ListEventsRequest>(body).unwrap_err(),
                "a key stands more than once",
                "{body}"
            );
        }
        let body = r#"{"Properties": {"a": "1", "a": "2"}}"#;
        assert_eq!(
            read::<PutAccountPropertiesRequest>(body).unwrap_err(),
            "a key stands more than once"
        );
    }

    #[test]
    fn tm_g01_depth_is_bounded() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for depth in [70, 100_000] {
                for ending in [close.repeat(depth), String::new()] {
                    let body = format!("{{\"Other\":{}1{ending}}}", open.repeat(depth));
                    assert_eq!(
                        read::<ListEventsRequest>(&body).unwrap_err(),
                        "the body is too deep"
                    );
                }
            }
        }
        assert!(read::<ListEventsRequest>(&"[".repeat(100_000)).is_err());
        let fine = format!("{{\"Other\":{}1{}}}", "[".repeat(60), "]".repeat(60));
        assert!(read::<ListEventsRequest>(&fine).is_ok());
        let tags = r#"{"UserName": "a", "Tags": [{"Key": "k", "Value": "v"}, null]}"#;
        assert!(read::<CreateUserRequest>(tags).is_err());
    }

    #[test]
    fn tm_b09_answers_escape_text() {
        let hostile = "\",\"NextToken\":\"x\u{0}\u{2028}\\";
        let response = ListEventsResponse { events: vec![hostile.into()], next_token: None };
        let body = encode(ListEventsResponse::SCHEMA, &response.clone().into_value());
        assert_eq!(
            read::<ListEventsResponse>(std::str::from_utf8(&body).unwrap()).unwrap(),
            response
        );
        let body = encode_error("NoSuchDecision", hostile);
        let reply = decode_error(&body, None).unwrap();
        assert_eq!((reply.code.as_str(), reply.message.as_str()), ("NoSuchDecision", hostile));
    }

    #[test]
    fn errors_of_other_writers_are_read() {
        for (body, header, code, message) in [
            (r#"{"__type":"com.amazon#XException","message":"m"}"#, None, "XException", "m"),
            (r#"{"__type":"XException","Message":"m"}"#, None, "XException", "m"),
            (r#"{"message":"m"}"#, Some("YException:http://x/"), "YException", "m"),
            ("", Some("YException"), "YException", ""),
        ] {
            let reply = decode_error(body.as_bytes(), header).unwrap();
            assert_eq!((reply.code.as_str(), reply.message.as_str()), (code, message), "{body}");
        }
        assert_eq!(content_type(Protocol::Json11), "application/x-amz-json-1.1");
        assert_eq!(encode(ListEventsRequest::SCHEMA, &Value::Struct(vec![])), b"{}");
    }
}
