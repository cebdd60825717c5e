//! Finds where the elements of a JSON text begin and end, without validating them.
//!
//! A strict parser rejects a whole text for one invalid character. This scanner follows only strings and brackets, so an
//! invalid element of a delivery does not affect the others. Each element is then parsed strictly on its own.

/// The elements of a list, up to where it is cut off; `None` if `text` is not a list.
pub fn elements(text: &[u8]) -> Option<Vec<&[u8]>> {
    let mut scanner = Scanner::enter(text, b'[')?;
    let mut elements = Vec::new();
    loop {
        let element = scanner.value();
        if !element.is_empty() {
            elements.push(element);
        }
        if matches!(scanner.next(), None | Some(b']')) {
            return Some(elements);
        }
    }
}

/// The names and values of an object, up to where it is cut off; `None` if `text` is not an object.
pub fn members(text: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut scanner = Scanner::enter(text, b'{')?;
    let mut members = Vec::new();
    loop {
        let name = scanner.value();
        let mut delimiter = scanner.next();
        if delimiter == Some(b':') {
            members.push((name, scanner.value()));
            delimiter = scanner.next();
        }
        if matches!(delimiter, None | Some(b'}')) {
            return Some(members);
        }
    }
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn enter(text: &'a [u8], bracket: u8) -> Option<Self> {
        let text = text.trim_ascii();
        (text.first() == Some(&bracket)).then_some(Self { text, at: 1 })
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    /// Everything up to the next separator, or closing bracket, of this level.
    fn value(&mut self) -> &'a [u8] {
        let begin = self.at.min(self.text.len());
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.skip_string(),
                b'[' | b'{' => depth += 1,
                b']' | b'}' if depth > 0 => depth -= 1,
                b',' | b':' | b']' | b'}' if depth == 0 => break,
                _ => {}
            }
            self.at += 1;
        }
        let end = self.at.min(self.text.len());
        self.text[begin..end].trim_ascii()
    }

    /// Stops at the closing quote, or at the end of a string that has none.
    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => return,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<Vec<&str>> {
        let parts = elements(text.as_bytes())?;
        Some(
            parts
                .into_iter()
                .map(|part| std::str::from_utf8(part).unwrap())
                .collect(),
        )
    }

    #[test]
    fn a_list_falls_into_its_elements_whatever_they_are() {
        for (text, expected) in [
            ("[]", &[][..]),
            (" [ 1 , \"a,]\" ] ", &["1", "\"a,]\""]),
            (
                r#"[{"a":[1,2]},{"b":"\"]}"}]"#,
                &[r#"{"a":[1,2]}"#, r#"{"b":"\"]}"}"#],
            ),
            ("[NaN, {x}, +1e999]", &["NaN", "{x}", "+1e999"]),
            (r#"[1,{"a":"x"#, &["1", r#"{"a":"x"#]),
            ("[1}2:3", &["1", "2", "3"]),
            ("[\"a\\", &["\"a\\"]),
        ] {
            assert_eq!(parts(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "null", "{}", "<html>"] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[test]
    fn an_object_falls_into_its_members_whatever_they_are() {
        for (text, expected) in [
            ("{}", &[][..]),
            (
                r#"{"a":1,"b":{"c":":,}"}}"#,
                &[(r#""a""#, "1"), (r#""b""#, r#"{"c":":,}"}"#)],
            ),
            (r#"{"a":NaN,b:}"#, &[(r#""a""#, "NaN"), ("b", "")]),
            (r#"{"a":"#, &[(r#""a""#, "")]),
            (r#"{"a","b":2"#, &[(r#""b""#, "2")]),
        ] {
            let found = members(text.as_bytes()).unwrap();
            let found: Vec<_> = found
                .into_iter()
                .map(|(name, value)| {
                    (
                        std::str::from_utf8(name).unwrap(),
                        std::str::from_utf8(value).unwrap(),
                    )
                })
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn no_text_is_scanned_without_end_or_beyond_its_end() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..20_000 {
            let length = random.usize(..24);
            let text: Vec<u8> = (0..length)
                .map(|_| random.choice(*b"[]{}\",:\\a1 ").unwrap_or(b'['))
                .collect();
            for text in [[b"[", &text[..]].concat(), [b"{", &text[..]].concat()] {
                let _ = (elements(&text), members(&text));
            }
        }
    }
}
