//! Values asked of Spark.

use crate::scalar::testing::*;
use vonk_types::DataType;

fn one(name: &str, x: f64) -> String {
    run(name, &[double(x)]).remove(0)
}

#[test]
fn last_bits() {
    let cases = [
        ("exp", 1.0, "2.7182818284590455"),
        ("exp", 10.0, "22026.465794806718"),
        ("exp", 0.1, "1.1051709180756477"),
        ("exp", -745.0, "4.9E-324"),
        ("expm1", 1.0, "1.718281828459045"),
        ("expm1", 0.1, "0.10517091807564763"),
        ("log1p", 0.1, "0.09531017980432487"),
        ("sinh", 0.3, "0.3045202934471426"),
        ("sinh", 5.0, "74.20321057778875"),
        ("sinh", 800.0, "Infinity"),
        ("cosh", 0.3, "1.0453385141288605"),
        ("cosh", 5.0, "74.20994852478785"),
        ("tanh", 0.3, "0.2913126124515909"),
        ("tanh", 1.5, "0.9051482536448664"),
        ("cbrt", 2.0, "1.2599210498948732"),
        ("cbrt", 10.0, "2.154434690031884"),
        ("cbrt", 0.001, "0.1"),
        ("log10", 2.0, "0.3010299956639812"),
        ("log10", 7.0, "0.8450980400142568"),
        ("log10", 1000.0, "3.0"),
        ("log2", 10.0, "3.3219280948873626"),
        ("ln", 2.674242619952967, "0.983666207530469"),
        ("asinh", 1.0, "0.881373587019543"),
        ("asinh", 2.0, "1.4436354751788103"),
        ("acosh", 2.0, "1.3169578969248166"),
        ("atanh", 0.3, "0.3095196042031117"),
        ("asin", 0.7, "0.775397496610753"),
        ("acos", 0.7, "0.7953988301841436"),
        ("atan", 0.7, "0.6107259643892086"),
        ("tan", 1.5, "14.101419947171719"),
        ("sin", 100.0, "-0.5063656411097588"),
        ("cos", 1e10, "0.873119622676856"),
        ("ln", 0.0, "NULL"),
        ("rint", -0.2, "-0.0"),
        ("signum", -0.0, "-0.0"),
    ];
    for (name, x, want) in cases {
        assert_eq!(one(name, x), want, "{name}({x})");
    }
    assert_eq!(run("hypot", &[double(2.0), double(3.0)]), ["3.605551275463989"]);
    assert_eq!(run("hypot", &[double(1e200), double(1e200)]), ["1.414213562373095E200"]);
    assert_eq!(run("pow", &[double(2.5), double(3.5)]), ["24.705294220065465"]);
    assert_eq!(run("pow", &[double(1.0), double(f64::NAN)]), ["NaN"]);
    assert_eq!(run("pow", &[double(f64::NAN), double(0.0)]), ["1.0"]);
    assert_eq!(run("atan2", &[double(-0.0), double(-1.0)]), ["3.141592653589793"]);
    assert_eq!(run("atan2", &[double(1e300), double(-9.683238735224776)]), ["1.5707963267948968"]);
    assert_eq!(run("log", &[double(1.0), double(2.0)]), ["Infinity"]);
}

#[test]
fn rounding() {
    let d = |s: &str, scale: i32| typed("round", &[dec(s), int(scale)]);
    assert_eq!(d("2.5", 0), ("3".into(), "decimal(2,0)".into()));
    assert_eq!(d("125.315", 2), ("125.32".into(), "decimal(6,2)".into()));
    assert_eq!(d("125.315", -1), ("130".into(), "decimal(4,0)".into()));
    assert_eq!(d("125.5", -5), ("0".into(), "decimal(6,0)".into()));
    assert_eq!(run("round", &[double(1.005), int(2)]), ["1.01"]);
    assert_eq!(run("round", &[double(2.675), int(2)]), ["2.68"]);
    assert_eq!(run("round", &[double(-0.4)]), ["0.0"]);
    assert_eq!(run("round", &[double(-0.5)]), ["-1.0"]);
    assert_eq!(run("round", &[double(1e300), int(-300)]), ["1.0E300"]);
    assert_eq!(run("round", &[double(1.5), int(400)]), ["1.5"]);
    assert_eq!(run("bround", &[double(0.125), int(2)]), ["0.12"]);
    assert_eq!(run("bround", &[double(-1.5)]), ["-2.0"]);
    assert_eq!(run("round", &[int(25), int(-1)]), ["30"]);
    assert_eq!(run("bround", &[int(25), int(-1)]), ["20"]);
    assert_eq!(fails("round", &[int(i32::MAX), int(-1)]), "ARITHMETIC_OVERFLOW");
    assert_eq!(run("round", &[int(1), null(DataType::Int)]), ["NULL"]);
    assert_eq!(typed("ceil", &[dec("-1.1")]), ("-1".into(), "decimal(2,0)".into()));
    assert_eq!(typed("floor", &[dec("-0.1")]), ("-1".into(), "decimal(1,0)".into()));
    assert_eq!(typed("ceil", &[int(1), int(1)]), ("1".into(), "decimal(11,0)".into()));
    assert_eq!(typed("ceil", &[int(i32::MAX), int(-1)]), ("2147483650".into(), "decimal(11,0)".into()));
    assert_eq!(typed("floor", &[double(1.15), int(1)]), ("1.1".into(), "decimal(17,1)".into()));
    assert_eq!(run("ceil", &[double(f64::NAN)]), ["0"]);
    assert_eq!(fails("ceil", &[double(1e20)]), "ARITHMETIC_OVERFLOW");
    assert_eq!(fails("ceil", &[dec("1.1"), ints(&[Some(1)])]), "NON_FOLDABLE_ARGUMENT");
}

#[test]
fn bases() {
    let conv = |s: &str, from: i32, to: i32| run("conv", &[text(s), int(from), int(to)]).remove(0);
    for (s, from, to, want) in [
        ("100", 2, 10, "4"),
        ("-10", 16, -10, "-16"),
        ("-10", 16, 10, "18446744073709551600"),
        ("zz", 36, 10, "1295"),
        ("xyz", 10, 16, "0"),
        ("9223372036854775808", 10, 16, "8000000000000000"),
        ("11", 1, 10, "NULL"),
        ("", 10, 16, "NULL"),
        ("12a", 10, 16, "C"),
        ("-1", 10, 16, "FFFFFFFFFFFFFFFF"),
        (" 15", 10, 16, "F"),
        ("-9223372036854775809", 10, -10, "-9223372036854775807"),
        ("FFFFFFFFFFFFFFFF", 16, -10, "-1"),
        ("-", 10, 16, "0"),
    ] {
        assert_eq!(conv(s, from, to), want, "{s} {from} {to}");
    }
    assert_eq!(fails("conv", &[text("18446744073709551616"), int(10), int(16)]), "ARITHMETIC_OVERFLOW");
    assert_eq!(run("bin", &[long(-1)])[0].len(), 64);
    assert_eq!(run("hex", &[text("Spark")]), ["537061726B"]);
    assert_eq!(run("hex", &[int(-1)]), ["FFFFFFFFFFFFFFFF"]);
    assert_eq!(run("unhex", &[text("xyz")]), ["NULL"]);
}

#[test]
fn extremes() {
    assert_eq!(
        run("greatest", &[ints(&[Some(1), None, Some(5)]), int(3), null(DataType::Null)]),
        ["3", "3", "5"]
    );
    assert_eq!(run("greatest", &[double(f64::NAN), double(1.0)]), ["NaN"]);
    assert_eq!(run("least", &[double(f64::NAN), double(1.0)]), ["1.0"]);
    assert_eq!(run("greatest", &[double(-0.0), double(0.0)]), ["-0.0"]);
    assert_eq!(fails("greatest", &[text("a"), int(1)]), "DATATYPE_MISMATCH.DATA_DIFF_TYPES");
}

#[test]
fn random_numbers_are_sparks() {
    assert_eq!(run("rand", &[int(7)]), ["0.28188121484885875"]);
    assert_eq!(run("randn", &[int(7)]), ["-1.773755556110447"]);
    assert_eq!(run("uniform", &[int(10), int(20), int(7)]), ["12"]);
    assert_eq!(run("randstr", &[int(5), int(7)]), ["6Ogz5"]);
}
