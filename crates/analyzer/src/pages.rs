//! An account written down: a Markdown page for each user, group, role and customer managed policy,
//! and an index.
//!
//! A page says what its subject is for, as far as tags and descriptions tell, who can assume it, what
//! it may do, what limits it, what it is used by, and whether it leads to administrator. The same
//! evidence gives the same bytes. Names and texts of others break neither a page nor a path: see
//! [`markdown`] and [`file_names`].
//!
//! Absences: no I/O, no clock.

mod access;
mod book;
mod file;
mod index;
pub mod markdown;
mod purpose;
mod subjects;

pub use book::{Export, Lacking, Page, export};
pub use file::file_names;
pub use purpose::{Aspect, Documentation};
