//! Literals: the texts of tokens to values.

pub(crate) mod interval;
pub(crate) mod number;
pub(crate) mod text;
