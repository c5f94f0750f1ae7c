//! `bailiwick can`.

use std::fmt::Write as _;
use std::io::{Write as _, stdout};

use anyhow::anyhow;
use bailiwick_analyzer::reach::{Certainty, Chain, Grants, Permission, Reach};
use clap::Args;
use serde_json::{Value, json};

use super::world::{WorldArgs, end, principal, tell, unreadable};
use super::{Rows, csv, joined, word};
use crate::simulate::fault::Findings;
use crate::terminal;

/// Flags of `can`.
#[derive(Args, Debug)]
pub struct CanArgs {
    /// The principal: its ARN, or the name of a user or role
    pub principal: String,
    /// Where the account comes from
    #[command(flatten)]
    pub world: WorldArgs,
    /// Of one service alone, such as `s3`
    #[arg(long, value_name = "SERVICE", conflicts_with = "action")]
    pub service: Option<String>,
    /// Of actions alone that match, such as `s3:Get*`
    #[arg(long, value_name = "PATTERN")]
    pub action: Option<String>,
    /// Also what the roles bring that it can assume
    #[arg(long)]
    pub via_roles: bool,
    /// How to print: people are told what is alike together, programs every action
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Rows,
}

/// What one principal can do, by itself or in a role.
struct Part {
    /// The roles by which it comes to it; none: by itself.
    chain: Option<Chain>,
    permissions: Vec<Permission>,
}

/// What it can do.
pub(crate) fn run(args: &CanArgs) -> anyhow::Result<()> {
    let pattern = match (&args.service, &args.action) {
        (Some(service), _) => format!("{service}:*"),
        (None, Some(action)) => action.clone(),
        (None, None) => "*".to_owned(),
    };
    let (estate, notes) = args.world.read()?;
    let unreadable = unreadable(&estate.account);
    let reach = Reach::new(&estate);
    let arn = principal(&reach, &args.principal)?;
    let can = |arn: &str| -> anyhow::Result<Vec<Permission>> {
        let found = reach.can(arn, &pattern).map_err(|error| anyhow!(error))?;
        Ok(found.unwrap_or_default())
    };
    let mut parts = vec![Part { chain: None, permissions: can(&arn)? }];
    if args.via_roles {
        for chain in reach.roles_of(&arn) {
            let Some(last) = chain.hops.last() else { continue };
            let permissions = can(&last.role)?;
            parts.push(Part { chain: Some(chain), permissions });
        }
    }
    let mut out = stdout().lock();
    match args.format {
        Rows::Table => {
            tell(&notes);
            for line in table(&arn, &parts).lines() {
                writeln!(out, "{}", terminal::text(line))?;
            }
        }
        Rows::Json => {
            let text = format!("{:#}", as_json(&arn, &parts, &notes));
            writeln!(out, "{}", terminal::json(&text))?;
        }
        Rows::Csv => {
            tell(&notes);
            out.write_all(as_csv(&parts).as_bytes())?;
        }
    }
    out.flush()?;
    let done = if parts.iter().all(|part| part.permissions.is_empty()) {
        Err(Findings.into())
    } else {
        Ok(())
    };
    end(unreadable, done)
}

fn table(arn: &str, parts: &[Part]) -> String {
    let mut out = String::new();
    for part in parts {
        match &part.chain {
            None => {
                let _ = writeln!(out, "{arn}");
            }
            Some(chain) => {
                let hops: Vec<&str> = chain.hops.iter().map(|hop| hop.role.as_str()).collect();
                let certainty = word(chain.certainty);
                let _ = writeln!(out, "\nAs {} ({certainty})", hops.join(", then "));
            }
        }
        if part.permissions.is_empty() {
            out.push_str("  nothing\n");
        }
        let mut service = String::new();
        for grants in Grants::of(&part.permissions) {
            if grants.service != service {
                service.clone_from(&grants.service);
                let _ = writeln!(out, "  {service}");
            }
            out += &told(&grants);
        }
    }
    out
}

fn told(grants: &Grants) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "    {} on {}", grants.actions.join(", "), grants.resources.join(", "));
    if !grants.within.is_empty() {
        let _ = writeln!(out, "      within {}", grants.within.join(", "));
    }
    if !grants.except.is_empty() {
        let _ = writeln!(out, "      except {}", grants.except.join(", "));
    }
    if grants.certainty == Certainty::Undecided {
        out.push_str("      undecided\n");
    } else if !grants.when.is_empty() {
        let _ = writeln!(out, "      only if {}", joined(&grants.when));
    }
    for deny in &grants.unless {
        let _ = writeln!(out, "      unless {}, by {}", joined(&deny.when), deny.by);
    }
    if !grants.by.is_empty() {
        let _ = writeln!(out, "      by {}", grants.by.join("; and "));
    }
    out
}

fn as_json(arn: &str, parts: &[Part], notes: &[String]) -> Value {
    let mut roles = Vec::new();
    let mut own = Value::Null;
    for part in parts {
        let permissions = json!(part.permissions);
        match &part.chain {
            None => own = permissions,
            Some(chain) => roles.push(json!({
                "roles": chain.hops.iter().map(|hop| &hop.role).collect::<Vec<_>>(),
                "certainty": chain.certainty,
                "permissions": permissions,
            })),
        }
    }
    json!({"principal": arn, "permissions": own, "byRoles": roles, "notes": notes})
}

fn as_csv(parts: &[Part]) -> String {
    let mut out = csv::row([
        "role",
        "action",
        "levels",
        "resources",
        "except",
        "within",
        "certainty",
        "when",
        "by",
    ]);
    for part in parts {
        let role = part.chain.as_ref().and_then(|chain| chain.hops.last());
        for permission in &part.permissions {
            for scope in &permission.scopes {
                let way = scope.ways.first();
                out += &csv::row([
                    role.map(|hop| hop.role.clone()).unwrap_or_default(),
                    permission.action.clone(),
                    permission.levels.join(" "),
                    scope.resources.clone(),
                    scope.except.join(" "),
                    scope.within.join(" "),
                    word(scope.certainty).to_owned(),
                    way.map(|way| joined(&way.when)).unwrap_or_default(),
                    way.map(super::statements).unwrap_or_default(),
                ]);
            }
        }
    }
    out
}
