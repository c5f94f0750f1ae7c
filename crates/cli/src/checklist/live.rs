//! The evidence of the account on a server, by the calls that the collecting script makes too.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::world::World;
use crate::access::AccessArgs;
use crate::audit::Loaded;
use crate::call::Refused;
use crate::clock;
use crate::iam::{Iam, text};

/// How often a report that is being made is asked for.
const TRIES: usize = 20;

/// The calls that need nothing but themselves, and the files that they make.
const CALLS: [(&str, &str); 3] = [
    ("GetAccountSummary", "account-summary.json"),
    ("GetAccountPasswordPolicy", "password-policy.json"),
    ("ListSAMLProviders", "saml-providers.json"),
];

/// The lists, with the member that holds them and the files that they make.
const LISTS: [(&str, &str, &str); 3] = [
    ("ListVirtualMFADevices", "VirtualMFADevices", "virtual-mfa-devices.json"),
    ("ListServerCertificates", "ServerCertificateMetadataList", "server-certificates.json"),
    ("ListRoles", "Roles", "roles.json"),
];

/// The lists of each user, with their members and folders.
const OF_USERS: [(&str, &str, &str); 3] = [
    ("ListAccessKeys", "AccessKeyMetadata", "access-keys"),
    ("ListMFADevices", "MFADevices", "mfa-devices"),
    ("ListSSHPublicKeys", "SSHPublicKeys", "ssh-public-keys"),
];

/// What the server's account is like now.
///
/// # Errors
/// There is no server, or the account may not be read.
pub(super) fn world(args: &AccessArgs) -> anyhow::Result<World> {
    let iam = Iam::find(args)?;
    let mut files = Files { list: Vec::new() };
    let mut details = Map::new();
    let members = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];
    let mut marker: Option<String> = None;
    loop {
        let mut asked = vec![("MaxItems", "1000")];
        if let Some(marker) = &marker {
            asked.push(("Marker", marker));
        }
        let mut page = iam.call("GetAccountAuthorizationDetails", &asked)?;
        for member in members {
            let held = details.entry(member).or_insert_with(|| json!([]));
            if let (Json::Array(held), Some(Json::Array(items))) =
                (held, page.get_mut(member).map(Json::take))
            {
                held.extend(items);
            }
        }
        match page.get("Marker").and_then(Json::as_str) {
            Some(next) => marker = Some(next.to_owned()),
            None => break,
        }
    }
    let users: Vec<String> = details
        .get("UserDetailList")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .map(|user| text(user, "UserName").to_owned())
        .collect();
    files.put("authorization-details.json", Ok(Json::Object(details)))?;
    files.put("credential-report.json", report(&iam))?;
    for (name, file) in CALLS {
        files.put(file, iam.call(name, &[]))?;
    }
    for (name, member, file) in LISTS {
        files.put(file, iam.list(name, member, &[]).map(|list| json!({ member: list })))?;
    }
    for user in &users {
        for (name, member, folder) in OF_USERS {
            let list = iam.list(name, member, &[("UserName", user)]);
            files
                .put(&format!("{folder}/{user}.json"), list.map(|list| json!({ member: list })))?;
        }
    }
    let caller = iam.call_service("sts", "GetCallerIdentity", &[])?;
    let collected: Timestamp = clock::now();
    files.put(
        "collected.json",
        Ok(json!({
            "collected": collected,
            "account": text(&caller, "Account"),
            "arn": text(&caller, "Arn"),
        })),
    )?;
    World::of(files.list)
}

struct Files {
    list: Vec<Loaded>,
}

impl Files {
    /// An answer as the file that the script makes of it; a refusal as the file beside it.
    fn put(&mut self, path: &str, answer: anyhow::Result<Json>) -> anyhow::Result<()> {
        let (path, bytes) = match answer {
            Ok(json) => (path.to_owned(), serde_json::to_vec(&json)?),
            Err(error) => match error.downcast_ref::<Refused>() {
                Some(refused) => {
                    let text = format!("An error occurred ({}): {refused}", refused.code);
                    (format!("{path}.error"), text.into_bytes())
                }
                None => return Err(error),
            },
        };
        self.list.push(Loaded { name: format!("the server's {path}"), path, bytes });
        Ok(())
    }
}

/// The credential report, made anew.
fn report(iam: &Iam) -> anyhow::Result<Json> {
    for _ in 0..TRIES {
        let made = iam.call("GenerateCredentialReport", &[])?;
        if text(&made, "State") == "COMPLETE" {
            break;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    iam.call("GetCredentialReport", &[])
}
