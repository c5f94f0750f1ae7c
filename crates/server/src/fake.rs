//! A services' side that keeps nothing: for tests of the process around it.

use std::net::IpAddr;

use bailiwick_identifiers::{AccessKeyId, AccountId};
use bailiwick_wire::Secret;
use parking_lot::Mutex;

use crate::operator::{AccountSummary, Credentials, ForwardSession, Operator, OperatorError};

#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) accounts: Mutex<Vec<AccountId>>,
    pub(crate) key_policy: Mutex<Option<bailiwick_model::KeyPolicy>>,
    pub(crate) imported: Mutex<Vec<(AccountId, String, AccessKeyId, String)>>,
}

impl Fake {
    fn credentials(account: AccountId, user: &str) -> Credentials {
        Credentials {
            account,
            user: user.into(),
            access_key_id: format!("AKIA{account}TEST").parse().unwrap(),
            secret_access_key: Secret::new(format!("canary-secret-{account}")),
            console_password: Some(Secret::new("canary-password")),
        }
    }
}

impl Operator for Fake {
    fn first_start(
        &self,
        account: Option<AccountId>,
    ) -> Result<Option<Credentials>, OperatorError> {
        if self.accounts.lock().is_empty() {
            self.create_account(account, None).map(Some)
        } else {
            Ok(None)
        }
    }

    fn create_account(
        &self,
        id: Option<AccountId>,
        _: Option<String>,
    ) -> Result<Credentials, OperatorError> {
        let mut accounts = self.accounts.lock();
        let id = id.unwrap_or_else(|| {
            AccountId::from_number(100_000_000_000 + accounts.len() as u64).unwrap()
        });
        if accounts.contains(&id) {
            return Err(OperatorError(format!("account {id} exists")));
        }
        accounts.push(id);
        Ok(Self::credentials(id, "admin"))
    }

    fn accounts(&self) -> Result<Vec<AccountSummary>, OperatorError> {
        let summary = |account: &AccountId| AccountSummary {
            account: *account,
            name: None,
            users: 1,
            roles: 0,
            root_key: false,
        };
        Ok(self.accounts.lock().iter().map(summary).collect())
    }

    fn import_key(
        &self,
        account: AccountId,
        user_name: &str,
        id: AccessKeyId,
        secret: Secret,
    ) -> Result<(), OperatorError> {
        self.imported.lock().push((account, user_name.into(), id, secret.expose().into()));
        Ok(())
    }

    fn import_mfa_tokens(
        &self,
        _: AccountId,
        tokens: &[bailiwick_services::operator::Token],
    ) -> Result<(usize, usize), OperatorError> {
        Ok((tokens.len(), 0))
    }

    fn deactivate_mfa_device(&self, _: AccountId, _: &str) -> Result<String, OperatorError> {
        Ok("root".into())
    }

    fn create_root_key(&self, account: AccountId) -> Result<Credentials, OperatorError> {
        Ok(Self::credentials(account, "root"))
    }

    fn delete_root_keys(&self, account: AccountId) -> Result<Vec<AccessKeyId>, OperatorError> {
        Ok(vec![Self::credentials(account, "root").access_key_id])
    }

    fn forward_session(
        &self,
        access_key_id: &AccessKeyId,
        _: Option<&Secret>,
        services: &[String],
        _: Option<IpAddr>,
    ) -> Result<ForwardSession, OperatorError> {
        if services.is_empty() {
            return Err(OperatorError("no service".into()));
        }
        Ok(ForwardSession {
            access_key_id: access_key_id.clone(),
            secret_access_key: Secret::new("forward-secret"),
            session_token: Secret::new("forward-token"),
            expiration: jiff::Timestamp::UNIX_EPOCH,
        })
    }

    fn set_key_policy(
        &self,
        _: AccountId,
        policy: Option<bailiwick_model::KeyPolicy>,
    ) -> Result<(), OperatorError> {
        *self.key_policy.lock() = policy;
        Ok(())
    }

    fn key_policy(&self, _: AccountId) -> Result<serde_json::Value, OperatorError> {
        let held = self.key_policy.lock();
        Ok(held.as_ref().map_or(serde_json::Value::Null, |held| serde_json::json!(held)))
    }

    fn load_fixture(
        &self,
        account: AccountId,
        name: &str,
    ) -> Result<Option<Credentials>, OperatorError> {
        assert_ne!(name, "panic", "asked to panic");
        Ok(Some(Self::credentials(account, name)))
    }

    fn note(&self, _: &str, _: &serde_json::Value) -> Result<(), OperatorError> {
        Ok(())
    }

    fn replace_catalog(&self, _: &'static bailiwick_catalog::Catalog) {}

    fn rekey(&self) -> Result<u32, OperatorError> {
        Ok(7)
    }

    fn tick(&self) {}

    fn sync(&self) {}
}
