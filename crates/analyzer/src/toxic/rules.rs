//! Pairs of duties that no one principal should hold together.

use serde::{Deserialize, Serialize};

/// The most actions of one side, patterns counted once.
const MOST_ACTIONS: usize = 100;
/// The most rules of a file.
const MOST_RULES: usize = 500;

/// One of two duties.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// What it is, in words, such as `make users`.
    pub name: String,
    /// Actions of which any one is the duty; `*` and `?` as in a policy.
    pub actions: Vec<String>,
}

/// Two duties that are to be held apart, and why.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its id, such as `SOD-01`.
    pub id: String,
    /// The one duty.
    pub one: Duty,
    /// The other.
    pub other: Duty,
    /// What could be done with both.
    pub reason: String,
}

/// A rule that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RuleError {
    /// There are more than an answer should take.
    #[error("there are more than {MOST_RULES} rules")]
    Many,
    /// Two have the same id.
    #[error("there are two rules `{0}`")]
    Twice(String),
    /// A duty has no action, or too many.
    #[error("rule `{rule}`: the duty `{duty}` needs 1 to {MOST_ACTIONS} actions")]
    Actions {
        /// The rule.
        rule: String,
        /// The duty.
        duty: String,
    },
    /// An entry is no action.
    #[error(
        "rule `{rule}`: `{entry}` is no action that is known: write it as `iam:CreateUser` or `iam:Create*`"
    )]
    Action {
        /// The rule.
        rule: String,
        /// The entry.
        entry: String,
    },
}

/// Whether rules can be used.
///
/// # Errors
/// Too many, two of one id, a duty without actions, or an entry that means no known action.
pub fn check(rules: &[Rule]) -> Result<(), RuleError> {
    if rules.len() > MOST_RULES {
        return Err(RuleError::Many);
    }
    let mut ids = std::collections::BTreeSet::new();
    for rule in rules {
        if !ids.insert(rule.id.as_str()) {
            return Err(RuleError::Twice(rule.id.clone()));
        }
        for duty in [&rule.one, &rule.other] {
            if duty.actions.is_empty() || duty.actions.len() > MOST_ACTIONS {
                let (rule, duty) = (rule.id.clone(), duty.name.clone());
                return Err(RuleError::Actions { rule, duty });
            }
            for entry in &duty.actions {
                if super::held::meant(entry).is_empty() {
                    let (rule, entry) = (rule.id.clone(), entry.clone());
                    return Err(RuleError::Action { rule, entry });
                }
            }
        }
    }
    Ok(())
}

/// The rules that apply where no others are given.
pub fn built_in() -> Vec<Rule> {
    BUILT_IN
        .iter()
        .map(|(id, one, other, reason)| Rule {
            id: (*id).to_owned(),
            one: duty(one),
            other: duty(other),
            reason: (*reason).to_owned(),
        })
        .collect()
}

fn duty((name, actions): &Side) -> Duty {
    let actions = actions.iter().map(ToString::to_string).collect();
    Duty { name: (*name).to_owned(), actions }
}

type Side = (&'static str, &'static [&'static str]);

const MAKE_IDENTITIES: Side = (
    "make users and roles",
    &["iam:CreateUser", "iam:CreateRole", "iam:CreateAccessKey", "iam:CreateLoginProfile"],
);
const GIVE_RIGHTS: Side = (
    "give rights",
    &[
        "iam:AttachUserPolicy",
        "iam:AttachRolePolicy",
        "iam:AttachGroupPolicy",
        "iam:PutUserPolicy",
        "iam:PutRolePolicy",
        "iam:PutGroupPolicy",
        "iam:CreatePolicyVersion",
        "iam:AddUserToGroup",
    ],
);
const HIDE: Side = (
    "stop the trail",
    &[
        "cloudtrail:StopLogging",
        "cloudtrail:DeleteTrail",
        "cloudtrail:UpdateTrail",
        "cloudtrail:PutEventSelectors",
    ],
);
const UNDETECTED: Side = (
    "switch detection off",
    &[
        "guardduty:DeleteDetector",
        "guardduty:UpdateDetector",
        "securityhub:DisableSecurityHub",
        "config:StopConfigurationRecorder",
        "config:DeleteConfigurationRecorder",
        "access-analyzer:DeleteAnalyzer",
    ],
);
const WRITE_CODE: Side =
    ("write code", &["codecommit:GitPush", "codecommit:PutFile", "codecommit:CreateCommit"]);
const DEPLOY: Side = (
    "deploy",
    &[
        "codedeploy:CreateDeployment",
        "codepipeline:StartPipelineExecution",
        "lambda:UpdateFunctionCode",
        "ecs:UpdateService",
        "cloudformation:UpdateStack",
        "cloudformation:ExecuteChangeSet",
    ],
);
const DELETE_BACKUPS: Side = (
    "delete backups",
    &[
        "backup:DeleteRecoveryPoint",
        "backup:DeleteBackupVault",
        "rds:DeleteDBSnapshot",
        "ec2:DeleteSnapshot",
    ],
);
const DELETE_DATA: Side = (
    "delete data",
    &[
        "s3:DeleteObject",
        "s3:DeleteBucket",
        "dynamodb:DeleteTable",
        "rds:DeleteDBInstance",
        "rds:DeleteDBCluster",
        "ec2:DeleteVolume",
    ],
);
const OPEN_NETWORK: Side = (
    "open the network",
    &["ec2:AuthorizeSecurityGroupIngress", "ec2:CreateRoute", "ec2:ReplaceNetworkAclEntry"],
);

const BUILT_IN: &[(&str, Side, Side, &str)] = &[
    (
        "SOD-01",
        MAKE_IDENTITIES,
        HIDE,
        "somebody could make an identity that nobody sees being made",
    ),
    ("SOD-02", GIVE_RIGHTS, HIDE, "somebody could give rights that nobody sees being given"),
    (
        "SOD-03",
        MAKE_IDENTITIES,
        GIVE_RIGHTS,
        "somebody could make an identity and decide by themselves what it may do",
    ),
    (
        "SOD-04",
        ("start a release", &["codepipeline:StartPipelineExecution"]),
        ("approve a release", &["codepipeline:PutApprovalResult"]),
        "somebody could approve what they have released themselves",
    ),
    (
        "SOD-05",
        ("write code", WRITE_CODE.1),
        (
            "approve code",
            &[
                "codecommit:UpdatePullRequestApprovalState",
                "codecommit:OverridePullRequestApprovalRules",
                "codecommit:DeletePullRequestApprovalRule",
            ],
        ),
        "somebody could approve code that they have written themselves",
    ),
    (
        "SOD-06",
        ("ask for a change", &["ssm:StartChangeRequestExecution"]),
        ("approve a change", &["ssm:SendAutomationSignal"]),
        "somebody could approve a change that they have asked for themselves",
    ),
    ("SOD-07", WRITE_CODE, DEPLOY, "code could go into production that nobody else has seen"),
    (
        "SOD-08",
        (
            "manage keys",
            &[
                "kms:PutKeyPolicy",
                "kms:ScheduleKeyDeletion",
                "kms:DisableKey",
                "kms:DeleteImportedKeyMaterial",
            ],
        ),
        ("use keys", &["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom"]),
        "somebody could let themselves at all that a key protects, or hold it to ransom",
    ),
    ("SOD-09", DELETE_BACKUPS, DELETE_DATA, "somebody could make data disappear for good"),
    (
        "SOD-10",
        HIDE,
        (
            "delete logs",
            &["logs:DeleteLogGroup", "logs:DeleteLogStream", "s3:DeleteObject", "s3:DeleteBucket"],
        ),
        "somebody could stop what is written down and take away what was",
    ),
    ("SOD-11", UNDETECTED, MAKE_IDENTITIES, "somebody could make identities while nobody is told"),
    ("SOD-12", UNDETECTED, OPEN_NETWORK, "somebody could open the network while nobody is told"),
    (
        "SOD-13",
        OPEN_NETWORK,
        ("stop flow logs", &["ec2:DeleteFlowLogs"]),
        "somebody could open the network and leave no trace of what comes through",
    ),
    (
        "SOD-14",
        (
            "set limits of the organization",
            &[
                "organizations:UpdatePolicy",
                "organizations:DetachPolicy",
                "organizations:DeletePolicy",
            ],
        ),
        (
            "work within them",
            &["ec2:RunInstances", "lambda:CreateFunction", "iam:CreateRole", "s3:CreateBucket"],
        ),
        "somebody could lift the limit that stops their own work",
    ),
    (
        "SOD-15",
        (
            "copy data",
            &["rds:CreateDBSnapshot", "rds:CreateDBClusterSnapshot", "ec2:CreateSnapshot"],
        ),
        (
            "share copies",
            &[
                "rds:ModifyDBSnapshotAttribute",
                "rds:ModifyDBClusterSnapshotAttribute",
                "ec2:ModifySnapshotAttribute",
            ],
        ),
        "somebody could carry data out of the account by themselves",
    ),
    (
        "SOD-16",
        (
            "set who may read a secret",
            &["secretsmanager:PutResourcePolicy", "secretsmanager:DeleteResourcePolicy"],
        ),
        ("read secrets", &["secretsmanager:GetSecretValue"]),
        "somebody could let themselves, or others, at secrets",
    ),
    (
        "SOD-17",
        ("issue certificates", &["acm-pca:IssueCertificate"]),
        (
            "trust an authority",
            &[
                "rolesanywhere:CreateTrustAnchor",
                "rolesanywhere:UpdateTrustAnchor",
                "rolesanywhere:EnableTrustAnchor",
            ],
        ),
        "somebody could make machines that the account trusts",
    ),
    (
        "SOD-18",
        (
            "spend",
            &[
                "ec2:RunInstances",
                "savingsplans:CreateSavingsPlan",
                "ec2:PurchaseReservedInstancesOffering",
            ],
        ),
        (
            "hide spending",
            &["budgets:ModifyBudget", "cloudwatch:DeleteAlarms", "ce:DeleteAnomalyMonitor"],
        ),
        "somebody could run up costs that nobody is told of",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m129_the_built_in_rules_can_be_used() {
        let rules = built_in();
        assert!(rules.len() >= 12);
        assert_eq!(check(&rules), Ok(()));
        for rule in &rules {
            assert!(!rule.reason.is_empty());
            for action in rule.one.actions.iter().chain(&rule.other.actions) {
                assert_eq!(super::super::held::meant(action).len(), 1, "{action}");
            }
        }
    }

    #[test]
    fn rules_that_cannot_be_used_are_told() {
        let rule = |id: &str, actions: &[&str]| Rule {
            id: id.to_owned(),
            one: Duty {
                name: "a".to_owned(),
                actions: actions.iter().map(ToString::to_string).collect(),
            },
            other: Duty { name: "b".to_owned(), actions: vec!["s3:Get*".to_owned()] },
            reason: String::new(),
        };
        assert_eq!(check(&[rule("x", &["s3:PutObject"])]), Ok(()));
        let twice = check(&[rule("x", &["s3:PutObject"]), rule("x", &["s3:PutObject"])]);
        assert!(matches!(twice, Err(RuleError::Twice(_))));
        assert!(matches!(check(&[rule("x", &[])]), Err(RuleError::Actions { .. })));
        assert!(matches!(check(&[rule("x", &["s3:Pput*"])]), Err(RuleError::Action { .. })));
        assert!(matches!(check(&[rule("x", &["PutObject"])]), Err(RuleError::Action { .. })));
    }
}
