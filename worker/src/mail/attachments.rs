//! What is attached to a letter, made of what its ledger row says.

use std::{borrow::Cow, io::Cursor};

use domain::{
    calendar::{Method, file},
    campaign,
    mail::Attachment,
};
use entity::campaign_attachment;
use image::{ImageFormat, Luma};
use qrcode::{EcLevel, QrCode};
use sea_orm::ConnectionTrait;

/// How many pixels of a picture a square of the code takes.
const PIXELS: u32 = 8;

/// How the HTML of a letter names the picture of its code.
const CODE: &str = "code";

/// A part of a mail beside its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The name of the file.
    pub name: Cow<'static, str>,
    /// Its media type.
    pub media_type: Cow<'static, str>,
    /// How the HTML names it, when it is shown there.
    pub shown_as: Option<&'static str>,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Why something can't be attached. Trying again changes nothing.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// The text is too long for a code.
    #[error("the code can't be made: {0}")]
    Code(#[from] qrcode::types::QrError),
    /// The picture can't be written.
    #[error("the picture of the code can't be written: {0}")]
    Picture(#[from] image::ImageError),
}

impl From<campaign_attachment::Model> for Part {
    fn from(file: campaign_attachment::Model) -> Self {
        Self {
            name: file.name.into(),
            media_type: file.media_type.into(),
            shown_as: None,
            bytes: file.bytes,
        }
    }
}

/// Reads the files that the attachments of a letter name.
pub async fn files(
    db: &impl ConnectionTrait,
    attachments: &[Attachment],
) -> domain::Result<Vec<Part>> {
    let mut parts = Vec::new();
    for attachment in attachments {
        if let Attachment::OfCampaign(id) = attachment {
            parts.extend(campaign::files(db, *id).await?.into_iter().map(Part::from));
        }
    }
    Ok(parts)
}

/// Makes the part that an attachment describes; files are read instead. `website` is what links begin with.
pub fn made(attachment: &Attachment, website: &str) -> Result<Option<Part>, AttachmentError> {
    Ok(Some(match attachment {
        Attachment::OfCampaign(_) => return Ok(None),
        Attachment::Calendar(entry) => {
            let entries = std::slice::from_ref(&**entry);
            Part {
                name: "event.ics".into(),
                media_type: "text/calendar; charset=utf-8; method=PUBLISH".into(),
                shown_as: None,
                bytes: file::written("", Method::Publish, website, entries).into_bytes(),
            }
        }
        Attachment::QrCode(text) => Part {
            name: "code.png".into(),
            media_type: "image/png".into(),
            shown_as: Some(CODE),
            bytes: picture(text)?,
        },
    }))
}

/// A quarter of the code may be dirty or covered, and it still reads.
fn picture(text: &str) -> Result<Vec<u8>, AttachmentError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::Q)?;
    let picture = code
        .render::<Luma<u8>>()
        .module_dimensions(PIXELS, PIXELS)
        .build();
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png)?;
    Ok(file.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_picture_with_a_quiet_zone_around_it() {
        let part = made(&Attachment::QrCode("7K3M9QTX04BD".to_owned()), "")
            .unwrap()
            .unwrap();
        let picture = image::load_from_memory_with_format(&part.bytes, ImageFormat::Png)
            .unwrap()
            .to_luma8();
        // Version 1 has 21 squares, and four on either side stay white.
        assert_eq!(picture.dimensions(), (29 * PIXELS, 29 * PIXELS));
        let square = |x: u32, y: u32| picture.get_pixel(x * PIXELS, y * PIXELS).0[0];
        assert!((0..29).all(|at| square(at, 3) == 255 && square(3, at) == 255));
        assert_eq!((square(4, 4), square(10, 4), square(5, 5)), (0, 0, 255));
    }

    #[test]
    fn a_text_that_is_too_long_is_an_error() {
        let refused = made(&Attachment::QrCode("x".repeat(5_000)), "");
        assert!(matches!(refused, Err(AttachmentError::Code(_))));
    }
}
