//! What every accumulator does with rows and groups: which rows count, and handing groups out.

use super::EmitTo;
use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};

/// The rows that count: no argument null, and passed by the filter. `None` means all, the case to be fast in.
pub(crate) fn counted(args: &[ArrayRef], filter: Option<&BooleanArray>) -> Option<BooleanBuffer> {
    let nulls = args.iter().filter_map(|a| a.logical_nulls().filter(|n| n.null_count() > 0));
    intersect(nulls.map(NullBuffer::into_inner), filter)
}

/// As [`counted`] for aggregates that look at nulls too: the filter alone.
pub(crate) fn passed(filter: Option<&BooleanArray>) -> Option<BooleanBuffer> {
    intersect(std::iter::empty(), filter)
}

fn intersect(
    masks: impl Iterator<Item = BooleanBuffer>,
    filter: Option<&BooleanArray>,
) -> Option<BooleanBuffer> {
    let filter = filter.map(|f| match f.nulls().filter(|n| n.null_count() > 0) {
        Some(nulls) => f.values() & nulls.inner(),
        None => f.values().clone(),
    });
    masks.chain(filter).reduce(|a, b| &a & &b)
}

/// Calls `f(row, group)` for each row that counts.
#[inline]
pub(crate) fn each(groups: &[u32], mask: Option<&BooleanBuffer>, mut f: impl FnMut(usize, usize)) {
    match mask {
        None => {
            for (row, group) in groups.iter().enumerate() {
                f(row, *group as usize);
            }
        }
        Some(mask) => {
            for row in mask.set_indices() {
                f(row, groups[row] as usize);
            }
        }
    }
}

/// Calls `f(row)` for each row that counts.
#[inline]
pub(crate) fn each_row(rows: usize, mask: Option<&BooleanBuffer>, f: impl FnMut(usize)) {
    match mask {
        None => (0..rows).for_each(f),
        Some(mask) => mask.set_indices().for_each(f),
    }
}

/// Takes the groups to be handed out from the front.
pub(crate) fn emit<T>(states: &mut Vec<T>, emit: EmitTo) -> Vec<T> {
    match emit {
        EmitTo::All => std::mem::take(states),
        EmitTo::First(n) if n >= states.len() => std::mem::take(states),
        EmitTo::First(n) => {
            let rest = states.split_off(n);
            std::mem::replace(states, rest)
        }
    }
}

/// Nulls where `valid` does not hold; `None` if it holds everywhere.
pub(crate) fn nulls_where_not(n: usize, valid: impl Fn(usize) -> bool) -> Option<NullBuffer> {
    let nulls = NullBuffer::new(BooleanBuffer::collect_bool(n, valid));
    (nulls.null_count() > 0).then_some(nulls)
}
