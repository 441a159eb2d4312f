//! Membership in a list of constants.

use crate::compare::compare;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, GenericByteViewArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::compute::kernels::boolean::or_kleene;
use arrow::datatypes::{
    BinaryViewType, ByteViewType, DataType as ArrowType, Float32Type, Float64Type, StringViewType,
};
use hashbrown::HashSet;
use std::hash::Hash;
use vonk_error::Result;
use vonk_functions::Datum;
use vonk_types::{CompareOp, DataType};

/// The constants of an IN list, arranged for looking up.
pub(crate) struct ConstantSet {
    members: Members,
    has_null: bool,
}

/// The members that are not null, by representation.
enum Members {
    Bits8(Bits<i8>),
    Bits16(Bits<i16>),
    Bits32(Bits<i32>),
    Bits64(Bits<i64>),
    Bits128(Bits<i128>),
    Float32(Bits<u32>),
    Float64(Bits<u64>),
    Bytes(Bytes),
    /// Compared one by one: booleans and nested types.
    Others(Vec<ArrayRef>, DataType),
}

/// Values of a fixed width.
enum Bits<T> {
    /// So few that trying each is faster than hashing.
    Few(Vec<T>),
    Many(HashSet<T>),
}

/// Up to this many are tried one by one.
const FEW: usize = 6;

impl<T: Copy + Eq + Hash> Bits<T> {
    fn new(values: impl Iterator<Item = T>) -> Self {
        let set: HashSet<T> = values.collect();
        if set.len() <= FEW { Bits::Few(set.into_iter().collect()) } else { Bits::Many(set) }
    }

    fn find(&self, n: usize, value: impl Fn(usize) -> T) -> BooleanBuffer {
        match self {
            Bits::Few(few) => {
                BooleanBuffer::collect_bool(n, |i| few.iter().fold(false, |f, m| f | (*m == value(i))))
            }
            Bits::Many(set) => BooleanBuffer::collect_bool(n, |i| set.contains(&value(i))),
        }
    }
}

/// Strings or binaries: short ones by their view, long ones by their bytes.
struct Bytes {
    short: Bits<u128>,
    long: HashSet<Box<[u8]>>,
}

/// Longest value that lies in its view.
const INLINE: u32 = 12;

impl Bytes {
    fn new<T: ByteViewType>(values: &GenericByteViewArray<T>) -> Self {
        let present = |i: &usize| values.is_valid(*i);
        let is_short = |i: &usize| values.views()[*i] as u32 <= INLINE;
        let rows = || (0..values.len()).filter(present);
        Bytes {
            short: Bits::new(rows().filter(is_short).map(|i| values.views()[i])),
            long: rows().filter(|i| !is_short(i)).map(|i| bytes_of(values, i).into()).collect(),
        }
    }

    fn find<T: ByteViewType>(&self, array: &GenericByteViewArray<T>) -> BooleanBuffer {
        let views = array.views();
        if self.long.is_empty() {
            // The view of a long value begins with its length, so it equals no short one's.
            return self.short.find(array.len(), |i| views[i]);
        }
        let short = self.short.find(array.len(), |i| views[i]);
        let long = BooleanBuffer::collect_bool(array.len(), |i| {
            views[i] as u32 > INLINE && array.is_valid(i) && self.long.contains(bytes_of(array, i))
        });
        &short | &long
    }
}

fn bytes_of<T: ByteViewType>(array: &GenericByteViewArray<T>, i: usize) -> &[u8] {
    let value: &T::Native = array.value(i);
    value.as_ref()
}

impl ConstantSet {
    /// A set of the rows of `values`, which has the Arrow type of `data_type`.
    pub fn new(values: ArrayRef, data_type: &DataType) -> Result<Self> {
        let has_null = values.logical_null_count() > 0;
        let present = arrow::compute::filter(&values, &arrow::compute::is_not_null(&values)?)?;
        let members = match present.data_type() {
            ArrowType::Float32 => {
                let floats = present.as_primitive::<Float32Type>();
                Members::Float32(Bits::new(floats.values().iter().map(|x| float32_bits(*x))))
            }
            ArrowType::Float64 => {
                let floats = present.as_primitive::<Float64Type>();
                Members::Float64(Bits::new(floats.values().iter().map(|x| float64_bits(*x))))
            }
            ArrowType::Utf8View => Members::Bytes(Bytes::new(present.as_string_view())),
            ArrowType::BinaryView => Members::Bytes(Bytes::new(present.as_binary_view())),
            other => match other.primitive_width() {
                Some(1) => Members::Bits8(Bits::new(native(&present).iter().copied())),
                Some(2) => Members::Bits16(Bits::new(native(&present).iter().copied())),
                Some(4) => Members::Bits32(Bits::new(native(&present).iter().copied())),
                Some(8) => Members::Bits64(Bits::new(native(&present).iter().copied())),
                Some(16) => Members::Bits128(Bits::new(native(&present).iter().copied())),
                _ => {
                    let each = (0..present.len()).map(|i| present.slice(i, 1)).collect();
                    Members::Others(each, data_type.clone())
                }
            },
        };
        Ok(ConstantSet { members, has_null })
    }

    /// True where the value is a member; where it is not, null if the list had a null, else false; null where it is null.
    pub fn contains(&self, array: &ArrayRef) -> Result<BooleanArray> {
        let n = array.len();
        let found = match &self.members {
            Members::Bits8(set) => find_native(set, array),
            Members::Bits16(set) => find_native(set, array),
            Members::Bits32(set) => find_native(set, array),
            Members::Bits64(set) => find_native(set, array),
            Members::Bits128(set) => find_native(set, array),
            Members::Float32(set) => {
                let values = array.as_primitive::<Float32Type>().values();
                set.find(n, |i| float32_bits(values[i]))
            }
            Members::Float64(set) => {
                let values = array.as_primitive::<Float64Type>().values();
                set.find(n, |i| float64_bits(values[i]))
            }
            Members::Bytes(set) => match array.data_type() {
                ArrowType::Utf8View => set.find::<StringViewType>(array.as_string_view()),
                _ => set.find::<BinaryViewType>(array.as_binary_view()),
            },
            Members::Others(members, data_type) => return self.one_by_one(array, members, data_type),
        };
        let nulls = array.logical_nulls().filter(|n| n.null_count() > 0);
        let nulls = match (nulls, self.has_null) {
            (nulls, false) => nulls,
            (None, true) => Some(NullBuffer::new(found.clone())),
            (Some(nulls), true) => Some(NullBuffer::new(nulls.inner() & &found)),
        };
        Ok(BooleanArray::new(found, nulls))
    }

    fn one_by_one(
        &self,
        array: &ArrayRef,
        members: &[ArrayRef],
        data_type: &DataType,
    ) -> Result<BooleanArray> {
        let values = Datum::Array(array.clone());
        let mut found = BooleanArray::new(BooleanBuffer::new_unset(array.len()), array.logical_nulls());
        for member in members {
            let equal = compare(CompareOp::Eq, &values, &Datum::Scalar(member.clone()), data_type)?;
            found = or_kleene(&found, equal.values().as_boolean())?;
        }
        if self.has_null {
            found = or_kleene(&found, &BooleanArray::new_null(array.len()))?;
        }
        Ok(found)
    }
}

fn find_native<T: arrow::datatypes::ArrowNativeType + Eq + Hash>(
    set: &Bits<T>,
    array: &ArrayRef,
) -> BooleanBuffer {
    let values = native::<T>(array);
    let values = &values[..];
    set.find(values.len(), |i| values[i])
}

/// The values of a primitive array by their bits.
fn native<T: arrow::datatypes::ArrowNativeType>(array: &ArrayRef) -> ScalarBuffer<T> {
    let data = array.to_data();
    ScalarBuffer::new(data.buffers()[0].clone(), data.offset(), data.len())
}

fn float32_bits(x: f32) -> u32 {
    if x.is_nan() { f32::NAN.to_bits() } else { (x + 0.0).to_bits() }
}

fn float64_bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { (x + 0.0).to_bits() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, Int64Array, StringViewArray};
    use std::sync::Arc;

    fn answers(set: ArrayRef, probe: ArrayRef, t: &DataType) -> Vec<Option<bool>> {
        ConstantSet::new(set, t).unwrap().contains(&probe).unwrap().iter().collect()
    }

    #[test]
    fn nulls_make_misses_unknown() {
        let probe: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), None]));
        let plain: ArrayRef = Arc::new(Int64Array::from(vec![1, 9]));
        assert_eq!(answers(plain, probe.clone(), &DataType::Long), vec![Some(true), Some(false), None]);
        let with_null: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        assert_eq!(answers(with_null, probe, &DataType::Long), vec![Some(true), None, None]);
    }

    #[test]
    fn strings_short_and_long() {
        let long = "a string that is longer than twelve bytes";
        let set: ArrayRef = Arc::new(StringViewArray::from(vec!["x", long]));
        let probe: ArrayRef = Arc::new(StringViewArray::from(vec![long, "x", "y", &long[1..]]));
        let want = vec![Some(true), Some(true), Some(false), Some(false)];
        assert_eq!(answers(set, probe, &DataType::String), want);
    }

    #[test]
    fn floats_by_value() {
        let set: ArrayRef = Arc::new(Float64Array::from(vec![0.0, f64::NAN]));
        let probe: ArrayRef = Arc::new(Float64Array::from(vec![-0.0, -f64::NAN, 1.0]));
        assert_eq!(answers(set, probe, &DataType::Double), vec![Some(true), Some(true), Some(false)]);
    }
}
