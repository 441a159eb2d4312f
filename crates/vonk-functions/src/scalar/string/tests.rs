//! Values asked of Spark.

use crate::scalar::testing::*;
use vonk_types::DataType;

fn like(s: &str, p: &str) -> String {
    run("like", &[text(s), text(p)]).remove(0)
}

#[test]
fn patterns() {
    for (s, p, want) in [
        ("abc", "a_c", "true"),
        ("a_c", "a\\_c", "true"),
        ("abc", "a\\_c", "false"),
        ("a\\c", "a\\\\c", "true"),
        ("", "", "true"),
        ("", "%", "true"),
        ("a", "", "false"),
        ("éa", "_a", "true"),
        ("😀a", "_a", "true"),
        ("a\nb", "a%b", "true"),
        ("abc", "%b%", "true"),
        ("aXbXc", "%a%b%c%", "true"),
        ("aab", "a%ab", "true"),
        ("aa", "aa%a", "false"),
        ("abcabd", "a%_d", "true"),
        ("abc", "%%c", "true"),
    ] {
        assert_eq!(like(s, p), want, "{s} {p}");
        // The same of a column.
        let column = texts(&[Some(s), None, Some("a longer text that is in a buffer")]);
        assert_eq!(run("like", &[column, text(p)])[..2], [want, "NULL"], "{s} {p}");
    }
    assert_eq!(
        run("like", &[texts(&[Some("abc"), Some("x")]), texts(&[Some("a%"), None])]),
        ["true", "NULL"]
    );
    assert_eq!(fails("like", &[text("abc"), text("a\\bc")]), "INVALID_FORMAT.ESC_IN_THE_MIDDLE");
    assert_eq!(fails("like", &[text("abc"), text("abc\\")]), "INVALID_FORMAT.ESC_AT_THE_END");
    assert_eq!(fails("like", &[text("abc"), text("abc"), text("xx")]), "INVALID_ESCAPE_CHAR");
    assert_eq!(run("like", &[text("a%c"), text("a/%c"), text("/")]), ["true"]);
    assert_eq!(run("ilike", &[text("ABC"), text("a_c")]), ["true"]);
    assert_eq!(name("like", &[text("a"), text("b"), text("/")]), "a LIKE b ESCAPE '/'");
}

#[test]
fn parts_share_text() {
    let column = texts(&[Some("a longer text that is in a buffer"), Some("short"), None]);
    assert_eq!(run("substring", &[column.clone(), int(3), int(20)]), ["longer text that is ", "ort", "NULL"]);
    assert_eq!(run("right", &[column.clone(), int(15)]), [" is in a buffer", "short", "NULL"]);
    assert_eq!(run("split_part", &[column.clone(), text(" "), int(-1)]), ["buffer", "short", "NULL"]);
    assert_eq!(run("trim", &[text("xy"), text("yxayx")]), ["a"]);
    assert_eq!(run("ltrim", &[text("ab"), text("abxab")]), ["xab"]);
    assert_eq!(run("btrim", &[text("xax"), text("x")]), ["a"]);
    assert_eq!(fails("split_part", &[text("a"), text("."), int(0)]), "INVALID_INDEX_OF_ZERO");
    assert_eq!(run("substring", &[binary(b"ABC"), int(2)]), ["BC"]);
    assert_eq!(name("substring", &[text("s"), int(1)]), "substring(s, 1, 2147483647)");
}

#[test]
fn cases_and_lengths() {
    assert_eq!(run("upper", &[text("straße")]), ["STRASSE"]);
    assert_eq!(run("initcap", &[text("éa ß")]), ["Éa Ss"]);
    assert_eq!(run("initcap", &[text("hello wORLD-x")]), ["Hello World-x"]);
    assert_eq!(run("initcap", &[text("ǆ")]), ["ǅ"]);
    assert_eq!(run("length", &[texts(&[Some("é😀"), Some("abc  "), None])]), ["2", "5", "NULL"]);
    assert_eq!(run("octet_length", &[text("é😀")]), ["6"]);
    assert_eq!(run("ascii", &[text("😀")]), ["128512"]);
    assert_eq!(run("chr", &[long(321)]), ["A"]);
    assert_eq!(run("chr", &[long(-1)]), [""]);
}

#[test]
fn padding() {
    for (s, n, p, want) in [
        ("hi", 5, "??", "???hi"),
        ("hi", 1, "??", "h"),
        ("hi", 5, "", "hi"),
        ("hi", -1, "x", ""),
        ("hé", 4, "éà", "éàhé"),
        ("hi", 7, "abc", "abcabhi"),
    ] {
        assert_eq!(run("lpad", &[text(s), int(n), text(p)]), [want], "{s} {n} {p}");
    }
    assert_eq!(run("repeat", &[text("ab"), int(-1)]), [""]);
    assert_eq!(fails("repeat", &[text("ab"), int(i32::MAX)]), "_OUT_OF_MEMORY");
}

#[test]
fn searching_and_replacing() {
    assert_eq!(run("instr", &[text("éab"), text("b")]), ["3"]);
    let instr =
        |s: &str, n: &str, start, nth| run("instr", &[text(s), text(n), int(start), int(nth)]).remove(0);
    assert_eq!(instr("abcabcabc", "c", 1, 2), "6");
    assert_eq!(instr("abcabcabc", "bc", -3, 2), "2");
    assert_eq!(instr("aaaaa", "aa", -1, 3), "2");
    assert_eq!(instr("abc", "c", -10, 1), "0");
    assert_eq!(instr("éabé", "é", -1, 2), "1");
    assert_eq!(run("locate", &[text("é"), text("aéé"), int(3)]), ["3"]);
    assert_eq!(run("locate", &[text("a"), text("b"), null(DataType::Int)]), ["0"]);
    assert_eq!(run("locate", &[text(""), text("abc"), int(10)]), ["1"]);
    assert_eq!(run("find_in_set", &[text(""), text("a,,b")]), ["2"]);
    assert_eq!(run("find_in_set", &[text(""), text("")]), ["1"]);
    assert_eq!(run("replace", &[text("aaa"), text("aa"), text("b")]), ["ba"]);
    assert_eq!(run("translate", &[text("abc"), text("aab"), text("123")]), ["13c"]);
    assert_eq!(run("overlay", &[text("abc"), text("x"), int(-1)]), ["xabc"]);
    assert_eq!(run("overlay", &[text("éàü"), text("x"), int(2), int(1)]), ["éxü"]);
    assert_eq!(run("reverse", &[text("é😀a")]), ["a😀é"]);
    assert_eq!(run("contains", &[texts(&[Some("abc"), None]), text("b")]), ["true", "NULL"]);
}

#[test]
fn joining() {
    assert_eq!(run("concat", &[texts(&[Some("a"), None]), text("b")]), ["ab", "NULL"]);
    assert_eq!(run("concat_ws", &[text("/"), text("foo"), null(DataType::String), text("bar")]), ["foo/bar"]);
    assert_eq!(typed("concat", &[binary(b"A"), binary(b"B")]).1, "binary");
    assert_eq!(run("elt", &[int(2), text("a"), int(1)]), ["1"]);
    assert_eq!(fails("elt", &[int(3), text("a"), text("b")]), "INVALID_ARRAY_INDEX");
}

#[test]
fn codes() {
    for (s, want) in [
        ("Tymczak", "T522"),
        ("Ashcraft", "A261"),
        ("123", "123"),
        ("a1b", "A100"),
        ("é", "é"),
        ("zzz", "Z000"),
    ] {
        assert_eq!(run("soundex", &[text(s)]), [want], "{s}");
    }
    assert_eq!(run("levenshtein", &[text("kitten"), text("sitting"), int(2)]), ["-1"]);
    assert_eq!(run("luhn_check", &[text("79927398713")]), ["true"]);
    assert_eq!(run("mask", &[text("éÀ٣😀a"), text("X"), text("x"), text("n"), text("o")]), ["xXnox"]);
    assert_eq!(run("mask", &[text("AbCD123-@$#"), null(DataType::String), text("q")]), ["AqCDnnn-@$#"]);
    assert_eq!(run("base64", &[text(&"a".repeat(80))])[0].len(), 110);
    assert_eq!(run("unbase64", &[text(" YQ== ")]), ["a"]);
    assert_eq!(fails("unbase64", &[text("YQ==YQ==")]), "CONVERSION_INVALID_INPUT");
    assert_eq!(fails("encode", &[text("é"), text("US-ASCII")]), "MALFORMED_CHARACTER_CODING");
    assert_eq!(fails("encode", &[text("é"), text("foo")]), "INVALID_PARAMETER_VALUE.CHARSET");
    assert_eq!(run("decode", &[int(2), int(1), text("a"), int(2), text("b"), text("c")]), ["b"]);
    assert_eq!(run("decode", &[int(6), int(1), text("a")]), ["NULL"]);
    assert_eq!(run("try_to_binary", &[text("a!"), text("base64")]), ["NULL"]);
}
