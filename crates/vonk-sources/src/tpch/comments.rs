//! Tables with their comments, whose first rows do not wait for the [text](super::text) that comments are cut from.
//!
//! The generator makes all other columns. Comments are two random numbers each, a place in the text and a length, from a stream of their
//! own (clause 4.2.3, `..._COMMENT`). The numbers of a stream belong to groups of rows, of which the key tells (the lines of an order, the
//! suppliers of a part): so a part of a table begins anywhere.

use super::tables::Table;
use super::text;
use arrow::array::{ArrayRef, AsArray, RecordBatch, StringViewBuilder};
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use std::sync::Arc;
use tpchgen::random::RowRandomInt;
use tpchgen_arrow::{
    CustomerArrow, LineItemArrow, NationArrow, OrderArrow, PartArrow, PartSuppArrow, RegionArrow,
};
use vonk_error::{Error, Result};

/// Rows of a batch as long as each comment is made on its own: a few milliseconds of work.
const SMALL_BATCH: usize = 256;
/// Comments made on their own before the whole text is: who asks for fewer does not want it.
const FEW_COMMENTS: usize = 1024;

/// A generator that can be told how many rows the next batches have.
pub(super) trait Generator:
    Iterator<Item = std::result::Result<RecordBatch, ArrowError>> + Sized
{
    fn of_size(self, rows: usize) -> Self;
}

macro_rules! generators {
    ($($name:ident),+) => {
        $(impl Generator for $name {
            fn of_size(self, rows: usize) -> Self {
                self.with_batch_size(rows)
            }
        })+
    };
}

generators!(CustomerArrow, LineItemArrow, NationArrow, OrderArrow, PartArrow, PartSuppArrow, RegionArrow);

/// Batches of a part of a table, as the generator makes them.
pub(super) struct WithComments<G> {
    /// Over any text; given back after each batch.
    generator: Option<G>,
    batch_rows: usize,
    comments: Comments,
}

impl<G: Generator> WithComments<G> {
    /// `generator` is one over any text.
    pub fn new(table: Table, generator: G, batch_rows: usize) -> Self {
        let comments =
            Comments { stream: Stream::of(table), random: None, last: 0, made: 0, scratch: Vec::new() };
        WithComments { generator: Some(generator), batch_rows, comments }
    }

    fn with_comments(&mut self, batch: RecordBatch) -> Result<RecordBatch> {
        let (schema, mut columns, _) = batch.into_parts();
        let comments = self.comments.of(&columns)?;
        if let Some(last) = columns.last_mut() {
            *last = comments;
        }
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

impl<G: Generator> Iterator for WithComments<G> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        let size = if text::whole_if_made().is_some() { usize::MAX } else { SMALL_BATCH };
        let mut generator = self.generator.take()?.of_size(self.batch_rows.min(size));
        let batch = generator.next()?;
        self.generator = Some(generator);
        Some(batch.map_err(|e| Error::internal(e.to_string())).and_then(|b| self.with_comments(b)))
    }
}

/// The random numbers of a table's comments.
struct Stream {
    seed: i64,
    /// Bytes of a comment, on average.
    average: f64,
    /// Rows that a group may have.
    group: i32,
    /// How many groups there are before the one of a key.
    before: fn(i64) -> i64,
}

impl Stream {
    fn of(table: Table) -> Stream {
        let stream = |seed, average, group, before| Stream { seed, average, group, before };
        match table {
            Table::Nation => stream(606_179_079, 72.0, 1, |key| key),
            Table::Region => stream(1_500_869_201, 72.0, 1, |key| key),
            Table::Part => stream(804_159_733, 14.0, 1, |key| key - 1),
            Table::Customer => stream(1_335_826_707, 73.0, 1, |key| key - 1),
            Table::Partsupp => stream(1_961_692_154, 124.0, 4, |key| key - 1),
            Table::Orders => stream(276_090_261, 49.0, 1, orders_before),
            Table::Lineitem => stream(1_095_462_486, 27.0, 7, orders_before),
            // Of which some are rewritten, by further numbers: made by the generator.
            Table::Supplier => stream(1_341_315_363, 63.0, 1, |key| key - 1),
        }
    }

    /// The least and the most bytes of a comment.
    fn lengths(&self) -> (i32, i32) {
        ((self.average * 0.4) as i32, (self.average * 1.6) as i32)
    }
}

/// Of 32 keys of orders, eight are used.
fn orders_before(key: i64) -> i64 {
    ((key >> 5 << 3) | (key & 7)) - 1
}

struct Comments {
    stream: Stream,
    /// Once the first key is known.
    random: Option<RowRandomInt>,
    /// The key of the last row.
    last: i64,
    made: usize,
    scratch: Vec<u8>,
}

impl Comments {
    /// The comments of the next rows.
    fn of(&mut self, columns: &[ArrayRef]) -> Result<ArrayRef> {
        let keys = columns.first().and_then(|c| c.as_primitive_opt::<Int64Type>());
        let keys = keys.ok_or_else(|| Error::internal("a table without keys"))?;
        let whole = text::whole_if_made();
        let (least, most) = self.stream.lengths();
        let mut out = StringViewBuilder::with_capacity(keys.values().len());
        for key in keys.values() {
            let random = match &mut self.random {
                Some(random) => {
                    if self.last != *key {
                        random.row_finished();
                    }
                    random
                }
                None => {
                    let mut random = RowRandomInt::new(self.stream.seed, 2 * self.stream.group);
                    random.advance_rows((self.stream.before)(*key));
                    self.random.insert(random)
                }
            };
            self.last = *key;
            let begin = random.next_int(0, text::TEXT_BYTES - most);
            let length = random.next_int(least, most);
            match whole {
                Some(whole) => out.append_value(whole.text(begin, begin + length)),
                None => {
                    let piece = text::piece(begin as usize, length as usize, &mut self.scratch);
                    out.append_value(std::str::from_utf8(piece).map_err(|e| Error::internal(e.to_string()))?);
                }
            }
        }
        if whole.is_none() {
            self.made += keys.values().len();
            if self.made >= FEW_COMMENTS {
                text::prepare_whole();
            }
        }
        Ok(Arc::new(out.finish()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::compute::concat_batches;
    use tpchgen::distribution::Distributions;
    use tpchgen::generators::*;

    type Batches = Box<dyn Iterator<Item = RecordBatch>>;

    fn boxed<E: std::fmt::Debug>(
        batches: impl Iterator<Item = std::result::Result<RecordBatch, E>> + 'static,
    ) -> Batches {
        Box::new(batches.map(|b| b.unwrap()))
    }

    /// Ours and the generator's own.
    fn both(table: Table, part: i32) -> (Batches, Batches) {
        let all = Distributions::static_default();
        macro_rules! of {
            ($arrow:ident, $without:expr, $own:expr) => {
                (
                    boxed(WithComments::new(table, $arrow::new($without), 1000)),
                    boxed($arrow::new($own).with_batch_size(1000)),
                )
            };
            ($arrow:ident, $generator:ident) => {
                of!(
                    $arrow,
                    $generator::new_with_distributions_and_text_pool(0.01, part, 3, all, text::none()),
                    $generator::new(0.01, part, 3)
                )
            };
        }
        match table {
            Table::Customer => of!(CustomerArrow, CustomerGenerator),
            Table::Lineitem => of!(LineItemArrow, LineItemGenerator),
            Table::Orders => of!(OrderArrow, OrderGenerator),
            Table::Part => of!(PartArrow, PartGenerator),
            Table::Partsupp => of!(
                PartSuppArrow,
                PartSuppGenerator::new_with_text_pool(0.01, part, 3, text::none()),
                PartSuppGenerator::new(0.01, part, 3)
            ),
            Table::Nation => of!(
                NationArrow,
                NationGenerator::new_with_distributions_and_text_pool(all, text::none()),
                NationGenerator::default()
            ),
            _ => of!(
                RegionArrow,
                RegionGenerator::new_with_distributions_and_text_pool(all, text::none()),
                RegionGenerator::default()
            ),
        }
    }

    /// Of three parts, before and after the whole text is made; batches end within groups.
    #[test]
    fn rows_are_the_generators() {
        use Table::*;
        let tables = [Customer, Lineitem, Nation, Orders, Part, Partsupp, Region];
        let every = || tables.into_iter().flat_map(|table| (1..=3).map(move |part| (table, part)));
        let early: Vec<Vec<RecordBatch>> =
            every().map(|(table, part)| both(table, part).0.take(2).collect()).collect();
        text::whole();
        for ((table, part), early) in every().zip(early) {
            let (ours, own) = both(table, part);
            let (ours, own): (Vec<_>, Vec<_>) = (ours.collect(), own.collect());
            let whole = |batches: &[RecordBatch]| concat_batches(&own[0].schema(), batches).unwrap();
            assert_eq!(whole(&ours), whole(&own), "part {part} of {table:?}");
            let early = whole(&early);
            assert_eq!(early, whole(&own).slice(0, early.num_rows()), "part {part} of {table:?}");
        }
    }
}
