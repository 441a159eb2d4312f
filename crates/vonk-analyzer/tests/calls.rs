//! Implicit casts of arguments: calls with an argument of each type, against what Spark says.

#![allow(clippy::unwrap_used)]

mod support;

use support::Session;
use vonk_types::parse::parse_data_type;

#[test]
fn arguments_of_every_type() {
    let (mut wrong, mut cells) = (Vec::new(), 0);
    let mut s = Session::new();
    let (mut mode, mut types) = ("", Vec::new());
    for line in include_str!("calls.tsv").lines().filter(|l| !l.starts_with('#')) {
        let mut fields = line.split('\t');
        let head = fields.next().unwrap();
        if head == "ansi" || head == "legacy" {
            mode = head;
            types = fields.collect();
            s = Session::new();
            s.conf.set("spark.sql.ansi.enabled", if mode == "ansi" { "true" } else { "false" }).unwrap();
            for (i, t) in types.iter().enumerate() {
                s.catalog.add_table(&format!("t{i}"), &[("a", parse_data_type(t).unwrap())]);
            }
            continue;
        }
        for (i, expected) in fields.enumerate() {
            let sql = format!("SELECT {} AS x FROM t{i}", head.replace("{}", "a"));
            let got = match s.query(&sql) {
                Ok(plan) => plan.output()[0].data_type.catalog_string(),
                Err(e) => format!("!{}", e.condition().trim_start_matches("DATATYPE_MISMATCH.")),
            };
            cells += 1;
            if got != expected {
                wrong.push(format!("{mode} {} of {}: {got}, Spark {expected}", head, types[i]));
            }
        }
    }
    assert!(cells > 2_000, "{cells} cells");
    assert!(wrong.is_empty(), "{} of {cells}:\n{}", wrong.len(), wrong.join("\n"));
}
