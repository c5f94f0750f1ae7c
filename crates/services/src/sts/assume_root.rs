//! AssumeRoot: short sessions of a member account's root user for one task.

use bailiwick_identifiers::{AccountId, Arn};
use bailiwick_wire::generated::sts as api;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, Request, entry};

pub(super) const OPERATIONS: &[Entry] = &[entry::<AssumeRoot>()];

/// The path of the policies that name a task.
const TASKS: &str = "policy/root-task/";

/// Only the management account of an organization, or its delegated administrator, gets such a
/// session, and no account of this server belongs to an organization: whoever is permitted to ask is
/// told so.
struct AssumeRoot {
    target: AccountId,
    task: Arn,
}

impl Operation for AssumeRoot {
    type Api = api::AssumeRoot;

    fn parse(request: Request<Self>) -> Result<Self, Fault> {
        let target = account(&request.target_principal).ok_or_else(|| {
            let text = format!("{} is neither an account nor its root", request.target_principal);
            Fault::validation(text)
        })?;
        let task = request.task_policy_arn.arn.unwrap_or_default();
        let task: Arn =
            task.parse().map_err(|_| Fault::validation(format!("{task} is invalid")))?;
        Ok(Self { target, task })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        // Root users have no resource policy, so that nobody gets into another account.
        let root = Arn::root(call.partition(), self.target);
        Ok(vec![call.ask::<Self>(root.as_str()).with("sts:TaskPolicyArn", self.task.as_str())])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::AssumeRootResponse, Fault> {
        let is_task = self.task.resource().starts_with(TASKS)
            && call.node().managed().policy(&self.task).is_some();
        if !is_task {
            return Err(Fault::validation(format!("{} is not a task policy", self.task)));
        }
        Err(Fault::access_denied(format!(
            "Account {} may not assume root of {}: it manages no organization",
            call.caller().account,
            self.target
        )))
    }
}

/// The account that an id or the ARN of a root user names.
fn account(text: &str) -> Option<AccountId> {
    if let Ok(id) = text.parse() {
        return Some(id);
    }
    let arn: Arn = text.parse().ok()?;
    let is_root = arn.service() == "iam" && arn.resource() == "root";
    arn.account_id().filter(|_| is_root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_by_id_and_by_root() {
        let id = "210987654321".parse().ok();
        for (text, expected) in [
            ("210987654321", id),
            ("arn:aws:iam::210987654321:root", id),
            ("arn:aws:iam::210987654321:user/root", None),
            ("arn:aws:sts::210987654321:root", None),
            ("21098765432", None),
            ("", None),
        ] {
            assert_eq!(account(text), expected, "{text:?}");
        }
    }
}
