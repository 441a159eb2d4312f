//! `collect_list`, `collect_set`, and the gathering of all values of a group that others build on.

use super::groups::counted;
use super::inputs;
use super::{AggregateCall, AggregateFunction, EmitTo, GroupsAccumulator};
use crate::describe::{Docs, ex};
use crate::normalize::normalize_floats;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::Display;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, new_empty_array};
use arrow::buffer::{BooleanBuffer, OffsetBuffer};
use arrow::compute::{filter, interleave};
use arrow::row::{RowConverter, SortField};
use hashbrown::HashSet;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::arrow_types::list_field;
use vonk_types::{DataType, Literal, ScalarValue};

const LIST: Docs = Docs::aggregate(
    "collect_list(expr)",
    "Array of the values that are not null, in the order of the rows.",
    "2.0.0",
    &[
        ex("SELECT collect_list(col) FROM VALUES (1), (2), (NULL), (1) AS tab(col)", "[1,2,1]"),
        ex("SELECT array_agg(col) FROM VALUES ('a'), ('b') AS tab(col)", "[\"a\",\"b\"]"),
    ],
);
const SET: Docs = Docs::aggregate(
    "collect_set(expr)",
    "Array of the different values that are not null.",
    "2.0.0",
    &[ex("SELECT sort_array(collect_set(col)) FROM VALUES (1), (2), (NULL), (1) AS tab(col)", "[1,2]")],
);

pub(super) fn rows() -> Vec<AggregateFunction> {
    let one = Arity::exactly(1);
    let empty: Option<fn() -> Literal> = Some(empty_array);
    vec![
        AggregateFunction {
            aliases: &["array_agg"],
            order_sensitive: true,
            on_empty: empty,
            display: Display::Custom(|_, args| format!("collect_list({})", args.join(", "))),
            ..AggregateFunction::new("collect_list", LIST, one, resolve_list, state_types, |c| {
                Collect::boxed(&c.arg_types[0], None, Box::new(into_list))
            })
        },
        AggregateFunction {
            duplicate_insensitive: true,
            order_sensitive: true,
            on_empty: empty,
            ..AggregateFunction::new("collect_set", SET, one, resolve_set, state_types, |c| {
                Collect::boxed(&c.arg_types[0], Some(Distinct::new(&c.arg_types[0])?), Box::new(into_list))
            })
        },
    ]
}

/// `array()` of nothing in particular; the planner casts it to the type of the call.
fn empty_array() -> Literal {
    let element = DataType::Null.to_arrow();
    let list = ScalarValue::new_list_nullable(&[], &element);
    Literal { value: ScalarValue::List(list), data_type: DataType::array(DataType::Null, false) }
}

fn resolve_list(site: &CallSite<'_>) -> Result<Resolution> {
    inputs::never_null(inputs::as_given(site), DataType::array(site.arg_type(0).clone(), false))
}

fn resolve_set(site: &CallSite<'_>) -> Result<Resolution> {
    if has_map(site.arg_type(0)) {
        return Err(Error::new("DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE")
            .with("functionName", "`collect_set`")
            .with("dataType", "\"MAP\" or \"COLLATED STRING\"")
            .at(site.span));
    }
    resolve_list(site)
}

fn has_map(t: &DataType) -> bool {
    match t {
        DataType::Map(..) => true,
        DataType::Array(e, _) => has_map(e),
        DataType::Struct(s) => s.fields.iter().any(|f| has_map(&f.data_type)),
        _ => false,
    }
}

/// The state of everything that collects: an array of the values.
pub(super) fn state_types(call: &AggregateCall<'_>) -> Vec<DataType> {
    vec![DataType::array(call.arg_types[0].clone(), false)]
}

fn into_list(offsets: &[i32], values: ArrayRef) -> Result<ArrayRef> {
    list_array(offsets.to_vec(), values)
}

/// A list array; its elements have the type of `values`.
pub(super) fn list_array(offsets: Vec<i32>, values: ArrayRef) -> Result<ArrayRef> {
    // The one field that lists of this element have; nullability is not in Arrow's type.
    let field = list_field(&DataType::Null, true).as_ref().clone().with_data_type(values.data_type().clone());
    Ok(Arc::new(ListArray::try_new(Arc::new(field), OffsetBuffer::new(offsets.into()), values, None)?))
}

/// Makes the result of values that lie group after group: group `i` has `offsets[i]..offsets[i + 1]`.
pub(super) type Finish = Box<dyn Fn(&[i32], ArrayRef) -> Result<ArrayRef> + Send>;

/// Keeps all values, each with its group, until they are asked for.
pub(super) struct Collect {
    chunks: Vec<ArrayRef>,
    /// Group of each value, over all chunks.
    groups: Vec<u32>,
    num_groups: usize,
    empty: ArrayRef,
    distinct: Option<Distinct>,
    finish: Finish,
    bytes: usize,
}

impl Collect {
    /// Collects values of a type, different ones only if `distinct`.
    pub fn boxed(
        data_type: &DataType,
        distinct: Option<Distinct>,
        finish: Finish,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Collect {
            chunks: Vec::new(),
            groups: Vec::new(),
            num_groups: 0,
            empty: new_empty_array(&data_type.to_arrow()),
            distinct,
            finish,
            bytes: 0,
        }))
    }

    fn add(&mut self, values: &ArrayRef, groups: &[u32], mask: Option<BooleanBuffer>) -> Result<()> {
        let mut mask = mask;
        let values = if self.distinct.is_some() { normalize_floats(values)? } else { values.clone() };
        if let Some(distinct) = &mut self.distinct {
            mask = Some(distinct.fresh(&values, groups, mask.as_ref())?);
        }
        let chunk = match mask {
            None => {
                self.groups.extend_from_slice(groups);
                values
            }
            Some(mask) => {
                self.groups.extend(mask.set_indices().map(|row| groups[row]));
                filter(&values, &BooleanArray::new(mask, None))?
            }
        };
        if !chunk.is_empty() {
            self.bytes += chunk.to_data().get_slice_memory_size().unwrap_or_default();
            self.chunks.push(chunk);
        }
        Ok(())
    }

    /// Takes the values of the groups to be handed out: offsets, and values group after group.
    fn take(&mut self, to: EmitTo) -> Result<(Vec<i32>, ArrayRef)> {
        let n = match to {
            EmitTo::All => self.num_groups,
            EmitTo::First(n) => n.min(self.num_groups),
        };
        let mut offsets = vec![0i32; n + 1];
        for group in self.groups.iter().filter(|g| (**g as usize) < n) {
            offsets[*group as usize + 1] += 1;
        }
        for i in 0..n {
            let sum = offsets[i].checked_add(offsets[i + 1]);
            offsets[i + 1] = sum.ok_or_else(|| Error::unsupported("more than 2^31 values in one array"))?;
        }
        let mut next = offsets.clone();
        let mut sources = vec![(0usize, 0usize); offsets[n] as usize];
        let mut kept = Vec::new();
        let mut kept_groups = Vec::new();
        let places = self.chunks.iter().enumerate().flat_map(|(c, a)| (0..a.len()).map(move |r| (c, r)));
        for (place, group) in places.zip(&self.groups) {
            let g = *group as usize;
            if g < n {
                sources[next[g] as usize] = place;
                next[g] += 1;
            } else {
                kept.push(place);
                kept_groups.push(*group - n as u32);
            }
        }
        let values = self.gather(&sources)?;
        let rest = self.gather(&kept)?;
        self.num_groups -= n;
        self.groups = kept_groups;
        self.bytes = rest.to_data().get_slice_memory_size().unwrap_or_default();
        if let Some(distinct) = &mut self.distinct {
            distinct.seen.clear();
            distinct.fresh(&rest, &self.groups, None)?;
        }
        self.chunks = if rest.is_empty() { Vec::new() } else { vec![rest] };
        Ok((offsets, values))
    }

    fn gather(&self, sources: &[(usize, usize)]) -> Result<ArrayRef> {
        if sources.is_empty() {
            return Ok(self.empty.clone());
        }
        let chunks: Vec<&dyn Array> = self.chunks.iter().map(|c| c.as_ref()).collect();
        Ok(interleave(&chunks, sources)?)
    }
}

impl GroupsAccumulator for Collect {
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        self.num_groups = num_groups;
        let mask = counted(&args[..1], filter);
        self.add(&args[0], groups, mask)
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32], num_groups: usize) -> Result<()> {
        self.num_groups = num_groups;
        let lists = states[0].as_list::<i32>();
        let (first, last) = (lists.offsets()[0] as usize, lists.offsets()[lists.len()] as usize);
        let values = lists.values().slice(first, last - first);
        let lengths = lists.offsets().lengths();
        let groups: Vec<u32> =
            groups.iter().zip(lengths).flat_map(|(g, n)| std::iter::repeat_n(*g, n)).collect();
        self.add(&values, &groups, None)
    }

    fn state(&mut self, to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (offsets, values) = self.take(to)?;
        Ok(vec![list_array(offsets, values)?])
    }

    fn evaluate(&mut self, to: EmitTo) -> Result<ArrayRef> {
        let (offsets, values) = self.take(to)?;
        (self.finish)(&offsets, values)
    }

    fn size(&self) -> usize {
        self.bytes
            + self.groups.capacity() * size_of::<u32>()
            + self.distinct.as_ref().map_or(0, |d| d.seen.capacity() * 24 + d.bytes)
    }
}

/// Which values a group has had.
pub(super) struct Distinct {
    converter: RowConverter,
    /// Group number and ordered bytes.
    seen: HashSet<Box<[u8]>>,
    bytes: usize,
}

impl Distinct {
    pub fn new(data_type: &DataType) -> Result<Self> {
        let converter = RowConverter::new(vec![SortField::new(data_type.to_arrow())])?;
        Ok(Distinct { converter, seen: HashSet::new(), bytes: 0 })
    }

    /// The rows whose value is new to their group.
    fn fresh(
        &mut self,
        values: &ArrayRef,
        groups: &[u32],
        mask: Option<&BooleanBuffer>,
    ) -> Result<BooleanBuffer> {
        let rows = self.converter.convert_columns(std::slice::from_ref(values))?;
        let mut key = Vec::new();
        Ok(BooleanBuffer::collect_bool(values.len(), |row| {
            if mask.is_some_and(|m| !m.value(row)) {
                return false;
            }
            key.clear();
            key.extend_from_slice(&groups[row].to_le_bytes());
            key.extend_from_slice(rows.row(row).as_ref());
            if self.seen.contains(key.as_slice()) {
                return false;
            }
            self.bytes += key.len();
            self.seen.insert(key.as_slice().into());
            true
        }))
    }
}
