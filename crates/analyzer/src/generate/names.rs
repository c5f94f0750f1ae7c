//! From the name of an event, and its parameters, to the actions that it stands for.

use bailiwick_catalog::{Action, Catalog, Service};

use super::params::Params;
use crate::trail;

/// An action that an event stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meant<'c> {
    pub(super) service: &'c Service,
    pub(super) action: &'c Action,
    /// The path of the resource, with members in braces, where it is one.
    pub(super) path: Option<&'static str>,
    /// Whether it is about the source of a copy.
    pub(super) source: bool,
}

/// The service of an event source.
pub(super) fn service<'c>(catalog: &'c Catalog, source: &str) -> Option<&'c Service> {
    trail::Action::service(catalog, source)
}

/// The actions of an event; none if the catalog has no such action.
pub(super) fn actions<'c>(
    catalog: &'c Catalog,
    source: &str,
    name: &str,
    params: &Params<'_>,
) -> Vec<Meant<'c>> {
    let texts = params.named("statement");
    let words: Vec<&str> = texts.iter().filter_map(|text| text.split_whitespace().next()).collect();
    let tells = |name: &str| {
        params.has(name)
            || params.mentions(name)
            || words.iter().any(|word| word.eq_ignore_ascii_case(name))
    };
    let meant = trail::Action::meant(catalog, source, name, &tells).into_iter();
    meant.map(|(service, action, path, source)| Meant { service, action, path, source }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn mapped(source: &str, name: &str, params: &Value) -> Vec<String> {
        let params = Params::of(params);
        let meant = actions(Catalog::embedded(), source, name, &params);
        meant
            .iter()
            .map(|one| {
                let path = one.path.map(|path| format!(" {path}")).unwrap_or_default();
                format!("{}:{}{path}", one.service.prefix(), one.action.name)
            })
            .collect()
    }

    #[test]
    fn events_and_their_actions() {
        let none = json!({});
        for (source, name, params, expected) in [
            ("iam.amazonaws.com", "CreateUser", &none, &["iam:CreateUser"][..]),
            ("s3.amazonaws.com", "ListObjectsV2", &none, &["s3:ListBucket"]),
            ("s3.amazonaws.com", "HeadBucket", &none, &["s3:ListBucket"]),
            ("s3.amazonaws.com", "HeadObject", &none, &["s3:GetObject"]),
            ("s3.amazonaws.com", "GetObject", &json!({"versionId": "1"}), &["s3:GetObjectVersion"]),
            ("s3.amazonaws.com", "CopyObject", &none, &["s3:PutObject", "s3:GetObject"]),
            ("s3.amazonaws.com", "DeleteObjects", &none, &["s3:DeleteObject"]),
            ("s3.amazonaws.com", "CompleteMultipartUpload", &none, &["s3:PutObject"]),
            (
                "s3.amazonaws.com",
                "PutObject",
                &json!({"x-amz-acl": "private"}),
                &["s3:PutObject", "s3:PutObjectAcl"],
            ),
            ("lambda.amazonaws.com", "CreateFunction20150331", &none, &["lambda:CreateFunction"]),
            ("lambda.amazonaws.com", "AddPermission20150331v2", &none, &["lambda:AddPermission"]),
            ("lambda.amazonaws.com", "Invoke", &none, &["lambda:InvokeFunction"]),
            (
                "cloudfront.amazonaws.com",
                "CreateDistribution2020_05_31",
                &none,
                &["cloudfront:CreateDistribution"],
            ),
            ("monitoring.amazonaws.com", "PutMetricAlarm", &none, &["cloudwatch:PutMetricAlarm"]),
            ("email.amazonaws.com", "SendEmail", &none, &["ses:SendEmail"]),
            ("api.ecr.amazonaws.com", "PutImage", &none, &["ecr:PutImage"]),
            ("ec2.amazonaws.com.cn", "RunInstances", &none, &["ec2:RunInstances"]),
            ("kms.amazonaws.com", "ReEncrypt", &none, &["kms:ReEncryptFrom", "kms:ReEncryptTo"]),
            (
                "dynamodb.amazonaws.com",
                "TransactWriteItems",
                &json!({"transactItems": [{"put": {"tableName": "t"}}]}),
                &["dynamodb:PutItem"],
            ),
            (
                "dynamodb.amazonaws.com",
                "ExecuteStatement",
                &json!({"statement": "SELECT * FROM t"}),
                &["dynamodb:PartiQLSelect"],
            ),
            ("apigateway.amazonaws.com", "CreateRestApi", &none, &["apigateway:POST /restapis"]),
            (
                "apigateway.amazonaws.com",
                "CreateStage",
                &json!({"apiId": "x"}),
                &["apigateway:POST /apis/{apiId}/stages"],
            ),
            (
                "apigateway.amazonaws.com",
                "CreateStage",
                &json!({"restApiId": "x"}),
                &["apigateway:POST /restapis/{restApiId}/stages"],
            ),
            ("iam.amazonaws.com", "DoSomethingElse", &none, &[]),
            ("nobody.example", "CreateUser", &none, &[]),
        ] {
            assert_eq!(mapped(source, name, params), expected, "{source} {name}");
        }
    }
}
