//! How alike strings are: `soundex`, `levenshtein`; and whether a number is well formed: `luhn_check`.

use crate::resolve::Arity;
use crate::scalar::ScalarFunction;
use crate::scalar::params::{INT, STR, Takes};
use arrow::datatypes::{Float64Type, Int32Type};
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    let rows = vec![
        ScalarFunction::new(
            "soundex",
            docs!(String, "soundex(str)", "Code of how the string sounds in English.", "1.5.0", [
                "SELECT soundex('Miller')" => "M460",
            ]),
            Arity::exactly(1),
            |site| site.returns(site.take(&[Takes::Only(DataType::String)])?, DataType::String),
            |call| {
                let s = call.strings(0);
                call.each_str(|row, out| {
                    soundex(s.get(row), out);
                    Ok(true)
                })
            },
        ),
        ScalarFunction::new(
            "levenshtein",
            docs!(
                String,
                "levenshtein(str1, str2[, threshold])",
                "The least number of characters to insert, delete or replace; -1 if it is beyond the threshold.",
                "1.5.0",
                [
                    "SELECT levenshtein('kitten', 'sitting')" => "3",
                    "SELECT levenshtein('kitten', 'sitting', 2)" => "-1",
                ]
            ),
            Arity::between(2, 3),
            |site| site.returns(site.take(&[STR, STR, INT])?, DataType::Int),
            |call| {
                let (a, b) = (call.strings(0), call.strings(1));
                let threshold = (call.args.len() > 2).then(|| call.values::<Int32Type>(2));
                let (mut x, mut y, mut line) = (Vec::new(), Vec::new(), Vec::new());
                call.each::<Int32Type>(|row| {
                    let most = threshold.map_or(i32::MAX, |t| t.get(row));
                    x.clear();
                    x.extend(a.get(row).chars());
                    y.clear();
                    y.extend(b.get(row).chars());
                    let distance = levenshtein(&x, &y, &mut line);
                    Ok(Some(if distance <= most { distance } else { -1 }))
                })
            },
        ),
        ScalarFunction::new(
            "jaro_winkler_similarity",
            docs!(String, "jaro_winkler_similarity(str1, str2)", "How alike the strings are, from 0 to 1.", "4.3.0", [
                "SELECT jaro_winkler_similarity('MARTHA', 'MARHTA')" => "0.9611111111111111",
            ]),
            Arity::exactly(2),
            |site| site.returns(site.take(&[STR, STR])?, DataType::Double),
            |call| {
                let (a, b) = (call.strings(0), call.strings(1));
                call.each::<Float64Type>(|row| Ok(Some(jaro_winkler(a.get(row), b.get(row)))))
            },
        ),
        ScalarFunction::new(
            "luhn_check",
            docs!(String, "luhn_check(str)", "Whether the digits are a number with a valid check digit by Luhn's algorithm.", "3.5.0", [
                "SELECT luhn_check('8112189876')" => "true",
                "SELECT luhn_check('6123451234567890')" => "false",
            ]),
            Arity::exactly(1),
            |site| site.returns(site.take(&[STR])?, DataType::Boolean),
            |call| {
                let s = call.strings(0);
                call.each_bool(|row| Ok(Some(luhn(s.get(row).as_bytes()))))
            },
        ),
    ];
    rows.into_iter().map(|row| ScalarFunction { can_fail: false, ..row }).collect()
}

/// Codes of A to Z: 0 separates equal codes, 7 does not.
const CODES: &[u8; 26] = b"01230127022455012623017202";

fn soundex(s: &str, out: &mut String) {
    let letter = |b: u8| b.is_ascii_alphabetic().then(|| b.to_ascii_uppercase());
    let code = |b: u8| CODES[usize::from(b - b'A')];
    let Some(first) = s.bytes().next().and_then(letter) else {
        out.push_str(s);
        return;
    };
    let mut made = 1;
    out.push(first as char);
    let mut last = code(first);
    for b in s.bytes().skip(1) {
        let Some(b) = letter(b) else {
            last = b'0';
            continue;
        };
        let code = code(b);
        if code == b'7' {
            continue;
        }
        if code != b'0' && code != last {
            out.push(code as char);
            made += 1;
            if made == 4 {
                return;
            }
        }
        last = code;
    }
    (made..4).for_each(|_| out.push('0'));
}

fn levenshtein(a: &[char], b: &[char], line: &mut Vec<i32>) -> i32 {
    line.clear();
    line.extend(0..=b.len() as i32);
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i as i32;
        line[0] = diagonal + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + i32::from(x != y);
            diagonal = line[j + 1];
            line[j + 1] = replaced.min(diagonal + 1).min(line[j] + 1);
        }
    }
    line[b.len()]
}

fn jaro_winkler(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let window = (a.len().max(b.len()) / 2).saturating_sub(1);
    let (mut in_a, mut in_b) = (vec![false; a.len()], vec![false; b.len()]);
    let mut matches = 0;
    for (i, c) in a.iter().enumerate() {
        let range = i.saturating_sub(window)..(i + window + 1).min(b.len());
        if let Some(j) = range.into_iter().find(|j| !in_b[*j] && b[*j] == *c) {
            (in_a[i], in_b[j]) = (true, true);
            matches += 1;
        }
    }
    if matches == 0 {
        return 0.0;
    }
    let kept = |s: &[char], of: &[bool]| -> Vec<char> {
        s.iter().zip(of).filter(|(_, kept)| **kept).map(|(c, _)| *c).collect()
    };
    let moved = kept(&a, &in_a).iter().zip(kept(&b, &in_b)).filter(|(x, y)| **x != *y).count();
    let m = f64::from(matches);
    let jaro = (m / a.len() as f64 + m / b.len() as f64 + (m - (moved / 2) as f64) / m) / 3.0;
    let prefix = a.iter().zip(&b).take(4).take_while(|(x, y)| x == y).count();
    jaro + prefix as f64 * 0.1 * (1.0 - jaro)
}

fn luhn(digits: &[u8]) -> bool {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u64 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            let d = u64::from(d - b'0');
            match i % 2 {
                0 => d,
                _ => (2 * d) / 10 + (2 * d) % 10,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}
