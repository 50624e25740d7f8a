//! In which media type the client wants its answer (RFC 9110, section 12.5.1).

use poem::http::{HeaderMap, header::ACCEPT};

/// The media types that a response can have, the one preferred by the server first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`.
    GraphqlResponse,
    /// `application/json`, where the status says nothing about the operation.
    Json,
}

/// How good a media range fits: the quality that the client gives it, in thousandths, for the closest range.
type Quality = u16;

impl Media {
    const ALL: [Self; 2] = [Self::GraphqlResponse, Self::Json];

    /// The value of `Content-Type`.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    const fn essence(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json",
            Self::Json => "application/json",
        }
    }

    /// The media type to answer in; none when the client accepts neither.
    pub(super) fn wanted(headers: &HeaderMap) -> Option<Self> {
        let values: Vec<&str> = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        if values.iter().all(|value| value.trim().is_empty()) {
            return Some(Self::GraphqlResponse);
        }
        let ranges: Vec<Range<'_>> = values
            .iter()
            .flat_map(|value| value.split(','))
            .filter_map(Range::read)
            .collect();
        let mut best: Option<(Quality, Self)> = None;
        for media in Self::ALL {
            let closest = ranges
                .iter()
                .filter_map(|range| range.closeness(media).map(|closeness| (closeness, range)))
                .max_by_key(|(closeness, _)| *closeness);
            if let Some((_, range)) = closest
                && range.quality > 0
                && best.is_none_or(|(quality, _)| range.quality > quality)
            {
                best = Some((range.quality, media));
            }
        }
        best.map(|(_, media)| media)
    }
}

/// One range of an `Accept` header.
struct Range<'h> {
    essence: &'h str,
    quality: Quality,
}

impl<'h> Range<'h> {
    /// Reads a range; none when it is malformed or asks for another encoding than UTF-8.
    fn read(text: &'h str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().filter(|essence| essence.contains('/'))?;
        let mut quality = 1_000;
        for parameter in parts {
            let (name, value) = parameter.split_once('=')?;
            if name.trim().eq_ignore_ascii_case("q") {
                quality = read_quality(value.trim())?;
            } else if name.trim().eq_ignore_ascii_case("charset") && !is_utf8(value) {
                return None;
            }
        }
        Some(Self { essence, quality })
    }

    fn closeness(&self, media: Media) -> Option<u8> {
        if self.essence.eq_ignore_ascii_case(media.essence()) {
            Some(3)
        } else if self.essence.eq_ignore_ascii_case("application/*") {
            Some(2)
        } else if self.essence == "*/*" {
            Some(1)
        } else {
            None
        }
    }
}

/// A quality from `0` to `1` with at most three decimals, in thousandths.
fn read_quality(text: &str) -> Option<Quality> {
    let quality: f64 = text.parse().ok()?;
    let thousandths = (quality * 1_000.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is from 0 to 1000"
    )]
    (0.0..=1_000.0)
        .contains(&thousandths)
        .then_some(thousandths as Quality)
}

/// Whether a `charset` parameter says UTF-8.
pub(super) fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim().trim_matches('"');
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn wanted(accept: &str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        Media::wanted(&headers)
    }

    #[test]
    fn the_highest_priority_that_is_supported_wins() {
        let graphql = Some(Media::GraphqlResponse);
        let json = Some(Media::Json);
        for (accept, expected) in [
            ("application/graphql-response+json", graphql),
            (
                "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8",
                graphql,
            ),
            ("application/json", json),
            ("application/json; charset=UTF-8", json),
            ("APPLICATION/JSON", json),
            (
                "application/json;q=0.9, application/graphql-response+json;q=0.8",
                json,
            ),
            (
                "application/json;q=0.5, application/graphql-response+json;q=0.51",
                graphql,
            ),
            ("text/html, application/json;q=0.1", json),
            ("*/*", graphql),
            ("application/*", graphql),
            ("*/*;q=0.1, application/json", json),
            ("application/graphql-response+json;q=0, */*", json),
            ("application/json, multipart/mixed", json),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                graphql,
            ),
            ("", graphql),
        ] {
            assert_eq!(wanted(accept), expected, "{accept}");
        }
        assert_eq!(Media::wanted(&HeaderMap::new()), graphql);
    }

    #[test]
    fn several_headers_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, HeaderValue::from_static("text/html"));
        headers.append(ACCEPT, HeaderValue::from_static("application/json"));
        assert_eq!(Media::wanted(&headers), Some(Media::Json));
    }

    #[test]
    fn what_can_not_be_served_is_not_acceptable() {
        for accept in [
            "text/html",
            "application/json;q=0",
            "*/*;q=0",
            "application/json; charset=utf-16",
            "application/json;q=2",
            "nonsense",
            "text/event-stream",
        ] {
            assert_eq!(wanted(accept), None, "{accept}");
        }
    }
}
