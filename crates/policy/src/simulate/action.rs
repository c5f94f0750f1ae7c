//! The names of actions that can be simulated (SIM-10).

use bailiwick_catalog::Catalog;

/// The prefix of the server's own actions, which no list of AWS holds.
const OWN_PREFIX: &str = "bailiwick";

/// Why an action cannot be simulated.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ActionError {
    /// It has a wildcard: each action is asked by itself.
    #[error("Invalid Action Name: {0}. Wildcards are not supported in action names.")]
    Wildcard(String),
    /// It is not of the form `service:Name`.
    #[error("Invalid Action Name: {0}. An action name has the form service:Action.")]
    Shape(String),
    /// The service is not known, or has no such action.
    #[error("Invalid Action Name: {0}. The action is not known.")]
    Unknown(String),
}

/// Checks the name of an action, without regard to case (ACT-1).
///
/// *Observed*: AWS refuses what is no action, such as the name of a condition key, for the whole
/// call. The words after the first stop are ours.
///
/// # Errors
/// The name has a wildcard, is not of the form `service:Name`, or the catalog does not hold it.
pub fn require_action(catalog: &Catalog, action: &str) -> Result<(), ActionError> {
    if action.contains(['*', '?']) {
        return Err(ActionError::Wildcard(action.to_owned()));
    }
    let named = action
        .split_once(':')
        .filter(|(prefix, name)| !prefix.is_empty() && !name.is_empty() && !name.contains(':'));
    let Some((prefix, name)) = named else { return Err(ActionError::Shape(action.to_owned())) };
    if prefix.eq_ignore_ascii_case(OWN_PREFIX) || catalog.action(prefix, name).is_some() {
        Ok(())
    } else {
        Err(ActionError::Unknown(action.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // SIM-10
    #[test]
    fn sim_10_actions_are_named_whole_and_known() {
        let catalog = Catalog::embedded();
        for (action, known) in [
            ("iam:CreateUser", true),
            ("IAM:createuser", true),
            ("s3:GetObject", true),
            ("bailiwick:ListEvents", true),
            ("s3:*", false),
            ("s3:Get?bject", false),
            ("*", false),
            ("GetObject", false),
            (":GetObject", false),
            ("s3:", false),
            ("s3:Get:Object", false),
            ("s3:NoSuchAction", false),
            ("nosuch:GetObject", false),
            ("iam:PassedToService", false),
        ] {
            assert_eq!(require_action(catalog, action).is_ok(), known, "{action}");
        }
    }
}
