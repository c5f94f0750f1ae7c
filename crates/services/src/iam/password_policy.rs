//! The account's own password policy. It holds for every password that is set from then on.

use std::sync::Arc;

use bailiwick_model::{AccountSettings, PasswordPolicy, Record};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<UpdateAccountPasswordPolicy>(),
    entry::<GetAccountPasswordPolicy>(),
    entry::<DeleteAccountPasswordPolicy>(),
];

/// The length that a policy asks for unless it says otherwise. Source: IAM API,
/// UpdateAccountPasswordPolicy.
const DEFAULT_LENGTH: u8 = 6;

fn put(call: &mut Permitted<'_>, policy: Option<PasswordPolicy>) {
    let held = call.account().settings();
    if held.password_policy != policy {
        let settings = AccountSettings { password_policy: policy, ..held.clone() };
        call.update(Record::Settings(Arc::new(settings)));
    }
}

/// Sets the whole policy: what the request leaves out falls back to its default.
struct UpdateAccountPasswordPolicy {
    policy: PasswordPolicy,
}

/// A number in the range that validation has checked.
fn number<T: TryFrom<i32>>(value: Option<i32>) -> Result<Option<T>, Fault> {
    value.map(T::try_from).transpose().map_err(|_| Fault::internal())
}

impl Operation for UpdateAccountPasswordPolicy {
    type Api = api::UpdateAccountPasswordPolicy;

    fn parse(request: api::UpdateAccountPasswordPolicyRequest) -> Result<Self, Fault> {
        let policy = PasswordPolicy {
            minimum_length: number(request.minimum_password_length)?.unwrap_or(DEFAULT_LENGTH),
            symbols: request.require_symbols.unwrap_or(false),
            numbers: request.require_numbers.unwrap_or(false),
            uppercase: request.require_uppercase_characters.unwrap_or(false),
            lowercase: request.require_lowercase_characters.unwrap_or(false),
            allow_change: request.allow_users_to_change_password.unwrap_or(false),
            max_age: number(request.max_password_age)?,
            reuse_prevention: number(request.password_reuse_prevention)?,
            hard_expiry: request.hard_expiry,
        };
        Ok(Self { policy })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        put(call, Some(self.policy.clone()));
        Ok(Empty)
    }
}

/// Shows the policy. AWS's default is none of the account's own, and is not shown.
struct GetAccountPasswordPolicy;

impl Operation for GetAccountPasswordPolicy {
    type Api = api::GetAccountPasswordPolicy;

    fn parse(_: Empty) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::GetAccountPasswordPolicyResponse, Fault> {
        let policy = call.account().settings().password_policy.as_ref().ok_or_else(|| {
            // *Observed*.
            let account = call.account().id();
            let text = format!("The Password Policy with domain name {account} cannot be found.");
            Fault::new("NoSuchEntity", text)
        })?;
        Ok(api::GetAccountPasswordPolicyResponse { password_policy: describe(policy) })
    }
}

fn describe(policy: &PasswordPolicy) -> api::PasswordPolicy {
    api::PasswordPolicy {
        minimum_password_length: Some(policy.minimum_length.into()),
        require_symbols: Some(policy.symbols),
        require_numbers: Some(policy.numbers),
        require_uppercase_characters: Some(policy.uppercase),
        require_lowercase_characters: Some(policy.lowercase),
        allow_users_to_change_password: Some(policy.allow_change),
        expire_passwords: Some(policy.max_age.is_some()),
        max_password_age: policy.max_age.map(Into::into),
        password_reuse_prevention: policy.reuse_prevention.map(Into::into),
        hard_expiry: policy.hard_expiry,
    }
}

/// Goes back to AWS's default policy.
struct DeleteAccountPasswordPolicy;

impl Operation for DeleteAccountPasswordPolicy {
    type Api = api::DeleteAccountPasswordPolicy;

    fn parse(_: Empty) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        if call.account().settings().password_policy.is_none() {
            // *Observed*.
            let text = "The account policy with name PasswordPolicy cannot be found.";
            return Err(Fault::new("NoSuchEntity", text));
        }
        put(call, None);
        Ok(Empty)
    }
}
