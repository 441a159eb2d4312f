//! The wire format of fragments: postcard over the serde data, after a version byte.

use crate::node::PlanNode;
use vonk_error::{Error, Result};

/// Raised whenever a node changes shape. Executors of another version refuse the fragment.
const VERSION: u8 = 1;

/// A fragment as bytes.
pub fn encode(plan: &PlanNode) -> Result<Vec<u8>> {
    postcard::to_extend(plan, vec![VERSION])
        .map_err(|e| Error::internal(format!("cannot encode a plan: {e}")))
}

/// A fragment from bytes.
pub fn decode(bytes: &[u8]) -> Result<PlanNode> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => {
            postcard::from_bytes(rest).map_err(|e| Error::internal(format!("cannot decode a plan: {e}")))
        }
        Some((v, _)) => vonk_error::internal_err!("plan of wire version {v}, this executor speaks {VERSION}"),
        None => vonk_error::internal_err!("empty plan"),
    }
}
