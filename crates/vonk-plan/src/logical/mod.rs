//! The resolved tree.
//!
//! Every column has an identity ([`ColumnId`]), so that rules can move expressions without renumbering; two references to
//! one table have different ids. Types are final: all casts that coercion wants are there as [`Expr::Cast`].

mod display;
mod expr;
mod plan;
mod sampling;
mod walk;

pub use expr::{
    AggregateExpr, Column, ColumnId, ColumnIds, Expr, FrameBound, FrameUnits, SortExpr, Subquery,
    SubqueryKind, WindowExpr, WindowFrame,
};
pub use plan::{
    Distribution, Generate, Join, JoinKind, LogicalPlan, Loop, LoopId, Named, Scan, SetOperation, Window,
    Write, WriteMode,
};
pub use sampling::Sampling;
pub use vonk_types::CompareOp;
