//! A look at the text of a document before it is parsed. The parser descends once for every bracket, so that a text of
//! nothing but brackets would exhaust its stack, and its time grows with the number of tokens.

use super::limits::{Excess, Limits};

/// Counts the tokens and the nesting of a document, as GraphQL's lexical grammar has them.
pub(super) fn scan(text: &str, limits: &Limits) -> Result<(), Excess> {
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut nesting) = (0, 0_u64, 0_u64);
    while let Some(&byte) = bytes.get(at) {
        let length = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += run(&bytes[at..], |byte| byte != b'\n' && byte != b'\r');
                continue;
            }
            b'{' | b'[' | b'(' => {
                nesting += 1;
                if nesting > limits.nesting {
                    return Err(Excess::Nesting(limits.nesting));
                }
                1
            }
            b'}' | b']' | b')' => {
                nesting = nesting.saturating_sub(1);
                1
            }
            b'"' => string(&bytes[at..]),
            _ if is_word(byte) => run(&bytes[at..], is_word),
            _ => 1,
        };
        at += length;
        tokens += 1;
        if tokens > limits.tokens {
            return Err(Excess::Tokens(limits.tokens));
        }
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How many of the first bytes are of one sort.
fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| belongs(**byte)).count()
}

/// How long the string is that the bytes begin with; all that is left when it doesn't end.
fn string(bytes: &[u8]) -> usize {
    let block = bytes.starts_with(b"\"\"\"");
    let quotes: &[u8] = if block { b"\"\"\"" } else { b"\"" };
    let mut at = quotes.len();
    while at < bytes.len() {
        let rest = &bytes[at..];
        if block && rest.starts_with(b"\\\"\"\"") {
            at += 4;
        } else if !block && rest[0] == b'\\' {
            at += 2;
        } else if rest.starts_with(quotes) {
            return at + quotes.len();
        } else if !block && rest[0] == b'\n' {
            return at;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(tokens: u64, nesting: u64) -> Limits {
        Limits {
            tokens,
            nesting,
            ..Limits::default()
        }
    }

    #[test]
    fn tokens_are_words_strings_and_punctuation() {
        for (text, tokens) in [
            ("", 0),
            ("{ a, b }", 4),
            ("{a(b:\"c d {\")}", 8),
            ("# { { {\n{a}", 3),
            ("\"\"\" \" \\\"\"\" { \"\"\" a", 2),
            (r#""a\"b" c"#, 2),
            ("query($a:[Int!]!)", 11),
            ("é", 2),
        ] {
            assert_eq!(scan(text, &limits(tokens, 9)), Ok(()), "{text}");
            if tokens > 0 {
                let fewer = tokens - 1;
                assert_eq!(
                    scan(text, &limits(fewer, 9)),
                    Err(Excess::Tokens(fewer)),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn a_text_of_brackets_never_reaches_the_parser() {
        let deep = "{a".repeat(300_000);
        assert_eq!(
            scan(&deep, &Limits::default()),
            Err(Excess::Nesting(Limits::default().nesting))
        );
        assert_eq!(scan("{a(b:[1])}", &limits(99, 3)), Ok(()));
        assert_eq!(
            scan("{a(b:[[1]])}", &limits(99, 3)),
            Err(Excess::Nesting(3))
        );
    }

    #[test]
    fn a_string_without_an_end_ends_the_scan() {
        assert_eq!(scan("\"\"\"{{{{{{{{{{{{{{{{", &limits(1, 1)), Ok(()));
        assert_eq!(scan("\"abc\\", &limits(1, 1)), Ok(()));
    }
}
