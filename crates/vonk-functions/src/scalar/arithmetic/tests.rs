//! Values asked of Spark.

use crate::scalar::testing::*;
use vonk_types::DataType;

#[test]
fn integers() {
    assert_eq!(run("+", &[ints(&[Some(1), None, Some(3)]), int(4)]), ["5", "NULL", "7"]);
    assert_eq!(fails("+", &[int(i32::MAX), int(1)]), "ARITHMETIC_OVERFLOW");
    // A row that is null cannot overflow.
    assert_eq!(run("+", &[ints(&[Some(i32::MAX), Some(1)]), ints(&[None, Some(1)])]), ["NULL", "2"]);
    assert_eq!(run_legacy("+", &[int(i32::MAX), int(1)]), ["-2147483648"]);
    assert_eq!(run_legacy("/", &[int(1), int(0)]), ["NULL"]);
    assert_eq!(fails("/", &[int(1), int(0)]), "DIVIDE_BY_ZERO");
    assert_eq!(fails("%", &[int(1), int(0)]), "REMAINDER_BY_ZERO");
    assert_eq!(run("try_add", &[ints(&[Some(i32::MAX), Some(1)]), int(1)]), ["NULL", "2"]);
    assert_eq!(run("div", &[int(i32::MIN), int(-1)]), ["2147483648"]);
    assert_eq!(fails("div", &[long(i64::MIN), long(-1)]), "ARITHMETIC_OVERFLOW");
    assert_eq!(run("%", &[long(i64::MIN), long(-1)]), ["0"]);
    assert_eq!(
        run("pmod", &[ints(&[Some(-7), Some(7), Some(-7)]), ints(&[Some(3), Some(-3), Some(-3)])]),
        ["2", "1", "-1"]
    );
    assert_eq!(fails("*", &[long(i64::MAX), long(2)]), "ARITHMETIC_OVERFLOW");
    assert_eq!(fails("negative", &[int(i32::MIN)]), "ARITHMETIC_OVERFLOW");
    assert_eq!(fails("+", &[text("1"), text("2")]), "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE");
    assert_eq!(run("try_add", &[text("a"), int(1)]), ["NULL"]);
    assert_eq!(run("try_add", &[text("2"), int(1)]), ["3"]);
}

#[test]
fn doubles() {
    assert_eq!(run("+", &[double(1e308), double(1e308)]), ["Infinity"]);
    assert_eq!(fails("/", &[double(1.0), double(-0.0)]), "DIVIDE_BY_ZERO");
    assert_eq!(run("%", &[double(-7.5), double(2.0)]), ["-1.5"]);
    assert_eq!(run("pmod", &[double(-7.0), double(3.0)]), ["2.0"]);
    assert_eq!(run("negative", &[double(0.0)]), ["-0.0"]);
    assert_eq!(run("abs", &[double(-0.0)]), ["0.0"]);
}

#[test]
fn decimals() {
    let t = |f: &str, a: Arg, b: Arg| typed(f, &[a, b]);
    assert_eq!(t("+", dec("1.0"), dec("1.00")), ("2.00".into(), "decimal(4,2)".into()));
    assert_eq!(t("*", dec("10.0"), dec("1.00")), ("10.000".into(), "decimal(7,3)".into()));
    assert_eq!(t("/", dec("1.0"), int(3)), ("0.333333".into(), "decimal(7,6)".into()));
    assert_eq!(t("%", dec("5.5"), dec("1.25")), ("0.50".into(), "decimal(3,2)".into()));
    assert_eq!(t("div", dec("1.5"), int(1)), ("1".into(), "bigint".into()));
    assert_eq!(t("+", int(0), dec("1.5")), ("1.5".into(), "decimal(3,1)".into()));
    assert_eq!(t("pmod", dec("-7.5"), int(3)), ("1.5".into(), "decimal(2,1)".into()));
    let nines = dec("99999999999999999999999999999999999999");
    assert_eq!(fails("+", &[nines.clone(), int(1)]), "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION");
    assert_eq!(run_legacy("+", &[nines.clone(), int(1)]), ["NULL"]);
    assert_eq!(run("try_multiply", &[nines, int(10)]), ["NULL"]);
    assert_eq!(
        t("*", dec("1.123456789012345678901234567890123456"), dec("99999.99999")),
        ("112345.6788899999999999999999999999999".into(), "decimal(38,31)".into())
    );
    let value = |f: &str, a: &str, b: Arg, t: DataType| {
        let e = error(f, &[cast(dec(a), t), b]);
        e.params().find(|(name, _)| *name == "value").map(|(_, v)| v.to_string()).unwrap()
    };
    let (six, none) = (DataType::Decimal(38, 6), DataType::Decimal(38, 0));
    assert_eq!(
        value("*", "123456789012345678901.123456", cast(dec("1234567890123456.123456"), six.clone()), six),
        "152415787532388285337366996145993071.801"
    );
    assert_eq!(
        value("/", "-99999999999999999999999999999999999999", dec("0.17"), none),
        "-588235294117647058823529411764705882347.058824"
    );
    let wide = |s: &str| cast(dec(s), DataType::Decimal(38, 10));
    assert_eq!(t("/", wide("1"), wide("3")), ("0.333333".into(), "decimal(38,6)".into()));
    assert_eq!(
        t("div", cast(dec("9223372036854775807"), DataType::Decimal(20, 0)), dec("0.1")),
        ("-10".into(), "bigint".into())
    );
}

#[test]
fn dates_and_intervals() {
    assert_eq!(run("+", &[date("2020-01-31"), months(1)]), ["2020-02-29"]);
    assert_eq!(run("-", &[date("2020-01-31"), months(2)]), ["2019-11-30"]);
    assert_eq!(run("+", &[date("2020-01-01"), int(1)]), ["2020-01-02"]);
    assert_eq!(run("-", &[date("2020-03-01"), date("2020-02-01")]), ["29 00:00:00.000000000"]);
    assert_eq!(run("*", &[months(11), dec("1.5")]), ["1-5"]);
    assert_eq!(run("/", &[months(11), int(2)]), ["0-6"]);
    assert_eq!(run("/", &[months(-11), int(2)]), ["-0-6"]);
    assert_eq!(fails("/", &[months(-11), int(0)]), "INTERVAL_DIVIDED_BY_ZERO");
    assert_eq!(fails("+", &[months(i32::MAX), months(1)]), "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION");
    assert_eq!(fails("+", &[date("2020-01-01"), long(1)]), "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE");
}

#[test]
fn column_names() {
    assert_eq!(name("+", &[int(1), int(2)]), "(1 + 2)");
    assert_eq!(name("*", &[int(2), months(1)]), "(INTERVAL '1' MONTH * 2)");
    assert_eq!(name("+", &[months(1), date("2020-01-01")]), "DATE '2020-01-01' + INTERVAL '1' MONTH");
    assert_eq!(name("+", &[int(1), date("2020-01-01")]), "date_add(DATE '2020-01-01', 1)");
}
