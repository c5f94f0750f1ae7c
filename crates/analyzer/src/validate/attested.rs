//! Names that the catalog lacks but AWS's own managed policies, in their default versions, use. AWS
//! wrote them, so they are no mistakes of the user: they are undocumented, or retired while policies
//! still name them. A test keeps the lists short: each entry is needed and the catalog lacks it.

use super::glob;

/// Prefixes of actions and keys.
pub(super) const SERVICES: &[&str] = &[
    "builderid",
    "codestar",
    "datazonecontrol",
    "deepcomposer",
    "deeplens",
    "deepracer",
    "elastic-inference",
    "evidently",
    "iot1click",
    "iotevents",
    "iotroborunner",
    "mobilehub",
    "sagemaker-groundtruth-synthetic",
    "zocalo",
];

/// Actions with prefix, in lower case.
pub(super) const ACTIONS: &[&str] = &[
    "budgets:createbudget",
    "budgets:deletebudget",
    "budgets:describebudget",
    "budgets:describebudgets",
    "budgets:updatebudget",
    "cloud9:validateenvironmentname",
    "cloudhsm:createlunaclient",
    "cloudhsm:deletelunaclient",
    "cloudhsm:describehapg",
    "cloudhsm:describelunaclient",
    "cloudhsm:getconfig",
    "cloudhsm:modifyhapg",
    "cloudhsm:modifylunaclient",
    "memorydb:replicatemultiregionclusterdata",
    "organizations:createbuilderidownedaccount",
    "payments:accepttermsandconditionsforprogrambyaccountid",
    "payments:batchgetpaymentprofiles",
    "payments:createpaymentattempt",
    "payments:createpaymentprofile",
    "payments:get",
    "payments:getacceptedtermsandconditionsforprogrambyaccountid",
    "payments:getaccountbalance",
    "payments:getdefaultpaymentprofile",
    "payments:geteligiblecurrencies",
    "payments:getpaymentattempt",
    "payments:getpaymentpreferences",
    "payments:getpreferredcurrency",
    "payments:getrecommendedtermsandconditionsforprogram",
    "payments:listpaymentprofiles",
    "payments:searchfinancialrecords",
    "payments:setpreferredcurrency",
    "payments:updatepaymentprofile",
    "qapps:importdocumenttoqapp",
    "qapps:importdocumenttoqappsession",
    "route53-recovery-control-config:describeroutingcontrolbyname",
    "securityagent:batchgetagentinstances",
    "securityagent:batchgetsecuritytestcontentmetadata",
    "securityagent:batchgettasks",
    "securityagent:createdocumentreview",
    "securityagent:deletedocumentreview",
    "securityagent:getcodereviewtask",
    "securityagent:getdocreviewtask",
    "securityagent:getdocumentreview",
    "securityagent:getdocumentreviewartifact",
    "securityagent:listagentinstances",
    "securityagent:listcontrols",
    "securityagent:listdocumentreviewcomments",
    "securityagent:listdocumentreviews",
    "securityagent:listtasks",
    "securityagent:startpentestexecution",
    "securityagent:stoppentestexecution",
];

/// Condition keys, in lower case.
pub(super) const KEYS: &[&str] =
    &["deepracer:multiuser", "deepracer:usertoken", "lakeformation:gluearn"];

/// Keys that the reference calls multivalued, which AWS tests without a set operator.
pub(super) const UNQUALIFIED: &[&str] = &["events:detail-type"];

/// Services of ARNs.
pub(super) const ARN_SERVICES: &[&str] = &[];

/// Resource parts of ARNs that no documented resource type has: service and resource.
pub(super) const RESOURCES: &[(&str, &str)] = &[
    ("apigateway", "/tags"),
    ("apigateway", "/v2/apis"),
    ("apigateway", "/v2/apis/*"),
    ("apigateway", "/v2/apis/*/integrations"),
    ("apigateway", "/v2/apis/*/integrations/*"),
    ("apigateway", "/v2/apis/*/routes"),
    ("apigateway", "/v2/apis/*/routes/*"),
    ("appflow", "connector-profile/*"),
    ("aps", "/workspaces"),
    ("autoscaling", "scalingPolicy:*:resource/dynamodb/table/*"),
    ("backup", "recovery-point:*"),
    ("bedrock-agentcore", "credential-provider/*"),
    ("cloudformation", "stack/ams-detective-controls-config-recorder"),
    ("cloudformation", "stack/ams-detective-controls-config-rules-cdk"),
    ("cloudformation", "stack/ams-detective-controls-infrastructure-cdk"),
    ("cloudformation", "transform/*"),
    ("cloudformation", "transform/CodeStar*"),
    ("cloudwatch", "iotfleethub*"),
    ("config", ":config-rule/*"),
    ("ec2", "vpc-endpoint:*"),
    ("elasticloadbalancing", "listener/awseb-*"),
    ("elasticloadbalancing", "listener/eb-*"),
    ("grafana", "/workspaces"),
    ("kms", ":*"),
    ("logs", "/aws-glue/*"),
    ("logs", "/aws/lambda/AmazonSecurityLake*"),
    ("organizations", ""),
    ("pricingplanmanager", "subscription:*"),
    ("profile", "/domains/amazon-connect-*"),
    ("profile", "/templates*"),
    ("quicksight", "vpcconnection/*"),
    ("redshift-serverless", "snapshotcopyconfiguration/*"),
    ("robomaker", "/createSimulationApplication"),
    ("sagemaker", "Canvas*"),
    ("sagemaker", "canvas*"),
    ("sagemaker", "endpointconfig/*"),
    ("secretsmanager", "opsworks-cm!aws-opsworks-cm-secrets-*"),
    ("secretsmanager", "sqlworkbench!*"),
    ("securityagent", "agent-instance*"),
    ("states", "statemachine:*sagemaker*"),
    ("waf", "changetoken/*"),
    ("waf-regional", "changetoken/*"),
];

/// Resources of AWS itself, which have no account, though the reference writes one: service and
/// resource.
pub(super) const NO_ACCOUNT: &[(&str, &str)] = &[
    ("kms", "*"),
    ("kms", ":*"),
    ("resource-explorer-2", "view/AWSServiceViewForApplicationSignals/service-view"),
    ("resource-explorer-2", "view/AWSServiceViewForApplicationSignalsOrgScopeProd/service-view"),
    ("ssm", "automation-definition/AWS*"),
    ("ssm", "automation-definition/Amazon*"),
    ("ssm", "automation-definition/Aws*"),
    ("ssm", "document/*"),
    ("ssm", "parameter/aws/*"),
];

/// Pairs of an action and a key that the reference does not join, in lower case.
pub(super) const PAIRS: &[(&str, &str)] = &[
    ("a4b:registeravsdevice", "a4b:amazonid"),
    ("a4b:searchdevices", "a4b:filters_devicetype"),
    (
        "application-autoscaling:describescalabletargets",
        "application-autoscaling:service-namespace",
    ),
    (
        "application-autoscaling:describescalingpolicies",
        "application-autoscaling:service-namespace",
    ),
    ("aws-marketplace:acceptagreementapprovalrequest", "aws-marketplace:agreementtype"),
    ("aws-marketplace:cancelagreement", "aws-marketplace:partytype"),
    ("aws-marketplace:cancelagreementrequest", "aws-marketplace:agreementtype"),
    ("aws-marketplace:describeagreement", "aws-marketplace:productid"),
    ("aws-marketplace:getagreementapprovalrequest", "aws-marketplace:agreementtype"),
    ("aws-marketplace:getagreementrequest", "aws-marketplace:agreementtype"),
    ("aws-marketplace:listagreementapprovalrequests", "aws-marketplace:agreementtype"),
    ("aws-marketplace:listagreementrequests", "aws-marketplace:agreementtype"),
    ("aws-marketplace:listentitlementdetails", "aws-marketplace:productid"),
    ("aws-marketplace:rejectagreementapprovalrequest", "aws-marketplace:agreementtype"),
    ("aws-marketplace:searchagreements", "aws-marketplace:productid"),
    ("aws-marketplace:subscribe", "aws-marketplace:productid"),
    ("aws-marketplace:unsubscribe", "aws-marketplace:productid"),
    ("deadline:searchworkers", "deadline:farmmembershiplevels"),
    ("deadline:searchworkers", "deadline:fleetmembershiplevels"),
    ("ec2:describesubnets", "ec2:vpc"),
    ("glue:batchgettableoptimizer", "glue:lakeformationpermissions"),
    ("glue:getcolumnstatisticstaskrun", "glue:lakeformationpermissions"),
    ("glue:getcolumnstatisticstaskruns", "glue:lakeformationpermissions"),
    ("glue:gettableoptimizer", "glue:lakeformationpermissions"),
    ("glue:listtableoptimizerruns", "glue:lakeformationpermissions"),
    ("iottwinmaker:createcomponenttype", "iottwinmaker:linkedservices"),
    ("iottwinmaker:createentity", "iottwinmaker:linkedservices"),
    ("iottwinmaker:deletecomponenttype", "iottwinmaker:linkedservices"),
    ("iottwinmaker:deleteentity", "iottwinmaker:linkedservices"),
    ("iottwinmaker:executequery", "iottwinmaker:linkedservices"),
    ("iottwinmaker:getcomponenttype", "iottwinmaker:linkedservices"),
    ("iottwinmaker:getentity", "iottwinmaker:linkedservices"),
    ("iottwinmaker:getworkspace", "iottwinmaker:linkedservices"),
    ("iottwinmaker:listcomponenttypes", "iottwinmaker:linkedservices"),
    ("iottwinmaker:listentities", "iottwinmaker:linkedservices"),
    ("iottwinmaker:updatecomponenttype", "iottwinmaker:linkedservices"),
    ("iottwinmaker:updateentity", "iottwinmaker:linkedservices"),
    ("nimble:liststreamingsessionbackups", "nimble:ownedby"),
    ("ram:getresourceshares", "ram:resourcesharename"),
    ("redshift-data:cancelstatement", "redshift-data:glue-catalog-arn"),
    ("redshift-data:describestatement", "redshift-data:glue-catalog-arn"),
    ("redshift-data:getstagingbucketlocation", "redshift-data:glue-catalog-arn"),
    ("redshift-data:getstatementresult", "redshift-data:glue-catalog-arn"),
];

/// Whether AWS's own managed policies write this very resource part for the service. A longer one of
/// the same form is not meant: some of these are slips of AWS's.
pub(super) fn has_resource(service: &str, name: &str) -> bool {
    RESOURCES.contains(&(service, name))
}

/// Whether AWS's own managed policies write this resource of the service without an account.
pub(super) fn has_no_account(service: &str, name: &str) -> bool {
    let own = |part: &str| match (service, part) {
        // Documents, definitions and parameters that AWS gives out: their names begin so.
        ("ssm", "document/*") => {
            ["document/AWS", "document/Amazon", "document/Aws"]
                .iter()
                .any(|begin| name.starts_with(begin))
                || name == part
        }
        ("ssm", _) => glob::covers(part, name, false),
        _ => name == part,
    };
    NO_ACCOUNT.iter().any(|(known, part)| *known == service && own(part))
}

/// Whether AWS's own managed policies test the key with the action.
pub(super) fn has_pair(action: &str, key: &str) -> bool {
    PAIRS.contains(&(action.to_ascii_lowercase().as_str(), key.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bailiwick_catalog::Catalog;
    use serde_json::Value;

    use super::super::facts::{Facts, Field};
    use super::*;

    /// What AWS's own managed policies say, in their default versions.
    #[derive(Default)]
    struct Said {
        actions: BTreeSet<String>,
        keys: BTreeSet<String>,
        /// Keys under an operator without a set prefix.
        plain: BTreeSet<String>,
        arns: BTreeSet<String>,
        pairs: BTreeSet<(String, String)>,
    }

    impl Said {
        fn read() -> Self {
            let mut said = Self::default();
            for policy in Catalog::embedded().managed_policies() {
                let text: Value = serde_json::from_str(&policy.default_document()).unwrap();
                for statement in list(&text["Statement"]) {
                    said.statement(statement);
                }
            }
            said
        }

        fn statement(&mut self, statement: &Value) {
            let texts = |name: &str| -> Vec<String> {
                list(&statement[name]).filter_map(|one| one.as_str().map(str::to_owned)).collect()
            };
            let actions: Vec<String> = ["Action", "NotAction"]
                .into_iter()
                .flat_map(texts)
                .map(|action| action.to_ascii_lowercase())
                .collect();
            self.arns.extend(["Resource", "NotResource"].into_iter().flat_map(texts));
            for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
                for key in keys.as_object().into_iter().flatten().map(|(key, _)| key) {
                    let key = key.to_ascii_lowercase();
                    if !operator.contains(':') {
                        self.plain.insert(key.clone());
                    }
                    let pairs = actions.iter().map(|action| (action.clone(), key.clone()));
                    self.pairs.extend(pairs);
                    self.keys.insert(key);
                }
            }
            self.actions.extend(actions);
        }
    }

    fn list(value: &Value) -> impl Iterator<Item = &Value> {
        let one = (!value.is_array() && !value.is_null()).then_some(value);
        value.as_array().into_iter().flatten().chain(one)
    }

    /// Each entry stands so in a policy of AWS, and without it the policy would have an error.
    #[test]
    fn each_entry_is_said_by_aws_and_needed() {
        let catalog = Catalog::embedded();
        let facts = Facts::new(catalog);
        let said = Said::read();
        let begins = |prefix: &str| {
            let prefix = format!("{prefix}:");
            said.actions.iter().chain(&said.keys).any(|name| name.starts_with(&prefix))
        };
        for prefix in SERVICES {
            assert!(catalog.service(prefix).is_none() && begins(prefix), "{prefix}");
        }
        for action in ACTIONS {
            let (prefix, name) = action.split_once(':').unwrap();
            let matched = |said: &String| glob::matches(said, action);
            let used = said.actions.contains(*action) || said.actions.iter().any(matched);
            assert!(catalog.action(prefix, name).is_none() && used, "{action}");
        }
        for key in KEYS {
            assert!(catalog.condition_key(key).is_none() && said.keys.contains(*key), "{key}");
        }
        for key in UNQUALIFIED {
            let known = catalog.condition_key(key).unwrap();
            assert!(known.multivalued && said.plain.contains(*key), "{key}");
        }
        let arns: Vec<Vec<String>> = said
            .arns
            .iter()
            .map(|arn| glob::open_variables(arn).splitn(6, ':').map(str::to_owned).collect())
            .collect();
        let arns: Vec<&Vec<String>> = arns.iter().filter(|arn| arn.len() == 6).collect();
        for (service, part) in RESOURCES {
            let used = arns.iter().any(|arn| arn[2] == *service && arn[5] == *part);
            let forms = facts.forms(service).unwrap();
            let needed = !forms.iter().any(|form| glob::overlap(part, &form.resource, false));
            assert!(used && needed, "{service} {part} {used} {needed}");
        }
        for (service, part) in NO_ACCOUNT {
            let used = arns.iter().any(|arn| {
                arn[2] == *service && arn[4].is_empty() && glob::covers(part, &arn[5], false)
            });
            let forms = facts.forms(service).unwrap().iter();
            let mut named = forms.filter(|form| glob::overlap(part, &form.resource, false));
            let needed = named.all(|form| form.account != Field::Empty);
            assert!(used && needed, "{service} {part} {used} {needed}");
        }
        for (action, key) in PAIRS {
            let pair = ((*action).to_owned(), (*key).to_owned());
            let (prefix, name) = action.split_once(':').unwrap();
            let service = catalog.service(prefix).unwrap();
            let sends = facts.sends(service, catalog.action(prefix, name).unwrap(), key);
            assert!(said.pairs.contains(&pair) && !sends, "{action} {key}");
        }
        for list in [SERVICES, ACTIONS, KEYS, UNQUALIFIED] {
            assert!(list.is_sorted(), "{list:?}");
        }
        assert!(RESOURCES.is_sorted() && NO_ACCOUNT.is_sorted() && PAIRS.is_sorted());
    }
}
