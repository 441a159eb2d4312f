//! One table of typed `spark.*` configuration keys.
//!
//! Must not know: who reads a key.
