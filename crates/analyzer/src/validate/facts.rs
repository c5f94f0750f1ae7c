//! The catalog as the checks ask it: which names exist, which form a service's ARNs have, which
//! condition keys an action sends.

use std::collections::BTreeMap;

use bailiwick_catalog::{Action, Catalog, Service};

use super::attested;
use super::glob;

/// What a resource type has in one field of its ARNs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Field {
    /// Nothing.
    Empty,
    /// A value of the caller's.
    Any,
    /// This text always.
    Fixed(Box<str>),
}

/// The form of a resource type's ARNs.
#[derive(Debug)]
pub(super) struct ArnForm {
    pub(super) region: Field,
    pub(super) account: Field,
    /// The last part, with a star for each variable.
    pub(super) resource: String,
}

pub(super) struct Facts<'c> {
    pub(super) catalog: &'c Catalog,
    forms: BTreeMap<String, Vec<ArnForm>>,
}

impl<'c> Facts<'c> {
    pub(super) fn new(catalog: &'c Catalog) -> Self {
        let mut forms: BTreeMap<String, Vec<ArnForm>> = BTreeMap::new();
        for kind in catalog.services().flat_map(Service::resource_types) {
            let fields: Vec<&str> = kind.arn_pattern.splitn(6, ':').collect();
            let [_, _, service, region, account, resource] = fields.as_slice() else { continue };
            let form = ArnForm {
                region: field(region),
                account: field(account),
                resource: glob::open_variables(resource),
            };
            forms.entry((*service).to_ascii_lowercase()).or_default().push(form);
        }
        Self { catalog, forms }
    }

    /// The service with this prefix of actions.
    pub(super) fn service(&self, prefix: &str) -> Option<&'c Service> {
        self.catalog.service(prefix)
    }

    /// Whether actions or keys may begin with the prefix.
    pub(super) fn knows_service(&self, prefix: &str) -> bool {
        self.service(prefix).is_some() || listed(attested::SERVICES, prefix)
    }

    /// The forms of the ARNs with this service field; none if no resource type has it.
    pub(super) fn forms(&self, service: &str) -> Option<&[ArnForm]> {
        self.forms.get(service).map(Vec::as_slice)
    }

    /// Whether ARNs may have this service field.
    pub(super) fn knows_arn_service(&self, service: &str) -> bool {
        self.forms.contains_key(service)
            || self.knows_service(service)
            || listed(attested::ARN_SERVICES, service)
    }

    /// The actions that a pattern with prefix names.
    pub(super) fn actions_of<'p>(
        &self,
        pattern: &'p str,
    ) -> impl Iterator<Item = &'c Action> + use<'c, 'p> {
        let split = pattern.split_once(':');
        let service = split.and_then(|(prefix, _)| self.service(prefix));
        let name = split.map_or("", |(_, name)| name);
        let exact = service.filter(|_| !glob::is_wild(name)).and_then(|found| found.action(name));
        let wild = service.filter(|_| glob::is_wild(name));
        let matching = wild.into_iter().flat_map(Service::actions);
        exact.into_iter().chain(matching.filter(move |action| glob::matches(name, &action.name)))
    }

    /// The documented name of the key that `key` is or is an instance of.
    pub(super) fn key_name(&self, key: &str) -> Option<&'c str> {
        self.catalog.condition_key(key).map(|key| &*key.name)
    }

    /// Whether an action may send the key of this documented name.
    pub(super) fn sends(&self, service: &Service, action: &Action, documented: &str) -> bool {
        let same = |name: &str| {
            name.eq_ignore_ascii_case(documented)
                || self.key_name(name).is_some_and(|known| known.eq_ignore_ascii_case(documented))
        };
        action.condition_keys.iter().any(|name| same(name))
            || action.resource_types.iter().any(|resource| {
                resource.condition_keys.iter().any(|name| same(name))
                    || service
                        .resource_type(&resource.name)
                        .is_some_and(|kind| kind.condition_keys.iter().any(|name| same(name)))
            })
    }
}

/// Whether a sorted list of lower-case names has this one.
pub(super) fn listed(names: &[&str], name: &str) -> bool {
    names.binary_search(&name.to_ascii_lowercase().as_str()).is_ok()
}

fn field(text: &str) -> Field {
    match text {
        "" => Field::Empty,
        _ if text.contains("${") => Field::Any,
        _ => Field::Fixed(text.into()),
    }
}

/// Whether the text is a Region that AWS has announced, in any partition.
pub(super) fn is_region(text: &str) -> bool {
    REGIONS.contains(&text)
}

const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "me-west-1",
    "mx-central-1",
    "sa-east-1",
    "sa-west-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];
