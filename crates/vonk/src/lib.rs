//! What users import: sessions, DataFrames and columns; wires everything below together.
//!
//! Must not know: terminals, network protocols.
