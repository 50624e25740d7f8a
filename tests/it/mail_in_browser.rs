//! Every mail that is sent, looked at in a real browser: in the width of a mail client and of a telephone, by light and by
//! dark. What is looked at is the snapshots, which the templates are held against.

use std::{fs, path::Path};

use serde_json::{Value, json};
use support::Browser;

/// The width that mails are made for, and that of a small telephone, in pixels.
const WIDTHS: [u32; 2] = [600, 360];
const SNAPSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../worker/src/mail/snapshots");

/// What can't be read: whatever is wider than the window, and text whose contrast with what is behind it is below 4.5 to 1
/// (WCAG 2.2, 1.4.3).
const FAULTS: &str = r"
    const colour = text => {
        const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
        return { r, g, b, a };
    };
    const luminance = ({ r, g, b }) => {
        const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const behind = element => {
        for (let e = element; e; e = e.parentElement) {
            const found = colour(getComputedStyle(e).backgroundColor);
            if (found.a > 0) return found;
        }
        return { r: 255, g: 255, b: 255 };
    };
    const faults = [];
    const wide = document.documentElement.scrollWidth;
    if (wide > window.innerWidth) faults.push(`it is ${wide} pixels wide`);
    let letters = 0;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
        const text = node.textContent.trim();
        if (!text) continue;
        letters += text.length;
        const element = node.parentElement;
        const [one, other] = [luminance(colour(getComputedStyle(element).color)), luminance(behind(element))];
        const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        if (contrast < 4.5) faults.push(`${contrast.toFixed(2)} to 1: ${text.slice(0, 40)}`);
    }
    const dark = luminance(behind(document.body)) < 0.2;
    return { faults, letters, dark };";

/// The name and the HTML of every mail.
fn mails() -> Vec<(String, String)> {
    let mut mails = Vec::new();
    for entry in fs::read_dir(SNAPSHOTS).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name.ends_with("_html") {
            let text = fs::read_to_string(&path).unwrap();
            let html = text.splitn(3, "---\n").nth(2).unwrap();
            mails.push((name, html.to_owned()));
        }
    }
    mails
}

async fn look(browser: &Browser, folder: &Path, html: &str, width: u32, dark: bool) -> Value {
    let file = folder.join("mail.html");
    fs::write(&file, html).unwrap();
    browser.show(width, dark).await;
    browser.go(&format!("file://{}", file.display())).await;
    browser.run(FAULTS).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mail_can_be_read_in_any_width_by_light_and_by_dark() {
    let (browser, folder) = (Browser::open().await, tempfile::tempdir().unwrap());
    let mails = mails();
    assert!(mails.len() > 40, "only {} mails were found", mails.len());
    let mut faults = Vec::new();
    for (name, html) in &mails {
        for (width, dark) in WIDTHS
            .into_iter()
            .flat_map(|width| [(width, false), (width, true)])
        {
            let seen = look(&browser, folder.path(), html, width, dark).await;
            assert!(seen["letters"].as_u64().unwrap() > 50, "{name}: {seen}");
            if seen["dark"] != dark {
                faults.push(format!("{name}, {width} pixels: dark is {}", seen["dark"]));
            }
            if seen["faults"] != json!([]) {
                faults.push(format!(
                    "{name}, {width} pixels, dark {dark}: {}",
                    seen["faults"]
                ));
            }
        }
    }
    browser.close().await;
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The control: what can't be read is found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_can_not_be_read_would_be_noticed() {
    let (browser, folder) = (Browser::open().await, tempfile::tempdir().unwrap());
    let html =
        "<!doctype html><body style='background:#fff;margin:0'><p style='color:#999'>pale</p>
        <p style='width:700px;color:#000'>wide</p></body>";
    let seen = look(&browser, folder.path(), html, 600, true).await;
    assert_eq!(seen["faults"].as_array().unwrap().len(), 2, "{seen}");
    assert_eq!(seen["dark"], false, "it knows no dark");
    browser.close().await;
}
