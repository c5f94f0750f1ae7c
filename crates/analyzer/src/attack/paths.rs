//! A technique planned from one principal: what it would be played on, and how far that gets.
//!
//! What the search of [`crate::escalation`] has found is replayed. Where it found nothing the steps
//! are played on what looks most like it would work, so that the policy which stops them shows.

use std::collections::{BTreeSet, HashMap};

use super::catalogue::{How, Technique};
use super::lateral::{On, Then, Way};
use super::play::{Course, Keys, Player};
use crate::escalation::probe::{Rank, Written, matches};
use crate::escalation::{Change, Class, Dependence, PathId, Row};

/// Groups, policies and principals that are tried for one step.
const MOST: usize = 12;

impl Player<'_, '_> {
    /// The technique, as far as it gets.
    pub(super) fn play(&mut self, technique: &Technique, lacks: &[&'static str]) -> Course {
        if let Some(action) = lacks.first() {
            return self.refused(technique, action);
        }
        match technique.how {
            How::Path(row) => self.path(row),
            How::Way(way) => self.way(way),
        }
    }

    /// An action that no identity policy names: asked all the same, for the words.
    fn refused(&mut self, technique: &Technique, action: &'static str) -> Course {
        let mut course = Course::default();
        let before = technique.actions.iter().take_while(|held| **held != action);
        let before: Vec<&'static str> = before.copied().collect();
        for (_, answer) in self.anywhere(&before).into_iter().filter(|(_, a)| a.on.is_some()) {
            course.take(answer, None);
        }
        for (_, answer) in self.anywhere(&[action]) {
            if course.goes_on() {
                course.take(answer, None);
            }
        }
        if course.goes_on() {
            // The resource's own policy lets the caller in.
            return match technique.how {
                How::Path(row) => {
                    let why = format!("{} takes more than a resource policy gives", row.id);
                    Course::nothing(why)
                }
                How::Way(way) => self.way(way),
            };
        }
        course
    }

    fn path(&mut self, row: &'static Row) -> Course {
        match row.class {
            Class::SelfEscalation if row.id == PathId(6) => self.unbound_role(),
            Class::SelfEscalation => self.on_itself(row),
            Class::PrincipalAccess => self.takeover(row),
            Class::NewPassrole => self.pass(row),
            Class::ExistingPassrole | Class::Directory => self.carried(row),
        }
    }

    fn on_itself(&mut self, row: &'static Row) -> Course {
        let user = self.probe.is_user(self.at);
        let me = self.me();
        let action = row.actions.first().copied().unwrap_or_default();
        let mut keys = self.probe.keys(self.at);
        let admin = format!("arn:{}:iam::aws:policy/AdministratorAccess", self.probe.partition());
        let attached = (!action.contains("Put") && action.contains("Attach"))
            .then(|| ("iam:PolicyARN".to_owned(), vec![admin]));
        let whole = |resource: String| (resource, Change::Everything);
        let targets: Vec<(String, Change)> = match row.id.0 {
            1 if user => {
                let mine = self.probe.groups_of(self.at);
                let all = self.probe.groups().into_iter().filter(|group| !mine.contains(group));
                let all = self.fitting(action, all.collect());
                all.into_iter().map(|group| (group.clone(), Change::Member { group })).collect()
            }
            2 | 8 if user => self.probe.groups_of(self.at).into_iter().map(whole).collect(),
            3 | 9 if !user => vec![whole(me.clone())],
            4 | 10 if user => vec![whole(me.clone())],
            5 => {
                let held = self.probe.policies_of(self.at).into_iter();
                held.filter(|(_, _, full)| !full).map(|(arn, ..)| whole(arn)).collect()
            }
            7 if user && self.probe.is_bounded(self.at) => vec![(me.clone(), Change::Unbound)],
            11 => self
                .probe
                .policies_of(self.at)
                .into_iter()
                .flat_map(|(arn, versions, _)| {
                    versions.into_iter().map(move |number| {
                        (arn.clone(), Change::Version { policy: arn.clone(), number })
                    })
                })
                .collect(),
            _ => Vec::new(),
        };
        if !matches!(row.id.0, 3 | 4 | 7 | 9 | 10) {
            keys.clear();
        }
        keys.extend(attached);
        let mut best: Option<Course> = None;
        for (resource, change) in targets.into_iter().take(MOST) {
            let mut course = Course::default();
            let then = then(&me, &change);
            self.step(&mut course, (action, &resource), &keys, &Written::Nothing, Some(then));
            if course.goes_on() {
                match self.changed(self.at, &change) {
                    Some(at) => self.prove(&mut course, at),
                    None => self.prove(&mut course, self.at),
                }
            }
            best = Some(match best {
                Some(held) => held.better(course),
                None => course,
            });
            if best.as_ref().is_some_and(Course::is_best) {
                break;
            }
        }
        best.unwrap_or_else(|| Course::nothing(lacking(row, user)))
    }

    /// Row 6: a role whose boundary goes, and which is assumed then.
    fn unbound_role(&mut self) -> Course {
        let action = "iam:DeleteRolePermissionsBoundary";
        let bounded = |at: &usize| {
            !self.probe.is_user(*at) && self.probe.is_bounded(*at) && !self.probe.is_protected(*at)
        };
        let all: Vec<usize> = (0..self.probe.len()).filter(bounded).collect();
        let mut best: Option<Course> = None;
        for role in self.nearest(action, all) {
            let (arn, keys) = (self.probe.arn(role).to_owned(), self.probe.keys(role));
            let mut course = Course::default();
            let gone = format!("{arn} has no boundary");
            self.step(&mut course, (action, &arn), &keys, &Written::Nothing, Some(gone));
            let mine = role == self.at;
            if !mine {
                let then = format!("acts as {arn}");
                let assume = ("sts:AssumeRole", arn.as_str());
                self.step(&mut course, assume, &keys, &Written::Nothing, Some(then));
            }
            if course.goes_on()
                && let Some(at) = self.changed(role, &Change::Unbound)
            {
                self.prove(&mut course, at);
            }
            best = Some(best.map_or(course.clone(), |held| held.better(course)));
            if best.as_ref().is_some_and(Course::is_best) {
                break;
            }
        }
        best.unwrap_or_else(|| Course::nothing("no role has a boundary"))
    }

    /// Rows 12 to 26: another principal, as it is or with something given to it first.
    fn takeover(&mut self, row: &'static Row) -> Course {
        let users = row.actions.iter().any(|action| {
            ["AccessKey", "LoginProfile", "UserPolicy"].iter().any(|part| action.contains(part))
        });
        let gives = row
            .actions
            .iter()
            .find(|action| action.contains("Policy") && !action.contains("Assume"));
        let fits = |at: &usize| {
            *at != self.at
                && self.probe.is_user(*at) == users
                && !self.probe.is_linked(*at)
                && (gives.is_some() || self.probe.rank(*at) != Rank::None)
                && !(self.probe.is_protected(*at)
                    && (gives.is_some() || row.actions.contains(&"iam:UpdateAssumeRolePolicy")))
        };
        let all: Vec<usize> = (0..self.probe.len()).filter(fits).collect();
        let action = gives.or(row.actions.first()).copied().unwrap_or_default();
        let mut near = self.nearest(action, all.clone());
        if row.actions == ["sts:AssumeRole"] {
            let trusting = self.probe.trusting(self.at);
            near.splice(0..0, trusting.into_iter().filter(|at| all.contains(at)).take(MOST));
        }
        let mut best: Option<Course> = None;
        for target in near {
            let course = self.over(row, target, gives.copied());
            best = Some(best.map_or(course.clone(), |held| held.better(course)));
            if best.as_ref().is_some_and(Course::is_best) {
                break;
            }
        }
        best.unwrap_or_else(|| {
            let kind = if users { "user" } else { "role" };
            let what =
                if gives.is_some() { "there is no other" } else { "no other administrator is a" };
            Course::nothing(format!("{what} {kind}"))
        })
    }

    fn over(&mut self, row: &'static Row, target: usize, gives: Option<&'static str>) -> Course {
        let mut course = Course::default();
        let (arn, own) = (self.probe.arn(target).to_owned(), self.probe.keys(target));
        let acts = || Some(format!("acts as {arn}"));
        if let Some(action) = gives {
            let mut keys = own.clone();
            let mut resource = arn.clone();
            if action.contains("Attach") {
                let admin =
                    format!("arn:{}:iam::aws:policy/AdministratorAccess", self.probe.partition());
                keys.push(("iam:PolicyARN".to_owned(), vec![admin]));
            } else if action == "iam:CreatePolicyVersion" {
                let held = self.probe.policies_of(target);
                let Some((policy, ..)) = held.into_iter().find(|(_, _, full)| !full) else {
                    return Course::nothing(format!("{arn} has no policy of the account's own"));
                };
                keys.clear();
                resource = policy;
            }
            let then = Some(then(&arn, &Change::Everything));
            self.step(&mut course, (action, &resource), &keys, &Written::Nothing, then);
        }
        let account = &self.probe.estate().account;
        let keys_held = self
            .probe
            .id(target)
            .map_or(0, |id| account.keys_of(bailiwick_model::Owner::User(id)).count());
        let password = self.probe.id(target).is_some_and(|id| account.login_profile(&id).is_some());
        let me = self.me();
        let plain = Written::Nothing;
        let takes = row.actions.iter().copied().filter(|action| Some(*action) != gives);
        let takes: Vec<&str> = takes.collect();
        if takes.contains(&"iam:DeleteAccessKey") {
            self.step(&mut course, ("iam:DeleteAccessKey", &arn), &own, &plain, None);
        }
        for action in takes {
            match action {
                "iam:CreateAccessKey" if keys_held >= 2 && row.id != PathId(16) => {
                    return Course::nothing(format!("{arn} has two keys"));
                }
                "iam:CreateLoginProfile" if password => {
                    return Course::nothing(format!("{arn} has a password"));
                }
                "iam:DeleteAccessKey" => {}
                "iam:UpdateAssumeRolePolicy" => {
                    let root = format!(
                        "arn:{}:iam::{}:root",
                        self.probe.partition(),
                        self.probe.account()
                    );
                    let who = if row.id == PathId(24) { &root } else { &me };
                    let trust = trusting(who);
                    let told = Some(format!("{arn} trusts {who}"));
                    self.step(&mut course, (action, &arn), &own, &plain, told);
                    let assume = ("sts:AssumeRole", arn.as_str());
                    self.step(&mut course, assume, &own, &Written::Trust(&trust), acts());
                }
                "sts:AssumeRole" if row.actions.contains(&"iam:UpdateAssumeRolePolicy") => {}
                action => self.step(&mut course, (action, &arn), &own, &plain, acts()),
            }
        }
        if course.goes_on() {
            let end = match gives {
                Some(_) => self.changed(target, &Change::Everything),
                None => Some(target),
            };
            self.prove(&mut course, end.unwrap_or(target));
        }
        course
    }

    /// Rows of services that are given a role.
    fn pass(&mut self, row: &'static Row) -> Course {
        let mut best: Option<Course> = None;
        let rest: Vec<&'static str> =
            row.actions.iter().copied().filter(|action| *action != "iam:PassRole").collect();
        for service in row.services {
            let taken: Vec<usize> =
                self.probe.taken_by(service).into_iter().map(|(at, _)| at).collect();
            let strong: Vec<usize> =
                taken.iter().copied().filter(|at| self.probe.rank(*at) != Rank::None).collect();
            let roles = if strong.is_empty() { taken } else { strong };
            for role in self.nearest("iam:PassRole", roles).into_iter().take(MOST) {
                let mut course = Course::default();
                let arn = self.probe.arn(role).to_owned();
                let mut keys = self.probe.keys(role);
                let name = match self.probe.partition() {
                    "aws-cn" if service.starts_with("ec2.") => format!("{service}.cn"),
                    _ => (*service).to_owned(),
                };
                keys.push(("iam:PassedToService".to_owned(), vec![name]));
                let pass = ("iam:PassRole", arn.as_str());
                self.step(&mut course, pass, &keys, &Written::Nothing, None);
                if course.goes_on() {
                    for (_, answer) in self.anywhere(&rest) {
                        if course.goes_on() {
                            course.take(answer, None);
                        }
                    }
                }
                if course.goes_on()
                    && let Some(answer) = self.probe.service(service, role)
                {
                    course.take(answer, Some(format!("code of the caller's own acts as {arn}")));
                }
                if course.goes_on() {
                    self.prove(&mut course, role);
                }
                best = Some(best.map_or(course.clone(), |held| held.better(course)));
                if best.as_ref().is_some_and(Course::is_best) {
                    return best.unwrap_or_default();
                }
            }
        }
        best.unwrap_or_else(|| {
            Course::nothing(format!("no role trusts {}", row.services.join(" or ")))
        })
    }

    /// Rows of things that run with a role already, and of the directory: what no data show.
    fn carried(&mut self, row: &'static Row) -> Course {
        let mut course = Course::default();
        let mut role = None;
        if row.class == Class::ExistingPassrole {
            for service in row.services {
                let taken = self.probe.taken_by(service).into_iter().map(|(at, _)| at);
                let strong = taken.filter(|at| self.probe.rank(*at) == Rank::Administrator);
                role = role.or_else(|| {
                    let mut strong = strong;
                    strong.next()
                });
            }
            if role.is_none() {
                let services = row.services.join(" or ");
                return Course::nothing(format!("no administrator's role trusts {services}"));
            }
        }
        for (_, answer) in self.anywhere(row.actions) {
            if course.goes_on() {
                course.take(answer, None);
            }
        }
        if !course.goes_on() {
            return course;
        }
        let exists = match role {
            Some(role) => {
                let carrier = row.carrier.unwrap_or("something");
                format!("a {carrier} that runs with {}", self.probe.arn(role))
            }
            None => "an identity center that is managed from this account".to_owned(),
        };
        course.on.insert(Dependence::Thing { exists });
        match role {
            Some(role) => self.prove(&mut course, role),
            None => "administrator, by the directory".clone_into(&mut course.gains),
        }
        course
    }

    /// A way beside the paths.
    fn way(&mut self, way: &'static Way) -> Course {
        let on = way.steps.first().map_or(On::Any, |(_, on)| *on);
        match on {
            On::User | On::Role => self.on_another(way, on == On::User),
            On::Own => self.on_own(way),
            On::Any | On::Same => self.on_things(way),
        }
    }

    fn on_own(&self, way: &'static Way) -> Course {
        if !self.probe.is_user(self.at) {
            return Course::nothing("a role has no keys of its own");
        }
        let mut course = Course::default();
        let (me, keys) = (self.me(), self.probe.keys(self.at));
        for (action, _) in way.steps {
            self.step(&mut course, (action, &me), &keys, &Written::Nothing, None);
        }
        way.gains.clone_into(&mut course.gains);
        course
    }

    fn on_another(&mut self, way: &'static Way, users: bool) -> Course {
        let action = way.steps.first().map_or("", |(action, _)| *action);
        let changes = action != "sts:AssumeRole";
        let fits = |at: &usize| {
            *at != self.at
                && self.probe.is_user(*at) == users
                && !self.probe.is_linked(*at)
                && !(changes && self.probe.is_protected(*at))
        };
        let mut all: Vec<usize> = (0..self.probe.len()).filter(fits).collect();
        all.sort_by_key(|at| match self.probe.rank(*at) {
            Rank::Administrator => 0,
            Rank::Conditional(_) => 1,
            Rank::None => 2,
        });
        let mut near = self.nearest(action, all.clone());
        if action == "sts:AssumeRole" {
            let trusting = self.probe.trusting(self.at);
            near.splice(0..0, trusting.into_iter().filter(|at| all.contains(at)).take(MOST));
        }
        let mut best: Option<Course> = None;
        for target in near {
            let (arn, keys) = (self.probe.arn(target).to_owned(), self.probe.keys(target));
            let mut course = Course::default();
            let trust = trusting(&self.me());
            for (number, (action, _)) in way.steps.iter().enumerate() {
                let written = match (way.then, number) {
                    (Then::Trust, 1..) => Written::Trust(&trust),
                    _ => Written::Nothing,
                };
                let then = (number == 0 && way.then == Then::Trust)
                    .then(|| format!("{arn} trusts {}", self.me()));
                self.step(&mut course, (action, &arn), &keys, &written, then);
            }
            course.gains = format!("{}: {arn}", way.gains);
            best = Some(best.map_or(course.clone(), |held| held.better(course)));
            if best.as_ref().is_some_and(Course::is_best) {
                break;
            }
        }
        let kind = if users { "user" } else { "role" };
        best.unwrap_or_else(|| Course::nothing(format!("there is no other {kind}")))
    }

    fn on_things(&self, way: &'static Way) -> Course {
        let actions: Vec<&'static str> = way.steps.iter().map(|(action, _)| *action).collect();
        let mut course = Course::default();
        way.gains.clone_into(&mut course.gains);
        if way.then == Then::Nothing {
            for (_, answer) in self.anywhere(&actions) {
                if course.goes_on() {
                    course.take(answer, None);
                }
            }
            return course;
        }
        let (Some(first), Some(second)) = (actions.first(), actions.get(1)) else { return course };
        let mut held = None;
        for (_, answer) in self.anywhere(&[first]) {
            if course.goes_on() {
                held = Some(answer.ask.resource.clone());
                let then = format!("the policy of {} lets everybody in", answer.ask.resource);
                course.take(answer, Some(then));
            }
        }
        let Some(resource) = held.filter(|_| course.goes_on()) else { return course };
        let bucket = first.starts_with("s3:");
        let object = if bucket { format!("{resource}/any") } else { resource.clone() };
        let policy = open(&resource, second);
        let context = course.steps.last().map(|step| step.ask.context.clone());
        // What the first step needed of the request holds on.
        let on = course.steps.last().map(|step| step.on.clone()).unwrap_or_default();
        let keys: Keys = context
            .into_iter()
            .flatten()
            .filter(|(key, _)| {
                on.iter().any(|on| matches!(on, Dependence::Key { key: held, .. } if held == key))
            })
            .collect();
        self.step(&mut course, (second, &object), &keys, &Written::Resource(&policy), None);
        course
    }

    /// Of some principals, by number, a few: those first whom the caller's policies name for an action.
    fn nearest(&self, action: &str, all: Vec<usize>) -> Vec<usize> {
        let groups = self.probe.patterns(self.at, action);
        if groups.is_empty() {
            return all.into_iter().take(MOST).collect();
        }
        let mut fit: HashMap<usize, usize> = HashMap::new();
        for group in &groups {
            let mut covered = BTreeSet::new();
            for pattern in group {
                if pattern == "*" {
                    covered.extend(all.iter().copied());
                } else {
                    covered.extend(self.probe.covered(pattern));
                }
            }
            for at in covered {
                *fit.entry(at).or_default() += 1;
            }
        }
        let fit = |at: &usize| fit.get(at).copied().unwrap_or_default();
        let mut all = all;
        all.sort_by_key(|at| std::cmp::Reverse(fit(at)));
        all.truncate(MOST);
        all
    }

    fn fitting(&self, action: &str, all: Vec<String>) -> Vec<String> {
        let groups = self.probe.patterns(self.at, action);
        let fit = |arn: &String| {
            let fits = |pattern: &String| pattern == "*" || matches(pattern, arn);
            groups.iter().filter(|group| group.iter().any(fits)).count()
        };
        let mut all = all;
        all.sort_by_cached_key(|arn| std::cmp::Reverse(fit(arn)));
        all
    }
}

/// What the copy of the account holds after a change.
fn then(who: &str, change: &Change) -> String {
    match change {
        Change::Everything => format!("{who} has a policy that allows everything"),
        Change::Attached { policy } => format!("{who} has {policy}"),
        Change::Member { group } => format!("{who} is a member of {group}"),
        Change::Version { policy, number } => format!("version {number} of {policy} is in force"),
        Change::Unbound => format!("{who} has no boundary"),
        Change::Lifted { limit } => format!("{who} is now {limit}"),
    }
}

/// Why a path of self-escalation has nothing to act on.
fn lacking(row: &Row, user: bool) -> String {
    match row.id.0 {
        1 if user => "there is no group that it is not in",
        1 | 2 | 8 => {
            if user {
                "it is in no group"
            } else {
                "a role is in no group"
            }
        }
        3 | 9 => "it is no role",
        5 => "it has no policy of the account's own with room for a version",
        7 if user => "it has no boundary",
        11 => "none of its policies has an earlier version of interest",
        _ => "it is no user",
    }
    .to_owned()
}

fn trusting(who: &str) -> String {
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": who}, "Action": "sts:AssumeRole",
        }],
    })
    .to_string()
}

/// A resource policy that lets everybody in.
fn open(resource: &str, action: &str) -> String {
    let service = action.split(':').next().unwrap_or_default();
    let everything = format!("{service}:*");
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": everything,
            "Resource": [resource, format!("{resource}/*")],
        }],
    })
    .to_string()
}
