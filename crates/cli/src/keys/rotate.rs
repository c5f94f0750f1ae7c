//! The steps of a rotation, each of which a later run can go on from.
//!
//! What was done stands in a tag of the user, written after each step. A run that ended between two
//! steps is met again by what the tag says and what the account shows: a key whose secret reached no
//! store is worth nothing, and is made anew.

use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bailiwick_wire::Secret;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::RotateArgs;
use super::keep::NewKey;
use crate::access::Access;
use crate::iam::{Iam, KeyUse, Stopped, instant, tags, text};
use crate::{Format, clock, terminal};

/// The tag in which the steps done are noted.
const TAG: &str = "bailiwick:key-rotation";
/// Variables that would lead a client of AWS to another key than the one under test.
const OTHER_KEYS: &[&str] = &[
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
];

pub(crate) fn run(args: &RotateArgs) -> anyhow::Result<()> {
    let access = Access::find(&args.access, |name| std::env::var(name).ok())?;
    let iam = Iam::new(access.clone())?;
    let user = if let Some(name) = &args.user_name {
        name.clone()
    } else {
        let told = iam.call("GetUser", &[])?;
        text(told.get("User").unwrap_or(&Json::Null), "UserName").to_owned()
    };
    let mut rotation = Rotation { args, access, iam, user, done: Vec::new() };
    let ended = rotation.run();
    if args.format == Format::Json {
        let mut out = stdout().lock();
        let told = json!({
            "user": rotation.user, "steps": rotation.done,
            "state": match &ended { Ok(state) => json!(state.as_str()), Err(_) => json!("stopped") },
        });
        writeln!(out, "{}", terminal::json(&format!("{told:#}")))?;
        out.flush()?;
    }
    ended.map(drop)
}

/// How a run ended well.
#[derive(Clone, Copy, Debug)]
enum Ended {
    /// Nothing was done: it was a dry run.
    Dry,
    /// The old key is inactive until the grace is over.
    Inactive,
    /// The old key is gone.
    Done,
}

impl Ended {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Dry => "dry-run",
            Self::Inactive => "inactive",
            Self::Done => "done",
        }
    }
}

/// A key of the user.
#[derive(Clone, Debug)]
struct Held {
    id: String,
    active: bool,
    created: Option<Timestamp>,
}

/// How far a rotation is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    /// The new key exists; its secret may be lost.
    Created,
    /// The store has the new key.
    Switched,
    /// The old key is inactive.
    Inactive,
}

impl Step {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Switched => "switched",
            Self::Inactive => "inactive",
        }
    }
}

/// What the tag says.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Note {
    old: String,
    new: String,
    step: Step,
    at: Timestamp,
}

impl Note {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (old, new) = (words.next()?.to_owned(), words.next()?.to_owned());
        let step = match words.next()? {
            "created" => Step::Created,
            "switched" => Step::Switched,
            "inactive" => Step::Inactive,
            _ => return None,
        };
        let at = words.next()?.parse().ok()?;
        words.next().is_none().then_some(Self { old, new, step, at })
    }

    fn write(&self) -> String {
        format!("{} {} {} {}", self.old, self.new, self.step.as_str(), self.at)
    }
}

struct Rotation<'a> {
    args: &'a RotateArgs,
    access: Access,
    iam: Iam,
    user: String,
    done: Vec<String>,
}

impl Rotation<'_> {
    fn run(&mut self) -> anyhow::Result<Ended> {
        let keys = self.keys()?;
        let note = self.note()?;
        // Keys that were deleted by hand end a rotation.
        let note = note.filter(|note| {
            let lives = |id: &str| keys.iter().any(|key| key.id == id);
            lives(&note.old) && lives(&note.new)
        });
        let note = match note {
            Some(note) if note.step == Step::Created => {
                if self.args.store.held()?.as_deref() == Some(note.new.as_str()) {
                    self.mark(&note.old, &note.new, Step::Switched)?
                } else {
                    self.say(&format!(
                        "an earlier run made the key {} and ended before it was stored",
                        note.new
                    ))?;
                    if self.args.dry_run {
                        return self.plan(&note.old);
                    }
                    self.delete(&note.new)?;
                    self.begin(&note.old)?
                }
            }
            Some(note) => note,
            None => {
                let old = self.only_key(&keys)?;
                if self.args.dry_run {
                    return self.plan(&old);
                }
                self.begin(&old)?
            }
        };
        self.go_on(note)
    }

    fn go_on(&mut self, mut note: Note) -> anyhow::Result<Ended> {
        if self.args.dry_run {
            let next = if note.step == Step::Inactive {
                format!("delete the old key after {}", self.args.grace.after(note.at))
            } else {
                "wait until the old key is unused, make it inactive, delete it".into()
            };
            self.say(&format!(
                "under way: new key {}, old key {} ({} at {})",
                note.new,
                note.old,
                note.step.as_str(),
                note.at
            ))?;
            self.say(&format!("next would be: {next}"))?;
            return Ok(Ended::Dry);
        }
        if note.step == Step::Switched {
            self.wait(&note)?;
            self.iam.call(
                "UpdateAccessKey",
                &[("UserName", &self.user), ("AccessKeyId", &note.old), ("Status", "Inactive")],
            )?;
            note = self.mark(&note.old, &note.new, Step::Inactive)?;
            self.say(&format!("old key {} is inactive", note.old))?;
        }
        let due = self.args.grace.after(note.at);
        if clock::now() < due {
            self.say(&format!(
                "run the same command again after {due} to delete it; to go back: aws iam \
                 update-access-key --user-name {} --access-key-id {} --status Active",
                self.user, note.old
            ))?;
            return Ok(Ended::Inactive);
        }
        self.still_tried(&note)?;
        self.delete(&note.old)?;
        self.iam.call("UntagUser", &[("UserName", &self.user), ("TagKeys.member.1", TAG)])?;
        self.say(&format!("old key {} is deleted; {} is the only one", note.old, note.new))?;
        Ok(Ended::Done)
    }

    /// Creates, tests and stores a key.
    fn begin(&mut self, old: &str) -> anyhow::Result<Note> {
        let place = &self.args.store;
        if let Some(held) = place.held()?
            && held != old
        {
            bail!("{place} holds the key {held}, which is not the key {old} of {}", self.user);
        }
        let mut made = self.iam.call("CreateAccessKey", &[("UserName", &self.user)])?;
        let key = made.get_mut("AccessKey").context("the server made no key")?;
        let id = text(key, "AccessKeyId").to_owned();
        let secret = match key.get_mut("SecretAccessKey").map(Json::take) {
            Some(Json::String(secret)) => Secret::new(secret),
            _ => bail!("the server made the key {id} and told no secret"),
        };
        self.say(&format!("created the key {id}"))?;
        let prepared = self.mark(old, &id, Step::Created).and_then(|_| self.prove(&id, &secret));
        let stored = prepared.and_then(|()| {
            let key = NewKey { user: &self.user, id: &id, secret: &secret };
            place
                .put(&key)
                .map_err(|error| Stopped(format!("the key could not be stored: {error:#}")).into())
        });
        if let Err(error) = stored {
            // Nothing uses it, and nothing can: its secret goes with this process.
            self.delete(&id)?;
            self.iam.call("UntagUser", &[("UserName", &self.user), ("TagKeys.member.1", TAG)])?;
            self.say(&format!("deleted the key {id} again; {old} is as it was"))?;
            return Err(error);
        }
        // Whoever rotates the key that it calls with goes on with the new one: its own calls would
        // be uses of the old.
        if self.iam.key_id == old {
            let access = Access { key_id: id.clone(), secret, ..self.access.clone() };
            self.iam = Iam::new(access)?;
        }
        let note = self.mark(old, &id, Step::Switched)?;
        self.say(&format!("stored the key {id} in {place}"))?;
        Ok(note)
    }

    /// Runs the test with the new key.
    fn prove(&mut self, id: &str, secret: &Secret) -> anyhow::Result<()> {
        let Some(test) = &self.args.test else { return Ok(()) };
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", test])
            .stdin(Stdio::null())
            .env("AWS_ACCESS_KEY_ID", id)
            .env("AWS_SECRET_ACCESS_KEY", secret.expose())
            .env("AWS_ENDPOINT_URL", &self.iam.endpoint)
            .env("AWS_REGION", &self.iam.region)
            .env("AWS_DEFAULT_REGION", &self.iam.region);
        if let Some(bundle) = &self.access.ca_bundle {
            command.env("AWS_CA_BUNDLE", bundle);
        }
        for name in OTHER_KEYS {
            command.env_remove(name);
        }
        if self.args.format == Format::Json {
            command.stdout(Stdio::null());
        }
        let ended = command.status().with_context(|| format!("cannot run `{test}`"))?;
        if !ended.success() {
            let why = format!("the test `{test}` ended with {ended}: nothing was switched");
            return Err(Stopped(why).into());
        }
        self.say("the test passed with it")
    }

    /// Waits until the old key is unused for long enough.
    fn wait(&mut self, note: &Note) -> anyhow::Result<()> {
        if self.iam.key_id == note.old {
            let text = format!(
                "this command calls with the old key {0} itself: run it with the new key {1}, or \
                 with another administrator's",
                note.old, note.new
            );
            return Err(Stopped(text).into());
        }
        let quiet = self.args.quiet_for.duration();
        let limit = self.args.wait.map_or(quiet.saturating_mul(3), crate::iam::Span::duration);
        let limit = Duration::try_from(limit).unwrap_or(Duration::MAX);
        let begun = Instant::now();
        let mut told = false;
        loop {
            let last = self.iam.key_use(&note.old)?;
            let since = last.as_ref().map_or(note.at, |last| last.at.max(note.at));
            if self.args.quiet_for.after(since) <= clock::now() {
                return self.say(&format!("old key {} was not used since {since}", note.old));
            }
            if begun.elapsed() >= limit {
                return Err(Stopped(self.still_used(note, last.as_ref())).into());
            }
            if !told {
                self.say(&format!(
                    "waiting until {} is unused for {}",
                    note.old, self.args.quiet_for
                ))?;
                told = true;
            }
            let left = limit.saturating_sub(begun.elapsed());
            sleep(
                (limit / 100).clamp(Duration::from_millis(200), Duration::from_secs(10)).min(left),
            );
        }
    }

    fn still_used(&self, note: &Note, last: Option<&KeyUse>) -> String {
        let both = format!(
            "both keys are active and {} has the new one; run the same command again",
            self.args.store
        );
        match last.filter(|last| last.at >= note.at) {
            Some(last) => {
                let whence = self.whence(&note.old, note.at);
                format!(
                    "the old key {} is still used, last at {} for {} in {}{whence}: {both} when \
                     that is changed",
                    note.old, last.at, last.service, last.region
                )
            }
            None => format!(
                "the old key {} was not used since the switch at {}, but that is not yet {} ago: \
                 {both} later",
                note.old, note.at, self.args.quiet_for
            ),
        }
    }

    /// From where a key was last used, as the trail tells; nothing where it may not be read.
    fn whence(&self, key: &str, since: Timestamp) -> String {
        match self.iam.events(Some(key), since, 1) {
            Ok(events) => events.first().map_or_else(String::new, |event| {
                let agent: String = text(event, "userAgent").chars().take(60).collect();
                format!(" from {} ({agent})", text(event, "sourceIPAddress"))
            }),
            Err(_) => String::new(),
        }
    }

    /// Refuses to delete a key that somebody still tries.
    fn still_tried(&self, note: &Note) -> anyhow::Result<()> {
        let Ok(tries) = self.iam.events(Some(&note.old), note.at, 1) else { return Ok(()) };
        let Some(event) = tries.first() else { return Ok(()) };
        let why = format!(
            "the old key {} is inactive since {}, and was tried at {}{}: change that, then run the \
             same command again, or delete the key yourself",
            note.old,
            note.at,
            text(event, "eventTime"),
            self.whence(&note.old, note.at)
        );
        let newest = instant(event, "eventTime").unwrap_or(note.at);
        if self.args.quiet_for.after(newest) > clock::now() {
            return Err(Stopped(why).into());
        }
        Ok(())
    }

    /// The one key there is to rotate.
    fn only_key(&self, keys: &[Held]) -> anyhow::Result<String> {
        match keys {
            [only] => Ok(only.id.clone()),
            [] => bail!(
                "{0} has no access key: make one with `aws iam create-access-key --user-name {0}`",
                self.user
            ),
            several => {
                let mut lines = format!(
                    "{} has {} access keys, and a rotation needs room for a new one. Take away the \
                     one that nothing uses:",
                    self.user,
                    several.len()
                );
                for key in several {
                    let used = self.iam.key_use(&key.id)?;
                    let used = used.map_or_else(
                        || "never used".to_owned(),
                        |last| format!("last used at {} for {}", last.at, last.service),
                    );
                    let made = key.created.map(|at| at.to_string()).unwrap_or_default();
                    let state = if key.active { "Active" } else { "Inactive" };
                    let _ = write!(lines, "\n  {} {state}, made at {made}, {used}", key.id);
                }
                let _ = write!(
                    lines,
                    "\nfirst: aws iam update-access-key --user-name {0} --access-key-id ID --status \
                     Inactive\nthen:  aws iam delete-access-key --user-name {0} --access-key-id ID",
                    self.user
                );
                Err(Stopped(lines).into())
            }
        }
    }

    fn plan(&mut self, old: &str) -> anyhow::Result<Ended> {
        let args = self.args;
        self.say(&format!("would create a second key beside {old} of {}", self.user))?;
        if let Some(test) = &args.test {
            self.say(&format!("would run `{test}` with it"))?;
        }
        self.say(&format!("would store it in {}", args.store))?;
        self.say(&format!("would wait until {old} is unused for {}", args.quiet_for))?;
        self.say(&format!("would make {old} inactive, and delete it after {}", args.grace))?;
        Ok(Ended::Dry)
    }

    fn keys(&self) -> anyhow::Result<Vec<Held>> {
        let keys =
            self.iam.list("ListAccessKeys", "AccessKeyMetadata", &[("UserName", &self.user)])?;
        let held = |key: &Json| Held {
            id: text(key, "AccessKeyId").to_owned(),
            active: text(key, "Status") == "Active",
            created: instant(key, "CreateDate"),
        };
        Ok(keys.iter().map(held).collect())
    }

    fn note(&self) -> anyhow::Result<Option<Note>> {
        let told =
            self.iam.call("ListUserTags", &[("UserName", &self.user), ("MaxItems", "1000")])?;
        let found = tags(&told).into_iter().find(|(key, _)| *key == TAG);
        Ok(found.and_then(|(_, value)| Note::parse(value)))
    }

    fn mark(&self, old: &str, new: &str, step: Step) -> anyhow::Result<Note> {
        // Whole seconds: so the trail and the last uses are dated too.
        let at = Timestamp::from_second(clock::now().as_second())?;
        let note = Note { old: old.to_owned(), new: new.to_owned(), step, at };
        self.iam.call(
            "TagUser",
            &[
                ("UserName", &self.user),
                ("Tags.member.1.Key", TAG),
                ("Tags.member.1.Value", &note.write()),
            ],
        )?;
        Ok(note)
    }

    fn delete(&self, key: &str) -> anyhow::Result<()> {
        self.iam
            .call("DeleteAccessKey", &[("UserName", &self.user), ("AccessKeyId", key)])
            .map(drop)
    }

    /// Tells a step at once: a run may wait for hours afterwards.
    fn say(&mut self, step: &str) -> anyhow::Result<()> {
        if self.args.format == Format::Table {
            let mut out = stdout().lock();
            writeln!(out, "{}", terminal::text(step))?;
            out.flush()?;
        }
        self.done.push(step.to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_as_written() {
        let note = Note {
            old: "AKIAOLD".into(),
            new: "AKIANEW".into(),
            step: Step::Switched,
            at: "2026-11-22T10:00:00Z".parse().unwrap(),
        };
        assert_eq!(note.write(), "AKIAOLD AKIANEW switched 2026-11-22T10:00:00Z");
        assert_eq!(Note::parse(&note.write()), Some(note));
        for bad in [
            "",
            "A B",
            "A B sideways 2026-11-22T10:00:00Z",
            "A B created now",
            "A B created 2026-11-22T10:00:00Z x",
        ] {
            assert_eq!(Note::parse(bad), None, "{bad}");
        }
    }
}
