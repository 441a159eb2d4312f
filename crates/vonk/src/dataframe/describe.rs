//! `describe` and `summary`: statistics of columns as rows of text.

use super::{Column, DataFrame, lit, misuse, reference};
use crate::functions::count;
use vonk_error::Result;
use vonk_plan::logical::Column as Attribute;
use vonk_types::DataType;

/// What [`DataFrame::describe`] gives.
const DESCRIBED: [&str; 5] = ["count", "mean", "stddev", "min", "max"];
/// What [`DataFrame::summary`] gives if nothing is said.
const SUMMED_UP: [&str; 8] = ["count", "mean", "stddev", "min", "25%", "50%", "75%", "max"];

impl DataFrame {
    /// Count, mean, standard deviation, minimum and maximum of numbers and strings, a row each; of all such columns, if none are named.
    pub fn describe<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<DataFrame> {
        let mut ids = Vec::new();
        for name in columns {
            ids.extend(self.required(name)?);
        }
        let all = self.resolved.columns();
        let chosen: Vec<Attribute> = match ids.is_empty() {
            true => all,
            false => ids.iter().filter_map(|id| all.iter().find(|c| c.id.0 == *id)).cloned().collect(),
        };
        self.statistics(&chosen, &DESCRIBED)
    }

    /// Statistics of all numbers and strings, a row each: `count`, `count_distinct`, `approx_count_distinct`, `mean`, `stddev`, `min`,
    /// `max`, and approximate percentiles such as `75%`.
    pub fn summary<'a>(&self, statistics: impl IntoIterator<Item = &'a str>) -> Result<DataFrame> {
        let given: Vec<&str> = statistics.into_iter().collect();
        let columns = self.resolved.columns();
        self.statistics(&columns, if given.is_empty() { &SUMMED_UP } else { &given })
    }

    fn statistics(&self, columns: &[Attribute], statistics: &[&str]) -> Result<DataFrame> {
        let described = |t: &DataType| t.is_numeric() || *t == DataType::String;
        let columns: Vec<&Attribute> = columns.iter().filter(|c| described(&c.data_type)).collect();
        let mut values = Vec::new();
        for statistic in statistics {
            for c in &columns {
                values.push(value(statistic, c)?);
            }
        }
        let names: Vec<String> = (0..values.len()).map(|i| format!("v{i}")).collect();
        let values: Vec<Column> =
            values.into_iter().zip(&names).map(|(v, n)| v.cast("string").alias(n.as_str())).collect();
        // Without columns there is a row for each statistic all the same.
        let one_row = if values.is_empty() { self.agg(count(lit(1)).alias("n"))? } else { self.agg(values)? };
        let row = |(i, statistic): (usize, &&str)| {
            let mut fields = vec![lit("summary"), lit(*statistic)];
            for (j, c) in columns.iter().enumerate() {
                fields.push(lit(c.name.to_string()));
                fields.push(Column::named(&names[i * columns.len() + j]));
            }
            Column::call("named_struct", fields)
        };
        let rows = Column::call("array", statistics.iter().enumerate().map(row).collect());
        one_row.select(Column::call("inline", vec![rows]))
    }
}

/// A statistic of a column.
fn value(statistic: &str, c: &Attribute) -> Result<Column> {
    let column = || Column::of(reference(c));
    // Strings count as the numbers that they are, or as null.
    let number = || if c.data_type.is_numeric() { column() } else { column().try_cast("double") };
    if let Some(percent) = statistic.strip_suffix('%') {
        let share = percent.trim().parse::<f64>().ok().map(|p| p / 100.0);
        return match share {
            Some(p) if (0.0..=1.0).contains(&p) => {
                Ok(Column::call("percentile_approx", vec![number(), lit(p)]))
            }
            Some(_) => Err(misuse("requirement failed: Percentiles must be in the range [0, 1]")),
            None => Err(misuse(&format!("Unable to parse {statistic} as a percentile"))),
        };
    }
    Ok(match statistic.to_lowercase().as_str() {
        "count" => count(column()),
        "count_distinct" => count(column()).distinct(),
        "approx_count_distinct" => Column::call("approx_count_distinct", vec![column()]),
        "mean" => Column::call("avg", vec![number()]),
        "stddev" => Column::call("stddev", vec![number()]),
        "min" => Column::call("min", vec![column()]),
        "max" => Column::call("max", vec![column()]),
        _ => return Err(misuse(&format!("{statistic} is not a recognised statistic"))),
    })
}
