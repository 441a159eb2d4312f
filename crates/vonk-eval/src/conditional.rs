//! AND, OR, CASE and COALESCE: later parts are evaluated only on the rows that ask for them.
//!
//! Where a part cannot raise an error it is evaluated on all rows, which is faster than gathering those that need it,
//! unless these are few.

use crate::program::{Node, NodeId, Op, Program};
use crate::scope::Scope;
use crate::select::{Piece, assemble, expand_mask, select};
use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{and_kleene, or_kleene};
use vonk_error::Result;
use vonk_functions::Datum;

/// A part that cannot fail is evaluated on all rows unless fewer than one in this many needs it.
const GATHER_BELOW: usize = 8;

impl Node {
    /// Whether to evaluate this only on the `needed` of `rows` rows.
    fn gathers(&self, needed: usize, rows: usize) -> bool {
        if needed == rows || self.free() {
            return false;
        }
        self.guarded() || needed * GATHER_BELOW < rows
    }
}

impl Program {
    /// Kleene conjunction.
    pub fn and(&self, children: &[NodeId], scope: &Scope<'_>) -> Result<BooleanArray> {
        self.kleene(children, scope, false)
    }

    /// Kleene disjunction.
    pub fn or(&self, children: &[NodeId], scope: &Scope<'_>) -> Result<BooleanArray> {
        self.kleene(children, scope, true)
    }

    /// Conjunction or disjunction; `decided` is the value that settles a row.
    fn kleene(&self, children: &[NodeId], scope: &Scope<'_>, decided: bool) -> Result<BooleanArray> {
        let rows = scope.rows();
        let mut result: Option<BooleanArray> = None;
        for &child in children {
            let Some(so_far) = result.take() else {
                result = Some(self.booleans(child, scope)?);
                continue;
            };
            let settled = truth_mask(&so_far, decided);
            let open = !&settled;
            let needed = open.count_set_bits();
            if needed == 0 {
                return Ok(so_far);
            }
            let next = if self.node(child).gathers(needed, rows) {
                let narrow = self.booleans(child, &Scope::filtered(scope, &open))?;
                let values = expand_mask(&open, narrow.values());
                let nulls = narrow.nulls().map(|n| {
                    // Rows that did not ask are settled: their value here does not matter, but it must not be null.
                    arrow::buffer::NullBuffer::new(&expand_mask(&open, n.inner()) | &settled)
                });
                let values = if decided { values } else { &values & &open };
                BooleanArray::new(values, nulls)
            } else {
                self.booleans(child, scope)?
            };
            let combine = if decided { or_kleene } else { and_kleene };
            result = Some(combine(&so_far, &next)?);
        }
        Ok(result.unwrap_or_else(|| {
            let neutral = if decided { BooleanBuffer::new_unset(rows) } else { BooleanBuffer::new_set(rows) };
            BooleanArray::new(neutral, None)
        }))
    }

    /// A predicate as a mask: set where it is true.
    pub fn mask(&self, id: NodeId, scope: &Scope<'_>) -> Result<BooleanBuffer> {
        let node = self.node(id);
        let rows = scope.rows();
        // A shared node is computed as a value, so that others find it.
        match &node.op {
            Op::And if !node.shared() => crate::program::with_stack(|| {
                let mut mask: Option<BooleanBuffer> = None;
                for &child in &node.children {
                    mask = Some(match mask {
                        None => self.mask(child, scope)?,
                        Some(open) => {
                            let needed = open.count_set_bits();
                            if needed == 0 {
                                return Ok(open);
                            }
                            if self.node(child).gathers(needed, rows) {
                                let narrow = self.mask(child, &Scope::filtered(scope, &open))?;
                                expand_mask(&open, &narrow)
                            } else {
                                &open & &self.mask(child, scope)?
                            }
                        }
                    });
                }
                Ok(mask.unwrap_or_else(|| BooleanBuffer::new_set(rows)))
            }),
            Op::Or if !node.shared() => crate::program::with_stack(|| {
                let mut mask: Option<BooleanBuffer> = None;
                for &child in &node.children {
                    mask = Some(match mask {
                        None => self.mask(child, scope)?,
                        Some(found) => {
                            let open = !&found;
                            let needed = open.count_set_bits();
                            if needed == 0 {
                                return Ok(found);
                            }
                            if self.node(child).gathers(needed, rows) {
                                let narrow = self.mask(child, &Scope::filtered(scope, &open))?;
                                &found | &expand_mask(&open, &narrow)
                            } else {
                                &found | &self.mask(child, scope)?
                            }
                        }
                    });
                }
                Ok(mask.unwrap_or_else(|| BooleanBuffer::new_unset(rows)))
            }),
            _ => Ok(truth_mask(&self.booleans(id, scope)?, true)),
        }
    }

    /// CASE: each row takes the value of its first true condition.
    pub fn case(&self, node: &Node, branches: usize, scope: &Scope<'_>) -> Result<Datum> {
        let rows = scope.rows();
        let mut open = BooleanBuffer::new_set(rows);
        let mut left = rows;
        let mut pieces: Vec<Piece> = Vec::with_capacity(branches + 1);
        for branch in 0..branches {
            if left == 0 {
                break;
            }
            let condition = node.children[2 * branch];
            let taken = if self.node(condition).gathers(left, rows) {
                let narrow = self.mask(condition, &Scope::filtered(scope, &open))?;
                expand_mask(&open, &narrow)
            } else {
                let all = self.mask(condition, scope)?;
                if left == rows { all } else { &all & &open }
            };
            let count = taken.count_set_bits();
            if count == 0 {
                continue;
            }
            open = &open & &!&taken;
            left -= count;
            pieces.push(self.piece(node.children[2 * branch + 1], taken, count, scope)?);
        }
        if left > 0
            && let Some(&otherwise) = node.children.get(2 * branches)
        {
            pieces.push(self.piece(otherwise, open, left, scope)?);
        }
        assemble(pieces, &node.data_type, rows)
    }

    /// The values of `id` for the rows of `mask`.
    fn piece(&self, id: NodeId, mask: BooleanBuffer, count: usize, scope: &Scope<'_>) -> Result<Piece> {
        let compact = self.node(id).gathers(count, scope.rows());
        let values = if compact {
            self.evaluate(id, &Scope::filtered(scope, &mask))?
        } else {
            self.evaluate(id, scope)?
        };
        Ok(Piece { mask, count, compact: compact && !values.is_scalar(), values })
    }

    /// COALESCE: each row takes its first value that is not null.
    pub fn coalesce(&self, node: &Node, scope: &Scope<'_>) -> Result<Datum> {
        let rows = scope.rows();
        let mut result: Option<Datum> = None;
        for &child in &node.children {
            let so_far = match result.take() {
                None => {
                    result = Some(self.evaluate(child, scope)?);
                    continue;
                }
                Some(Datum::Scalar(a)) => {
                    result = Some(if a.is_null(0) || a.logical_null_count() > 0 {
                        self.evaluate(child, scope)?
                    } else {
                        return Ok(Datum::Scalar(a));
                    });
                    continue;
                }
                Some(Datum::Array(a)) => a,
            };
            let Some(nulls) = so_far.logical_nulls().filter(|n| n.null_count() > 0) else {
                return Ok(Datum::Array(so_far));
            };
            let missing = !nulls.inner();
            let piece = self.piece(child, missing, nulls.null_count(), scope)?;
            result = Some(Datum::Array(self.fill(so_far, nulls.inner(), piece, node, rows)?));
        }
        match result {
            Some(d) => Ok(d),
            None => Ok(Datum::Scalar(arrow::array::new_null_array(&node.data_type.to_arrow(), 1))),
        }
    }

    fn fill(
        &self,
        so_far: ArrayRef,
        present: &BooleanBuffer,
        piece: Piece,
        node: &Node,
        rows: usize,
    ) -> Result<ArrayRef> {
        let so_far = Datum::Array(so_far);
        if !piece.compact {
            return select(present, &so_far, &piece.values, rows);
        }
        let count = rows - piece.count;
        let kept = Piece { mask: present.clone(), count, compact: false, values: so_far };
        assemble(vec![kept, piece], &node.data_type, rows)?.to_array(rows)
    }
}

/// Set where the array is `truth`: not false, not null (or not true, not null).
pub(crate) fn truth_mask(array: &BooleanArray, truth: bool) -> BooleanBuffer {
    let values = if truth { array.values().clone() } else { !array.values() };
    match array.nulls().filter(|n| n.null_count() > 0) {
        Some(nulls) => &values & nulls.inner(),
        None => values,
    }
}
