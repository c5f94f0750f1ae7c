//! From a region to one request, which the engine then judges.

use std::collections::BTreeMap;

use bailiwick_catalog::Catalog;
use bailiwick_identifiers::AccountId;
use bailiwick_policy::{
    Context, Document, DocumentKind, Engine, Principal, Request, Verdict, consult_alone,
    resource_owner,
};

use crate::answer::{Reason, Witness};
use crate::automaton::{Found, Word};
use crate::caller::Caller;
use crate::key::{KeyInfo, KeySet, Values, example_of};
use crate::pattern::Letter;
use crate::question::{Question, Region};
use crate::text::{Space, TextCell};

/// A request with its parts apart.
pub(crate) struct Example {
    pub(crate) principal: Principal,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) context: Context,
    /// What it sets beyond what follows from the caller.
    set: BTreeMap<String, Vec<String>>,
}

/// What stands for a variable that no condition speaks of.
const ANY_VALUE: &str = "example";

/// Requests of the region, likely ones first.
pub(crate) fn examples(question: &Question, region: &Region) -> Vec<Example> {
    let space = &question.space;
    let callers = region.callers.iter().filter_map(|at| question.callers.get(at)).take(3);
    let resource = region.resource.iter().find_map(|cell| resource_of(cell, space));
    let Some(resource) = resource else { return Vec::new() };
    let actions = actions_of(&region.action, space);
    let mut out = Vec::new();
    for caller in callers {
        for action in &actions {
            for prefer_absent in [true, false] {
                out.extend(example(question, region, caller, action, &resource, prefer_absent));
            }
        }
    }
    out
}

fn example(
    question: &Question,
    region: &Region,
    caller: &Caller,
    action: &str,
    resource: &Word,
    prefer_absent: bool,
) -> Option<Example> {
    let space = &question.space;
    let mut words: BTreeMap<&str, Option<Vec<Word>>> = BTreeMap::new();
    for (place, (set, info)) in region.keys.iter().zip(&question.keys).enumerate() {
        let left_out = set.absent && prefer_absent;
        let values = if left_out { None } else { values_of(set, info, place, space) };
        words.insert(&info.name, values);
    }
    // Keys that stand as variables in what was chosen need a value, and so on from there.
    for _ in 0..4 {
        for (place, (set, info)) in region.keys.iter().zip(&question.keys).enumerate() {
            let is_used = || {
                let chosen = words.values().flatten().flatten();
                std::iter::once(resource).chain(chosen).any(|word| uses(word, &info.name, space))
            };
            if words.get(&*info.name).is_some_and(Option::is_none) && is_used() {
                words.insert(&info.name, values_of(set, info, place, space));
            }
        }
    }
    let mut principal = caller.principal.clone();
    // Whoever an identity policy is attached to is free, as far as its ARN is.
    if let Some(Some(arn)) = words.get("aws:principalarn").filter(|_| caller.any_name)
        && let [arn] = arn.as_slice()
    {
        let spoken = Speaker { space, words: &words, facts: &Context::new() }.speak(arn, 0)?;
        let same_kind = |found: &Principal| {
            !question.resource_policies
                || std::mem::discriminant(found) == std::mem::discriminant(&principal)
        };
        if let Some(found) = Principal::from_arn(&spoken).filter(same_kind) {
            principal = found;
        }
    }
    let facts = question.facts.clone().unwrap_or_else(|| {
        let mut facts = Context::new();
        facts.put_principal(&principal);
        facts
    });
    let speaker = Speaker { space, words: &words, facts: &facts };
    let mut set = BTreeMap::new();
    let mut context = facts.clone();
    for (key, values) in &words {
        match values {
            None => context.remove(key),
            Some(values) => {
                let spoken: Option<Vec<String>> =
                    values.iter().map(|word| speaker.speak(word, 0)).collect();
                let spoken = spoken?;
                let known = question.facts.is_some()
                    && facts.values(key).eq(spoken.iter().map(String::as_str));
                if !known {
                    context.put_list(*key, spoken.iter().map(String::as_str));
                    set.insert((*key).to_owned(), spoken);
                }
            }
        }
    }
    let resource_text = speaker.speak(resource, 0)?;
    // Variables that no condition speaks of need a value, unless the caller has one.
    for letter in resource.iter().chain(words.values().flatten().flatten().flatten()) {
        if let Letter::Symbol { number, .. } = letter
            && let Some(symbol) = space.patterns.symbols.get(*number as usize)
            && !words.contains_key(&*symbol.key)
        {
            let value = speaker.value(*number, 0)?;
            if symbol.default.as_deref() != Some(&value) {
                context.put(&*symbol.key, &value);
                set.insert(symbol.key.to_string(), vec![value]);
            }
        }
    }
    Some(Example { principal, action: action.to_owned(), resource: resource_text, context, set })
}

/// The values of a key; the `place` of a key is told in its value, so that two keys are equal
/// only where they must be.
fn values_of(set: &KeySet, info: &KeyInfo, place: usize, space: &Space) -> Option<Vec<Word>> {
    if let Some(single) = &set.single {
        if let Values::Texts(texts) = single {
            let own = format!("example-{place}");
            let fits = |cell: &TextCell| {
                cell.wanted.iter().all(|id| space.patterns.get(*id).matches(&own, false))
                    && !cell.unwanted.iter().any(|id| space.patterns.get(*id).matches(&own, false))
            };
            if texts.iter().any(fits) {
                return Some(vec![own.chars().map(Letter::Char).collect()]);
            }
        }
        return single.example(info, space).map(|word| vec![word]);
    }
    let multi = set.multi.as_ref()?;
    let mut words: Vec<Word> = Vec::new();
    for some in &multi.some {
        let word = some.example(info, space)?;
        if !words.contains(&word) {
            words.push(word);
        }
    }
    if words.is_empty() {
        words.push(multi.each.example(info, space)?);
    }
    Some(words)
}

fn uses(word: &Word, key: &str, space: &Space) -> bool {
    word.iter().any(|letter| match letter {
        Letter::Symbol { number, .. } => {
            space.patterns.symbols.get(*number as usize).is_some_and(|symbol| *symbol.key == *key)
        }
        Letter::Char(_) => false,
    })
}

/// Turns words with symbols into texts.
struct Speaker<'s> {
    space: &'s Space,
    words: &'s BTreeMap<&'s str, Option<Vec<Word>>>,
    facts: &'s Context,
}

impl Speaker<'_> {
    fn speak(&self, word: &Word, depth: usize) -> Option<String> {
        let mut out = String::new();
        for letter in word {
            match letter {
                Letter::Char(c) => out.push(*c),
                Letter::Symbol { number, .. } => out.push_str(&self.value(*number, depth)?),
            }
        }
        Some(out)
    }

    /// The value of a variable.
    fn value(&self, number: u32, depth: usize) -> Option<String> {
        let symbol = self.space.patterns.symbols.get(number as usize)?;
        let or_default = || symbol.default.as_deref().map(str::to_owned);
        match self.words.get(&*symbol.key) {
            Some(None) => or_default(),
            Some(Some(words)) => match words.as_slice() {
                [word] if depth < 4 => self.speak(word, depth + 1),
                _ => or_default(),
            },
            None => {
                let fact = self.facts.values(&symbol.key).next().map(str::to_owned);
                fact.or_else(or_default).or_else(|| Some(ANY_VALUE.to_owned()))
            }
        }
    }
}

/// Resources that read well come first.
fn resource_of(cell: &TextCell, space: &Space) -> Option<Word> {
    let known = [
        "arn:aws:s3:::example/key",
        "arn:aws:s3:::example",
        "arn:aws:dynamodb:us-east-1:123456789012:table/example",
        "arn:aws:iam::123456789012:role/example",
    ];
    let fits = known.into_iter().find(|text| fits(cell, text, space));
    fits.map(|text| text.chars().map(Letter::Char).collect()).or_else(|| example_of(cell, space))
}

fn fits(cell: &TextCell, text: &str, space: &Space) -> bool {
    cell.wanted.iter().all(|id| space.patterns.get(*id).matches(text, false))
        && !cell.unwanted.iter().any(|id| space.patterns.get(*id).matches(text, true))
}

/// Actions of the cells: one that AWS has, if there is one, and one that fits.
fn actions_of(cells: &[TextCell], space: &Space) -> Vec<String> {
    let mut out = Vec::new();
    for cell in cells.iter().take(50) {
        if let Some(known) = known_action(cell, space) {
            out.push(known);
            break;
        }
    }
    for cell in cells {
        if let Found::Text(word) = space.find(cell) {
            let chars = word.iter().map(|letter| match letter {
                Letter::Char(c) => *c,
                Letter::Symbol { .. } => 'x',
            });
            out.push(chars.collect());
            break;
        }
    }
    out
}

fn known_action(cell: &TextCell, space: &Space) -> Option<String> {
    let prefixes = cell.wanted.iter().map(|id| &*space.patterns.get(*id).prefix);
    let prefix = prefixes.max_by_key(|prefix| prefix.len())?;
    let catalog = Catalog::embedded();
    let try_service = |service: &str| {
        let service = catalog.service(service)?;
        service.actions().find_map(|action| {
            let text = format!("{}:{}", service.prefix(), action.name);
            fits(cell, &text.to_ascii_lowercase(), space).then_some(text)
        })
    };
    if let Some((service, _)) = prefix.split_once(':') {
        return try_service(service);
    }
    let usual = ["s3:GetObject", "ec2:DescribeInstances"].into_iter();
    let mut usual = usual.filter(|text| fits(cell, &text.to_ascii_lowercase(), space));
    let first = usual.next().map(str::to_owned);
    first.or_else(|| ["s3", "iam", "ec2", "lambda"].into_iter().find_map(try_service))
}

impl Example {
    fn request(&self, owner: Option<AccountId>) -> Request<'_> {
        Request {
            principal: &self.principal,
            action: &self.action,
            resource: &self.resource,
            resource_account: owner,
            context: &self.context,
            delegated: false,
        }
    }

    /// Whether a union of documents allows it, as the engine sees it.
    ///
    /// # Errors
    /// The engine's decision differs from what its documents say one by one.
    pub(crate) fn allowed_by(&self, documents: &[Document]) -> Result<bool, Reason> {
        let mut verdict = Verdict::ImplicitDeny;
        for document in documents {
            verdict = verdict.max(consult_alone(document, &self.request(None)));
        }
        let allowed = verdict == Verdict::Allow;
        // EV-11: of these no policy is asked.
        let folded = self.action.to_ascii_lowercase();
        if ["sts:getcalleridentity", "sts:getsessiontoken"].contains(&folded.as_str()) {
            return Ok(allowed);
        }
        let decided = self.decide(documents);
        if decided.is_some_and(|decided| decided != allowed) {
            return Err(Reason::Correlation);
        }
        Ok(allowed)
    }

    /// The engine's decision where these documents alone are in doubt; nothing where no such
    /// request can be put.
    fn decide(&self, documents: &[Document]) -> Option<bool> {
        let everything = |kind: DocumentKind| {
            let principal = if kind.has_principal() { r#""Principal": "*","# } else { "" };
            let text = format!(
                r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", {principal}
                "Action": "*", "Resource": "*"}}}}"#
            );
            Document::parse(&text, kind).ok()
        };
        let of_resource = documents.iter().any(|document| document.kind().has_principal());
        let engine = Engine::builder();
        if of_resource {
            let [document] = documents else { return None };
            let all = everything(DocumentKind::Identity)?;
            let engine = engine
                .resource("resource", document.clone())
                .identity("all", all.clone())
                .session("all", all)
                .build();
            // A foreign owner, so that the resource policy must allow.
            let owner = ["000000000001", "000000000002", "000000000003"];
            let held = self.resource.split(':').nth(4).unwrap_or_default();
            let own = self.principal.account();
            let owner = owner.iter().filter_map(|id| id.parse::<AccountId>().ok());
            let mut owner = owner.filter(|id| own != Some(*id) && id.to_string() != held);
            return Some(engine.decide(&self.request(owner.next())).is_allowed());
        }
        if !self.principal.has_identity()
            || matches!(self.principal, Principal::Root { .. } | Principal::FederatedUser { .. })
        {
            return None;
        }
        let mut engine = engine;
        for document in documents {
            engine = engine.identity("identity", document.clone());
        }
        let request = self.request(None);
        if resource_owner(&request) != self.principal.account() {
            engine = engine.resource("all", everything(DocumentKind::Resource)?);
        }
        Some(engine.build().decide(&request).is_allowed())
    }

    /// What is told of it.
    pub(crate) fn witness(self) -> Witness {
        Witness {
            principal: self.principal.describe(),
            action: self.action,
            resource: self.resource,
            context: self.set,
        }
    }
}
