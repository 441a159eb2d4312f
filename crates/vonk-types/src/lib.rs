//! Spark's types over Arrow: names, casts, decimals, calendars, time zones and the text form of values.
//!
//! Must not know: expressions, plans, SQL.
