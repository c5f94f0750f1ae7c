//! Best-practice lists and standards, answered from the checks of an audit.
//!
//! [`lists`] holds the practices of five public articles, [`Standard`] the controls of four standards.
//! Each names the posture checks that answer it, and [`Answers`] says what a report makes of them: a
//! failing check fails it, and one whose data are missing keeps it from passing. What only people know
//! they say with [`Marks`]: evidence, by whom, until when. A mark never covers a failure.
//!
//! Absences: no I/O, no clock: marks end against the instant of the report.

mod answer;
mod list;
mod mark;
mod standard;
mod verdict;

pub use answer::{Answers, Item, ListAnswer, StandardAnswer};
pub use list::{List, Practice, list, lists};
pub use mark::{Day, Mark, MarkError, MarkedAs, Marks};
pub use standard::{Control, Standard};
pub use verdict::{Asked, ByHand, Example, First, Standing, Tallies, Verdict};
