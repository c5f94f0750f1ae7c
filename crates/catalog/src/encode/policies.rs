//! The section of managed policies and the blocks of documents: what `PolicyTable` and `Documents` read.

use std::collections::BTreeSet;

use super::difference::difference;
use super::{EncodeError, PolicyFacts, VersionFacts};
use crate::bytes::Writer;
use crate::documents::indent;

/// A block is closed when it has grown beyond this many bytes. Larger blocks compress a little better, smaller
/// ones are inflated sooner when one document is asked for.
const BLOCK: usize = 192 << 10;
/// Every so many versions one differs from the last such version and not from its neighbour, so that an old
/// document of a long history is a few steps away from a whole text.
const STRIDE: usize = 16;

/// The section of policies, and the blocks.
pub(super) fn write(policies: &[PolicyFacts]) -> Result<(Vec<u8>, Vec<Vec<u8>>), EncodeError> {
    // Whole texts and differences go to blocks of their own: asking for documents in force, which is the rule,
    // then never inflates a difference.
    let (mut whole, mut differences) = (Blocks::default(), Blocks::default());
    let mut places = Vec::new();
    for policy in policies {
        let documents = policy
            .versions
            .iter()
            .map(|version| bare(policy, version))
            .collect::<Result<Vec<_>, _>>()?;
        for (at, document) in documents.iter().enumerate() {
            places.push(
                match base_of(at).and_then(|base| Some((at - base, documents.get(base)?))) {
                    None => (false, whole.push(document), 0),
                    Some((back, base)) => {
                        (true, differences.push(&difference(base, document)), back)
                    }
                },
            );
        }
    }
    let whole_blocks = whole.0.len();
    let mut places = places.into_iter().map(|(is_difference, place, back)| {
        let first = if is_difference { whole_blocks } else { 0 };
        (Place { block: place.block + first, ..place }, back)
    });

    let paths: BTreeSet<&str> = policies.iter().map(|policy| &*policy.path).collect();
    let mut out = Writer::default();
    out.size(paths.len());
    for path in &paths {
        out.text(path);
    }
    out.size(policies.len());
    for policy in policies {
        out.text(&policy.name);
        out.size(paths.iter().position(|path| **path == policy.path).unwrap_or_default());
        out.text(&policy.id);
        out.byte(policy.attachable.into());
        out.varint(policy.default_version.into());
        out.signed(policy.updated.as_second());
        let mut last = policy.updated.as_second();
        out.size(policy.versions.len());
        for (version, (place, back)) in policy.versions.iter().zip(&mut places) {
            out.varint(version.number.into());
            out.signed(version.created.as_second() - last);
            last = version.created.as_second();
            out.size(place.block);
            out.size(place.len);
            out.size(back);
        }
        out.signed(policy.created.as_second() - last);
    }
    let mut blocks = whole.0;
    blocks.extend(differences.0);
    Ok((out.0, blocks))
}

/// The version, counted from the newest, that version `at` differs from; none for the newest.
fn base_of(at: usize) -> Option<usize> {
    if at.is_multiple_of(STRIDE) { at.checked_sub(STRIDE) } else { at.checked_sub(1) }
}

/// The document without the blanks that begin its lines; the reader puts them back.
fn bare(policy: &PolicyFacts, version: &VersionFacts) -> Result<String, EncodeError> {
    let lines: Vec<&str> =
        version.document.lines().map(|line| line.trim_start_matches(' ')).collect();
    if indent(lines.iter().copied()).as_deref() != Ok(&version.document) {
        return Err(EncodeError::Layout(format!("{} v{}", policy.name, version.number)));
    }
    Ok(lines.join("\n"))
}

#[derive(Clone, Copy)]
struct Place {
    block: usize,
    len: usize,
}

/// Texts one after another, in blocks.
#[derive(Default)]
struct Blocks(Vec<Vec<u8>>);

impl Blocks {
    fn push(&mut self, text: &str) -> Place {
        if self.0.last().is_none_or(|block| block.len() >= BLOCK) {
            self.0.push(Vec::new());
        }
        let block = self.0.len() - 1;
        self.0.iter_mut().skip(block).for_each(|last| last.extend_from_slice(text.as_bytes()));
        Place { block, len: text.len() }
    }
}
