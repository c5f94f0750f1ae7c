//! How records, changes and the state of the store stand in the file, each with a keyed tag.
//!
//! The file's own checksums find accidents on the disk. The tags find what was edited: each is an
//! HMAC-SHA256 (first 16 bytes) over a kind, the key, the revision and the value, so that a record cannot
//! be changed, or moved to another key, without the record key (I04, L02). The state counts the records
//! and sums their tags, so that at the next opening a record that was removed, or an old one put back, is
//! missed. Only the file as a whole can be put back; against that stands the `state.head` file.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

use crate::transaction::{Change, Revision};

/// The length of a tag in bytes.
const TAG_LEN: usize = 16;

/// The key under which tags are made.
pub(super) struct RecordKey(hmac::Key);

/// A tag.
pub(super) type Tag = [u8; TAG_LEN];

/// What stands in the file is not what was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Unauthentic;

/// A record as read: its value, when it was put, and the tag that counts in the state's sum.
pub(super) struct Record<'a> {
    pub(super) revision: Revision,
    pub(super) value: &'a [u8],
    pub(super) tag: Tag,
}

/// The figures of a store after a transaction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct State {
    /// The newest revision.
    pub(super) revision: Revision,
    /// The newest revision whose change has been dropped.
    pub(super) floor: Revision,
    /// How many records there are.
    pub(super) count: u64,
    /// The sum of their tags.
    pub(super) sum: u128,
}

impl State {
    /// Counts a record that was put.
    pub(super) fn add(&mut self, tag: Tag) {
        self.count = self.count.wrapping_add(1);
        self.sum = self.sum.wrapping_add(u128::from_le_bytes(tag));
    }

    /// Counts a record that was removed or replaced.
    pub(super) fn subtract(&mut self, tag: Tag) {
        self.count = self.count.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(u128::from_le_bytes(tag));
    }
}

impl RecordKey {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// A record as it stands in the file, with its tag.
    pub(super) fn encode_record(
        &self,
        key: &[u8],
        revision: Revision,
        value: &[u8],
    ) -> (Vec<u8>, Tag) {
        let revision = revision.0.to_le_bytes();
        let tag = self.tag(b'r', &[key, &revision, value]);
        ([&tag, &revision[..], value].concat(), tag)
    }

    /// Reads a record and checks that it belongs to `key`.
    pub(super) fn decode_record<'a>(
        &self,
        key: &[u8],
        stored: &'a [u8],
    ) -> Result<Record<'a>, Unauthentic> {
        let (tag, rest) = stored.split_first_chunk::<TAG_LEN>().ok_or(Unauthentic)?;
        let (revision, value) = rest.split_first_chunk::<8>().ok_or(Unauthentic)?;
        self.verify(b'r', &[key, revision, value], tag)?;
        Ok(Record { revision: Revision(u64::from_le_bytes(*revision)), value, tag: *tag })
    }

    /// A change as it stands in the file.
    pub(super) fn encode_change(
        &self,
        revision: Revision,
        puts: &[(Vec<u8>, Vec<u8>)],
        deletes: &[Vec<u8>],
    ) -> Vec<u8> {
        let bytes = puts.iter().map(|(key, value)| key.len() + value.len() + 8).sum::<usize>()
            + deletes.iter().map(|key| key.len() + 4).sum::<usize>();
        let mut body = Vec::with_capacity(bytes + 8 + TAG_LEN);
        body.extend_from_slice(&[0; TAG_LEN]);
        write_count(&mut body, puts.len());
        write_count(&mut body, deletes.len());
        for (key, value) in puts {
            write_bytes(&mut body, key);
            write_bytes(&mut body, value);
        }
        for key in deletes {
            write_bytes(&mut body, key);
        }
        if let Some((space, rest)) = body.split_first_chunk_mut::<TAG_LEN>() {
            *space = self.tag(b'c', &[&revision.0.to_le_bytes(), rest]);
        }
        body
    }

    /// Reads a change and checks that it belongs to `revision`.
    pub(super) fn decode_change(
        &self,
        revision: Revision,
        stored: &[u8],
    ) -> Result<Change, Unauthentic> {
        let (tag, body) = stored.split_first_chunk::<TAG_LEN>().ok_or(Unauthentic)?;
        self.verify(b'c', &[&revision.0.to_le_bytes(), body], tag)?;
        let mut rest = body;
        let puts = read_count(&mut rest)?;
        let deletes = read_count(&mut rest)?;
        let mut change = Change { revision, ..Change::default() };
        for _ in 0..puts {
            let key = read_bytes(&mut rest)?;
            let value = read_bytes(&mut rest)?;
            change.puts.push((key, value));
        }
        for _ in 0..deletes {
            change.deletes.push(read_bytes(&mut rest)?);
        }
        if rest.is_empty() { Ok(change) } else { Err(Unauthentic) }
    }

    /// The state as it stands in the file.
    pub(super) fn encode_state(&self, state: State) -> Vec<u8> {
        let body = [
            &state.revision.0.to_le_bytes()[..],
            &state.floor.0.to_le_bytes(),
            &state.count.to_le_bytes(),
            &state.sum.to_le_bytes(),
        ]
        .concat();
        [&self.tag(b's', &[&body])[..], &body].concat()
    }

    /// Reads the state.
    pub(super) fn decode_state(&self, stored: &[u8]) -> Result<State, Unauthentic> {
        let (tag, body) = stored.split_first_chunk::<TAG_LEN>().ok_or(Unauthentic)?;
        self.verify(b's', &[body], tag)?;
        let (revision, rest) = body.split_first_chunk().ok_or(Unauthentic)?;
        let (floor, rest) = rest.split_first_chunk().ok_or(Unauthentic)?;
        let (count, rest) = rest.split_first_chunk().ok_or(Unauthentic)?;
        let sum = <[u8; 16]>::try_from(rest).map_err(|_| Unauthentic)?;
        Ok(State {
            revision: Revision(u64::from_le_bytes(*revision)),
            floor: Revision(u64::from_le_bytes(*floor)),
            count: u64::from_le_bytes(*count),
            sum: u128::from_le_bytes(sum),
        })
    }

    /// The tag of the head file for a revision.
    pub(super) fn head_tag(&self, revision: Revision) -> Tag {
        self.tag(b'h', &[&revision.0.to_le_bytes()])
    }

    fn tag(&self, kind: u8, parts: &[&[u8]]) -> Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&[kind]);
        for part in parts {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let full = context.sign();
        full.as_ref().first_chunk().copied().unwrap_or_default()
    }

    fn verify(&self, kind: u8, parts: &[&[u8]], tag: &Tag) -> Result<(), Unauthentic> {
        verify_slices_are_equal(&self.tag(kind, parts), tag).map_err(|_| Unauthentic)
    }
}

fn write_count(body: &mut Vec<u8>, count: usize) {
    // The limits of a transaction are far below 4 GiB.
    body.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

fn write_bytes(body: &mut Vec<u8>, bytes: &[u8]) {
    write_count(body, bytes.len());
    body.extend_from_slice(bytes);
}

fn read_count(rest: &mut &[u8]) -> Result<usize, Unauthentic> {
    let (count, tail) = rest.split_first_chunk().ok_or(Unauthentic)?;
    *rest = tail;
    usize::try_from(u32::from_le_bytes(*count)).map_err(|_| Unauthentic)
}

fn read_bytes(rest: &mut &[u8]) -> Result<Vec<u8>, Unauthentic> {
    let len = read_count(rest)?;
    let (bytes, tail) = rest.split_at_checked(len).ok_or(Unauthentic)?;
    *rest = tail;
    Ok(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> RecordKey {
        RecordKey::new(&[5; 32])
    }

    #[test]
    fn tm_i04_a_record_with_a_flipped_bit_is_refused() {
        let (stored, _) = key().encode_record(b"user/alice", Revision(7), b"policy text");
        let record = key().decode_record(b"user/alice", &stored).ok().unwrap();
        assert_eq!((record.revision, record.value), (Revision(7), &b"policy text"[..]));
        for bit in 0..stored.len() * 8 {
            let mut flipped = stored.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(key().decode_record(b"user/alice", &flipped).is_err(), "bit {bit}");
        }
        for len in 0..stored.len() {
            assert!(key().decode_record(b"user/alice", &stored[..len]).is_err(), "length {len}");
        }
    }

    #[test]
    fn tm_l02_a_record_moved_to_another_key_is_refused() {
        let (stored, _) = key().encode_record(b"user/alice", Revision(7), b"policy");
        assert!(key().decode_record(b"user/mallory", &stored).is_err());
        assert!(RecordKey::new(&[6; 32]).decode_record(b"user/alice", &stored).is_err());
    }

    #[test]
    fn changes_and_state_come_back() {
        let puts = vec![(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), Vec::new())];
        let deletes = vec![b"c".to_vec()];
        let stored = key().encode_change(Revision(9), &puts, &deletes);
        let change = key().decode_change(Revision(9), &stored).unwrap();
        assert_eq!(change, Change { revision: Revision(9), puts, deletes });
        assert_eq!(key().decode_change(Revision(8), &stored), Err(Unauthentic));

        let mut state = State { revision: Revision(3), floor: Revision(1), count: 0, sum: 0 };
        state.add([255; 16]);
        state.add([9; 16]);
        assert_eq!(key().decode_state(&key().encode_state(state)), Ok(state));
        state.subtract([255; 16]);
        state.subtract([9; 16]);
        assert_eq!((state.count, state.sum), (0, 0));
    }
}
