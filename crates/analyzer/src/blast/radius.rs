//! What a principal could change: others, known resources, and the roles that it becomes.

use std::collections::{BTreeSet, HashMap};

use crate::attack::Could;
use crate::attack::sets::{Set, meets};
use crate::escalation::probe::{Probe, Written};
use crate::toxic::held::enters;

/// Actions that change another user or take it over.
const ON_USERS: [&str; 6] = [
    "iam:PutUserPolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:DeleteUserPermissionsBoundary",
];
/// Actions that change another role or take it over.
const ON_ROLES: [&str; 4] = [
    "iam:PutRolePolicy",
    "iam:AttachRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:DeleteRolePermissionsBoundary",
];
/// Actions that change a resource, by the service of its ARN; `true`: something in it is named.
const ON_RESOURCES: [(&str, &[(&str, bool)]); 7] = [
    (
        "s3",
        &[
            ("s3:PutObject", true),
            ("s3:DeleteObject", true),
            ("s3:PutBucketPolicy", false),
            ("s3:DeleteBucket", false),
        ],
    ),
    (
        "kms",
        &[
            ("kms:PutKeyPolicy", false),
            ("kms:ScheduleKeyDeletion", false),
            ("kms:CreateGrant", false),
        ],
    ),
    (
        "sqs",
        &[("sqs:SendMessage", false), ("sqs:PurgeQueue", false), ("sqs:SetQueueAttributes", false)],
    ),
    (
        "sns",
        &[("sns:Publish", false), ("sns:SetTopicAttributes", false), ("sns:DeleteTopic", false)],
    ),
    (
        "secretsmanager",
        &[
            ("secretsmanager:PutSecretValue", false),
            ("secretsmanager:PutResourcePolicy", false),
            ("secretsmanager:DeleteSecret", false),
        ],
    ),
    (
        "lambda",
        &[
            ("lambda:UpdateFunctionCode", false),
            ("lambda:AddPermission", false),
            ("lambda:DeleteFunction", false),
        ],
    ),
    (
        "ecr",
        &[
            ("ecr:PutImage", false),
            ("ecr:SetRepositoryPolicy", false),
            ("ecr:DeleteRepository", false),
        ],
    ),
];
/// Principals of one action that the engine is asked about; of more, what patterns cover counts where
/// these are allowed.
const MOST_ASKED: usize = 50;
/// The most resources that are looked at.
const MOST_RESOURCES: usize = 500;
/// So many roles are enough: no more are counted.
pub(super) const MOST_ROLES: usize = 500;

pub(super) struct Found {
    pub(super) principals: usize,
    pub(super) resources: Option<usize>,
    pub(super) roles: usize,
}

pub(super) struct Radii {
    could: Could,
    assume: Set,
    near: HashMap<usize, Vec<usize>>,
    users: usize,
    resources: Option<Vec<String>>,
}

impl Radii {
    pub(super) fn new(probe: &Probe<'_>) -> Self {
        let on_resources = ON_RESOURCES.iter().flat_map(|(_, actions)| actions.iter());
        let on_resources = on_resources.map(|(action, _)| *action);
        let all = ON_USERS.iter().chain(&ON_ROLES).copied().chain(on_resources);
        let could = Could::new(all.chain(["sts:AssumeRole"]).map(str::to_owned));
        let assume = could.set("sts:AssumeRole");
        let known = probe.estate().resource_policies.as_ref();
        Self {
            could,
            assume,
            near: HashMap::new(),
            users: (0..probe.len()).filter(|at| probe.is_user(*at)).count(),
            resources: known.map(|all| {
                // Of many some of every kind: ARNs of one service stand together.
                let step = all.len().div_ceil(MOST_RESOURCES).max(1);
                all.keys().step_by(step).cloned().collect()
            }),
        }
    }

    /// How many resources are looked at.
    pub(super) fn resources(&self) -> Option<usize> {
        self.resources.as_ref().map(Vec::len)
    }

    pub(super) fn of(&mut self, probe: &Probe<'_>, at: usize, administrator: bool) -> Found {
        let held = probe.subject(at).map(|subject| self.could.of(&subject.effective.identity));
        let held = held.unwrap_or_else(|| self.could.none());
        if administrator {
            // It may change everybody, and rewrite the trust of every role that can be changed.
            let others =
                (0..probe.len()).filter(|other| *other != at && !probe.is_protected(*other));
            let (mut principals, mut roles) = (0, 0);
            for other in others {
                principals += 1;
                roles += usize::from(!probe.is_user(other));
            }
            return Found { principals, resources: self.changed(probe, at, &held), roles };
        }
        Found {
            principals: self.principals(probe, at, &held),
            resources: self.changed(probe, at, &held),
            roles: self.roles(probe, at),
        }
    }

    fn principals(&self, probe: &Probe<'_>, at: usize, held: &Set) -> usize {
        let mut found: BTreeSet<usize> = BTreeSet::new();
        for (users, actions) in [(true, &ON_USERS[..]), (false, &ON_ROLES[..])] {
            let of_kind = if users { self.users } else { probe.len() - self.users };
            let others = of_kind - usize::from(probe.is_user(at) == users);
            for action in actions.iter().filter(|action| meets(&self.could.set(action), held)) {
                if found.iter().filter(|at| probe.is_user(**at) == users).count() >= others {
                    break;
                }
                let groups = probe.patterns(at, action);
                let covered = |group: &Vec<String>| -> BTreeSet<usize> {
                    group.iter().flat_map(|pattern| probe.covered(pattern)).collect()
                };
                let mut groups = groups.iter().map(covered);
                let mut near = groups.next().unwrap_or_else(|| (0..probe.len()).collect());
                for covered in groups {
                    near = near.intersection(&covered).copied().collect();
                }
                near.retain(|other| {
                    *other != at
                        && probe.is_user(*other) == users
                        && !probe.is_protected(*other)
                        && !found.contains(other)
                });
                let may = |other: &usize| {
                    let arn = probe.arn(*other).to_owned();
                    let asked =
                        probe.ask(at, (action, &arn), &probe.keys(*other), &Written::Nothing);
                    asked.is_some_and(|answer| answer.on.is_some())
                };
                let asked: Vec<usize> = near.iter().copied().take(MOST_ASKED).collect();
                let allowed: Vec<usize> = asked.iter().copied().filter(may).collect();
                if allowed.len() == asked.len() {
                    found.extend(near);
                } else if near.len() <= asked.len() {
                    found.extend(allowed);
                } else {
                    found.extend(near.into_iter().filter(may));
                }
            }
        }
        found.len()
    }

    fn changed(&self, probe: &Probe<'_>, at: usize, held: &Set) -> Option<usize> {
        let all = self.resources.as_ref()?;
        let may = |arn: &&String| {
            let service = arn.split(':').nth(2).unwrap_or_default();
            let actions = ON_RESOURCES.iter().find(|(held, _)| *held == service);
            let actions = actions.map(|(_, actions)| *actions).unwrap_or_default();
            actions.iter().any(|(action, inside)| {
                if !meets(&self.could.set(action), held) {
                    return false;
                }
                let resource = if *inside { format!("{arn}/any") } else { (*arn).clone() };
                let asked = probe.ask(at, (action, &resource), &Vec::new(), &Written::Nothing);
                asked.is_some_and(|answer| answer.on.is_some())
            })
        };
        Some(all.iter().filter(may).count())
    }

    /// Roles by chains.
    fn roles(&mut self, probe: &Probe<'_>, at: usize) -> usize {
        let mut seen = BTreeSet::from([at]);
        let mut waiting = vec![at];
        while let Some(place) = waiting.pop() {
            for role in self.next(probe, place) {
                if seen.insert(role) {
                    waiting.push(role);
                }
                if seen.len() > MOST_ROLES {
                    return MOST_ROLES;
                }
            }
        }
        seen.len() - 1
    }

    fn next(&mut self, probe: &Probe<'_>, at: usize) -> Vec<usize> {
        if let Some(known) = self.near.get(&at) {
            return known.clone();
        }
        let mut near: BTreeSet<usize> = probe.trusting(at).into_iter().collect();
        let held = probe.subject(at).map(|subject| self.could.of(&subject.effective.identity));
        if held.is_some_and(|held| meets(&held, &self.assume)) {
            let mut open: BTreeSet<usize> = probe.open().iter().copied().collect();
            for group in probe.patterns(at, "sts:AssumeRole") {
                let covered = group.iter().flat_map(|pattern| probe.covered(pattern));
                let covered: BTreeSet<usize> = covered.collect();
                open = open.intersection(&covered).copied().collect();
            }
            near.extend(open);
        }
        near.remove(&at);
        let near = near.into_iter().filter(|role| !probe.is_linked(*role));
        let found = near.filter(|role| enters(probe, at, *role).is_some());
        let found: Vec<usize> = found.take(MOST_ROLES).collect();
        self.near.insert(at, found.clone());
        found
    }
}
