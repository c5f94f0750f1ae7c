//! Techniques played with signed calls, on an account that may be thrown away.
//!
//! For each technique an attacker is made that has the technique's actions and no more, and somebody or
//! something to act on; the attacker's own key plays the steps. It has got there if a call that it
//! was refused before is allowed after, or is answered in another's name. Whatever was made is
//! taken away again, also after a fault.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{anyhow, bail};
use bailiwick_analyzer::attack::techniques;
use bailiwick_wire::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::lab::{ATTACKER, Lab, document};
use crate::access::Access;
use crate::call::Refused;
use crate::iam::{Iam, is_code, text};
use crate::simulate::fault::Findings;
use crate::{Format, terminal};

/// What only reads: the call that shows that more is allowed than before.
const PROOF: &str = "ListRoles";
/// The policy of AWS that is attached, where one has to be.
const READER: &str = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
/// The answer of a call that was not refused.
const ALLOWED: &str = "allowed";
/// So often a call is made again that a change has not reached yet.
const TRIES: u32 = 20;
/// The pause before the first repetition; the others wait as long each.
const PAUSE: Duration = Duration::from_millis(500);

/// What came of one technique.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    technique: String,
    /// `reached`, `blocked` or `not-played`.
    verdict: &'static str,
    /// What was called, in order, with what came of it.
    steps: Vec<Call>,
    /// What was gained, what refused it, or why it was not played.
    why: String,
}

/// A call of the attacker.
#[derive(Debug, Serialize)]
struct Call {
    call: String,
    answer: String,
}

/// Plays the techniques on the server's account, from attackers with a permissions boundary if one is
/// given.
///
/// # Errors
/// The account is not the one that may be thrown away, or something could not be taken away again.
pub(super) fn run(
    access: &Access,
    account: &str,
    boundary: Option<&str>,
    chosen: &[String],
    format: Format,
) -> anyhow::Result<()> {
    let operator = Iam::new(access.clone())?;
    // A refusal here is no answer about a technique.
    let caller = operator
        .call_service("sts", "GetCallerIdentity", &[])
        .map_err(|error| anyhow!("the key is not taken: {error:#}"))?;
    let found = text(&caller, "Account");
    if found != account {
        bail!(
            "the key is of account {found}, and --throw-away-account says {account}: nothing was done"
        );
    }
    let mut outcomes = Vec::new();
    let (mut left, mut broken) = (Vec::new(), 0);
    let wanted =
        |id: &str| chosen.is_empty() || chosen.iter().any(|chosen| chosen.eq_ignore_ascii_case(id));
    for technique in techniques().iter().filter(|technique| wanted(&technique.id)) {
        let Some(scene) = SCENES.iter().find(|scene| scene.id == technique.id) else {
            let beyond = technique.services.iter().find(|held| !matches!(**held, "iam" | "sts"));
            let why = match beyond {
                Some(service) => format!("it goes through {service}, which is neither IAM nor STS"),
                None => {
                    "it takes calls of IAM and STS alone, and is not played live yet".to_owned()
                }
            };
            let (technique, verdict) = (technique.id.clone(), "not-played");
            outcomes.push(Outcome { technique, verdict, steps: Vec::new(), why });
            continue;
        };
        let mut lab = Lab::new(&operator, account, &caller, scene.id).bounded(boundary);
        let mut steps = Vec::new();
        let done = (scene.play)(&mut Stage { lab: &mut lab, access, steps: &mut steps });
        left.extend(lab.clear());
        let technique = technique.id.clone();
        outcomes.push(match done {
            Ok(why) => Outcome { technique, verdict: "reached", steps, why },
            Err(error) => match error.downcast_ref::<Refused>() {
                // A refusal of the operator's own calls says nothing of the attacker.
                Some(refused)
                    if refused.code.starts_with("AccessDenied")
                        && steps.last().is_some_and(|step| step.answer != ALLOWED) =>
                {
                    let why = refused.message.clone();
                    Outcome { technique, verdict: "blocked", steps, why }
                }
                _ => {
                    broken += 1;
                    let why = format!("{error:#}");
                    Outcome { technique, verdict: "not-played", steps, why }
                }
            },
        });
    }
    let reached = outcomes.iter().any(|outcome| outcome.verdict == "reached");
    print(&outcomes, account, format)?;
    if !left.is_empty() {
        bail!("these could not be taken away again: {}", left.join(", "));
    }
    if broken > 0 {
        bail!("{broken} techniques could not be played to their end: of those nothing is known");
    }
    if reached { Err(Findings.into()) } else { Ok(()) }
}

fn print(outcomes: &[Outcome], account: &str, format: Format) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if format == Format::Json {
        let told = json!({"account": account, "live": true, "outcomes": outcomes});
        writeln!(out, "{}", terminal::json(&serde_json::to_string_pretty(&told)?))?;
        return Ok(());
    }
    for outcome in outcomes {
        writeln!(
            out,
            "{:<10}  {}  {}",
            outcome.verdict,
            outcome.technique,
            terminal::text(&outcome.why)
        )?;
        for step in &outcome.steps {
            writeln!(out, "              {}: {}", step.call, terminal::text(&step.answer))?;
        }
    }
    Ok(())
}

/// A technique's play.
struct Scene {
    id: &'static str,
    play: fn(&mut Stage<'_, '_>) -> anyhow::Result<String>,
}

const SCENES: &[Scene] = &[
    Scene { id: "ESC-001", play: join },
    Scene { id: "ESC-002", play: attach_group },
    Scene { id: "ESC-004", play: attach_own },
    Scene { id: "ESC-005", play: new_version },
    Scene { id: "ESC-007", play: unbound },
    Scene { id: "ESC-008", play: put_group },
    Scene { id: "ESC-010", play: put_own },
    Scene { id: "ESC-011", play: old_version },
    Scene { id: "ESC-013", play: attach_role },
    Scene { id: "ESC-015", play: make_key },
    Scene { id: "ESC-018", play: make_password },
    Scene { id: "ESC-022", play: put_role },
    Scene { id: "ESC-023", play: rewrite },
    Scene { id: "ESC-025", play: change_password },
    Scene { id: "ESC-026", play: assume },
];

/// Where a technique is played.
struct Stage<'s, 'o> {
    lab: &'s mut Lab<'o>,
    access: &'s Access,
    steps: &'s mut Vec<Call>,
}

/// Somebody with a key.
struct Actor {
    name: String,
    iam: Iam,
}

impl Stage<'_, '_> {
    /// A client with other credentials.
    fn with(&self, credentials: &Json) -> anyhow::Result<Iam> {
        let token = text(credentials, "SessionToken");
        Iam::new(Access {
            key_id: text(credentials, "AccessKeyId").to_owned(),
            secret: Secret::from(text(credentials, "SecretAccessKey").to_owned()),
            session_token: (!token.is_empty()).then(|| Secret::from(token.to_owned())),
            ..self.access.clone()
        })
    }

    /// A user with these actions alone, and its key.
    fn attacker(&mut self, actions: &[&str], resource: &str) -> anyhow::Result<Actor> {
        let name = self.lab.user(ATTACKER)?;
        self.lab.put_user(&name, &document(actions, resource))?;
        let made = self.lab.call("CreateAccessKey", &[("UserName", &name)])?;
        let iam = self.with(made.get("AccessKey").unwrap_or(&Json::Null))?;
        wait(|| iam.call_service("sts", "GetCallerIdentity", &[]))?;
        Ok(Actor { name, iam })
    }

    /// A step, which the attacker's own key signs.
    fn step(
        &mut self,
        by: &Iam,
        (service, name): (&str, &str),
        parameters: &[(&str, &str)],
    ) -> anyhow::Result<Json> {
        // A new policy may need a moment to be known everywhere.
        let done = wait(|| by.call_service(service, name, parameters));
        let answer = match &done {
            Ok(_) => ALLOWED.to_owned(),
            Err(error) => format!("{error:#}"),
        };
        self.steps.push(Call { call: format!("{service}:{name}"), answer });
        done
    }

    /// What was refused before is allowed now.
    fn proven(&mut self, by: &Iam) -> anyhow::Result<String> {
        self.step(by, ("iam", PROOF), &[("MaxItems", "1")])?;
        Ok(format!("iam:{PROOF}, which it was refused before"))
    }

    /// What the attacker shall gain is refused to it.
    fn refused(by: &Iam) -> anyhow::Result<()> {
        match by.call(PROOF, &[("MaxItems", "1")]) {
            Ok(_) => bail!("the attacker may call iam:{PROOF} from the beginning"),
            Err(error) if is_code(&error, "AccessDenied") => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Credentials of a role.
    fn become_role(&mut self, by: &Iam, arn: &str) -> anyhow::Result<Iam> {
        let parameters = [("RoleArn", arn), ("RoleSessionName", "attack")];
        let answer = self.step(by, ("sts", "AssumeRole"), &parameters)?;
        self.with(answer.get("Credentials").unwrap_or(&Json::Null))
    }
}

/// Calls again while a change may still be under way. Each call is of somebody who was just given the
/// right to it: what a boundary, an organization or a Deny refuses stays refused, and no other refusal does.
fn wait(mut call: impl FnMut() -> anyhow::Result<Json>) -> anyhow::Result<Json> {
    let mut done = call();
    for _ in 1..TRIES {
        let Err(error) = &done else { break };
        let stays = is_code(error, "AccessDenied") && is_held_back(&format!("{error:#}"));
        let again = !stays
            && ["AccessDenied", "InvalidClientTokenId"].iter().any(|code| is_code(error, code));
        if !again {
            break;
        }
        std::thread::sleep(PAUSE);
        done = call();
    }
    done
}

/// Whether a refusal, in AWS's words, is one that waiting does not end.
fn is_held_back(message: &str) -> bool {
    let words = [
        "explicit deny",
        "permissions boundary",
        "service control policy",
        "resource control policy",
    ];
    words.iter().any(|word| message.contains(word))
}

fn put_own(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let me = stage.lab.arn("user", ATTACKER);
    let actor = stage.attacker(&["iam:PutUserPolicy"], &me)?;
    Stage::refused(&actor.iam)?;
    let more = document(&["iam:ListRoles"], "*");
    let parameters = [
        ("UserName", actor.name.as_str()),
        ("PolicyName", "more"),
        ("PolicyDocument", more.as_str()),
    ];
    stage.step(&actor.iam, ("iam", "PutUserPolicy"), &parameters)?;
    stage.proven(&actor.iam)
}

fn attach_own(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let me = stage.lab.arn("user", ATTACKER);
    let actor = stage.attacker(&["iam:AttachUserPolicy"], &me)?;
    Stage::refused(&actor.iam)?;
    let parameters = [("UserName", actor.name.as_str()), ("PolicyArn", READER)];
    stage.step(&actor.iam, ("iam", "AttachUserPolicy"), &parameters)?;
    stage.proven(&actor.iam)
}

fn join(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let group = stage.lab.group("strong")?;
    stage.lab.put_group(&group, &document(&["iam:ListRoles"], "*"))?;
    let arn = stage.lab.arn("group", "strong");
    let actor = stage.attacker(&["iam:AddUserToGroup"], &arn)?;
    Stage::refused(&actor.iam)?;
    let parameters = [("GroupName", group.as_str()), ("UserName", actor.name.as_str())];
    stage.step(&actor.iam, ("iam", "AddUserToGroup"), &parameters)?;
    stage.proven(&actor.iam)
}

/// The attacker in a group on which it may do this.
fn in_group(stage: &mut Stage<'_, '_>, action: &str) -> anyhow::Result<(Actor, String)> {
    let group = stage.lab.group("own")?;
    let arn = stage.lab.arn("group", "own");
    let actor = stage.attacker(&[action], &arn)?;
    let parameters = [("GroupName", group.as_str()), ("UserName", actor.name.as_str())];
    stage.lab.call("AddUserToGroup", &parameters)?;
    Stage::refused(&actor.iam)?;
    Ok((actor, group))
}

fn attach_group(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let (actor, group) = in_group(stage, "iam:AttachGroupPolicy")?;
    let parameters = [("GroupName", group.as_str()), ("PolicyArn", READER)];
    stage.step(&actor.iam, ("iam", "AttachGroupPolicy"), &parameters)?;
    stage.proven(&actor.iam)
}

fn put_group(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let (actor, group) = in_group(stage, "iam:PutGroupPolicy")?;
    let more = document(&["iam:ListRoles"], "*");
    let parameters =
        [("GroupName", group.as_str()), ("PolicyName", "more"), ("PolicyDocument", more.as_str())];
    stage.step(&actor.iam, ("iam", "PutGroupPolicy"), &parameters)?;
    stage.proven(&actor.iam)
}

fn new_version(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let policy = stage.lab.policy("own", &document(&["sqs:ListQueues"], "*"))?;
    let actor = stage.attacker(&["iam:CreatePolicyVersion"], &policy)?;
    let attach = [("UserName", actor.name.as_str()), ("PolicyArn", policy.as_str())];
    stage.lab.call("AttachUserPolicy", &attach)?;
    Stage::refused(&actor.iam)?;
    let more = document(&["iam:ListRoles", "iam:CreatePolicyVersion"], "*");
    let parameters = [
        ("PolicyArn", policy.as_str()),
        ("PolicyDocument", more.as_str()),
        ("SetAsDefault", "true"),
    ];
    stage.step(&actor.iam, ("iam", "CreatePolicyVersion"), &parameters)?;
    stage.proven(&actor.iam)
}

fn old_version(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let policy = stage.lab.policy("own", &document(&["iam:ListRoles"], "*"))?;
    let less = document(&["sqs:ListQueues"], "*");
    let second = [
        ("PolicyArn", policy.as_str()),
        ("PolicyDocument", less.as_str()),
        ("SetAsDefault", "true"),
    ];
    stage.lab.call("CreatePolicyVersion", &second)?;
    let actor = stage.attacker(&["iam:SetDefaultPolicyVersion"], &policy)?;
    let attach = [("UserName", actor.name.as_str()), ("PolicyArn", policy.as_str())];
    stage.lab.call("AttachUserPolicy", &attach)?;
    Stage::refused(&actor.iam)?;
    let parameters = [("PolicyArn", policy.as_str()), ("VersionId", "v1")];
    stage.step(&actor.iam, ("iam", "SetDefaultPolicyVersion"), &parameters)?;
    stage.proven(&actor.iam)
}

fn unbound(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let actor = stage.attacker(&["iam:DeleteUserPermissionsBoundary", "iam:ListRoles"], "*")?;
    if !stage.lab.is_bounded() {
        let limit = document(&["iam:DeleteUserPermissionsBoundary", "sts:GetCallerIdentity"], "*");
        let boundary = stage.lab.policy("limit", &limit)?;
        let put = [("UserName", actor.name.as_str()), ("PermissionsBoundary", boundary.as_str())];
        stage.lab.call("PutUserPermissionsBoundary", &put)?;
    }
    // The boundary may need a moment; what it stops is looked for until it does.
    let mut stopped = Stage::refused(&actor.iam);
    for _ in 0..TRIES {
        if stopped.is_ok() {
            break;
        }
        std::thread::sleep(PAUSE);
        stopped = Stage::refused(&actor.iam);
    }
    stopped?;
    let parameters = [("UserName", actor.name.as_str())];
    stage.step(&actor.iam, ("iam", "DeleteUserPermissionsBoundary"), &parameters)?;
    stage.proven(&actor.iam)
}

/// A user who may do more than the attacker.
fn target(stage: &mut Stage<'_, '_>) -> anyhow::Result<(String, String)> {
    let name = stage.lab.user("target")?;
    stage.lab.put_user(&name, &document(&["iam:ListRoles"], "*"))?;
    Ok((name, stage.lab.arn("user", "target")))
}

fn make_key(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let (name, arn) = target(stage)?;
    let actor = stage.attacker(&["iam:CreateAccessKey"], &arn)?;
    Stage::refused(&actor.iam)?;
    let made = stage.step(&actor.iam, ("iam", "CreateAccessKey"), &[("UserName", &name)])?;
    let stolen = stage.with(made.get("AccessKey").unwrap_or(&Json::Null))?;
    stage.step(&stolen, ("sts", "GetCallerIdentity"), &[])?;
    stage.proven(&stolen)
}

/// A new password, long and of all kinds of characters, so that every password policy takes it.
fn password() -> anyhow::Result<String> {
    let mut bytes = [0; 24];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| anyhow!("there is no randomness"))?;
    Ok(format!("Aa1!{}", STANDARD.encode(bytes)))
}

/// A user without any right, who gets a password: it guards nothing for as long as the technique takes.
fn powerless(stage: &mut Stage<'_, '_>) -> anyhow::Result<(String, String)> {
    Ok((stage.lab.user("target")?, stage.lab.arn("user", "target")))
}

fn make_password(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let (name, arn) = powerless(stage)?;
    let actor = stage.attacker(&["iam:CreateLoginProfile"], &arn)?;
    let password = password()?;
    let parameters = [("UserName", name.as_str()), ("Password", password.as_str())];
    stage.step(&actor.iam, ("iam", "CreateLoginProfile"), &parameters)?;
    stage.lab.call("GetLoginProfile", &[("UserName", &name)])?;
    Ok("a password of the user, which the operator sees as well".to_owned())
}

fn change_password(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let (name, arn) = powerless(stage)?;
    let (one, other) = (password()?, password()?);
    let first = [
        ("UserName", name.as_str()),
        ("Password", one.as_str()),
        ("PasswordResetRequired", "true"),
    ];
    stage.lab.call("CreateLoginProfile", &first)?;
    let actor = stage.attacker(&["iam:UpdateLoginProfile"], &arn)?;
    let parameters = [
        ("UserName", name.as_str()),
        ("Password", other.as_str()),
        ("PasswordResetRequired", "false"),
    ];
    stage.step(&actor.iam, ("iam", "UpdateLoginProfile"), &parameters)?;
    let found = stage.lab.call("GetLoginProfile", &[("UserName", &name)])?;
    if found.pointer("/LoginProfile/PasswordResetRequired") == Some(&Json::Bool(true)) {
        bail!("the password was not changed");
    }
    Ok("another password of the user, which the operator sees as well".to_owned())
}

fn assume(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let root = stage.lab.root();
    let role = stage.lab.role("strong", &root)?;
    stage.lab.put_role(&role, &document(&["iam:ListRoles"], "*"))?;
    let arn = stage.lab.arn("role", "strong");
    let actor = stage.attacker(&["sts:AssumeRole"], &arn)?;
    Stage::refused(&actor.iam)?;
    let session = stage.become_role(&actor.iam, &arn)?;
    stage.proven(&session)
}

fn rewrite(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let operator = stage.lab.operator_arn().to_owned();
    let role = stage.lab.role("strong", &operator)?;
    stage.lab.put_role(&role, &document(&["iam:ListRoles"], "*"))?;
    let arn = stage.lab.arn("role", "strong");
    let actor = stage.attacker(&["iam:UpdateAssumeRolePolicy"], &arn)?;
    Stage::refused(&actor.iam)?;
    let me = stage.lab.arn("user", ATTACKER);
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": me}, "Action": "sts:AssumeRole"}]});
    let trust = trust.to_string();
    let parameters = [("RoleName", role.as_str()), ("PolicyDocument", trust.as_str())];
    stage.step(&actor.iam, ("iam", "UpdateAssumeRolePolicy"), &parameters)?;
    let session = stage.become_role(&actor.iam, &arn)?;
    stage.proven(&session)
}

/// A role without rights that lets the attacker in, who may do this to it.
fn weak(stage: &mut Stage<'_, '_>, action: &str) -> anyhow::Result<(Actor, String, String)> {
    let root = stage.lab.root();
    let role = stage.lab.role("weak", &root)?;
    let arn = stage.lab.arn("role", "weak");
    let actor = stage.attacker(&[action, "sts:AssumeRole"], &arn)?;
    Stage::refused(&actor.iam)?;
    Ok((actor, role, arn))
}

fn put_role(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let (actor, role, arn) = weak(stage, "iam:PutRolePolicy")?;
    let more = document(&["iam:ListRoles"], "*");
    let parameters =
        [("RoleName", role.as_str()), ("PolicyName", "more"), ("PolicyDocument", more.as_str())];
    stage.step(&actor.iam, ("iam", "PutRolePolicy"), &parameters)?;
    let session = stage.become_role(&actor.iam, &arn)?;
    stage.proven(&session)
}

fn attach_role(stage: &mut Stage<'_, '_>) -> anyhow::Result<String> {
    let (actor, role, arn) = weak(stage, "iam:AttachRolePolicy")?;
    let parameters = [("RoleName", role.as_str()), ("PolicyArn", READER)];
    stage.step(&actor.iam, ("iam", "AttachRolePolicy"), &parameters)?;
    let session = stage.become_role(&actor.iam, &arn)?;
    stage.proven(&session)
}
