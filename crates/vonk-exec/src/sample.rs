//! A random part of the rows: Spark's samples, with Spark's random numbers. The same seed and partitions give the same rows.

mod poisson;

use crate::batch::with_rows;
use crate::build;
use crate::context::TaskContext;
use crate::gather::Gather;
use crate::operator::{BoxedOperator, Operator};
use arrow::array::{BooleanArray, RecordBatch, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::take;
use poisson::Poisson;
use vonk_error::Result;
use vonk_physical::{PlanNode, Sampling};

/// Makes the operator.
pub(crate) fn operator(
    cx: &TaskContext,
    sampling: Sampling,
    seed: u64,
    input: &PlanNode,
) -> Result<BoxedOperator> {
    Ok(Box::new(Sample {
        chooser: Chooser::new(sampling, seed as i64, cx.partition),
        gather: Gather::new(input.schema.to_arrow_schema(), cx.query.batch_rows),
        cx: cx.clone(),
        input: build::operator(cx, input)?,
        done: false,
    }))
}

struct Sample {
    cx: TaskContext,
    chooser: Chooser,
    gather: Gather,
    input: BoxedOperator,
    done: bool,
}

impl Operator for Sample {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.gather.ready()? {
                return Ok(Some(batch));
            }
            if self.done {
                return self.gather.rest();
            }
            let Some(batch) = self.input.next()? else {
                self.done = true;
                continue;
            };
            self.cx.check_cancelled()?;
            match &mut self.chooser {
                Chooser::Once { random, from, to } => {
                    let mask = BooleanBuffer::collect_bool(batch.num_rows(), |_| {
                        let number = random.next_double();
                        *from <= number && number < *to
                    });
                    self.gather.push_filtered(batch, &BooleanArray::new(mask, None))?;
                }
                Chooser::Repeated(variates) => self.gather.push(repeated(&batch, variates)?)?,
            }
        }
    }
}

/// Says how often a row is put out.
enum Chooser {
    /// Never or once.
    Once { random: XorShift, from: f64, to: f64 },
    /// So often.
    Repeated(Poisson),
}

impl Chooser {
    fn new(sampling: Sampling, seed: i64, partition: u32) -> Chooser {
        match sampling {
            Sampling::Range { from, to } => {
                Chooser::Once { random: XorShift::new(seed.wrapping_add(i64::from(partition))), from, to }
            }
            Sampling::Poisson { mean } => Chooser::Repeated(Poisson::new(mean, seed, partition)),
        }
    }
}

/// Each row as often as its variate says. A large mean makes large batches: as many rows as it says for each.
fn repeated(batch: &RecordBatch, variates: &mut Poisson) -> Result<RecordBatch> {
    let mut rows = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() as u32 {
        rows.extend(std::iter::repeat_n(row, variates.next() as usize));
    }
    let count = rows.len();
    let rows = UInt32Array::from(rows);
    let columns = batch.columns().iter().map(|c| Ok(take(c, &rows, None)?));
    with_rows(&batch.schema(), columns.collect::<Result<_>>()?, count)
}

/// Marsaglia's xorshift as Spark has it (`XORShiftRandom`).
struct XorShift(i64);

impl XorShift {
    fn new(seed: i64) -> Self {
        let bytes = seed.to_be_bytes();
        let low = murmur3(&bytes, 0x3c07_4a61);
        let high = murmur3(&bytes, low);
        XorShift((i64::from(high as i32) << 32) | i64::from(low))
    }

    fn next(&mut self, bits: u32) -> i32 {
        let mut x = self.0 ^ (self.0 << 21);
        x ^= ((x as u64) >> 35) as i64;
        x ^= x << 4;
        self.0 = x;
        (x & ((1i64 << bits) - 1)) as i32
    }

    fn next_double(&mut self) -> f64 {
        let high = i64::from(self.next(26)) << 27;
        (high + i64::from(self.next(27))) as f64 / (1u64 << 53) as f64
    }
}

/// Scala's `MurmurHash3.bytesHash` of eight bytes.
fn murmur3(bytes: &[u8; 8], seed: u32) -> u32 {
    let (words, _) = bytes.as_chunks::<4>();
    let mut h = seed;
    for w in words {
        let k = u32::from_le_bytes(*w).wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
        h = (h ^ k).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    h ^= bytes.len() as u32;
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

#[cfg(test)]
mod tests {
    use crate::testing::{node, run_with};
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    use vonk_physical::{PhysicalPlan, Sampling};
    use vonk_types::DataType;

    #[test]
    fn samples_as_spark() {
        let range = PhysicalPlan::Range { start: 0, end: 100, step: 1, partitions: 1 };
        let input = Box::new(node(&[DataType::Long], range));
        let sampling = Sampling::share(0.2);
        let plan = node(&[DataType::Long], PhysicalPlan::Sample { sampling, seed: 42, input });
        let rows = run_with(plan, None, 7, 0).unwrap();
        let got = rows.column(0).as_primitive::<Int64Type>().values().to_vec();
        assert_eq!(got, SPARK);
    }

    /// `SELECT * FROM v TABLESAMPLE (20 PERCENT) REPEATABLE (42)` in Spark, where `v` is `range(0, 100, 1, 1)`.
    const SPARK: &[i64] = &[7, 16, 18, 26, 36, 38, 48, 50, 58, 63, 65, 66, 67, 72, 79, 88, 90];
}
