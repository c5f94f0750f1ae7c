//! Digests: CloudTrail's hourly list of the files that it delivered.

use jiff::Timestamp;
use serde::Deserialize;

/// A digest file. Source: CloudTrail user guide, digest file structure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Digest {
    /// The account.
    pub account: String,
    /// The region, as its own place in the bucket tells it.
    pub region: String,
    /// The begin of its hour.
    pub start: Timestamp,
    /// The end of its hour.
    pub end: Timestamp,
    /// The names of the files that were delivered in it, without their folders.
    pub files: Vec<String>,
}

impl Digest {
    /// A digest, if the text is one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Form {
            aws_account_id: String,
            digest_start_time: Timestamp,
            digest_end_time: Timestamp,
            digest_s3_object: String,
            #[serde(default)]
            log_files: Vec<Listed>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Listed {
            s3_object: String,
        }
        let form: Form = serde_json::from_str(text).ok()?;
        let mut folders = form.digest_s3_object.split('/');
        let region = folders.find(|folder| *folder == "CloudTrail-Digest").and(folders.next());
        let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        Some(Self {
            account: form.aws_account_id,
            region: region.unwrap_or_default().to_owned(),
            start: form.digest_start_time,
            end: form.digest_end_time,
            files: form.log_files.iter().map(|file| last(&file.s3_object)).collect(),
        })
    }
}
