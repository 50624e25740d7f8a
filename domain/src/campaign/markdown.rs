//! The text of a campaign is Markdown (`CommonMark`). Here it becomes what a mail needs: HTML and plain text.
//!
//! HTML in it is text like any other, pictures are their descriptions (nothing is fetched, so nobody is watched), and a link
//! leads to the web or to an address of mail or not at all.

use std::borrow::Cow;

use pulldown_cmark::{
    CowStr, Event, Options, Parser, Tag, TagEnd, TextMergeStream, html::push_html,
};

/// What a link may begin with.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];
/// How links look, as in all our mails.
const STYLE: &str = "color:#1d4f91";
/// What may stand behind a web address in a sentence.
const AFTER: [char; 9] = ['.', ',', ';', ':', '!', '?', ')', '"', '\''];

/// Why this text can't be used, if it can't: it has pictures, or a link that leads nowhere that a mail may lead.
#[must_use]
pub fn fault(source: &str) -> Option<String> {
    for event in events(source) {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) if !leads_somewhere(&dest_url) => {
                return Some(format!(
                    "The link to {dest_url:?} can't be used: links begin with {}.",
                    SCHEMES.join(", ")
                ));
            }
            Event::Start(Tag::Image { .. }) => {
                return Some(
                    "Pictures can't be used: mails fetch nothing from anywhere.".to_owned(),
                );
            }
            _ => {}
        }
    }
    None
}

/// The text with everything escaped that would mean something in Markdown: what a field holds is text and nothing more.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    let means_something = |c: char| c.is_ascii_punctuation() || c.is_control();
    if !text.contains(means_something) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(if c.is_control() { ' ' } else { c });
    }
    escaped.into()
}

/// The HTML of a text: elements without scripts, styles or classes, but for the colour of links.
#[must_use]
pub fn html(source: &str) -> String {
    let mut html = String::with_capacity(source.len() * 3 / 2);
    push_html(&mut html, shown(source).into_iter());
    html
}

/// The events of a text as a mail may show them.
fn shown(source: &str) -> Vec<Event<'_>> {
    let mut shown = Vec::new();
    let mut links: Vec<bool> = Vec::new();
    for event in events(source) {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                let leads = leads_somewhere(&dest_url);
                links.push(leads);
                if leads {
                    shown.push(raw(opening(&dest_url)));
                }
            }
            Event::End(TagEnd::Link) => {
                if links.pop().unwrap_or(false) {
                    shown.push(raw("</a>".to_owned()));
                }
            }
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            Event::Html(text) | Event::InlineHtml(text) => shown.push(Event::Text(text)),
            Event::Start(Tag::HtmlBlock) => shown.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => shown.push(Event::End(TagEnd::Paragraph)),
            // Who writes a mail means the line to end where it ends.
            Event::SoftBreak => shown.push(Event::HardBreak),
            Event::Text(text) if links.is_empty() => with_links(&text, &mut shown),
            other => shown.push(other),
        }
    }
    shown
}

/// The plain text of a text.
#[must_use]
pub fn text(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    // The numbers of the lists that we are in, and where the links began.
    let mut lists: Vec<Option<u64>> = Vec::new();
    let mut links: Vec<(usize, String)> = Vec::new();
    for event in events(source) {
        match event {
            Event::Start(Tag::List(first)) => {
                end_line(&mut text);
                lists.push(first);
            }
            Event::End(TagEnd::List(_)) => {
                lists.pop();
                if lists.is_empty() {
                    text.push('\n');
                }
            }
            Event::Start(Tag::Item) => {
                end_line(&mut text);
                text.push_str(&"  ".repeat(lists.len().saturating_sub(1)));
                match lists.last_mut() {
                    Some(Some(number)) => {
                        text.push_str(&format!("{number}. "));
                        *number += 1;
                    }
                    _ => text.push_str("- "),
                }
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                links.push((text.len(), dest_url.to_string()));
            }
            Event::End(TagEnd::Link) => {
                if let Some((from, address)) = links.pop()
                    && leads_somewhere(&address)
                    && !address.ends_with(&text[from..])
                {
                    text.push_str(&format!(" ({address})"));
                }
            }
            Event::End(TagEnd::Item) => end_line(&mut text),
            Event::End(
                TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::HtmlBlock | TagEnd::CodeBlock,
            ) => {
                end_line(&mut text);
                text.push('\n');
            }
            Event::SoftBreak | Event::HardBreak => text.push('\n'),
            Event::Rule => text.push_str("----------\n\n"),
            Event::Text(part) | Event::Code(part) | Event::Html(part) | Event::InlineHtml(part) => {
                text.push_str(&part);
            }
            _ => {}
        }
    }
    let mut kept = String::with_capacity(text.len());
    for line in text.trim().lines() {
        // Never two empty lines in a row.
        if !line.trim().is_empty() || !kept.ends_with("\n\n") {
            kept.push_str(line.trim_end());
            kept.push('\n');
        }
    }
    kept.truncate(kept.trim_end().len());
    kept
}

fn events(source: &str) -> impl Iterator<Item = Event<'_>> {
    TextMergeStream::new(Parser::new_ext(source, Options::empty()))
}

fn leads_somewhere(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    SCHEMES
        .iter()
        .any(|scheme| address.len() > scheme.len() && address.starts_with(scheme))
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

/// The text, with its web addresses as links.
fn with_links(text: &str, shown: &mut Vec<Event<'_>>) {
    for word in text.split_inclusive(char::is_whitespace) {
        let address = word.trim_end().trim_end_matches(AFTER);
        if leads_somewhere(address) && !address.starts_with("mailto:") {
            shown.push(raw(opening(address)));
            shown.push(Event::Text(CowStr::from(address.to_owned())));
            shown.push(raw("</a>".to_owned()));
            shown.push(Event::Text(CowStr::from(word[address.len()..].to_owned())));
        } else {
            shown.push(Event::Text(CowStr::from(word.to_owned())));
        }
    }
}

fn opening(address: &str) -> String {
    let mut escaped = String::with_capacity(address.len());
    for c in address.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    format!("<a href=\"{escaped}\" style=\"{STYLE}\">")
}

fn raw(html: String) -> Event<'static> {
    Event::InlineHtml(CowStr::from(html))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html_and_text() {
        let source = "# Our fair\n\nDear *Ann*,\ncome **soon**:\n\n- [the programme](https://a.test/p?x=1&y=2)\n- https://a.test/map.\n\n1. one\n2. two\n";
        assert_eq!(
            html(source),
            "<h1>Our fair</h1>\n<p>Dear <em>Ann</em>,<br />\ncome <strong>soon</strong>:</p>\n<ul>\n\
             <li><a href=\"https://a.test/p?x=1&amp;y=2\" style=\"color:#1d4f91\">the programme</a></li>\n\
             <li><a href=\"https://a.test/map\" style=\"color:#1d4f91\">https://a.test/map</a>.</li>\n</ul>\n\
             <ol>\n<li>one</li>\n<li>two</li>\n</ol>\n"
        );
        assert_eq!(
            text(source),
            "Our fair\n\nDear Ann,\ncome soon:\n\n- the programme (https://a.test/p?x=1&y=2)\n- https://a.test/map.\n\n1. one\n2. two"
        );
    }

    #[test]
    fn html_in_markdown_is_text() {
        let source = "Hello <b onclick=\"x()\">you</b>\n\n<script>\nalert(1)\n</script>\n";
        let made = html(source);
        assert!(!made.contains("<b") && !made.contains("<script"), "{made}");
        assert!(made.contains("&lt;script&gt;"), "{made}");
        assert!(text(source).contains("<script>"));
    }

    #[test]
    fn links_lead_to_the_web_or_to_mail_and_pictures_nowhere() {
        for (source, fine) in [
            ("[a](https://a.test)", true),
            ("[a](mailto:a@b.test)", true),
            ("<https://a.test>", true),
            ("[a](javascript:alert(1))", false),
            ("[a](JaVaScRiPt:alert(1))", false),
            ("[a](data:text/html,x)", false),
            ("[a](/events)", false),
            ("[a][b]\n\n[b]: vbscript:x", false),
            ("![a](https://a.test/pixel.gif)", false),
        ] {
            assert_eq!(fault(source).is_none(), fine, "{source}");
            let made = html(source);
            assert_eq!(made.contains("<a "), fine, "{made}");
            assert!(!made.contains("<img"), "{made}");
        }
    }

    #[test]
    fn what_a_field_holds_means_nothing() {
        for name in [
            "*Ann*",
            "[x](https://evil.test)",
            "<b>",
            "# A\n- b",
            "a & b",
            "1. Ltd",
            "`x`",
            "\\*",
            "O'Neil-Smith",
        ] {
            let source = format!("Dear {},", escaped(name));
            let plain: String = name
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect();
            assert_eq!(text(&source), format!("Dear {plain},"));
            let made = html(&source);
            assert!(
                made.starts_with("<p>Dear ") && made.matches('<').count() == 2,
                "{made}"
            );
        }
    }
}
