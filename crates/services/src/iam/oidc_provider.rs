//! OpenID Connect providers: records of issuers whose tokens roles may trust.
//!
//! Deviation: a provider made without thumbprints has none, where AWS fetches one from the issuer;
//! this server does not call out. They matter only for issuers whose certificate no public
//! authority signed.

use std::sync::Arc;

use bailiwick_identifiers::{Arn, TagSet};
use bailiwick_model::{OidcIssuer, OidcIssuerError, OidcProvider, Record};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;

use super::{managed, tags};
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::Paging;

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<CreateOpenIDConnectProvider>(),
    entry::<GetOpenIDConnectProvider>(),
    entry::<ListOpenIDConnectProviders>(),
    entry::<DeleteOpenIDConnectProvider>(),
    entry::<AddClientIDToOpenIDConnectProvider>(),
    entry::<RemoveClientIDFromOpenIDConnectProvider>(),
    entry::<UpdateOpenIDConnectProviderThumbprint>(),
    entry::<TagOpenIDConnectProvider>(),
    entry::<UntagOpenIDConnectProvider>(),
    entry::<ListOpenIDConnectProviderTags>(),
];

/// The most thumbprints of one provider. Source: IAM API, CreateOpenIDConnectProvider.
const MAX_THUMBPRINTS: usize = 5;

/// Checks a list of thumbprints; validation has seen to their length.
fn thumbprints(list: Vec<String>) -> Result<Vec<String>, Fault> {
    if list.len() > MAX_THUMBPRINTS {
        // AWS's words, as far as is known: they say fewer, and mean at most.
        return Err(Fault::invalid_input("Thumbprint list must contain fewer than 5 entries."));
    }
    let is_hex = |text: &String| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match list.iter().find(|text| !is_hex(text)) {
        Some(text) => Err(Fault::invalid_input(format!(
            "Invalid thumbprint: {text} is not 40 hexadecimal digits."
        ))),
        None => Ok(list),
    }
}

/// Reads a provider's URL. AWS's words up to the colon (as far as is known).
fn issuer(url: &str) -> Result<OidcIssuer, Fault> {
    let invalid = |what: &str| format!("Invalid Open ID Connect Provider URL: {what}");
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(Fault::validation(invalid("it must begin with https://")));
    };
    if scheme != "https" {
        return Err(Fault::invalid_input(invalid("it must begin with https://")));
    }
    rest.parse().map_err(|error: OidcIssuerError| match error {
        OidcIssuerError::Host => Fault::validation(invalid(&error.to_string())),
        _ => Fault::invalid_input(invalid(&error.to_string())),
    })
}

/// The provider that a request names.
struct Target {
    arn: Arn,
    /// None where the ARN cannot be that of a provider that was made.
    issuer: Option<OidcIssuer>,
}

impl Target {
    fn parse(text: &str) -> Result<Self, Fault> {
        let arn = managed::parse_arn(text)?;
        let name = (arn.service() == "iam")
            .then(|| arn.resource().strip_prefix("oidc-provider/"))
            .flatten()
            .ok_or_else(|| {
                let what = "is not the ARN of an OpenID Connect provider";
                Fault::invalid_input(format!("Invalid ARN: {arn} {what}."))
            })?;
        let issuer = name.parse().ok();
        Ok(Self { arn, issuer })
    }

    fn find(&self, call: &Call<'_>) -> Option<Arc<OidcProvider>> {
        let account = call.account();
        let held = account.oidc_provider(self.issuer.as_ref()?)?;
        (account.oidc_provider_arn(&held.issuer) == self.arn).then(|| Arc::clone(held))
    }

    /// AWS's words, as far as is known.
    fn require(&self, call: &Call<'_>) -> Result<Arc<OidcProvider>, Fault> {
        self.find(call).ok_or_else(|| {
            let text = format!("OpenIDConnect Provider not found for arn {}", self.arn);
            Fault::new("NoSuchEntity", text)
        })
    }

    fn ask<O: Operation>(&self, call: &Call<'_>) -> Ask {
        let mut ask = call.ask::<O>(self.arn.as_str());
        if let Some(owner) = self.arn.account_id() {
            ask.owner = owner;
        }
        match self.find(call) {
            Some(held) => ask.general_resource_tags(&held.tags),
            None => ask,
        }
    }
}

/// Writes a provider back, if it is another now.
fn replace(call: &mut Permitted<'_>, old: &OidcProvider, new: OidcProvider) {
    if *old != new {
        call.update(Record::OidcProvider(Arc::new(new)));
    }
}

/// Adds a provider to the caller's account.
struct CreateOpenIDConnectProvider {
    issuer: OidcIssuer,
    client_ids: Vec<String>,
    thumbprints: Vec<String>,
    tags: TagSet,
}

impl Operation for CreateOpenIDConnectProvider {
    type Api = api::CreateOpenIDConnectProvider;

    fn parse(request: api::CreateOpenIDConnectProviderRequest) -> Result<Self, Fault> {
        let mut client_ids: Vec<String> = Vec::new();
        for id in request.client_id_list.unwrap_or_default() {
            if !client_ids.contains(&id) {
                client_ids.push(id);
            }
        }
        Ok(Self {
            issuer: issuer(&request.url)?,
            client_ids,
            thumbprints: thumbprints(request.thumbprint_list.unwrap_or_default())?,
            tags: tags::parse_exact(request.tags)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let arn = call.account().oidc_provider_arn(&self.issuer);
        let ask = call.ask::<Self>(arn.as_str()).request_tags(&self.tags);
        let tagging = (!self.tags.is_empty())
            .then(|| Ask { action: "iam:TagOpenIDConnectProvider".into(), ..ask.clone() });
        Ok([ask].into_iter().chain(tagging).collect())
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::CreateOpenIDConnectProviderResponse, Fault> {
        if call.account().oidc_provider(&self.issuer).is_some() {
            // AWS's words, as far as is known.
            let taken = format!("Provider with url {} already exists.", self.issuer.url());
            return Err(Fault::new("EntityAlreadyExists", taken));
        }
        let held = call.account().oidc_providers().len();
        call.require_room(held, "OpenIdConnectProvidersPerAccount", call.quotas().oidc_providers)?;
        require_client_ids(call, &self.client_ids)?;
        tags::require_room(&self.tags, call, "OpenIdConnectProvider")?;
        let provider = Arc::new(OidcProvider {
            issuer: self.issuer.clone(),
            created: call.now(),
            client_ids: self.client_ids.clone(),
            thumbprints: self.thumbprints.clone(),
            tags: self.tags.clone(),
        });
        call.create(Record::OidcProvider(Arc::clone(&provider)));
        let arn = call.account().oidc_provider_arn(&provider.issuer);
        Ok(api::CreateOpenIDConnectProviderResponse {
            open_id_connect_provider_arn: Some(arn.to_string()),
            tags: tags::describe_any(&provider.tags),
        })
    }
}

fn require_client_ids(call: &Call<'_>, ids: &[String]) -> Result<(), Fault> {
    let limit = call.quotas().client_ids_per_oidc_provider;
    if u64::try_from(ids.len()).is_ok_and(|held| held <= limit) {
        Ok(())
    } else {
        // AWS's words, as far as is known.
        Err(Fault::limit("ClientIdsPerOpenIdConnectProvider", limit))
    }
}

/// Shows a provider.
struct GetOpenIDConnectProvider {
    target: Target,
}

impl Operation for GetOpenIDConnectProvider {
    type Api = api::GetOpenIDConnectProvider;

    fn parse(request: api::GetOpenIDConnectProviderRequest) -> Result<Self, Fault> {
        Ok(Self { target: Target::parse(&request.open_id_connect_provider_arn)? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![self.target.ask::<Self>(call)])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::GetOpenIDConnectProviderResponse, Fault> {
        let held = self.target.require(call)?;
        Ok(api::GetOpenIDConnectProviderResponse {
            // Without its scheme, as in the ARN (as far as is known).
            url: Some(held.issuer.to_string()),
            client_id_list: Some(held.client_ids.clone()),
            thumbprint_list: Some(held.thumbprints.clone()),
            create_date: Some(held.created),
            tags: Some(tags::describe(&held.tags)),
        })
    }
}

/// Lists all providers at once: AWS does not page them.
struct ListOpenIDConnectProviders;

impl Operation for ListOpenIDConnectProviders {
    type Api = api::ListOpenIDConnectProviders;

    fn parse(_: api::ListOpenIDConnectProvidersRequest) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::ListOpenIDConnectProvidersResponse, Fault> {
        let account = call.account();
        let entry = |held: &Arc<OidcProvider>| api::OpenIDConnectProviderListEntry {
            arn: Some(account.oidc_provider_arn(&held.issuer).to_string()),
        };
        Ok(api::ListOpenIDConnectProvidersResponse {
            open_id_connect_provider_list: Some(account.oidc_providers().map(entry).collect()),
        })
    }
}

/// Takes a provider away, though trust policies may name it. Source: IAM API; a provider that is
/// not there is no error.
struct DeleteOpenIDConnectProvider {
    target: Target,
}

impl Operation for DeleteOpenIDConnectProvider {
    type Api = api::DeleteOpenIDConnectProvider;

    fn parse(request: api::DeleteOpenIDConnectProviderRequest) -> Result<Self, Fault> {
        Ok(Self { target: Target::parse(&request.open_id_connect_provider_arn)? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![self.target.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        if let Some(held) = self.target.find(call) {
            call.delete(&Record::OidcProvider(held));
        }
        Ok(Empty)
    }
}

/// Adds an audience; one that is there already is no error. Source: IAM API.
struct AddClientIDToOpenIDConnectProvider {
    target: Target,
    client_id: String,
}

impl Operation for AddClientIDToOpenIDConnectProvider {
    type Api = api::AddClientIDToOpenIDConnectProvider;

    fn parse(request: api::AddClientIDToOpenIDConnectProviderRequest) -> Result<Self, Fault> {
        let target = Target::parse(&request.open_id_connect_provider_arn)?;
        Ok(Self { target, client_id: request.client_id })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![self.target.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let held = self.target.require(call)?;
        if !held.client_ids.contains(&self.client_id) {
            let mut client_ids = held.client_ids.clone();
            client_ids.push(self.client_id.clone());
            require_client_ids(call, &client_ids)?;
            replace(call, &held, OidcProvider { client_ids, ..OidcProvider::clone(&held) });
        }
        Ok(Empty)
    }
}

/// Takes an audience away; one that is not there is no error. Source: IAM API.
struct RemoveClientIDFromOpenIDConnectProvider {
    target: Target,
    client_id: String,
}

impl Operation for RemoveClientIDFromOpenIDConnectProvider {
    type Api = api::RemoveClientIDFromOpenIDConnectProvider;

    fn parse(request: api::RemoveClientIDFromOpenIDConnectProviderRequest) -> Result<Self, Fault> {
        let target = Target::parse(&request.open_id_connect_provider_arn)?;
        Ok(Self { target, client_id: request.client_id })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![self.target.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let held = self.target.require(call)?;
        let mut client_ids = held.client_ids.clone();
        client_ids.retain(|id| *id != self.client_id);
        replace(call, &held, OidcProvider { client_ids, ..OidcProvider::clone(&held) });
        Ok(Empty)
    }
}

/// Puts thumbprints in the place of those that are there.
struct UpdateOpenIDConnectProviderThumbprint {
    target: Target,
    thumbprints: Vec<String>,
}

impl Operation for UpdateOpenIDConnectProviderThumbprint {
    type Api = api::UpdateOpenIDConnectProviderThumbprint;

    fn parse(request: api::UpdateOpenIDConnectProviderThumbprintRequest) -> Result<Self, Fault> {
        let target = Target::parse(&request.open_id_connect_provider_arn)?;
        Ok(Self { target, thumbprints: thumbprints(request.thumbprint_list)? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![self.target.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let held = self.target.require(call)?;
        let thumbprints = self.thumbprints.clone();
        replace(call, &held, OidcProvider { thumbprints, ..OidcProvider::clone(&held) });
        Ok(Empty)
    }
}

/// Adds tags to a provider, or changes their values.
struct TagOpenIDConnectProvider {
    target: Target,
    tags: TagSet,
}

impl Operation for TagOpenIDConnectProvider {
    type Api = api::TagOpenIDConnectProvider;

    fn parse(request: api::TagOpenIDConnectProviderRequest) -> Result<Self, Fault> {
        let target = Target::parse(&request.open_id_connect_provider_arn)?;
        Ok(Self { target, tags: tags::parse_exact(request.tags)? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![self.target.ask::<Self>(call).request_tags(&self.tags)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let held = self.target.require(call)?;
        let tags = tags::merged_exact(&held.tags, &self.tags, call, "OpenIdConnectProvider")?;
        replace(call, &held, OidcProvider { tags, ..OidcProvider::clone(&held) });
        Ok(Empty)
    }
}

/// Takes tags off a provider.
struct UntagOpenIDConnectProvider {
    target: Target,
    keys: Vec<String>,
}

impl Operation for UntagOpenIDConnectProvider {
    type Api = api::UntagOpenIDConnectProvider;

    fn parse(request: api::UntagOpenIDConnectProviderRequest) -> Result<Self, Fault> {
        let target = Target::parse(&request.open_id_connect_provider_arn)?;
        Ok(Self { target, keys: request.tag_keys })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![self.target.ask::<Self>(call).tag_keys(&self.keys)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let held = self.target.require(call)?;
        let tags = tags::without_exact(&held.tags, &self.keys);
        replace(call, &held, OidcProvider { tags, ..OidcProvider::clone(&held) });
        Ok(Empty)
    }
}

/// Lists the tags of a provider.
struct ListOpenIDConnectProviderTags {
    target: Target,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListOpenIDConnectProviderTags {
    type Api = api::ListOpenIDConnectProviderTags;

    fn parse(request: api::ListOpenIDConnectProviderTagsRequest) -> Result<Self, Fault> {
        let target = Target::parse(&request.open_id_connect_provider_arn)?;
        Ok(Self { target, marker: request.marker, max_items: request.max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![self.target.ask::<Self>(call)])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::ListOpenIDConnectProviderTagsResponse, Fault> {
        let held = self.target.require(call)?;
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = tags::page(call, paging, self.target.arn.as_str(), &held.tags)?;
        Ok(api::ListOpenIDConnectProviderTagsResponse {
            tags: page.items,
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_providers() {
        for (url, expected) in [
            ("https://server.example.com", Ok("server.example.com")),
            ("https://server.example.com/", Ok("server.example.com/")),
            ("https://oidc.example.com/id/A1", Ok("oidc.example.com/id/A1")),
            ("server.example.com", Err("ValidationError")),
            ("https://", Err("ValidationError")),
            ("http://server.example.com", Err("InvalidInput")),
            ("HTTPS://server.example.com", Err("InvalidInput")),
            ("https://server.example.com?a=b", Err("InvalidInput")),
            ("https://server.example.com/#a", Err("InvalidInput")),
            ("https://server.example.com:8443", Err("InvalidInput")),
            ("https://user@server.example.com", Err("ValidationError")),
            ("https://server.example.com/*", Err("InvalidInput")),
        ] {
            let found = issuer(url).map(|issuer| issuer.to_string());
            let found = found.map_err(|fault| fault.code().to_owned());
            assert_eq!(found.as_deref().map_err(AsRef::as_ref), expected, "{url}");
        }
    }

    #[test]
    fn thumbprints_are_digits() {
        let good = "0123456789abcdef0123456789ABCDEF01234567".to_owned();
        assert!(thumbprints(vec![good.clone(); 5]).is_ok());
        assert!(thumbprints(Vec::new()).is_ok());
        for list in [vec![good; 6], vec!["g".repeat(40)]] {
            assert_eq!(thumbprints(list).unwrap_err().code(), "InvalidInput");
        }
    }
}
