//! Claims about all requests at once: does one policy allow no more than another, are two the
//! same, do they never meet, does one allow nothing at all?
//!
//! A statement is a box: a product of a set of callers, of actions, of resources and of the values
//! of each context key. What a policy allows is the union of the boxes that allow without those
//! that deny. A claim is a question whether some such difference is empty. Boxes are cut by one
//! another until nothing is left, or until something is: then a request is made of it, and the
//! decision engine must confirm that it is an example before it is given out.
//!
//! # What is exact
//! - Actions, resources and texts: patterns with `*` and `?`, fields of ARNs, letters in any case,
//!   by a search in the product of their automata. NotAction and NotResource are complements.
//! - Numbers, dates and addresses: one representative of each part into which the bounds cut the
//!   line. Truth values, presence, `IfExists`, negated operators on absent keys.
//! - Keys with several values as sets, under `ForAnyValue` and `ForAllValues`, blank values
//!   included. A key has several values if AWS says so, or if it is unknown to the catalog and a
//!   set operator is used on it.
//! - Callers of resource policies: everyone who is named, and for each account that is named one
//!   of each kind who is not. Keys that follow from the caller (`aws:PrincipalArn`,
//!   `aws:PrincipalAccount` ...) have the values that they have.
//! - The old version of the language, in which variables are plain text.
//!
//! # What is assumed
//! An action has a service and a name; a resource is `*` or has the six fields of an ARN. The
//! values of a key have the type that the catalog, or else all operators used on it, give it. All
//! other keys vary by themselves: an example may join values that no AWS call has.
//!
//! # What may be undecided
//! - A variable is a symbol: what holds for all of its values is shown, and an example is tried
//!   with one. Undecided where only the value that another condition gives it decides.
//! - A variable that stands for a whole ARN, or for a truth value.
//! - A key compared both as text and as number, date or address; fractions of a second; numbers
//!   of more than twenty digits. Wildcards within a principal, canonical users.
//! - Whatever exceeds the [`Limits`].
//!
//! In these cases requests that fail the claim are still looked for.
//!
//! Absences: no I/O, no clock, nothing `async`; nothing is decided about a live request here.

mod access;
mod answer;
mod automaton;
mod bits;
mod budget;
mod caller;
mod claim;
mod cover;
mod facts;
mod family;
mod key;
mod pattern;
mod point;
mod public;
mod question;
mod search;
mod text;
mod witness;

pub use access::{Access, not_granted};
pub use answer::{Answer, Finding, Reason, Witness};
pub use budget::Limits;
pub use claim::{Asker, Change, diff, disjoint, empty, equivalent, implies};
pub use public::not_public;
