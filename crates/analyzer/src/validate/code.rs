//! The issue codes of policy validation, as Access Analyzer names them.

use std::fmt;

use serde::{Serialize, Serializer};

use super::finding::FindingType;

/// The enumeration, the list of all its values and their names, from one table.
macro_rules! issue_codes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal,)*) => {
        /// What a finding says is wrong.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum IssueCode {
            $($(#[doc = $doc])* $name,)*
        }

        impl IssueCode {
            /// Every code: errors, then security warnings, warnings and suggestions.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as the API writes it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// What it says, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),*),)*
                }
                .trim_start()
            }
        }
    };
}

issue_codes! {
    /// ARN carries an account id although this service's ARN form leaves that field empty
    /// (buckets, for one).
    ArnAccountNotAllowed = "ARN_ACCOUNT_NOT_ALLOWED",
    /// ARN carries a Region although the service's ARN form leaves it empty (IAM and other global
    /// services).
    ArnRegionNotAllowed = "ARN_REGION_NOT_ALLOWED",
    /// An element's JSON type is not the one the grammar asks for (string, list, object).
    DataTypeMismatch = "DATA_TYPE_MISMATCH",
    /// The same condition key appears twice in one operator block, differing only in letter case.
    DuplicateKeysWithDifferentCase = "DUPLICATE_KEYS_WITH_DIFFERENT_CASE",
    /// Named action does not exist in its service; offer the closest real name. A wildcard that
    /// matches no action counts.
    InvalidAction = "INVALID_ACTION",
    /// Account field of an ARN is not twelve digits (or a pattern of them).
    InvalidArnAccount = "INVALID_ARN_ACCOUNT",
    /// Resource does not begin with the literal arn field.
    InvalidArnPrefix = "INVALID_ARN_PREFIX",
    /// Region field of an ARN is not a Region where that resource type exists.
    InvalidArnRegion = "INVALID_ARN_REGION",
    /// Resource part fits none of the resource types the service defines.
    InvalidArnResource = "INVALID_ARN_RESOURCE",
    /// Service field of an ARN has capital letters.
    InvalidArnServiceCase = "INVALID_ARN_SERVICE_CASE",
    /// Values of one condition key are of mixed JSON types.
    InvalidConditionDataType = "INVALID_CONDITION_DATA_TYPE",
    /// Condition key is not prefix:name.
    InvalidConditionKeyFormat = "INVALID_CONDITION_KEY_FORMAT",
    /// More than one value given for a Boolean key.
    InvalidConditionMultipleBoolean = "INVALID_CONDITION_MULTIPLE_BOOLEAN",
    /// Operator name unknown, also after taking off the set qualifier and IfExists.
    InvalidConditionOperator = "INVALID_CONDITION_OPERATOR",
    /// Effect is neither Allow nor Deny (case matters).
    InvalidEffect = "INVALID_EFFECT",
    /// Aws: key that is not a known global key.
    InvalidGlobalConditionKey = "INVALID_GLOBAL_CONDITION_KEY",
    /// Partition field is not one that the service supports.
    InvalidPartition = "INVALID_PARTITION",
    /// Unknown element name at policy or statement level.
    InvalidPolicyElement = "INVALID_POLICY_ELEMENT",
    /// Principal is not a star nor a map of principal type to value(s).
    InvalidPrincipalFormat = "INVALID_PRINCIPAL_FORMAT",
    /// Principal type is not AWS, Service, Federated or CanonicalUser.
    InvalidPrincipalKey = "INVALID_PRINCIPAL_KEY",
    /// Value of a Region-typed condition key is not a Region.
    InvalidRegion = "INVALID_REGION",
    /// Service prefix (condition key or ARN) is unknown.
    InvalidService = "INVALID_SERVICE",
    /// Service-prefixed condition key is not defined by that service.
    InvalidServiceConditionKey = "INVALID_SERVICE_CONDITION_KEY",
    /// Service prefix of an action is unknown; offer the closest one.
    InvalidServiceInAction = "INVALID_SERVICE_IN_ACTION",
    /// Policy variable used with an operator other than String or Arn families.
    InvalidVariableForOperator = "INVALID_VARIABLE_FOR_OPERATOR",
    /// Version is neither 2012-10-17 nor 2008-10-17.
    InvalidVersion = "INVALID_VERSION",
    /// Text is not JSON; two message forms, with and without index, line and column.
    JsonSyntaxError = "JSON_SYNTAX_ERROR",
    /// Statement has neither Action nor NotAction.
    MissingAction = "MISSING_ACTION",
    /// ARN leaves the account field empty although the resource type needs it.
    MissingArnAccount = "MISSING_ARN_ACCOUNT",
    /// ARN has fewer colon-separated fields than six.
    MissingArnField = "MISSING_ARN_FIELD",
    /// ARN leaves the Region field empty although the service is regional.
    MissingArnRegion = "MISSING_ARN_REGION",
    /// Statement has no Effect.
    MissingEffect = "MISSING_EFFECT",
    /// Resource or trust policy statement without Principal or NotPrincipal.
    MissingPrincipal = "MISSING_PRINCIPAL",
    /// Multivalued key used without ForAllValues or ForAnyValue.
    MissingQualifier = "MISSING_QUALIFIER",
    /// Statement has neither Resource nor NotResource (trust policies are exempt).
    MissingResource = "MISSING_RESOURCE",
    /// Policy has no Statement.
    MissingStatement = "MISSING_STATEMENT",
    /// Null operator with the IfExists suffix.
    NullWithIfExists = "NULL_WITH_IF_EXISTS",
    /// Action pattern of an SCP has a wildcard before its end.
    ScpSyntaxErrorActionWildcard = "SCP_SYNTAX_ERROR_ACTION_WILDCARD",
    /// SCP has Principal or NotPrincipal.
    ScpSyntaxErrorPrincipal = "SCP_SYNTAX_ERROR_PRINCIPAL",
    /// Two statements share a Sid in a policy type that forbids it.
    UniqueSidsRequired = "UNIQUE_SIDS_REQUIRED",
    /// Action cannot be used in a resource policy of the stated resource type.
    UnsupportedActionInPolicy = "UNSUPPORTED_ACTION_IN_POLICY",
    /// Mutually exclusive pair in one statement (Action/NotAction, Principal/NotPrincipal,
    /// Resource/NotResource).
    UnsupportedElementCombination = "UNSUPPORTED_ELEMENT_COMBINATION",
    /// `aws:ARN` used where aws:PrincipalArn or aws:SourceArn is meant.
    UnsupportedGlobalConditionKey = "UNSUPPORTED_GLOBAL_CONDITION_KEY",
    /// Principal in a policy type that has none.
    UnsupportedPrincipal = "UNSUPPORTED_PRINCIPAL",
    /// ARN of another service or resource type in a resource policy.
    UnsupportedResourceArnInPolicy = "UNSUPPORTED_RESOURCE_ARN_IN_POLICY",
    /// Sid has characters other than ASCII letters and digits.
    UnsupportedSid = "UNSUPPORTED_SID",
    /// Partial wildcard in a principal value (a lone star is judged elsewhere).
    UnsupportedWildcardInPrincipal = "UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
    /// Variable opens with a dollar and brace and never closes.
    MissingBraceInVariable = "MISSING_BRACE_IN_VARIABLE",
    /// Default value of a variable lacks one of its single quotes.
    MissingQuoteInVariable = "MISSING_QUOTE_IN_VARIABLE",
    /// Space inside a variable's name.
    UnsupportedSpaceInVariable = "UNSUPPORTED_SPACE_IN_VARIABLE",
    /// Variable with no name.
    EmptyVariable = "EMPTY_VARIABLE",
    /// Variable outside Resource and Condition.
    VariableUnsupportedInElement = "VARIABLE_UNSUPPORTED_IN_ELEMENT",
    /// Variable in a policy whose Version is older than 2012-10-17.
    VariableUnsupportedInVersion = "VARIABLE_UNSUPPORTED_IN_VERSION",
    /// Every aws:SourceIp value of an IpAddress test is a private range, so it never matches.
    PrivateIpAddress = "PRIVATE_IP_ADDRESS",
    /// Every aws:SourceIp value of a NotIpAddress test is private, so it always matches.
    PrivateNotIpAddress = "PRIVATE_NOT_IP_ADDRESS",
    /// SCP longer than its size quota.
    PolicySizeExceedsScpQuota = "POLICY_SIZE_EXCEEDS_SCP_QUOTA",
    /// Service principal value (in a key or Principal) not in the service's form.
    InvalidServicePrincipalFormat = "INVALID_SERVICE_PRINCIPAL_FORMAT",
    /// Tag condition key without the tag name after the slash.
    MissingTagKeyInCondition = "MISSING_TAG_KEY_IN_CONDITION",
    /// Aws:SourceVpc value is not vpc- plus 8 or 17 characters.
    InvalidVpcFormat = "INVALID_VPC_FORMAT",
    /// Aws:SourceVpce value is not vpce- plus 8 or 17 characters.
    InvalidVpceFormat = "INVALID_VPCE_FORMAT",
    /// Federated principal in a policy that is no role trust policy.
    FederatedPrincipalNotSupported = "FEDERATED_PRINCIPAL_NOT_SUPPORTED",
    /// A literal action of the statement never sends the tested key; wildcard actions are not
    /// judged.
    UnsupportedActionForConditionKey = "UNSUPPORTED_ACTION_FOR_CONDITION_KEY",
    /// Key that a given service principal never sends (aws:PrincipalOrgID with CloudFront, for
    /// one).
    UnsupportedConditionKeyForServicePrincipal = "UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL",
    /// NotPrincipal in a trust policy.
    RoleTrustPolicySyntaxErrorNotprincipal = "ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL",
    /// Bare star as the principal of a trust policy.
    RoleTrustPolicyUnsupportedWildcardInPrincipal = "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
    /// Resource or NotResource in a trust policy.
    RoleTrustPolicySyntaxErrorResource = "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE",
    /// IP operator with a value that is no CIDR or address (was a WARNING in 2023; now ERROR).
    TypeMismatchIpRange = "TYPE_MISMATCH_IP_RANGE",
    /// Key can only be set by an action that the statement leaves out (sts:SourceIdentity,
    /// sts:TagSession and the like).
    MissingActionForConditionKey = "MISSING_ACTION_FOR_CONDITION_KEY",
    /// Federated principal is neither a domain name nor a provider ARN.
    InvalidFederatedPrincipalSyntaxInRoleTrustPolicy = "INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY",
    /// Assume action does not fit the principal kind (SAML with web identity, or plain principal
    /// with either).
    MismatchedActionForPrincipal = "MISMATCHED_ACTION_FOR_PRINCIPAL",
    /// Rolesanywhere service principal without AssumeRole, SetSourceIdentity and TagSession all
    /// three.
    MissingActionForRolesAnywhereTrustPolicy = "MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY",
    /// RCP longer than its size quota.
    PolicySizeExceedsRcpQuota = "POLICY_SIZE_EXCEEDS_RCP_QUOTA",
    /// RCP principal is anything but a star, or NotPrincipal is used.
    RcpSyntaxErrorPrincipal = "RCP_SYNTAX_ERROR_PRINCIPAL",
    /// Customer RCP statement with Effect Allow narrowed by principal, resource or condition.
    RcpSyntaxErrorAllow = "RCP_SYNTAX_ERROR_ALLOW",
    /// NotAction in an RCP.
    RcpSyntaxErrorNotaction = "RCP_SYNTAX_ERROR_NOTACTION",
    /// Action of a service that RCPs do not cover.
    RcpSyntaxErrorAction = "RCP_SYNTAX_ERROR_ACTION",
    /// Key-ARN-typed condition value is not a KMS key ARN.
    InvalidKmsKeyValue = "INVALID_KMS_KEY_VALUE",
    /// Variable in a sensitive key, or with fewer than six literal characters before it, or left
    /// of the colon in aws:userid (three messages).
    VariableUsageTooPermissive = "VARIABLE_USAGE_TOO_PERMISSIVE",
    /// Same three cases for a wildcard instead of a variable.
    WildcardUsageTooPermissive = "WILDCARD_USAGE_TOO_PERMISSIVE",
    /// Key that the caller can set at will (referer, user agent and the like) used for access
    /// control.
    UntrustworthyConditionKey = "UNTRUSTWORTHY_CONDITION_KEY",
    /// Allow with NotPrincipal: all others, anonymous too, are granted.
    AllowWithNotPrincipal = "ALLOW_WITH_NOT_PRINCIPAL",
    /// ForAllValues on a single-valued key: true when the key is absent.
    ForallvaluesWithSingleValuedKey = "FORALLVALUES_WITH_SINGLE_VALUED_KEY",
    /// ForAnyValue on a single-valued audience claim.
    ForanyvalueWithAudienceClaimType = "FORANYVALUE_WITH_AUDIENCE_CLAIM_TYPE",
    /// Iam:PassRole named, with NotResource.
    PassRoleWithNotResource = "PASS_ROLE_WITH_NOT_RESOURCE",
    /// Action wildcard that covers iam:PassRole, with NotResource.
    PassRoleWithStarInActionAndNotResource = "PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE",
    /// NotAction that leaves iam:PassRole in, with NotResource.
    PassRoleWithNotActionAndNotResource = "PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE",
    /// Iam:PassRole named, resource wildcard over roles, no iam:PassedToService (service-named
    /// role patterns are tolerated).
    PassRoleWithStarInResource = "PASS_ROLE_WITH_STAR_IN_RESOURCE",
    /// Action wildcard covers iam:PassRole, resource wildcard over roles, no iam:PassedToService.
    PassRoleWithStarInActionAndResource = "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE",
    /// NotAction leaves iam:PassRole in, resource wildcard over roles.
    PassRoleWithStarInResourceAndNotAction = "PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION",
    /// Key that is weak alone lacks its partner in the same block (aws:VpcSourceIp without
    /// aws:SourceVpc).
    MissingPairedConditionKeys = "MISSING_PAIRED_CONDITION_KEYS",
    /// Deny on a tag key that some listed services never send, so those actions stay allowed.
    DenyWithUnsupportedTagConditionKeyForService = "DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE",
    /// Same with NotAction.
    DenyNotactionWithUnsupportedTagConditionKeyForService = "DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE",
    /// Service principal admitted without source ARN, account, organization or path (confused
    /// deputy).
    RestrictAccessToServicePrincipal = "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL",
    /// OIDC provider trusted without any condition on that provider's claims.
    MissingConditionKeyForOidcPrincipal = "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL",
    /// GitHub Actions provider trusted without a test of the sub claim.
    MissingGithubRepoConditionKey = "MISSING_GITHUB_REPO_CONDITION_KEY",
    /// StringLike on an ARN-typed key: a star crosses the ARN's colons; use ArnLike.
    StringLikeOperatorWithArnConditionKeys = "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS",
    /// Dynamodb:Attributes limited but dynamodb:Select not pinned to SPECIFIC_ATTRIBUTES.
    DynamodbAttributesWithoutSelect = "DYNAMODB_ATTRIBUTES_WITHOUT_SELECT",
    /// S3:prefix in a Deny with a positive operator, or in an Allow with a negated one: a shorter
    /// prefix slips through.
    S3PrefixInNegativeContext = "S3_PREFIX_IN_NEGATIVE_CONTEXT",
    /// Iam:CreateServiceLinkedRole named, with NotResource.
    CreateSlrWithNotResource = "CREATE_SLR_WITH_NOT_RESOURCE",
    /// Action wildcard covers it, with NotResource.
    CreateSlrWithStarInActionAndNotResource = "CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE",
    /// NotAction leaves it in, with NotResource.
    CreateSlrWithNotActionAndNotResource = "CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE",
    /// Named, with a resource wildcard.
    CreateSlrWithStarInResource = "CREATE_SLR_WITH_STAR_IN_RESOURCE",
    /// Action wildcard and resource wildcard.
    CreateSlrWithStarInActionAndResource = "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE",
    /// NotAction and resource wildcard.
    CreateSlrWithStarInResourceAndNotAction = "CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION",
    /// Global key with a newer name (`aws:ARN`).
    DeprecatedGlobalConditionKey = "DEPRECATED_GLOBAL_CONDITION_KEY",
    /// Date given as epoch number instead of ISO 8601.
    InvalidDateValue = "INVALID_DATE_VALUE",
    /// Principal is a role's unique id (the role was deleted) instead of an ARN.
    InvalidRoleReference = "INVALID_ROLE_REFERENCE",
    /// Principal is a user's unique id instead of an ARN.
    InvalidUserReference = "INVALID_USER_REFERENCE",
    /// No Version element.
    MissingVersion = "MISSING_VERSION",
    /// Repeated Sid in a policy type that tolerates it.
    UniqueSidsRecommended = "UNIQUE_SIDS_RECOMMENDED",
    /// Star or question mark in the value of an exact-match operator.
    WildcardWithoutLikeOperator = "WILDCARD_WITHOUT_LIKE_OPERATOR",
    /// Longer than the identity quota; white space not counted.
    PolicySizeExceedsIdentityPolicyQuota = "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA",
    /// Longer than the resource type's quota.
    PolicySizeExceedsResourcePolicyQuota = "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA",
    /// Longer than the default trust policy quota.
    PolicySizeExceedsRoleTrustPolicyQuota = "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA",
    /// Operator family does not fit the key's type.
    TypeMismatch = "TYPE_MISMATCH",
    /// Bool operator with a value that is neither true nor false.
    TypeMismatchBoolean = "TYPE_MISMATCH_BOOLEAN",
    /// Date operator with an unreadable date.
    TypeMismatchDate = "TYPE_MISMATCH_DATE",
    /// Numeric operator with a non-number.
    TypeMismatchNumber = "TYPE_MISMATCH_NUMBER",
    /// Binary operator with text that is not base64.
    TypeMismatchString = "TYPE_MISMATCH_STRING",
    /// Wildcard in the GitHub sub claim reaches further repositories or branches.
    SpecificGithubRepoAndBranchRecommended = "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED",
    /// Principal key tested without BoolIfExists aws:PrincipalIsAWSService false.
    RcpMissingRelatedPrincipalConditionKey = "RCP_MISSING_RELATED_PRINCIPAL_CONDITION_KEY",
    /// Service source key tested without BoolIfExists aws:PrincipalIsAWSService true.
    RcpMissingRelatedServicePrincipalConditionKey = "RCP_MISSING_RELATED_SERVICE_PRINCIPAL_CONDITION_KEY",
    /// Source key tested without a Null guard on aws:SourceAccount or aws:SourceArn.
    RcpMissingServiceConditionKeyNullCheck = "RCP_MISSING_SERVICE_CONDITION_KEY_NULL_CHECK",
    /// Key that only some services send (aws:VpceAccount, aws:VpceOrgID, aws:VpceOrgPaths) on
    /// actions of others.
    UseConditionKeyOnlyWithSupportedServices = "USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES",
    /// Empty action list: statement does nothing.
    EmptyArrayAction = "EMPTY_ARRAY_ACTION",
    /// Condition key with no value.
    EmptyArrayCondition = "EMPTY_ARRAY_CONDITION",
    /// ForAllValues with no value: only an absent key matches; say it with Null true.
    EmptyArrayConditionForallvalues = "EMPTY_ARRAY_CONDITION_FORALLVALUES",
    /// ForAnyValue with no value: never matches.
    EmptyArrayConditionForanyvalue = "EMPTY_ARRAY_CONDITION_FORANYVALUE",
    /// IfExists with no value: only an absent key matches.
    EmptyArrayConditionIfexists = "EMPTY_ARRAY_CONDITION_IFEXISTS",
    /// Empty principal list.
    EmptyArrayPrincipal = "EMPTY_ARRAY_PRINCIPAL",
    /// Empty resource list.
    EmptyArrayResource = "EMPTY_ARRAY_RESOURCE",
    /// Empty Condition.
    EmptyObjectCondition = "EMPTY_OBJECT_CONDITION",
    /// Empty Principal.
    EmptyObjectPrincipal = "EMPTY_OBJECT_PRINCIPAL",
    /// Sid is an empty string.
    EmptySidValue = "EMPTY_SID_VALUE",
    /// Pattern test that any present value passes: write Null false.
    EquivalentToNullFalse = "EQUIVALENT_TO_NULL_FALSE",
    /// Pattern test that only an absent key passes: write Null true.
    EquivalentToNullTrue = "EQUIVALENT_TO_NULL_TRUE",
    /// Address bits set beyond the prefix length; offer the masked address.
    ImproveIpRange = "IMPROVE_IP_RANGE",
    /// Null under ForAllValues or ForAnyValue: constant result.
    NullWithQualifier = "NULL_WITH_QUALIFIER",
    /// Aws:SourceIp list mixes public and private ranges (IpAddress).
    PrivateIpAddressSubset = "PRIVATE_IP_ADDRESS_SUBSET",
    /// Same for NotIpAddress.
    PrivateNotIpAddressSubset = "PRIVATE_NOT_IP_ADDRESS_SUBSET",
    /// An action entry is wholly covered by other entries of its list.
    RedundantAction = "REDUNDANT_ACTION",
    /// Several bounds for one numeric or date comparison: only the widest counts.
    RedundantConditionValueNum = "REDUNDANT_CONDITION_VALUE_NUM",
    /// Condition key always matches because of its pattern.
    RedundantKeyDueToWildcardInCondition = "REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION",
    /// Assumed-role session listed beside its own role.
    RedundantPrincipalInRoleTrustPolicy = "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY",
    /// A resource entry is wholly covered by another of its list.
    RedundantResource = "REDUNDANT_RESOURCE",
    /// Statement repeats another one's effect.
    RedundantStatement = "REDUNDANT_STATEMENT",
    /// Condition can never match, so the statement does nothing.
    RedundantStatementDueToWildcardInCondition = "REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION",
    /// Wildcard in the service field of an ARN.
    WildcardInServiceName = "WILDCARD_IN_SERVICE_NAME",
    /// Allow on a tag key that listed services never send: those actions are not granted.
    AllowWithUnsupportedTagConditionKeyForService = "ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE",
    /// Same with NotAction.
    AllowNotactionWithUnsupportedTagConditionKeyForService = "ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE",
    /// Service principal limited by a weaker key than source ARN, account, organization or path.
    RecommendedConditionKeyForServicePrincipal = "RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL",
    /// Key has no meaning in that kind of resource policy (s3:ResourceAccount in a bucket
    /// policy).
    IrrelevantConditionKeyInPolicy = "IRRELEVANT_CONDITION_KEY_IN_POLICY",
    /// Set qualifier on an audience claim; confirm that the claim is multivalued.
    ConfirmAudienceClaimType = "CONFIRM_AUDIENCE_CLAIM_TYPE",
}

impl IssueCode {
    /// How much it matters. The codes stand in the order of their types.
    pub const fn finding_type(self) -> FindingType {
        let at = self as usize;
        if at < Self::UntrustworthyConditionKey as usize {
            FindingType::Error
        } else if at < Self::CreateSlrWithNotResource as usize {
            FindingType::SecurityWarning
        } else if at < Self::EmptyArrayAction as usize {
            FindingType::Warning
        } else {
            FindingType::Suggestion
        }
    }

    /// The page of AWS's documentation that explains the code.
    pub fn learn_more_link(self) -> String {
        let kind = match self.finding_type() {
            FindingType::Error => "error",
            FindingType::SecurityWarning => "security-warning",
            FindingType::Warning => "general-warning",
            FindingType::Suggestion => "suggestion",
        };
        let name = self.as_str().to_ascii_lowercase().replace('_', "-");
        format!(
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html#access-analyzer-reference-policy-checks-{kind}-{name}"
        )
    }
}

impl IssueCode {
    /// The code in words, such as `Invalid ARN account`.
    pub fn title(self) -> String {
        let words = self.as_str().split('_').enumerate().map(|(at, word)| match word {
            "ARN" | "SCP" | "RCP" | "IP" | "JSON" | "KMS" | "VPC" | "VPCE" | "OIDC" | "SLR"
            | "S3" => word.to_owned(),
            "SID" => "Sid".to_owned(),
            "SIDS" => "Sids".to_owned(),
            "GITHUB" => "GitHub".to_owned(),
            "DYNAMODB" => "DynamoDB".to_owned(),
            _ if at == 0 => {
                let mut letters = word.chars();
                let first = letters.next().into_iter();
                first.chain(letters.map(|c| c.to_ascii_lowercase())).collect()
            }
            _ => word.to_ascii_lowercase(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// The code with this name in the API.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for IssueCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for IssueCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_in_words() {
        assert_eq!(IssueCode::InvalidArnAccount.title(), "Invalid ARN account");
        assert!(IssueCode::MissingStatement.meaning().starts_with("Policy has no Statement"));
        for code in IssueCode::ALL {
            assert_eq!(IssueCode::parse(code.as_str()), Some(*code));
            assert!(code.meaning().ends_with('.') && !code.meaning().contains("  "), "{code}");
        }
    }

    #[test]
    fn types_are_counted_as_documented() {
        for (kind, count) in [
            (FindingType::Error, 79),
            (FindingType::SecurityWarning, 19),
            (FindingType::Warning, 26),
            (FindingType::Suggestion, 29),
        ] {
            let found = IssueCode::ALL.iter().filter(|code| code.finding_type() == kind).count();
            assert_eq!(found, count, "{kind:?}");
        }
    }
}
