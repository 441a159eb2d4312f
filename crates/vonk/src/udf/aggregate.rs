//! Aggregates over values of Rust.

use super::values::{UdfArguments, UdfResult, UdfValue};
use super::{failed, resolved};
use arrow::array::{Array, ArrayRef, AsArray, BinaryViewBuilder, BooleanArray};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_functions::{AggregateFunction, Arity, CallSite, Docs, EmitTo, GroupsAccumulator};
use vonk_types::DataType;

/// An aggregate function (Spark: `Aggregator`). Rows are reduced into a state for each group, in several tasks; states are merged; the last
/// one gives the result. States travel between tasks and to disk in their serde form.
pub trait Aggregator: Send + Sync + 'static {
    /// A row's arguments: one value, or a tuple. Rows with a null for one that is no `Option` are left out.
    type Input: UdfArguments;
    /// What is known of a group.
    type State: Serialize + DeserializeOwned + Send + 'static;
    /// The result.
    type Output: UdfResult;

    /// The state of a group without rows.
    fn zero(&self) -> Self::State;
    /// The state with another row.
    fn reduce(&self, state: Self::State, input: Self::Input) -> Self::State;
    /// Two states of one group together.
    fn merge(&self, a: Self::State, b: Self::State) -> Self::State;
    /// The result of a group.
    fn finish(&self, state: Self::State) -> Self::Output;
    /// Bytes that a state holds, for the memory manager; more than its own size if it has vectors and the like.
    fn size(&self, state: &Self::State) -> usize {
        std::mem::size_of_val(state)
    }
}

/// An aggregator of four closures.
pub(super) struct Closures<Z, R, M, F, I, S, O> {
    pub zero: Z,
    pub reduce: R,
    pub merge: M,
    pub finish: F,
    pub types: PhantomData<fn(I, S) -> O>,
}

impl<Z, R, M, F, I, S, O> Aggregator for Closures<Z, R, M, F, I, S, O>
where
    Z: Fn() -> S + Send + Sync + 'static,
    R: Fn(S, I) -> S + Send + Sync + 'static,
    M: Fn(S, S) -> S + Send + Sync + 'static,
    F: Fn(S) -> O + Send + Sync + 'static,
    I: UdfArguments,
    S: Serialize + DeserializeOwned + Send + 'static,
    O: UdfResult + 'static,
{
    type Input = I;
    type State = S;
    type Output = O;

    fn zero(&self) -> S {
        (self.zero)()
    }

    fn reduce(&self, state: S, input: I) -> S {
        (self.reduce)(state, input)
    }

    fn merge(&self, a: S, b: S) -> S {
        (self.merge)(a, b)
    }

    fn finish(&self, state: S) -> O {
        (self.finish)(state)
    }
}

/// The row of the function table.
pub(super) fn function<A: Aggregator>(name: &'static str, docs: Docs, aggregator: A) -> AggregateFunction {
    let arguments = A::Input::types();
    let result = <A::Output as UdfResult>::Value::TYPE;
    let aggregator = Arc::new(aggregator);
    let template = AggregateFunction::new(
        name,
        docs,
        Arity::exactly(arguments.len()),
        |_| Err(Error::internal("replaced")),
        |_| vec![DataType::Binary],
        |_| Err(Error::internal("replaced")),
    );
    AggregateFunction {
        resolve: Arc::new(move |site: &CallSite<'_>| resolved(site, &arguments, &result, true)),
        accumulator: Arc::new(move |_| {
            let states: Vec<Option<A::State>> = Vec::new();
            Ok(Box::new(Groups { name, aggregator: aggregator.clone(), states, bytes: 0 }))
        }),
        // Nobody knows what the closures do with the order of rows.
        order_sensitive: true,
        // Over no rows it is what the state without rows gives: the group is made, and finished.
        ..template
    }
}

/// The states of all groups. A state is out of its place only while a closure has it.
struct Groups<A: Aggregator> {
    name: &'static str,
    aggregator: Arc<A>,
    states: Vec<Option<A::State>>,
    bytes: usize,
}

impl<A: Aggregator> Groups<A> {
    fn grow(&mut self, groups: usize) {
        while self.states.len() < groups {
            let state = self.aggregator.zero();
            self.bytes += self.aggregator.size(&state);
            self.states.push(Some(state));
        }
    }

    fn change(&mut self, group: usize, f: impl FnOnce(&A, A::State) -> A::State) -> Result<()> {
        let Some(old) = self.states.get_mut(group).and_then(Option::take) else {
            return vonk_error::internal_err!("group {group} has no state");
        };
        let before = self.aggregator.size(&old);
        let new = f(&self.aggregator, old);
        self.bytes = (self.bytes + self.aggregator.size(&new)).saturating_sub(before);
        self.states[group] = Some(new);
        Ok(())
    }

    fn take(&mut self, emit: EmitTo) -> impl Iterator<Item = A::State> {
        let n = match emit {
            EmitTo::All => self.states.len(),
            EmitTo::First(n) => n.min(self.states.len()),
        };
        let taken: Vec<A::State> = self.states.drain(..n).flatten().collect();
        let bytes: usize = taken.iter().map(|s| self.aggregator.size(s)).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
        taken.into_iter()
    }
}

impl<A: Aggregator> GroupsAccumulator for Groups<A> {
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        self.grow(num_groups);
        let columns = A::Input::columns(args)?;
        for (row, group) in groups.iter().enumerate() {
            if filter.is_some_and(|f| f.is_null(row) || !f.value(row)) {
                continue;
            }
            if let Some(input) = A::Input::row(&columns, row) {
                self.change(*group as usize, |a, state| a.reduce(state, input))?;
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32], num_groups: usize) -> Result<()> {
        self.grow(num_groups);
        let Some(states) = states.first().and_then(|s| s.as_binary_view_opt()) else {
            return vonk_error::internal_err!("states of {} that are no bytes", self.name);
        };
        for (row, group) in groups.iter().enumerate() {
            if states.is_null(row) {
                continue;
            }
            let other: A::State = postcard::from_bytes(states.value(row))
                .map_err(|e| failed(self.name, format!("a state cannot be read back: {e}")))?;
            self.change(*group as usize, |a, state| a.merge(state, other))?;
        }
        Ok(())
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let name = self.name;
        let mut out = BinaryViewBuilder::new();
        for state in self.take(emit) {
            let bytes = postcard::to_stdvec(&state)
                .map_err(|e| failed(name, format!("a state cannot be written: {e}")))?;
            out.append_value(bytes);
        }
        Ok(vec![Arc::new(out.finish())])
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let (name, aggregator) = (self.name, self.aggregator.clone());
        let mut out = Vec::new();
        for state in self.take(emit) {
            out.push(aggregator.finish(state).result().map_err(|reason| failed(name, reason))?);
        }
        Ok(<A::Output as UdfResult>::Value::array(out))
    }

    fn size(&self) -> usize {
        self.bytes + self.states.capacity() * std::mem::size_of::<Option<A::State>>()
    }
}
