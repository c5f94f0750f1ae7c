//! SAML 2.0 providers: records of issuers whose assertions roles may trust.

use std::sync::Arc;

use bailiwick_identifiers::{Arn, SamlProviderName, TagSet};
use bailiwick_model::{
    AssertionEncryption, Record, RecordKey, SamlKey, SamlMetadata, SamlProvider,
};
use bailiwick_store::seal::{Binding, Purpose};
use bailiwick_wire::generated::iam as api;
use bailiwick_wire::{Empty, Secret};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::saml_metadata::{self, Metadata};
use super::{managed, tags, user};
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::material::private_key;
use crate::operation::{Entry, Operation, entry};
use crate::page::Paging;
use crate::ports::hex;

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<CreateSAMLProvider>(),
    entry::<GetSAMLProvider>(),
    entry::<ListSAMLProviders>(),
    entry::<UpdateSAMLProvider>(),
    entry::<DeleteSAMLProvider>(),
    entry::<TagSAMLProvider>(),
    entry::<UntagSAMLProvider>(),
    entry::<ListSAMLProviderTags>(),
];

/// The most private keys of a provider. Source: IAM API, privateKeyList.
const MAX_KEYS: usize = 2;
/// The most signing certificates in its metadata. Source: IAM user guide, reference_iam-quotas.
const MAX_CERTIFICATES: usize = 10;
/// How many years metadata last that say nothing about it (as far as is known).
const DEFAULT_YEARS: i64 = 100;
/// The most bytes of a document with every quote escaped: it is written in one transaction.
const MAX_STORED: usize = 12 * 1024 * 1024;

/// The provider that a request names.
struct Target {
    arn: Arn,
}

impl Target {
    fn parse(text: &str) -> Result<Self, Fault> {
        let arn = managed::parse_arn(text)?;
        if arn.service() == "iam" && arn.resource().starts_with("saml-provider/") {
            Ok(Self { arn })
        } else {
            let what = "is not the ARN of a SAML provider";
            Err(Fault::invalid_input(format!("Invalid ARN: {arn} {what}.")))
        }
    }

    fn find(&self, call: &Call<'_>) -> Option<Arc<SamlProvider>> {
        let account = call.account();
        let name = self.arn.resource().strip_prefix("saml-provider/")?;
        let held = account.saml_provider_named(name)?;
        (account.saml_provider_arn(&held.name) == self.arn).then(|| Arc::clone(held))
    }

    /// AWS's words, as far as is known: its manifest is the metadata document.
    fn require(&self, call: &Call<'_>) -> Result<Arc<SamlProvider>, Fault> {
        self.find(call).ok_or_else(|| {
            Fault::new("NoSuchEntity", format!("Manifest not found for arn {}", self.arn))
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

/// A metadata document that a request brings. What is wrong with it is told only to callers who may
/// make the call.
struct Draft {
    text: String,
    read: Result<Metadata, Fault>,
}

impl Draft {
    fn new(text: String) -> Self {
        // AWS's words, and behind them the reason, which AWS does not tell.
        let read = saml_metadata::read(&text)
            .map_err(|error| Fault::invalid_input(format!("Could not parse metadata ({error})")));
        Self { text, read }
    }

    fn accepted(&self) -> Result<&Metadata, Fault> {
        let read = self.read.as_ref().map_err(Fault::clone)?;
        if read.certificates.len() > MAX_CERTIFICATES {
            let limit = u64::try_from(MAX_CERTIFICATES).unwrap_or(u64::MAX);
            return Err(Fault::limit("KeysPerSAMLProvider", limit));
        }
        let escapes = self.text.bytes().filter(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)).count();
        if self.text.len() + escapes > MAX_STORED {
            return Err(Fault::invalid_input("The metadata document is too large to be kept."));
        }
        Ok(read)
    }

    fn valid_until(read: &Metadata, now: Timestamp) -> Timestamp {
        read.valid_until
            .or_else(|| {
                let end = now.to_zoned(TimeZone::UTC).checked_add(DEFAULT_YEARS.years());
                end.ok().map(|end| end.timestamp())
            })
            .unwrap_or(Timestamp::MAX)
    }
}

fn encryption(text: Option<&str>) -> Option<AssertionEncryption> {
    // Validation has checked that it is one of the two.
    text.map(|text| match text {
        "Allowed" => AssertionEncryption::Allowed,
        _ => AssertionEncryption::Required,
    })
}

/// Whether a text is an RSA key, the one kind for which XML encryption is used.
fn require_rsa(key: &Secret) -> Result<(), Fault> {
    // The public key of RSA is a sequence in DER, that of a curve a point.
    match private_key::public_key(key).as_deref() {
        Some([0x30, ..]) => Ok(()),
        _ => Err(Fault::invalid_input(
            "The private key must be an unencrypted RSA key of 2,048 bits or more in PEM.",
        )),
    }
}

fn new_key(call: &mut Permitted<'_>, key: &Secret) -> Result<SamlKey, Fault> {
    let id = new_id(call);
    let nonce = call.mint().bytes();
    let binding = Binding { kind: "saml-key", id: id.as_bytes(), version: 1 };
    let plain = key.expose().as_bytes();
    let sealed = call.keyring().seal(Purpose::SamlDecryptionKey, &binding, plain, nonce);
    let sealed = sealed.map_err(|error| {
        tracing::error!(%error, "the key of a SAML provider could not be sealed");
        Fault::internal()
    })?;
    Ok(SamlKey { id, added: call.now(), sealed: sealed.into() })
}

/// An id of 32 capital letters and digits.
fn new_id(call: &mut Permitted<'_>) -> String {
    hex(&call.mint().bytes::<16>()).to_ascii_uppercase()
}

/// A provider that requires encryption but has no key could take no assertion at all.
fn require_openable(encryption: AssertionEncryption, keys: &[SamlKey]) -> Result<(), Fault> {
    if encryption == AssertionEncryption::Required && keys.is_empty() {
        return Err(Fault::invalid_input(
            "A SAML provider that requires encrypted assertions must have a private key.",
        ));
    }
    Ok(())
}

/// Writes the parts of a document, and takes away what an older one had beyond them.
fn write_metadata(call: &mut Permitted<'_>, name: &SamlProviderName, text: &str, old: u32) -> u32 {
    let folded = name.folded();
    let parts = SamlMetadata::split(&folded, text);
    let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    for part in parts {
        call.update(Record::SamlMetadata(Arc::new(part)));
    }
    for part in count..old {
        call.remove(&RecordKey::SamlMetadata(folded.clone(), part));
    }
    count
}

/// Adds a provider to the caller's account.
struct CreateSAMLProvider {
    name: SamlProviderName,
    metadata: Draft,
    encryption: Option<AssertionEncryption>,
    key: Option<Secret>,
    tags: TagSet,
}

impl Operation for CreateSAMLProvider {
    type Api = api::CreateSAMLProvider;

    fn parse(request: api::CreateSAMLProviderRequest) -> Result<Self, Fault> {
        Ok(Self {
            name: user::new_name("name", &request.name)?,
            metadata: Draft::new(request.saml_metadata_document),
            encryption: encryption(request.assertion_encryption_mode.as_deref()),
            key: request.add_private_key,
            tags: tags::parse_exact(request.tags)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let arn = call.account().saml_provider_arn(&self.name);
        let ask = call.ask::<Self>(arn.as_str()).request_tags(&self.tags);
        let tagging = (!self.tags.is_empty())
            .then(|| Ask { action: "iam:TagSAMLProvider".into(), ..ask.clone() });
        Ok([ask].into_iter().chain(tagging).collect())
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::CreateSAMLProviderResponse, Fault> {
        let metadata = self.metadata.accepted()?;
        self.key.as_ref().map_or(Ok(()), require_rsa)?;
        if call.account().saml_provider_named(self.name.as_str()).is_some() {
            // AWS's words, as far as is known.
            let taken = format!("Provider with name {} already exists.", self.name);
            return Err(Fault::new("EntityAlreadyExists", taken));
        }
        let held = call.account().saml_providers().len();
        call.require_room(held, "SAMLProvidersPerAccount", call.quotas().saml_providers)?;
        tags::require_room(&self.tags, call, "SAMLProvider")?;
        let keys = match &self.key {
            Some(key) => vec![new_key(call, key)?],
            None => Vec::new(),
        };
        let encryption = self.encryption.unwrap_or_default();
        require_openable(encryption, &keys)?;
        let provider = Arc::new(SamlProvider {
            name: self.name.clone(),
            // AWS's begin so (as far as is known).
            uuid: format!("SAMLSP{}", new_id(call)),
            created: call.now(),
            valid_until: Draft::valid_until(metadata, call.now()),
            entity_id: metadata.entity_id.clone(),
            parts: write_metadata(call, &self.name, &self.metadata.text, 0),
            encryption,
            keys,
            tags: self.tags.clone(),
        });
        call.create(Record::SamlProvider(Arc::clone(&provider)));
        let arn = call.account().saml_provider_arn(&provider.name);
        Ok(api::CreateSAMLProviderResponse {
            saml_provider_arn: Some(arn.to_string()),
            tags: tags::describe_any(&provider.tags),
        })
    }
}

/// Shows a provider with its metadata, and its private keys by their ids alone.
struct GetSAMLProvider {
    target: Target,
}

impl Operation for GetSAMLProvider {
    type Api = api::GetSAMLProvider;

    fn parse(request: api::GetSAMLProviderRequest) -> Result<Self, Fault> {
        Ok(Self { target: Target::parse(&request.saml_provider_arn)? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![self.target.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetSAMLProviderResponse, Fault> {
        let held = self.target.require(call)?;
        let key = |key: &SamlKey| api::SAMLPrivateKey {
            key_id: Some(key.id.clone()),
            timestamp: Some(key.added),
        };
        Ok(api::GetSAMLProviderResponse {
            saml_provider_uuid: Some(held.uuid.clone()),
            saml_metadata_document: Some(call.account().saml_metadata(&held)),
            create_date: Some(held.created),
            valid_until: Some(held.valid_until),
            tags: Some(tags::describe(&held.tags)),
            assertion_encryption_mode: Some(held.encryption.as_str().to_owned()),
            private_key_list: Some(held.keys.iter().map(key).collect()),
        })
    }
}

/// Lists all providers at once: AWS does not page them.
struct ListSAMLProviders;

impl Operation for ListSAMLProviders {
    type Api = api::ListSAMLProviders;

    fn parse(_: api::ListSAMLProvidersRequest) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListSAMLProvidersResponse, Fault> {
        let account = call.account();
        let entry = |held: &Arc<SamlProvider>| api::SAMLProviderListEntry {
            arn: Some(account.saml_provider_arn(&held.name).to_string()),
            valid_until: Some(held.valid_until),
            create_date: Some(held.created),
        };
        Ok(api::ListSAMLProvidersResponse {
            saml_provider_list: Some(account.saml_providers().map(entry).collect()),
        })
    }
}

/// Changes what a request names: the metadata, the encryption mode, the private keys.
struct UpdateSAMLProvider {
    target: Target,
    metadata: Option<Draft>,
    encryption: Option<AssertionEncryption>,
    add: Option<Secret>,
    remove: Option<String>,
}

impl Operation for UpdateSAMLProvider {
    type Api = api::UpdateSAMLProvider;

    fn parse(request: api::UpdateSAMLProviderRequest) -> Result<Self, Fault> {
        if request.add_private_key.is_some() && request.remove_private_key.is_some() {
            // Source: IAM API, UpdateSAMLProvider: a key is removed in a request of its own.
            return Err(Fault::invalid_input(
                "A private key cannot be added and another removed in one request.",
            ));
        }
        Ok(Self {
            target: Target::parse(&request.saml_provider_arn)?,
            metadata: request.saml_metadata_document.map(Draft::new),
            encryption: encryption(request.assertion_encryption_mode.as_deref()),
            add: request.add_private_key,
            remove: request.remove_private_key,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![self.target.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::UpdateSAMLProviderResponse, Fault> {
        let held = self.target.require(call)?;
        let mut changed = SamlProvider::clone(&held);
        let metadata = self.metadata.as_ref().map(Draft::accepted).transpose()?;
        if let Some(id) = &self.remove {
            changed.keys.retain(|key| key.id != *id);
            if changed.keys.len() == held.keys.len() {
                let text = format!("The private key with id {id} cannot be found.");
                return Err(Fault::new("NoSuchEntity", text));
            }
        }
        if let Some(key) = &self.add {
            require_rsa(key)?;
            let limit = u64::try_from(MAX_KEYS).unwrap_or(u64::MAX);
            call.require_room(held.keys.len(), "PrivateKeysPerSAMLProvider", limit)?;
            changed.keys.push(new_key(call, key)?);
        }
        changed.encryption = self.encryption.unwrap_or(held.encryption);
        require_openable(changed.encryption, &changed.keys)?;
        if let (Some(draft), Some(metadata)) = (&self.metadata, metadata) {
            changed.entity_id.clone_from(&metadata.entity_id);
            changed.valid_until = Draft::valid_until(metadata, call.now());
            changed.parts = write_metadata(call, &held.name, &draft.text, held.parts);
        }
        if changed != *held {
            call.update(Record::SamlProvider(Arc::new(changed)));
        }
        Ok(api::UpdateSAMLProviderResponse { saml_provider_arn: Some(self.target.arn.to_string()) })
    }
}

/// Takes a provider away, though trust policies may name it. Source: IAM API.
struct DeleteSAMLProvider {
    target: Target,
}

impl Operation for DeleteSAMLProvider {
    type Api = api::DeleteSAMLProvider;

    fn parse(request: api::DeleteSAMLProviderRequest) -> Result<Self, Fault> {
        Ok(Self { target: Target::parse(&request.saml_provider_arn)? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![self.target.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let held = self.target.require(call)?;
        for part in 0..held.parts {
            call.remove(&RecordKey::SamlMetadata(held.name.folded(), part));
        }
        call.delete(&Record::SamlProvider(held));
        Ok(Empty)
    }
}

/// Writes a provider's tags, if they are others now.
fn put_tags(call: &mut Permitted<'_>, held: &SamlProvider, tags: TagSet) {
    if tags != held.tags {
        call.update(Record::SamlProvider(Arc::new(SamlProvider { tags, ..held.clone() })));
    }
}

/// Adds tags to a provider, or changes their values.
struct TagSAMLProvider {
    target: Target,
    tags: TagSet,
}

impl Operation for TagSAMLProvider {
    type Api = api::TagSAMLProvider;

    fn parse(request: api::TagSAMLProviderRequest) -> Result<Self, Fault> {
        let target = Target::parse(&request.saml_provider_arn)?;
        Ok(Self { target, tags: tags::parse_exact(request.tags)? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![self.target.ask::<Self>(call).request_tags(&self.tags)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let held = self.target.require(call)?;
        let tags = tags::merged_exact(&held.tags, &self.tags, call, "SAMLProvider")?;
        put_tags(call, &held, tags);
        Ok(Empty)
    }
}

/// Takes tags off a provider.
struct UntagSAMLProvider {
    target: Target,
    keys: Vec<String>,
}

impl Operation for UntagSAMLProvider {
    type Api = api::UntagSAMLProvider;

    fn parse(request: api::UntagSAMLProviderRequest) -> Result<Self, Fault> {
        let target = Target::parse(&request.saml_provider_arn)?;
        Ok(Self { target, keys: request.tag_keys })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![self.target.ask::<Self>(call).tag_keys(&self.keys)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let held = self.target.require(call)?;
        let tags = tags::without_exact(&held.tags, &self.keys);
        put_tags(call, &held, tags);
        Ok(Empty)
    }
}

/// Lists the tags of a provider.
struct ListSAMLProviderTags {
    target: Target,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListSAMLProviderTags {
    type Api = api::ListSAMLProviderTags;

    fn parse(request: api::ListSAMLProviderTagsRequest) -> Result<Self, Fault> {
        let target = Target::parse(&request.saml_provider_arn)?;
        Ok(Self { target, marker: request.marker, max_items: request.max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![self.target.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListSAMLProviderTagsResponse, Fault> {
        let held = self.target.require(call)?;
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = tags::page(call, paging, self.target.arn.as_str(), &held.tags)?;
        Ok(api::ListSAMLProviderTagsResponse {
            tags: page.items,
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}
