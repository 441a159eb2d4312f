//! Putting the results of branches together.

use crate::compare::Operand;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, make_array, new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::compute::{interleave, kernels::zip::zip};
use arrow::datatypes::{ArrowNativeType, DataType as ArrowType};
use std::sync::Arc;
use vonk_error::Result;
use vonk_functions::Datum;
use vonk_types::DataType;

/// The values of one branch.
pub(crate) struct Piece {
    /// The rows that take this branch. Masks of the pieces of one expression do not overlap.
    pub mask: BooleanBuffer,
    /// How many they are.
    pub count: usize,
    /// Whether `values` has only those rows (else all rows, or a constant).
    pub compact: bool,
    /// The values.
    pub values: Datum,
}

/// Each row from the piece that has it, null where none has.
pub(crate) fn assemble(mut pieces: Vec<Piece>, data_type: &DataType, rows: usize) -> Result<Datum> {
    let covered: usize = pieces.iter().map(|p| p.count).sum();
    let null = || new_null_array(&data_type.to_arrow(), 1);
    if pieces.is_empty() {
        return Ok(Datum::Scalar(null()));
    }
    if pieces.len() == 1 && covered == rows {
        return Ok(pieces.remove(0).values);
    }
    if pieces.len() <= 4 && pieces.iter().all(|p| !p.compact) {
        let mut rest = match covered == rows {
            true => pieces.pop().map_or_else(|| Datum::Scalar(null()), |p| p.values),
            false => Datum::Scalar(null()),
        };
        for piece in pieces.iter().rev() {
            rest = Datum::Array(select(&piece.mask, &piece.values, &rest, rows)?);
        }
        return Ok(rest);
    }
    let nulls = null();
    let mut arrays: Vec<&dyn Array> = pieces.iter().map(|p| p.values.values().as_ref()).collect();
    arrays.push(nulls.as_ref());
    let mut sources = vec![(pieces.len(), 0); rows];
    for (number, piece) in pieces.iter().enumerate() {
        for (nth, row) in piece.mask.set_indices().enumerate() {
            let position = if piece.compact { nth } else { piece.values.index(row) };
            sources[row] = (number, position);
        }
    }
    Ok(Datum::Array(interleave(&arrays, &sources)?))
}

/// `yes` where the mask is set, `no` elsewhere.
pub(crate) fn select(mask: &BooleanBuffer, yes: &Datum, no: &Datum, rows: usize) -> Result<ArrayRef> {
    let data_type = yes.values().data_type();
    if data_type != no.values().data_type() {
        return vonk_error::internal_err!("branches of {data_type} and {}", no.values().data_type());
    }
    // By width: the bits of a value do not care what they mean.
    match data_type.primitive_width() {
        Some(1) => return select_native::<i8>(mask, yes, no, rows),
        Some(2) => return select_native::<i16>(mask, yes, no, rows),
        Some(4) => return select_native::<i32>(mask, yes, no, rows),
        Some(8) => return select_native::<i64>(mask, yes, no, rows),
        Some(16) => return select_native::<i128>(mask, yes, no, rows),
        _ => {}
    }
    if data_type == &ArrowType::Boolean {
        return Ok(Arc::new(select_booleans(mask, yes, no, rows)));
    }
    let mask = BooleanArray::new(mask.clone(), None);
    Ok(zip(&mask, &Operand(yes), &Operand(no))?)
}

fn select_booleans(mask: &BooleanBuffer, yes: &Datum, no: &Datum, rows: usize) -> BooleanArray {
    let bits = |d: &Datum| -> BooleanBuffer {
        let a = d.values().as_boolean();
        match d {
            Datum::Array(_) => a.values().clone(),
            Datum::Scalar(_) if a.value(0) => BooleanBuffer::new_set(rows),
            Datum::Scalar(_) => BooleanBuffer::new_unset(rows),
        }
    };
    BooleanArray::new(select_bits(mask, &bits(yes), &bits(no)), select_nulls(mask, yes, no, rows))
}

fn select_bits(mask: &BooleanBuffer, yes: &BooleanBuffer, no: &BooleanBuffer) -> BooleanBuffer {
    &(mask & yes) | &(&!mask & no)
}

fn select_nulls(mask: &BooleanBuffer, yes: &Datum, no: &Datum, rows: usize) -> Option<NullBuffer> {
    let valid = |d: &Datum| -> Option<BooleanBuffer> {
        let nulls = d.values().nulls().filter(|n| n.null_count() > 0)?;
        Some(match d {
            Datum::Array(_) => nulls.inner().clone(),
            Datum::Scalar(_) => BooleanBuffer::new_unset(rows),
        })
    };
    let bits = match (valid(yes), valid(no)) {
        (None, None) => return None,
        (Some(y), None) => &y | &!mask,
        (None, Some(n)) => &n | mask,
        (Some(y), Some(n)) => select_bits(mask, &y, &n),
    };
    Some(NullBuffer::new(bits))
}

/// Selection over values of one width.
fn select_native<N: ArrowNativeType>(
    mask: &BooleanBuffer,
    yes: &Datum,
    no: &Datum,
    rows: usize,
) -> Result<ArrayRef> {
    let values = |d: &Datum| -> ScalarBuffer<N> {
        let data = d.values().to_data();
        ScalarBuffer::new(data.buffers()[0].clone(), data.offset(), data.len())
    };
    let (y, n) = (values(yes), values(no));
    let out: Vec<N> = match (yes.is_scalar(), no.is_scalar()) {
        (false, false) => choose(mask, rows, |i| y[i], |i| n[i]),
        (true, false) => choose(mask, rows, |_| y[0], |i| n[i]),
        (false, true) => choose(mask, rows, |i| y[i], |_| n[0]),
        (true, true) => choose(mask, rows, |_| y[0], |_| n[0]),
    };
    let data = arrow::array::ArrayData::builder(yes.values().data_type().clone())
        .len(rows)
        .add_buffer(ScalarBuffer::from(out).into_inner())
        .nulls(select_nulls(mask, yes, no, rows))
        .build()?;
    Ok(make_array(data))
}

fn choose<N: Copy>(
    mask: &BooleanBuffer,
    rows: usize,
    yes: impl Fn(usize) -> N,
    no: impl Fn(usize) -> N,
) -> Vec<N> {
    let mut out = Vec::with_capacity(rows);
    for (block, bits) in mask.bit_chunks().iter_padded().enumerate() {
        let start = block * 64;
        let end = (start + 64).min(rows);
        match bits {
            0 => out.extend((start..end).map(&no)),
            u64::MAX => out.extend((start..end).map(&yes)),
            _ => out.extend((start..end).map(|i| {
                let (y, n) = (yes(i), no(i));
                if bits >> (i - start) & 1 == 1 { y } else { n }
            })),
        }
        if end == rows {
            break;
        }
    }
    out
}

/// The bits of `inner` at the places where `outer` is set, unset elsewhere.
pub(crate) fn expand_mask(outer: &BooleanBuffer, inner: &BooleanBuffer) -> BooleanBuffer {
    let mut out = BooleanBufferBuilder::new(outer.len());
    out.append_n(outer.len(), false);
    for (nth, row) in outer.set_indices().enumerate() {
        if inner.value(nth) {
            out.set_bit(row, true);
        }
    }
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringViewArray};
    use arrow::datatypes::Int64Type;

    fn mask(bits: &[bool]) -> BooleanBuffer {
        BooleanBuffer::from(bits)
    }

    #[test]
    fn pieces_come_together() {
        let piece = |bits: &[bool], values: Datum, compact| Piece {
            mask: mask(bits),
            count: bits.iter().filter(|b| **b).count(),
            compact,
            values,
        };
        let a = Datum::Array(Arc::new(StringViewArray::from(vec!["a0", "a3"])));
        let b = Datum::Scalar(Arc::new(StringViewArray::from(vec!["b"])));
        let pieces =
            vec![piece(&[true, false, false, true], a, true), piece(&[false, true, false, false], b, false)];
        let out = assemble(pieces, &DataType::String, 4).unwrap().to_array(4).unwrap();
        let expected = StringViewArray::from(vec![Some("a0"), Some("b"), None, Some("a3")]);
        assert_eq!(out.as_string_view(), &expected);
    }

    #[test]
    fn selects_across_word_borders_and_offsets() {
        let n = 150;
        let yes = Int64Array::from_iter((0..n as i64 + 3).map(|i| (i % 7 != 0).then_some(i))).slice(3, n);
        let no = Int64Array::from_iter_values((0..n as i64).map(|i| -i));
        let bits: Vec<bool> = (0..n).map(|i| i % 3 == 0 || (64..128).contains(&i)).collect();
        let out = select(
            &mask(&bits),
            &Datum::Array(Arc::new(yes.clone())),
            &Datum::Array(Arc::new(no.clone())),
            n,
        )
        .unwrap();
        let out = out.as_primitive::<Int64Type>();
        for (i, bit) in bits.iter().enumerate() {
            let from = if *bit { &yes } else { &no };
            assert_eq!(out.is_null(i), from.is_null(i));
            assert!(out.is_null(i) || out.value(i) == from.value(i));
        }
    }
}
