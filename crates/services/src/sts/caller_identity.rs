//! GetCallerIdentity and GetAccessKeyInfo.

use bailiwick_identifiers::AccessKeyId;
use bailiwick_wire::generated::sts as api;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, Request, entry};

pub(super) const OPERATIONS: &[Entry] =
    &[entry::<GetCallerIdentity>(), entry::<GetAccessKeyInfo>()];

/// Tells who calls. It needs no permission, and none can be taken away (EV-11).
struct GetCallerIdentity;

impl Operation for GetCallerIdentity {
    type Api = api::GetCallerIdentity;

    fn parse(_: Request<Self>) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetCallerIdentityResponse, Fault> {
        let caller = call.caller();
        Ok(api::GetCallerIdentityResponse {
            user_id: Some(caller.user_id()),
            account: Some(caller.account.to_string()),
            arn: Some(caller.arn().to_string()),
        })
    }
}

/// Tells the account of any access key id.
struct GetAccessKeyInfo {
    key: AccessKeyId,
}

impl Operation for GetAccessKeyInfo {
    type Api = api::GetAccessKeyInfo;

    fn parse(request: Request<Self>) -> Result<Self, Fault> {
        let key = request.access_key_id.parse();
        Ok(Self { key: key.map_err(|_| Fault::validation("Invalid Access Key Id"))? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetAccessKeyInfoResponse, Fault> {
        // A key that was imported is told by the caller's own list alone: the index of other
        // accounts is not for outsiders. All others carry their account in the id.
        let account = if call.account().access_key(&self.key).is_some() {
            Some(call.account().id())
        } else {
            self.key.account()
        };
        let account = account.ok_or_else(|| Fault::validation("Invalid Access Key Id"))?;
        Ok(api::GetAccessKeyInfoResponse { account: Some(account.to_string()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_ids_that_are_none() {
        let request = api::GetAccessKeyInfoRequest { access_key_id: "AKIA-".into() };
        assert!(GetAccessKeyInfo::parse(request).is_err());
    }
}
