//! Places of expressions that no statement wrote: calls in a program, and pieces of SQL that a program gives to one.
//!
//! An expression that a program builds has a [`Span`], too. It points into one of two tables of this process: the calls that built
//! expressions (as many as the program's source has), or the latest pieces of SQL that were parsed for one. So a span stays three numbers
//! wherever it travels; executors hand it back with an error, and the process that built the expression knows what it means.
//!
//! Must not know: what is called. It keeps names and places.

use crate::span::{CallContext, QueryContext, SourceId, Span};
use std::collections::{HashMap, VecDeque};
use std::panic::Location;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};

/// The source of spans that point into the table of calls.
const CALLS: SourceId = SourceId(u32::MAX);
/// The least source that is a piece of SQL; statements and views are below.
const FIRST_FRAGMENT: u32 = 1 << 31;
/// Pieces of SQL that are remembered. An error in an older one has no place.
const FRAGMENTS: usize = 4096;

/// A call that built an expression.
#[derive(Clone, Copy)]
struct Call {
    name: &'static str,
    at: &'static Location<'static>,
}

#[derive(Default)]
struct Calls {
    list: Vec<Call>,
    /// By the addresses of name and place, which are static: equal addresses are equal calls.
    numbers: HashMap<(usize, usize), u32>,
}

static KNOWN_CALLS: LazyLock<RwLock<Calls>> = LazyLock::new(Default::default);

#[derive(Default)]
struct Fragments {
    latest: VecDeque<Arc<str>>,
    /// How many there were before the first of them.
    forgotten: u32,
}

static KNOWN_FRAGMENTS: LazyLock<Mutex<Fragments>> = LazyLock::new(Default::default);

impl Span {
    /// The place of a call in the program: the name of what was called, and from where.
    pub fn of_call(name: &'static str, at: &'static Location<'static>) -> Span {
        let key = (name.as_ptr().addr(), std::ptr::from_ref(at).addr());
        let known = KNOWN_CALLS.read().unwrap_or_else(PoisonError::into_inner).numbers.get(&key).copied();
        let number = known.unwrap_or_else(|| {
            let mut calls = KNOWN_CALLS.write().unwrap_or_else(PoisonError::into_inner);
            let calls = &mut *calls;
            *calls.numbers.entry(key).or_insert_with(|| {
                calls.list.push(Call { name, at });
                u32::try_from(calls.list.len() - 1).unwrap_or(u32::MAX - 1)
            })
        });
        Span { source: CALLS, start: number, end: number + 1 }
    }

    /// Whether it points at a call in a program.
    pub fn is_call(&self) -> bool {
        self.source == CALLS && !self.is_none()
    }
}

impl SourceId {
    /// A name for a piece of SQL that no statement wrote, for spans that point into it.
    pub fn of_fragment(sql: &str) -> SourceId {
        let mut known = KNOWN_FRAGMENTS.lock().unwrap_or_else(PoisonError::into_inner);
        let number = known.forgotten.wrapping_add(u32::try_from(known.latest.len()).unwrap_or(0));
        known.latest.push_back(sql.into());
        if known.latest.len() > FRAGMENTS {
            known.latest.pop_front();
            known.forgotten = known.forgotten.wrapping_add(1);
        }
        // All but the last of the upper half, in turn.
        SourceId(FIRST_FRAGMENT + number % (FIRST_FRAGMENT - 1))
    }
}

/// What a span means that points into the tables of this process; `None` if it points elsewhere, or at what is forgotten.
pub(crate) fn resolve(span: Span) -> Option<QueryContext> {
    if span.is_none() {
        return None;
    }
    if span.source == CALLS {
        let calls = KNOWN_CALLS.read().unwrap_or_else(PoisonError::into_inner);
        let call = calls.list.get(span.start as usize)?;
        return Some(QueryContext::Call(CallContext {
            name: call.name.to_string(),
            file: call.at.file().to_string(),
            line: call.at.line(),
            column: call.at.column(),
        }));
    }
    let number = span.source.0.checked_sub(FIRST_FRAGMENT)?;
    let known = KNOWN_FRAGMENTS.lock().unwrap_or_else(PoisonError::into_inner);
    let cycle = FIRST_FRAGMENT - 1;
    let back = (number + cycle - known.forgotten % cycle) % cycle;
    let sql = known.latest.get(back as usize)?.clone();
    drop(known);
    QueryContext::resolve(span, &sql)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.
    use super::*;
    use crate::Error;

    #[track_caller]
    fn here() -> Span {
        Span::of_call("here", Location::caller())
    }

    #[test]
    fn a_call_has_one_number_and_says_its_place() {
        let spans: Vec<Span> = (0..2).map(|_| here()).collect();
        assert_eq!((spans[0].start, spans[0].source), (spans[1].start, CALLS));
        let error = Error::new("DIVIDE_BY_ZERO").with("config", "x").at(spans[0]).in_text("SELECT 1");
        let text = error.to_string();
        let (_, place) = text.split_once('\n').unwrap();
        assert!(place.starts_with("== DataFrame ==\n\"here\" was called from\n"), "{place}");
        assert!(place.contains(&format!("{}:", file!())), "{place}");
    }

    #[test]
    fn calls_are_no_ranges() {
        let (a, b) = (here(), here());
        assert_eq!(a.union(b).end, a.end);
    }

    #[test]
    fn pieces_of_sql_are_remembered_for_a_while() {
        let first = SourceId::of_fragment("1 / 0");
        let span = Span { source: first, ..Span::new(0, 5) };
        assert_eq!(resolve(span).unwrap().fragment(), "1 / 0");
        for i in 0..FRAGMENTS {
            SourceId::of_fragment(&i.to_string());
        }
        assert!(resolve(span).is_none());
    }
}
