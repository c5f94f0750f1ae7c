//! X.509 certificates with which users and root sign old SOAP requests.

use std::sync::Arc;

use bailiwick_model::{CertificateId, KeyStatus, Owner, Record, RecordKey, SigningCertificate};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::material::certificate::{Certificate, Unreadable};
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

use super::access_key::settable;
use super::user::Subject;

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<UploadSigningCertificate>(),
    entry::<ListSigningCertificates>(),
    entry::<UpdateSigningCertificate>(),
    entry::<DeleteSigningCertificate>(),
];

/// The certificate of an id, if it belongs to the owner.
fn owned(call: &Call<'_>, owner: Owner, id: &str) -> Result<Arc<SigningCertificate>, Fault> {
    let id = id.parse::<CertificateId>().map_err(|_| missing(id))?;
    let held = call.account().signing_certificate(&id).cloned();
    held.filter(|held| held.owner == owner).ok_or_else(|| missing(id.as_str()))
}

fn missing(id: &str) -> Fault {
    Fault::new("NoSuchEntity", format!("The Certificate with id {id} cannot be found."))
}

/// `MalformedCertificate` in AWS's words (*observed*).
pub(super) fn malformed(Unreadable: Unreadable) -> Fault {
    Fault::new(
        "MalformedCertificate",
        "Unable to parse certificate. Please ensure the certificate is in PEM format.",
    )
}

fn describe(subject: &Subject, held: &SigningCertificate) -> api::SigningCertificate {
    api::SigningCertificate {
        // The model wants a name; root has none of its own.
        user_name: subject.name().unwrap_or_else(|| "root".into()),
        certificate_id: held.id.to_string(),
        certificate_body: held.body.clone(),
        status: held.status.as_str().into(),
        upload_date: Some(held.uploaded),
    }
}

/// Gives a user or the caller a certificate that nobody in the account has.
struct UploadSigningCertificate {
    user: Option<String>,
    body: String,
}

impl UploadSigningCertificate {
    fn read(&self, call: &Call<'_>) -> Result<Certificate, Fault> {
        let certificate = Certificate::read(&self.body).map_err(malformed)?;
        if certificate.is_valid_at(call.now()) {
            Ok(certificate)
        } else {
            Err(Fault::new("InvalidCertificate", "The certificate is expired or not valid yet."))
        }
    }
}

impl Operation for UploadSigningCertificate {
    type Api = api::UploadSigningCertificate;

    fn parse(request: api::UploadSigningCertificateRequest) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name, body: request.certificate_body })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::UploadSigningCertificateResponse, Fault> {
        let subject = Subject::of(call, self.user.as_deref())?;
        let owner = subject.owner()?;
        let digest = self.read(call)?.digest();
        if call.account().signing_certificates().any(|held| held.digest == digest) {
            return Err(Fault::new(
                "DuplicateCertificate",
                "The same certificate is associated with an IAM user in the account.",
            ));
        }
        let held = call.account().signing_certificates_of(owner).count();
        let limit = call.quotas().signing_certificates_per_user;
        call.require_room(held, "SigningCertificatesPerUser", limit)?;
        let certificate = Arc::new(SigningCertificate {
            id: fresh_id(call)?,
            owner,
            status: KeyStatus::Active,
            uploaded: call.now(),
            body: self.body.clone(),
            digest,
        });
        call.create(Record::SigningCertificate(Arc::clone(&certificate)));
        let certificate = describe(&subject, &certificate);
        Ok(api::UploadSigningCertificateResponse { certificate })
    }
}

/// Thirty-two letters, as AWS's: 160 random bits.
fn fresh_id(call: &mut Permitted<'_>) -> Result<CertificateId, Fault> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letter = |byte: u8| LETTERS.get(usize::from(byte & 31)).copied().map(char::from);
    let id: String = call.mint().bytes::<32>().into_iter().filter_map(letter).collect();
    id.parse().map_err(|_| Fault::internal())
}

/// Lists the certificates of a user or the caller.
struct ListSigningCertificates {
    user: Option<String>,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListSigningCertificates {
    type Api = api::ListSigningCertificates;

    fn parse(request: api::ListSigningCertificatesRequest) -> Result<Self, Fault> {
        let api::ListSigningCertificatesRequest { user_name, marker, max_items } = request;
        Ok(Self { user: user_name, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListSigningCertificatesResponse, Fault> {
        let subject = Subject::of(call, self.user.as_deref())?;
        let owner = subject.owner()?;
        let filter = owner.user().map_or_else(|| "root".into(), |id| id.to_string());
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let held = call.account().signing_certificates_of(owner);
        let page = page::cut_weighed(
            call,
            paging,
            &[&filter],
            held,
            |held| held.id.to_string(),
            |held| held.body.len(),
        )?;
        Ok(api::ListSigningCertificatesResponse {
            certificates: page.items.iter().map(|held| describe(&subject, held)).collect(),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Makes a certificate active or inactive.
struct UpdateSigningCertificate {
    user: Option<String>,
    id: String,
    status: KeyStatus,
}

impl Operation for UpdateSigningCertificate {
    type Api = api::UpdateSigningCertificate;

    fn parse(request: api::UpdateSigningCertificateRequest) -> Result<Self, Fault> {
        let status = settable(&request.status)?;
        Ok(Self { user: request.user_name, id: request.certificate_id, status })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let owner = Subject::of(call, self.user.as_deref())?.owner()?;
        let held = owned(call, owner, &self.id)?;
        if held.status != self.status {
            let held = SigningCertificate { status: self.status, ..(*held).clone() };
            call.update(Record::SigningCertificate(Arc::new(held)));
        }
        Ok(Empty)
    }
}

/// Takes a certificate away.
struct DeleteSigningCertificate {
    user: Option<String>,
    id: String,
}

impl Operation for DeleteSigningCertificate {
    type Api = api::DeleteSigningCertificate;

    fn parse(request: api::DeleteSigningCertificateRequest) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name, id: request.certificate_id })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let owner = Subject::of(call, self.user.as_deref())?.owner()?;
        let held = owned(call, owner, &self.id)?;
        call.remove(&RecordKey::SigningCertificate(held.id.clone()));
        Ok(Empty)
    }
}
