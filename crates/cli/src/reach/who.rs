//! `bailiwick who-can`.

use std::fmt::Write as _;
use std::io::{Write as _, stdout};

use anyhow::{anyhow, bail};
use bailiwick_analyzer::reach::{Access, Chain, Extent, Kind, Question, Reach, Who};
use clap::Args;
use serde_json::{Value, json};

use super::world::{WorldArgs, end, principal, tell, unreadable};
use super::{Rows, csv, joined, reasons, statements, word};
use crate::simulate::fault::Findings;
use crate::terminal;

/// How many actions are named in a line.
const NAMED: usize = 6;

/// Flags of `who-can`.
#[derive(Args, Debug)]
pub struct WhoCanArgs {
    /// The action, such as `s3:GetObject`, or a pattern such as `s3:Get*`
    pub action: String,
    /// On what: an ARN, a pattern of ARNs, or `*` for all that the action may name
    #[arg(default_value = "*")]
    pub resource: String,
    /// Where the account comes from
    #[command(flatten)]
    pub world: WorldArgs,
    /// Explain why this principal cannot: its ARN or name
    #[arg(long, value_name = "PRINCIPAL")]
    pub why_not: Option<String>,
    /// Leave out who could by assuming a role
    #[arg(long)]
    pub no_roles: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Rows,
}

/// Who can.
pub(crate) fn run(args: &WhoCanArgs) -> anyhow::Result<()> {
    let question = Question::new(&args.action, &args.resource).map_err(|error| anyhow!(error))?;
    let (estate, notes) = args.world.read()?;
    let unreadable = unreadable(&estate.account);
    let reach = Reach::new(&estate);
    if let Some(given) = &args.why_not {
        tell(&notes);
        let done = why_not(&reach, &question, &principal(&reach, given)?);
        return end(unreadable, done);
    }
    let who = reach.who_can(&question);
    let chains = if args.no_roles { Vec::new() } else { reach.chains(&who) };
    let mut out = stdout().lock();
    match args.format {
        Rows::Table => {
            tell(&notes);
            for line in table(args, &who, &chains).lines() {
                writeln!(out, "{}", terminal::text(line))?;
            }
        }
        Rows::Json => {
            let text = format!("{:#}", as_json(&question, &who, &chains, &notes));
            writeln!(out, "{}", terminal::json(&text))?;
        }
        Rows::Csv => {
            tell(&notes);
            out.write_all(as_csv(&who, &chains).as_bytes())?;
        }
    }
    out.flush()?;
    let done = if who.is_empty() && chains.is_empty() { Err(Findings.into()) } else { Ok(()) };
    end(unreadable, done)
}

fn why_not(reach: &Reach<'_>, question: &Question, principal: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    let access = reach.can_do(principal, question).unwrap_or_default();
    if !access.is_empty() {
        writeln!(out, "{} can:", terminal::text(principal))?;
        for line in described(&access) {
            writeln!(out, "  {}", terminal::text(&line))?;
        }
        return Ok(());
    }
    let [action] = question.actions.as_slice() else {
        bail!("--why-not explains one action at a time");
    };
    let resource = &question.resource;
    if !question.is_exact() && resource != "*" {
        bail!("--why-not explains one resource at a time");
    }
    if let Some(explanation) = reach.explain(principal, action, resource) {
        for line in explanation.to_string().lines() {
            writeln!(out, "{}", terminal::text(line))?;
        }
    }
    writeln!(out, "no context changes this")?;
    out.flush()?;
    Err(Findings.into())
}

fn table(args: &WhoCanArgs, who: &[Who], chains: &[Chain]) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} on {}", args.action, args.resource);
    if who.is_empty() {
        out.push_str("\nNobody can.\n");
    }
    let mut kind = None;
    for who in who {
        if kind != Some(who.kind) {
            kind = Some(who.kind);
            let _ = writeln!(out, "\n{}", heading(who.kind));
        }
        let _ = writeln!(out, "  {}", who.principal);
        if who.if_its_account_allows {
            out.push_str("    as far as its own account allows it too\n");
        }
        for line in described(&who.access) {
            let _ = writeln!(out, "    {line}");
        }
    }
    if !chains.is_empty() {
        out.push_str("\nBy assuming roles\n");
    }
    for chain in chains {
        let hops: Vec<&str> = chain.hops.iter().map(|hop| short(&hop.role)).collect();
        let _ = writeln!(
            out,
            "  {} -> {}: {}",
            chain.principal,
            hops.join(" -> "),
            word(chain.certainty)
        );
        if chain.if_its_account_allows {
            out.push_str("    as far as its own account allows it too\n");
        }
        for hop in &chain.hops {
            let Some(way) = hop.access.ways.first() else { continue };
            let when = if way.when.is_empty() {
                String::new()
            } else {
                format!(" if {}", joined(&way.when))
            };
            let _ = writeln!(out, "    {}{when}", short(&hop.role));
            let _ = writeln!(out, "      by {}", statements(way));
        }
    }
    let count = |kinds: &[Kind]| who.iter().filter(|who| kinds.contains(&who.kind)).count();
    let _ = writeln!(
        out,
        "\n{} users, {} roles and {} others can; {} more by assuming roles.",
        count(&[Kind::User]),
        count(&[Kind::Role, Kind::LinkedRole]),
        who.len() - count(&[Kind::User, Kind::Role, Kind::LinkedRole]),
        chains.len(),
    );
    out
}

/// What can be done, actions that are alike together.
fn described(access: &[Access]) -> Vec<String> {
    let mut groups: Vec<(&Access, Vec<&str>)> = Vec::new();
    for one in access {
        let same = groups.iter_mut().find(|(held, _)| {
            held.certainty == one.certainty
                && held.extent == one.extent
                && held.ways == one.ways
                && held.unless == one.unless
        });
        match same {
            Some((_, names)) => names.push(&one.action),
            None => groups.push((one, vec![&one.action])),
        }
    }
    let mut out = Vec::new();
    for (one, names) in groups {
        let mut line = word(one.certainty).to_owned();
        if access.len() > 1 {
            let shown: Vec<&str> = names.iter().take(NAMED).copied().collect();
            let _ = write!(line, ": {}", shown.join(", "));
            if names.len() > NAMED {
                let _ = write!(line, " and {} more", names.len() - NAMED);
            }
        }
        if one.extent == Extent::Some {
            match &one.witness {
                Some(witness) => {
                    let _ = write!(line, " (on some of it, such as {})", witness.resource);
                }
                None => line.push_str(" (on some of it)"),
            }
        }
        out.push(line);
        out.extend(reasons(&one.ways, &one.unless).into_iter().map(|line| format!("  {line}")));
        if let Some(witness) = &one.witness
            && !witness.context.is_empty()
        {
            let keys: Vec<String> = witness
                .context
                .iter()
                .map(|(key, values)| format!("{key} = {}", values.join(" | ")))
                .collect();
            out.push(format!("  such as with {}", keys.join(", ")));
        }
    }
    out
}

fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::Root => "The root user",
        Kind::User => "Users",
        Kind::Role => "Roles",
        Kind::LinkedRole => "Service-linked roles (no SCP and no RCP limits them)",
        Kind::Session => "Sessions",
        Kind::Foreign => "Principals of other accounts",
        Kind::Account => "Other accounts",
        Kind::Service => "Services",
        Kind::Provider => "Identity providers",
        Kind::Everybody | Kind::Anonymous => "Everybody",
    }
}

fn short(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

fn as_json(question: &Question, who: &[Who], chains: &[Chain], notes: &[String]) -> Value {
    json!({
        "actions": question.actions,
        "resource": question.resource,
        "who": who,
        "byRoles": chains,
        "notes": notes,
    })
}

fn as_csv(who: &[Who], chains: &[Chain]) -> String {
    let mut out = csv::row([
        "principal",
        "kind",
        "action",
        "certainty",
        "extent",
        "when",
        "unless",
        "by",
        "roles",
    ]);
    let kind = |kind: Kind| serde_json::to_value(kind).ok();
    let kind =
        |found: Kind| kind(found).and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    for who in who {
        for access in &who.access {
            let way = access.ways.first();
            let unless: Vec<String> = access.unless.iter().map(|deny| joined(&deny.when)).collect();
            out += &csv::row([
                who.principal.clone(),
                kind(who.kind),
                access.action.clone(),
                word(access.certainty).to_owned(),
                if access.extent == Extent::All { "all" } else { "some" }.to_owned(),
                way.map(|way| joined(&way.when)).unwrap_or_default(),
                unless.join("; "),
                way.map(statements).unwrap_or_default(),
                String::new(),
            ]);
        }
    }
    for chain in chains {
        let hops: Vec<&str> = chain.hops.iter().map(|hop| hop.role.as_str()).collect();
        out += &csv::row([
            chain.principal.clone(),
            kind(chain.kind),
            String::new(),
            word(chain.certainty).to_owned(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            hops.join(" "),
        ]);
    }
    out
}
