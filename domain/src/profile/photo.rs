//! Photos and logos: made anew from what people send, so that nothing is kept or shown but the picture.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage,
    codecs::jpeg::JpegEncoder, imageops::FilterType,
};
use tokio::{sync::Semaphore, task};

use crate::error::{Error, RefusalCode, Result};

/// The largest file, in bytes: what fits into one request.
const LARGEST_FILE: usize = 700_000;
/// The longest side of a picture that is read, in pixels: a small file can be a very large picture.
const LONGEST_SIDE: u32 = 4_096;
/// The shortest side of a picture that somebody can be recognised in.
const SHORTEST_SIDE: u32 = 48;
/// The longest side of the picture that is kept.
const KEPT_SIDE: u32 = 512;
/// The quality of the JPEG that is kept, of 100.
const QUALITY: u8 = 85;
/// The most memory that reading a picture may take, in bytes.
const MEMORY: u64 = 96 * 1_024 * 1_024;

/// One picture is read at a time: each may take that much memory.
static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);

/// A photo that may be kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Photo {
    /// In pixels.
    pub width: i32,
    /// In pixels.
    pub height: i32,
    /// The picture as JPEG.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Photo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a photo of {} by {}", self.width, self.height)
    }
}

impl Photo {
    /// Makes a photo of a PNG, JPEG or WebP file. What the file is, its content says; where it was taken, and everything
    /// else that is not the picture, is left behind. Refusals name the input field.
    pub async fn read(field: &'static str, file: Vec<u8>) -> Result<Self> {
        if file.len() > LARGEST_FILE {
            return Err(Error::refused(
                RefusalCode::TooLong,
                field,
                format!("The {field} is too large: at most 700 kB are taken."),
            ));
        }
        let _turn = ONE_AT_A_TIME
            .acquire()
            .await
            .map_err(|error| Error::Fault(error.to_string()))?;
        task::spawn_blocking(move || make(field, &file))
            .await
            .map_err(|error| Error::Fault(format!("reading a photo failed: {error}")))?
    }
}

fn make(field: &'static str, file: &[u8]) -> Result<Photo> {
    let unreadable = || {
        Error::refused(
            RefusalCode::Invalid,
            field,
            format!(
                "This is no {field} that can be read: send a PNG, JPEG or WebP file of at most 4096 by 4096 pixels."
            ),
        )
    };
    let mut reader = ImageReader::new(Cursor::new(file))
        .with_guessed_format()
        .map_err(|_| unreadable())?;
    if !matches!(
        reader.format(),
        Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)
    ) {
        return Err(unreadable());
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| unreadable())?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > LONGEST_SIDE {
        return Err(unreadable());
    }
    if width.min(height) < SHORTEST_SIDE {
        return Err(Error::refused(
            RefusalCode::Invalid,
            field,
            format!("The {field} is too small: at least 48 by 48 pixels are needed."),
        ));
    }
    let orientation = decoder.orientation().map_err(|_| unreadable())?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| unreadable())?;
    picture.apply_orientation(orientation);
    if width.max(height) > KEPT_SIDE {
        picture = picture.resize(KEPT_SIDE, KEPT_SIDE, FilterType::Triangle);
    }
    let picture = on_white(&picture);
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode_image(&picture)
        .map_err(|error| Error::Fault(format!("a photo can't be written: {error}")))?;
    let side = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
    Ok(Photo {
        width: side(picture.width()),
        height: side(picture.height()),
        bytes,
    })
}

/// The picture without transparency, which JPEG doesn't have.
fn on_white(picture: &DynamicImage) -> RgbImage {
    let picture = picture.to_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
        let over = |colour: u8| {
            let mixed = u32::from(colour) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
            u8::try_from(mixed / 255).unwrap_or(u8::MAX)
        };
        Rgb([over(red), over(green), over(blue)])
    })
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let picture = RgbaImage::from_pixel(width, height, Rgba([10, 20, 30, 0]));
        let mut file = Cursor::new(Vec::new());
        picture.write_to(&mut file, ImageFormat::Png).unwrap();
        file.into_inner()
    }

    #[tokio::test]
    async fn a_photo_is_made_anew_and_no_larger_than_it_is_shown() {
        let photo = Photo::read("photo", png(1_200, 600)).await.unwrap();
        assert_eq!((photo.width, photo.height), (512, 256));
        let made = image::load_from_memory_with_format(&photo.bytes, ImageFormat::Jpeg).unwrap();
        assert_eq!(made.to_rgb8().get_pixel(5, 5), &Rgb([255, 255, 255]));
    }

    #[tokio::test]
    async fn where_a_photo_was_taken_is_left_behind() {
        let mut file = Vec::new();
        JpegEncoder::new(&mut file)
            .encode_image(&RgbImage::new(100, 60))
            .unwrap();
        // EXIF (APP1) right after the start: big endian, one directory, "Orientation" = 6 (turned to the right).
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0secret place".to_vec();
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let mut marker = vec![0xff, 0xe1];
        marker.extend(length);
        marker.append(&mut exif);
        file.splice(2..2, marker);

        let photo = Photo::read("photo", file).await.unwrap();
        assert_eq!(
            (photo.width, photo.height),
            (60, 100),
            "it is turned as it was meant"
        );
        let has = |what: &[u8]| photo.bytes.windows(what.len()).any(|part| part == what);
        assert!(!has(b"Exif") && !has(b"secret place"));
    }

    #[tokio::test]
    async fn what_is_no_photo_is_refused() {
        let mut cut = png(100, 100);
        cut.truncate(60);
        for file in [
            Vec::new(),
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec(),
            b"GIF89a\x64\0\x64\0".to_vec(),
            cut,
            png(5_000, 50),
            png(40, 400),
            vec![0; LARGEST_FILE + 1],
        ] {
            let length = file.len();
            assert!(
                matches!(Photo::read("photo", file).await, Err(Error::Refused(_))),
                "{length}"
            );
        }
    }
}
