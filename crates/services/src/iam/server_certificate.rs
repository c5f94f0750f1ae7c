//! Server certificates: what servers of the account show to their clients. The private key goes in
//! and never comes out; it is kept sealed.

use std::sync::Arc;

use bailiwick_identifiers::{Arn, IdKind, Path, ServerCertificateName, TagSet, UniqueId};
use bailiwick_model::{Record, ServerCertificate};
use bailiwick_store::seal::{Binding, Purpose};
use bailiwick_wire::generated::iam as api;
use bailiwick_wire::{Empty, Secret};
use jiff::Timestamp;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::material::certificate::{Certificate, ChainError, Unreadable};
use crate::material::private_key;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

use super::signing_certificate::malformed;
use super::{tags, user};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<UploadServerCertificate>(),
    entry::<GetServerCertificate>(),
    entry::<ListServerCertificates>(),
    entry::<UpdateServerCertificate>(),
    entry::<DeleteServerCertificate>(),
    entry::<TagServerCertificate>(),
    entry::<UntagServerCertificate>(),
    entry::<ListServerCertificateTags>(),
];

/// The stored certificate of a name, or `NoSuchEntity` in AWS's words (*observed*).
fn named(call: &Call<'_>, name: &str) -> Result<Arc<ServerCertificate>, Fault> {
    call.account().server_certificate_named(name).cloned().ok_or_else(|| {
        Fault::new(
            "NoSuchEntity",
            format!("The Server Certificate with name {name} cannot be found."),
        )
    })
}

/// `EntityAlreadyExists` in AWS's words (*observed*).
fn exists(name: &ServerCertificateName) -> Fault {
    let text = format!("The Server Certificate with name {name} already exists.");
    Fault::new("EntityAlreadyExists", text)
}

/// An ask about the stored certificate of a name, or about what the name would be (threat C02).
fn ask<O: Operation>(call: &Call<'_>, name: &str) -> Ask {
    let Some(held) = call.account().server_certificate_named(name) else {
        let missing = format!("server-certificate/{name}");
        return call.ask::<O>(Arn::iam(call.partition(), call.account().id(), &missing).as_str());
    };
    ask_about::<O>(call, held)
}

fn ask_about<O: Operation>(call: &Call<'_>, held: &ServerCertificate) -> Ask {
    let arn = call.account().server_certificate_arn(held);
    call.ask::<O>(arn.as_str()).general_resource_tags(&held.tags)
}

fn describe(call: &Call<'_>, held: &ServerCertificate) -> api::ServerCertificateMetadata {
    api::ServerCertificateMetadata {
        path: held.path.to_string(),
        server_certificate_name: held.name.to_string(),
        server_certificate_id: held.id.to_string(),
        arn: call.account().server_certificate_arn(held).to_string(),
        upload_date: Some(held.uploaded),
        expiration: Some(held.expires),
    }
}

/// Writes a certificate back, if it is another now.
fn replace(call: &mut Permitted<'_>, old: &ServerCertificate, new: ServerCertificate) {
    if *old != new {
        call.update(Record::ServerCertificate(Arc::new(new)));
    }
}

/// Adds a certificate and its key to the account.
struct UploadServerCertificate {
    name: ServerCertificateName,
    path: Path,
    body: String,
    chain: Option<String>,
    key: Secret,
    tags: TagSet,
    /// When the certificate ends, or what is wrong with it, its key or its chain.
    checked: Option<Result<Timestamp, Fault>>,
}

impl UploadServerCertificate {
    fn check(&self, now: Timestamp) -> Result<Timestamp, Fault> {
        let certificate = Certificate::read(&self.body).map_err(malformed)?;
        if !certificate.is_valid_at(now) {
            return Err(Fault::new(
                "MalformedCertificate",
                "The certificate is expired or not valid yet.",
            ));
        }
        let public = private_key::public_key(&self.key).ok_or_else(|| {
            Fault::new(
                "MalformedCertificate",
                "Unable to parse private key. Please ensure the key is an unencrypted RSA or ECDSA \
                 key in PEM format.",
            )
        })?;
        if public != certificate.public_key {
            return Err(Fault::new(
                "KeyPairMismatch",
                "The private key does not match the public key of the certificate.",
            ));
        }
        if let Some(chain) = &self.chain {
            certificate.check_chain(chain).map_err(|error| match error {
                ChainError::Unreadable => malformed(Unreadable),
                // AWS's words (*observed*).
                ChainError::Broken(place) => Fault::new(
                    "MalformedCertificate",
                    format!(
                        "Unable to validate certificate chain. The certificate chain must start \
                         with the immediate signing certificate, followed by any intermediaries \
                         in order. The index within the chain of the invalid certificate is: \
                         {place}"
                    ),
                ),
            })?;
        }
        Ok(certificate.ends)
    }
}

impl Operation for UploadServerCertificate {
    type Api = api::UploadServerCertificate;
    // A large RSA key takes some milliseconds to check.
    const HEAVY: bool = true;

    fn parse(request: api::UploadServerCertificateRequest) -> Result<Self, Fault> {
        Ok(Self {
            name: user::new_name("serverCertificateName", &request.server_certificate_name)?,
            path: request
                .path
                .map_or_else(|| Ok(Path::root()), |path| user::new_path("path", &path))?,
            // Terraform's provider trims before it compares, so that AWS's answer must be trimmed too.
            body: request.certificate_body.trim().to_owned(),
            chain: request.certificate_chain.map(|chain| chain.trim().to_owned()),
            key: request.private_key,
            tags: tags::parse_exact(request.tags)?,
            checked: None,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let account = call.account().id();
        let arn = Arn::server_certificate(call.partition(), account, &self.path, &self.name);
        let ask = call.ask::<Self>(arn.as_str()).request_tags(&self.tags);
        let tagging = (!self.tags.is_empty())
            .then(|| Ask { action: "iam:TagServerCertificate".into(), ..ask.clone() });
        Ok([ask].into_iter().chain(tagging).collect())
    }

    fn prepare(&mut self, call: &Call<'_>) -> Result<(), Fault> {
        self.checked = Some(self.check(call.now()));
        Ok(())
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::UploadServerCertificateResponse, Fault> {
        if call.account().server_certificate_named(self.name.as_str()).is_some() {
            return Err(exists(&self.name));
        }
        let expires = self.checked.clone().unwrap_or_else(|| Err(Fault::internal()))?;
        let held = call.account().server_certificates().len();
        let limit = call.quotas().server_certificates;
        call.require_room(held, "ServerCertificatesPerAccount", limit)?;
        tags::require_room(&self.tags, call, "ServerCertificate")?;
        let id = call.mint().unique_id(IdKind::ServerCertificate);
        let certificate = Arc::new(ServerCertificate {
            id,
            name: self.name.clone(),
            path: self.path.clone(),
            uploaded: call.now(),
            expires,
            body: self.body.clone(),
            chain: self.chain.clone(),
            sealed_key: seal(call, id, &self.key)?,
            tags: self.tags.clone(),
        });
        call.create(Record::ServerCertificate(Arc::clone(&certificate)));
        Ok(api::UploadServerCertificateResponse {
            server_certificate_metadata: Some(describe(call, &certificate)),
            tags: tags::describe_any(&certificate.tags),
        })
    }
}

fn seal(call: &mut Permitted<'_>, id: UniqueId, key: &Secret) -> Result<Arc<[u8]>, Fault> {
    let nonce = call.mint().bytes();
    let binding = Binding { kind: "server-certificate", id: id.as_str().as_bytes(), version: 1 };
    let plain = key.expose().as_bytes();
    let sealed = call.keyring().seal(Purpose::ServerCertificateKey, &binding, plain, nonce);
    sealed.map(Into::into).map_err(|error| {
        tracing::error!(%error, "the key of a server certificate could not be sealed");
        Fault::internal()
    })
}

/// Shows a certificate with its chain, and without its key.
struct GetServerCertificate {
    name: String,
}

impl Operation for GetServerCertificate {
    type Api = api::GetServerCertificate;

    fn parse(request: api::GetServerCertificateRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.server_certificate_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetServerCertificateResponse, Fault> {
        let held = named(call, &self.name)?;
        Ok(api::GetServerCertificateResponse {
            server_certificate: api::ServerCertificate {
                server_certificate_metadata: describe(call, &held),
                certificate_body: held.body.clone(),
                certificate_chain: held.chain.clone(),
                tags: tags::describe_any(&held.tags),
            },
        })
    }
}

/// Lists the certificates below a path.
struct ListServerCertificates {
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListServerCertificates {
    type Api = api::ListServerCertificates;

    fn parse(request: api::ListServerCertificatesRequest) -> Result<Self, Fault> {
        let api::ListServerCertificatesRequest { path_prefix, marker, max_items } = request;
        Ok(Self { path_prefix, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let listed = user::listed(call, "server-certificate", self.path_prefix.as_deref());
        Ok(vec![call.ask::<Self>(listed)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListServerCertificatesResponse, Fault> {
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        let held = call.account().server_certificates();
        let held = held.filter(|held| held.path.as_str().starts_with(prefix));
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let name = |held: &&Arc<ServerCertificate>| held.name.folded().as_str().into();
        let page = page::cut(call, paging, &[prefix], held, name)?;
        Ok(api::ListServerCertificatesResponse {
            server_certificate_metadata_list: page
                .items
                .iter()
                .map(|held| describe(call, held))
                .collect(),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Gives a certificate another name or path.
struct UpdateServerCertificate {
    name: String,
    new_name: Option<ServerCertificateName>,
    new_path: Option<Path>,
}

impl UpdateServerCertificate {
    fn changed(&self, held: &ServerCertificate) -> ServerCertificate {
        ServerCertificate {
            name: self.new_name.clone().unwrap_or_else(|| held.name.clone()),
            path: self.new_path.clone().unwrap_or_else(|| held.path.clone()),
            ..held.clone()
        }
    }
}

impl Operation for UpdateServerCertificate {
    type Api = api::UpdateServerCertificate;

    fn parse(request: api::UpdateServerCertificateRequest) -> Result<Self, Fault> {
        let name = request.new_server_certificate_name;
        let name = name.map(|name| user::new_name("newServerCertificateName", &name));
        let path = request.new_path.map(|path| user::new_path("newPath", &path));
        Ok(Self {
            name: request.server_certificate_name,
            new_name: name.transpose()?,
            new_path: path.transpose()?,
        })
    }

    /// The caller needs permission on the old and on the new ARN. Source: IAM API,
    /// UpdateServerCertificate.
    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let mut asks = vec![ask::<Self>(call, &self.name)];
        if let Some(held) = call.account().server_certificate_named(&self.name) {
            let changed = self.changed(held);
            if changed != **held {
                asks.push(ask_about::<Self>(call, &changed));
            }
        }
        Ok(asks)
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let held = named(call, &self.name)?;
        let changed = self.changed(&held);
        let taken = call.account().server_certificate_named(changed.name.as_str());
        if taken.is_some_and(|taken| taken.id != held.id) {
            return Err(exists(&changed.name));
        }
        if changed != *held {
            let changed = Record::ServerCertificate(Arc::new(changed));
            call.rename(&Record::ServerCertificate(held), changed);
        }
        Ok(Empty)
    }
}

/// Takes a certificate and its key away. No other service of this server uses one, so nothing
/// stands in the way.
struct DeleteServerCertificate {
    name: String,
}

impl Operation for DeleteServerCertificate {
    type Api = api::DeleteServerCertificate;

    fn parse(request: api::DeleteServerCertificateRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.server_certificate_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let held = named(call, &self.name)?;
        call.delete(&Record::ServerCertificate(held));
        Ok(Empty)
    }
}

/// Tags a certificate.
struct TagServerCertificate {
    name: String,
    tags: TagSet,
}

impl Operation for TagServerCertificate {
    type Api = api::TagServerCertificate;

    fn parse(request: api::TagServerCertificateRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.server_certificate_name, tags: tags::parse_exact(request.tags)? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name).request_tags(&self.tags)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let held = named(call, &self.name)?;
        let tags = tags::merged_exact(&held.tags, &self.tags, call, "ServerCertificate")?;
        replace(call, &held, ServerCertificate { tags, ..(*held).clone() });
        Ok(Empty)
    }
}

/// Takes tags off a certificate.
struct UntagServerCertificate {
    name: String,
    keys: Vec<String>,
}

impl Operation for UntagServerCertificate {
    type Api = api::UntagServerCertificate;

    fn parse(request: api::UntagServerCertificateRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.server_certificate_name, keys: request.tag_keys })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name).tag_keys(&self.keys)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let held = named(call, &self.name)?;
        let tags = tags::without_exact(&held.tags, &self.keys);
        replace(call, &held, ServerCertificate { tags, ..(*held).clone() });
        Ok(Empty)
    }
}

/// Lists the tags of a certificate.
struct ListServerCertificateTags {
    name: String,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListServerCertificateTags {
    type Api = api::ListServerCertificateTags;

    fn parse(request: api::ListServerCertificateTagsRequest) -> Result<Self, Fault> {
        let api::ListServerCertificateTagsRequest { server_certificate_name, marker, max_items } =
            request;
        Ok(Self { name: server_certificate_name, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name)])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::ListServerCertificateTagsResponse, Fault> {
        let held = named(call, &self.name)?;
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = tags::page(call, paging, held.id.as_str(), &held.tags)?;
        Ok(api::ListServerCertificateTagsResponse {
            tags: page.items,
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}
