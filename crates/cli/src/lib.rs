//! The verbs of a client, which talk to a server over the public API with credentials like any
//! other client, and those of an analyst, which need no server: `simulate`, `test`, `validate`, `check` and `diff`.
//!
//! Nothing here knows the store, the services or the server: the client verbs know the wire, the
//! analyst's the model and the engine.

mod access;
mod attack;
mod audit;
mod call;
mod check;
mod checklist;
mod client;
mod clock;
mod diff;
mod docs;
mod escalate;
mod events;
mod generate;
mod iam;
mod keys;
mod offboard;
mod policies;
mod quickstart;
mod reach;
mod report;
mod scan;
mod simulate;
mod suite;
mod terminal;
mod trail;
mod validate;
mod why;

use std::io::{ErrorKind, Write as _, stderr};
use std::process::ExitCode;

pub use access::AccessArgs;
pub use attack::{AttackCommand, AttackListArgs, AttackRunArgs};
pub use audit::{
    AuditArgs, AuditCommand, CheckToxicArgs, FixArgs, FixFormat, ObjectArgs, OverprivilegedArgs,
    RuleArgs, SharedKeysArgs, ToxicArgs, UnusedArgs,
};
pub use call::CallArgs;
pub use check::{
    AccessNotGrantedArgs, CheckCommand, KindArg, NoNewAccessArgs, NoPublicAccessArgs,
    PublicResourceArg,
};
pub use checklist::{ChecklistArgs, ComplianceArgs, SourceArgs, Table};
use clap::{Subcommand, ValueEnum};
pub use diff::DiffArgs;
pub use docs::{DocsCommand, DocsExportArgs};
pub use escalate::{EscalateArgs, EscalateFormat};
pub use events::EventsArgs;
pub use generate::{GenerateArgs, GenerateFormat};
pub use keys::{KeysCommand, RotateArgs};
pub use offboard::OffboardArgs;
pub use policies::group::ToGroupArgs;
pub use policies::inline::ConvertInlineArgs;
pub use policies::lint::{LintArgs, PolicyKind};
pub use policies::summary::SummaryArgs;
pub use quickstart::{GroupsArgs, QuickstartCommand, ThirdPartyArgs};
pub use reach::{CanArgs, MatrixArgs, WhoCanArgs};
pub use scan::{ScanArgs, ScanFormat};
pub use simulate::SimulateArgs;
pub use suite::TestArgs;
pub use validate::codes::ChecksArgs;
pub use validate::{FailOn, PolicyTypeArg, ReportFormat, ResourceTypeArg, ValidateArgs};
pub use why::WhyArgs;

/// A verb of a client or an analyst.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List or follow the account's audit events
    #[command(after_help = "\
Examples:
  bailiwick events                                     the newest 50
  bailiwick events --follow                            new ones as they come
  bailiwick events --since 10m --error-code AccessDenied
  bailiwick events --user alice --event-name CreateUser --limit 500 --format json

The server and the key are those of AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY, or else those in the data directory of a server on this machine.")]
    Events(EventsArgs),
    /// Call an operation, directly or as services call it on your behalf
    #[command(after_help = "\
Examples:
  bailiwick call sts GetCallerIdentity
  bailiwick call iam CreateUser UserName=alice Path=/team/
  bailiwick call --via cloudformation.amazonaws.com iam CreateUser UserName=alice
  bailiwick call --via cloudformation.amazonaws.com --via lambda.amazonaws.com \\
      --source-ip 203.0.113.7 iam ListUsers

With --via the call carries aws:CalledVia and its kin. The session for it is made by the server on
this machine, for whoever may use its data directory (BAILIWICK_DATA_DIR), lives for 15 minutes and is
recorded. Exit code 0: done; 1: refused by the server; 2: bad input.")]
    Call(CallArgs),
    /// Explain a decision: which policies were asked, and what each statement said
    #[command(after_help = "\
Examples:
  bailiwick why d-4f1c0e7a9b3d4c2e8f60718293a4b5c6
  bailiwick why d-4f1c0e7a9b3d4c2e8f60718293a4b5c6 --format json

The id stands in the message of every denial, in `x-bailiwick-decision-id` where it is sent, and in
`bailiwick events`; a request id or an event id does as well.")]
    Why(WhyArgs),
    /// Decide requests on policies in files or in an account export, without a server
    #[command(after_help = "\
Examples:
  bailiwick simulate --policy read.json --principal arn:aws:iam::123456789012:user/alice \\
      --action s3:GetObject s3:PutObject --resource arn:aws:s3:::my-specific-bucket/report.csv
  bailiwick simulate --policy ec2.json --principal arn:aws:iam::123456789012:user/alice \\
      --action ec2:RunInstances --region us-west-2 --context aws:MultiFactorAuthPresent=true
  bailiwick simulate --policy admin.json --scp root=full.json --scp root=guard.json \\
      --scp unit=regions.json --principal arn:aws:sts::123456789012:assumed-role/Dev/eve \\
      --action iam:CreateUser
  bailiwick simulate --account export.json --principal arn:aws:iam::123456789012:user/alice \\
      --action s3:DeleteBucket --attach draft.json --detach AdministratorAccess
  bailiwick simulate --batch cases.jsonl > answers.jsonl

An account export is what `aws iam get-account-authorization-details` prints. Context keys that
follow from the principal and the resource are filled in and shown, except with --batch, where
each case has its whole context. Exit code 0: all is allowed; 1: something is not; 2: bad input.")]
    Simulate(Box<SimulateArgs>),
    /// Show how users and roles of an account export become administrators
    #[command(after_help = "\
Examples:
  bailiwick escalate export.json                       every principal that gets there, and how
  bailiwick escalate page1.json page2.json --from arn:aws:iam::123456789012:user/alice
  bailiwick escalate export.json --to arn:aws:iam::123456789012:role/billing --format json
  bailiwick escalate export.json --scp root=full.json --scp unit=guard.json --format html > e.html
  bailiwick escalate export.json --format dot | dot -Tsvg > escalation.svg

An account export is what `aws iam get-account-authorization-details` prints. Each step is a list of
requests that the engine allows with identity policies, boundary, SCPs, RCPs and trust policies; what
needs MFA, an address or anything else is told as conditional, with what it needs. Exit code 0:
nobody gets there; 1: somebody does; 2: bad input.")]
    Escalate(Box<EscalateArgs>),
    /// Write the smallest policy that the observed calls of a user or role need
    #[command(after_help = GENERATE_HELP)]
    Generate(Box<GenerateArgs>),
    /// Who can do something, under which conditions, and by which statements
    #[command(after_help = WHO_CAN_HELP)]
    WhoCan(Box<WhoCanArgs>),
    /// What a principal can do, and on what
    #[command(after_help = CAN_HELP)]
    Can(Box<CanArgs>),
    /// Principals by resources, or by services and access levels
    #[command(after_help = MATRIX_HELP)]
    AccessMatrix(Box<MatrixArgs>),
    /// Run a suite of expectations about policies
    #[command(after_help = TEST_HELP)]
    Test(TestArgs),
    /// What is wrong with policies, as Access Analyzer says it
    #[command(after_help = "\
Examples:
  bailiwick validate read.json write.json
  bailiwick validate policies/ --format sarif > policies.sarif
  bailiwick validate trust.json --policy-type trust
  bailiwick validate bucket.json --policy-type resource --resource-type AWS::S3::Bucket
  terraform output -raw policy | bailiwick validate - --fail-on error
  bailiwick validate --all-managed                     the AWS managed policies, with the time

All 153 checks of `bailiwick policy checks`. --format json writes the findings as the API has them
(findingType, issueCode, findingDetails, learnMoreLink, locations), each with its file. Exit code 0: no
findings, or suggestions only; 1: an error, security warning or warning (--fail-on sets from where on);
2: something could not be read or is no JSON, which does not keep the rest from being validated.")]
    Validate(ValidateArgs),
    /// Prove what a policy does not allow: new access, given actions, the public
    #[command(after_help = "\
Examples:
  bailiwick check no-new-access --existing main.json --new branch.json
  bailiwick check access-not-granted --policy ci.json --action iam:PassRole
  bailiwick check no-public-access --policy bucket.json --resource-type AWS::S3::Bucket

All requests are considered, not samples. What cannot be decided fails. A failure comes with a request as
example, which the engine confirms.")]
    Check {
        /// What to check
        #[command(subcommand)]
        verb: CheckCommand,
    },
    /// What a new version of a policy allows and refuses, in words and examples
    #[command(after_help = "\
Examples:
  bailiwick diff old.json new.json
  git show main:bucket.json | bailiwick diff - bucket.json --policy-type resource

Exit code 0: both allow the same; 1: they differ, or it could not be decided; 2: bad input.")]
    Diff(DiffArgs),
    /// Access keys: rotation
    #[command(after_help = "\
Examples:
  bailiwick keys rotate --user-name ci --test ./smoke-test.sh --store file:ci.credentials#ci")]
    Keys {
        /// What to do
        #[command(subcommand)]
        verb: KeysCommand,
    },
    /// Play attacks step by step against the decision engine
    #[command(after_help = "\
Examples:
  bailiwick attack run --all audit/
  bailiwick attack run --all details.json --from arn:aws:iam::123456789012:role/ci
  bailiwick attack list --count")]
    Attack {
        /// What to do
        #[command(subcommand)]
        verb: AttackCommand,
    },
    /// Audit an account from files: posture, and on a live account what nobody uses
    #[command(after_help = "\
Examples:
  bailiwick audit collect --script > collect.sh        prints the read-only calls; run it with sh
  bailiwick audit audit/                               a folder that the script has made
  bailiwick audit details.json                         authorization details alone
  bailiwick audit --server                             a live account, with your own key
  bailiwick audit audit/ --format json > today.json
  bailiwick audit audit/ --format html > audit.html    one page for a browser
  bailiwick audit audit/ --baseline yesterday.json     what is new, and what is fixed
  bailiwick audit audit/ --settings audit.toml --format sarif > audit.sarif
  bailiwick audit checks                               the checks, with their controls
  bailiwick audit unused --older-than 90d              on a live account
  bailiwick audit shared-keys --since 7d               on a live account

A check whose data are missing says so and never passes. Exit code 0: nothing was found; 1: there
are findings; 2: a file cannot be used; what the others tell is printed all the same.")]
    Audit(Box<AuditArgs>),
    /// Best-practice lists, each practice answered from the checks of an audit
    #[command(after_help = CHECKLIST_HELP)]
    Checklist(ChecklistArgs),
    /// Controls of a standard, each answered from the checks of an audit
    #[command(after_help = COMPLIANCE_HELP)]
    Compliance(ComplianceArgs),
    /// Write down who there is, what for, and what they may do
    #[command(after_help = "\
Examples:
  bailiwick docs export audit/ --out docs/iam")]
    Docs {
        /// What to do
        #[command(subcommand)]
        verb: DocsCommand,
    },
    /// Take away everything with which a user could still act
    #[command(after_help = "\
Examples:
  bailiwick offboard alice --dry-run
  bailiwick offboard alice --record alice.json
  bailiwick offboard alice --undo alice.json
  bailiwick offboard alice --delete                    in the end

An inline policy denies her everything, which ends her console sessions and temporary keys; access
keys, SSH keys, service-specific credentials and signing certificates become inactive; the password
is deleted and MFA devices are taken away; her sessions of roles are revoked by name. Then it tells
what she had, and which roles and policies name her. --undo gives back all but the password and the
MFA devices.")]
    Offboard(OffboardArgs),
    /// A beginning that is right: groups by job, users for programs of others
    #[command(after_help = "\
Examples:
  bailiwick quickstart groups --dry-run
  bailiwick quickstart third-party --name wordpress --bucket wordpress-media \\
      --source-ip 203.0.113.0/24")]
    Quickstart {
        /// What to make
        #[command(subcommand)]
        verb: QuickstartCommand,
    },
    /// Look for access keys in files
    #[command(after_help = "\
Examples:
  bailiwick scan . --keys                              before a push, in CI
  bailiwick scan src/ config/ --keys --format sarif > keys.sarif
  bailiwick scan . --keys --check                      and which of them a server knows

Access-key ids (AKIA..., ASIA...) and secrets that stand beside one or beside a name such as
aws_secret_access_key are told as FILE:LINE:COLUMN; a secret is never shown whole. Files that hold
NUL bytes or are longer than --max-bytes are left out, and so are .git directories (what git has
compressed there is not read: scan a checkout of each commit that counts) and symbolic links. Exit
code 0: none was found; 1: some were; 2: a path cannot be read.")]
    Scan(ScanArgs),
    /// Work on policies
    #[command(after_help = "\
Examples:
  bailiwick policy test suite.yaml                     the same as `bailiwick test`
  bailiwick policy lint read.json
  bailiwick policy convert-inline --user-name alice --policy-name p1")]
    Policy {
        /// What to do
        #[command(subcommand)]
        verb: PolicyCommand,
    },
}

/// A verb on policies.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Run a suite of expectations about policies
    #[command(after_help = TEST_HELP)]
    Test(TestArgs),
    /// What is legal in a policy and still not meant
    #[command(after_help = "\
Examples:
  bailiwick policy lint read.json write.json
  bailiwick policy lint --kind trust trust.json --format json
  bailiwick policy lint --account export.json
  bailiwick policy lint --live                         and who of the users is locked out

It tells what IAM refuses, names that no catalog has, keys that only this server knows, and policies
that lock out users who must change their password, with AWS's fuller list as a fix. Exit code 0: no
more than notes; 1: errors or warnings; 2: it could not be read.")]
    Lint(LintArgs),
    /// What a policy or a principal is granted of each service, by access level
    #[command(after_help = "\
Examples:
  bailiwick policy summary read.json
  bailiwick policy summary arn:aws:iam::aws:policy/ReadOnlyAccess
  bailiwick policy summary PowerUserAccess --format json
  bailiwick policy summary arn:aws:iam::123456789012:user/alice --account export.json

A level (List, Read, Write, Permissions management, Tagging) is full where every action of the service
that has it is named, limited where some are. Allow and Deny are told apart; boundaries and policies of
organizations are not counted in.")]
    Summary(SummaryArgs),
    /// What `bailiwick validate` looks for
    #[command(after_help = "\
Examples:
  bailiwick policy checks
  bailiwick policy checks --count
  bailiwick policy checks --format json")]
    Checks(ChecksArgs),
    /// Make a managed policy of a user's inline policy, with the same decisions
    #[command(after_help = "\
Examples:
  bailiwick policy convert-inline --user-name alice --policy-name p1
  bailiwick policy convert-inline --user-name alice --policy-name p1 --undo

The managed policy is attached before the inline one goes; requests made from the user's policies are
decided before and after, and must come out the same. Exit code 0: done; 1: refused, or something is
decided in another way; 2: could not be done.")]
    ConvertInline(ConvertInlineArgs),
    /// Move a user's policies to a new group of theirs, with the same decisions
    #[command(after_help = "\
Examples:
  bailiwick policy to-group                            who has policies of their own
  bailiwick policy to-group --user-name alice --group-name writers")]
    ToGroup(ToGroupArgs),
}

const TEST_HELP: &str = "\
Examples:
  bailiwick test suite.yaml                            what fails, and why
  bailiwick test suite.yaml --format junit > report.xml
  bailiwick test suites/*.yaml --format sarif > report.sarif

Exit code 0: all is as expected; 1: something is not; 2: a suite cannot be read.";

const GENERATE_HELP: &str = "\
Examples:
  bailiwick generate --principal arn:aws:iam::123456789012:role/ci --events AWSLogs/
  bailiwick generate --principal arn:aws:iam::123456789012:user/alice --events AWSLogs/ \\
      --account audit/ --from 2026-10-01 --format policy > least.json
  bailiwick events --limit 1000 --format json | \\
      bailiwick generate --principal arn:aws:iam::123456789012:user/alice --events -
  bailiwick generate --principal arn:aws:iam::123456789012:role/ci --events AWSLogs/ --denied
  bailiwick generate --principal arn:aws:iam::123456789012:role/ci --events AWSLogs/ --preview new.json

The policy is put to the engine: all observed calls must be allowed by it, and no refused one that was
never let through. What the events cannot show is said. Exit code 0: so it is; 1: it is not, something was
refused (--denied), or the policy would refuse an observed call (--preview); 2: bad input.";
const CHECKLIST_HELP: &str = "\
Examples:
  bailiwick checklist audit/                           all five lists
  bailiwick checklist audit/ --seed 000                one of them
  bailiwick checklist --seed 000                       of the account on a server
  bailiwick checklist audit/ --seed 001 --format markdown > practices.md
  bailiwick checklist audit/ --manual marks.toml --format csv > practices.csv

A practice fails if one of its checks does, and passes if all of them were assessed and pass. What only
people know is `manual` until somebody says so in --manual, with evidence and a last day:
  [[mark]]
  practice = \"000-07\"
  state = \"pass\"
  evidence = \"review of 2026-10-01, ticket SEC-77\"
  by = \"ann\"
  until = \"2026-12-31\"
Exit code 0: no practice fails; 1: some do; 2: a file cannot be used.";

const COMPLIANCE_HELP: &str = "\
Examples:
  bailiwick compliance audit/ --standard cis-3.0
  bailiwick compliance audit/ --standard nist-800-53 --format markdown > nist.md
  bailiwick compliance audit/ --standard pci-4.0 --manual marks.toml --format csv > pci.csv

A control that no check can answer is `manual` until somebody says in --manual how it stands:
  [[mark]]
  control = \"cis-3.0 1.3\"
  state = \"pass\"
  evidence = \"looked at in the console, ticket SEC-78\"
  by = \"ann\"
  until = \"2026-12-31\"
Exit code 0: no control fails; 1: some do; 2: a file cannot be used.";

const WHO_CAN_HELP: &str = "\
Examples:
  bailiwick who-can s3:GetObject arn:aws:s3:::payroll/2026.csv --account export.json
  bailiwick who-can 's3:Get*' 'arn:aws:s3:::payroll/*' --account export.json \\
      --resource-policy arn:aws:s3:::payroll=bucket.json --scp root.json unit.json
  bailiwick who-can iam:CreateUser --account export.json --format csv
  bailiwick who-can kms:Decrypt arn:aws:kms:eu-west-1:123456789012:key/1 --account export.json \\
      --why-not alice

`always`: every request is allowed; `only if`: some are, with a request that the decision engine
allows; whoever is not named has no such access in any context. A role is taken for a session
without session policy; of a caller from outside its own account is taken to allow it too. Exit
code 0: somebody can; 1: nobody can, or not whom --why-not names; 2: bad input.";

const CAN_HELP: &str = "\
Examples:
  bailiwick can alice --account export.json
  bailiwick can arn:aws:iam::123456789012:role/ci --account export.json --service s3
  bailiwick can alice --account export.json --action 'iam:*' --via-roles --format json

Exit code 0: it can do something of that; 1: it can do nothing of it; 2: bad input.";

const MATRIX_HELP: &str = "\
Examples:
  bailiwick access-matrix --account export.json --resources buckets.txt --actions s3:GetObject s3:PutObject
  bailiwick access-matrix --account export.json --services s3 kms iam --format csv > levels.csv

A question mark: in some requests only, or on some of the resource. Exit code 0: somebody can do
some of it; 1: nobody can; 2: bad input.";

/// How answers are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

impl Command {
    /// Does what the verb says.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Events(args) => events::run(&args),
            Self::Call(args) => call::run(&args),
            Self::Why(args) => why::run(&args),
            Self::Validate(args) => validate::run(&args),
            Self::Check { verb } => check::run(&verb),
            Self::Diff(args) => diff::run(&args),
            Self::Policy { verb: PolicyCommand::Summary(args) } => policies::summary::run(&args),
            Self::Policy { verb: PolicyCommand::Checks(args) } => validate::codes::run(&args),
            Self::Simulate(args) => simulate::run(&args),
            Self::Attack { verb } => attack::run(&verb),
            Self::Escalate(args) => escalate::run(&args),
            Self::Generate(args) => generate::run(&args),
            Self::WhoCan(args) => reach::who_can(&args),
            Self::Can(args) => reach::can(&args),
            Self::AccessMatrix(args) => reach::matrix(&args),
            Self::Quickstart { verb } => quickstart::run(&verb),
            Self::Scan(args) => scan::run(&args),
            Self::Audit(args) => audit::run(&args),
            Self::Checklist(args) => checklist::run(&args),
            Self::Compliance(args) => checklist::compliance(&args),
            Self::Docs { verb } => docs::run(&verb),
            Self::Offboard(args) => offboard::run(&args),
            Self::Keys { verb } => keys::run(&verb),
            Self::Test(args) | Self::Policy { verb: PolicyCommand::Test(args) } => {
                suite::run(&args)
            }
            Self::Policy { verb: PolicyCommand::Lint(args) } => policies::lint::run(&args),
            Self::Policy { verb: PolicyCommand::ConvertInline(args) } => {
                policies::inline::run(&args)
            }
            Self::Policy { verb: PolicyCommand::ToGroup(args) } => policies::group::run(&args),
        }
    }
}

/// The exit code of a command: 0 when it was done, 1 when it found what it looks for (a denial, a
/// failed expectation), 2 when it could not be done, with the reason on standard error. A reader of
/// our output that has gone away is no error.
pub fn exit(done: anyhow::Result<()>) -> ExitCode {
    let Err(error) = done else { return ExitCode::SUCCESS };
    let gone = error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe);
    if gone {
        return ExitCode::SUCCESS;
    }
    if error.is::<simulate::fault::Findings>() {
        return ExitCode::from(1);
    }
    // Our own longer texts have lines of their own; other texts have no say over lines.
    let is_fault = error.is::<simulate::fault::Fault>()
        || error.is::<validate::input::Unreadable>()
        || error.is::<iam::Stopped>();
    let text = format!("{error:#}");
    let lines: Vec<&str> = if is_fault { text.lines().collect() } else { vec![&text] };
    let shown: Vec<String> = lines.into_iter().map(terminal::text).collect();
    let _ = writeln!(stderr(), "error: {}", shown.join("\n"));
    let found = error.is::<call::Refused>() || error.is::<iam::Stopped>();
    ExitCode::from(if found { 1 } else { 2 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser};

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: Command,
    }

    #[test]
    fn every_verb_has_help_with_an_example() {
        Line::command().debug_assert();
        for command in Line::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:\n  bailiwick "), "{}", command.get_name());
        }
    }

    #[test]
    fn lines_parse() {
        for (line, fine) in [
            ("x events --follow --user a --event-name B --error-code C --access-key-id D", true),
            ("x events --since 10m --limit 5 --format json", true),
            ("x events --since soon", false),
            ("x events --limit 0", false),
            ("x call --via a.amazonaws.com --via b.amazonaws.com iam GetUser UserName=a", true),
            ("x call --source-ip 10.0.0.1 iam GetUser", false),
            ("x call iam", false),
            ("x why d-1234567", true),
            ("x why", false),
            ("x simulate --batch -", true),
            ("x simulate --batch f --principal p --action s3:X", false),
            ("x simulate --principal p --action s3:X s3:Y --resource r --policy a b", true),
            ("x simulate --principal p", false),
            ("x simulate --principal p --action s3:X --attach f", false),
            ("x simulate --principal p --action s3:X --account e --replace a=f --detach b", true),
            ("x simulate --principal p --action s3:X --account e --policy f", false),
            ("x who-can s3:GetObject --account e f", true),
            ("x who-can s3:GetObject arn:aws:s3:::b --account e --format csv --no-roles", true),
            ("x who-can s3:GetObject", false),
            ("x can alice --account e --service s3 --via-roles", true),
            ("x can alice --account e --service s3 --action s3:Get*", false),
            ("x access-matrix --account e --services s3 iam", true),
            ("x access-matrix --account e --resources f", false),
            ("x test s.yaml --format junit", true),
            ("x test", false),
            ("x policy test s.yaml", true),
            ("x validate a.json - --policy-type scp --format sarif --fail-on error", true),
            ("x validate a --policy-type RESOURCE_POLICY --resource-type AWS::S3::Bucket", true),
            ("x validate a --resource-type bucket", false),
            ("x validate", false),
            ("x validate --all-managed", true),
            ("x validate a --all-managed", false),
            ("x check no-new-access --existing a --new b --policy-type RESOURCE_POLICY", true),
            ("x check no-new-access --existing a", false),
            ("x check no-new-access --batch -", true),
            ("x check no-new-access --batch - --new b", false),
            ("x check access-not-granted --policy p --action a:b c:d --resource r", true),
            ("x check access-not-granted --policy p", false),
            ("x check no-public-access --policy p --resource-type AWS::SNS::Topic", true),
            ("x check no-public-access --policy p --resource-type topic", false),
            ("x diff a b --policy-type resource --format json", true),
            ("x diff a", false),
            ("x policy checks --count", true),
            ("x policy summary ReadOnlyAccess --format json", true),
            ("x policy summary arn:aws:iam::123456789012:user/a --account e.json f.json", true),
            ("x policy summary", false),
            ("x policy lint", false),
            ("x policy lint --live", true),
            ("x policy lint f --live", false),
            ("x policy lint --account a b", true),
            ("x policy convert-inline --user-name u", false),
            ("x policy to-group", true),
            ("x policy to-group --group-name g", false),
            ("x keys rotate --store file:c#p --quiet-for 15m --grace 7d --dry-run", true),
            ("x keys rotate --user-name u", false),
            ("x keys rotate --store c", false),
            ("x audit unused --older-than 90d --apply --grace 30d", true),
            ("x audit unused --older-than soon", false),
            ("x audit shared-keys --networks 1", false),
            ("x audit folder other.json --format sarif --baseline b.json --settings s.toml", true),
            ("x audit folder --as-of 2026-01-01T00:00:00Z", true),
            ("x audit --format json", false),
            ("x audit --server", true),
            ("x audit --server http://127.0.0.1:4680 --format json", true),
            ("x audit --data-dir d", false),
            ("x audit collect --run folder", true),
            ("x audit collect --run folder --script", false),
            ("x audit checks --count", true),
            ("x audit collect --script", true),
            ("x audit collect", false),
            ("x audit collect --script --policy", false),
            ("x checklist folder --seed 001 --manual m.toml --format markdown", true),
            ("x checklist --seed 000 --endpoint-url http://127.0.0.1:1", true),
            ("x checklist folder --seed 005", false),
            ("x compliance folder --standard cis-3.0 --format csv", true),
            ("x compliance folder", false),
            ("x compliance folder --standard cis-2.9", false),
            ("x docs export folder --out d --require-purpose", true),
            ("x docs export folder", false),
            ("x docs export --out d", true),
            ("x offboard alice --undo r.json --dry-run", true),
            ("x offboard alice --undo r.json --delete", false),
            ("x offboard", false),
            ("x scan . --keys --format sarif --check", true),
            ("x scan .", false),
            ("x attack run --all folder --from a --format json", true),
            ("x attack run folder --technique ESC-049 --technique LAT-001", true),
            ("x attack run folder", false),
            ("x attack run --all", false),
            (
                "x attack run --all --live --throw-away-account 123456789012 --endpoint http://a:1",
                true,
            ),
            ("x attack run --all --live", false),
            ("x attack run --all --live --throw-away-account 12", false),
            ("x attack run --all f --live --throw-away-account 123456789012", false),
            ("x attack list --count", true),
            ("x audit toxic folder --rules r.yaml --built-in", true),
            ("x audit toxic", false),
            ("x audit overprivileged folder --top 5", true),
            ("x check toxic --attach p.json --to a folder", true),
            ("x check toxic --to a folder", false),
            ("x escalate e.json --to admin --format dot --scp root=a.json", true),
            ("x escalate", false),
            ("x generate --principal p --events d - --from 2026-01-01 --compact", true),
            ("x generate --principal p --events d --denied --preview f", false),
            ("x generate --principal p", false),
            ("x quickstart groups --dry-run", true),
            ("x quickstart third-party --name n --bucket bbb --source-ip 192.0.2.0/24", true),
            ("x quickstart third-party --name n --bucket bbb --source-ip 0.0.0.0/0", false),
        ] {
            assert_eq!(Line::try_parse_from(line.split(' ')).is_ok(), fine, "{line}");
        }
    }
}
