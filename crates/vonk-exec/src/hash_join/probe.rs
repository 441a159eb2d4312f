//! Probing: batches against a table.

use super::output::{Condition, Output, Rows};
use super::roles::{Fate, Roles};
use super::side::Form;
use super::table::JoinTable;
use crate::context::TaskContext;
use crate::hashing::{NONE, Scratch};
use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use std::sync::Arc;
use vonk_error::CancelFlag;
use vonk_error::{Error, Result};

/// One run of probe rows past a table.
pub(crate) struct Pass {
    /// The table.
    pub table: Arc<JoinTable>,
    /// Build rows that have matched (or their keys, if there is no condition); empty if nobody asks.
    visited: Vec<bool>,
    /// What earlier tables did for the same probe rows, where the build side comes in pieces.
    prior: Option<Prior>,
    /// The last table for these probe rows: their fate is sealed.
    last: bool,
}

/// What is known of probe rows from pieces of the build side.
#[derive(Default)]
pub(crate) struct Prior {
    matched: Vec<bool>,
    unknown: Vec<bool>,
    /// Probe rows of this pass so far.
    at: usize,
}

/// A probe batch on its way.
struct Current {
    batch: RecordBatch,
    /// Key numbers.
    ids: Vec<u32>,
    /// Next pair: probe row, and position in its key's chain.
    row: usize,
    link: usize,
    matched: Vec<bool>,
    unknown: Vec<bool>,
}

/// Finds pairs and decides what comes out.
pub(crate) struct Prober {
    roles: Roles,
    output: Output,
    condition: Option<Condition>,
    batch_rows: usize,
    cancel: CancelFlag,
    scratch: Scratch,
    current: Option<Current>,
    /// Space for key numbers, handed from batch to batch.
    ids: Vec<u32>,
}

impl Pass {
    /// All probe rows against all build rows.
    pub fn whole(table: Arc<JoinTable>) -> Pass {
        Pass { table, visited: vec![], prior: None, last: true }
    }

    /// All probe rows against a piece of the build side, after others.
    pub fn piece(table: Arc<JoinTable>, prior: Prior, last: bool) -> Pass {
        Pass { table, visited: vec![], prior: Some(Prior { at: 0, ..prior }), last }
    }

    /// What the next piece needs to know.
    pub fn into_prior(self) -> Prior {
        self.prior.unwrap_or_default()
    }
}

impl Prober {
    /// A prober.
    pub fn new(cx: &TaskContext, roles: Roles, output: Output, condition: Option<Condition>) -> Self {
        Prober {
            roles,
            output,
            condition,
            batch_rows: cx.query.batch_rows,
            cancel: cx.cancel.clone(),
            scratch: Scratch::default(),
            current: None,
            ids: Vec::new(),
        }
    }

    /// Begins a batch of probe rows. The one before must be finished.
    pub fn begin(&mut self, pass: &mut Pass, form: &Form, batch: RecordBatch) -> Result<()> {
        let keys = form.keys(&batch);
        let mut ids = std::mem::take(&mut self.ids);
        pass.table.find(&keys, batch.num_rows(), &mut self.scratch, &mut ids)?;
        let n = batch.num_rows();
        let (mut matched, mut unknown) = (vec![], vec![]);
        if self.roles.needs_matched() {
            matched = pass
                .prior
                .as_ref()
                .and_then(|p| p.matched.get(p.at..p.at + n))
                .map_or(vec![false; n], <[_]>::to_vec);
        }
        if self.roles.null_aware {
            unknown = pass
                .prior
                .as_ref()
                .and_then(|p| p.unknown.get(p.at..p.at + n))
                .map_or(vec![false; n], <[_]>::to_vec);
            if let ([key], false) = (&keys[..], pass.table.rows.num_rows() == 0) {
                note_nulls(key, pass.table.has_null_key, &ids, &mut unknown);
            }
        }
        if self.roles.needs_visited() && pass.visited.is_empty() {
            let by_key = self.condition.is_none();
            let n = if by_key { pass.table.num_keys() } else { pass.table.rows.num_rows() };
            pass.visited = vec![false; n];
        }
        self.current = Some(Current { batch, ids, row: 0, link: 0, matched, unknown });
        Ok(())
    }

    /// The next output of the batch begun; `None` when it is finished.
    pub fn next(&mut self, pass: &mut Pass) -> Result<Option<RecordBatch>> {
        let Some(mut current) = self.current.take() else { return Ok(None) };
        let out = if self.condition.is_some() {
            self.conditional(pass, &mut current)?
        } else {
            self.unconditional(pass, &mut current)?
        };
        if out.is_some() {
            self.current = Some(current);
            return Ok(out);
        }
        let out = self.seal(pass, &current)?;
        self.ids = current.ids;
        Ok(out)
    }

    /// Pairs whose keys are equal, where that is all that is asked.
    fn unconditional(&mut self, pass: &mut Pass, current: &mut Current) -> Result<Option<RecordBatch>> {
        if current.row == 0 && current.link == 0 {
            self.note_keys(pass, current)?;
        }
        if !self.roles.pairs {
            return Ok(None);
        }
        // Rows without a match can come out among the pairs, if no other piece of the build side has one for them.
        let extend = self.roles.probe == Fate::Extended && pass.prior.is_none();
        let table = &pass.table;
        let (mut probe, mut build) = (Vec::new(), Vec::new());
        if table.is_unique() {
            if std::mem::replace(&mut current.row, current.ids.len()) > 0 {
                return Ok(None);
            }
            if extend {
                return self.one_each(table, current);
            }
            for (row, id) in current.ids.iter().enumerate() {
                if *id != NONE {
                    probe.push(row as u32);
                    build.push(*id);
                }
            }
            if probe.len() == current.ids.len() {
                return self.one_each(table, current);
            }
        } else {
            chains(table, current, self.batch_rows, extend, &mut probe, &mut build, |_| false);
        }
        if probe.is_empty() {
            return Ok(None);
        }
        let n = probe.len();
        let (probe, build) = (UInt32Array::from(probe), build_rows(build, extend));
        let probe = Some((&current.batch, Rows::Some(&probe)));
        Ok(Some(self.output.rows(n, probe, Some((&table.rows, Rows::Some(&build))), None)?))
    }

    /// Every probe row comes out once.
    fn one_each(&self, table: &JoinTable, current: &Current) -> Result<Option<RecordBatch>> {
        let build = build_rows(current.ids.clone(), true);
        let probe = Some((&current.batch, Rows::All));
        let n = current.ids.len();
        Ok(Some(self.output.rows(n, probe, Some((&table.rows, Rows::Some(&build))), None)?))
    }

    /// Notes which rows match by their keys alone.
    fn note_keys(&self, pass: &mut Pass, current: &mut Current) -> Result<()> {
        let single_probe = self.roles.single && self.roles.probe_is_left;
        let single_build = self.roles.single && !self.roles.probe_is_left;
        if self.roles.needs_matched() {
            for (matched, id) in current.matched.iter_mut().zip(&current.ids) {
                if *id == NONE {
                    continue;
                }
                if single_probe && (*matched || pass.table.count(*id) > 1) {
                    return Err(too_many_rows());
                }
                *matched = true;
            }
        }
        if self.roles.needs_visited() {
            for id in current.ids.iter().filter(|id| **id != NONE) {
                let visited = &mut pass.visited[*id as usize];
                if single_build && *visited {
                    return Err(too_many_rows());
                }
                *visited = true;
            }
        }
        Ok(())
    }

    /// Pairs whose keys are equal and that satisfy the condition.
    fn conditional(&mut self, pass: &mut Pass, current: &mut Current) -> Result<Option<RecordBatch>> {
        let roles = self.roles;
        let Some(condition) = &mut self.condition else { return Ok(None) };
        let table = pass.table.clone();
        // Where only the probe rows' matches are asked for, one match is enough.
        let one_is_enough = !roles.pairs && !roles.needs_visited() && !roles.null_aware;
        loop {
            self.cancel.check()?;
            let (mut probe, mut build) = (Vec::new(), Vec::new());
            let matched = std::mem::take(&mut current.matched);
            chains(&table, current, self.batch_rows, false, &mut probe, &mut build, |row| {
                one_is_enough && matched[row]
            });
            current.matched = matched;
            if probe.is_empty() {
                return Ok(None);
            }
            let (probe, build) = (UInt32Array::from(probe), UInt32Array::from(build));
            let sides = ((&current.batch, &probe), (&table.rows, &build));
            let holds = if roles.null_aware {
                let value = condition.value(sides.0, sides.1)?;
                note_unknown(&value, &probe, &mut current.unknown);
                let holds =
                    value.nulls().map_or_else(|| value.values().clone(), |n| value.values() & n.inner());
                BooleanArray::new(holds, None)
            } else {
                condition.test(sides.0, sides.1)?
            };
            let (mut p, mut b) = (Vec::new(), Vec::new());
            for i in holds.values().set_indices() {
                let (row, other) = (probe.value(i), build.value(i));
                note_pair(&roles, current, pass, row, other)?;
                if roles.pairs {
                    p.push(row);
                    b.push(other);
                }
            }
            if !p.is_empty() {
                let n = p.len();
                let (p, b) = (UInt32Array::from(p), UInt32Array::from(b));
                let probe = Some((&current.batch, Rows::Some(&p)));
                let build = Some((&table.rows, Rows::Some(&b)));
                return Ok(Some(self.output.rows(n, probe, build, None)?));
            }
        }
    }

    /// What comes out of probe rows when all their pairs have been seen.
    fn seal(&mut self, pass: &mut Pass, current: &Current) -> Result<Option<RecordBatch>> {
        let n = current.batch.num_rows();
        let extended_already = self.condition.is_none() && pass.prior.is_none();
        if let Some(prior) = &mut pass.prior {
            prior.store(current, n);
        }
        if !pass.last {
            return Ok(None);
        }
        let known_unmatched =
            |row: usize| !current.matched[row] && !current.unknown.get(row).copied().unwrap_or(false);
        let rows = match self.roles.probe {
            Fate::Nothing => return Ok(None),
            Fate::Extended if extended_already => return Ok(None),
            Fate::Marked => {
                let mark = Some(marks(&current.matched, &current.unknown));
                let probe = Some((&current.batch, Rows::All));
                return Ok(Some(self.output.rows(n, probe, None, mark)?));
            }
            Fate::Matched => numbers(n, |row| current.matched[row]),
            Fate::Extended | Fate::Unmatched => numbers(n, known_unmatched),
        };
        if rows.is_empty() {
            return Ok(None);
        }
        let which = if rows.len() == n { Rows::All } else { Rows::Some(&rows) };
        Ok(Some(self.output.rows(rows.len(), Some((&current.batch, which)), None, None)?))
    }

    /// What comes out of build rows when all probe rows have passed, cut into batches.
    pub fn build_rows(&self, pass: &Pass) -> Result<BuildRows> {
        let table = pass.table.clone();
        let n = table.rows.num_rows();
        if self.roles.build == Fate::Nothing || n == 0 {
            return Ok(BuildRows { table, rows: UInt32Array::from(Vec::<u32>::new()), mark: None, at: 0 });
        }
        let mut visited = vec![false; n];
        if self.condition.is_some() || table.is_unique() {
            visited[..pass.visited.len()].copy_from_slice(&pass.visited);
        } else {
            for (key, _) in pass.visited.iter().enumerate().filter(|(_, v)| **v) {
                table.chain(key as u32).iter().for_each(|row| visited[*row as usize] = true);
            }
        }
        let rows = match self.roles.build {
            Fate::Matched => numbers(n, |row| visited[row]),
            Fate::Marked => numbers(n, |_| true),
            _ => numbers(n, |row| !visited[row]),
        };
        let mark = (self.roles.build == Fate::Marked).then(|| marks(&visited, &[]));
        Ok(BuildRows { table, rows, mark, at: 0 })
    }

    /// The next batch of build rows.
    pub fn next_build_rows(&self, from: &mut BuildRows) -> Result<Option<RecordBatch>> {
        let n = self.batch_rows.min(from.rows.len() - from.at);
        if n == 0 {
            return Ok(None);
        }
        let rows = from.rows.slice(from.at, n);
        let mark = from.mark.as_ref().map(|m| m.slice(from.at, n));
        from.at += n;
        Ok(Some(self.output.rows(n, None, Some((&from.table.rows, Rows::Some(&rows))), mark)?))
    }
}

/// Build rows that come out at the end.
pub(crate) struct BuildRows {
    table: Arc<JoinTable>,
    rows: UInt32Array,
    mark: Option<ArrayRef>,
    at: usize,
}

impl Prior {
    /// Keeps what is known of the rows of a batch.
    fn store(&mut self, current: &Current, n: usize) {
        let put = |all: &mut Vec<bool>, at: usize, new: &[bool]| {
            if !new.is_empty() {
                all.resize(all.len().max(at + n), false);
                all[at..at + n].copy_from_slice(new);
            }
        };
        put(&mut self.matched, self.at, &current.matched);
        put(&mut self.unknown, self.at, &current.unknown);
        self.at += n;
    }
}

fn too_many_rows() -> Error {
    Error::new("SCALAR_SUBQUERY_TOO_MANY_ROWS")
}

/// Rows by number where `f` holds.
fn numbers(n: usize, f: impl Fn(usize) -> bool) -> UInt32Array {
    (0..n).filter(|row| f(*row)).map(|row| row as u32).collect::<Vec<_>>().into()
}

/// Marks: true where matched, null where unknown, else false.
fn marks(matched: &[bool], unknown: &[bool]) -> ArrayRef {
    let values = BooleanBuffer::from(matched);
    let nulls = (!unknown.is_empty())
        .then(|| NullBuffer::new(BooleanBuffer::collect_bool(matched.len(), |i| matched[i] || !unknown[i])));
    Arc::new(BooleanArray::new(values, nulls))
}

/// Build rows as indices; where `some_absent`, [`NONE`] is null.
fn build_rows(rows: Vec<u32>, some_absent: bool) -> UInt32Array {
    let mut nulls = None;
    if some_absent {
        let valid = NullBuffer::new(BooleanBuffer::collect_bool(rows.len(), |i| rows[i] != NONE));
        nulls = (valid.null_count() > 0).then_some(valid);
    }
    UInt32Array::new(rows.into(), nulls)
}

/// Fills pairs of the next rows, up to a batch; where `extend`, rows without any get one with [`NONE`]. Rows for which
/// `skip` holds get none.
fn chains(
    table: &JoinTable,
    current: &mut Current,
    limit: usize,
    extend: bool,
    probe: &mut Vec<u32>,
    build: &mut Vec<u32>,
    skip: impl Fn(usize) -> bool,
) {
    let unique = table.is_unique();
    while current.row < current.ids.len() && probe.len() < limit {
        let (row, id) = (current.row, current.ids[current.row]);
        if id == NONE || skip(row) {
            if extend {
                probe.push(row as u32);
                build.push(NONE);
            }
            (current.row, current.link) = (row + 1, 0);
            continue;
        }
        if unique {
            probe.push(row as u32);
            build.push(id);
            current.row += 1;
            continue;
        }
        let rest = &table.chain(id)[current.link..];
        let n = rest.len().min(limit - probe.len());
        build.extend_from_slice(&rest[..n]);
        probe.resize(probe.len() + n, row as u32);
        if n == rest.len() {
            (current.row, current.link) = (row + 1, 0);
        } else {
            current.link += n;
        }
    }
}

/// Notes a pair that satisfies the condition.
#[inline]
fn note_pair(roles: &Roles, current: &mut Current, pass: &mut Pass, row: u32, other: u32) -> Result<()> {
    if let Some(matched) = current.matched.get_mut(row as usize) {
        if *matched && roles.single && roles.probe_is_left {
            return Err(too_many_rows());
        }
        *matched = true;
    }
    if let Some(visited) = pass.visited.get_mut(other as usize) {
        if *visited && roles.single && !roles.probe_is_left {
            return Err(too_many_rows());
        }
        *visited = true;
    }
    Ok(())
}

/// Rows whose match is unknown because a key is null on either side.
fn note_nulls(key: &ArrayRef, build_has_null: bool, ids: &[u32], unknown: &mut [bool]) {
    let nulls = key.logical_nulls();
    for (row, unknown) in unknown.iter_mut().enumerate() {
        let null = nulls.as_ref().is_some_and(|n| n.is_null(row));
        *unknown |= ids[row] == NONE && (build_has_null || null);
    }
}

/// Rows whose match is unknown because the condition is null.
fn note_unknown(value: &BooleanArray, probe: &UInt32Array, unknown: &mut [bool]) {
    if let Some(nulls) = value.nulls() {
        for i in 0..value.len() {
            if nulls.is_null(i) {
                unknown[probe.value(i) as usize] = true;
            }
        }
    }
}
