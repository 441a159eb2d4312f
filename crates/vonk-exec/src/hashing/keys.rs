//! The table of keys that aggregates and joins use.

use super::NONE;
use super::bytes::BytesTable;
use super::ints::IntTable;
use super::layout::{Layout, bits};
use super::packed::{PackedTable, packed_table};
use super::words::{each_word, from_words, own_words};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::DataType as ArrowType;
use arrow::row::{RowConverter, Rows, SortField};
use vonk_error::Result;
use vonk_functions::normalize::normalize_floats;

/// Space for the keys of a batch, used again and again.
#[derive(Default)]
pub(crate) struct Scratch {
    words: Vec<u64>,
    missing: Vec<u32>,
}

/// Numbers distinct keys.
pub(crate) struct KeyTable {
    types: Vec<ArrowType>,
    null_is_key: Vec<bool>,
    form: Form,
    /// The number of null, in the forms for one column.
    null_id: u32,
    scratch: Scratch,
}

enum Form {
    /// No columns: all rows have the same key, once there is one.
    Nothing(bool),
    /// One column of up to 64 bits.
    Int(IntTable),
    /// One string or binary.
    Bytes(BytesTable),
    /// Several columns in a few words, and the long strings of each that is a string.
    Packed(Layout, Vec<BytesTable>, Box<dyn PackedTable>),
    /// Anything, in Arrow's row format.
    Rows(RowConverter, BytesTable),
}

impl Form {
    fn new(types: &[ArrowType], null_is_key: &[bool]) -> Result<Form> {
        Ok(match types {
            [] => Form::Nothing(false),
            [t] if bits(t).is_some_and(|b| b <= 64) => Form::Int(IntTable::default()),
            [ArrowType::Utf8View | ArrowType::BinaryView] => Form::Bytes(BytesTable::default()),
            _ => match Layout::new(types, null_is_key) {
                Some(layout) => {
                    let texts = std::iter::repeat_with(BytesTable::default).take(layout.texts()).collect();
                    let table = packed_table(layout.words());
                    Form::Packed(layout, texts, table)
                }
                None => {
                    let fields = types.iter().map(|t| SortField::new(t.clone())).collect();
                    Form::Rows(RowConverter::new(fields)?, BytesTable::default())
                }
            },
        })
    }
}

impl KeyTable {
    /// An empty table. `null_is_key` says per column whether null is a value among others; where it is not, rows with null
    /// have no key: their number is [`NONE`].
    pub fn new(types: Vec<ArrowType>, null_is_key: Vec<bool>) -> Result<Self> {
        let form = Form::new(&types, &null_is_key)?;
        Ok(KeyTable { types, null_is_key, form, null_id: NONE, scratch: Scratch::default() })
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Nothing(any) => usize::from(*any),
            Form::Int(t) => t.len(),
            Form::Bytes(t) | Form::Rows(_, t) => t.len(),
            Form::Packed(_, _, t) => t.len(),
        }
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        match &self.form {
            Form::Nothing(_) => 0,
            Form::Int(t) => t.size(),
            Form::Bytes(t) => t.size(),
            Form::Rows(c, t) => c.size() + t.size(),
            Form::Packed(_, texts, t) => t.size() + texts.iter().map(BytesTable::size).sum::<usize>(),
        }
    }

    /// Rows without null where null is not a key; `None` if that is all.
    fn valid(&self, columns: &[ArrayRef]) -> Option<NullBuffer> {
        let nulls = columns.iter().zip(&self.null_is_key).filter(|(_, key)| !**key);
        let nulls = nulls.filter_map(|(c, _)| c.logical_nulls().filter(|n| n.null_count() > 0));
        nulls.reduce(|a, b| NullBuffer::new(a.inner() & b.inner()))
    }

    /// Numbers of the keys of all rows, new or old.
    pub fn insert(&mut self, columns: &[ArrayRef], rows: usize, ids: &mut Vec<u32>) -> Result<()> {
        let mut valid = self.valid(columns);
        if let ([column], [true]) = (columns, &self.null_is_key[..]) {
            valid = column.logical_nulls().filter(|n| n.null_count() > 0);
            if valid.is_some() && self.null_id == NONE {
                self.null_id = match &mut self.form {
                    Form::Int(t) => t.push_null(),
                    Form::Bytes(t) => t.push_null(),
                    _ => NONE,
                };
            }
        }
        let (valid, null_id, scratch) = (valid.as_ref(), self.null_id, &mut self.scratch);
        match &mut self.form {
            Form::Nothing(any) => {
                *any |= rows > 0;
                ids.clear();
                ids.resize(rows, 0);
            }
            Form::Int(t) => t.insert(words_of(&columns[0], &mut scratch.words), valid, null_id, ids),
            Form::Bytes(t) => match columns[0].as_string_view_opt() {
                Some(texts) => t.insert_all(texts, valid, null_id, ids),
                None => t.insert_all(columns[0].as_binary_view(), valid, null_id, ids),
            },
            Form::Packed(layout, texts, t) => {
                layout.pack(columns, rows, &mut scratch.words, &mut |table, _, view, bytes| {
                    u64::from(texts[table].insert_view(view, bytes))
                });
                t.insert(&scratch.words, packed_valid(valid, &self.null_is_key), ids);
            }
            Form::Rows(converter, t) => {
                let valid = packed_valid(valid, &self.null_is_key);
                t.insert_all(&encoded(converter, columns)?, valid, NONE, ids);
            }
        }
        Ok(())
    }

    /// Numbers of the keys of all rows, or [`NONE`].
    pub fn find(
        &self,
        columns: &[ArrayRef],
        rows: usize,
        scratch: &mut Scratch,
        ids: &mut Vec<u32>,
    ) -> Result<()> {
        let mut valid = self.valid(columns);
        if let ([column], [true]) = (columns, &self.null_is_key[..]) {
            valid = column.logical_nulls().filter(|n| n.null_count() > 0);
        }
        let (valid, null_id) = (valid.as_ref(), self.null_id);
        match &self.form {
            Form::Nothing(any) => {
                ids.clear();
                ids.resize(rows, if *any { 0 } else { NONE });
            }
            Form::Int(t) => t.find(words_of(&columns[0], &mut scratch.words), valid, null_id, ids),
            Form::Bytes(t) => match columns[0].as_string_view_opt() {
                Some(texts) => t.find_all(texts, valid, null_id, ids),
                None => t.find_all(columns[0].as_binary_view(), valid, null_id, ids),
            },
            Form::Packed(layout, texts, t) => {
                let missing = &mut scratch.missing;
                missing.clear();
                layout.pack(columns, rows, &mut scratch.words, &mut |table, row, view, bytes| {
                    let id = texts[table].find_view(view, bytes);
                    if id == NONE {
                        missing.push(row as u32);
                    }
                    u64::from(id)
                });
                t.find(&scratch.words, packed_valid(valid, &self.null_is_key), ids);
                // A key with a string that no key has.
                missing.iter().for_each(|row| ids[*row as usize] = NONE);
            }
            Form::Rows(converter, t) => {
                let valid = packed_valid(valid, &self.null_is_key);
                t.find_all(&encoded(converter, columns)?, valid, NONE, ids);
            }
        }
        Ok(())
    }

    /// All keys in order of their numbers, leaving the table empty.
    pub fn take(&mut self) -> Result<Vec<ArrayRef>> {
        let len = self.len();
        let null_id = std::mem::replace(&mut self.null_id, NONE);
        let nulls = (null_id != NONE)
            .then(|| NullBuffer::new(BooleanBuffer::collect_bool(len, |i| i != null_id as usize)));
        let form = std::mem::replace(&mut self.form, Form::new(&self.types, &self.null_is_key)?);
        match form {
            Form::Nothing(_) => Ok(vec![]),
            Form::Int(t) => Ok(vec![from_words(t.keys().iter().copied(), nulls, &self.types[0])?]),
            Form::Bytes(mut t) => Ok(vec![t.take(nulls, &self.types[0])]),
            Form::Packed(layout, mut texts, t) => layout.unpack(t.keys(), &mut texts),
            Form::Rows(converter, t) => {
                let parser = converter.parser();
                Ok(converter.convert_rows((0..t.len()).map(|id| parser.parse(t.get(id))))?)
            }
        }
    }
}

/// With several columns, the nulls that are keys are part of the packed key.
fn packed_valid<'a>(valid: Option<&'a NullBuffer>, null_is_key: &[bool]) -> Option<&'a NullBuffer> {
    valid.filter(|_| !(null_is_key.len() == 1 && null_is_key[0]))
}

/// The words of a column: its own where it has words, else copied.
fn words_of<'a>(column: &'a ArrayRef, words: &'a mut Vec<u64>) -> &'a [u64] {
    if let Some(own) = own_words(column) {
        return own;
    }
    words.clear();
    words.reserve(column.len());
    each_word(column, &mut |_, word| words.push(word));
    // The type without values.
    words.resize(column.len(), 0);
    words
}

/// Rows in Arrow's row format.
fn encoded(converter: &RowConverter, columns: &[ArrayRef]) -> Result<Rows> {
    let columns = columns.iter().map(normalize_floats).collect::<Result<Vec<_>>>()?;
    Ok(converter.convert_columns(&columns)?)
}
