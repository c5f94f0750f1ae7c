//! Settings of the whole account: the version of session tokens, account properties, tokens for
//! services outside, and the central root access that needs an organization.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use bailiwick_model::{
    AccountSettings, OutboundFederation, Record, TokenAlgorithm, TokenKey, TokenVersion,
};
use bailiwick_wire::generated::iam as api;
use bailiwick_wire::{Api, Empty};

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::issuer;
use crate::material::token_key::NewKey;
use crate::operation::{Entry, Operation, entry};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<SetSecurityTokenServicePreferences>(),
    entry::<GetAccountProperties>(),
    entry::<PutAccountProperties>(),
    entry::<EnableOutboundWebIdentityFederation>(),
    entry::<DisableOutboundWebIdentityFederation>(),
    entry::<GetOutboundWebIdentityFederationInfo>(),
    entry::<OfOrganization<api::EnableOrganizationsRootCredentialsManagement>>(),
    entry::<OfOrganization<api::DisableOrganizationsRootCredentialsManagement>>(),
    entry::<OfOrganization<api::EnableOrganizationsRootSessions>>(),
    entry::<OfOrganization<api::DisableOrganizationsRootSessions>>(),
    entry::<OfOrganization<api::ListOrganizationsFeatures>>(),
];

/// The most properties of an account.
const MAX_PROPERTIES: usize = 100;

/// Writes the settings, if they are others now.
fn put(call: &mut Permitted<'_>, settings: AccountSettings) {
    if *call.account().settings() != settings {
        call.update(Record::Settings(Arc::new(settings)));
    }
}

/// Sets the version of the global endpoint's tokens. It shows in GetAccountSummary; the tokens of
/// this server are good wherever it answers.
struct SetSecurityTokenServicePreferences {
    version: TokenVersion,
}

impl Operation for SetSecurityTokenServicePreferences {
    type Api = api::SetSecurityTokenServicePreferences;

    fn parse(request: api::SetSecurityTokenServicePreferencesRequest) -> Result<Self, Fault> {
        // Validation has checked that it is one of the two.
        let version = match &*request.global_endpoint_token_version {
            "v2Token" => TokenVersion::V2,
            _ => TokenVersion::V1,
        };
        Ok(Self { version })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let settings = call.account().settings().clone();
        put(call, AccountSettings { token_version: self.version, ..settings });
        Ok(Empty)
    }
}

/// The namespace of a property, if its key has the form `Namespace/PropertyName`.
fn namespace(key: &str) -> Option<&str> {
    let (namespace, name) = key.split_once('/')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains('/')).then_some(namespace)
}

fn ask_of_namespaces<'a, O: Operation>(
    call: &Call<'_>,
    keys: impl Iterator<Item = &'a String>,
) -> Ask {
    let mut namespaces: Vec<String> =
        keys.filter_map(|key| namespace(key)).map(str::to_owned).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let ask = call.ask::<O>("*");
    if namespaces.is_empty() {
        ask
    } else {
        ask.with_many("iam:AccountPropertyNamespaces", namespaces)
    }
}

/// Shows the properties of the account.
struct GetAccountProperties;

impl Operation for GetAccountProperties {
    type Api = api::GetAccountProperties;

    fn parse(_: api::GetAccountPropertiesRequest) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask_of_namespaces::<Self>(call, call.account().settings().properties.keys())])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetAccountPropertiesResponse, Fault> {
        let properties = call.account().settings().properties.clone();
        Ok(api::GetAccountPropertiesResponse { properties: Some(properties) })
    }
}

/// Sets properties of one namespace. Deviation: AWS knows which properties there are, and does not
/// publish them; here every well-formed one is kept, and none has an effect.
struct PutAccountProperties {
    properties: BTreeMap<String, String>,
}

impl Operation for PutAccountProperties {
    type Api = api::PutAccountProperties;

    fn parse(request: api::PutAccountPropertiesRequest) -> Result<Self, Fault> {
        let properties = request.properties;
        let mut first = None;
        for key in properties.keys() {
            let namespace = namespace(key).ok_or_else(|| {
                Fault::invalid_input(format!(
                    "Invalid property key: {key} is not of the form Namespace/PropertyName."
                ))
            })?;
            if *first.get_or_insert(namespace) != namespace {
                return Err(Fault::invalid_input(
                    "All properties of a request must belong to the same namespace.",
                ));
            }
        }
        if properties.is_empty() {
            return Err(Fault::invalid_input("There must be at least one property."));
        }
        Ok(Self { properties })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask_of_namespaces::<Self>(call, self.properties.keys())])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::PutAccountPropertiesResponse, Fault> {
        let mut settings = call.account().settings().clone();
        settings.properties.extend(self.properties.clone());
        if settings.properties.len() > MAX_PROPERTIES {
            return Err(Fault::invalid_input(format!(
                "An account can have up to {MAX_PROPERTIES} properties."
            )));
        }
        put(call, settings);
        Ok(api::PutAccountPropertiesResponse::default())
    }
}

fn disabled() -> Fault {
    Fault::new("FeatureDisabled", "Outbound web identity federation is disabled for this account.")
}

/// Switches on tokens for services outside. The first time the account gets its issuer and its keys,
/// which stay.
#[derive(Default)]
struct EnableOutboundWebIdentityFederation {
    keys: Vec<NewKey>,
}

impl Operation for EnableOutboundWebIdentityFederation {
    type Api = api::EnableOutboundWebIdentityFederation;

    /// A key of RSA is made.
    const HEAVY: bool = true;

    fn parse(_: Empty) -> Result<Self, Fault> {
        Ok(Self::default())
    }

    fn prepare(&mut self, call: &Call<'_>) -> Result<(), Fault> {
        if call.account().settings().outbound.is_none() {
            let made = [TokenAlgorithm::Es384, TokenAlgorithm::Rs256].map(NewKey::generate);
            self.keys = made.into_iter().collect::<Option<_>>().ok_or_else(Fault::internal)?;
        }
        Ok(())
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::EnableOutboundWebIdentityFederationResponse, Fault> {
        let settings = call.account().settings().clone();
        let outbound = match settings.outbound {
            Some(held) if held.enabled => {
                return Err(Fault::new(
                    "FeatureEnabled",
                    "Outbound web identity federation is already enabled for this account.",
                ));
            }
            Some(held) => OutboundFederation { enabled: true, ..held },
            None => OutboundFederation {
                enabled: true,
                id: call.mint().uuid(),
                keys: self.seal(call).ok_or_else(Fault::internal)?,
            },
        };
        let issuer_identifier = Some(issuer::url(call.node(), &outbound));
        put(call, AccountSettings { outbound: Some(outbound), ..settings });
        Ok(api::EnableOutboundWebIdentityFederationResponse { issuer_identifier })
    }
}

impl EnableOutboundWebIdentityFederation {
    fn seal(&self, call: &mut Permitted<'_>) -> Option<Vec<TokenKey>> {
        let mut seal = |key: &NewKey| {
            let (id, nonce) = (call.mint().uuid(), call.mint().bytes());
            key.seal(call.keyring(), id, nonce)
        };
        self.keys.iter().map(&mut seal).collect()
    }
}

/// Switches them off. Tokens that were issued stay good.
struct DisableOutboundWebIdentityFederation;

impl Operation for DisableOutboundWebIdentityFederation {
    type Api = api::DisableOutboundWebIdentityFederation;

    fn parse(_: Empty) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let settings = call.account().settings().clone();
        let held = settings.outbound.filter(|held| held.enabled).ok_or_else(disabled)?;
        let outbound = Some(OutboundFederation { enabled: false, ..held });
        put(call, AccountSettings { outbound, ..settings });
        Ok(Empty)
    }
}

/// Shows the issuer, while tokens are on.
struct GetOutboundWebIdentityFederationInfo;

impl Operation for GetOutboundWebIdentityFederationInfo {
    type Api = api::GetOutboundWebIdentityFederationInfo;

    fn parse(_: Empty) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::GetOutboundWebIdentityFederationInfoResponse, Fault> {
        let held = call.account().settings().outbound.as_ref();
        let held = held.filter(|held| held.enabled).ok_or_else(disabled)?;
        Ok(api::GetOutboundWebIdentityFederationInfoResponse {
            issuer_identifier: Some(issuer::url(call.node(), held)),
            jwt_vending_enabled: Some(true),
        })
    }
}

/// An operation on the features of an organization. No account of this server belongs to one, and
/// AWS answers so to an account without.
struct OfOrganization<A>(PhantomData<fn() -> A>);

impl<A: Api + 'static> Operation for OfOrganization<A> {
    type Api = A;

    fn parse(_: A::Request) -> Result<Self, Fault> {
        Ok(Self(PhantomData))
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, _: &mut Permitted<'_>) -> Result<A::Response, Fault> {
        Err(Fault::new(
            "OrganizationNotFoundException",
            "No organization is associated with your account.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_properties() {
        for (key, expected) in [
            ("RoleManager/Enabled", Some("RoleManager")),
            ("RoleManager", None),
            ("RoleManager/", None),
            ("/Enabled", None),
            ("a/b/c", None),
            ("", None),
        ] {
            assert_eq!(namespace(key), expected, "{key:?}");
        }
    }

    #[test]
    fn properties_of_two_namespaces_are_refused() {
        for (keys, good) in
            [(&["A/x", "A/y"][..], true), (&["A/x", "B/y"], false), (&["A"], false), (&[], false)]
        {
            let properties = keys.iter().map(|key| ((*key).to_owned(), "true".into())).collect();
            let request = api::PutAccountPropertiesRequest { properties };
            assert_eq!(PutAccountProperties::parse(request).is_ok(), good, "{keys:?}");
        }
    }
}
