//! Leaving out pages by the page index.

use super::prune::{Summary, may_match};
use super::reader::overlaps;
use super::stream::{OpenFile, Shape};
use arrow::array::{Array, ArrayRef, UInt64Array};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use std::collections::HashMap;
use std::ops::Range;
use vonk_eval::BoundExpr;
use vonk_types::ScalarValue;

/// Pages of one column of a row group.
struct Pages {
    rows: Vec<Range<usize>>,
    mins: ArrayRef,
    maxes: ArrayRef,
    nulls: Option<UInt64Array>,
}

/// The rows of a group that are in pages which may have matches; `None` if that is all of them, or not known.
pub(super) fn ranges(file: &OpenFile, group: usize, shape: &Shape) -> Option<Vec<Range<usize>>> {
    let mut cache: HashMap<usize, Option<Pages>> = HashMap::new();
    let mut left: Option<Vec<Range<usize>>> = None;
    let mut narrow = |ranges: Vec<Range<usize>>| {
        left = Some(match &left {
            Some(have) => intersect(have, &ranges),
            None => ranges,
        });
    };
    let conjuncts = match &shape.predicate {
        Some(BoundExpr::And(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    for e in conjuncts {
        let [column] = e.columns()[..] else { continue };
        let pages = cache.entry(column).or_insert_with(|| Pages::new(file, group, column, shape));
        if let Some(pages) = pages {
            narrow(pages.keep(|summary| may_match(e, &|_| Some(summary.clone()))));
        }
    }
    for (column, filter) in &shape.runtime {
        let pages = cache.entry(*column).or_insert_with(|| Pages::new(file, group, *column, shape));
        if let Some(pages) = pages {
            narrow(pages.keep(|summary| overlaps(filter.as_ref(), summary)));
        }
    }
    let all = usize::try_from(file.plan.metadata.arrow.metadata().row_group(group).num_rows()).ok()?;
    left.filter(|ranges| ranges.iter().map(Range::len).sum::<usize>() < all)
}

impl Pages {
    fn new(file: &OpenFile, group: usize, column: usize, shape: &Shape) -> Option<Pages> {
        let m = &file.plan.metadata;
        let metadata = m.arrow.metadata();
        let (indexes, offsets) = (metadata.column_index()?, metadata.offset_index()?);
        let position = file.plan.columns[column]?;
        let t = &shape.read[column].data_type;
        if t.is_nested() || !m.schema.fields[position].data_type.same_type(t, true) {
            return None;
        }
        let schema = m.arrow.schema();
        let converter =
            StatisticsConverter::try_new(schema.field(position).name(), schema, m.arrow.parquet_schema())
                .ok()?;
        let leaf = converter.parquet_column_index()?;
        indexes.get(group)?.get(leaf)?;
        let rows = page_rows(
            offsets.get(group)?.get(leaf)?.page_locations().iter().map(|p| p.first_row_index),
            metadata.row_group(group).num_rows(),
        )?;
        let conformed = |a: parquet::errors::Result<ArrayRef>| crate::conform::conform(&a.ok()?, t).ok();
        let pages = Pages {
            mins: conformed(converter.data_page_mins(indexes, offsets, [&group]))?,
            maxes: conformed(converter.data_page_maxes(indexes, offsets, [&group]))?,
            nulls: converter.data_page_null_counts(indexes, offsets, [&group]).ok(),
            rows,
        };
        let complete = pages.mins.len() == pages.rows.len() && pages.maxes.len() == pages.rows.len();
        let counted = pages.nulls.as_ref().is_none_or(|n| n.len() == pages.rows.len());
        (complete && counted).then_some(pages)
    }

    fn keep(&self, test: impl Fn(&Summary) -> bool) -> Vec<Range<usize>> {
        let value = |a: &ArrayRef, page: usize| {
            if a.is_null(page) { None } else { ScalarValue::try_from_array(a, page).ok() }
        };
        let mut out: Vec<Range<usize>> = Vec::new();
        for (page, rows) in self.rows.iter().enumerate() {
            let summary = Summary {
                min: value(&self.mins, page),
                max: value(&self.maxes, page),
                nulls: self.nulls.as_ref().filter(|n| !n.is_null(page)).map(|n| n.value(page)),
                rows: rows.len() as u64,
            };
            if !test(&summary) {
                continue;
            }
            match out.last_mut() {
                Some(last) if last.end == rows.start => last.end = rows.end,
                _ => out.push(rows.clone()),
            }
        }
        out
    }
}

/// Rows of each page from the numbers of their first rows; `None` if those make no sense.
fn page_rows(firsts: impl Iterator<Item = i64>, rows: i64) -> Option<Vec<Range<usize>>> {
    let mut edges: Vec<usize> = firsts.map(|f| usize::try_from(f).ok()).collect::<Option<_>>()?;
    edges.push(usize::try_from(rows).ok()?);
    if edges.len() < 2 || edges[0] != 0 || !edges.is_sorted() {
        return None;
    }
    Some(edges.windows(2).map(|w| w[0]..w[1]).collect())
}

/// What is in both of two lists of ascending ranges.
pub(super) fn intersect(a: &[Range<usize>], b: &[Range<usize>]) -> Vec<Range<usize>> {
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::new();
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let both = x.start.max(y.start)..x.end.min(y.end);
        if !both.is_empty() {
            out.push(both);
        }
        if x.end <= y.end { i += 1 } else { j += 1 }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_intersect() {
        let got = intersect(&[0..10, 20..30, 40..50], &[5..25, 28..45]);
        assert_eq!(got, [5..10, 20..25, 28..30, 40..45]);
        assert_eq!(page_rows([0, 3].into_iter(), 10), Some(vec![0..3, 3..10]));
        assert_eq!(page_rows([0, 13].into_iter(), 10), None);
        assert_eq!(page_rows([].into_iter(), 10), None);
    }
}
