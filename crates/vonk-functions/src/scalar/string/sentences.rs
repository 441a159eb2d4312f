//! `sentences`.

use crate::kernel::KernelCall;
use crate::resolve::Arity;
use crate::scalar::apply::{part_view, share};
use crate::scalar::params::STR;
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{ArrayRef, ListArray};
use arrow::buffer::OffsetBuffer;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;
use vonk_types::arrow_types::list_field;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        can_fail: false,
        null_propagating: false,
        display: Display::Custom(|name, args| {
            let mut all = args.to_vec();
            all.resize(3, String::new());
            format!("{name}({})", all.join(", "))
        }),
        ..ScalarFunction::new(
            "sentences",
            docs!(String, "sentences(str[, lang, country])", "The words of each sentence.", "2.0.0", [
                "SELECT sentences('Hi there! Good morning.')" => "[[\"Hi\",\"there\"],[\"Good\",\"morning\"]]",
            ]),
            Arity::between(1, 3),
            |site| {
                let words = DataType::array(DataType::String, false);
                site.returns(site.take(&[STR, STR, STR])?, DataType::array(words, false))
            },
            sentences,
        )
    }]
}

fn sentences(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let strict = KernelCall { args: &call.args[..1], ..*call };
    let Some(nulls) = strict.strict_nulls() else { return Ok(call.all_null()) };
    let s = call.strings(0);
    let (mut views, mut words, mut counts) = (Vec::new(), Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let before = words.len();
        if nulls.as_ref().is_none_or(|n| n.is_valid(row)) {
            let whole = s.get(row);
            for sentence in split_sentences(whole) {
                let start = views.len();
                each_word(sentence, |word| {
                    views.push(part_view(s.array(), call.args[0].index(row), whole, word))
                });
                words.push(views.len() - start);
            }
        }
        counts.push(words.len() - before);
    }
    let word_type = DataType::array(DataType::String, false);
    let values = Arc::new(share(s.array(), views, None));
    let inner = ListArray::try_new(
        list_field(&DataType::String, false),
        OffsetBuffer::from_lengths(words),
        values,
        None,
    )?;
    let outer = OffsetBuffer::from_lengths(counts);
    Ok(Arc::new(ListArray::try_new(list_field(&word_type, false), outer, Arc::new(inner), nulls)?))
}

/// Sentences end behind `!` and `?`, and behind a period that no small letter follows.
fn split_sentences(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((_, c)) = chars.next() {
        if !matches!(c, '.' | '!' | '?') {
            continue;
        }
        let mut certain = c != '.';
        while let Some((_, c)) = chars.next_if(|(_, c)| matches!(c, '.' | '!' | '?' | '"' | '\'' | ')')) {
            certain |= matches!(c, '!' | '?');
        }
        let mut spaces = false;
        while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {
            spaces = true;
        }
        match chars.peek() {
            Some((_, next)) if !certain && (!spaces || next.is_lowercase()) => {}
            Some((at, _)) => {
                out.push(&text[start..*at]);
                start = *at;
            }
            None => {}
        }
    }
    if start < text.len() {
        out.push(&text[start..]);
    }
    out
}

/// Letters, digits and underscores, and what joins them from within: hyphens, apostrophes and periods, commas between digits.
fn each_word<'a>(sentence: &'a str, mut f: impl FnMut(&'a str)) {
    let mut rest = sentence;
    while let Some(start) = rest.find(char::is_alphanumeric) {
        rest = &rest[start..];
        let mut end = 0;
        let mut chars = rest.char_indices().peekable();
        let mut last = ' ';
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            let inner = match c {
                c if c.is_alphanumeric() || c == '_' => true,
                '-' | '\'' | '.' => next.is_some_and(char::is_alphanumeric),
                ',' => last.is_numeric() && next.is_some_and(char::is_numeric),
                _ => false,
            };
            if !inner {
                break;
            }
            last = c;
            end = at + c.len_utf8();
        }
        f(&rest[..end]);
        rest = &rest[end..];
    }
}

#[cfg(test)]
mod tests {
    use crate::scalar::testing::*;

    // Asked of Spark.
    #[test]
    fn words() {
        for (s, want) in [
            (
                "Hello, world! How are you? I'm fine.",
                r#"[["Hello","world"],["How","are","you"],["I'm","fine"]]"#,
            ),
            ("a b. c? d", r#"[["a","b","c"],["d"]]"#),
            ("", "[]"),
            ("1.5 is a number, ok. yes", r#"[["1.5","is","a","number","ok","yes"]]"#),
            ("Mr. Smith went.", r#"[["Mr"],["Smith","went"]]"#),
            ("a-b c_d, e.f", r#"[["a-b","c_d","e.f"]]"#),
            ("A.B.C. def. Ghi", r#"[["A.B.C","def"],["Ghi"]]"#),
            ("3,000 dogs", r#"[["3,000","dogs"]]"#),
            ("wait... what?", r#"[["wait","what"]]"#),
        ] {
            assert_eq!(run("sentences", &[text(s)]), [want], "{s}");
        }
    }
}
