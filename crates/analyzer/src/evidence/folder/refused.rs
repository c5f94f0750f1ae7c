//! Calls that failed: which part is missing then, and which answers mean that there is none.

use super::super::part::{Missing, Part};
use super::super::{Evidence, resources};
use super::center::{SetPart, members_file, set_file};
use super::{Reader, Told, TrailPart};

impl Reader {
    /// A call that failed, or a file that cannot be read. False: no path of the layout.
    pub(super) fn refused(
        &mut self,
        found: &mut Evidence,
        path: &str,
        missing: &Missing,
        text: &str,
    ) -> bool {
        let segments: Vec<&str> = path.split('/').collect();
        let absent = text.contains("NoSuchEntity")
            || text.contains("NoSuchPublicAccessBlockConfiguration")
            || text.contains("ResourceNotFoundException");
        let gap = missing.clone();
        match segments.as_slice() {
            ["authorization-details.json"] => self.refuse_details(found, gap),
            // Of the last two, one more or less: what is not in the map is not known.
            ["collected.json" | "collect.log" | "users.json"]
            | ["oidc-providers" | "last-accessed" | "policy-tags", _] => {}
            ["journal.json"] => found.journal = Part::Missing(gap),
            ["regions.json"] => found.regions = Part::Missing(gap),
            ["credential-report.json" | "credential-report.csv"] => {
                found.credential_report = Part::Missing(gap);
            }
            ["password-policy.json"] if absent => found.password_policy = Part::Known(None),
            ["password-policy.json"] => found.password_policy = Part::Missing(gap),
            ["account-summary.json"] => found.account_summary = Part::Missing(gap),
            ["virtual-mfa-devices.json"] => found.virtual_mfa_devices = Part::Missing(gap),
            ["server-certificates.json"] => found.server_certificates = Part::Missing(gap),
            ["saml-providers.json"] => found.saml_providers = Part::Missing(gap),
            ["oidc-providers.json"] => found.oidc_providers = Part::Missing(gap),
            ["roles.json"] => found.roles = Part::Missing(gap),
            ["mfa-devices", _] => found.mfa_devices = Part::Missing(gap),
            ["access-keys", _] => found.access_keys = Part::Missing(gap),
            ["ssh-public-keys" | "service-specific-credentials" | "signing-certificates", _] => {
                found.other_credentials = Part::Missing(gap);
            }
            ["contacts", file] if absent => {
                if let Some(contacts) = found.contacts.gather() {
                    contacts.insert(file.trim_end_matches(".json").to_owned(), None);
                }
            }
            ["contacts", _] => found.contacts = Part::Missing(gap),
            ["organization", rest @ ..] => return self.organization.refused(rest, missing, text),
            ["s3", "account-public-access-block.json"] if absent => {
                found.account_public_access = Part::Known(None);
            }
            ["s3", "account-public-access-block.json"] => {
                found.account_public_access = Part::Missing(gap);
            }
            ["identity-center", file] if self.refuse_set(file, missing) => {}
            // A group that is not in the map is not known.
            ["identity-center", file] if members_file(file).is_some() => {}
            ["identity-center", _] => found.identity_center = Part::Missing(gap),
            ["regions", region, rest @ ..] => match rest {
                ["analyzers.json"] => found.analyzers = Part::Missing(gap),
                ["recorders.json" | "recorder-status.json"] => found.recorders = Part::Missing(gap),
                ["trails.json"] => found.trails = Part::Missing(gap),
                ["trails", name, "status.json"] => {
                    let told = Told::Status(Part::Missing(gap));
                    self.trail_parts.push(TrailPart::new(region, name, told));
                }
                ["trails", name, "event-selectors.json"] => {
                    let told = Told::Selectors(Part::Missing(gap));
                    self.trail_parts.push(TrailPart::new(region, name, told));
                }
                // Who is not subscribed is answered so, and has no hub.
                ["security-hub.json"] if text.contains("not subscribed") => {
                    super::set_hub(found, region, Some(false), None);
                }
                ["security-hub.json" | "detectors.json"] | ["detectors", _] => {
                    found.hubs = Part::Missing(gap);
                }
                ["instances.json"] => found.instances = Part::Missing(gap),
                ["anywhere-profiles.json" | "anywhere-anchors.json"] => {
                    found.roles_anywhere = Part::Missing(gap);
                }
                ["findings", _] => found.findings = Part::Missing(gap),
                ["log-groups.json"] => found.log_groups = Part::Missing(gap),
                ["metric-filters.json" | "alarms.json" | "subscriptions.json"] => {
                    found.alarms = Part::Missing(gap);
                }
                _ => return self.refuse_resource(found, region, rest, missing, text),
            },
            ["s3", ..] => return self.refuse_resource(found, "", &segments, missing, text),
            _ => return false,
        }
        true
    }

    /// A policy of a permission set that was not told: of the others nothing is lost.
    fn refuse_set(&mut self, file: &str, missing: &Missing) -> bool {
        match set_file(file) {
            None | Some((SetPart::Itself, _)) => return false,
            Some((SetPart::Inline, number)) => {
                self.set(number).inline = Part::Missing(missing.clone());
            }
            Some((SetPart::Managed, number)) => {
                self.set(number).managed = Part::Missing(missing.clone());
            }
            Some((SetPart::Customer, number)) => {
                self.set(number).customer_managed = Part::Missing(missing.clone());
            }
        }
        true
    }

    fn refuse_details(&mut self, found: &mut Evidence, gap: Missing) {
        if self.details.known().is_none() {
            self.details = Part::Missing(gap);
            found.details = self.details.clone();
        }
    }

    fn refuse_resource(
        &mut self,
        found: &Evidence,
        region: &str,
        path: &[&str],
        missing: &Missing,
        text: &str,
    ) -> bool {
        let account = found.estate.account.id().to_string();
        let partition = found.estate.account.partition().as_str();
        let place = resources::Place { partition, account: &account, region };
        self.resources.refused(&place, path, missing, text)
    }
}
