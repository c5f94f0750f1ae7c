//! Reports as one HTML file: data, a style and a script in one page that asks for nothing.
//!
//! The page is three texts written together: the data as JSON (packed where it is long), a style
//! sheet, and a plain script that draws what the data say by `createElement` and `textContent`
//! alone. Its Content-Security-Policy names both texts by their hashes and allows nothing else, so
//! neither a name out of a policy nor anything it could smuggle in is ever run or fetched.

mod pool;

use std::io::{self, Write};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

pub(crate) use pool::Pool;

/// The longest page, in bytes: a mail takes it, and a browser opens it at once.
pub(crate) const MOST_BYTES: usize = 4_800_000;
/// Data that are longer than this are packed, in bytes.
const PLAIN: usize = 400_000;

const STYLE: &str = include_str!("report/style.css");
const COMMON: &str = include_str!("report/common.js");
const TABLE: &str = include_str!("report/table.js");

/// What a page shows beside its data.
pub(crate) struct Look {
    /// The title, of which nothing comes from the account.
    pub(crate) title: &'static str,
    /// The scripts of this kind of page; they run after the common ones.
    pub(crate) scripts: &'static [&'static str],
}

/// A page, ready to be written.
pub(crate) struct Page {
    head: String,
    data: String,
    script: String,
}

impl Page {
    /// A page of these data.
    ///
    /// # Errors
    /// The data cannot be written as JSON.
    pub(crate) fn new(look: &Look, data: &impl Serialize) -> io::Result<Self> {
        let text = serde_json::to_string(data)?;
        let (kind, data) = if text.len() > PLAIN {
            ("application/gzip", packed(text.as_bytes())?)
        } else {
            ("application/json", inert(&text))
        };
        let mut script = String::from("\"use strict\";(() => {\n");
        for part in [COMMON, TABLE].iter().chain(look.scripts) {
            script.push_str(part);
        }
        script.push_str("})();\n");
        let policy = format!(
            "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; base-uri 'none'; \
             form-action 'none'",
            hash(&script),
            hash(STYLE)
        );
        let title = look.title;
        let head = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"generator\" content=\"bailiwick {}\">\n<title>{title}</title>\n\
             <link rel=\"icon\" href=\"data:,\">\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">Skip to the content</a>\n<div id=\"app\">\
             <p class=\"wait\" role=\"status\">Opening the report …</p></div>\n\
             <noscript><p class=\"wait\">This report is drawn by a script inside this file. It asks \
             nothing of any network. Allow the script, or use --format table or json.</p></noscript>\n\
             <script type=\"{kind}\" id=\"data\">",
            env!("CARGO_PKG_VERSION")
        );
        Ok(Self { head, data, script })
    }

    /// How long it is, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.head.len() + self.data.len() + self.script.len() + TAIL
    }

    /// Writes it; of a very large one standard error tells the size.
    ///
    /// # Errors
    /// The output takes no more.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { head, data, script } = self;
        if self.len() > MOST_BYTES {
            let told = self.len() / 1_000_000;
            let _ = writeln!(
                io::stderr(),
                "note: the page has {told} MB, which browsers are slow with"
            );
        }
        write!(out, "{head}{data}</script>\n<script>{script}</script>\n</body>\n</html>\n")
    }
}

/// What stands around script and data.
const TAIL: usize = "</script>\n<script></script>\n</body>\n</html>\n".len();

/// JSON in which nothing can end the element that holds it, or mean anything to a parser of markup.
fn inert(json: &str) -> String {
    use std::fmt::Write as _;

    let mut shown = String::with_capacity(json.len() + json.len() / 16);
    for letter in json.chars() {
        match letter {
            '<' | '>' | '&' | '\'' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                // Writing to a text does not fail.
                let _ = write!(shown, "\\u{:04x}", u32::from(letter));
            }
            letter => shown.push(letter),
        }
    }
    shown
}

/// As gzip in Base64, whose letters mean nothing in markup.
fn packed(bytes: &[u8]) -> io::Result<String> {
    let mut packing = GzEncoder::new(Vec::new(), Compression::new(7));
    packing.write_all(bytes)?;
    Ok(STANDARD.encode(packing.finish()?))
}

/// The hash of an inline text, as a Content-Security-Policy has it.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LOOK: Look = Look { title: "Test", scripts: &["/* own */\n"] };

    fn written(data: &serde_json::Value) -> String {
        let page = Page::new(&LOOK, data).unwrap();
        let mut out = Vec::new();
        page.write(&mut out).unwrap();
        assert_eq!(out.len(), page.len());
        String::from_utf8(out).unwrap()
    }

    // Text of an account never ends the element in which it stands.
    #[test]
    fn tm_k03_hostile_names_stay_data() {
        let hostile = [
            "</script><img src=x onerror=alert(1)>",
            "--><svg onload=alert(1)>",
            "<!--<script>",
            "\u{2028}\u{2029}",
            "]]>",
            "&lt;b&gt;",
        ];
        let text = written(&json!(hostile));
        let plain = written(&json!([]));
        for mark in ["<", "-->", "onerror=alert(1)>", "\u{2028}", "]]>"] {
            assert_eq!(text.matches(mark).count(), plain.matches(mark).count(), "{mark:?}");
        }
        let data = text.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(data).unwrap(), json!(hostile));
    }

    #[test]
    fn long_data_are_packed() {
        let long = "<a>".repeat(PLAIN);
        let text = written(&json!(long));
        assert!(text.len() < PLAIN && text.contains("application/gzip"));
        let data = text.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
        let mut held = String::new();
        let bytes = STANDARD.decode(data).unwrap();
        io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut held).unwrap();
        assert_eq!(held, json!(long).to_string());
    }

    // The policy names exactly the script and the style that the page holds.
    #[test]
    fn the_policy_names_what_is_there() {
        let text = written(&json!({}));
        let script = text.rsplit("<script>").next().unwrap().split("</script>").next().unwrap();
        let style = text.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        assert!(text.contains(&format!("script-src '{}'", hash(script))));
        assert!(text.contains(&format!("style-src '{}'", hash(style))));
        assert!(text.contains("default-src 'none'") && !text.contains("unsafe-inline"));
    }

    // What would make markup of a text has no place in the scripts.
    #[test]
    fn tm_k03_scripts_make_no_markup_of_texts() {
        for script in [
            COMMON,
            TABLE,
            include_str!("report/audit.js"),
            include_str!("report/detail.js"),
            include_str!("report/compliance.js"),
            include_str!("report/escalate.js"),
            include_str!("report/graph.js"),
        ] {
            for word in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "new Function",
                "fetch(",
                "XMLHttpRequest",
                "srcdoc",
                "</",
            ] {
                assert!(!script.contains(word), "{word}");
            }
        }
    }
}
