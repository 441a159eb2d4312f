//! The order of rows in memory.
//!
//! Keys that fit are packed, all of them together with the row's number, into one integer of 64 or 128 bits: sorting those
//! compares and moves nothing else. Integers take as many bits as their range needs, short strings their bytes. Other keys
//! are compared as bytes in Arrow's row format, behind a prefix that settles most comparisons without following a pointer.

use super::keys::SortKeys;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::compute::SortOptions;
use arrow::datatypes::*;
use vonk_error::{Error, Result};

/// Bits of a packed key: the rest of 128 are the row's number.
const PACKED_BITS: u32 = 96;
/// Bits of a key that fits into 64 with the row's number.
const NARROW_BITS: u32 = 32;

/// Row numbers in the order of the keys; equal rows in the order they are in.
pub(super) fn sorted_indices(keys: &SortKeys, columns: &[ArrayRef], rows: usize) -> Result<Vec<u32>> {
    if u32::try_from(rows).is_err() {
        return Err(Error::internal("too many rows in one sort"));
    }
    if let Some(codes) = Codes::plan(columns, &keys.options) {
        return Ok(codes.sort(columns, rows));
    }
    let converted = keys.rows(columns)?;
    let prefix = |row: usize| {
        let bytes = converted.row(row);
        let bytes = bytes.as_ref();
        let mut word = [0u8; 8];
        let n = bytes.len().min(8);
        word[..n].copy_from_slice(&bytes[..n]);
        u64::from_be_bytes(word)
    };
    let mut items: Vec<(u64, u32)> = (0..rows).map(|row| (prefix(row), row as u32)).collect();
    items.sort_unstable_by(|a, b| {
        let whole = || converted.row(a.1 as usize).cmp(&converted.row(b.1 as usize));
        a.0.cmp(&b.0).then_with(whole).then(a.1.cmp(&b.1))
    });
    Ok(items.into_iter().map(|(_, row)| row).collect())
}

/// How the columns are packed.
struct Codes {
    columns: Vec<Code>,
    bits: u32,
}

/// How one column is packed.
struct Code {
    kind: Kind,
    /// Bits of a value.
    bits: u32,
    /// Whether a bit before the value tells nulls.
    nulls: bool,
    options: SortOptions,
}

enum Kind {
    /// Nothing but nulls: no bits at all.
    Nothing,
    /// An integer above this minimum.
    Number(i128),
    /// Bytes of a string of at most so many, then its length.
    Text(u32),
}

impl Codes {
    /// `None` if the columns do not fit.
    fn plan(columns: &[ArrayRef], options: &[SortOptions]) -> Option<Codes> {
        let mut codes = Codes { columns: Vec::with_capacity(columns.len()), bits: 0 };
        for (column, options) in columns.iter().zip(options) {
            let code = Code::plan(column, *options)?;
            codes.bits += code.bits + u32::from(code.nulls);
            if codes.bits > PACKED_BITS {
                return None;
            }
            codes.columns.push(code);
        }
        Some(codes)
    }

    fn sort(&self, columns: &[ArrayRef], rows: usize) -> Vec<u32> {
        if self.bits == 0 {
            return (0..rows as u32).collect();
        }
        if self.bits <= NARROW_BITS {
            let mut items = vec![0u64; rows];
            self.columns.iter().zip(columns).for_each(|(code, c)| code.append(c, &mut items));
            items.iter_mut().enumerate().for_each(|(row, x)| *x = *x << 32 | row as u64);
            items.sort_unstable();
            return items.into_iter().map(|x| x as u32).collect();
        }
        let mut items = vec![0u128; rows];
        self.columns.iter().zip(columns).for_each(|(code, c)| code.append(c, &mut items));
        items.iter_mut().enumerate().for_each(|(row, x)| *x = *x << 32 | row as u128);
        items.sort_unstable();
        items.into_iter().map(|x| x as u32).collect()
    }
}

/// An integer that codes are appended to, first column in the highest bits.
trait Word: Copy {
    fn append(self, bits: u32, code: u128) -> Self;
}

impl Word for u64 {
    #[inline(always)]
    fn append(self, bits: u32, code: u128) -> Self {
        self << bits | code as u64
    }
}

impl Word for u128 {
    #[inline(always)]
    fn append(self, bits: u32, code: u128) -> Self {
        self << bits | code
    }
}

/// Calls `$f` with the array as its primitive type.
macro_rules! with_primitive {
    ($array:expr, $a:ident => $body:expr, else $other:expr) => {
        match $array.data_type() {
            ArrowType::Int8 => {
                let $a = $array.as_primitive::<Int8Type>();
                $body
            }
            ArrowType::Int16 => {
                let $a = $array.as_primitive::<Int16Type>();
                $body
            }
            ArrowType::Int32 => {
                let $a = $array.as_primitive::<Int32Type>();
                $body
            }
            ArrowType::Int64 => {
                let $a = $array.as_primitive::<Int64Type>();
                $body
            }
            ArrowType::Date32 => {
                let $a = $array.as_primitive::<Date32Type>();
                $body
            }
            ArrowType::Float32 => {
                let $a = $array.as_primitive::<Float32Type>();
                $body
            }
            ArrowType::Float64 => {
                let $a = $array.as_primitive::<Float64Type>();
                $body
            }
            ArrowType::Decimal64(..) => {
                let $a = $array.as_primitive::<Decimal64Type>();
                $body
            }
            ArrowType::Decimal128(..) => {
                let $a = $array.as_primitive::<Decimal128Type>();
                $body
            }
            ArrowType::Timestamp(..) => {
                let $a = $array.as_primitive::<TimestampMicrosecondType>();
                $body
            }
            ArrowType::Duration(..) => {
                let $a = $array.as_primitive::<DurationMicrosecondType>();
                $body
            }
            ArrowType::Interval(IntervalUnit::YearMonth) => {
                let $a = $array.as_primitive::<IntervalYearMonthType>();
                $body
            }
            _ => $other,
        }
    };
}

use DataType as ArrowType;

/// A number whose order is that of an integer.
trait Ordered: Copy {
    fn ordered(self) -> i128;
}

macro_rules! ordered {
    ($($t:ty),*) => { $(impl Ordered for $t {
        #[inline(always)]
        fn ordered(self) -> i128 { self as i128 }
    })* };
}
ordered!(i8, i16, i32, i64, i128);

impl Ordered for f32 {
    #[inline(always)]
    fn ordered(self) -> i128 {
        let bits = self.to_bits() as i32;
        i128::from(bits ^ (((bits >> 31) as u32) >> 1) as i32)
    }
}

impl Ordered for f64 {
    #[inline(always)]
    fn ordered(self) -> i128 {
        let bits = self.to_bits() as i64;
        i128::from(bits ^ (((bits >> 63) as u64) >> 1) as i64)
    }
}

/// Least and greatest of the values that are not null.
fn range<T: ArrowPrimitiveType>(a: &PrimitiveArray<T>) -> Option<(i128, i128)>
where
    T::Native: Ordered,
{
    let widen = |range: Option<(i128, i128)>, v: T::Native| {
        let v = v.ordered();
        Some(range.map_or((v, v), |(low, high)| (low.min(v), high.max(v))))
    };
    match a.nulls().filter(|n| n.null_count() > 0) {
        None => a.values().iter().copied().fold(None, widen),
        Some(nulls) => nulls.valid_indices().map(|i| a.value(i)).fold(None, widen),
    }
}

impl Code {
    fn plan(array: &ArrayRef, options: SortOptions) -> Option<Code> {
        let null_count = array.logical_null_count();
        if null_count == array.len() {
            return Some(Code { kind: Kind::Nothing, bits: 0, nulls: false, options });
        }
        let (kind, bits) = match array.data_type() {
            ArrowType::Boolean => (Kind::Number(0), 1),
            ArrowType::Utf8View => text_code(array.as_string_view().views())?,
            ArrowType::BinaryView => text_code(array.as_binary_view().views())?,
            _ => {
                let (low, high) = with_primitive!(array, a => range(a)?, else return None);
                let span = high.checked_sub(low)?.unsigned_abs();
                (Kind::Number(low), 128 - span.leading_zeros())
            }
        };
        Some(Code { kind, bits, nulls: null_count > 0, options })
    }

    /// Appends the codes of a column.
    fn append<W: Word>(&self, array: &ArrayRef, items: &mut [W]) {
        match &self.kind {
            Kind::Nothing => {}
            Kind::Number(low) if array.data_type() == &ArrowType::Boolean => {
                let a = array.as_boolean();
                self.each(array, items, |row| (i128::from(a.value(row)) - low).unsigned_abs());
            }
            Kind::Number(low) => with_primitive!(array, a => {
                let values = a.values();
                self.each(array, items, |row| values[row].ordered().wrapping_sub(*low) as u128);
            }, else {}),
            Kind::Text(length) => {
                let views = match array.data_type() {
                    ArrowType::Utf8View => array.as_string_view().views(),
                    _ => array.as_binary_view().views(),
                };
                let cut = 96 - 8 * length;
                self.each(array, items, |row| {
                    // An inline view: its length, then twelve bytes, the first in the lowest place.
                    let view = views[row];
                    ((view >> 32 << 32).swap_bytes() >> cut) << 4 | view & 15
                });
            }
        }
    }

    #[inline(always)]
    fn each<W: Word>(&self, array: &ArrayRef, items: &mut [W], code: impl Fn(usize) -> u128) {
        let mask = if self.bits == 0 { 0 } else { u128::MAX >> (128 - self.bits) };
        let flip = if self.options.descending { mask } else { 0 };
        let value = |row: usize| code(row) & mask ^ flip;
        match array.nulls().filter(|_| self.nulls) {
            None => {
                for (row, item) in items.iter_mut().enumerate() {
                    *item = item.append(self.bits, value(row));
                }
            }
            Some(nulls) => {
                let present = u128::from(self.options.nulls_first);
                for (row, item) in items.iter_mut().enumerate() {
                    let (bit, code) =
                        if nulls.is_valid(row) { (present, value(row)) } else { (1 - present, 0) };
                    *item = item.append(1, bit).append(self.bits, code);
                }
            }
        }
    }
}

/// Strings that all fit into their views, with some room to spare.
fn text_code(views: &[u128]) -> Option<(Kind, u32)> {
    let longest = views.iter().map(|v| *v as u32).max().unwrap_or(0);
    (longest <= 11).then_some((Kind::Text(longest), 8 * longest + 4))
}
