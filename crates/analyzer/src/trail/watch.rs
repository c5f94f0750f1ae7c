//! What is watched by the hour: where users and keys call from, and who tries many telling actions.

use std::collections::HashMap;

use super::names::{Names, moved};

/// Actions with which somebody gets more than they have (of the 107 paths of escalation those that change
/// identities, and the start of what runs code with a passed role).
pub const ESCALATION: [&str; 40] = [
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:CreateRole",
    "iam:CreateUser",
    "iam:DeactivateMFADevice",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteUserPolicy",
    "iam:DetachRolePolicy",
    "iam:DetachUserPolicy",
    "iam:PutGroupPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAccessKey",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
    "cloudformation:CreateStack",
    "codebuild:CreateProject",
    "datapipeline:CreatePipeline",
    "ec2:AssociateIamInstanceProfile",
    "ec2:ReplaceIamInstanceProfileAssociation",
    "glue:CreateDevEndpoint",
    "glue:UpdateDevEndpoint",
    "lambda:AddPermission",
    "lambda:CreateFunction",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "sagemaker:CreateNotebookInstance",
    "sagemaker:CreatePresignedNotebookInstanceUrl",
    "ssm:SendCommand",
    "sts:GetFederationToken",
];

/// Actions with which somebody finds out what there is to be had.
pub const ENUMERATION: [&str; 48] = [
    "iam:GetAccountAuthorizationDetails",
    "iam:GetAccountPasswordPolicy",
    "iam:GetAccountSummary",
    "iam:GetCredentialReport",
    "iam:GetGroup",
    "iam:GetGroupPolicy",
    "iam:GetInstanceProfile",
    "iam:GetLoginProfile",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:GetUser",
    "iam:GetUserPolicy",
    "iam:ListAccessKeys",
    "iam:ListAccountAliases",
    "iam:ListAttachedGroupPolicies",
    "iam:ListAttachedRolePolicies",
    "iam:ListAttachedUserPolicies",
    "iam:ListEntitiesForPolicy",
    "iam:ListGroupPolicies",
    "iam:ListGroups",
    "iam:ListGroupsForUser",
    "iam:ListInstanceProfiles",
    "iam:ListMFADevices",
    "iam:ListPolicies",
    "iam:ListPolicyVersions",
    "iam:ListRolePolicies",
    "iam:ListRoles",
    "iam:ListUserPolicies",
    "iam:ListUsers",
    "iam:SimulatePrincipalPolicy",
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetTrailStatus",
    "dynamodb:ListTables",
    "ec2:DescribeInstances",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSnapshots",
    "guardduty:ListDetectors",
    "kms:ListKeys",
    "lambda:ListFunctions",
    "organizations:DescribeOrganization",
    "organizations:ListAccounts",
    "rds:DescribeDBInstances",
    "s3:ListAllMyBuckets",
    "secretsmanager:ListSecrets",
    "ssm:DescribeParameters",
    "sts:GetCallerIdentity",
];

/// The bit of an action in what is watched; escalation first.
pub(super) fn bit(action: &str) -> Option<u128> {
    let all = ESCALATION.iter().chain(&ENUMERATION);
    all.zip(0_u32..).find(|(watched, _)| **watched == action).map(|(_, number)| 1 << number)
}

/// A principal that called many watched actions within a window.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Pattern {
    /// The name of the principal.
    pub principal: String,
    /// The first hour of the window with the most of them, in hours since the epoch.
    pub hour: i64,
    /// The actions of [`ESCALATION`].
    pub escalation: Vec<&'static str>,
    /// The actions of [`ENUMERATION`].
    pub enumeration: Vec<&'static str>,
}

/// A user or key that was seen in many places within an hour.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Busy {
    /// The ARN of the user, or the id of the key.
    pub who: String,
    /// The first minute of the hour with the most places, in minutes since the epoch.
    pub minute: i64,
    /// The client addresses.
    pub addresses: Vec<String>,
    /// The client programs.
    pub agents: Vec<String>,
}

/// More places of one user in one hour are not told apart.
const MAX_PLACES: usize = 256;

/// Places by user and hour, and watched actions by principal and hour.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// A place's minutes of an hour, as bits.
    places: HashMap<(u32, i64), Vec<(u32, u64)>>,
    /// Watched actions of an hour, as bits.
    actions: HashMap<(u32, i64), u128>,
}

impl Watch {
    /// Notes where somebody called from.
    pub(super) fn place(&mut self, who: u32, second: i64, place: u32) {
        let minute = second.div_euclid(60);
        let bit = 1 << minute.rem_euclid(60);
        let places = self.places.entry((who, minute.div_euclid(60))).or_default();
        note(places, place, bit);
    }

    /// Notes a watched action.
    pub(super) fn action(&mut self, who: u32, second: i64, bit: u128) {
        *self.actions.entry((who, second.div_euclid(3600))).or_default() |= bit;
    }

    /// Takes another's notes, whose numbers are others.
    pub(super) fn merge(&mut self, other: Self, principals: &[u32], places: &[u32]) {
        for ((who, hour), seen) in other.places {
            let own = self.places.entry((moved(principals, who), hour)).or_default();
            for (place, minutes) in seen {
                note(own, moved(places, place), minutes);
            }
        }
        for ((who, hour), bits) in other.actions {
            *self.actions.entry((moved(principals, who), hour)).or_default() |= bits;
        }
    }

    /// Every place that somebody was seen at.
    pub(super) fn seen(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.places
            .iter()
            .flat_map(|((who, _), places)| places.iter().map(move |(place, _)| (*who, *place)))
    }

    /// Who was seen at more addresses or with more programs than the limits within an hour, which need
    /// not be one of the clock; for each the hour with the most. Sorted by name.
    pub(super) fn busy(
        &self,
        principals: &Names,
        places: &Names,
        addresses: usize,
        agents: usize,
    ) -> Vec<Busy> {
        let none = Vec::new();
        let mut best: HashMap<u32, Busy> = HashMap::new();
        for ((who, hour), first) in &self.places {
            let second = self.places.get(&(*who, hour + 1)).unwrap_or(&none);
            if first.len() + second.len() <= addresses.min(agents) {
                continue;
            }
            for start in 0..60_u32 {
                let early = u64::MAX << start;
                let late = !(u64::MAX << start);
                let here = first.iter().filter(|(_, minutes)| minutes & early != 0);
                let there = second.iter().filter(|(_, minutes)| minutes & late != 0);
                let mut names: Vec<&str> =
                    here.chain(there).map(|(place, _)| places.name(*place)).collect();
                names.sort_unstable();
                names.dedup();
                // An endpoint is on the way of a call; it is neither its place nor its program.
                names.retain(|name| !name.starts_with('~'));
                let (from, with): (Vec<&str>, Vec<&str>) =
                    names.into_iter().partition(|name| name.starts_with('@'));
                if from.len() <= addresses && with.len() <= agents {
                    continue;
                }
                let minute = hour * 60 + i64::from(start);
                let rank = |busy: &Busy| {
                    (busy.addresses.len() + busy.agents.len(), std::cmp::Reverse(busy.minute))
                };
                let text = |name: &&str| name.trim_start_matches(['@', '=']).to_owned();
                let found = Busy {
                    who: principals.name(*who).to_owned(),
                    minute,
                    addresses: from.iter().map(text).collect(),
                    agents: with.iter().map(text).collect(),
                };
                match best.get(who) {
                    Some(held) if rank(held) >= rank(&found) => {}
                    _ => {
                        best.insert(*who, found);
                    }
                }
            }
        }
        let mut found: Vec<Busy> = best.into_values().collect();
        found.sort();
        found
    }

    /// Who called at least so many actions of a set within so many hours. Sorted by name.
    pub(super) fn patterns(
        &self,
        principals: &Names,
        hours: i64,
        escalation: usize,
        enumeration: usize,
    ) -> Vec<Pattern> {
        let mut by_principal: HashMap<u32, Vec<(i64, u128)>> = HashMap::new();
        for ((who, hour), bits) in &self.actions {
            by_principal.entry(*who).or_default().push((*hour, *bits));
        }
        let mut found = Vec::new();
        for (who, mut noted) in by_principal {
            noted.sort_unstable();
            let mut best: Option<(u32, i64, u128)> = None;
            for (place, (hour, _)) in noted.iter().enumerate() {
                let window =
                    noted.iter().skip(place).take_while(|(at, _)| at - hour < hours.max(1));
                let bits = window.fold(0, |all, (_, bits)| all | bits);
                let (strong, curious) = counts(bits);
                let enough = strong as usize >= escalation || curious as usize >= enumeration;
                if enough && best.is_none_or(|(held, _, _)| strong + curious > held) {
                    best = Some((strong + curious, *hour, bits));
                }
            }
            let Some((_, hour, bits)) = best else { continue };
            let named = |set: &[&'static str], first: usize| {
                let each = set.iter().enumerate();
                let there = each.filter(|(number, _)| bits & (1 << (first + number)) != 0);
                there.map(|(_, action)| *action).collect()
            };
            found.push(Pattern {
                principal: principals.name(who).to_owned(),
                hour,
                escalation: named(&ESCALATION, 0),
                enumeration: named(&ENUMERATION, ESCALATION.len()),
            });
        }
        found.sort();
        found
    }
}

fn counts(bits: u128) -> (u32, u32) {
    let strong = bits & ((1 << ESCALATION.len()) - 1);
    (strong.count_ones(), (bits & !strong).count_ones())
}

fn note(places: &mut Vec<(u32, u64)>, place: u32, minutes: u64) {
    if let Some((_, held)) = places.iter_mut().find(|(held, _)| *held == place) {
        *held |= minutes;
    } else if places.len() < MAX_PLACES {
        places.push((place, minutes));
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_catalog::Catalog;

    use super::*;

    #[test]
    fn what_is_watched_exists() {
        for action in ESCALATION.iter().chain(&ENUMERATION) {
            let (service, name) = action.split_once(':').unwrap();
            let known = Catalog::embedded().action(service, name);
            assert_eq!(known.map(|known| &*known.name), Some(name), "{action}");
            assert!(bit(action).is_some());
        }
        assert!(bit("iam:GetNothing").is_none());
        assert_eq!(counts(bit("iam:AddUserToGroup").unwrap()), (1, 0));
        assert_eq!(counts(bit("sts:GetCallerIdentity").unwrap()), (0, 1));
    }

    // The hour need not be one of the clock: 30 minutes past to 29 past.
    #[test]
    fn an_hour_is_any_sixty_minutes() {
        let (mut principals, mut places) = (Names::default(), Names::default());
        let ann = principals.number("ann");
        let [a, b, c] = ["@192.0.2.1", "@192.0.2.2", "@192.0.2.3"].map(|name| places.number(name));
        let mut watch = Watch::default();
        watch.place(ann, 50 * 60, a);
        watch.place(ann, 70 * 60, b);
        watch.place(ann, 109 * 60, c);
        let busy = watch.busy(&principals, &places, 2, 9);
        assert_eq!(busy.len(), 1);
        assert_eq!((busy[0].minute, busy[0].addresses.len()), (50, 3));
        assert_eq!(busy[0].addresses[0], "192.0.2.1");
        let mut later = Watch::default();
        later.place(ann, 50 * 60, a);
        later.place(ann, 70 * 60, b);
        later.place(ann, 110 * 60, c);
        assert!(later.busy(&principals, &places, 2, 9).is_empty());
    }
}
