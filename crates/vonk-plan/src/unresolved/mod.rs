//! The unresolved tree: what the SQL front end and the DataFrame API build.

/// A relational operator as written.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {}
