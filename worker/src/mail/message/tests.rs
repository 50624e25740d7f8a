//! What is written, read back.

use mail_parser::{MessageParser, MimeHeaders};

use super::*;

fn sender() -> Sender {
    Sender {
        from: Mailbox::new(
            Some("Careers Centre".into()),
            "careers@university.test".parse().unwrap(),
        ),
        reply_to: None,
        bounces_to: Some("bounces@university.test".parse().unwrap()),
        signed_by: None,
    }
}

fn content(subject: &str) -> Rendered {
    Rendered {
        subject: subject.to_owned(),
        text: "Dear Zoë,\nyou have a place.\n".to_owned(),
        html: "<p>Dear Zoë,<br>you have a place.</p>\n".to_owned(),
    }
}

fn draft<'a>(sender: &'a Sender, content: &'a Rendered) -> Draft<'a> {
    Draft {
        message_id: "dlv_01h455vb4pex5vsknk084sn02q@university.test",
        date: "2026-03-03T09:30:00Z".parse().unwrap(),
        sender,
        to: "zoe@students.test",
        name: "Zoë Ångström",
        content,
        attachments: &[],
        nature: Nature::Automatic,
    }
}

/// A small mail for other modules' tests.
pub(crate) fn a_message(subject: &str) -> Message {
    draft(&sender(), &content(subject)).compose().unwrap()
}

fn headers(message: &Message) -> Vec<(String, String)> {
    let mail = MessageParser::default().parse(&message.bytes).unwrap();
    mail.headers_raw()
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

fn header(message: &Message, name: &str) -> Option<String> {
    headers(message)
        .into_iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

#[test]
fn an_automatic_mail_says_so_and_reads_as_written() {
    let message = a_message("Your place: “Résumé” workshop — 3 März");
    assert!(message.bytes.is_ascii(), "any relay can carry it");
    let mail = MessageParser::default().parse(&message.bytes).unwrap();
    assert_eq!(
        mail.subject(),
        Some("Your place: “Résumé” workshop — 3 März")
    );
    assert_eq!(
        mail.to().unwrap().first().unwrap().name(),
        Some("Zoë Ångström")
    );
    assert_eq!(
        mail.body_text(0).unwrap(),
        "Dear Zoë,\r\nyou have a place.\r\n"
    );
    assert!(mail.body_html(0).unwrap().starts_with("<p>Dear Zoë,<br>"));
    assert_eq!(
        header(&message, "Message-ID").unwrap(),
        "<dlv_01h455vb4pex5vsknk084sn02q@university.test>"
    );
    assert_eq!(
        header(&message, "Date").unwrap(),
        "Tue, 03 Mar 2026 09:30:00 +0000"
    );
    assert_eq!(
        header(&message, "Auto-Submitted").unwrap(),
        "auto-generated"
    );
    assert_eq!(header(&message, "List-Unsubscribe"), None);
    assert_eq!(
        message.envelope.from().unwrap().to_string(),
        "bounces@university.test"
    );
    assert_eq!(message.recipient_domain(), "students.test");
}

#[test]
fn a_bulk_mail_is_unsubscribed_from_by_one_click() {
    let (sender, content) = (sender(), content("Careers fair"));
    let address = format!(
        "https://careers.university.test/unsubscribe/{}",
        "t".repeat(200)
    );
    let message = Draft {
        nature: Nature::Bulk {
            unsubscribe: &address,
        },
        ..draft(&sender, &content)
    };
    let message = message.compose().unwrap();
    assert_eq!(
        header(&message, "List-Unsubscribe").unwrap(),
        format!("<{address}>"),
        "whole, on one line"
    );
    assert_eq!(
        header(&message, "List-Unsubscribe-Post").unwrap(),
        "List-Unsubscribe=One-Click"
    );
    assert_eq!(header(&message, "Auto-Submitted"), None);
}

#[test]
fn files_come_after_the_words_and_pictures_with_the_html_that_shows_them() {
    let (sender, content) = (sender(), content("Your ticket"));
    let part = |name: &'static str, media_type: &'static str, shown_as, bytes: &[u8]| Part {
        name: name.into(),
        media_type: media_type.into(),
        shown_as,
        bytes: bytes.to_vec(),
    };
    let attachments = [
        part("code.png", "image/png", Some("code"), &[0, 159, 10, 13]),
        part(
            "event.ics",
            "text/calendar; charset=utf-8; method=PUBLISH",
            None,
            b"BEGIN:VCALENDAR\r\n",
        ),
    ];
    let message = Draft {
        attachments: &attachments,
        ..draft(&sender, &content)
    };
    let message = message.compose().unwrap();
    assert!(message.bytes.is_ascii());
    let mail = MessageParser::default().parse(&message.bytes).unwrap();
    assert_eq!(
        mail.body_text(0).unwrap(),
        "Dear Zoë,\r\nyou have a place.\r\n"
    );
    assert!(mail.body_html(0).unwrap().starts_with("<p>Dear Zoë,<br>"));
    let found: Vec<_> = mail
        .parts
        .iter()
        .filter_map(|part| Some((part.attachment_name()?, part.content_id(), part.contents())))
        .collect();
    assert_eq!(
        found,
        [
            ("code.png", Some("code"), &[0, 159, 10, 13][..]),
            ("event.ics", None, &b"BEGIN:VCALENDAR\r\n"[..]),
        ]
    );
    let text = String::from_utf8(message.bytes).unwrap();
    assert!(text.contains("method=PUBLISH"), "{text}");
    assert!(
        text.contains("multipart/mixed") && text.contains("multipart/related"),
        "{text}"
    );
}

#[test]
fn the_same_draft_makes_the_same_bytes() {
    assert_eq!(a_message("again"), a_message("again"));
}

#[test]
fn nothing_typed_by_anyone_begins_a_header() {
    let mut sender = sender();
    sender.reply_to = Some(Mailbox::new(
        Some("x\r\nBcc: c@evil.test".into()),
        "a@university.test".parse().unwrap(),
    ));
    let content = content("Hello\r\nBcc: a@evil.test\r\n\r\nbody");
    let mut draft = draft(&sender, &content);
    draft.name = "Eve\nBcc: b@evil.test\u{0}";
    let message = draft.compose().unwrap();
    assert!(
        headers(&message).iter().all(|(name, _)| name != "Bcc"),
        "{:?}",
        headers(&message)
    );
    let mail = MessageParser::default().parse(&message.bytes).unwrap();
    assert_eq!(mail.subject(), Some("Hello Bcc: a@evil.test body"));
    assert_eq!(
        mail.to().unwrap().first().unwrap().name(),
        Some("Eve Bcc: b@evil.test")
    );
    assert_eq!(message.envelope.to().len(), 1);
}

#[test]
fn what_stands_in_a_header_as_it_is_is_checked() {
    let (sender, content) = (sender(), content("Hello"));
    let draft = draft(&sender, &content);
    for bad in ["", "a b@c", "a>\r\nBcc: x@evil.test", "a@b\n", "ü@b"] {
        assert!(
            Draft {
                message_id: bad,
                ..draft.clone()
            }
            .compose()
            .is_err(),
            "{bad:?}"
        );
        let nature = Nature::Bulk { unsubscribe: bad };
        assert!(
            Draft {
                nature,
                ..draft.clone()
            }
            .compose()
            .is_err(),
            "{bad:?}"
        );
    }
    for bad in [
        "",
        "zoe",
        "zoe@",
        "zoe@students.test\r\nRCPT TO:<x@evil.test>",
        "a@b.test, c@d.test",
    ] {
        assert!(
            Draft {
                to: bad,
                ..draft.clone()
            }
            .compose()
            .is_err(),
            "{bad:?}"
        );
    }
}
