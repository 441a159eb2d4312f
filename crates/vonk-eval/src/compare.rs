//! Comparisons in Spark's order: NaN is equal to itself and above everything, -0.0 equals 0.0, nested values compare part
//! by part with nulls first.

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Datum as ArrowDatum, PrimitiveArray,
    make_comparator,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::SortOptions;
use arrow::compute::kernels::cmp;
use arrow::datatypes::{Float32Type, Float64Type};
use arrow::error::ArrowError;
use std::cmp::Ordering;
use std::sync::Arc;
use vonk_error::Result;
use vonk_functions::Datum;
use vonk_functions::normalize::normalize_floats;
use vonk_types::{CompareOp, DataType};

/// Compares two operands of the same type.
pub(crate) fn compare(op: CompareOp, left: &Datum, right: &Datum, data_type: &DataType) -> Result<Datum> {
    let result = match data_type {
        DataType::Null => compare_nulls(op, left, right),
        DataType::Float => floats::<Float32Type>(op, left, right),
        DataType::Double => floats::<Float64Type>(op, left, right),
        DataType::Array(..) | DataType::Struct(_) | DataType::Map(..) => nested(op, left, right)?,
        _ => flat(op, left, right)?,
    };
    let result: ArrayRef = Arc::new(result);
    let scalar = left.is_scalar() && right.is_scalar();
    Ok(if scalar { Datum::Scalar(result) } else { Datum::Array(result) })
}

fn rows(left: &Datum, right: &Datum) -> usize {
    if left.is_scalar() { right.values().len() } else { left.values().len() }
}

fn compare_nulls(op: CompareOp, left: &Datum, right: &Datum) -> BooleanArray {
    let n = rows(left, right);
    if op == CompareOp::EqNullSafe {
        return BooleanArray::new(BooleanBuffer::new_set(n), None);
    }
    BooleanArray::new_null(n)
}

/// Types whose order is that of their representation: Arrow's kernels.
fn flat(op: CompareOp, left: &Datum, right: &Datum) -> Result<BooleanArray> {
    let kernel: fn(&dyn ArrowDatum, &dyn ArrowDatum) -> Result<BooleanArray, ArrowError> = match op {
        CompareOp::Eq => cmp::eq,
        CompareOp::NotEq => cmp::neq,
        CompareOp::Lt => cmp::lt,
        CompareOp::LtEq => cmp::lt_eq,
        CompareOp::Gt => cmp::gt,
        CompareOp::GtEq => cmp::gt_eq,
        CompareOp::EqNullSafe => cmp::not_distinct,
    };
    Ok(kernel(&Operand(left), &Operand(right))?)
}

/// An operand in the form that Arrow's kernels take.
pub(crate) struct Operand<'a>(pub &'a Datum);

impl ArrowDatum for Operand<'_> {
    fn get(&self) -> (&dyn Array, bool) {
        (self.0.values().as_ref(), self.0.is_scalar())
    }
}

/// A float type with Spark's order.
trait Float: Copy {
    fn spark_eq(self, other: Self) -> bool;
    fn spark_lt(self, other: Self) -> bool;
}

macro_rules! float {
    ($t:ty) => {
        impl Float for $t {
            fn spark_eq(self, other: Self) -> bool {
                (self == other) | (self.is_nan() & other.is_nan())
            }
            fn spark_lt(self, other: Self) -> bool {
                (self < other) | (other.is_nan() & !self.is_nan())
            }
        }
    };
}
float!(f32);
float!(f64);

fn floats<T: ArrowPrimitiveType>(op: CompareOp, left: &Datum, right: &Datum) -> BooleanArray
where
    T::Native: Float,
{
    let (l, r) = (left.values().as_primitive::<T>(), right.values().as_primitive::<T>());
    let bits = match op {
        CompareOp::Eq | CompareOp::EqNullSafe => float_bits(left, l, right, r, |a, b| a.spark_eq(b)),
        CompareOp::NotEq => float_bits(left, l, right, r, |a, b| !a.spark_eq(b)),
        CompareOp::Lt => float_bits(left, l, right, r, |a, b| a.spark_lt(b)),
        CompareOp::LtEq => float_bits(left, l, right, r, |a, b| !b.spark_lt(a)),
        CompareOp::Gt => float_bits(left, l, right, r, |a, b| b.spark_lt(a)),
        CompareOp::GtEq => float_bits(left, l, right, r, |a, b| !a.spark_lt(b)),
    };
    with_nulls(op, left, right, bits)
}

fn float_bits<T: ArrowPrimitiveType>(
    left: &Datum,
    l: &PrimitiveArray<T>,
    right: &Datum,
    r: &PrimitiveArray<T>,
    test: impl Fn(T::Native, T::Native) -> bool,
) -> BooleanBuffer {
    let n = rows(left, right);
    let (l, r) = (&l.values()[..], &r.values()[..]);
    match (left.is_scalar(), right.is_scalar()) {
        (false, false) => {
            let (l, r) = (&l[..n], &r[..n]);
            BooleanBuffer::collect_bool(n, |i| test(l[i], r[i]))
        }
        (true, false) => {
            let (l, r) = (l[0], &r[..n]);
            BooleanBuffer::collect_bool(n, |i| test(l, r[i]))
        }
        (false, true) => {
            let (l, r) = (&l[..n], r[0]);
            BooleanBuffer::collect_bool(n, |i| test(l[i], r))
        }
        (true, true) => BooleanBuffer::collect_bool(n, |_| test(l[0], r[0])),
    }
}

/// Combines the comparison of values with what nulls make of it.
fn with_nulls(op: CompareOp, left: &Datum, right: &Datum, bits: BooleanBuffer) -> BooleanArray {
    let n = bits.len();
    let nulls = |d: &Datum| -> Option<NullBuffer> {
        let nulls = d.values().logical_nulls().filter(|n| n.null_count() > 0)?;
        Some(if d.is_scalar() { NullBuffer::new_null(n) } else { nulls })
    };
    let (l, r) = (nulls(left), nulls(right));
    if op != CompareOp::EqNullSafe {
        return BooleanArray::new(bits, NullBuffer::union(l.as_ref(), r.as_ref()));
    }
    let valid = |x: Option<NullBuffer>| x.map_or_else(|| BooleanBuffer::new_set(n), NullBuffer::into_inner);
    let (l, r) = (valid(l), valid(r));
    let both_null = !&(&l | &r);
    BooleanArray::new(&(&(&l & &r) & &bits) | &both_null, None)
}

fn nested(op: CompareOp, left: &Datum, right: &Datum) -> Result<BooleanArray> {
    let (l, r) = (normalize_floats(left.values())?, normalize_floats(right.values())?);
    let options = SortOptions { descending: false, nulls_first: true };
    let order = make_comparator(&l, &r, options)?;
    let n = rows(left, right);
    let bits = BooleanBuffer::collect_bool(n, |i| {
        let o = order(left.index(i), right.index(i));
        match op {
            CompareOp::Eq | CompareOp::EqNullSafe => o == Ordering::Equal,
            CompareOp::NotEq => o != Ordering::Equal,
            CompareOp::Lt => o == Ordering::Less,
            CompareOp::LtEq => o != Ordering::Greater,
            CompareOp::Gt => o == Ordering::Greater,
            CompareOp::GtEq => o != Ordering::Less,
        }
    });
    Ok(with_nulls(op, left, right, bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, ListArray, StringViewArray};

    const OPS: [CompareOp; 7] = [
        CompareOp::Eq,
        CompareOp::NotEq,
        CompareOp::Lt,
        CompareOp::LtEq,
        CompareOp::Gt,
        CompareOp::GtEq,
        CompareOp::EqNullSafe,
    ];

    /// What an operator answers for an order of two values.
    fn expected(op: CompareOp, order: Option<Ordering>, both_null: bool) -> Option<bool> {
        let Some(o) = order else { return (op == CompareOp::EqNullSafe).then_some(both_null) };
        Some(match op {
            CompareOp::Eq | CompareOp::EqNullSafe => o.is_eq(),
            CompareOp::NotEq => o.is_ne(),
            CompareOp::Lt => o.is_lt(),
            CompareOp::LtEq => o.is_le(),
            CompareOp::Gt => o.is_gt(),
            CompareOp::GtEq => o.is_ge(),
        })
    }

    /// Compares all pairs of `ordered` (equal ranks are equal values, `None` is null) in every shape of operands.
    fn check(values: ArrayRef, ranks: &[Option<i32>], data_type: &DataType) {
        let n = values.len();
        for op in OPS {
            for i in 0..n {
                let one = Datum::Scalar(values.slice(i, 1));
                let all = Datum::Array(values.clone());
                let repeated = Datum::Array(one.to_array(n).unwrap());
                for left in [&one, &repeated] {
                    let got = compare(op, left, &all, data_type).unwrap().to_array(n).unwrap();
                    let swapped = compare(op.swap(), &all, left, data_type).unwrap().to_array(n).unwrap();
                    for j in 0..n {
                        let order = ranks[i].zip(ranks[j]).map(|(a, b)| a.cmp(&b));
                        let want = expected(op, order, ranks[i].is_none() && ranks[j].is_none());
                        for got in [&got, &swapped] {
                            let got = got.as_boolean();
                            let got = got.is_valid(j).then(|| got.value(j));
                            assert_eq!(got, want, "{op:?} {i} {j} of {data_type}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn floats_as_spark() {
        let negative_nan = f64::from_bits(f64::NAN.to_bits() | 1 << 63);
        let values: Vec<Option<f64>> = vec![
            Some(f64::NEG_INFINITY),
            Some(-1.0),
            Some(-0.0),
            Some(0.0),
            Some(1.0),
            Some(f64::INFINITY),
            Some(f64::NAN),
            Some(negative_nan),
            None,
        ];
        let ranks = [Some(0), Some(1), Some(2), Some(2), Some(3), Some(4), Some(5), Some(5), None];
        check(Arc::new(Float64Array::from(values.clone())), &ranks, &DataType::Double);
        let lists = ListArray::from_iter_primitive::<Float64Type, _, _>(
            values.iter().map(|v| v.map(|x| vec![Some(x)])),
        );
        check(Arc::new(lists), &ranks, &DataType::array(DataType::Double, true));
    }

    #[test]
    fn strings_by_bytes() {
        let values =
            vec![Some(""), Some("a"), Some("a long string beyond inlining"), Some("ab"), Some("é"), None];
        let ranks = [Some(0), Some(1), Some(2), Some(3), Some(4), None];
        check(Arc::new(StringViewArray::from(values)), &ranks, &DataType::String);
    }
}
