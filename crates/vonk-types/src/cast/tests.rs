//! Casts as Spark 4.3 answers them.
