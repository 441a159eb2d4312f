//! The order of rows in memory.
//!
//! Keys are packed, all of them together with the row's number, into one integer of 64 or 128 bits: sorting those compares and
//! moves nothing else. Integers take as many bits as their range needs, strings their bytes. What does not fit is cut off:
//! then the rows whose codes are equal, mostly few, are sorted again by their whole keys in Arrow's row format.

use super::keys::SortKeys;
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, GenericByteViewArray, PrimitiveArray, UInt32Array,
};
use arrow::compute::{SortOptions, take};
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
    let codes = Codes::plan(columns, &keys.options);
    if codes.bits <= NARROW_BITS {
        let mut items = vec![0u64; rows];
        codes.columns.iter().zip(columns).for_each(|(code, c)| code.append(c, &mut items));
        items.iter_mut().enumerate().for_each(|(row, x)| *x = *x << 32 | row as u64);
        return codes.order(keys, columns, items, |x| (x >> 32) as u128, |x| x as u32);
    }
    let mut items = vec![0u128; rows];
    codes.columns.iter().zip(columns).for_each(|(code, c)| code.append(c, &mut items));
    items.iter_mut().enumerate().for_each(|(row, x)| *x = *x << 32 | row as u128);
    codes.order(keys, columns, items, |x| x >> 32, |x| x as u32)
}

/// How the columns are packed: as many as fit, the last of them perhaps in part.
struct Codes {
    columns: Vec<Code>,
    bits: u32,
    /// Equal codes are equal keys.
    exact: bool,
}

impl Codes {
    fn plan(columns: &[ArrayRef], options: &[SortOptions]) -> Codes {
        let mut codes = Codes { columns: Vec::with_capacity(columns.len()), bits: 0, exact: true };
        for (column, options) in columns.iter().zip(options) {
            let Some(code) = Code::plan(column, *options, PACKED_BITS - codes.bits) else {
                codes.exact = false;
                break;
            };
            codes.bits += code.bits + u32::from(code.nulls);
            codes.exact = code.exact;
            codes.columns.push(code);
            if !codes.exact {
                break;
            }
        }
        codes
    }

    fn order<W: Word>(
        &self,
        keys: &SortKeys,
        columns: &[ArrayRef],
        mut items: Vec<W>,
        code: impl Fn(W) -> u128,
        row: impl Fn(W) -> u32,
    ) -> Result<Vec<u32>> {
        if self.bits > 0 {
            items.sort_unstable();
        }
        let mut order: Vec<u32> = items.iter().map(|x| row(*x)).collect();
        if !self.exact {
            let same = items.chunk_by(|a, b| code(*a) == code(*b)).map(<[W]>::len).collect::<Vec<_>>();
            drop(items);
            refine(keys, columns, &mut order, &same)?;
        }
        Ok(order)
    }
}

/// Sorts rows again whose codes are equal, given the lengths of runs of such rows.
fn refine(keys: &SortKeys, columns: &[ArrayRef], order: &mut [u32], runs: &[usize]) -> Result<()> {
    let mut tied: Vec<u32> = Vec::new();
    let mut at = 0;
    for run in runs {
        if *run > 1 {
            tied.extend(&order[at..at + run]);
        }
        at += run;
    }
    if tied.is_empty() {
        return Ok(());
    }
    let rows = UInt32Array::from(tied);
    let columns = columns.iter().map(|c| take(c, &rows, None)).collect::<Result<Vec<_>, _>>()?;
    let converted = keys.rows(&columns)?;
    let (mut at, mut first) = (0, 0u32);
    let mut places: Vec<u32> = Vec::new();
    for run in runs {
        if *run > 1 {
            places.clear();
            places.extend(first..first + *run as u32);
            // Stable: rows of a run are in the order they came in.
            places.sort_by(|a, b| converted.row(*a as usize).cmp(&converted.row(*b as usize)));
            for (slot, place) in order[at..at + run].iter_mut().zip(&places) {
                *slot = rows.value(*place as usize);
            }
            first += *run as u32;
        }
        at += run;
    }
    Ok(())
}

/// How one column is packed.
struct Code {
    kind: Kind,
    /// Bits of a value.
    bits: u32,
    /// Whether a bit before the value tells nulls.
    nulls: bool,
    /// Equal codes are equal values.
    exact: bool,
    options: SortOptions,
}

enum Kind {
    /// Nothing but nulls: no bits at all.
    Nothing,
    /// An integer above a minimum, without so many of its lowest bits.
    Number { low: i128, cut: u32 },
    /// Short strings: so many bytes, then the length.
    Text(u32),
    /// The first bytes of strings.
    Prefix(u32),
}

/// An integer that codes are appended to, first column in the highest bits.
trait Word: Copy + Ord {
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
    /// The code of a column in at most `room` bits; `None` if nothing of it fits.
    fn plan(array: &ArrayRef, options: SortOptions, room: u32) -> Option<Code> {
        let null_count = array.logical_null_count();
        if null_count == array.len() {
            return Some(Code { kind: Kind::Nothing, bits: 0, nulls: false, exact: true, options });
        }
        let nulls = null_count > 0;
        let room = room.checked_sub(u32::from(nulls))?;
        let (kind, bits, exact) = match array.data_type() {
            ArrowType::Boolean => (Kind::Number { low: 0, cut: 0 }, 1, true),
            ArrowType::Utf8View => text_code(array.as_string_view().views(), room),
            ArrowType::BinaryView => text_code(array.as_binary_view().views(), room),
            _ => {
                let (low, high) = with_primitive!(array, a => range(a)?, else return None);
                let span = high.checked_sub(low)?.unsigned_abs();
                let bits = 128 - span.leading_zeros();
                let cut = bits.saturating_sub(room);
                (Kind::Number { low, cut }, bits - cut, cut == 0)
            }
        };
        (bits <= room && (exact || bits > 0)).then_some(Code { kind, bits, nulls, exact, options })
    }

    /// Appends the codes of a column.
    fn append<W: Word>(&self, array: &ArrayRef, items: &mut [W]) {
        match &self.kind {
            Kind::Nothing => {}
            Kind::Number { .. } if array.data_type() == &ArrowType::Boolean => {
                let a = array.as_boolean();
                self.each(array, items, |row| u128::from(a.value(row)));
            }
            Kind::Number { low, cut } => with_primitive!(array, a => {
                let values = a.values();
                self.each(array, items, |row| values[row].ordered().wrapping_sub(*low) as u128 >> cut);
            }, else {}),
            Kind::Text(length) => {
                let views = match array.data_type() {
                    ArrowType::Utf8View => array.as_string_view().views(),
                    _ => array.as_binary_view().views(),
                };
                let cut = 96 - 8 * length;
                self.each(array, items, |row| (inline_bytes(views[row]) >> cut) << 4 | views[row] & 15);
            }
            Kind::Prefix(length) => match array.data_type() {
                ArrowType::Utf8View => self.prefixes(array, array.as_string_view(), *length, items),
                _ => self.prefixes(array, array.as_binary_view(), *length, items),
            },
        }
    }

    fn prefixes<W: Word, T: ByteViewType + ?Sized>(
        &self,
        array: &ArrayRef,
        values: &GenericByteViewArray<T>,
        length: u32,
        items: &mut [W],
    ) {
        let (views, buffers) = (values.views(), values.data_buffers());
        let cut = 96 - 8 * length;
        self.each(array, items, |row| {
            let view = views[row];
            let bytes = if view as u32 <= 12 || length <= 4 {
                inline_bytes(view)
            } else {
                // Of a longer string, twelve bytes are there.
                let (buffer, offset) = ((view >> 64) as u32 as usize, (view >> 96) as u32 as usize);
                let mut bytes = [0u8; 16];
                bytes[4..].copy_from_slice(&buffers[buffer][offset..offset + 12]);
                u128::from_be_bytes(bytes)
            };
            bytes >> cut
        });
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

/// The twelve bytes that a view of a short string holds, the first in the highest place; of a longer string, four.
#[inline(always)]
fn inline_bytes(view: u128) -> u128 {
    (view >> 32 << 32).swap_bytes()
}

/// Strings that all fit into their views with some room to spare are packed whole; of others, what fits of their beginning.
fn text_code(views: &[u128], room: u32) -> (Kind, u32, bool) {
    let longest = views.iter().map(|v| *v as u32).max().unwrap_or(0);
    if longest <= 11 && 8 * longest + 4 <= room {
        return (Kind::Text(longest), 8 * longest + 4, true);
    }
    let length = (room / 8).min(12).min(longest);
    (Kind::Prefix(length), 8 * length, false)
}
