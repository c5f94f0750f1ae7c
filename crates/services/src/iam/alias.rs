//! The alias of an account: a name for its sign-in page, unique on the whole server.

use std::sync::Arc;

use bailiwick_identifiers::AccountAlias;
use bailiwick_model::{AccountInfo, Record};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::node::ALIASES;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

pub(super) const OPERATIONS: &[Entry] =
    &[entry::<CreateAccountAlias>(), entry::<ListAccountAliases>(), entry::<DeleteAccountAlias>()];

fn path(alias: &AccountAlias) -> String {
    format!("{ALIASES}{}", alias.as_str())
}

/// Gives the account an alias in place of the one it has, if any (*observed*).
struct CreateAccountAlias {
    alias: AccountAlias,
}

impl Operation for CreateAccountAlias {
    type Api = api::CreateAccountAlias;

    fn parse(request: api::CreateAccountAliasRequest) -> Result<Self, Fault> {
        let alias = request.account_alias.parse().map_err(|_| {
            Fault::validation(
                "The specified value for accountAlias is invalid. It must contain only digits, \
                 lowercase letters, and hyphens (-), but cannot begin or end with a hyphen, have \
                 two hyphens in a row, or be twelve digits.",
            )
        })?;
        Ok(Self { alias })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        // Two accounts that reach for one alias at the same moment both pass here, and the store
        // gives it to one.
        let old = call.account().info().alias.clone();
        if old.as_ref() == Some(&self.alias) || !call.claim(path(&self.alias)) {
            let taken = format!("The account alias {} already exists.", self.alias.as_str());
            return Err(Fault::new("EntityAlreadyExists", taken));
        }
        if let Some(old) = &old {
            call.release(path(old));
        }
        set(call, Some(self.alias.clone()));
        Ok(Empty)
    }
}

/// Lists the alias of the account, of which there is at most one.
struct ListAccountAliases {
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListAccountAliases {
    type Api = api::ListAccountAliases;

    fn parse(request: api::ListAccountAliasesRequest) -> Result<Self, Fault> {
        let api::ListAccountAliasesRequest { marker, max_items } = request;
        Ok(Self { marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListAccountAliasesResponse, Fault> {
        let aliases = call.account().info().alias.iter().map(|alias| alias.as_str().to_owned());
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = page::cut(call, paging, &[], aliases, Clone::clone)?;
        Ok(api::ListAccountAliasesResponse {
            account_aliases: page.items,
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Takes the account's alias away, so that another account may have it.
struct DeleteAccountAlias {
    alias: String,
}

impl Operation for DeleteAccountAlias {
    type Api = api::DeleteAccountAlias;

    fn parse(request: api::DeleteAccountAliasRequest) -> Result<Self, Fault> {
        Ok(Self { alias: request.account_alias })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let held = call.account().info().alias.clone();
        let Some(held) = held.filter(|held| held.as_str() == self.alias) else {
            let missing = format!("The account alias {} cannot be found.", self.alias);
            return Err(Fault::new("NoSuchEntity", missing));
        };
        call.release(path(&held));
        set(call, None);
        Ok(Empty)
    }
}

fn set(call: &mut Permitted<'_>, alias: Option<AccountAlias>) {
    let info = AccountInfo { alias, ..call.account().info().clone() };
    call.update(Record::Account(Arc::new(info)));
}
