//! Elements as keys: equality, order and hashes as Spark sees values, whatever their type.
//!
//! NaN equals NaN and is greater than all numbers, -0.0 equals 0.0; nulls are told apart by the caller.

use crate::normalize::normalize_floats;
use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::*;
use arrow::row::{RowConverter, Rows, SortField};
use hashbrown::HashTable;
use std::cmp::Ordering;
use std::hash::BuildHasher;
use vonk_error::Result;

/// The keys of a column.
pub(crate) struct Keys {
    values: Values,
    nulls: Option<NullBuffer>,
}

enum Values {
    /// Types of up to 64 bits, mapped so that unsigned order is Spark's.
    Words(Vec<u64>),
    /// Strings and binaries.
    Bytes(BinaryViewArray),
    /// Everything else in Arrow's row format.
    Rows(Rows),
}

impl Keys {
    /// Keys of a column.
    pub fn of(column: &ArrayRef) -> Result<Keys> {
        Ok(Self::of_both(column, &column.slice(0, 0))?.0)
    }

    /// Keys of two columns of one type that can be compared with each other.
    pub fn of_both(a: &ArrayRef, b: &ArrayRef) -> Result<(Keys, Keys)> {
        let keys = |values, of: &ArrayRef| Keys { values, nulls: of.logical_nulls() };
        if let (Some(x), Some(y)) = (words(a), words(b)) {
            return Ok((keys(Values::Words(x), a), keys(Values::Words(y), b)));
        }
        if matches!(a.data_type(), DataType::Utf8View | DataType::BinaryView) {
            return Ok((keys(Values::Bytes(as_bytes(a)), a), keys(Values::Bytes(as_bytes(b)), b)));
        }
        let converter = RowConverter::new(vec![SortField::new(a.data_type().clone())])?;
        let rows = |of: &ArrayRef| -> Result<Values> {
            Ok(Values::Rows(converter.convert_columns(&[normalize_floats(of)?])?))
        };
        Ok((keys(rows(a)?, a), keys(rows(b)?, b)))
    }

    /// Whether the element is null.
    pub fn is_null(&self, i: usize) -> bool {
        self.nulls.as_ref().is_some_and(|n| n.is_null(i))
    }

    /// Equality of two elements that are not null.
    pub fn equal(&self, i: usize, other: &Keys, j: usize) -> bool {
        match (&self.values, &other.values) {
            (Values::Words(a), Values::Words(b)) => a[i] == b[j],
            (Values::Bytes(a), Values::Bytes(b)) => a.value(i) == b.value(j),
            (Values::Rows(a), Values::Rows(b)) => a.row(i) == b.row(j),
            _ => false,
        }
    }

    /// Order of two elements that are not null.
    pub fn compare(&self, i: usize, other: &Keys, j: usize) -> Ordering {
        match (&self.values, &other.values) {
            (Values::Words(a), Values::Words(b)) => a[i].cmp(&b[j]),
            (Values::Bytes(a), Values::Bytes(b)) => a.value(i).cmp(b.value(j)),
            (Values::Rows(a), Values::Rows(b)) => a.row(i).cmp(&b.row(j)),
            _ => Ordering::Equal,
        }
    }

    fn hash(&self, i: usize, state: &foldhash::fast::FixedState) -> u64 {
        match &self.values {
            Values::Words(a) => state.hash_one(a[i]),
            Values::Bytes(a) => state.hash_one(a.value(i)),
            Values::Rows(a) => state.hash_one(a.row(i).as_ref()),
        }
    }
}

/// Elements of one or two columns of keys, each value once; used for one row and then cleared for the next.
pub(crate) struct Seen<'a> {
    columns: [&'a Keys; 2],
    /// Column and position of the distinct elements, in order of insertion.
    items: Vec<(u8, u32)>,
    null: bool,
    table: HashTable<u32>,
    state: foldhash::fast::FixedState,
}

/// Up to so many elements are searched one by one.
const FEW: usize = 12;

impl<'a> Seen<'a> {
    /// Nothing seen.
    pub fn new(first: &'a Keys, second: &'a Keys) -> Seen<'a> {
        Seen {
            columns: [first, second],
            items: Vec::new(),
            null: false,
            table: HashTable::new(),
            state: foldhash::fast::FixedState::default(),
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.items.clear();
        self.table.clear();
        self.null = false;
    }

    /// Whether an element equal to this one, or a null if it is one, has been inserted.
    pub fn contains(&self, column: u8, i: usize) -> bool {
        let keys = self.columns[column as usize];
        if keys.is_null(i) {
            return self.null;
        }
        if self.items.len() <= FEW {
            return self.items.iter().any(|(c, j)| self.same(keys, i, *c, *j));
        }
        let hash = keys.hash(i, &self.state);
        self.table.find(hash, |n| self.item_is(*n, keys, i)).is_some()
    }

    /// Inserts an element; false if it was there.
    pub fn insert(&mut self, column: u8, i: usize) -> bool {
        let keys = self.columns[column as usize];
        if keys.is_null(i) {
            return !std::mem::replace(&mut self.null, true);
        }
        if self.contains(column, i) {
            return false;
        }
        self.items.push((column, i as u32));
        if self.items.len() == FEW + 1 {
            for n in 0..self.items.len() {
                self.index(n);
            }
        } else if self.items.len() > FEW {
            self.index(self.items.len() - 1);
        }
        true
    }

    /// Whether a null has been inserted.
    pub fn has_null(&self) -> bool {
        self.null
    }

    fn index(&mut self, n: usize) {
        let hash_of = |items: &[(u8, u32)], n: u32| {
            let (c, j) = items[n as usize];
            self.columns[c as usize].hash(j as usize, &self.state)
        };
        let hash = hash_of(&self.items, n as u32);
        let items = &self.items;
        self.table.insert_unique(hash, n as u32, |m| hash_of(items, *m));
    }

    fn item_is(&self, n: u32, keys: &Keys, i: usize) -> bool {
        let (c, j) = self.items[n as usize];
        self.same(keys, i, c, j)
    }

    fn same(&self, keys: &Keys, i: usize, column: u8, j: u32) -> bool {
        keys.equal(i, self.columns[column as usize], j as usize)
    }
}

/// A string or binary column as binary; no copy.
fn as_bytes(column: &ArrayRef) -> BinaryViewArray {
    match column.as_string_view_opt() {
        Some(strings) => strings.clone().to_binary_view(),
        None => column.as_binary_view().clone(),
    }
}

/// Values of up to 64 bits as unsigned words in the same order.
fn words(column: &ArrayRef) -> Option<Vec<u64>> {
    const SIGN: u64 = 1 << 63;
    fn signed<T: ArrowPrimitiveType>(column: &ArrayRef, wide: impl Fn(T::Native) -> i64) -> Vec<u64> {
        let values: &PrimitiveArray<T> = column.as_primitive();
        values.values().iter().map(|v| wide(*v) as u64 ^ SIGN).collect()
    }
    fn float(x: f64) -> u64 {
        let bits = if x.is_nan() { f64::NAN.to_bits() } else { (x + 0.0).to_bits() };
        if bits & SIGN == 0 { bits | SIGN } else { !bits }
    }
    Some(match column.data_type() {
        DataType::Boolean => {
            let values = column.as_boolean().values();
            values.iter().map(u64::from).collect()
        }
        DataType::Int8 => signed::<Int8Type>(column, i64::from),
        DataType::Int16 => signed::<Int16Type>(column, i64::from),
        DataType::Int32 => signed::<Int32Type>(column, i64::from),
        DataType::Int64 => signed::<Int64Type>(column, |v| v),
        DataType::Date32 => signed::<Date32Type>(column, i64::from),
        DataType::Timestamp(TimeUnit::Microsecond, _) => signed::<TimestampMicrosecondType>(column, |v| v),
        DataType::Duration(TimeUnit::Microsecond) => signed::<DurationMicrosecondType>(column, |v| v),
        DataType::Interval(IntervalUnit::YearMonth) => signed::<IntervalYearMonthType>(column, i64::from),
        DataType::Decimal64(..) => signed::<Decimal64Type>(column, |v| v),
        DataType::Float32 => {
            column.as_primitive::<Float32Type>().values().iter().map(|v| float(f64::from(*v))).collect()
        }
        DataType::Float64 => {
            column.as_primitive::<Float64Type>().values().iter().map(|v| float(*v)).collect()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, Float64Array, Int32Array, StringViewArray};
    use std::sync::Arc;

    #[test]
    fn floats_in_sparks_order() {
        let values = [f64::NEG_INFINITY, -1.5, -0.0, 0.0, 1e-300, 2.0, f64::INFINITY, f64::NAN];
        let keys = Keys::of(&(Arc::new(Float64Array::from(values.to_vec())) as ArrayRef)).unwrap();
        for i in 0..values.len() {
            for j in 0..values.len() {
                let same_zero = matches!((i, j), (2, 3) | (3, 2));
                let expected = if same_zero { Ordering::Equal } else { i.cmp(&j) };
                assert_eq!(keys.compare(i, &keys, j), expected, "{} {}", values[i], values[j]);
            }
        }
    }

    #[test]
    fn every_kind_is_seen_once() {
        let columns: [ArrayRef; 3] = [
            Arc::new(Int32Array::from_iter((0..100).map(|i| (i % 25 != 3).then_some(i % 25)))),
            Arc::new(StringViewArray::from_iter(
                (0..100).map(|i| (i % 25 != 3).then_some(format!("a long enough string {}", i % 25))),
            )),
            Arc::new(
                Decimal128Array::from_iter((0..100).map(|i| (i % 25 != 3).then_some(i % 25)))
                    .with_precision_and_scale(38, 2)
                    .unwrap(),
            ),
        ];
        for column in columns {
            let keys = Keys::of(&column).unwrap();
            let mut seen = Seen::new(&keys, &keys);
            for round in 0..2 {
                for i in 0..100 {
                    assert_eq!(seen.insert(0, i), i < 25, "round {round}, {i}");
                    assert!(seen.contains(1, i));
                }
                seen.clear();
            }
        }
    }
}
