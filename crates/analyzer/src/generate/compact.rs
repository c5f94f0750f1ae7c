//! Fewer statements that allow the same.
//!
//! Statements with the same resources are one, whatever their services. Statements of one service
//! are one where no action gets a resource of a type that it knows: an action is never asked for a
//! resource of another type, so nothing more is allowed. Source: service authorization reference.

use bailiwick_catalog::Catalog;

use super::policy::Statement;
use super::target::fits;

/// Statements joined as far as that allows nothing more.
pub(super) fn joined(statements: Vec<Statement>) -> Vec<Statement> {
    let mut out: Vec<Statement> = Vec::new();
    for statement in statements {
        let same = out.iter_mut().find(|held| {
            held.passed_to.is_empty()
                && statement.passed_to.is_empty()
                && (held.resource == statement.resource
                    || (apart(held, &statement) && apart(&statement, held)))
        });
        match same {
            Some(held) => {
                held.action.extend(statement.action);
                held.resource.extend(statement.resource);
            }
            None => out.push(statement),
        }
    }
    out
}

/// Whether no action of one statement is ever asked for a resource of the other.
fn apart(one: &Statement, other: &Statement) -> bool {
    let catalog = Catalog::embedded();
    let prefix = |statement: &Statement| {
        let action = statement.action.first()?;
        action.split_once(':').map(|(service, _)| service.to_owned())
    };
    if prefix(one) != prefix(other) {
        return false;
    }
    one.action.iter().all(|action| {
        let Some((service, name)) = action.split_once(':') else { return false };
        let (Some(service), Some(action)) =
            (catalog.service(service), catalog.action(service, name))
        else {
            return false;
        };
        // Without resource types an action is asked for `*`, which an ARN does not match.
        let kinds =
            action.resource_types.iter().filter_map(|kind| service.resource_type(&kind.name));
        let patterns: Vec<&str> = kinds.flat_map(|kind| kind.arn_pattern.split(", ")).collect();
        other.resource.iter().all(|resource| {
            let plain = resource.starts_with("arn:") && !resource.contains("${");
            // `x/*` stands for one name or many: as a name it fits what any of them fits.
            plain
                && !patterns.iter().any(|pattern| {
                    fits(pattern, resource) || fits(pattern, &resource.replace('*', "a/a"))
                })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(actions: &[&str], resources: &[&str]) -> Statement {
        let set = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        Statement {
            effect: "Allow",
            action: set(actions),
            resource: set(resources),
            passed_to: std::collections::BTreeSet::new(),
        }
    }

    #[test]
    fn statements_are_joined_where_nothing_is_added() {
        let list = statement(&["s3:ListBucket"], &["arn:aws:s3:::b"]);
        let get = statement(&["s3:GetObject"], &["arn:aws:s3:::b/a"]);
        let put = statement(&["s3:PutObject"], &["arn:aws:s3:::b/c"]);
        assert_eq!(
            joined(vec![list.clone(), get.clone()]),
            [statement(
                &["s3:GetObject", "s3:ListBucket"],
                &["arn:aws:s3:::b", "arn:aws:s3:::b/a"]
            )]
        );
        // To put where it gets would be more.
        assert_eq!(joined(vec![get.clone(), put.clone()]), [get, put]);
        let all =
            [statement(&["s3:ListAllMyBuckets"], &["*"]), statement(&["iam:ListUsers"], &["*"])];
        assert_eq!(joined(all.to_vec()).len(), 1);
        // `*` is never joined with a name.
        assert_eq!(joined(vec![list, statement(&["s3:ListAllMyBuckets"], &["*"])]).len(), 2);
    }
}
