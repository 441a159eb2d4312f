//! Several key columns packed into a few words.
//!
//! Numbers take their own width, nulls (where they are keys) a bit, strings a word: their bytes if they are short, else their
//! number in a table of long strings. So packed keys are equal exactly where their columns are.

use super::bytes::{BytesTable, each_text, make_views};
use super::words::{each_word, from_words};
use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, new_null_array};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType as ArrowType, Decimal128Type, IntervalMonthDayNano,
    IntervalMonthDayNanoType, IntervalUnit,
};
use std::sync::Arc;
use vonk_error::Result;

/// Words of the longest packed key.
pub(super) const MOST_WORDS: usize = 8;

/// Strings of up to this many bytes are words themselves: bytes below, length in the uppermost.
const SHORT_TEXT: u32 = 7;
/// The word of a null string.
const NULL_TEXT: u64 = 0xfe << 56;
/// The mark of a long string, over its number.
const LONG_TEXT: u64 = 0xff << 56;

/// Bits of the values of a type, if they are of fixed width.
pub(crate) fn bits(t: &ArrowType) -> Option<u32> {
    Some(match t {
        ArrowType::Null => 0,
        ArrowType::Boolean => 1,
        ArrowType::Int8 => 8,
        ArrowType::Int16 => 16,
        ArrowType::Int32 | ArrowType::UInt32 | ArrowType::Float32 | ArrowType::Date32 => 32,
        ArrowType::Interval(IntervalUnit::YearMonth) => 32,
        ArrowType::Int64
        | ArrowType::Float64
        | ArrowType::Decimal64(..)
        | ArrowType::Timestamp(..)
        | ArrowType::Duration(_) => 64,
        ArrowType::Decimal128(..) | ArrowType::Interval(IntervalUnit::MonthDayNano) => 128,
        _ => return None,
    })
}

/// Numbers a long string: table, row, view, bytes.
type NumberLong<'a> = dyn FnMut(usize, usize, u128, &[u8]) -> u64 + 'a;

/// Where a column lies.
#[derive(Debug, Clone, Copy)]
enum Place {
    Bits { word: usize, shift: u32, bits: u32 },
    Wide { word: usize },
    Text { word: usize, table: usize },
}

#[derive(Debug, Clone)]
struct Field {
    t: ArrowType,
    place: Place,
    /// Word and bit that say null, where null is a key and the value cannot say it.
    null: Option<(usize, u32)>,
}

/// Where all columns lie.
pub(super) struct Layout {
    fields: Vec<Field>,
    words: usize,
    texts: usize,
}

impl Layout {
    /// For columns of these types; `None` if they do not fit.
    pub fn new(types: &[ArrowType], null_is_key: &[bool]) -> Option<Layout> {
        let mut used: Vec<u32> = Vec::new();
        let mut places = vec![None; types.len()];
        let mut texts = 0;
        let is_text = |t: &ArrowType| matches!(t, ArrowType::Utf8View | ArrowType::BinaryView);
        for (i, t) in types.iter().enumerate() {
            let word = used.len();
            if is_text(t) {
                places[i] = Some(Place::Text { word, table: texts });
                texts += 1;
                used.push(64);
            } else if bits(t)? == 128 {
                places[i] = Some(Place::Wide { word });
                used.extend([64, 64]);
            }
        }
        let mut narrow: Vec<usize> = (0..types.len()).filter(|i| places[*i].is_none()).collect();
        narrow.sort_by_key(|i| std::cmp::Reverse(bits(&types[*i])));
        for i in narrow {
            let bits = bits(&types[i])?;
            let (word, shift) = free(&mut used, bits);
            places[i] = Some(Place::Bits { word, shift, bits });
        }
        let mut fields = Vec::with_capacity(types.len());
        for (i, t) in types.iter().enumerate() {
            let null = (null_is_key[i] && !is_text(t)).then(|| free(&mut used, 1));
            fields.push(Field { t: t.clone(), place: places[i]?, null });
        }
        let words = used.len().max(1);
        let words = [1, 2, 3, 4, 6, MOST_WORDS].into_iter().find(|w| *w >= words)?;
        Some(Layout { fields, words, texts })
    }

    /// Words of a key.
    pub fn words(&self) -> usize {
        self.words
    }

    /// Columns that are strings.
    pub fn texts(&self) -> usize {
        self.texts
    }

    /// Packs rows, row after row. `long` numbers long strings, by table and row's string.
    pub fn pack(&self, columns: &[ArrayRef], rows: usize, out: &mut Vec<u64>, long: &mut NumberLong<'_>) {
        out.clear();
        out.resize(rows * self.words, 0);
        for (field, column) in self.fields.iter().zip(columns) {
            let nulls = column.logical_nulls().filter(|n| n.null_count() > 0);
            match field.place {
                Place::Bits { word, shift, bits } => {
                    self.pack_bits(column, nulls.as_ref(), (word, shift, bits), out)
                }
                Place::Wide { word } => self.pack_wide(column, nulls.as_ref(), word, out),
                Place::Text { word, table } => {
                    self.pack_text(column, nulls.as_ref(), (word, table), out, long)
                }
            }
            if let (Some((word, bit)), Some(nulls)) = (field.null, nulls) {
                for row in (0..rows).filter(|r| nulls.is_null(*r)) {
                    out[row * self.words + word] |= 1 << bit;
                }
            }
        }
    }

    fn pack_bits(
        &self,
        column: &ArrayRef,
        nulls: Option<&NullBuffer>,
        (word, shift, bits): (usize, u32, u32),
        out: &mut [u64],
    ) {
        let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
        let stride = self.words;
        match nulls {
            None => each_word(column, &mut |row, w| out[row * stride + word] |= (w & mask) << shift),
            Some(n) => each_word(column, &mut |row, w| {
                let w = if n.is_valid(row) { w & mask } else { 0 };
                out[row * stride + word] |= w << shift;
            }),
        }
    }

    fn pack_wide(&self, column: &ArrayRef, nulls: Option<&NullBuffer>, word: usize, out: &mut [u64]) {
        let stride = self.words;
        let mut set = |row: usize, value: u128| {
            if nulls.is_none_or(|n| n.is_valid(row)) {
                out[row * stride + word] = value as u64;
                out[row * stride + word + 1] = (value >> 64) as u64;
            }
        };
        if let Some(a) = column.as_primitive_opt::<Decimal128Type>() {
            a.values().iter().enumerate().for_each(|(row, v)| set(row, *v as u128));
        } else if let Some(a) = column.as_primitive_opt::<IntervalMonthDayNanoType>() {
            a.values().iter().enumerate().for_each(|(row, v)| set(row, interval_bits(*v)));
        }
    }

    fn pack_text(
        &self,
        column: &ArrayRef,
        nulls: Option<&NullBuffer>,
        (word, table): (usize, usize),
        out: &mut [u64],
        long: &mut NumberLong<'_>,
    ) {
        each_text(column, |row, view, bytes| {
            let at = row * self.words + word;
            if nulls.is_some_and(|n| n.is_null(row)) {
                out[at] = NULL_TEXT;
                return;
            }
            let length = view as u32;
            out[at] = if length <= SHORT_TEXT {
                // A view has its length below, then its bytes, then zeros.
                (view >> 32) as u64 | u64::from(length) << 56
            } else {
                LONG_TEXT | long(table, row, view, bytes)
            };
        });
    }

    /// Columns of packed keys, row after row. Takes the blocks out of the tables of long strings.
    pub fn unpack(&self, keys: &[u64], tables: &mut [BytesTable]) -> Result<Vec<ArrayRef>> {
        self.fields.iter().map(|f| self.unpack_field(f, keys, tables)).collect()
    }

    fn unpack_field(&self, field: &Field, keys: &[u64], tables: &mut [BytesTable]) -> Result<ArrayRef> {
        let rows = keys.chunks_exact(self.words);
        let nulls = field.null.and_then(|(word, bit)| {
            let valid =
                BooleanBuffer::collect_bool(rows.len(), |r| (keys[r * self.words + word] >> bit) & 1 == 0);
            Some(NullBuffer::new(valid)).filter(|n| n.null_count() > 0)
        });
        match field.place {
            Place::Bits { bits: 0, .. } => Ok(new_null_array(&field.t, rows.len())),
            Place::Bits { word, shift, bits } => {
                let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
                from_words(rows.map(|r| (r[word] >> shift) & mask), nulls, &field.t)
            }
            Place::Wide { word } => {
                let values = rows.map(|r| u128::from(r[word]) | u128::from(r[word + 1]) << 64);
                Ok(match &field.t {
                    ArrowType::Decimal128(..) => {
                        wide::<Decimal128Type>(values.map(|v| v as i128), nulls, &field.t)
                    }
                    _ => wide::<IntervalMonthDayNanoType>(values.map(interval_of_bits), nulls, &field.t),
                })
            }
            Place::Text { word, table } => {
                let valid =
                    BooleanBuffer::collect_bool(rows.len(), |r| keys[r * self.words + word] != NULL_TEXT);
                let nulls = Some(NullBuffer::new(valid)).filter(|n| n.null_count() > 0);
                let table = &mut tables[table];
                let views: Vec<u128> = rows
                    .map(|r| match r[word] {
                        NULL_TEXT => 0,
                        w if w >= LONG_TEXT => table.view((w & !LONG_TEXT) as usize),
                        w => u128::from(w >> 56) | u128::from(w & !LONG_TEXT) << 32,
                    })
                    .collect();
                Ok(make_views(views.into(), table.take_blocks(), nulls, &field.t))
            }
        }
    }
}

fn wide<T: ArrowPrimitiveType>(
    values: impl Iterator<Item = T::Native>,
    nulls: Option<NullBuffer>,
    t: &ArrowType,
) -> ArrayRef {
    let values: Vec<T::Native> = values.collect();
    Arc::new(PrimitiveArray::<T>::new(values.into(), nulls).with_data_type(t.clone()))
}

fn interval_bits(v: IntervalMonthDayNano) -> u128 {
    u128::from(v.months as u32) | u128::from(v.days as u32) << 32 | u128::from(v.nanoseconds as u64) << 64
}

fn interval_of_bits(bits: u128) -> IntervalMonthDayNano {
    IntervalMonthDayNano::new(bits as u32 as i32, (bits >> 32) as u32 as i32, (bits >> 64) as u64 as i64)
}

/// The first word with that many bits free, and the lowest of them; makes a new word if there is none.
fn free(used: &mut Vec<u32>, bits: u32) -> (usize, u32) {
    let word = match used.iter().position(|u| u + bits <= 64) {
        Some(word) => word,
        None => {
            used.push(0);
            used.len() - 1
        }
    };
    let shift = used[word];
    used[word] += bits;
    (word, shift.min(63))
}
