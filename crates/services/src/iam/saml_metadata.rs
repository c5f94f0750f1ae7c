//! SAML 2.0 metadata of one identity provider, as far as trusting it needs: who it is, until when,
//! and the certificates with which it signs.
//!
//! The reader takes no document type and no entity but the five of XML and characters by number,
//! keeps no tree, and is bounded in depth, elements, attributes and namespaces (threat group G).
//! Nothing here checks a signature of the metadata: whoever may make a provider vouches for it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use crate::material::certificate::Certificate;

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// How deep elements may nest. Metadata in use has about ten.
const MAX_DEPTH: usize = 64;
/// The most elements. A provider with every endpoint and attribute has some hundred.
const MAX_ELEMENTS: usize = 100_000;
/// The most attributes of one element.
const MAX_ATTRIBUTES: usize = 64;
/// The most namespaces declared at one place.
const MAX_NAMESPACES: usize = 128;
/// The most characters of a certificate in base64.
const MAX_CERTIFICATE: usize = 16 * 1024;
/// The most characters of an entity id. Source: SAML 2.0 metadata, 2.2.1.
const MAX_ENTITY_ID: usize = 1024;

/// What was read from a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Metadata {
    /// The name that the provider has in its assertions.
    pub(super) entity_id: String,
    /// When the document ends, if it says so.
    pub(super) valid_until: Option<Timestamp>,
    /// The SHA-256 digests of the certificates with which it signs, each once.
    pub(super) certificates: Vec<String>,
}

/// Why a document is no metadata of an identity provider.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum MetadataError {
    #[error("the document is not well-formed: {0}")]
    Malformed(String),
    #[error("the document declares or uses an entity")]
    Entity,
    #[error("the document is too deep or too large")]
    TooLarge,
    #[error("the outermost element is no `EntityDescriptor` of SAML 2.0")]
    Root,
    #[error("the `EntityDescriptor` has no good `entityID`")]
    EntityId,
    #[error("the `validUntil` is no date and time")]
    ValidUntil,
    #[error("there is no `IDPSSODescriptor`")]
    NoProvider,
    #[error("a signing certificate cannot be read")]
    Certificate,
    #[error("there is no signing certificate")]
    NoCertificate,
}

/// An element that the reader knows; all others are `Other`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Element {
    Entity,
    Provider,
    /// A key with which the provider signs.
    SigningKey,
    Certificate,
    Other,
}

/// Reads a document. Iterative: the depth of the input does not reach the stack.
pub(super) fn read(document: &str) -> Result<Metadata, MetadataError> {
    let document = document.strip_prefix('\u{feff}').unwrap_or(document);
    let mut reader = NsReader::from_str(document);
    reader.resolver_mut().set_max_namespace_bindings(MAX_NAMESPACES);
    let mut found = Reading::default();
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|error| malformed(&error))?;
        match event {
            Event::Start(start) => found.open(&namespace, &start)?,
            Event::Empty(start) => {
                found.open(&namespace, &start)?;
                found.close()?;
            }
            Event::End(_) => found.close()?,
            Event::Text(text) => found.text(&text)?,
            Event::CData(text) => found.text(&text)?,
            Event::GeneralRef(reference) => {
                let letter = reference.resolve_char_ref().map_err(|error| malformed(&error))?;
                let mut room = [0; 4];
                let text = match &letter {
                    Some(letter) => Some(&*letter.encode_utf8(&mut room)),
                    None => resolve_predefined_entity(&reference),
                };
                found.text(text.ok_or(MetadataError::Entity)?)?;
            }
            Event::DocType(_) => return Err(MetadataError::Entity),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::Eof => return found.finish(),
        }
    }
}

fn malformed(error: &dyn std::error::Error) -> MetadataError {
    MetadataError::Malformed(error.to_string())
}

/// What has been read so far.
#[derive(Default)]
struct Reading {
    open: Vec<Element>,
    elements: usize,
    entity_id: Option<String>,
    valid_until: Option<Timestamp>,
    providers: usize,
    /// The text of the certificate that is open.
    certificate: String,
    certificates: Vec<String>,
}

impl Reading {
    fn open(
        &mut self,
        namespace: &ResolveResult<'_>,
        start: &BytesStart<'_>,
    ) -> Result<(), MetadataError> {
        self.elements += 1;
        if self.open.len() >= MAX_DEPTH || self.elements > MAX_ELEMENTS {
            return Err(MetadataError::TooLarge);
        }
        let attributes = attributes(start)?;
        let name = start.local_name();
        let is = |wanted: &str, local: &str| {
            matches!(namespace, ResolveResult::Bound(Namespace(held)) if *held == wanted)
                && name.as_ref() == local
        };
        let element = match self.open.as_slice() {
            [] if self.entity_id.is_some() || !is(METADATA, "EntityDescriptor") => {
                return Err(MetadataError::Root);
            }
            [] => {
                self.entity(&attributes)?;
                Element::Entity
            }
            [Element::Entity] if is(METADATA, "IDPSSODescriptor") => {
                self.providers += 1;
                Element::Provider
            }
            [.., Element::Provider] if is(METADATA, "KeyDescriptor") => {
                match attribute(&attributes, "use") {
                    None | Some("signing") => Element::SigningKey,
                    Some(_) => Element::Other,
                }
            }
            [Element::Entity, Element::Provider, Element::SigningKey, ..]
                if is(SIGNATURE, "X509Certificate") =>
            {
                self.certificate.clear();
                Element::Certificate
            }
            _ => Element::Other,
        };
        self.open.push(element);
        Ok(())
    }

    fn entity(&mut self, attributes: &[(String, String)]) -> Result<(), MetadataError> {
        let id = attribute(attributes, "entityID").map(str::trim).unwrap_or_default();
        if id.is_empty() || id.chars().count() > MAX_ENTITY_ID {
            return Err(MetadataError::EntityId);
        }
        self.entity_id = Some(id.to_owned());
        let until = attribute(attributes, "validUntil").map(|text| instant(text.trim()));
        self.valid_until = match until {
            Some(until) => Some(until.ok_or(MetadataError::ValidUntil)?),
            None => None,
        };
        Ok(())
    }

    fn close(&mut self) -> Result<(), MetadataError> {
        match self.open.pop() {
            None => Err(MetadataError::Malformed("an element ends that is not open".into())),
            Some(Element::Certificate) => self.certificate_read(),
            Some(_) => Ok(()),
        }
    }

    fn certificate_read(&mut self) -> Result<(), MetadataError> {
        let text =
            format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----", self.certificate);
        let read = Certificate::read(&text).map_err(|_| MetadataError::Certificate)?;
        let digest = read.digest();
        if !self.certificates.contains(&digest) {
            self.certificates.push(digest);
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), MetadataError> {
        match self.open.last() {
            None if text.trim().is_empty() => Ok(()),
            None => Err(MetadataError::Malformed("there is text outside the element".into())),
            Some(Element::Certificate) => {
                // A dash would end the block in which the certificate is read.
                if text.contains('-') || self.certificate.len() + text.len() > MAX_CERTIFICATE {
                    return Err(MetadataError::Certificate);
                }
                self.certificate.push_str(text);
                Ok(())
            }
            Some(_) => Ok(()),
        }
    }

    fn finish(self) -> Result<Metadata, MetadataError> {
        if !self.open.is_empty() {
            return Err(MetadataError::Malformed("an element is not closed".into()));
        }
        let entity_id = self.entity_id.ok_or(MetadataError::Root)?;
        if self.providers == 0 {
            return Err(MetadataError::NoProvider);
        }
        if self.certificates.is_empty() {
            return Err(MetadataError::NoCertificate);
        }
        Ok(Metadata { entity_id, valid_until: self.valid_until, certificates: self.certificates })
    }
}

/// The attributes of an element by their names as written, with references resolved.
fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, MetadataError> {
    let mut read = Vec::new();
    for attribute in start.attributes() {
        if read.len() >= MAX_ATTRIBUTES {
            return Err(MetadataError::TooLarge);
        }
        let attribute = attribute.map_err(|error| malformed(&error))?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| MetadataError::Entity)?;
        read.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(read)
}

fn attribute<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    attributes.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
}

/// Reads an `xs:dateTime`; one without a zone is in UTC, as SAML has all times.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().or_else(|| {
        let local = text.parse::<DateTime>().ok()?;
        local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The certificate in base64.
    fn certificate() -> String {
        let pem = include_str!("../../../testkit/src/certificates/rsa.pem");
        pem.lines().filter(|line| !line.contains('-')).collect::<Vec<_>>().join("\n")
    }

    fn document(attributes: &str, inside: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<!-- words -->\n<EntityDescriptor xmlns=\"{METADATA}\" \
             {attributes}>{inside}</EntityDescriptor>\n"
        )
    }

    fn provider(key: &str) -> String {
        format!("<IDPSSODescriptor protocolSupportEnumeration=\"a\">{key}</IDPSSODescriptor>")
    }

    fn key(attributes: &str, certificate: &str) -> String {
        format!(
            "<KeyDescriptor {attributes}><ds:KeyInfo xmlns:ds=\"{SIGNATURE}\"><ds:X509Data>\
             <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
             </KeyDescriptor>"
        )
    }

    const ID: &str = "entityID=\"https://idp.example.com\"";

    #[test]
    fn reads_what_trust_needs() {
        let inside = provider(&key("use=\"signing\"", &certificate()));
        let until = "validUntil=\"2035-01-02T03:04:05.5Z\"";
        let read = read(&document(&format!("{ID} {until}"), &inside)).unwrap();
        assert_eq!(read.entity_id, "https://idp.example.com");
        assert_eq!(read.valid_until, Some("2035-01-02T03:04:05.5Z".parse().unwrap()));
        assert_eq!(read.certificates.len(), 1);
    }

    /// Prefixes are free, a certificate may hold carriage returns as references, a key without a use
    /// signs too, and one certificate counts once.
    #[test]
    fn reads_every_spelling() {
        let broken: String = certificate().trim().replace('\n', "&#13;\n");
        let keys = key("", &broken) + &key("use=\"signing\"", &certificate());
        let inside = provider(&keys);
        let inside = format!("{inside}<Organization><a>&lt;&#xe9;</a></Organization>");
        let whole = document(&format!("{ID} validUntil=\"2035-01-02T03:04:05\""), &inside);
        let prefixed = whole
            .replace("<EntityDescriptor xmlns=", "<md:EntityDescriptor xmlns:md=")
            .replace("</Entity", "</md:Entity")
            .replace("<IDPSSO", "<md:IDPSSO")
            .replace("</IDPSSO", "</md:IDPSSO")
            .replace("<KeyD", "<md:KeyD")
            .replace("</KeyD", "</md:KeyD");
        for text in [&*whole, &*prefixed, &*format!("\u{feff}{whole}")] {
            let read = read(text).unwrap();
            assert_eq!(read.valid_until, Some("2035-01-02T03:04:05Z".parse().unwrap()));
            assert_eq!(read.certificates.len(), 1);
        }
    }

    #[test]
    fn tm_g01_refuses_all_else() {
        let good = provider(&key("", &certificate()));
        let whole = document(ID, &good);
        let dtd = "<!DOCTYPE a [<!ENTITY x \"y\">]>";
        for (text, expected) in [
            (String::new(), MetadataError::Root),
            ("words".into(), MetadataError::Malformed("there is text outside the element".into())),
            ("<a/>".into(), MetadataError::Root),
            (whole.replace(METADATA, "urn:other"), MetadataError::Root),
            (format!("{whole}{whole}"), MetadataError::Root),
            (document("", &good), MetadataError::EntityId),
            (document("entityID=\" \"", &good), MetadataError::EntityId),
            (document(&format!("{ID} validUntil=\"soon\""), &good), MetadataError::ValidUntil),
            (document(ID, ""), MetadataError::NoProvider),
            (document(ID, &format!("<a>{good}</a>")), MetadataError::NoProvider),
            (document(ID, &provider("")), MetadataError::NoCertificate),
            (document(ID, &provider("<KeyDescriptor/>")), MetadataError::NoCertificate),
            (
                document(ID, &provider(&key("use=\"encryption\"", &certificate()))),
                MetadataError::NoCertificate,
            ),
            (document(ID, &provider(&key("", "AAAA"))), MetadataError::Certificate),
            (document(ID, &provider(&key("", ""))), MetadataError::Certificate),
            (document(ID, &provider(&key("", &"A".repeat(20_000)))), MetadataError::Certificate),
            (format!("{dtd}{whole}"), MetadataError::Entity),
            (document(ID, &format!("{good}&x;")), MetadataError::Entity),
            (document("entityID=\"&x;\"", &good), MetadataError::Entity),
            (document(ID, &("<a>".repeat(70) + &"</a>".repeat(70))), MetadataError::TooLarge),
            (document(ID, &"<a/>".repeat(MAX_ELEMENTS)), MetadataError::TooLarge),
        ] {
            let text: &str = &text;
            let head: String = text.chars().take(300).collect();
            assert_eq!(read(text), Err(expected), "{head}");
        }
        let many: Vec<String> = (0..100).map(|at| format!("a{at}=\"\"")).collect();
        let many = many.join(" ");
        let namespaces: Vec<String> = (0..200).map(|at| format!("xmlns:a{at}=\"b\"")).collect();
        let namespaces = namespaces.join(" ");
        let reader = [
            document(&format!("{ID} {many}"), &good),
            document(&format!("{ID} {namespaces}"), &good),
            document(&format!("{ID} {ID}"), &good),
            whole.replace("</IDPSSODescriptor>", ""),
            whole.replace("</EntityDescriptor>", ""),
            whole.replace("</EntityDescriptor>", "</EntityDescriptor></a>"),
        ];
        for text in reader {
            assert!(read(&text).is_err(), "{text}");
        }
    }

    /// Whatever is done to a document, reading it ends, and without a panic.
    #[test]
    fn tm_g01_damaged_documents_do_no_harm() {
        let whole = document(ID, &provider(&key("use=\"signing\"", &certificate())));
        let odd =
            ["<", ">", "&", "\"", "/", "&#0;", "&#x110000;", "]]>", "<![CDATA[", "<!--", "\0"];
        let places = whole.char_indices().map(|(place, _)| place);
        for (number, place) in places.enumerate().filter(|(number, _)| number % 3 == 0) {
            let (head, tail) = whole.split_at(place);
            let _ = read(head);
            let _ = read(tail);
            let put = odd[number / 3 % odd.len()];
            let _ = read(&format!("{head}{put}{tail}"));
            let _ = read(&format!("{head}{}", tail.get(1..).unwrap_or_default()));
        }
    }

    /// Threat group G: the time grows with the text and not faster.
    #[test]
    fn tm_g01_large_documents_are_read_in_no_time() {
        let filler = "<a b=\"c\">words</a>".repeat(50_000);
        let whole = document(ID, &(provider(&key("", &certificate())) + &filler));
        assert!(read(&whole).is_ok());
        let nested = "<a xmlns:b=\"c\">".repeat(60) + &"</a>".repeat(60);
        assert!(read(&document(ID, &nested.repeat(1_000))).is_err());
    }
}
