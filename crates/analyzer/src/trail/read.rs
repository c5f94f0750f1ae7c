//! The reader of a file's events.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::digest::Digest;
use super::event::Event;
use super::lazy::Text;
use crate::evidence::Fault;

/// The longest record, in bytes. CloudTrail's own limit is 256 KiB, in some trails 1 MiB.
pub const MAX_RECORD: usize = 4 << 20;
/// So many faults of a file are told with their places; those beyond are counted.
pub const MAX_FAULTS: usize = 20;

/// What the reader found in a file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Told {
    /// Events that were handed on.
    pub events: u64,
    /// Records of insights, which are no calls and are passed over.
    pub insights: u64,
    /// Digests, which hold no events.
    pub digests: Vec<Digest>,
    /// Records that could not be read.
    pub bad: u64,
    /// Whether the file ends before its records do, or goes on with what is no record: what comes
    /// after is not known.
    pub cut_off: bool,
    /// What could not be read, with its place: the first [`MAX_FAULTS`].
    pub faults: Vec<Fault>,
}

/// Reads the events of a file's bytes, in their order.
///
/// A record that cannot be read is told and counted, and the next is read. Where the file itself ends too
/// early or stops being JSON, what came before has been handed on, and [`Told::cut_off`] is set. Depth
/// costs nothing here: parts of records are read when asked for, up to 128 levels.
pub fn read(file: &str, bytes: &[u8], each: &mut dyn FnMut(&Event<'_>)) -> Told {
    let mut told = Told::default();
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        told.cut_off = true;
        told.faults.push(fault(file, "", 0, "the text is UTF-16, and UTF-8 was expected", NOTHING));
        return told;
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let (whole, foreign) = match std::str::from_utf8(bytes) {
        Ok(whole) => (whole, false),
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            (std::str::from_utf8(good).unwrap_or_default(), true)
        }
    };
    let mut reader = Reader { file, whole, told, each };
    reader.documents(foreign);
    reader.told
}

const NOTHING: &str = "nothing of this file is used";
const OTHERS: &str = "this record is left out, and the others are read";
const BEFORE: &str = "the records before it are used, and nothing after it";

struct Reader<'a, 'f> {
    file: &'a str,
    whole: &'a str,
    told: Told,
    each: &'f mut dyn FnMut(&Event<'_>),
}

impl<'a> Reader<'a, '_> {
    /// Reads one document after another: a file of a trail has one, a file of lines many.
    fn documents(&mut self, foreign: bool) {
        let mut at = 0;
        loop {
            let rest = self.whole.get(at..).unwrap_or_default();
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            at += rest.len() - trimmed.len();
            if trimmed.is_empty() {
                break;
            }
            let mut json = serde_json::Deserializer::from_str(trimmed);
            match (Top { reader: self }).deserialize(&mut json) {
                Ok(shape) => {
                    let read = json.into_iter::<IgnoredAny>().byte_offset();
                    let own = trimmed.get(..read).unwrap_or_default();
                    if shape == Shape::One {
                        self.record(own);
                    }
                    at += read;
                }
                Err(error) => {
                    let wrong = at + offset(trimmed, &error);
                    if foreign && error.is_eof() {
                        self.told.cut_off = true;
                        let end = self.whole.len();
                        self.fault(end, "the text is not UTF-8", BEFORE);
                        return;
                    }
                    match self.next_line(at, wrong) {
                        // One line of many is broken.
                        Some(next) if !error.is_eof() => {
                            self.told.bad += 1;
                            self.fault(wrong, &message(&error), OTHERS);
                            at = next;
                        }
                        _ => {
                            self.told.cut_off = true;
                            let rest = if self.told.events == 0 { NOTHING } else { BEFORE };
                            self.fault(wrong, &message(&error), rest);
                            return;
                        }
                    }
                }
            }
        }
        if foreign {
            self.told.cut_off = true;
            self.fault(self.whole.len(), "the text is not UTF-8", BEFORE);
        } else if self.whole.trim().is_empty() {
            self.told.cut_off = true;
            self.fault(0, "the file is empty, and events were expected", NOTHING);
        }
    }

    /// Where the next line with an object begins, if what failed stands in the line it began in.
    fn next_line(&self, start: usize, wrong: usize) -> Option<usize> {
        if self.whole.get(start..wrong)?.contains('\n') {
            return None;
        }
        let end = wrong + self.whole.get(wrong..)?.find('\n')? + 1;
        let next = self.whole.get(end..)?;
        let lead = next.len() - next.trim_start().len();
        next.get(lead..)?.starts_with('{').then_some(end + lead)
    }

    /// Reads one record.
    fn record(&mut self, text: &'a str) {
        let at = text.as_ptr().addr().saturating_sub(self.whole.as_ptr().addr());
        if let Err((within, problem)) = self.event(text) {
            self.bad(at + within, &problem);
        }
    }

    fn bad(&mut self, at: usize, problem: &str) {
        self.told.bad += 1;
        self.fault(at, problem, OTHERS);
    }

    /// Reads one event, whose text may stand in the file or be unescaped from it.
    fn event(&mut self, text: &str) -> Result<(), (usize, String)> {
        if text.len() > MAX_RECORD {
            let problem =
                format!("the record has {} bytes, and at most {MAX_RECORD} are read", text.len());
            return Err((0, problem));
        }
        let event: Event<'_> = match serde_json::from_str(text) {
            Ok(event) => event,
            Err(error) => match Digest::parse(text) {
                Some(digest) => {
                    self.told.digests.push(digest);
                    return Ok(());
                }
                None => return Err((offset(text, &error), message(&error))),
            },
        };
        if event.is_insight() {
            self.told.insights += 1;
            return Ok(());
        }
        for (name, value) in
            [("eventSource", &event.event_source), ("eventName", &event.event_name)]
        {
            if value.is_empty() {
                return Err((0, format!("missing field `{name}`")));
            }
        }
        self.told.events += 1;
        (self.each)(&event);
        Ok(())
    }

    fn fault(&mut self, at: usize, problem: &str, rest: &str) {
        if self.told.faults.len() < MAX_FAULTS {
            self.told.faults.push(fault(self.file, self.whole, at, problem, rest));
        }
    }
}

/// What a document turned out to be.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Shape {
    /// It held records, which are read.
    Many,
    /// It is one object itself, not yet read.
    One,
}

/// A document of a file.
struct Top<'r, 'a, 'f> {
    reader: &'r mut Reader<'a, 'f>,
}

impl<'a> DeserializeSeed<'a> for Top<'_, 'a, '_> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Top<'_, 'a, '_> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `Records`, an event, or a list of events")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut shape = Shape::One;
        let mut empty = true;
        while let Some(Text(key)) = map.next_key()? {
            empty = false;
            match &*key {
                "Records" | "Events" => {
                    map.next_value_seed(Records { reader: &mut *self.reader })?;
                    shape = Shape::Many;
                }
                // A line of a journal that keeps the decision beside the event.
                "event" => {
                    let record: &'a RawValue = map.next_value()?;
                    self.reader.record(record.get());
                    shape = Shape::Many;
                }
                "CloudTrailEvent" => {
                    let record: &'a RawValue = map.next_value()?;
                    self.reader.wrapped(record.get());
                    shape = Shape::Many;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if empty {
            return Err(A::Error::custom("the object is empty, and `Records` was expected"));
        }
        Ok(shape)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, seq: A) -> Result<Shape, A::Error> {
        Records { reader: self.reader }.visit_seq(seq)?;
        Ok(Shape::Many)
    }
}

/// A list of records, or of entries as `lookup-events` prints them.
struct Records<'r, 'a, 'f> {
    reader: &'r mut Reader<'a, 'f>,
}

impl<'a> DeserializeSeed<'a> for Records<'_, 'a, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for Records<'_, 'a, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(record) = seq.next_element::<&'a RawValue>()? {
            self.reader.entry(record.get());
        }
        Ok(())
    }
}

impl<'a> Reader<'a, '_> {
    /// A record, or an entry of `lookup-events` that holds one as text.
    fn entry(&mut self, text: &'a str) {
        #[derive(serde::Deserialize)]
        struct Entry<'a> {
            #[serde(rename = "CloudTrailEvent", borrow)]
            record: &'a RawValue,
        }
        // Records of trails begin with `eventVersion`, entries never do.
        let entry = !text.starts_with("{\"event");
        match serde_json::from_str::<Entry<'a>>(text) {
            Ok(Entry { record }) if entry => self.wrapped(record.get()),
            _ => self.record(text),
        }
    }

    /// A record that stands as a string in the file.
    fn wrapped(&mut self, text: &'a str) {
        let at = text.as_ptr().addr().saturating_sub(self.whole.as_ptr().addr());
        match serde_json::from_str::<Text<'a>>(text) {
            Ok(Text(record)) => {
                if let Err((_, problem)) = self.event(&record) {
                    self.bad(at, &format!("in `CloudTrailEvent`: {problem}"));
                }
            }
            Err(error) => self.bad(at, &message(&error)),
        }
    }
}

/// The byte of a text that an error is about.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let before = error.line().saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    (start + error.column().saturating_sub(1)).min(text.len())
}

/// An error's message without its place.
fn message(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let suffix = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&suffix).unwrap_or(&message).to_owned()
}

fn fault(file: &str, text: &str, offset: usize, problem: &str, rest: &str) -> Fault {
    let before = text.get(..text.floor_char_boundary(offset)).unwrap_or_default();
    let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
    let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
    let (file, problem, rest) = (file.to_owned(), problem.to_owned(), rest.to_owned());
    Fault { file, line, column, problem, rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> (Vec<String>, Told) {
        bytes(text.as_bytes())
    }

    fn bytes(text: &[u8]) -> (Vec<String>, Told) {
        let mut names = Vec::new();
        let told = read("f", text, &mut |event| names.push(event.event_name.to_string()));
        assert_eq!(told.events, names.len() as u64);
        (names, told)
    }

    fn event(name: &str) -> String {
        format!(
            r#"{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::123456789012:user/ann"}},"eventTime":"2026-07-01T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","requestParameters":{{"userName":"b\"ob"}},"responseElements":null,"readOnly":true}}"#
        )
    }

    #[test]
    fn the_forms_that_are_read() {
        let (a, b) = (event("ListUsers"), event("GetUser"));
        let quoted = serde_json::to_string(&a).unwrap();
        for text in [
            format!("{{\"Records\":[{a},{b}]}}"),
            format!("{{\"Records\": [\n {a},\n {b}\n ]}}\n"),
            format!("\u{feff}{{\"NextToken\":\"x\",\"Records\":[{a},{b}]}}"),
            format!("[{a},{b}]"),
            format!("{a}\n{b}\n"),
            format!("{a}{b}"),
            format!("{{\"event\":{a},\"decision\":[]}}\n{{\"event\":{b}}}"),
            format!("{{\"Records\":[{a}]}}\n{{\"Records\":[{b}]}}"),
            format!("{{\"Events\":[{{\"EventId\":\"1\",\"CloudTrailEvent\":{quoted}}},{b}]}}"),
            format!("{{\"EventName\":\"ListUsers\",\"CloudTrailEvent\":{quoted}}}\n{b}"),
        ] {
            let (names, told) = names(&text);
            assert_eq!(names, ["ListUsers", "GetUser"], "{text}");
            assert!(told.faults.is_empty() && !told.cut_off && told.bad == 0, "{told:?}");
        }
        let (names, told) = names("{\"Records\":[]}");
        assert!(names.is_empty() && told.faults.is_empty());
    }

    #[test]
    fn parts_are_read_when_asked_for() {
        let text = event("GetUser");
        let mut seen = 0;
        read("f", text.as_bytes(), &mut |event| {
            seen += 1;
            let asked = event.request_parameters.value().unwrap();
            assert_eq!(asked.get("userName").and_then(|name| name.as_str()), Some("b\"ob"));
            assert!(!event.response_elements.is_there());
            assert_eq!(event.principal().as_deref(), Some("arn:aws:iam::123456789012:user/ann"));
            assert_eq!(event.read_only, Some(true));
            assert!(event.resources().is_empty() && !event.is_denied());
        });
        assert_eq!(seen, 1);
    }

    // A bad record is told with its place, counted, and the others are read.
    #[test]
    fn bad_records_are_told() {
        let (a, b) = (event("ListUsers"), event("GetUser"));
        let untimed = a.replace("eventTime", "eventTim");
        let late = a.replace("2026-07-01T10", "2026-07-41T10");
        let unnamed = a.replace("eventName", "eventNam");
        for (bad, problem) in [
            ("5", "invalid type"),
            ("{\"eventTime\":5}", "expected a string"),
            (&*untimed, "missing field `eventTime`"),
            (&*late, "is no instant"),
            (&*unnamed, "missing field `eventName`"),
        ] {
            let (names, told) = names(&format!("{{\"Records\":[\n{a},\n{bad},\n{b}]}}"));
            assert_eq!(names, ["ListUsers", "GetUser"], "{bad}");
            assert_eq!((told.bad, told.cut_off), (1, false), "{bad}");
            assert_eq!(told.faults[0].line, 3, "{bad}");
            assert!(told.faults[0].problem.contains(problem), "{bad}: {:?}", told.faults[0]);
        }
        let (names, told) = names(&format!("{a}\n{{\"eventTime\": x}}\n{b}\n"));
        assert_eq!(names, ["ListUsers", "GetUser"]);
        assert_eq!((told.bad, told.faults[0].line, told.faults[0].column), (1, 2, 15));
        let many = format!("{{\"Records\":[{}1]}}", "1,".repeat(100));
        let (_, told) = names_of(&many);
        assert_eq!((told.bad, told.faults.len()), (101, MAX_FAULTS));
    }

    fn names_of(text: &str) -> (Vec<String>, Told) {
        names(text)
    }

    #[test]
    fn what_is_cut_off_is_told() {
        let a = event("ListUsers");
        let whole = format!("{{\"Records\":[{a},{a}]}}");
        for cut in [whole.len() - 1, whole.len() - 2, whole.len() - 30] {
            let (names, told) = names(&whole[..cut]);
            assert_eq!(names.len(), if cut == whole.len() - 30 { 1 } else { 2 });
            assert!(told.cut_off && told.faults.len() == 1, "{told:?}");
        }
        for foreign in ["", "  \n", "x", "5", "\"a\"", "{}", "{\"Records\":5}", "[[[", "<html>"] {
            let (names, told) = names(foreign);
            assert!(names.is_empty() && (told.cut_off || told.bad > 0), "{foreign}: {told:?}");
            assert_eq!(told.faults.len(), 1, "{foreign}: {told:?}");
        }
        let mut wrong = whole.clone().into_bytes();
        wrong[whole.len() - 20] = 0xFF;
        let (names, told) = bytes(&wrong);
        assert_eq!(names.len(), 1);
        assert!(told.cut_off && told.faults[0].problem.contains("UTF-8"), "{told:?}");
        let (_, told) = bytes(b"\xFF\xFE{\0");
        assert!(told.faults[0].problem.contains("UTF-16"));
    }

    // Depth costs neither stack nor time.
    #[test]
    fn deep_input_ends() {
        let deep = "[".repeat(1 << 20);
        let (_, told) = names(&deep);
        assert!(told.cut_off);
        let a = event("GetUser");
        let nested = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
        let record = a.replace("null", &nested);
        let mut seen = 0;
        read("f", record.as_bytes(), &mut |event| {
            seen += 1;
            assert!(event.response_elements.value().is_none());
        });
        assert_eq!(seen, 1);
    }

    #[test]
    fn digests_and_insights_are_passed_over() {
        let digest = r#"{"awsAccountId":"123456789012","digestStartTime":"2026-07-01T10:00:00Z",
            "digestEndTime":"2026-07-01T11:00:00Z","digestS3Object":
            "AWSLogs/123456789012/CloudTrail-Digest/us-east-1/2026/07/01/d.json.gz",
            "logFiles":[{"s3Object":"AWSLogs/123456789012/CloudTrail/us-east-1/a.json.gz"}]}"#;
        let (_, told) = names(digest);
        assert_eq!((told.bad, told.events), (0, 0));
        assert_eq!(told.digests[0].region, "us-east-1");
        assert_eq!(told.digests[0].files, ["a.json.gz"]);
        let insight = r#"{"Records":[{"eventVersion":"1.07","eventTime":"2026-07-01T10:00:00Z",
            "awsRegion":"us-east-1","eventType":"AwsCloudTrailInsight","eventCategory":"Insight"}]}"#;
        let (_, told) = names(insight);
        assert_eq!((told.insights, told.bad), (1, 0));
    }

    #[test]
    fn denials_are_known() {
        for (code, expected) in [
            ("AccessDenied", true),
            ("Client.UnauthorizedOperation", true),
            ("com.amazonaws.x#AccessDeniedException", true),
            ("NoSuchEntity", false),
        ] {
            let text = event("GetUser")
                .replace("\"readOnly\"", &format!("\"errorCode\":\"{code}\",\"readOnly\""));
            read("f", text.as_bytes(), &mut |event| {
                assert_eq!(event.is_denied(), expected, "{code}");
                assert!(event.is_failed());
            });
        }
    }
}
