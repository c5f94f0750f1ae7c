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

/// Services with ARNs of a form that no documented resource type has: whether the Region and the
/// account are written. They are resources of AWS itself, which have no account.
pub(super) const FIELDS: &[(&str, bool, bool)] =
    &[("kms", true, false), ("resource-explorer-2", true, false), ("ssm", true, false)];

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

/// Whether AWS's own managed policies write this resource part for the service.
pub(super) fn has_resource(service: &str, name: &str) -> bool {
    RESOURCES.iter().any(|(known, part)| *known == service && glob::covers(part, name, false))
}

/// Whether AWS's own managed policies write the Region and account fields so for the service.
pub(super) fn has_fields(service: &str, region: bool, account: bool) -> bool {
    FIELDS.contains(&(service, region, account))
}

/// Whether AWS's own managed policies test the key with the action.
pub(super) fn has_pair(action: &str, key: &str) -> bool {
    PAIRS.contains(&(action.to_ascii_lowercase().as_str(), key.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use bailiwick_catalog::Catalog;

    use super::*;

    #[test]
    fn the_catalog_lacks_what_is_listed() {
        let catalog = Catalog::embedded();
        let texts: Vec<String> = catalog
            .managed_policies()
            .map(|policy| policy.default_document().to_ascii_lowercase())
            .collect();
        let used = |name: &str| texts.iter().any(|text| text.contains(name));
        for prefix in SERVICES {
            assert!(catalog.service(prefix).is_none() && used(&format!("\"{prefix}:")), "{prefix}");
        }
        for action in ACTIONS {
            let (prefix, name) = action.split_once(':').unwrap();
            assert!(catalog.action(prefix, name).is_none() && used(action), "{action}");
        }
        for key in KEYS {
            assert!(catalog.condition_key(key).is_none() && used(key), "{key}");
        }
        for (service, part) in RESOURCES {
            assert!(used(&format!(":{service}:")), "{service} {part}");
        }
        for (action, key) in PAIRS {
            assert!(used(action) && used(key), "{action} {key}");
        }
        for list in [SERVICES, ACTIONS, KEYS, UNQUALIFIED] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }
}
