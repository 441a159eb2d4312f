//! Resolved expressions from resolved parts: one function per syntax form of SQL.
//!
//! Every function checks types as Spark does, inserts implicit casts, and makes the text that Spark would give the result.

mod access;
mod case;
mod cast;
mod compare;
mod decimal_bound;
mod literal;
mod logic;
mod operator;
mod pattern;
mod update;

pub(crate) use access::{field, named_struct, row, struct_of, subscript};
pub(crate) use case::{case, coalesce, if_then_else, null_if};
pub(crate) use cast::{cast, cast_by_name, cast_to};
pub(crate) use compare::{between, compare, distinct_from, in_list};
pub(crate) use literal::{literal, typed_literal};
pub(crate) use logic::{and, is_test, not, or};
pub(crate) use operator::{binary, unary};
pub(crate) use pattern::{like, like_quantified};
pub(crate) use update::update_fields;
