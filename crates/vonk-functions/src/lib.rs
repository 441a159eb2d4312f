//! Every built-in function: one file each in its family's folder, one table row each.
//!
//! Must not know: plans, SQL text, who calls a kernel.
