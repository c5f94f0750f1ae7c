//! The global condition keys, and keys of sessions that no table of actions lists.
//!
//! AWS's service authorization reference leaves these out of most tables, so this table is ours to maintain
//! (rules KEY-1 to KEY-5). Where the data file names a key too, this table stands.

use crate::condition_key::{ConditionKey, KeyType};

/// The global condition keys and the session keys that we maintain, in the order of the table.
pub fn global_condition_keys() -> impl Iterator<Item = ConditionKey> {
    TABLE.iter().map(|(name, kind, values)| ConditionKey {
        name: (*name).into(),
        kind: *kind,
        multivalued: matches!(values, Values::Many),
    })
}

#[derive(Clone, Copy)]
enum Values {
    One,
    Many,
}

use KeyType::{Arn, Bool, Date, IpAddress, Numeric, String};
use Values::{Many, One};

const TABLE: &[(&str, KeyType, Values)] = &[
    // The principal: KEY-1.
    ("aws:PrincipalArn", Arn, One),
    ("aws:PrincipalAccount", String, One),
    ("aws:PrincipalOrgID", String, One),
    ("aws:PrincipalOrgPaths", String, Many),
    // Older policies write it; it holds the management account's id.
    ("aws:PrincipalOrgMasterAccountId", String, One),
    ("aws:PrincipalTag/${TagKey}", String, One),
    ("aws:PrincipalType", String, One),
    ("aws:PrincipalIsAWSService", Bool, One),
    ("aws:PrincipalServiceName", String, One),
    ("aws:PrincipalServiceNamesList", String, Many),
    ("aws:userid", String, One),
    ("aws:username", String, One),
    // The session: KEY-2.
    ("aws:AssumedRoot", Bool, One),
    ("aws:FederatedProvider", String, One),
    ("aws:TokenIssueTime", Date, One),
    ("aws:MultiFactorAuthAge", Numeric, One),
    ("aws:MultiFactorAuthPresent", Bool, One),
    ("aws:SourceIdentity", String, One),
    ("aws:Ec2InstanceSourceVpc", String, One),
    ("aws:Ec2InstanceSourcePrivateIPv4", IpAddress, One),
    ("aws:ChatbotSourceArn", Arn, One),
    ("ec2:RoleDelivery", Numeric, One),
    ("ec2:SourceInstanceArn", Arn, One),
    ("glue:RoleAssumedBy", String, One),
    ("glue:CredentialIssuingService", String, One),
    ("lambda:SourceFunctionArn", Arn, One),
    ("ssm:SourceInstanceArn", Arn, One),
    // The data's tables disagree on it (one value or many); a session has one user.
    ("identitystore:UserId", String, One),
    // The network: KEY-3.
    ("aws:SourceIp", IpAddress, One),
    ("aws:VpcSourceIp", IpAddress, One),
    ("aws:SourceVpc", String, One),
    ("aws:SourceVpcArn", Arn, One),
    ("aws:SourceVpce", String, One),
    ("aws:VpceAccount", String, One),
    ("aws:VpceOrgID", String, One),
    ("aws:VpceOrgPaths", String, Many),
    // The resource: KEY-4.
    ("aws:ResourceAccount", String, One),
    ("aws:ResourceOrgID", String, One),
    ("aws:ResourceOrgPaths", String, Many),
    ("aws:ResourceTag/${TagKey}", String, One),
    // The request: KEY-5.
    ("aws:CalledVia", String, Many),
    ("aws:CalledViaFirst", String, One),
    ("aws:CalledViaLast", String, One),
    ("aws:ViaAWSService", Bool, One),
    ("aws:CalledViaAWSMCP", String, One),
    ("aws:ViaAWSMCPService", Bool, One),
    ("aws:IsMcpServiceAction", Bool, One),
    ("aws:CurrentTime", Date, One),
    // Suits the numeric operators too: OP-D3.
    ("aws:EpochTime", Date, One),
    ("aws:Referer", String, One),
    ("aws:RequestedRegion", String, One),
    ("aws:RequestTag/${TagKey}", String, One),
    ("aws:TagKeys", String, Many),
    ("aws:SecureTransport", Bool, One),
    ("aws:SourceArn", Arn, One),
    ("aws:SourceAccount", String, One),
    ("aws:SourceOrgID", String, One),
    ("aws:SourceOrgPaths", String, Many),
    ("aws:SourceOwner", String, One),
    ("aws:UserAgent", String, One),
    // Ours: an extension that AWS does not know.
    (TIME_OF_DAY, Numeric, One),
];

/// The local time of a request in the zone that the operator set, as six digits: `170000` is five in
/// the afternoon. An extension of this server; on AWS a condition on it never holds.
pub const TIME_OF_DAY: &str = "bailiwick:TimeOfDay";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition_key::KeyTable;

    fn key(name: &str) -> Option<(KeyType, bool)> {
        let table = KeyTable::new(global_condition_keys().collect());
        table.find(name).map(|key| (key.kind, key.multivalued))
    }

    #[test]
    fn no_key_stands_twice() {
        let mut names: Vec<_> = TABLE.iter().map(|(name, ..)| name.to_ascii_lowercase()).collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    /// Rules KEY-1 to KEY-5 and KEY-8.
    #[test]
    fn types_are_as_documented() {
        for (name, expected) in [
            ("aws:sourceip", Some((IpAddress, false))),
            ("AWS:PrincipalTag/Team", Some((String, false))),
            ("aws:principalorgpaths", Some((String, true))),
            ("aws:TagKeys", Some((String, true))),
            ("aws:CalledVia", Some((String, true))),
            ("aws:EpochTime", Some((Date, false))),
            ("aws:MultiFactorAuthAge", Some((Numeric, false))),
            ("aws:SourceArn", Some((Arn, false))),
            ("bailiwick:timeofday", Some((Numeric, false))),
            ("aws:PrincipalTag", None),
            ("aws:Nothing", None),
        ] {
            assert_eq!(key(name), expected, "{name}");
        }
    }
}
