//! Leaving out row groups by the Bloom filters of their columns, where a writer has left some.

use super::metadata::{self, FileMetadata};
use super::stream::FilePlan;
use parquet::basic::{LogicalType, TimeUnit, Type as PhysicalType};
use parquet::bloom_filter::Sbbf;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use vonk_error::Result;
use vonk_eval::BoundExpr;
use vonk_types::{CompareOp, DataType, Literal, ScalarValue, StructField};

use crate::reader::ScanMetrics;

/// Takes row groups out of a plan of which some conjunct `column = constant` or `column IN (constants)` excludes all rows.
pub(super) fn prune(
    plan: &mut FilePlan,
    predicate: &BoundExpr,
    read: &[(usize, StructField)],
    metrics: &ScanMetrics,
) -> Result<()> {
    let conjuncts = match predicate {
        BoundExpr::And(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let tests: Vec<(usize, Vec<&Literal>)> = conjuncts
        .iter()
        .filter_map(equalities)
        .filter_map(|(c, values)| {
            Some((leaf(&plan.metadata, plan.columns[c]?, &read[c].1.data_type)?, values))
        })
        .collect();
    let has_filter = |g: &usize, leaf: usize| {
        plan.metadata.arrow.metadata().row_group(*g).column(leaf).bloom_filter_offset().is_some()
    };
    if !tests.iter().any(|(leaf, _)| plan.groups.iter().any(|g| has_filter(g, *leaf))) {
        return Ok(());
    }
    let chunks = metadata::open(&plan.file)?;
    let mut left = Vec::with_capacity(plan.groups.len());
    for g in &plan.groups {
        let group = plan.metadata.arrow.metadata().row_group(*g);
        let mut filters: HashMap<usize, Option<Sbbf>> = HashMap::new();
        let excluded = tests.iter().any(|(leaf, values)| {
            // A filter that cannot be read excludes nothing; if the file is damaged, decoding will tell.
            let load = || Sbbf::read_from_column_chunk(group.column(*leaf), &chunks).ok().flatten();
            let filter = filters.entry(*leaf).or_insert_with(load);
            filter.as_ref().is_some_and(|f| {
                let t = group.column(*leaf).column_type();
                values.iter().all(|v| may_contain(f, t, v) == Some(false))
            })
        });
        if !excluded {
            left.push(*g);
        }
    }
    metrics.row_groups_pruned.fetch_add((plan.groups.len() - left.len()) as u64, Ordering::Relaxed);
    metrics.bytes_read.fetch_add(chunks.bytes_read(), Ordering::Relaxed);
    plan.groups = left;
    Ok(())
}

/// The column and the constants that it must be one of.
fn equalities(e: &BoundExpr) -> Option<(usize, Vec<&Literal>)> {
    match e {
        BoundExpr::Compare { op: CompareOp::Eq, left, right } => match (left.as_ref(), right.as_ref()) {
            (BoundExpr::Column { index, .. }, BoundExpr::Literal(l))
            | (BoundExpr::Literal(l), BoundExpr::Column { index, .. }) => Some((*index, vec![l])),
            _ => None,
        },
        BoundExpr::InList { expr, list, negated: false } => {
            let BoundExpr::Column { index, .. } = expr.as_ref() else { return None };
            let literal = |e: &'_ BoundExpr| matches!(e, BoundExpr::Literal(_));
            if !list.iter().all(literal) {
                return None;
            }
            let literals = list.iter().filter_map(|e| match e {
                BoundExpr::Literal(l) => Some(l),
                _ => None,
            });
            Some((*index, literals.collect()))
        }
        _ => None,
    }
}

/// The leaf of a column whose values are hashed as the engine has them; `None` for other columns.
fn leaf(m: &FileMetadata, position: usize, t: &DataType) -> Option<usize> {
    if m.schema.fields[position].data_type != *t {
        return None;
    }
    let schema = m.arrow.parquet_schema();
    let leaf = (0..schema.num_columns()).find(|l| schema.get_column_root_idx(*l) == position)?;
    let column = schema.column(leaf);
    let fits = match t {
        DataType::Byte | DataType::Short | DataType::Int | DataType::Date => {
            column.physical_type() == PhysicalType::INT32
        }
        DataType::Long => column.physical_type() == PhysicalType::INT64,
        DataType::Timestamp | DataType::TimestampNtz => {
            column.physical_type() == PhysicalType::INT64
                && matches!(column.logical_type_ref(), Some(LogicalType::Timestamp(t)) if t.unit == TimeUnit::MICROS)
        }
        DataType::String | DataType::Binary => column.physical_type() == PhysicalType::BYTE_ARRAY,
        _ => false,
    };
    fits.then_some(leaf)
}

/// Whether a value may be among those hashed; `None` if it cannot be told.
fn may_contain(filter: &Sbbf, t: PhysicalType, value: &Literal) -> Option<bool> {
    let number = match &value.value {
        ScalarValue::Int8(Some(v)) => i64::from(*v),
        ScalarValue::Int16(Some(v)) => i64::from(*v),
        ScalarValue::Int32(Some(v)) | ScalarValue::Date32(Some(v)) => i64::from(*v),
        ScalarValue::Int64(Some(v)) | ScalarValue::TimestampMicrosecond(Some(v), _) => *v,
        ScalarValue::Utf8View(Some(s)) => return Some(filter.check(s.as_str())),
        ScalarValue::BinaryView(Some(b)) => return Some(filter.check(b)),
        // Equal to nothing.
        v if v.is_null() => return Some(false),
        _ => return None,
    };
    match t {
        PhysicalType::INT32 => Some(filter.check(&i32::try_from(number).ok()?)),
        PhysicalType::INT64 => Some(filter.check(&number)),
        _ => None,
    }
}
