//! Charts as SVG, without a script, a style sheet or a font of their own: bars that are stacked of parts.
//!
//! A chart says in words what it shows (`title`, `desc`), each part tells its value, and nothing is told by colour alone: each
//! part has a pattern too, which is still there in print without colours.

use std::fmt::Write;

/// How wide a chart is, in the units of the picture.
const WIDTH: f64 = 960.0;
/// Where bars begin: the labels stand before it.
const BARS_FROM: f64 = 270.0;
/// Where bars end at the latest: their sums stand after it.
const BARS_TO: f64 = 890.0;
/// The height of a bar with the room around it.
const ROW: f64 = 30.0;
/// The height of a bar.
const BAR: f64 = 20.0;
/// The height of a line of the title and the legend.
const LINE: f64 = 26.0;
/// How wide a letter is at most, on average, at the size of labels.
const LETTER: f64 = 7.6;
/// How many letters of the title are shown at most.
const TITLE: usize = 96;
/// How many letters of the note are shown at most.
const NOTE: usize = 120;
/// The most bars of one chart; whoever has more says which.
pub const MOST_BARS: usize = 200;

/// Fill and ink of the parts: colours that people who see few colours can tell apart, with enough contrast for the ink.
const COLOURS: [(&str, &str); 8] = [
    ("#0072b2", "#ffffff"),
    ("#e69f00", "#000000"),
    ("#009e73", "#000000"),
    ("#cc79a7", "#000000"),
    ("#56b4e9", "#000000"),
    ("#d55e00", "#000000"),
    ("#f0e442", "#000000"),
    ("#5f5f5f", "#ffffff"),
];

/// The patterns of the parts, drawn in their ink upon their fill: paths within a square of eight units. The first has none.
const PATTERNS: [&str; 8] = [
    "",
    "M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4",
    "M2,2 h2 v2 h-2 z M6,6 h2 v2 h-2 z",
    "M-2,6 l4,4 M0,0 l8,8 M6,-2 l4,4",
    "M0,4 h8",
    "M4,0 v8",
    "M0,0 l8,8 M0,8 l8,-8",
    "M0,4 h8 M4,0 v8",
];

/// Bars that are stacked of parts, one below the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackedBars {
    /// What the chart shows, in a few words.
    pub title: String,
    /// What the parts of each bar are, from the left.
    pub parts: Vec<String>,
    /// The bars, from the top.
    pub bars: Vec<Bar>,
    /// What has to be known to read it, in a line below.
    pub note: Option<String>,
}

/// One bar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bar {
    /// What it is about.
    pub label: String,
    /// How much there is of each part, in their order.
    pub values: Vec<u64>,
}

impl Bar {
    fn sum(&self) -> u64 {
        self.values.iter().copied().fold(0, u64::saturating_add)
    }
}

impl StackedBars {
    /// The picture.
    #[must_use]
    pub fn svg(&self) -> String {
        let mut svg = String::new();
        // Writing to a string doesn't fail.
        let _ = self.write(&mut svg);
        svg
    }

    fn write(&self, svg: &mut String) -> std::fmt::Result {
        let legend = self.legend();
        let legend_lines = legend.last().map_or(0, |(_, line, _)| line + 1);
        let top = LINE * (lines(legend_lines) + 1.0) + 18.0;
        let bars = &self.bars[..self.bars.len().min(MOST_BARS)];
        let bottom = top + ROW * lines(bars.len().max(1));
        let note_at = bottom + 34.0 + 10.0;
        let height = bottom + 34.0 + self.note.as_ref().map_or(0.0, |_| LINE);
        let scale = Scale::to(bars.iter().map(Bar::sum).max().unwrap_or(0));
        write!(
            svg,
            concat!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {height}" "#,
                r#"width="{WIDTH}" height="{height}" font-family="system-ui, sans-serif" font-size="13">"#,
                "<title>{title}</title><desc>{desc}</desc>",
                r##"<rect width="100%" height="100%" fill="#ffffff"/>"##,
                r#"<text x="16" y="26" font-size="17" font-weight="600">{shown}</text>"#,
            ),
            WIDTH = WIDTH,
            height = height,
            title = escaped(&self.title),
            shown = escaped(&shortened(&self.title, TITLE)),
            desc = escaped(&self.in_words()),
        )?;
        write_patterns(svg, self.parts.len())?;
        for (part, (x, line, name)) in legend.iter().enumerate() {
            let y = LINE * (lines(*line) + 1.0) + 16.0;
            write_filled(svg, part, [*x, y, 13.0, 13.0])?;
            write!(
                svg,
                r#"<text x="{}" y="{}">{}</text>"#,
                x + 19.0,
                y + 11.0,
                escaped(name),
            )?;
        }
        self.write_axis(svg, &scale, top, bottom)?;
        for (row, bar) in bars.iter().enumerate() {
            self.write_bar(svg, bar, &scale, top + ROW * lines(row))?;
        }
        if bars.is_empty() {
            write!(
                svg,
                r##"<text x="{BARS_FROM}" y="{}" fill="#5f5f5f">Nothing to show.</text>"##,
                top + 20.0,
            )?;
        }
        if let Some(note) = &self.note {
            let note = escaped(&shortened(note, NOTE));
            write!(
                svg,
                r##"<text x="16" y="{note_at}" fill="#3f3f3f">{note}</text>"##
            )?;
        }
        svg.push_str("</svg>");
        Ok(())
    }

    /// Where each part stands in the legend: how far right, in which line, and its name.
    fn legend(&self) -> Vec<(f64, usize, String)> {
        let (mut x, mut line) = (16.0, 0);
        self.parts
            .iter()
            .map(|part| {
                let name = shortened(part, 40);
                let width = 19.0 + LETTER * lines(name.chars().count()) + 20.0;
                if x > 16.0 && x + width > WIDTH {
                    (x, line) = (16.0, line + 1);
                }
                let at = (x, line, name);
                x += width;
                at
            })
            .collect()
    }

    fn write_axis(
        &self,
        svg: &mut String,
        scale: &Scale,
        top: f64,
        bottom: f64,
    ) -> std::fmt::Result {
        if self.bars.is_empty() {
            return Ok(());
        }
        for tick in scale.ticks() {
            let x = scale.at(tick);
            write!(
                svg,
                concat!(
                    r##"<line x1="{x}" x2="{x}" y1="{top}" y2="{bottom}" stroke="#d0d0d0"/>"##,
                    r##"<text x="{x}" y="{y}" text-anchor="middle" fill="#5f5f5f">{tick}</text>"##,
                ),
                x = x,
                top = top,
                bottom = bottom,
                y = bottom + 18.0,
                tick = tick,
            )?;
        }
        Ok(())
    }

    fn write_bar(&self, svg: &mut String, bar: &Bar, scale: &Scale, y: f64) -> std::fmt::Result {
        let label = shortened(&bar.label, 32);
        write!(
            svg,
            r#"<text x="{}" y="{}" text-anchor="end"><title>{}</title>{}</text>"#,
            BARS_FROM - 10.0,
            y + 15.0,
            escaped(&bar.label),
            escaped(&label),
        )?;
        let mut before = 0_u64;
        for (part, value) in bar.values.iter().enumerate() {
            let (from, to) = (scale.at(before), scale.at(before.saturating_add(*value)));
            before = before.saturating_add(*value);
            if *value == 0 {
                continue;
            }
            let (fill, ink) = COLOURS[part % COLOURS.len()];
            let name = self.parts.get(part).map_or("", String::as_str);
            write!(
                svg,
                "<g><title>{}: {} {value}</title>",
                escaped(&bar.label),
                escaped(name),
            )?;
            write_filled(svg, part, [from, y, to - from, BAR])?;
            let digits = value.to_string();
            if to - from > LETTER * lines(digits.len()) + 8.0 {
                // A rim of the fill keeps the number apart from the pattern.
                write!(
                    svg,
                    concat!(
                        r#"<text x="{x}" y="{y}" text-anchor="middle" fill="{ink}" stroke="{fill}" stroke-width="4" "#,
                        r#"paint-order="stroke">{digits}</text>"#,
                    ),
                    x = f64::midpoint(from, to),
                    y = y + 15.0,
                    ink = ink,
                    fill = fill,
                    digits = digits,
                )?;
            }
            svg.push_str("</g>");
        }
        write!(
            svg,
            r#"<text x="{}" y="{}">{before}</text>"#,
            scale.at(before) + 6.0,
            y + 15.0,
        )
    }

    /// What the chart shows, for whoever doesn't see it.
    fn in_words(&self) -> String {
        let bars = self.bars.iter().take(MOST_BARS).map(|bar| {
            let parts = self.parts.iter().zip(&bar.values);
            let parts: Vec<String> = parts
                .map(|(part, value)| format!("{part} {value}"))
                .collect();
            format!("{}: {}.", bar.label, parts.join(", "))
        });
        bars.chain(self.note.clone()).collect::<Vec<_>>().join(" ")
    }
}

/// The patterns that so many parts need.
fn write_patterns(svg: &mut String, parts: usize) -> std::fmt::Result {
    svg.push_str("<defs>");
    for (nth, (path, (_, ink))) in PATTERNS.iter().zip(COLOURS).enumerate().take(parts) {
        if !path.is_empty() {
            write!(
                svg,
                concat!(
                    r#"<pattern id="part{nth}" width="8" height="8" patternUnits="userSpaceOnUse">"#,
                    r#"<path d="{path}" fill="none" stroke="{ink}" stroke-opacity="0.55"/></pattern>"#,
                ),
                nth = nth,
                path = path,
                ink = ink,
            )?;
        }
    }
    svg.push_str("</defs>");
    Ok(())
}

/// An area in the colour and the pattern of a part: where it is, how wide and how high.
fn write_filled(
    svg: &mut String,
    part: usize,
    [x, y, width, height]: [f64; 4],
) -> std::fmt::Result {
    let nth = part % COLOURS.len();
    let (fill, ink) = COLOURS[nth];
    let place = format!(r#"x="{x}" y="{y}" width="{width:.1}" height="{height}""#);
    write!(
        svg,
        r#"<rect {place} fill="{fill}" stroke="{ink}" stroke-width="0.5"/>"#
    )?;
    if PATTERNS[nth].is_empty() {
        return Ok(());
    }
    write!(svg, r#"<rect {place} fill="url(#part{nth})"/>"#)
}

/// How values become lengths.
struct Scale {
    step: u64,
    most: u64,
}

impl Scale {
    /// A scale with about five round steps up to `most`.
    fn to(most: u64) -> Self {
        let mut step = 1_u64;
        // 1, 2, 5, 10, 20, 50, …
        let mut grow = [2, 5, 10].into_iter().cycle();
        let mut ten = 1_u64;
        while most > step.saturating_mul(5) {
            let Some(next) = grow.next() else { break };
            step = ten.saturating_mul(next);
            if next == 10 {
                ten = step;
            }
        }
        let most = most.max(1).div_ceil(step).saturating_mul(step);
        Self { step, most }
    }

    fn ticks(&self) -> impl Iterator<Item = u64> {
        (0..=self.most / self.step).map(|tick| tick * self.step)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a picture is not finer than that"
    )]
    fn at(&self, value: u64) -> f64 {
        let share = value as f64 / self.most as f64;
        ((BARS_FROM + share * (BARS_TO - BARS_FROM)) * 10.0).round() / 10.0
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "there are at most a few hundred lines"
)]
fn lines(number: usize) -> f64 {
    number as f64
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{}…", kept.trim_end())
}

/// Text as it stands in XML. What XML has no way to write is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                escaped.push(' ');
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> StackedBars {
        StackedBars {
            title: "Who came & who didn't".to_owned(),
            parts: vec!["came".to_owned(), "missed".to_owned()],
            bars: vec![
                Bar {
                    label: "<Law>".to_owned(),
                    values: vec![30, 10],
                },
                Bar {
                    label: "The School of everything that has a very long name".to_owned(),
                    values: vec![0, 20],
                },
            ],
            note: Some("2 events < 3".to_owned()),
        }
    }

    #[test]
    fn a_chart_says_in_words_what_it_shows() {
        let svg = chart().svg();
        assert!(
            svg.contains("<title>Who came &amp; who didn't</title>"),
            "{svg}"
        );
        assert!(svg.contains("&lt;Law&gt;: came 30, missed 10."), "{svg}");
        assert!(!svg.contains("<Law>"), "{svg}");
    }

    #[test]
    fn lengths_are_in_proportion() {
        let scale = Scale::to(40);
        assert_eq!((scale.step, scale.most), (10, 40));
        let length = |value| scale.at(value) - BARS_FROM;
        assert!((length(40) - 2.0 * length(20)).abs() < 0.2);
        assert!((length(40) - (BARS_TO - BARS_FROM)).abs() < f64::EPSILON);
    }

    #[test]
    fn steps_are_round_and_few() {
        for (most, step) in [
            (0, 1),
            (5, 1),
            (6, 2),
            (25, 5),
            (26, 10),
            (1_001, 500),
            (u64::MAX, 0),
        ] {
            let scale = Scale::to(most);
            assert!(scale.most >= most);
            assert!(
                scale.ticks().count() <= 6,
                "{most}: {}",
                scale.ticks().count()
            );
            assert!(step == 0 || scale.step == step, "{most}: {}", scale.step);
        }
    }

    #[test]
    fn a_long_label_is_shortened_and_told_whole() {
        let svg = chart().svg();
        assert!(svg.contains(">The School of everything that h…<"), "{svg}");
        assert!(svg.contains("<title>The School of everything that has a very long name</title>"));
    }

    #[test]
    fn parts_differ_by_a_pattern_too() {
        let svg = chart().svg();
        assert_eq!(
            svg.matches("<pattern ").count(),
            1,
            "the first part has none"
        );
        let patterned = svg.matches("fill=\"url(#part1)\"").count();
        assert_eq!(patterned, 3, "in the legend and in two bars: {svg}");
        let mut all = PATTERNS.to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), COLOURS.len());
    }

    #[test]
    fn a_chart_of_nothing_says_so() {
        assert!(StackedBars::default().svg().contains("Nothing to show."));
    }

    #[test]
    fn what_xml_cannot_say_is_left_out() {
        assert_eq!(escaped("a\u{0}b\u{1b}c\"'&"), "a b c&quot;'&amp;");
    }
}
