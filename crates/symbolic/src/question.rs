//! A question: the statements of all its documents over shared dimensions.

use std::collections::BTreeMap;
use std::rc::Rc;

use bailiwick_catalog::{Catalog, KeyType};
use bailiwick_policy::{
    ConditionView, Context, Document, DocumentKind, Effect, Operator, SetPrefix, Statement, Token,
};

use crate::bits::Bits;
use crate::budget::Limits;
use crate::caller::{Caller, Callers};
use crate::family::{Family, is_arn};
use crate::key::{Covered, KeyInfo, KeySet, Multi, Over, Test, Values};
use crate::pattern::Id;
use crate::point;
use crate::text::{PatternList, Space, TextCell, Texts};

/// One element of a statement: what it asks of one dimension.
#[derive(Clone, Debug)]
pub(crate) enum Literal {
    Callers(Bits),
    Action(Rc<PatternList>, bool),
    Resource(Rc<PatternList>, bool),
    Test(Test),
}

/// A statement: all of its literals must hold.
#[derive(Clone, Debug)]
pub(crate) struct Clause {
    pub(crate) literals: Vec<Literal>,
    /// The places of its document and of itself in that.
    pub(crate) place: (usize, usize),
}

/// The statements of one side of a question.
#[derive(Debug, Default)]
pub(crate) struct Side {
    pub(crate) allows: Vec<Clause>,
    pub(crate) denies: Vec<Clause>,
}

/// A product of sets, one a dimension.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub(crate) callers: Bits,
    pub(crate) action: Rc<Texts>,
    pub(crate) resource: Rc<Texts>,
    pub(crate) keys: Vec<Rc<KeySet>>,
}

pub(crate) struct Question {
    pub(crate) space: Space,
    pub(crate) callers: Vec<Caller>,
    pub(crate) named: Vec<String>,
    pub(crate) keys: Vec<KeyInfo>,
    pub(crate) sides: Vec<Side>,
    /// All requests.
    pub(crate) all: Region,
    /// Why an empty search proves nothing.
    pub(crate) gap: Option<&'static str>,
    /// Whether the documents name their callers.
    pub(crate) resource_policies: bool,
}

impl Question {
    /// The question about these sides, each a union of documents.
    pub(crate) fn new(sides: &[&[Document]], limits: Limits) -> Self {
        let documents = || sides.iter().flat_map(|side| side.iter());
        let resource_policies = documents().any(|document| document.kind().has_principal());
        let mut gap = None;
        let (callers, named) = if resource_policies {
            let found = Callers::of(documents());
            gap = found.gap;
            (found.list, found.named)
        } else {
            (vec![Caller::usual()], Vec::new())
        };
        let mut space = Space::new(limits);
        let nothing = space.patterns.literal("");
        let mut question = Self {
            all: base(&mut space, callers.len()),
            space,
            callers,
            named,
            keys: Vec::new(),
            sides: Vec::new(),
            gap,
            resource_policies,
        };
        let mut uses: BTreeMap<&str, Vec<ConditionView<'_>>> = BTreeMap::new();
        for statement in documents().flat_map(Document::statements) {
            for view in statement.condition_views() {
                if view.operator().is_some() {
                    uses.entry(view.key().0).or_default().push(view);
                }
            }
        }
        for (name, views) in uses {
            question.key(name, &views, nothing);
        }
        for documents in sides {
            let mut side = Side::default();
            let documents = documents.iter().enumerate();
            let statements = documents.flat_map(|(at, document)| {
                let each = document.statements().iter().enumerate();
                each.map(move |(number, statement)| ((at, number), document, statement))
            });
            for (place, document, statement) in statements {
                let Some(clause) = question.clause(place, statement, document.kind()) else {
                    continue;
                };
                match statement.effect() {
                    Effect::Allow => side.allows.push(clause),
                    Effect::Deny => side.denies.push(clause),
                }
            }
            question.sides.push(side);
        }
        question
    }

    /// Enters a key with all that the question asks of it.
    fn key(&mut self, name: &str, views: &[ConditionView<'_>], nothing: Id) {
        let known = Catalog::embedded().condition_key(name);
        let kind = known.map(|key| key.kind);
        let families: Vec<Family> =
            views.iter().filter_map(|view| Family::of(view.operator()?.0)).collect();
        let typed = families.iter().find(|family| !family.is_text()).copied();
        let mixed = typed.is_some_and(|typed| families.iter().any(|family| *family != typed));
        let points = typed.map(|_| {
            let of = |family: Family| -> Vec<&str> {
                let same = views.iter().filter(move |view| {
                    view.operator().and_then(|(operator, ..)| Family::of(operator)) == Some(family)
                });
                same.flat_map(|view| view.values().iter().map(AsRef::as_ref)).collect()
            };
            let mut points = Vec::new();
            for family in [Family::Numeric, Family::Date, Family::Ip] {
                if !families.contains(&family) {
                    continue;
                }
                let found = match family {
                    Family::Numeric => point::decimals(&of(family)),
                    Family::Date => point::instants(&of(family)),
                    _ => Some(point::addresses(&of(family))),
                };
                match found {
                    Some(found) => points.extend(found),
                    None => self.gap = Some("a number or date is out of range"),
                }
            }
            if mixed {
                self.gap =
                    Some("a key is compared both as a text and as a number, date or address");
                points.extend(of(Family::Text).into_iter().map(str::to_owned));
            }
            let foreign = kind.is_some_and(|kind| !typed.is_some_and(|typed| typed.suits(kind)));
            if mixed || foreign {
                points.extend(["x".to_owned(), String::new()]);
            }
            points
        });
        let single = match &points {
            Some(points) => Values::Points(Bits::of(points.len(), |_| true)),
            None => Values::Texts(self.texts_of(kind, views)),
        };
        let listed = views.iter().any(|view| view.operator().is_some_and(|(_, p, _)| p.is_some()));
        let declared = views.iter().any(|view| view.key().1);
        let multi = declared || (known.is_none() && listed);
        let set = KeySet {
            absent: true,
            multi: multi.then(|| Multi { each: single.clone(), some: Vec::new() }),
            single: (!declared).then_some(single),
        };
        self.keys.push(KeyInfo { name: name.into(), points, nothing });
        self.all.keys.push(Rc::new(set));
    }

    /// The texts that a key may have as values.
    fn texts_of(&mut self, kind: Option<KeyType>, views: &[ConditionView<'_>]) -> Texts {
        let operators = || views.iter().filter_map(|view| Some(view.operator()?.0));
        let text = |operator: &Operator| Family::of(*operator) == Some(Family::Text);
        let only = |family: fn(Operator) -> bool| {
            operators().any(|operator| text(&operator)) && operators().filter(text).all(family)
        };
        let bool_only = only(|operator| operator == Operator::Bool);
        let arn_only = only(is_arn);
        let patterns = &mut self.space.patterns;
        let ids = if kind == Some(KeyType::Bool) || (kind.is_none() && bool_only) {
            ["true", "false"]
                .into_iter()
                .filter_map(|text| patterns.add(&[Token::Text(text.into())], true))
                .collect()
        } else if kind == Some(KeyType::Arn) || (kind.is_none() && arn_only) {
            patterns.add(&arn(), false).into_iter().collect::<Vec<_>>()
        } else {
            patterns.add(&[Token::Star], false).into_iter().collect()
        };
        ids.into_iter().map(|id| TextCell { wanted: vec![id], unwanted: Vec::new() }).collect()
    }

    /// The literals of a statement; nothing if it never matches.
    fn clause(
        &mut self,
        place: (usize, usize),
        statement: &Statement,
        kind: DocumentKind,
    ) -> Option<Clause> {
        let deny = statement.effect() == Effect::Deny;
        let mut literals = Vec::new();
        if kind.has_principal() {
            let callers = &self.callers;
            let meant = Bits::of(callers.len(), |at| {
                callers.get(at).is_some_and(|caller| statement.means_caller(&caller.principal))
            });
            // A caller that is not modelled may be the one who is meant.
            if meant.is_empty() && self.gap.is_none() {
                return None;
            }
            literals.push(Literal::Callers(meant));
        }
        let list = self.list(&statement.action_tokens(), false);
        literals.push(Literal::Action(list, !statement.is_not_action()));
        if let Some(tokens) = statement.resource_tokens() {
            let list = self.list(&tokens, false);
            literals.push(Literal::Resource(list, !statement.is_not_resource()));
        }
        for view in statement.condition_views() {
            match self.test(&view, deny) {
                Some(test) => literals.push(Literal::Test(test)),
                // OP-X1: a Deny that cannot be understood denies, an Allow allows nothing.
                None if deny => {}
                None => return None,
            }
        }
        Some(Clause { literals, place })
    }

    fn list(&mut self, tokens: &[Vec<Token>], fold: bool) -> Rc<PatternList> {
        let patterns = &mut self.space.patterns;
        let ids = tokens.iter().filter_map(|tokens| patterns.add(tokens, fold)).collect();
        Rc::new(PatternList::new(ids, patterns))
    }

    fn test(&mut self, view: &ConditionView<'_>, deny: bool) -> Option<Test> {
        let (operator, prefix, if_exists) = view.operator()?;
        let name = view.key().0;
        let key = self.keys.iter().position(|key| *key.name == *name)?;
        let negated = operator.is_negated();
        let over = match prefix {
            None => Over::Plain,
            Some(SetPrefix::ForAllValues) => Over::All,
            Some(SetPrefix::ForAnyValue) => Over::Any,
        };
        if operator == Operator::Null {
            let wants = |word: &str| view.values().iter().any(|v| v.eq_ignore_ascii_case(word));
            return Some(Test {
                key,
                absent: wants("true"),
                present: Some(wants("false")),
                over,
                negated,
                deny,
                covered: Covered::Points(Bits::of(0, |_| false)),
            });
        }
        // CO-3, CO-4
        let absent = if_exists
            || match over {
                Over::All => true,
                Over::Any => false,
                Over::Plain => negated,
            };
        let points = self.keys.get(key).and_then(|key| key.points.clone());
        let covered = match (points, view.tokens()) {
            (Some(points), _) => {
                let context = Context::new();
                Covered::Points(Bits::of(points.len(), |at| {
                    points.get(at).is_some_and(|point| view.covers(point, &context))
                }))
            }
            (None, Some((tokens, case_counts))) => Covered::Texts(self.list(&tokens, !case_counts)),
            (None, None) => return None,
        };
        Some(Test { key, absent, present: None, over, negated, deny, covered })
    }
}

/// All requests, before keys: an action has a service and a name, a resource is an ARN or `*`.
fn base(space: &mut Space, callers: usize) -> Region {
    let patterns = &mut space.patterns;
    let action = [Token::One, Token::Star, Token::Text(":".into()), Token::One, Token::Star];
    let cell = |id: Id| TextCell { wanted: vec![id], unwanted: Vec::new() };
    let action: Texts = patterns.add(&action, false).map(cell).into_iter().collect();
    let arns: Texts = patterns.add(&arn(), false).map(cell).into_iter().collect();
    let star = cell(patterns.literal("*"));
    let resource = arns.into_iter().chain([star]).collect();
    Region {
        callers: Bits::of(callers, |_| true),
        action: Rc::new(action),
        resource: Rc::new(resource),
        keys: Vec::new(),
    }
}

/// Any ARN.
pub(crate) fn arn() -> Vec<Token> {
    let mut tokens = vec![Token::Text("arn:".into())];
    for _ in 0..4 {
        tokens.extend([Token::StarField, Token::Text(":".into())]);
    }
    tokens.push(Token::Star);
    tokens
}
