//! The table of forms.

use super::{Form, FormFunction};
use crate::describe::{Docs, Example, Group, ex};
use crate::resolve::Arity;
use vonk_types::{CompareOp, DataType};

fn form(
    name: &'static str,
    aliases: &'static [&'static str],
    arity: Arity,
    form: Form,
    group: Group,
    docs: (&'static str, &'static str, &'static str),
    examples: &'static [Example],
) -> FormFunction {
    let (usage, summary, since) = docs;
    FormFunction { name, aliases, docs: Docs { group, usage, summary, since, examples }, arity, form }
}

/// All forms.
pub fn rows() -> Vec<FormFunction> {
    let mut rows = conditional();
    rows.extend(predicates());
    rows.extend(structs_and_casts());
    rows
}

fn conditional() -> Vec<FormFunction> {
    let group = Group::Conditional;
    vec![
        form(
            "coalesce",
            &[],
            Arity::at_least(1),
            Form::Coalesce,
            group,
            ("coalesce(expr1, expr2, ...)", "The first argument that is not null, or null.", "1.0.0"),
            const { &[ex("SELECT coalesce(NULL, 1, NULL)", "1")] },
        ),
        form(
            "nvl",
            &["ifnull"],
            Arity::exactly(2),
            Form::Coalesce,
            group,
            ("nvl(expr1, expr2)", "`expr2` if `expr1` is null, else `expr1`.", "2.0.0"),
            const { &[ex("SELECT nvl(NULL, array('2'))", "[\"2\"]")] },
        ),
        form(
            "nvl2",
            &[],
            Arity::exactly(3),
            Form::Nvl2,
            group,
            ("nvl2(expr1, expr2, expr3)", "`expr2` if `expr1` is not null, else `expr3`.", "2.0.0"),
            const { &[ex("SELECT nvl2(NULL, 2, 1)", "1")] },
        ),
        form(
            "nullif",
            &[],
            Arity::exactly(2),
            Form::NullIf,
            group,
            ("nullif(expr1, expr2)", "Null if both are equal, else `expr1`.", "2.0.0"),
            const { &[ex("SELECT nullif(2, 2)", "NULL")] },
        ),
        form(
            "nullifzero",
            &[],
            Arity::exactly(1),
            Form::NullIfZero,
            group,
            ("nullifzero(expr)", "Null if the argument is zero, else the argument.", "4.0.0"),
            const { &[ex("SELECT nullifzero(0)", "NULL"), ex("SELECT nullifzero(2)", "2")] },
        ),
        form(
            "zeroifnull",
            &[],
            Arity::exactly(1),
            Form::ZeroIfNull,
            group,
            ("zeroifnull(expr)", "Zero if the argument is null, else the argument.", "4.0.0"),
            const { &[ex("SELECT zeroifnull(NULL)", "0"), ex("SELECT zeroifnull(2)", "2")] },
        ),
        form(
            "if",
            &[],
            Arity::exactly(3),
            Form::If,
            group,
            ("if(cond, a, b)", "`a` where the condition is true, else `b`.", "1.0.0"),
            const { &[ex("SELECT if(1 < 2, 'a', 'b')", "a")] },
        ),
        form(
            "when",
            &["case"],
            Arity::at_least(2),
            Form::When,
            group,
            (
                "CASE WHEN cond1 THEN a WHEN cond2 THEN b ELSE c END",
                "The value behind the first condition that is true.",
                "1.0.1",
            ),
            const { &[ex("SELECT CASE WHEN 1 > 2 THEN 'a' WHEN 2 > 0 THEN 'b' ELSE 'c' END", "b")] },
        ),
    ]
}

fn predicates() -> Vec<FormFunction> {
    let group = Group::Predicate;
    let compare = |name, aliases, op, usage, summary, examples| {
        let form_row = Form::Compare(op);
        form(name, aliases, Arity::exactly(2), form_row, group, (usage, summary, "1.0.0"), examples)
    };
    vec![
        compare(
            "=",
            &["=="],
            CompareOp::Eq,
            "expr1 = expr2",
            "Whether both are equal; null if either is null.",
            const { &[ex("SELECT 2 = 2", "true"), ex("SELECT NULL = NULL", "NULL")] },
        ),
        compare(
            "<=>",
            &["equal_null"],
            CompareOp::EqNullSafe,
            "expr1 <=> expr2",
            "Whether both are equal, where null equals null.",
            const { &[ex("SELECT NULL <=> NULL", "true"), ex("SELECT equal_null(1, NULL)", "false")] },
        ),
        compare(
            "<",
            &[],
            CompareOp::Lt,
            "expr1 < expr2",
            "Whether the first is less than the second.",
            const { &[ex("SELECT 1 < 2", "true")] },
        ),
        compare(
            "<=",
            &[],
            CompareOp::LtEq,
            "expr1 <= expr2",
            "Whether the first is at most the second.",
            const { &[ex("SELECT 2 <= 2", "true")] },
        ),
        compare(
            ">",
            &[],
            CompareOp::Gt,
            "expr1 > expr2",
            "Whether the first is greater than the second.",
            const { &[ex("SELECT 2 > 1", "true")] },
        ),
        compare(
            ">=",
            &[],
            CompareOp::GtEq,
            "expr1 >= expr2",
            "Whether the first is at least the second.",
            const { &[ex("SELECT 2 >= 1", "true")] },
        ),
        form(
            "!=",
            &["<>"],
            Arity::exactly(2),
            Form::NotEqual,
            group,
            ("expr1 != expr2", "Whether both differ; null if either is null.", "1.0.0"),
            const { &[ex("SELECT 1 != 2", "true")] },
        ),
        form(
            "and",
            &[],
            Arity::exactly(2),
            Form::And,
            group,
            ("expr1 and expr2", "Whether both are true.", "1.0.0"),
            const { &[ex("SELECT true and NULL", "NULL"), ex("SELECT false and NULL", "false")] },
        ),
        form(
            "or",
            &[],
            Arity::exactly(2),
            Form::Or,
            group,
            ("expr1 or expr2", "Whether one of both is true.", "1.0.0"),
            const { &[ex("SELECT true or NULL", "true"), ex("SELECT false or NULL", "NULL")] },
        ),
        form(
            "not",
            &["!"],
            Arity::exactly(1),
            Form::Not,
            group,
            ("not expr", "The opposite of a boolean.", "1.0.0"),
            const { &[ex("SELECT not true", "false"), ex("SELECT not NULL", "NULL")] },
        ),
        form(
            "isnull",
            &[],
            Arity::exactly(1),
            Form::IsNull,
            group,
            ("isnull(expr)", "Whether the argument is null.", "1.0.0"),
            const { &[ex("SELECT isnull(1)", "false")] },
        ),
        form(
            "isnotnull",
            &[],
            Arity::exactly(1),
            Form::IsNotNull,
            group,
            ("isnotnull(expr)", "Whether the argument is not null.", "1.0.0"),
            const { &[ex("SELECT isnotnull(1)", "true")] },
        ),
        form(
            "in",
            &[],
            Arity::at_least(2),
            Form::In,
            group,
            ("expr1 in (expr2, expr3, ...)", "Whether the first equals one of the others.", "1.0.0"),
            const { &[ex("SELECT 1 in (1, 2, 3)", "true"), ex("SELECT 4 in (1, NULL)", "NULL")] },
        ),
        form(
            "between",
            &[],
            Arity::exactly(3),
            Form::Between,
            group,
            ("expr1 between expr2 and expr3", "Whether the first lies within both bounds.", "1.0.0"),
            const { &[ex("SELECT 5 between 1 and 5", "true")] },
        ),
    ]
}

fn structs_and_casts() -> Vec<FormFunction> {
    let mut rows = vec![
        form(
            "struct",
            &[],
            Arity::at_least(0),
            Form::Struct,
            Group::Struct,
            ("struct(col1, col2, ...)", "A struct of the arguments.", "1.4.0"),
            const { &[ex("SELECT struct(1, 2, 3)", "{\"col1\":1,\"col2\":2,\"col3\":3}")] },
        ),
        form(
            "named_struct",
            &[],
            Arity::at_least(2),
            Form::NamedStruct,
            Group::Struct,
            ("named_struct(name1, val1, ...)", "A struct of these names and values.", "1.5.0"),
            const { &[ex("SELECT named_struct('a', 1, 'b', 2)", "{\"a\":1,\"b\":2}")] },
        ),
        form(
            "grouping",
            &[],
            Arity::exactly(1),
            Form::Grouping,
            Group::Aggregate,
            ("grouping(col)", "1 where a grouping set leaves the column out, else 0.", "2.0.0"),
            const {
                &[ex(
                    "SELECT name, grouping(name), sum(age) FROM VALUES (2, 'Alice'), (5, 'Bob') t(age, name) \
                     GROUP BY cube(name) ORDER BY ALL",
                    "NULL\t1\t7\nAlice\t0\t2\nBob\t0\t5",
                )]
            },
        ),
        form(
            "grouping_id",
            &[],
            Arity::at_least(0),
            Form::GroupingId,
            Group::Aggregate,
            ("grouping_id([col1[, col2 ..]])", "The bits of `grouping` of the columns as a number.", "2.0.0"),
            &[],
        ),
        form(
            "window",
            &[],
            Arity::between(2, 4),
            Form::TimeWindow,
            Group::Datetime,
            (
                "window(time_column, window_duration[, slide_duration[, start_time]])",
                "Windows of time of this length, each a slide after the one before; rows belong to all that their time is in.",
                "2.0.0",
            ),
            const {
                &[ex(
                    "SELECT window.start, count(*) FROM VALUES (TIMESTAMP'2021-01-01 00:04:30') t(ts) GROUP BY window(ts, '5 minutes')",
                    "2021-01-01 00:00:00\t1",
                )]
            },
        ),
        form(
            "current_catalog",
            &[],
            Arity::exactly(0),
            Form::CurrentCatalog,
            Group::Misc,
            ("current_catalog()", "The catalog in use.", "3.1.0"),
            const { &[ex("SELECT current_catalog()", "spark_catalog")] },
        ),
        form(
            "current_database",
            &["current_schema"],
            Arity::exactly(0),
            Form::CurrentDatabase,
            Group::Misc,
            ("current_database()", "The database in use.", "1.6.0"),
            const { &[ex("SELECT current_database()", "default")] },
        ),
    ];
    let casts: [(&'static str, DataType, &'static [Example]); 11] = [
        ("bigint", DataType::Long, const { &[ex("SELECT bigint('12')", "12")] }),
        ("binary", DataType::Binary, const { &[ex("SELECT binary('Spark SQL')", "Spark SQL")] }),
        ("boolean", DataType::Boolean, const { &[ex("SELECT boolean('true')", "true")] }),
        ("date", DataType::Date, const { &[ex("SELECT date('2016-12-31')", "2016-12-31")] }),
        ("decimal", DataType::DECIMAL_DEFAULT, const { &[ex("SELECT decimal(1.5)", "2")] }),
        ("double", DataType::Double, const { &[ex("SELECT double('1')", "1.0")] }),
        ("float", DataType::Float, const { &[ex("SELECT float('1')", "1.0")] }),
        ("int", DataType::Int, const { &[ex("SELECT int(1.7)", "1")] }),
        ("smallint", DataType::Short, const { &[ex("SELECT smallint(7)", "7")] }),
        ("string", DataType::String, const { &[ex("SELECT string(1)", "1")] }),
        ("tinyint", DataType::Byte, const { &[ex("SELECT tinyint(7)", "7")] }),
    ];
    rows.extend(casts.into_iter().map(|(name, to, examples)| {
        let docs = ("type(expr)", "Casts the argument to the type of this name.", "2.0.1");
        form(name, &[], Arity::exactly(1), Form::Cast(to), Group::Conversion, docs, examples)
    }));
    rows.push(form(
        "timestamp",
        &[],
        Arity::exactly(1),
        Form::Cast(DataType::Timestamp),
        Group::Conversion,
        ("timestamp(expr)", "Casts the argument to a timestamp.", "2.0.1"),
        const { &[ex("SELECT timestamp('2016-12-31 10:00:00')", "2016-12-31 10:00:00")] },
    ));
    rows
}
