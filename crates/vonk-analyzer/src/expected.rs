//! Which types the parameters of a statement are wanted in, for clients that ask before they give values.
//!
//! While a statement is analyzed without values, a marker stands for a null without type. Coercion then brings it into the type that its
//! surroundings ask for, as it does with any null, and that type is noted here: `WHERE x > ?` wants the type of `x`.
//!
//! Must not know: how values are given.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use vonk_error::Span;
use vonk_plan::logical::Expr;
use vonk_plan::unresolved::Parameter;
use vonk_types::DataType;

/// Markers met so far and the types they were brought into.
#[derive(Debug, Default)]
pub struct ExpectedTypes(Mutex<Markers>);

#[derive(Debug, Default)]
struct Markers {
    /// Where each marker is written.
    places: BTreeMap<(u32, u32), Marker>,
    types: BTreeMap<Marker, DataType>,
}

/// A marker: `:name` is one wherever it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Marker {
    /// `?`, counted from zero.
    Position(usize),
    /// `:name`
    Named(String),
}

impl From<&Parameter> for Marker {
    fn from(p: &Parameter) -> Marker {
        match p {
            Parameter::Position(i) => Marker::Position(*i),
            Parameter::Named(n) => Marker::Named(n.clone()),
        }
    }
}

impl ExpectedTypes {
    fn lock(&self) -> MutexGuard<'_, Markers> {
        // What another thread left half done is a note that is missing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A marker was met.
    pub(crate) fn met(&self, p: &Parameter, span: Span) {
        self.lock().places.insert((span.start, span.end), p.into());
    }

    /// A marker is wanted in a type, whatever else asks for it.
    pub fn wants(&self, p: &Parameter, data_type: DataType) {
        self.lock().types.insert(p.into(), data_type);
    }

    /// An expression is brought into a type: noted where it is a marker. The first type counts.
    pub(crate) fn cast(&self, e: &Expr, span: Span, to: &DataType) {
        let is_marker = matches!(e, Expr::Literal(l) if l.data_type == DataType::Null);
        if !is_marker || *to == DataType::Null {
            return;
        }
        let mut markers = self.lock();
        if let Some(marker) = markers.places.get(&(span.start, span.end)).cloned() {
            markers.types.entry(marker).or_insert_with(|| to.clone());
        }
    }

    /// All markers, positions first, each with its type where one is asked for.
    pub fn markers(&self) -> Vec<(Marker, Option<DataType>)> {
        let markers = self.lock();
        let mut all: Vec<Marker> = markers.places.values().chain(markers.types.keys()).cloned().collect();
        all.sort();
        all.dedup();
        all.into_iter().map(|m| (m.clone(), markers.types.get(&m).cloned())).collect()
    }
}
