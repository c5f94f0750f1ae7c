//! Random cases: a request with its policies, in the case form, made from a seed and a number.
//!
//! Values come from small pools, so that things match often: between a fifth and four fifths of
//! the cases are allowed, and every kind of denial occurs. Most cases turn on one condition, which
//! is drawn evenly from the cells operator x modifier x class of request values; [`Coverage`]
//! counts how often each cell came and how often its condition held.

mod condition;
mod coverage;
mod element;
mod policy;
mod random;
mod scene;
mod values;

use serde_json::{Map, Value, json};

pub use condition::{CLASSES, Cell, Class, MODIFIERS, OPERATORS};
pub use coverage::Coverage;
pub use random::Random;

use policy::{Kind, Mood, Policy};
use scene::{CallerKind, Scene};

/// Which cases are made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Profile {
    /// All that the case form can say, stored irregular policies included.
    Whole,
    /// What other engines understand too: regular policies and no extensions.
    Foreign,
}

/// The condition that a case turns on.
#[derive(Clone, Debug)]
pub struct Focus {
    /// Its cell in the coverage table.
    pub cell: Cell,
    /// The operator as written.
    pub operator: String,
    /// The key as written.
    pub key: String,
    /// The values as written.
    pub values: Value,
    /// Whether its statement denies.
    pub denies: bool,
    /// The Version of its policy.
    pub version: Option<&'static str>,
}

/// A case with what is known of how it was made.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The case, as one line of the case form.
    pub case: Value,
    /// The condition that it turns on, if it turns on one.
    pub focus: Option<Focus>,
}

/// Makes the case of this seed and number: always the same.
pub fn generate(seed: u64, number: u64, profile: Profile) -> Generated {
    let mut random = Random::new(seed, number);
    let random = &mut random;
    let mut scene = scene::scene(random, profile);
    let irregular = profile == Profile::Whole && random.chance(20);
    let (fit, harsh) = random.pick(&[(97, 4), (97, 4), (93, 10), (75, 30)]);
    let mood = Mood { fit, harsh, irregular, profile };
    let mut drafts = drafts(random, &scene, mood);
    let focus = random.chance(72).then(|| {
        let cell = condition::cell(random, profile);
        focus(random, &mut scene, &mut drafts, cell, profile)
    });
    let mut case = Map::new();
    case.insert("id".to_owned(), Value::from(format!("{seed}/{number}")));
    for (name, place, policy) in drafts {
        let policy = policy.map(|policy| policy.write(random, profile));
        put(&mut case, name, place, policy);
    }
    case.insert("request".to_owned(), request(&scene));
    if profile == Profile::Whole {
        extensions(random, &scene, &mut case);
    }
    Generated { case: Value::Object(case), focus: focus.flatten() }
}

/// Where a policy of a case stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// The one of its name.
    Only,
    /// One of a list.
    Listed,
    /// One of the level of this number.
    Level(usize),
}

/// The field, the place in it, and the policy; nothing for a list or level that is there and empty.
type Placed = (&'static str, Place, Option<Policy>);

fn drafts(random: &mut Random, scene: &Scene, mood: Mood) -> Vec<Placed> {
    let layers = policy::layers(random, scene, mood.profile);
    let mut all: Vec<Placed> = Vec::with_capacity(8);
    for _ in 0..layers.identity {
        let policy = policy::policy(random, scene, Kind::Identity, mood);
        all.push(("identityPolicies", Place::Listed, Some(policy)));
    }
    if layers.boundary {
        let policy = policy::policy(random, scene, Kind::Boundary, mood);
        all.push(("permissionsBoundary", Place::Only, Some(policy)));
    }
    if let Some(count) = layers.session {
        all.push(("sessionPolicies", Place::Listed, None));
        for _ in 0..count {
            let policy = policy::policy(random, scene, Kind::Session, mood);
            all.push(("sessionPolicies", Place::Listed, Some(policy)));
        }
    }
    if layers.resource {
        let trust = scene.action.to_ascii_lowercase().starts_with("sts:assumerole");
        let kind = if trust { Kind::Trust } else { Kind::Resource };
        let policy = policy::policy(random, scene, kind, mood);
        all.push(("resourcePolicy", Place::Only, Some(policy)));
    }
    for level in 0..layers.scps {
        let place = Place::Level(level);
        all.push(("scps", place, None));
        if mood.profile == Profile::Whole && random.chance(3) {
            continue; // SCP-2
        }
        let whole = random.chance(40);
        let policy = if whole {
            Policy::everything(Kind::Scp)
        } else {
            policy::policy(random, scene, Kind::Scp, mood)
        };
        all.push(("scps", place, Some(policy)));
        if whole && random.chance(50) {
            let policy = policy::policy(random, scene, Kind::Scp, mood);
            all.push(("scps", place, Some(policy)));
        }
    }
    for level in 0..layers.rcps {
        let place = Place::Level(level);
        all.push(("rcps", place, None));
        if random.chance(85) {
            let policy = policy::policy(random, scene, Kind::Rcp, mood);
            all.push(("rcps", place, Some(policy)));
        }
    }
    for _ in 0..layers.endpoints {
        let policy = policy::policy(random, scene, Kind::Endpoint, mood);
        all.push(("endpointPolicies", Place::Listed, Some(policy)));
    }
    all
}

/// Puts the condition of a cell into one of the statements that match.
fn focus(
    random: &mut Random,
    scene: &mut Scene,
    drafts: &mut [Placed],
    cell: Cell,
    profile: Profile,
) -> Option<Focus> {
    let hits = |draft: &Placed| draft.2.as_ref().map_or(0, Policy::hits);
    let total = drafts.iter().map(hits).sum();
    let mut number = random.below(total);
    for draft in drafts.iter_mut() {
        let here = hits(draft);
        if number < here {
            let policy = draft.2.as_mut()?;
            return policy.focus(random, scene, cell, number, profile);
        }
        number -= here;
    }
    None
}

fn put(case: &mut Map<String, Value>, name: &str, place: Place, policy: Option<Value>) {
    let list = match place {
        Place::Only => {
            case.insert(name.to_owned(), policy.unwrap_or_default());
            return;
        }
        Place::Listed => case.entry(name).or_insert_with(|| json!([])),
        Place::Level(level) => {
            let levels = case.entry(name).or_insert_with(|| json!([]));
            if let Value::Array(levels) = levels
                && levels.len() <= level
            {
                levels.resize(level + 1, json!([]));
            }
            let Some(level) = levels.get_mut(level) else { return };
            level
        }
    };
    if let (Value::Array(items), Some(policy)) = (list, policy) {
        items.push(policy);
    }
}

fn request(scene: &Scene) -> Value {
    let mut request = Map::new();
    let mut put = |name: &str, value: Value| {
        request.insert(name.to_owned(), value);
    };
    put("principal", scene.caller.principal.as_deref().map_or(Value::Null, Value::from));
    put("action", Value::from(scene.action.as_str()));
    if scene.resource != "*" {
        put("resource", Value::from(scene.resource.as_str()));
    }
    if let Some(account) = scene.resource_account {
        put("resourceAccount", Value::from(account));
    }
    for (name, value) in &scene.told {
        put(name, Value::from(value.as_str()));
    }
    put("context", Value::Object(scene.context.clone()));
    Value::Object(request)
}

/// The optional fields of the case form.
fn extensions(random: &mut Random, scene: &Scene, case: &mut Map<String, Value>) {
    if case.contains_key("endpointPolicies") && random.chance(25) {
        case.insert("gateway".to_owned(), json!(random.chance(80)));
    }
    let ordinary = !scene.trust && !scene.resource.contains(":kms:");
    if ordinary && random.chance(2) {
        case.insert("delegated".to_owned(), json!(random.chance(50)));
    }
    if case.contains_key("resourcePolicy") && random.chance(8) {
        case.insert("entities".to_owned(), entities(random, scene));
    }
    if scene.resource.contains(":kms:") && random.chance(25) {
        case.insert("grants".to_owned(), grants(random, scene));
    }
    if random.chance(4) {
        let credentials = match scene.caller.kind {
            CallerKind::Session => "role",
            CallerKind::FederatedUser => {
                random.pick(&["federation-token", "federation-token-console"])
            }
            CallerKind::User | CallerKind::Root => {
                random.pick(&["long-term", "session-token", "session-token-mfa"])
            }
            _ => return,
        };
        case.insert("credentials".to_owned(), Value::from(credentials));
    }
}

/// The users and roles that were alive when the resource policy was saved (PR-12): most of them,
/// some with another id than today.
fn entities(random: &mut Random, scene: &Scene) -> Value {
    let partition = scene.caller.partition;
    let mut alive = Map::new();
    for account in [scene::HOME, scene::AWAY] {
        for (kind, pool) in [("user", &scene::USERS as &[_]), ("role", &scene::ROLES)] {
            for (name, id) in pool {
                if !random.chance(75) {
                    continue;
                }
                let earlier =
                    if kind == "user" { "AIDAEARLIERRRRRRRRRRR" } else { "AROAEARLIERRRRRRRRRRR" };
                let id = if random.chance(85) { id } else { earlier };
                alive.insert(
                    format!("arn:{partition}:iam::{account}:{kind}/{name}"),
                    Value::from(id),
                );
            }
        }
    }
    Value::Object(alive)
}

/// Live grants of a KMS key (DLG-5).
fn grants(random: &mut Random, scene: &Scene) -> Value {
    let caller = &scene.caller;
    let own = caller.principal.clone().unwrap_or_default();
    let grantee = match random.below(4) {
        0 => caller.parent.clone().unwrap_or(own),
        1 => format!("arn:aws:iam::{}:user/alice", scene::HOME),
        _ => own,
    };
    let operations = random.pick(&[
        &["Decrypt"] as &[&str],
        &["Encrypt", "GenerateDataKey"],
        &["Decrypt", "Encrypt"],
        &[],
    ]);
    json!([{"grantee": grantee, "operations": operations}])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_follows_from_its_seed_and_number() {
        for number in 0..200 {
            let one = generate(7, number, Profile::Whole).case;
            assert_eq!(one, generate(7, number, Profile::Whole).case);
            assert!(one["request"]["context"].is_object(), "{one}");
        }
    }

    #[test]
    fn ids_have_the_length_of_unique_ids() {
        for (_, id) in scene::USERS.iter().chain(&scene::ROLES) {
            assert_eq!(id.len(), 21, "{id}");
        }
    }
}
