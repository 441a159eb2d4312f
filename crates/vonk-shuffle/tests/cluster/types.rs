//! Every type of the engine comes back equal, nulls and slices included.

use crate::support::*;
use arrow::array::*;
use arrow::datatypes::IntervalUnit;
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Schema, TimeUnit};
use std::sync::Arc;
use vonk_shuffle::{Compression, Keep, ShuffleBlocks};

fn texts() -> ArrayRef {
    let long = "a text of more than twelve bytes";
    Arc::new(StringViewArray::from(vec![Some("short"), None, Some(long), Some(""), Some(long)]))
}

fn structs() -> ArrayRef {
    let fields: Fields =
        vec![Field::new("a", DataType::Int32, true), Field::new("b", DataType::Utf8View, true)].into();
    let a: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(3), Some(4), None]));
    let nulls = vec![true, true, false, true, true].into();
    Arc::new(StructArray::new(fields, vec![a, texts()], Some(nulls)))
}

fn lists() -> ArrayRef {
    let field = Arc::new(Field::new("element", DataType::Utf8View, true));
    let offsets = arrow::buffer::OffsetBuffer::new(vec![0, 2, 2, 2, 5, 5].into());
    let nulls = vec![true, true, false, true, true].into();
    Arc::new(ListArray::new(field, offsets, texts(), Some(nulls)))
}

fn maps() -> ArrayRef {
    let fields: Fields =
        vec![Field::new("key", DataType::Int32, false), Field::new("value", DataType::Utf8View, true)].into();
    let keys: ArrayRef = Arc::new(Int32Array::from_iter_values(0..5));
    let entries = StructArray::new(fields.clone(), vec![keys, texts()], None);
    let field = Arc::new(Field::new("entries", DataType::Struct(fields), false));
    let offsets = arrow::buffer::OffsetBuffer::new(vec![0, 1, 1, 3, 4, 5].into());
    Arc::new(MapArray::new(field, offsets, entries, None, false))
}

/// Five rows of everything.
fn everything() -> RecordBatch {
    let nested = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None]),
        None,
        Some(vec![]),
        Some(vec![Some(5)]),
        Some(vec![Some(6), Some(7), Some(8)]),
    ]);
    let binary: Vec<Option<&[u8]>> = vec![Some(b"\x00\xff"), None, Some(&[7; 40]), Some(b""), Some(b"x")];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(NullArray::new(5)),
        Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true), None])),
        Arc::new(Int8Array::from(vec![Some(i8::MIN), None, Some(0), Some(1), Some(i8::MAX)])),
        Arc::new(Int16Array::from(vec![1, 2, 3, 4, 5])),
        Arc::new(Int32Array::from(vec![Some(1), None, None, None, Some(5)])),
        Arc::new(Int64Array::from(vec![i64::MIN, -1, 0, 1, i64::MAX])),
        Arc::new(Float32Array::from(vec![f32::NAN, -0.0, 0.0, f32::INFINITY, 1.5])),
        Arc::new(Float64Array::from(vec![Some(f64::MIN), None, Some(0.1), Some(-0.0), Some(1e300)])),
        Arc::new(
            Decimal64Array::from(vec![Some(12345), None, Some(-1), Some(0), Some(1)])
                .with_precision_and_scale(18, 2)
                .unwrap(),
        ),
        Arc::new(
            Decimal128Array::from(vec![Some(i128::from(i64::MAX) * 10), None, Some(-1), Some(0), Some(1)])
                .with_precision_and_scale(38, 10)
                .unwrap(),
        ),
        Arc::new(Date32Array::from(vec![Some(-1), None, Some(0), Some(20_000), Some(i32::MAX)])),
        Arc::new(TimestampMicrosecondArray::from(vec![Some(-1), None, Some(0), Some(1), Some(2)])),
        Arc::new(TimestampMicrosecondArray::from(vec![1, 2, 3, 4, 5]).with_timezone("UTC")),
        Arc::new(IntervalYearMonthArray::from(vec![Some(13), None, Some(-1), Some(0), Some(1)])),
        Arc::new(DurationMicrosecondArray::from(vec![Some(1), None, Some(-1), Some(0), Some(1)])),
        Arc::new(BinaryViewArray::from(binary)),
        texts(),
        structs(),
        lists(),
        maps(),
        Arc::new(nested),
    ];
    assert_eq!(columns[11].data_type(), &DataType::Timestamp(TimeUnit::Microsecond, None));
    assert_eq!(columns[13].data_type(), &DataType::Interval(IntervalUnit::YearMonth));
    let named = columns.into_iter().enumerate().map(|(i, c)| (format!("c{i}"), c, true));
    RecordBatch::try_from_iter_with_nullable(named).unwrap()
}

#[test]
fn every_type_comes_back_equal() {
    let batch = everything();
    let many: Vec<RecordBatch> = std::iter::repeat_n(batch.clone(), 500).collect();
    let large = arrow::compute::concat_batches(&batch.schema(), &many).unwrap();
    let slices =
        [batch.slice(1, 3), batch.slice(4, 1), large.slice(7, 2001), batch.slice(2, 0), large.clone()];
    for compression in [Compression::Lz4, Compression::Zstd] {
        for (keep, memory) in [(Keep::Memory, 1 << 40), (Keep::Memory, 0), (Keep::Files, 1 << 40)] {
            let dir = tempfile::tempdir().unwrap();
            let setup = Setup { compression, memory, ..Default::default() };
            let nodes = [0, 1].map(|id| Node::start(id, dir.path(), keep.clone(), &setup));
            let pieces: Vec<_> = slices.iter().map(|s| (0, s.clone())).collect();
            nodes[0].write(1, 0, 1, &pieces);
            let places = places(&[&nodes[0]], 1);
            for reader in &nodes {
                let batches = reader.read(1, &places, 0).unwrap();
                assert_eq!(batches, slices);
            }
        }
    }
}

#[test]
fn rows_without_columns_keep_their_number() {
    let options = RecordBatchOptions::new().with_row_count(Some(12_345));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
    for keep in [Keep::Memory, Keep::Files] {
        let dir = tempfile::tempdir().unwrap();
        let nodes = [0, 1].map(|id| Node::start(id, dir.path(), keep.clone(), &Setup::default()));
        nodes[0].write(1, 0, 2, &[(1, batch.clone()), (1, batch.clone())]);
        let places = places(&[&nodes[0]], 1);
        let rows: Vec<usize> = nodes[1].read(1, &places, 1).unwrap().iter().map(|b| b.num_rows()).collect();
        assert_eq!(rows, [12_345, 12_345]);
        assert_eq!(nodes[1].read(1, &places, 0).unwrap().len(), 0);
    }
}

#[test]
fn batches_of_another_schema_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(0, dir.path(), Keep::Files, &Setup::default());
    let mut writer = node.blocks.writer(1, 0, 0, 1).unwrap();
    writer.push(0, numbers(0..1)).unwrap();
    assert!(writer.push(0, everything()).is_err());
    assert!(writer.push(1, numbers(0..1)).is_err(), "no such partition");
    drop(writer);
    assert_eq!(files(dir.path()).len(), 0);
    assert_eq!(node.memory.used(), 0);
}
