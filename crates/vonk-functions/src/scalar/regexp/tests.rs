//! Values asked of Spark.

use crate::scalar::testing::*;

fn matches(s: &str, p: &str) -> String {
    run("rlike", &[text(s), text(p)]).remove(0)
}

#[test]
fn java_patterns() {
    for (s, p, want) in [
        ("a\nb", "a.b", false),
        ("a\nb", "(?s)a.b", true),
        ("ABC", "(?i)abc", true),
        ("aa", r"(a)\1", true),
        ("ab", "a(?=b)", true),
        ("é", r"^\w$", false),
        ("٣", r"\d", false),
        ("x", r"\p{Alpha}", true),
        ("b\n", "b$", true),
        ("ab\ncd", "b$", false),
        ("ab\ncd", "(?m)b$", true),
        ("ab", "a++b", true),
        ("aab", "a++ab", false),
        ("\u{a0}", r"\s", false),
        ("\u{b}", r"\v", true),
        ("a", r"[^\W]", true),
        ("é", r"\b", true),
        ("aé", r"a\b", false),
        ("a&&b", "[a&&b]", false),
        ("x", "[a-z&&[^x]]", false),
        ("x-y", r"\Qx-y\E", true),
        ("a", r"\u0061", true),
        ("a", "[[:alpha:]]", true),
        ("-", "[a-]", true),
        ("]", "[]]", true),
        ("^", r"[\^]", true),
        ("é", r"\p{IsAlphabetic}", true),
        ("Z", r"\P{Lu}", false),
        ("a", r"\p{javaLowerCase}", true),
        ("α", r"\p{InGreek}", true),
        ("!", r"\p{Punct}", true),
        ("a b", r"(?x) a \s b", true),
        ("A", "(?i:a)", true),
        ("é", "(?i)É", false),
        ("é", "(?iu)É", true),
        ("B", "(?i)[a-c]", true),
        ("x", "(?i)[^X]", false),
        ("aB", "a(?i:b)", true),
        ("AB", "a(?i:b)", false),
        ("AB", "(?i)a(?-i)b", false),
        ("}", "}", true),
        ("é", r"(?U)\w", true),
        ("\u{2028}", ".", false),
        ("a\n", r"a\Z", true),
        ("a\n", r"a\z", false),
        ("foobar", "foo(?!bar)", false),
        ("abab", r"^(ab)\1$", true),
        ("A", r"\0101", true),
        ("A", r"\x{41}", true),
        ("aa", "^a{1}$", false),
        ("x{1}", r"x\{1\}", true),
    ] {
        assert_eq!(matches(s, p), want.to_string(), "{s:?} {p}");
    }
    for p in ["(", "[a-", "{", "*a", "a**", r"\y", "[b-a]", "a)", "a{,2}"] {
        assert_eq!(fails("rlike", &[text("x"), text(p)]), "INVALID_PARAMETER_VALUE.PATTERN", "{p}");
    }
}

#[test]
fn replacing() {
    let replace = |s: &str, p: &str, r: &str| run("regexp_replace", &[text(s), text(p), text(r)]).remove(0);
    for (s, p, r, want) in [
        ("100-200", r"(\d+)", "<$1>", "<100>-<200>"),
        ("abc", "", "-", "-a-b-c-"),
        ("abc", "b", r"\$", "a$c"),
        ("abc", "b*", "X", "XaXXcX"),
        ("a", "a|", "x", "xx"),
        ("abc", "(b)", "$12", "ab2c"),
        ("ab\n", "$", "!", "ab!\n!"),
        ("line1\nline2", "(?m)^", "> ", "> line1\n> line2"),
        ("abcabc", "(a)(b)?", "$2x", "bxcbxc"),
        ("abc", "x", "$9", "abc"),
    ] {
        assert_eq!(replace(s, p, r), want, "{s:?} {p} {r}");
    }
    let at =
        |s: &str, p: &str, n: i32| run("regexp_replace", &[text(s), text(p), text("x"), int(n)]).remove(0);
    assert_eq!(at("abcabc", "^b", 2), "axcabc");
    assert_eq!(at("abc", "(?<=a)b", 2), "abc");
    assert_eq!(at("abc", "$", 4), "abc");
    assert_eq!(at("abc", "", 3), "abxcx");
    assert_eq!(fails("regexp_replace", &[text("abc"), text("b"), text("$1")]), "INVALID_REGEXP_REPLACE");
    assert_eq!(
        fails("regexp_replace", &[text("abc"), text("b"), text("x"), int(0)]),
        "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE"
    );
}

#[test]
fn splitting() {
    let split = |s: &str, p: &str, n: i32| run("split", &[text(s), text(p), int(n)]).remove(0);
    for (s, p, n, want) in [
        ("a,b,,", ",", -1, r#"["a","b","",""]"#),
        ("a,b,c", ",", 2, r#"["a","b,c"]"#),
        ("", ",", -1, r#"[""]"#),
        ("abc", "", -1, r#"["a","b","c"]"#),
        ("abc", "", 2, r#"["a","bc"]"#),
        ("a.b", ".", -1, r#"["","","",""]"#),
        ("1a2", "(?=a)", -1, r#"["1","a2"]"#),
        ("aXXb", "X*", -1, r#"["a","","b",""]"#),
        ("ab", "b*", -1, r#"["a","",""]"#),
        ("abc", "$", -1, r#"["abc",""]"#),
        ("a|b", "|", -1, r#"["a","|","b",""]"#),
        ("xay", "a", 1, r#"["xay"]"#),
    ] {
        assert_eq!(split(s, p, n), want, "{s:?} {p} {n}");
    }
}

#[test]
fn extracting() {
    let column = texts(&[Some("100-200 and a text beyond inlining"), Some("x"), None]);
    assert_eq!(run("regexp_extract", &[column.clone(), text(r"(\d+)-(\d+)"), int(2)]), ["200", "", "NULL"]);
    assert_eq!(
        run("regexp_extract_all", &[column.clone(), text(r"\d+"), int(0)]),
        [r#"["100","200"]"#, "[]", "NULL"]
    );
    assert_eq!(run("regexp_extract_all", &[text("ab"), text("(a)|(b)"), int(2)]), [r#"["","b"]"#]);
    assert_eq!(run("regexp_extract_all", &[text("baac"), text("a*"), int(0)]), [r#"["","aa","",""]"#]);
    assert_eq!(
        fails("regexp_extract", &[text("1"), text(r"\d")]),
        "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX"
    );
    assert_eq!(run("regexp_count", &[text("aab"), text("a*")]), ["3"]);
    assert_eq!(run("regexp_instr", &[text("éab"), text("a")]), ["2"]);
    assert_eq!(run("regexp_substr", &[text("abc"), text("")]), ["NULL"]);
}
